# SPDX-License-Identifier: GPL-2.0
#
# How people call it; what is built is in Kbuild. Every target installs the Debian
# packages it lacks (root, or sudo), builds into build/ and caches what is big and
# slow in ~/.cache/theseus_mm (TMM_CACHE).

S := scripts
export FILE PROGRAMS SUITES KERNEL LEVELS MACHINES
.DEFAULT_GOAL := module
.PHONY: module tools run shell test test-all test-kunit test-user test-machines
.PHONY: test-harness test-strict kernel style check abi clean help

##@ Use it
module: ## build theseus_mm.ko against Debian's kernel headers (build/module-stock/)
	@$(S)/deps.sh module
	@$(S)/build-module.sh stock

tools: ## build libtmm and the tmm tool, and check them without a device (build/tools/)
	@$(S)/deps.sh tools
	@$(S)/build-tools.sh

run: ## boot Debian's kernel in QEMU and show what the module does; FILE=path takes a file along
	@$(S)/deps.sh run
	@$(S)/run-guest.sh demo "$$FILE"

shell: ## an interactive shell in the same guest; FILE=path as above
	@$(S)/deps.sh run
	@$(S)/run-guest.sh shell "$$FILE"

##@ Test it
test: ## the quick whole: KUnit in the debug kernel, programs there and in Debian's
	@$(S)/deps.sh test
	@$(S)/run-tests.sh quick

test-all: ## everything, everywhere: what CI runs; the last line counts
	@$(S)/deps.sh test
	@$(S)/run-tests.sh all

test-kunit: ## the KUnit suites; SUITES=window,tlb for those of kunit/paging/window_test.c, ...
	@$(S)/deps.sh test
	@$(S)/run-tests.sh kunit

test-user: ## the user-space tests; KERNEL=stock in Debian's kernel, PROGRAMS=a_test,b_test
	@$(S)/deps.sh test
	@$(S)/run-tests.sh user

test-machines: ## the programs that need a special machine; MACHINES=unplug,kvm
	@$(S)/deps.sh test
	@$(S)/run-tests.sh machines

test-harness: ## the rig itself: its parser, and a boot that must turn red
	@$(S)/deps.sh test
	@$(S)/run-tests.sh harness

test-strict: ## KUnit and user space, where the first warning is a panic
	@$(S)/deps.sh test
	@$(S)/run-tests.sh --strict kunit user

kernel: ## only build the debug kernel
	@$(S)/deps.sh test
	@$(S)/build-kernel.sh debug

##@ Read it
style: ## checkpatch, kernel-doc, shellcheck, and that layers include downward only
	@$(S)/deps.sh style
	@$(S)/style.sh

check: ## the ABI as it was kept; sparse, against Debian's headers and the debug kernel
	@$(S)/deps.sh style
	@$(S)/check.sh

abi: ## write the dump of the ABI anew: calls and structures are only appended to
	@$(S)/deps.sh style
	@$(S)/abi.sh renew

##@ Other
clean: ## remove build/ (the cache stays)
	rm -rf build

help: ## this text
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "LEVELS=\"5 4\"     paging levels to test      TMM_ACCEL=tcg|kvm  accelerator"
	@echo "TMM_TIMEOUT=SEC  a guest may take           TMM_CACHE=DIR      cache"
