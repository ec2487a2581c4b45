// SPDX-License-Identifier: GPL-2.0
/*
 * A region ends where a Reserved range of the firmware begins: /proc/iomem shows both as one range.
 * The advice names the RAM in that range, and the module accepts the RAM, but no page after it.
 */
#include "module.h"

/* Machine: firmware: the firmware's own range has to touch the region. */

#define REGION		"64M@0x7bfe0000"
#define CANDIDATE	"regions=65536K@0x7bfe0000"

TEST_F(module, a_region_beside_firmware_is_a_candidate)
{
	EXPECT_EQ(-ENODEV, module_load(""));
	EXPECT_TRUE(text_has(module_log_read(&self->log), CANDIDATE " would be accepted\n"))
		TH_LOG("%s", self->log.text);
	EXPECT_EQ(0, module_load("regions=" REGION)) TH_LOG("%s", module_log_read(&self->log));
}

TEST_F(module, a_page_of_the_firmware_is_refused)
{
	char *line;

	EXPECT_EQ(-ENODEV, module_load("regions=65540K@0x7bfe0000"));
	line = module_log_line(module_log_read(&self->log), ": refused: ");
	ASSERT_NE(NULL, line) TH_LOG("%s", self->log.text);
	EXPECT_TRUE(text_has(line, "%s", "page 0x7ffe0000 is reserved by the firmware"))
		TH_LOG("%s", line);
	/* the advice must not name the firmware's page */
	EXPECT_FALSE(text_has(line, "65540K$")) TH_LOG("%s", line);
	EXPECT_TRUE(text_has(line, "%s", "load with " CANDIDATE)) TH_LOG("%s", line);
	free(line);
}

/* Linux uses the start of the named range, and the firmware its end: the advice names the rest. */
TEST_F(module, the_advice_to_reserve_leaves_the_firmware_out)
{
	char *line;

	EXPECT_EQ(-ENODEV, module_load("regions=256M@0x70000000"));
	line = module_log_line(module_log_read(&self->log), ": refused: ");
	ASSERT_NE(NULL, line) TH_LOG("%s", self->log.text);
	EXPECT_TRUE(text_has(line, "%s", "load with " CANDIDATE)) TH_LOG("%s", line);
	free(line);
}

TEST_F(module, the_tool_knows_what_is_accepted)
{
	char text[256] = "";
	FILE *pipe = popen("tmm regions", "r");

	ASSERT_NE(NULL, pipe);
	EXPECT_NE(NULL, fgets(text, sizeof(text), pipe));
	pclose(pipe);
	text[strcspn(text, "\n")] = '\0';
	EXPECT_STREQ("regions=" REGION, text);
	EXPECT_EQ(0, module_load(text));
}

TEST_HARNESS_MAIN
