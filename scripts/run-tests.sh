#!/bin/bash
# Usage: run-tests.sh [--strict] SET...   (SET: quick, all, harness, kunit, walk, user, machines,
# kernels, rt, stress, mode, repeat)
#
# Boots guests, runs tests in them and ends with the line
# `N passed, N failed[, N skipped]`.
#
#   quick     one boot of the debug kernel with 5-level paging: KUnit, and the programs
#             that need the checks of that kernel; one boot of Debian's kernel with
#             4 levels: all other programs; one boot of the debug kernel with four CPUs: the
#             random walks
#   all       harness; then all tests in the debug kernel with 5 levels; with 4 levels, KUnit and
#             the programs that need the checks of that kernel; the random walks with four CPUs;
#             then all programs in Debian's kernel with 4 levels, and those for special machines
#   harness   the parser, and a boot that has to fail
#   kunit, user   these tests in one kernel
#   walk      the random walks with two and with four CPUs, five times as many steps as in the
#             other sets. For more steps, run the walks again with another seed: Linux
#             reports a case that takes longer than 120 s.
#   machines  the programs that need a special machine; MACHINES=a,b chooses machines
#   kernels   the demo and all programs in Debian's kernel and in each of its other kernels;
#             KERNEL=6.12 chooses one
#   rt        one boot of the debug kernel with PREEMPT_RT: KUnit, and the programs in which
#             threads and processes race; two boots of Debian's kernel with PREEMPT_RT and
#             4 levels: all programs, and cyclictest beside many clients
#   stress    the programs of initramfs/stress/ that PROGRAMS names, in one boot of KERNEL, for
#             SECONDS_EACH; LIFE runs one life of the storm only
#   mode      one boot in the mode MODE (see modes.sh)
#   repeat    one boot of KERNEL, which runs SUITES, then PROGRAMS, REPEAT times, each time with the
#             module loaded afresh. mutants.sh judges the logs: the last line names their folder.
#
#   KERNEL        kernel for kunit and user: debug (the default), debug-rt, debug-kcsan, stock, 6.12
#                 and others; a debug kernel for walk; any kernel for machines (stock)
#   LEVELS        paging levels for kunit and user ("5 4")
#   PROGRAMS      run only these programs: names separated by commas
#   SUITES        run only the KUnit suites of these files: NAME for kunit/*/NAME_test.c
#   CPUS          numbers of CPUs for walk ("2 4")
#   SEED          seed of all random cases of KUnit
#   TIMES         factor for the number of steps of the random walks
#   TMM_COVERAGE  write the lines of the module that ran to this file, in gcovr's format; the debug
#                 kernel only
#   TMM_TIMEOUT   time limit of a boot in seconds
#   TMM_ACCEL     accelerator: tcg or kvm
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/closing.sh
. "$(dirname "$0")/closing.sh"
# shellcheck source=scripts/mode_table.sh
. "$(dirname "$0")/mode_table.sh"

# Both regions are above 4 GiB, so that a physical address truncated to 32 bits fails. The
# first region has one aligned GiB, 5 GiB to 6 GiB, and 320 MiB around it, too little for a
# second one. The second region is too small for a leaf of 1 GiB. kmemleak scans all other
# memory, which takes long, so there is only as much as needed: 704 MiB below 4 GiB, and 736
# MiB and 96 MiB around the first region. That region begins and ends with 32 MiB in a section
# of 128 MiB that Linux's memory shares, so the module refuses the region with struct_pages=1.
# The variable section_regions has the parts that the module accepts.
memory=(--mem 2896M --low 704M)
# shellcheck disable=SC2016 # the dollar is memmap's own
memmap=(memmap='1344M$0x12e000000' memmap='16M$0x188000000')
regions=1344M@0x12e000000,16M@0x188000000
section_regions=1280M@0x130000000,16M@0x188000000

# Devices for the driver tests: one with registers, and one with 1 GiB of memory. The host
# allocates that memory only where a test writes.
devices=(--device edu
	--object 'memory-backend-ram,id=shared,size=1G,share=on'
	--device 'ivshmem-plain,memdev=shared')

