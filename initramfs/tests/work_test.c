// SPDX-License-Identifier: GPL-2.0
/* Clients on all CPUs use the module in every way, and find what they have written. */
/* Machine: modes: other sets have longer programs of this kind. */
#include "workers.h"

#define SECONDS		5

TEST_F_TIMEOUT(client, a_client_on_each_cpu, 120)
{
	struct workers workers;

	ASSERT_TRUE(workers_start(&workers, sysconf(_SC_NPROCESSORS_ONLN), true));
	EXPECT_PROGRESS(&workers);
	sleep(SECONDS);
	EXPECT_PROGRESS(&workers);
	EXPECT_WELL(&workers);
}

TEST_HARNESS_MAIN
