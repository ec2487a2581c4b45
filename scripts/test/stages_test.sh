#!/bin/bash
# Tests nightly.sh and stages.sh in a small repository, whose stages print results without a guest.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
# A hook of git sets variables that name the hook's repository, and a user's configuration may sign
# commits.
# shellcheck disable=SC2046 # several names
unset $(git rev-parse --local-env-vars)
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
unset STAGES FILE PROGRAMS SUITES KERNEL LEVELS MACHINES PARTS CPUS SEED TIMES

repository=$(mktemp -d)
trap 'rm -rf "$repository"' EXIT
mkdir "$repository/scripts"
cp "$root/scripts/nightly.sh" "$root/scripts/stages.sh" "$repository/scripts/"
cd "$repository"
cat >Makefile <<'END'
test-kernels:
	@echo "3 passed, 0 failed, 1 skipped"
test-install:
	@echo "2 passed, $(BROKEN) failed"; exit $(BROKEN)
test-packages:
	@echo "$(SAID)"; exit $(STATUS)
test-rt:
	@echo "1 passed, 0 failed"
test-walk:
	@echo "5 passed, 0 failed"
analyze:
	@echo "6 passed, 0 failed"
END
echo build/ >.gitignore
git init -q
git add .
git -c user.name=test -c user.email=test@example.org commit -q -m test

number=0
script=(scripts/nightly.sh)
# Runs the script, and ends the test unless status and last line are as expected.
expect() { # STATUS LINE WHAT [VARIABLE=VALUE...]
	local status=0
	number=$((number + 1))
	env BROKEN=0 SAID='4 passed, 0 failed' STATUS=0 BETWEEN=: LAST=: "${@:4}" "${script[@]}" >build/log 2>&1 || status=$?
	if [[ $status != "$1" || $(tail -n 1 build/log) != "$2" ]]; then
		echo "not ok $number $3: status $status"
		cat build/log
		exit 1
	fi
	echo "ok $number $3"
}
says() { grep -q "$1" build/log || { echo "the log has no '$1'"; cat build/log; exit 1; }; }
mkdir build

expect 1 '20 passed, 1 failed, 1 skipped' 'a failed stage fails the run' BROKEN=1 SAID='3 passed, 0 failed'
says '^install  .* FAILED$'
says '^kernels  .* ok$'
expect 0 '20 passed, 0 failed, 1 skipped' 'a stage that has passed is not run again'
says '##### kernels: has passed at this commit'
says '##### install: make test-install'
expect 0 '6 passed, 0 failed' 'a variable that makes a stage smaller runs the stage' PARTS=boot STAGES=install,packages
says '##### install: make test-install'
expect 1 '0 passed, 1 failed' 'an unknown stage is refused' STAGES=instal
rm -r build/nightly
expect 1 '4 passed, 1 failed' 'a stage that fails without counting a failure' STAGES=packages STATUS=1
expect 1 '0 passed, 1 failed' 'a stage without a result' STAGES=packages SAID=nothing
says "^stage packages: the output has no line 'N passed, N failed'"
expect 1 '0 passed, 0 failed' 'a run without a test' STAGES=packages SAID='0 passed, 0 failed'
expect 0 '1 passed, 0 failed' 'a chosen stage' STAGES=rt
touch change
expect 0 '1 passed, 0 failed' 'a tree with changes runs the stage' STAGES=rt
says '##### rt: make test-rt'
git add change
git -c user.name=test -c user.email=test@example.org commit -q -m change
expect 0 '1 passed, 0 failed' 'a clean tree runs the stage once' STAGES=rt
mv .git build/
expect 0 '1 passed, 0 failed' 'a tree without git runs the stage' STAGES=rt
says '##### rt: make test-rt'
expect 0 '1 passed, 0 failed' 'a tree without git runs the stage again' STAGES=rt
says '##### rt: make test-rt'

# A script that runs beside another one
cat >first <<'END'
set -euo pipefail
. scripts/stages.sh
begin_beside bash second
test_stage one echo "1 passed, 0 failed"
eval "$BETWEEN"
end_beside beside
end_stages
END
cat >second <<'END'
set -euo pipefail
. scripts/stages.sh
test_stage two bash -c "echo $SAID; echo \$\$ >build/pid; $LAST"
end_stages
END
script=(bash first)
expect 0 '5 passed, 0 failed' 'the counts of a script beside another one are added'
says '^two  .* ok$'
expect 1 '5 passed, 1 failed' 'a stage that fails beside others fails the run' LAST='exit 1'
says '^two  .* FAILED$'
rm build/pid
expect 1 '1 passed, 2 failed' 'a script that ends early ends the other one' LAST='sleep 1000' \
	BETWEEN='timeout 60 bash -c "until [[ -s build/pid ]]; do sleep 0.1; done"; false'
says '4 passed, 0 failed'
! kill -0 "$(<build/pid)" 2>/dev/null || { echo "the other script still runs"; exit 1; }
echo "$number passed, 0 failed"
