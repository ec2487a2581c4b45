// SPDX-License-Identifier: GPL-2.0
/*
 * `tmm reserve` on the guest's own memory map, without the module. The module is the judge: its
 * advice for a range that Linux uses names the part that memmap= could reserve, which is all of the
 * range that the tool has chosen.
 */
#include "module.h"

#include <grp.h>
#include <sys/wait.h>

#define NOBODY		65534
#define PATIENCE	120
#define TEXT_SIZE	8192

/* Run a command and fill @text with its output and its errors. Return: the exit status */
static int run_command(const char *command, char text[TEXT_SIZE])
{
	char line[512];
	size_t length;
	FILE *pipe;
	int status;

	text[0] = '\0';
	snprintf(line, sizeof(line), "%s 2>&1", command);
	pipe = popen(line, "r");
	if (!pipe)
		return -1;
	length = fread(text, 1, TEXT_SIZE - 1, pipe);
	text[length] = '\0';
	status = pclose(pipe);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int run_as_nobody(const char *command, char text[TEXT_SIZE])
{
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		return -1;
	return run_command(command, text);
}

/* Find the line after the one that begins with @title. False if there is none. */
static bool find_line(const char *text, const char *title, char line[256])
{
	const char *at = strstr(text, title);

	if (at)
		at = strchr(at, '\n');
	if (!at)
		return false;
	at++;
	snprintf(line, 256, "%.*s", (int)strcspn(at, "\n"), at);
	return true;
}

/* Get the range from the line for Linux, such as memmap=64M$4G. */
static bool read_range(const char *text, unsigned long long *size, unsigned long long *start)
{
	const char *memmap = strstr(text, "\"memmap\": \"memmap=");
	const char *address = strstr(text, "\"start\": \"");

	return memmap && address && sscanf(memmap + 18, "%lluM$", size) == 1 &&
	       sscanf(address + 10, "%llx", start) == 1;
}

TEST_F_TIMEOUT(module, the_module_would_reserve_the_same_range, PATIENCE)
{
	unsigned long long size = 0, start = 0;
	char text[TEXT_SIZE], parameter[64];

	/* the fixture has unloaded the module, and the device is gone */
	ASSERT_NE(0, access("/dev/theseus_mm", F_OK));
	ASSERT_EQ(0, run_command("tmm reserve --json 64M", text)) TH_LOG("%s", text);
	ASSERT_TRUE(read_range(text, &size, &start)) TH_LOG("%s", text);
	EXPECT_EQ(64, size);
	EXPECT_EQ(0, start % (2 << 20));
	snprintf(parameter, sizeof(parameter), "regions=64M@%#llx", start);
	EXPECT_EQ(-ENODEV, module_load(parameter));
	EXPECT_TRUE(text_has(module_log_read(&self->log), "memmap=65536K$%#llx (", start))
		TH_LOG("%s: %s", parameter, self->log.text);
}

/* The guest's own memmap= is told, as the module would accept it. */
TEST_F_TIMEOUT(module, the_reserved_range_is_told, PATIENCE)
{
	char text[TEXT_SIZE], regions[TEXT_SIZE];
	const char *at;

	ASSERT_EQ(0, run_command("tmm regions", regions)) TH_LOG("%s", regions);
	regions[strcspn(regions, ",\n")] = '\0';
	ASSERT_EQ(0, run_command("tmm reserve 2M", text)) TH_LOG("%s", text);
	at = strstr(text, " already (regions=");
	ASSERT_NE(NULL, at) TH_LOG("%s", text);
	EXPECT_TRUE(text_has(text, "%s", regions)) TH_LOG("no %s in: %s", regions, text);
}

TEST_F_TIMEOUT(module, each_line_is_printed, PATIENCE)
{
	char text[TEXT_SIZE], grub[256], linux_line[256], shell[256];

	ASSERT_EQ(0, run_command("tmm reserve -k 0 2M", text)) TH_LOG("%s", text);
	ASSERT_TRUE(find_line(text, "# GRUB", grub)) TH_LOG("%s", text);
	ASSERT_TRUE(find_line(text, "# with initrd=", linux_line)) TH_LOG("%s", text);
	ASSERT_TRUE(find_line(text, "# QEMU", shell)) TH_LOG("%s", text);
	EXPECT_TRUE(text_has(grub, "memmap=2M\\\\\\$")) TH_LOG("%s", grub);
	EXPECT_TRUE(text_has(linux_line, "memmap=2M$")) TH_LOG("%s", linux_line);
	EXPECT_TRUE(text_has(shell, "memmap=2M\\$")) TH_LOG("%s", shell);
}

TEST_F_TIMEOUT(module, more_than_the_machine_has_is_refused, PATIENCE)
{
	char text[TEXT_SIZE];

	EXPECT_EQ(1, run_command("tmm reserve 1T", text));
	EXPECT_TRUE(text_has(text, "1 TiB: too much: Linux has ")) TH_LOG("%s", text);
}

/* Only root sees the addresses in /proc/iomem. */
TEST_F_TIMEOUT(module, others_than_root_are_told_why_not, PATIENCE)
{
	char text[TEXT_SIZE];
	pid_t pid = fork();
	int status;

	if (!pid) {
		status = run_as_nobody("tmm reserve 2M", text);
		_exit(status == 1 && strstr(text, "/proc/iomem: all addresses are 0: run tmm as root") ?
		      0 : 1);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_HARNESS_MAIN
