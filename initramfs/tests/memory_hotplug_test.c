// SPDX-License-Identifier: GPL-2.0
/*
 * Memory is added to Linux and removed while clients work: right behind the region, and so far away
 * that Linux needs new entries in the top level of its tables. The guest asks for the memory itself,
 * since its third terminal is QEMU's monitor.
 */
/* Machine: modes: the machine has room for more memory. */
#include "text.h"
#include "workers.h"

#include <dirent.h>
#include <termios.h>

#define MONITOR		"/dev/ttyS2"
#define BLOCKS		"/sys/devices/system/memory"
#define NR_WORKERS	3
#define SIZE_MB		256
/* Free memory that the large area leaves: less than the memory that was added */
#define LEFT_MB		160
/* An entry in the top level of four has 512 GiB. */
#define FAR		(512ULL << 30)
#define SIZE_BYTES	((unsigned long long)SIZE_MB << 20)

/* Send a line to the monitor. Return: its answer, or NULL. Events are no answers. */
static const char *ask(int fd, const char *line)
{
	static char answer[8192];
	size_t used = 0;
	int i;

	if (write(fd, line, strlen(line)) != (ssize_t)strlen(line))
		return NULL;
	for (i = 0; i < 400; i++) {
		ssize_t nr = read(fd, answer + used, sizeof(answer) - 1 - used);

		used += nr > 0 ? nr : 0;
		answer[used] = '\0';
		if (used && answer[used - 1] == '\n' &&
		    (strstr(answer, "{\"return\"") || strstr(answer, "{\"error\"")))
			return answer;
		usleep(50000);
	}
	return NULL;
}

