// SPDX-License-Identifier: GPL-2.0
#include "fault.h"

#include <string.h>

#include "recover.h"

static void on_alarm(int number)
{
	(void)number;
}

void fault_catch(void)
{
	struct sigaction action = { .sa_handler = on_alarm };

	recover_start();
	sigaction(SIGALRM, &action, NULL);
}

int fault_safe_copy(void *to, const void *from, size_t length)
{
	return TRY(memcpy(to, from, length));
}

bool fault_safe_store(void *to, uint64_t word)
{
	return !TRY(__atomic_store_n((uint64_t *)to, word, __ATOMIC_SEQ_CST));
}