strict=()
sets=()
plan=
for part in "$@"; do
	case $part in
	--strict) strict=(panic_on_warn=1) ;;
	quick | all | harness | walk | machines | kernels | rt | stress | mode | repeat) sets+=("$part") ;;
	kunit | user | none) plan+=${plan:+,}$part ;;
	*) die "unknown set: $part" ;;
	esac
done

dir=$BUILD/run-$(date +%Y%m%d-%H%M%S)-$$
mkdir -p "$dir"
ln -sfn "$(basename "$dir")" "$BUILD/latest"
reports=()

names_of() { # PATTERN FILE...
	local pattern=$1
	shift
	sed -n "$pattern" "$@" 2>/dev/null | sort | paste -sd, -
}
# The list of suites that must run comes from the sources, not from the results. FOLDER is a pattern.
suites() { # FOLDER
	local name files
	# shellcheck disable=SC2206 # the folder is a pattern
	files=("$ROOT"/kunit/$1/*_test.c)
	if [[ -n ${SUITES:-} ]]; then
		mapfile -t files < <(tr , '\n' <<<"$SUITES" | while read -r name; do
			# shellcheck disable=SC2086 # likewise
			printf '%s\n' "$ROOT"/kunit/$1/"${name}_test.c"
		done)
	fi
	names_of 's/^\t\.name = "\(theseus_mm_[a-z0-9_]*\)",$/\1/p' "${files[@]}"
}
# A comment in a program's source says where the program runs, and why:
#   "Debug kernel: ..."   `make test` runs the program in the debug kernel, not in Debian's
#   "Debug kernel only: ..."   the program runs in the debug kernel, never in Debian's
#   "Debug kernel by name only: ..."   likewise, and only if PROGRAMS names the program
#   "Lockdep: ..."        the program does not run in the kernel with KCSAN, which has no lockdep
#   "Debug kernel by name: ..."   the program runs in Debian's kernel, and in a debug kernel only if
#                         PROGRAMS names the program
#   "Stock kernel: ..."   the program runs in Debian's kernel, never in a debug kernel
#   "Races: ..."          `make test-rt` runs the program in the debug kernel with PREEMPT_RT
#   "Machine: NAME: ..."  the program runs only in that machine, in Debian's kernel or in KERNEL; with
#                         "modes" as NAME, only in the modes that name the program
#   "Before Linux 6.15: ..."   the program does not run in a newer kernel
#   "Also 32-bit: ..."    the machine m32 runs the program again, as NAME32_test
programs() { # all|new|old|checked|unlocked|lockdep|debug|races|other|MACHINE
	local file name machine wanted=${PROGRAMS:-}
	for file in "$ROOT"/initramfs/tests/*_test.c "$ROOT"/initramfs/tests/python/*_test.py; do
		name=${file##*/}
		name=${name%.*}
		if [[ $1 == m32 ]]; then
			grep -q '^/\* Also 32-bit: ' "$file" || continue
			name=${name%_test}32_test
		fi
		[[ -z $wanted || ,$wanted, == *,$name,* ]] || continue
		[[ $wanted ]] || ! grep -q '^/\* Debug kernel by name only: ' "$file" || continue
		case $1 in
		all | new | old | other) ! grep -q '^/\* Debug kernel.* only: ' "$file" || continue ;;
		checked | unlocked) [[ $wanted ]] || ! grep -q '^/\* Debug kernel by name: ' "$file" || continue ;;
		esac
		machine=$(sed -n 's:^\(/\*\|#\) Machine\: \([a-z]*\)\: .*:\2:p' "$file")
		case ${machine:-$1} in
		m32) ;;
		debug) grep -q '^/\* Debug kernel\( only\)\?: ' "$file" || continue ;;
		races) grep -q '^/\* Races: ' "$file" || continue ;;
		other) ! grep -q '^/\* Debug kernel: ' "$file" || continue ;;
		unlocked) ! grep -qE '^/\* (Stock kernel|Lockdep): ' "$file" || continue ;;
		lockdep) grep -q '^/\* Lockdep: ' "$file" || continue ;;
		checked) ! grep -q '^/\* Stock kernel: ' "$file" || continue ;;
		new) ! grep -q '^/\* Before Linux 6.15: ' "$file" || continue ;;
		old) grep -q '^/\* Before Linux 6.15: ' "$file" || continue ;;
		all) ;;
		*) [[ $machine == "$1" ]] || continue ;;
		esac
		printf '%s\n' "$name"
	done | paste -sd, -
}

