// SPDX-License-Identifier: GPL-2.0
/* The NUMA node of a region, in sysfs and in `tmm info`. The machine has a region on each node. */
/* Machine: numa: only this machine has two nodes. */
#include "client.h"
#include "text.h"

#include <string.h>

TEST_F(client, each_region_shows_its_node)
{
	char *text = text_of("/sys/class/misc/theseus_mm/region_node");

	ASSERT_NE(NULL, text);
	EXPECT_STREQ("0\n1\n", text);
	free(text);
}

TEST_F(client, tmm_info_shows_the_node_of_a_region)
{
	FILE *pipe = popen("tmm info | grep -c '^region.* on node [01]$'", "r");
	int nr = 0;

	ASSERT_NE(NULL, pipe);
	EXPECT_EQ(1, fscanf(pipe, "%d", &nr));
	EXPECT_EQ(2, nr);
	EXPECT_EQ(0, pclose(pipe));
}

TEST_HARNESS_MAIN
