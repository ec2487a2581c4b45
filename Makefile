# SPDX-License-Identifier: GPL-2.0
#
# The commands; Kbuild lists the objects. Every target installs the Debian packages that
# the machine lacks (as root or with sudo), builds into build/, and keeps large results
# that take long to make in ~/.cache/theseus_mm (TMM_CACHE).

S := scripts
export DESTDIR PREFIX LIBDIR SRCDIR PYTHONDIR
export FILE PROGRAMS SUITES KERNEL LEVELS MACHINES MODES PYTHON PARTS STAGES ROW SYSTEM N MODELS
.DEFAULT_GOAL := module
.PHONY: module tools install uninstall deb run shell test test-all test-kunit test-user test-machines test-modes test-walk
.PHONY: test-python test-kernels test-rt test-packages test-install test-harness test-strict test-stress test-races
.PHONY: test-mutants proof host-check coverage nightly kernel bench bench-check bench-lines bench-profile style check analyze abi clean help

##@ Use it
module: ## build theseus_mm.ko against Debian's kernel headers (build/module-stock/)
	@$(S)/deps.sh module
	@$(S)/build-module.sh stock

tools: ## build libtmm and the tmm tool, and check them without a device (build/tools/)
	@$(S)/deps.sh tools
	@$(S)/build-tools.sh

install: ## install library, tool, manuals, udev rule and the module's source for DKMS; DESTDIR, PREFIX
	@$(S)/build-tmm.sh
	@$(S)/install.sh install

uninstall: ## remove what make install has put there; DESTDIR, PREFIX
	@$(S)/install.sh uninstall

deb: ## build Debian packages (build/deb/)
	@$(S)/deps.sh deb
	@$(S)/build-deb.sh

run: ## boot Debian's kernel in QEMU and show what the module does; FILE=path, KERNEL=6.12
	@$(S)/deps.sh run
	@$(S)/run-guest.sh demo "$$FILE"

shell: ## start a shell in the same guest; FILE=path copies a file into the guest
	@$(S)/deps.sh run
	@$(S)/run-guest.sh shell "$$FILE"

##@ Test it
test: ## run the tests once: KUnit in the debug kernel, programs there and in Debian's kernel
	@$(S)/deps.sh test
	@$(S)/run-tests.sh quick

test-all: ## run all tests in all kernels and machines, as CI does
	@$(S)/deps.sh test
	@$(S)/run-tests.sh all

test-kunit: ## run the KUnit suites; SUITES=window,tlb runs those of window_test.c and tlb_test.c
	@$(S)/deps.sh test
	@$(S)/run-tests.sh kunit

test-walk: ## run the random walks with two and with four CPUs; CPUS=4, SEED=5, TIMES=5
	@$(S)/deps.sh test
	@$(S)/run-tests.sh walk

test-user: ## run the user-space tests; KERNEL=stock uses Debian's kernel, PROGRAMS=a_test,b_test
	@$(S)/deps.sh test
	@$(S)/run-tests.sh user

test-machines: ## run the programs that need a special machine; MACHINES=unplug,kvm
	@$(S)/deps.sh test
	@$(S)/run-tests.sh machines

test-modes: ## test each mode of the machine: kernels, page tables, CPUs, regions, sleep, kexec; MODES=kaslr
	@$(S)/deps.sh test
	@$(S)/modes.sh

test-kernels: ## run the demo and the programs in Debian's other kernels; KERNEL=6.12 in that one
	@$(S)/deps.sh test
	@$(S)/run-tests.sh kernels

test-rt: ## run KUnit and races in a debug kernel with PREEMPT_RT, and all programs in Debian's
	@$(S)/deps.sh rt
	@$(S)/run-tests.sh rt

test-packages: ## test make install, and the Debian packages in a minimal Debian 12 and 13
	@$(S)/deps.sh packages
	@$(S)/test-packages.sh

test-python: ## run the tests of the module for Python in a guest; PYTHON=3.13 takes that of Debian 13
	@$(S)/deps.sh test
	@MACHINES=python $(S)/run-tests.sh machines

test-install: ## install, use, upgrade and remove the packages in a guest with Debian 13; PARTS=boot
	@$(S)/deps.sh debian
	@$(S)/test-install.sh

test-harness: ## test the test rig: its parser, and a boot that has to fail
	@$(S)/deps.sh test
	@$(S)/run-tests.sh harness

proof: ## check the models of the protocols with Spin, and that each switch gives an error; MODELS=borrow
	@$(S)/deps.sh proof
	@$(S)/proof.sh

host-check: ## check the allocators' arithmetic on this machine in all small cases; CHECKS=free_map
	@$(S)/deps.sh test
	@$(S)/host-check.sh $(CHECKS)

test-strict: ## run KUnit and user-space tests; the kernel panics at the first warning
	@$(S)/deps.sh test
	@$(S)/run-tests.sh --strict kunit user

test-stress: ## try to break the module for MINUTES=5 with random numbers; SEED=, PARTS=fuzz,death, KERNEL=
	@$(S)/deps.sh test
	@$(S)/stress.sh

test-races: ## run the tests in a kernel with KCSAN, which reports races; PARTS=kunit,storm
	@$(S)/deps.sh test
	@$(S)/races.sh

test-mutants: ## apply each patch of mutants/, whose mistake the tests have to notice; MUTANTS=a,b, TIMES=1
	@$(S)/deps.sh mutants
	@$(S)/mutants.sh

coverage: ## run the tests and show which lines of the module they run; SEED=1
	@$(S)/deps.sh coverage
	@$(S)/coverage.sh

nightly: ## run the tests that take too long for CI, with the time of each; STAGES=install
	@$(S)/nightly.sh

kernel: ## build the debug kernel only
	@$(S)/deps.sh test
	@$(S)/build-kernel.sh debug

##@ Measure it
bench: ## measure everything beside Linux's own calls, and renew bench/README.md; KERNEL=6.12
	@$(S)/deps.sh bench
	@$(S)/bench.sh all

bench-check: ## compare a part of it with bench/figures.json; fails if a row costs over 3 % more
	@$(S)/deps.sh run
	@$(S)/bench.sh check

bench-lines: ## count the cache lines that two clients share; fails if one is shared that is not known
	@$(S)/deps.sh run
	@$(S)/bench.sh lines

bench-profile: ## print the instructions of one row by function; ROW=create-4k, SYSTEM=ours, N=1000
	@$(S)/deps.sh run
	@$(S)/bench.sh profile "$$ROW" "$$SYSTEM" "$$N"

##@ Check it
style: ## check the style of code and documents: checkpatch, kernel-doc, shellcheck, layers, names
	@$(S)/deps.sh style
	@$(S)/style.sh

check: ## compare the ABIs with their dumps, and run sparse, W=1 and coccinelle
	@$(S)/deps.sh style
	@$(S)/check.sh

analyze: ## run W=1, coccinelle, and the analyzers of clang and gcc; PARTS=clang, FILE=path
	@$(S)/deps.sh analyze
	@$(S)/analyze.sh

abi: ## rewrite the dumps of the ABIs, to which new calls, functions and fields are only added
	@$(S)/deps.sh style
	@$(S)/abi.sh renew
	@$(S)/abi-libtmm.sh renew

##@ Other
clean: ## remove build/, but not the cache
	rm -rf build

help: ## show this text
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "LEVELS=\"5 4\"     paging levels to test      TMM_ACCEL=tcg|kvm  QEMU's accelerator"
	@echo "TMM_TIMEOUT=SEC  time limit of a guest      TMM_CACHE=DIR      cache directory"