# Sets memory, memmap, regions and devices to those of a special machine. If the machine has regions
# of its own, section_regions is empty, since no program of the machine uses struct_pages=1.
describe_machine() {
	case $1 in
	unplug)
		# behind a bridge, so that a device that is added again gets its old address
		devices=(--device 'pcie-root-port,id=rp,chassis=1,slot=1'
			--device 'pcie-pci-bridge,id=br,bus=rp' --device 'edu,bus=br,addr=1')
		;;
	firmware)
		# a range that the firmware reserves begins at the end of the region
		memory=(--mem 2G) regions=64M@0x7bfe0000 section_regions=
		# shellcheck disable=SC2016 # the dollar is memmap's own
		memmap=('memmap=64M$0x7bfe0000')
		;;
	numa)
		# a region on each of two nodes of 1 GiB; both CPUs are on the first, since they share a cache
		devices=(--object 'memory-backend-ram,id=node0,size=1G'
			--object 'memory-backend-ram,id=node1,size=1G'
			--numa 'node,memdev=node0,cpus=0-1' --numa 'node,memdev=node1')
		memory=(--mem 2G) regions=64M@0x20000000,64M@0x60000000 section_regions=
		# shellcheck disable=SC2016 # the dollar is memmap's own
		memmap=('memmap=64M$0x20000000' 'memmap=64M$0x60000000')
		;;
	python)
		append_archive "$kernel" "$("$ROOT/scripts/build-python.sh")"
		;;
	kvm | lockdown | m32) ;;
	*) die "no such machine: $1" ;;
	esac
}
MACHINE_NAMES=unplug,firmware,numa,kvm,lockdown,m32,python

# Lets the next boot of a kernel use an archive that also contains another one. Both archives are
# unpacked one after the other; the second one begins at a multiple of four bytes.
append_archive() { # KERNEL ARCHIVE
	local combined=$dir/initrd-$1-more
	{
		cat "${initrds[$1]}"
		head -c $(((4 - $(stat -c %s "${initrds[$1]}") % 4) % 4)) /dev/zero
		cat "$2"
	} >"$combined"
	initrds[$1]=$combined
}

# The lock keeps other runs from building in the same tree at the same time. Each run boots its
# own copy of the archive.
declare -A kernels initrds images
prepare() { # KERNEL
	local built variant=$1
	[[ -z ${initrds[$variant]:-} ]] || return 0
	exec 8>"$BUILD/.lock"
	flock 8
	if [[ $variant == debug* ]]; then
		kernels[$variant]=$("$ROOT/scripts/build-kernel.sh" "$variant")
		images[$variant]=${kernels[$variant]}/arch/x86/boot/bzImage
	else
		images[$variant]=$("$ROOT/scripts/fetch-kernel.sh" "$variant")
		kernels[$variant]=${images[$variant]%/vmlinuz-*}
	fi
	"$ROOT/scripts/build-module.sh" "$variant" >/dev/null
	built=$("$ROOT/scripts/build-initramfs.sh" "$variant" tests)
	initrds[$variant]=$dir/initrd-$variant
	cp "$built" "${initrds[$variant]}"
	exec 8>&-
}

boot() { # VARIANT NAME LEVELS PLAN [PARAMETER...]
	repeat_spoiled "$dir/$2" boot_once "$@"
}