/* Run a command of the monitor. Return: false if there is no answer, or if it is an error */
static bool monitor(const char *command)
{
	int fd = open(MONITOR, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	const char *answer = NULL;
	struct termios mode;
	char line[400];
	bool ok;

	if (fd < 0 || tcgetattr(fd, &mode))
		return false;
	cfmakeraw(&mode);
	mode.c_cflag |= CLOCAL;
	tcsetattr(fd, TCSANOW, &mode);
	snprintf(line, sizeof(line), "{\"execute\": \"human-monitor-command\", "
		 "\"arguments\": {\"command-line\": \"%s\"}}\n", command);
	/* the first command of all has to be this one; later it is an error, which does not matter */
	if (ask(fd, "{\"execute\": \"qmp_capabilities\"}\n"))
		answer = ask(fd, line);
	close(fd);
	ok = answer && !strstr(answer, "rror");
	fprintf(stderr, "# %s: %s\n", command, ok ? "done" : answer ? answer : "no answer");
	return ok;
}

/* Return: the number of memory blocks of Linux */
static unsigned int nr_blocks(void)
{
	DIR *dir = opendir(BLOCKS);
	const struct dirent *entry;
	unsigned int nr = 0;

	while (dir && (entry = readdir(dir)))
		nr += !strncmp(entry->d_name, "memory", 6);
	if (dir)
		closedir(dir);
	return nr;
}

/*
 * Change the state of the blocks of the memory at @start. Linux makes the blocks a moment after it has
 * found the memory. Return: the number of blocks
 */
static unsigned int set_blocks(unsigned long long start, const char *state)
{
	char *text = text_of(BLOCKS "/block_size_bytes"), path[100];
	unsigned long long size = text ? strtoull(text, NULL, 16) : 0, at;
	unsigned int nr = 0;

	free(text);
	for (at = start; size && at < start + SIZE_BYTES; at += size) {
		snprintf(path, sizeof(path), BLOCKS "/memory%llu/state", at / size);
		nr += text_write(path, state);
	}
	return nr;
}

/* Return: a figure of /proc/meminfo in MB */
static unsigned long meminfo_mb(const char *name)
{
	char *text = text_of("/proc/meminfo"), *at = text ? strstr(text, name) : NULL;
	unsigned long kb = at ? strtoul(at + strlen(name), NULL, 10) : 0;

	free(text);
	return kb >> 10;
}

static unsigned long total_mb(void)
{
	return meminfo_mb("MemTotal:");
}

/* Does Linux have RAM that starts at this address? */
static bool has_ram_at(unsigned long long start)
{
	char *text = text_of("/proc/iomem");
	bool found = text_has(text, "%llx-%llx : System RAM", start, start + SIZE_BYTES - 1);

	free(text);
	return found;
}

FIXTURE(hotplug)
{
	int fd;
	struct theseus_mm_info start;
};

FIXTURE_SETUP(hotplug)
{
	CLIENT_SETUP();
}

FIXTURE_TEARDOWN(hotplug)
{
	CLIENT_TEARDOWN();
}

/* Add memory to the machine at an address. Return: true if Linux has found it */
static bool add_memory(const char *name, unsigned long long start)
{
	char command[100];

	snprintf(command, sizeof(command), "object_add memory-backend-ram,id=%s,size=%uM", name,
		 SIZE_MB);
	if (!monitor(command))
		return false;
	snprintf(command, sizeof(command), "device_add pc-dimm,id=dimm-%s,memdev=%s,addr=%#llx", name,
		 name, start);
	return monitor(command) && BECOMES(has_ram_at(start));
}

/* Linux takes movable memory first for processes that begin now. */
TEST_F_TIMEOUT(hotplug, memory_behind_the_region_comes_and_goes, 300)
{
	const unsigned int before = nr_blocks();
	const unsigned long mb = total_mb();
	struct theseus_mm_region region;
	struct workers old, new;
	unsigned long long start;

	ASSERT_EQ(0, uapi_get_region(self->fd, 0, &region));
	start = region.start + region.nr_bytes;
	ASSERT_TRUE(workers_start(&old, NR_WORKERS, false));
	EXPECT_PROGRESS(&old);
	ASSERT_TRUE(add_memory("near", start));
	EXPECT_TRUE(BECOMES(set_blocks(start, "online_movable") && total_mb() == mb + SIZE_MB))
		TH_LOG("%lu MB", total_mb());
	EXPECT_PROGRESS(&old);
	ASSERT_TRUE(workers_start(&new, NR_WORKERS, false));
	EXPECT_PROGRESS(&new);
	sleep(2);
	EXPECT_WELL(&new);

	/* a page that is in use for a moment makes Linux refuse */
	EXPECT_TRUE(BECOMES(set_blocks(start, "offline") && total_mb() <= mb))
		TH_LOG("%lu MB", total_mb());
	ASSERT_TRUE(monitor("device_del dimm-near"));
	EXPECT_TRUE(BECOMES(nr_blocks() == before));
	EXPECT_TRUE(BECOMES(!has_ram_at(start)));
	EXPECT_TRUE(monitor("object_del near"));
	EXPECT_PROGRESS(&old);
	EXPECT_WELL(&old);
}

/*
 * The private root must get the new entry of Linux's top level. Linux takes this memory last, so a
 * large area takes the other memory first.
 */
TEST_F_TIMEOUT(hotplug, memory_behind_a_new_entry_of_the_top_level, 300)
{
	const unsigned long mb = total_mb();
	struct workers old, new;
	unsigned long free_mb;
	void *area;

	ASSERT_TRUE(workers_start(&old, NR_WORKERS, false));
	EXPECT_PROGRESS(&old);
	ASSERT_TRUE(add_memory("far", FAR));
	EXPECT_TRUE(BECOMES(set_blocks(FAR, "online_kernel") && total_mb() == mb + SIZE_MB))
		TH_LOG("%lu MB", total_mb());
	free_mb = meminfo_mb("MemFree:");
	ASSERT_LT(SIZE_MB, free_mb);
	area = mmap(NULL, (free_mb - LEFT_MB) << 20, RW,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	ASSERT_NE(MAP_FAILED, area);
	TH_LOG("%lu of %lu MB are free", meminfo_mb("MemFree:"), free_mb);
	EXPECT_PROGRESS(&old);
	ASSERT_TRUE(workers_start(&new, NR_WORKERS, false));
	EXPECT_PROGRESS(&new);
	sleep(2);
	EXPECT_WELL(&new);
	EXPECT_EQ(0, munmap(area, (free_mb - LEFT_MB) << 20));
	EXPECT_WELL(&old);
}

TEST_HARNESS_MAIN
