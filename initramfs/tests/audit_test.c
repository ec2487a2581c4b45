// SPDX-License-Identifier: GPL-2.0
/* Stock kernel: the debug kernel has no function tracer, which counts calls here. */
/*
 * Each call of capable() is audited, so the module calls capable() only where the module refuses
 * callers without the capability.
 */
#include "client.h"
#include "live_patch.h"
#include "text.h"

/* Start to trace the calls of capable() that this process makes. */
static bool begin_to_count(void)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", getpid());
	return text_write(TRACEFS "set_ftrace_pid", pid) &&
	       text_write(TRACEFS "set_ftrace_filter", "capable") &&
	       text_write(TRACEFS "current_tracer", "function") &&
	       text_write(TRACEFS "trace", "");
}

static bool has_counted(void)
{
	char *text = text_of(TRACEFS "trace");
	bool found = text && strstr(text, "capable <-");

	free(text);
	text_write(TRACEFS "trace", "");
	return found;
}

static void end_of_count(void)
{
	text_write(TRACEFS "current_tracer", "nop");
	text_write(TRACEFS "set_ftrace_filter", "");
	text_write(TRACEFS "set_ftrace_pid", "");
	live_patch_end();
}

/* The output of these calls depends on a capability, but none of the calls needs it. */
TEST_F(client, a_look_is_not_audited)
{
	struct theseus_mm_create_item item = {
		.size = PAGE,
		.pte_flags = THESEUS_MM_PTE_DATA,
		.flags = THESEUS_MM_CREATE_ITEM_CONTIGUOUS,
	};
	struct theseus_mm_create_mapping mapping = { 0 };
	struct theseus_mm_client_info clients[8];
	struct theseus_mm_translate found;
	struct theseus_mm_clients reply;
	struct theseus_mm_region region;
	__u32 frames;

	ASSERT_TRUE(live_patch_begin());
	if (!begin_to_count()) {
		end_of_count();
		SKIP(return, "the kernel has no function tracer");
	}
	frames = FRAMES(1).handle;
	EXPECT_NE(0, QUERY(frames).start);
	EXPECT_EQ(0, uapi_get_region(self->fd, 0, &region));
	EXPECT_EQ(0, uapi_create_contiguous_mapping(self->fd, PAGE, THESEUS_MM_PTE_DATA, &mapping));
	EXPECT_NE(0, mapping.paddr);
	EXPECT_EQ(0, uapi_create_batch(self->fd, 0, &item, 1, NULL));
	EXPECT_EQ(0, uapi_get_clients(self->fd, clients, ARRAY_SIZE(clients), &reply));
	EXPECT_FALSE(has_counted());
	/* a call that needs the capability is audited */
	EXPECT_EQ(0, uapi_translate(self->fd, mapping.start, &found));
	EXPECT_TRUE(has_counted());
	end_of_count();
}

TEST_HARNESS_MAIN