# shellcheck disable=SC2317 # repeat_spoiled calls it
boot_once() { # VARIANT NAME LEVELS PLAN [PARAMETER...]
	local variant=$1 run=$dir/$2 levels=$3 plan=$4 arguments=() limit=900
	shift 4
	[[ $plan == *user* ]] && limit=2700
	[[ $levels == 4 ]] && arguments+=(no5lvl)
	if [[ $variant == debug* ]]; then
		arguments+=(kunit.enable=1 kunit.stats_enabled=2)
		arguments+=("tmm.kunit=${SEED:+seed=$SEED,}times=${TIMES:-1}")
	fi
	if [[ $variant == debug ]]; then
		arguments+=(kmemleak=on slub_debug=FZP)
	fi
	[[ ! ${TMM_COVERAGE:-} ]] || arguments+=(tmm.coverage=yes)
	mkdir -p "$run"
	cp "${kernels[$variant]}"/{.config,config-*} "$run/config" 2>/dev/null || :
	# KVM offers 5 levels only where the host has them
	if [[ $levels == 5 ]] && ! grep -qw la57 /proc/cpuinfo; then
		local -x TMM_ACCEL=tcg
	fi
	note "booting: ${run##*/} ($variant kernel, plan $plan, $levels-level paging)"
	"$ROOT/scripts/qemu.sh" --kernel "${images[$variant]}" \
		--initrd "${initrds[$variant]}" --dir "$run" --timeout "${TMM_TIMEOUT:-$limit}" \
		"${memory[@]}" "${devices[@]}" \
		"${memmap[@]}" "${arguments[@]}" "${strict[@]}" pti=on log_buf_len=4M \
		watchdog_thresh=60 \
		"tmm.plan=$plan" "tmm.levels=$levels" "tmm.regions=$regions" \
		"tmm.section_regions=$section_regions" "$@" || :
}

test_harness() {
	prepare debug
	note "the parser's own tests"
	"$ROOT/scripts/test/ktap_test.py" "$dir/parser.json" || :
	reports+=("$dir/parser.json")
	boot debug selftest 5 selftest-fail
	"$ROOT/scripts/test/ktap.py" selftest "$dir/selftest" || :
	reports+=("$dir/selftest/report.json")
}

test_boot() { # VARIANT LEVELS PLAN PROGRAMS
	local name=$1-$2-level parameters=()
	prepare "$1"
	[[ -z $4 ]] || parameters+=("tmm.programs=$4")
	boot "$1" "$name" "$2" "$3" "${parameters[@]}"
	"$ROOT/scripts/test/ktap.py" run --name "$name" --plan "$3" \
		--suites "$(suites '*')" --programs "$4" "$dir/$name" || :
	reports+=("$dir/$name/report.json")
}

# One boot for the programs of initramfs/stress/. Linux passes the capitals to init as variables.
test_stress() {
	local name=stress-${KERNEL:=debug} chosen=${PROGRAMS:?} each=${SECONDS_EACH:-30} limit number
	number=$(tr , '\n' <<<"$chosen" | wc -l)
	# the longest case may take 900 s besides its time, and wait for a process as long as PATIENCE
	limit=$((1500 + 4 * each))
	prepare "$KERNEL"
	TMM_TIMEOUT=${TMM_TIMEOUT:-$((900 + number * limit))} boot "$KERNEL" "$name" 5 user \
		"tmm.programs=$chosen" "USER_TEST_TIMEOUT=$limit" "STRESS_SECONDS=$each" \
		${SEED:+"STRESS_SEED=$SEED"} ${LIFE:+"STRESS_LIFE=$LIFE"}
	judge_programs "$name" "$chosen"
}

# One boot for mutants.sh, which judges the logs itself.
test_repeat() {
	local run=repeat parts=${SUITES:+kunit}
	parts+=${PROGRAMS:+${parts:+,}user}
	# for KUnit, no program has to be built
	PROGRAMS=${PROGRAMS:-none} prepare "$KERNEL"
	TMM_TIMEOUT=$((600 + 120 * REPEAT)) boot "$KERNEL" "$run" 5 "$parts" \
		"tmm.programs=${PROGRAMS:-}" "tmm.repeat=$REPEAT" USER_TEST_TIMEOUT=300
	# shellcheck disable=SC2034 # the trap of closing.sh reads it
	closed=1
	printf '%s\n' "$dir/$run"
	exit
}

