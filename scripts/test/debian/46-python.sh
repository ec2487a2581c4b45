# shellcheck shell=bash
# The module for Python, from its package.

EXAMPLES=/usr/share/doc/python3-theseus-mm/examples

test_python_finds_the_module_of_the_package() {
	local file
	file=$(cd / && python3 -c 'import theseus_mm; print(theseus_mm.__file__)')
	dpkg -S "$file" | grep '^python3-theseus-mm: '
}

# Copies the tests and the examples, as dpkg packs them, into the current folder.
copy_tests() {
	cp -r "$EXAMPLES" examples
	gunzip examples/*.gz 2>/dev/null || :
	cp /tests/python/*.py .
	# this test needs the module with struct_pages=1
	rm python_dmabuf_test.py
}

# Root runs the tests, since some give up their capabilities; a member runs the examples.
test_tests_and_examples_pass() {
	local test user
	export TMM_EXAMPLES=examples PYTHONDONTWRITEBYTECODE=1
	cd "$(mktemp -d)" || exit
	chmod 755 .
	copy_tests
	for test in *_test.py; do
		user=root
		[[ $test != python_examples_test.py ]] || user=member
		echo "# $test as $user"
		runuser -u "$user" -- python3 "$test"
	done
	rm -r "$PWD"
}

test_outsider_gets_a_permission_error() {
	expect_failure as_outsider python3 -c 'import theseus_mm; theseus_mm.Client()' |
		grep '^PermissionError: '
}
