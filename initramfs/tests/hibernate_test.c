// SPDX-License-Identifier: GPL-2.0
/*
 * Hibernation is refused while the module is loaded, since Linux does not save reserved memory.
 */
#include "client.h"
#include "text.h"

#include <fcntl.h>

#define STATE	"/sys/power/state"

/* Return: the errno of a hibernation */
static int hibernate(void)
{
	int fd = open(STATE, O_WRONLY | O_CLOEXEC);
	int err = fd < 0 || write(fd, "disk", 4) != 4 ? errno : 0;

	close(fd);
	return err;
}

TEST_F(client, hibernation_is_refused)
{
	struct theseus_mm_create_mapping mapping = MAPPING(1);
	unsigned char before = 0x5a, after = 0;
	char *states = text_of(STATE);

	ASSERT_TRUE(text_has(states, "disk"));
	free(states);
	ASSERT_EQ(0, uapi_write(self->fd, mapping.handle, 0, &before, 1));
	EXPECT_EQ(EBUSY, hibernate());
	EXPECT_EQ(0, uapi_read(self->fd, mapping.handle, 0, &after, 1));
	EXPECT_EQ(before, after);
}

TEST_HARNESS_MAIN