# One boot of a debug kernel for the random walks only.
test_walks() { # CPUS
	local name=walks-$1-cpus kernel=${KERNEL:-debug}
	prepare "$kernel"
	boot "$kernel" "$name" 5 walk --cpus "$1"
	"$ROOT/scripts/test/ktap.py" run --name "$name" --plan walk \
		--suites "$(suites walk)" "$dir/$name" || :
	reports+=("$dir/$name/report.json")
}

# Each machine is described in a subshell, so that it does not change the next one.
test_machines() {
	local machine chosen kernel=${KERNEL:-stock}
	prepare "$kernel"
	for machine in $(tr , ' ' <<<"${MACHINES:-$MACHINE_NAMES}"); do
		chosen=$(programs "$machine")
		[[ -n $chosen ]] || continue
		(
			describe_machine "$machine"
			boot "$kernel" "$machine" 5 user "tmm.programs=$chosen"
		)
		judge_programs "$machine" "$chosen"
	done
}

# The set of programs for a kernel, as programs() takes it.
set_for() { # KERNEL
	case $1 in
	debug-kcsan)
		note "not for kernel $1, which has no lockdep: $(programs lockdep)"
		echo unlocked
		;;
	debug*) echo checked ;;
	7*)
		note "not for kernel $1, which refuses struct_pages=1: $(programs old)"
		echo new
		;;
	*) echo all ;;
	esac
}

# True if Debian does not have the kernel any more. That is a failure for stock, 6.12 and 6.12-deb13,
# which have to be tested. Any other kernel is skipped.
is_gone() { # KERNEL
	local status=0
	"$ROOT/scripts/fetch-kernel.sh" "$1" >/dev/null || status=$?
	((status == GONE)) || return 1
	case $1 in
	stock | 6.12 | 6.12-deb13)
		printf 'KERNEL=%s: Debian has no such kernel any more, and it has to be tested: name its successor in fetch-kernel.sh\n' "$1"
		report_one "gone-$1" failed
		;;
	*) report_one "gone-$1" skipped ;;
	esac
}

# One boot in a mode of mode_table.sh.
test_mode() { # MODE
	local kernel levels programs expected options next next_programs
	describe_mode "$1"
	if is_gone "$kernel"; then
		# A kernel that has to be tested is a failure in the reports; any other one is skipped.
		close_with_sum "${reports[@]}" || ! grep -q '"failed": 1' "$dir/gone-$kernel.json"
		exit
	fi
	prepare "$kernel"
	[[ ! $next ]] || append_archive "$kernel" "$(pack_next "${images[$kernel]}" "${initrds[$kernel]}" \
		"$dir/following")"
	TMM_TIMEOUT=${TMM_TIMEOUT:-600} boot "$kernel" "$1" "$levels" user "tmm.programs=$programs" \
		"tmm.expect=$expected" "${options[@]}"
	if [[ $next ]]; then
		split_logs "$dir/$1" "$dir/$1-next" "$next" || report_one "$1-ends" failed
		judge_programs "$1-next" "$next_programs"
	fi
	judge_programs "$1" "$programs"
}

judge_programs() { # NAME PROGRAMS
	"$ROOT/scripts/test/ktap.py" run --name "$1" --plan user --programs "$2" "$dir/$1" || :
	reports+=("$dir/$1/report.json")
}

# Adds one result to the reports.
report_one() { # NAME passed|failed|skipped
	printf '{"name": "%s", "passed": 0, "failed": 0, "skipped": 0, "%s": 1}\n' "$1" "$2" \
		>"$dir/$1.json"
	reports+=("$dir/$1.json")
}

