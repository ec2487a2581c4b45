/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Access to memory that may be gone: SIGBUS and SIGSEGV end the access, not the process.
 */
#ifndef TESTS_RECOVER_H
#define TESTS_RECOVER_H

#include <setjmp.h>
#include <signal.h>

static __thread sigjmp_buf recovery;
static __thread volatile sig_atomic_t is_touching;

static inline void recover_on_signal(int number)
{
	if (is_touching)
		siglongjmp(recovery, number);
	/* if the access is not the test's, the signal takes its default action */
	signal(number, SIG_DFL);
}

/* Catch both signals in this process. */
static inline void recover_start(void)
{
	struct sigaction action = { .sa_handler = recover_on_signal, .sa_flags = SA_NODEFER };

	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
}

/*
 * Do @access. Return: 0, or the signal that ended the access
 *
 * The signals are not blocked in their handler, so there is no mask to restore.
 */
#define TRY(access)									\
	({										\
		int _number = sigsetjmp(recovery, 0);					\
											\
		if (!_number) {								\
			is_touching = 1;						\
			__atomic_signal_fence(__ATOMIC_SEQ_CST);			\
			access;								\
		}									\
		__atomic_signal_fence(__ATOMIC_SEQ_CST);				\
		is_touching = 0;							\
		_number;								\
	})

#endif /* TESTS_RECOVER_H */