# The demo, then all programs, in each kernel. build/kernels.md gets a row for each kernel that ran.
test_kernels() {
	local kernel demo
	printf '| KERNEL= | release | compiler | demo | programs |\n|---|---|---|---|---|\n' \
		>"$BUILD/kernels.md"
	for kernel in $(tr , ' ' <<<"${KERNEL:-stock,$KERNEL_NAMES}"); do
		! is_gone "$kernel" || continue
		if ! "$ROOT/scripts/build-module.sh" "$kernel" >/dev/null; then
			report_one "build-$kernel" failed
			continue
		fi
		demo=passed
		KERNEL=$kernel FILE='' "$ROOT/scripts/run-guest.sh" demo \
			>"$dir/demo-$kernel.log" || demo=failed
		printf 'demo with kernel %s: %s\n' "$kernel" "$demo"
		report_one "demo-$kernel" "$demo"
		test_boot "$kernel" 5 user "$(programs "$(set_for "$kernel")")"
		support_row "$kernel" "$demo" >>"$BUILD/kernels.md"
	done
	note "the table of these kernels: build/kernels.md"
}

test_rt() {
	test_boot debug-rt 5 kunit,user "$(programs races)"
	is_gone 6.12-rt && return
	test_boot 6.12-rt 4 user "$(programs all)"
	test_cyclictest 6.12-rt
}

# Runs the program that needs cyclictest, with the archive that contains it.
test_cyclictest() { # KERNEL
	local name=cyclictest chosen
	chosen=$(programs cyclictest)
	[[ -n $chosen ]] || return 0
	prepare "$1"
	append_archive "$1" "$("$ROOT/scripts/build-cyclictest.sh")"
	boot "$1" "$name" 4 user "tmm.programs=$chosen"
	judge_programs "$name" "$chosen"
}

support_row() { # KERNEL DEMO
	local run=$dir/$1-5-level compiler
	compiler=$(readelf -p .comment "$BUILD/module-$1/theseus_mm.ko" |
		awk '/GCC: / && !seen++ { print $NF }')
	# shellcheck disable=SC2016 # the backticks are Markdown's
	printf '| `%s` | %s | %s | %s | %s |\n' "$1" "${images[$1]##*/vmlinuz-}" \
		"gcc $compiler" "$2" "$("$ROOT/scripts/test/ktap.py" sum "$run/report.json")"
}

# Prints the figures of the guests' programs, as stages.sh wants them. A walk prints the number of
# its steps, or how often it did each operation and how often that was refused.
figures() {
	local logs=("$dir"/*/result.log) walks=("$dir"/walks-*/console.log)
	[[ ! -e ${logs[0]} ]] || sed -n 's/^ *# FIGURES /figures: /p; s/^ *# \(WRONG: .*\)/\1/p' "${logs[@]}"
	[[ ! -e ${walks[0]} ]] || awk '
		match($0, /walker [0-9]+: [0-9]+ steps/) { split(substr($0, RSTART), word); sum += word[3] }
		/ done +[0-9]+ refused/ { sum += $(NF - 3) + $(NF - 1) }
		END { printf "figures: %d operations of the walks\n", sum }' "${walks[@]}"
}

for set in "${sets[@]}"; do
	case $set in
	harness) test_harness ;;
	machines) test_machines ;;
	kernels) test_kernels ;;
	rt) test_rt ;;
	stress) test_stress ;;
	mode) test_mode "${MODE:?}" ;;
	repeat) test_repeat ;;
	walk)
		export TIMES=${TIMES:-5}
		for cpus in ${CPUS:-2 4}; do
			test_walks "$cpus"
		done
		;;
	quick)
		test_boot debug 5 kunit,user "$(programs debug)"
		test_boot stock 4 user "$(programs other)"
		test_walks 4
		;;
	all)
		test_harness
		test_boot debug 5 kunit,user "$(programs checked)"
		test_boot debug 4 kunit,user "$(programs debug)"
		test_walks 4
		test_boot stock 4 user "$(programs all)"
		test_machines
		;;
	esac
done
if [[ -n $plan ]]; then
	for levels in ${LEVELS:-5 4}; do
		test_boot "${KERNEL:-debug}" "$levels" "$plan" \
			"$(programs "$(set_for "${KERNEL:-debug}")")"
	done
fi
figures
if [[ ${TMM_COVERAGE:-} ]]; then
	"$ROOT/scripts/coverage.py" collect "$BUILD/module-debug-coverage" "$TMM_COVERAGE" \
		"$dir"/*/result.log
fi
note "logs: $dir"
close_with_sum "${reports[@]}"
