// SPDX-License-Identifier: GPL-2.0
/*
 * The content of /sys/kernel/debug/theseus_mm and /sys/class/misc/theseus_mm, compared with the
 * objects that the test made; read at once, in small steps, from the middle, and during changes.
 */
#include "area.h"
#include "client.h"
#include "fragment.h"
#include "text.h"

#include <grp.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#define DEBUGFS	"/sys/kernel/debug/theseus_mm/"
#define SYSFS	"/sys/class/misc/theseus_mm/"
#define NOBODY	65534

static const char *const files[] = {
	DEBUGFS "clients", DEBUGFS "mappings", DEBUGFS "walk", DEBUGFS "stats",
	DEBUGFS "frame_allocator", DEBUGFS "page_allocator",
};

/* --- all files ------------------------------------------------------------------------ */

TEST_F(client, debugfs_is_for_root)
{
	struct stat stat;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		ASSERT_EQ(0, lstat(files[i], &stat));
		EXPECT_EQ(0, stat.st_uid);
		EXPECT_EQ(i == 2 ? 0600 : 0400, stat.st_mode & 07777);
	}
	ASSERT_EQ(0, setgroups(0, NULL));
	ASSERT_EQ(0, setresgid(NOBODY, NOBODY, NOBODY));
	ASSERT_EQ(0, setresuid(NOBODY, NOBODY, NOBODY));
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		EXPECT_EQ(-1, open(files[i], O_RDONLY));
		EXPECT_EQ(EACCES, errno);
	}
	/* skip the teardown: it opens the device, and this process has no right to do so now */
	_exit(_metadata->passed ? KSFT_PASS : KSFT_FAIL);
}

TEST_F(client, debugfs_names_the_type_of_each_region)
{
	char *frames = text_of(DEBUGFS "frame_allocator");
	char *pages = text_of(DEBUGFS "page_allocator");

	EXPECT_TRUE(text_has(frames, "general 0x"));
	EXPECT_TRUE(text_has(pages, "general 0x"));
	EXPECT_TRUE(text_has(pages, "kernel 0x"));
	EXPECT_TRUE(text_has(pages, "designated 0x"));
	EXPECT_FALSE(text_has(frames, "(null)"));
	EXPECT_FALSE(text_has(pages, "(null)"));
	free(frames);
	free(pages);
}

/*
 * Make an object of each kind, with a gap in the handles, and many mappings whose flags alternate,
 * so that they form no run.
 */
#define OWN_THINGS()									\
	do {										\
		__u32 _doomed;								\
		int _i;									\
											\
		PAGES(3);								\
		_doomed = FRAMES(2).handle;						\
		FRAMES(4);								\
		MAPPING(2);								\
		for (_i = 0; _i < 40; _i++)						\
			ASSERT_EQ(0, uapi_remap(self->fd, MAPPING(1).handle,		\
						_i & 1 ? READ_ONLY : THESEUS_MM_PTE_DATA)); \
		ASSERT_EQ(0, uapi_drop(self->fd, _doomed));				\
	} while (0)

/* Does a file have the text @whole if it is read in steps of @smallest bytes, or in larger ones? */
static bool reads_alike_from(size_t smallest, const char *path, const char *whole)
{
	const size_t steps[] = { smallest, 64, 97, 4096 };
	bool is_alike = true;
	unsigned int i;
	char *parts;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		parts = text_in_steps(path, steps[i]);
		is_alike &= parts && !strcmp(whole, parts);
		free(parts);
	}
	return is_alike;
}

TEST_F(client, debugfs_may_be_read_in_small_steps)
{
	unsigned int i;
	char *whole;

	OWN_THINGS();
	for (i = 0; i < 2; i++) {
		whole = text_of(files[i]);
		ASSERT_NE(NULL, whole);
		EXPECT_LT(1000, strlen(whole));
		EXPECT_TRUE(reads_alike_from(1, files[i], whole));
		free(whole);
	}
}

TEST_F(client, debugfs_may_be_read_from_anywhere)
{
	char *whole, *rest;
	unsigned int i;
	size_t at;
	int fd;

	OWN_THINGS();
	for (i = 0; i < 2; i++) {
		whole = text_of(files[i]);
		ASSERT_NE(NULL, whole);
		fd = open(files[i], O_RDONLY);
		ASSERT_LE(0, fd);
		for (at = strlen(whole); at > 200; at -= 173) {
			ASSERT_EQ(at, lseek(fd, at, SEEK_SET));
			rest = text_rest(fd, 100);
			ASSERT_NE(NULL, rest);
			EXPECT_EQ(0, strcmp(whole + at, rest));
			free(rest);
		}
		close(fd);
		free(whole);
	}
}

/* Read all files while other clients come and go. */
TEST_F(client, debugfs_may_be_read_beside_changes)
{
	pid_t children[2];
	unsigned int i, j;
	int status;
	char *text;

	for (i = 0; i < 2; i++) {
		children[i] = fork();
		while (!children[i]) {
			struct theseus_mm_create_mapping mappings[20];
			int fd = uapi_open(NULL);

			for (j = 0; j < 20; j++)
				uapi_create_mapping(fd, (1 + j * 20) * PAGE, THESEUS_MM_PTE_DATA,
						    &mappings[j]);
			for (j = 0; j < 10; j++)
				uapi_drop(fd, mappings[j].handle);
			close(fd);
		}
	}
	for (j = 0; j < 25; j++) {
		for (i = 0; i < ARRAY_SIZE(files); i++) {
			text = text_in_steps(files[i], 97);
			ASSERT_NE(NULL, text);
			ASSERT_TRUE(!*text || text[strlen(text) - 1] == '\n');
			free(text);
		}
	}
	for (i = 0; i < 2; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], &status, 0);
	}
	EXPECT_ALL_BACK();
}

/* --- clients -------------------------------------------------------------------------- */

TEST_F(client, debugfs_lists_clients_and_their_objects)
{
	struct theseus_mm_create_mapping mapping = MAPPING(4);
	struct theseus_mm_allocate pages = PAGES(3), frames = FRAMES(5);
	unsigned char *area = mmap_all(self->fd, mapping.handle, R);
	int other = uapi_open(NULL);
	struct theseus_mm_info info;
	char *text, who[64];

	ASSERT_NE(MAP_FAILED, (void *)area);
	ASSERT_EQ(0, uapi_get_info(other, &info));
	text = text_of(files[0]);
	snprintf(who, sizeof(who), "uid 0 pid %d comm debugfs_test", getpid());
	EXPECT_TRUE(text_has(text, "client %u %s handles 4 mappings 1 exported 0 frames ",
			     INFO().client_id, who));
	EXPECT_TRUE(text_has(text, "client %u %s handles 0 mappings 0 exported 0 frames 0\n",
			     info.client_id, who));
	EXPECT_TRUE(text_has(text, "\n  %u mapping 0x%llx-0x%llx 4 runs 1 borrows 1 mmapped %s\n",
			     mapping.handle, mapping.start, mapping.start + 4 * PAGE - 1,
			     "writable accessed exclusive noexec"));
	EXPECT_TRUE(text_has(text, "\n  %u pages 0x%llx-0x%llx 3\n", pages.handle, pages.start,
			     pages.start + 3 * PAGE - 1));
	EXPECT_TRUE(text_has(text, "\n  %u frames 0x%llx-0x%llx 5\n", frames.handle, frames.start,
			     frames.start + 5 * PAGE - 1));
	free(text);
	munmap(area, 4 * PAGE);
	close(other);
	text = text_of(files[0]);
	EXPECT_FALSE(text_has(text, "client %u ", info.client_id));
	EXPECT_TRUE(text_has(text, " 4 runs 1 borrows 0 writable "));
	free(text);
}

/* A closed client stays visible as long as it is charged for something. */
TEST_F(client, debugfs_lists_clients_that_are_gone_but_not_all_they_had)
{
	struct theseus_mm_create_mapping mapping;
	int other = uapi_open(NULL), export;
	struct theseus_mm_info info;
	char *text;

	ASSERT_EQ(0, uapi_get_info(other, &info));
	ASSERT_EQ(0, uapi_create_mapping(other, 6 * PAGE, THESEUS_MM_PTE_DATA, &mapping));
	ASSERT_EQ(0, uapi_export(other, mapping.handle, &export));
	close(other);
	text = text_of(files[0]);
	EXPECT_TRUE(text_has(text, "client %u uid 0 pid %d comm debugfs_test ", info.client_id,
			     getpid()));
	EXPECT_TRUE(text_has(text, " mappings 0 exported 1 frames "));
	EXPECT_TRUE(text_has(text, " closed\n"));
	free(text);
	close(export);
	text = text_of(files[0]);
	EXPECT_FALSE(text_has(text, "client %u ", info.client_id));
	EXPECT_FALSE(text_has(text, " closed\n"));
	free(text);
}

/* The file escapes names: a process can choose a name that looks like a line of the file. */
TEST_F(client, debugfs_shows_a_name_on_one_line)
{
	int other;
	char *text;

	ASSERT_EQ(0, prctl(PR_SET_NAME, "a\nclient 77 b\\"));
	other = uapi_open(NULL);
	ASSERT_LE(0, other);
	text = text_of(files[0]);
	EXPECT_FALSE(text_has(text, "\nclient 77"));
	EXPECT_TRUE(text_has(text, " comm a\\nclient\\04077\\040b\\\\ handles 0 "));
	free(text);
	close(other);
}

/* --- mappings ------------------------------------------------------------------------- */

/* Return: the file's result for an address, or 0 if there is none */
static __u64 listed_paddr(const char *text, __u64 vaddr, char size[3], bool *is_writable)
{
	while (text && *text) {
		__u64 first, last, paddr;
		const char *end = strchr(text, '\n');

		if (sscanf(text, "%llx-%llx %llx %2s", &first, &last, &paddr, size) == 4 &&
		    vaddr >= first && vaddr <= last) {
			const char *found = strstr(text, " writable");

			*is_writable = found && found < end;
			return paddr + (vaddr - first);
		}
		text = end + 1;
	}
	return 0;
}

TEST_F(client, debugfs_lists_what_is_mapped)
{
	struct theseus_mm_create_mapping small = MAPPING(3), large;
	struct theseus_mm_translate translation;
	char *text, size[3];
	bool is_writable;
	__u64 offset;

	ASSERT_EQ(0, uapi_create_contiguous_mapping(self->fd, 1024 * PAGE, THESEUS_MM_PTE_DATA,
						    &large));
	ASSERT_EQ(0, uapi_remap(self->fd, small.handle, READ_ONLY));
	text = text_of(files[1]);
	for (offset = 0; offset < 3 * PAGE; offset += PAGE - 1) {
		ASSERT_EQ(0, uapi_translate(self->fd, small.start + offset, &translation));
		EXPECT_EQ(translation.paddr, listed_paddr(text, small.start + offset, size,
							  &is_writable));
		EXPECT_STREQ("4K", size);
		EXPECT_FALSE(is_writable);
	}
	for (offset = 0; offset < 1024 * PAGE; offset += 333333) {
		ASSERT_EQ(0, uapi_translate(self->fd, large.start + offset, &translation));
		EXPECT_EQ(translation.paddr, listed_paddr(text, large.start + offset, size,
							  &is_writable));
		EXPECT_STREQ("2M", size);
		EXPECT_TRUE(is_writable);
	}
	free(text);
	ASSERT_EQ(0, uapi_drop(self->fd, large.handle));
	text = text_of(files[1]);
	EXPECT_EQ(0, listed_paddr(text, large.start, size, &is_writable));
	EXPECT_NE(0, listed_paddr(text, small.start, size, &is_writable));
	free(text);
}

/* Consecutive small leaves are one line, even if they fill several tables. */
TEST_F(client, debugfs_lists_runs)
{
	struct theseus_mm_allocate pages = { .size = 1300, .align = 1 << 21 };
	struct theseus_mm_allocate frames = { .size = 1301 };
	struct theseus_mm_map mapping;
	__u32 one, rest;
	char *text;

	ASSERT_EQ(0, uapi_allocate_pages(self->fd, &pages));
	ASSERT_EQ(0, uapi_allocate_frames(self->fd, &frames));
	/* pages and frames are never congruent here, so there are no large leaves */
	ASSERT_EQ(0, uapi_split(self->fd, frames.handle,
				frames.start & ((1 << 21) - 1) ? 1300 * PAGE : PAGE, &one, &rest));
	ASSERT_EQ(0, uapi_map_allocated_pages_to(self->fd, pages.handle,
						 QUERY(one).nr_pages == 1300 ? one : rest,
						 THESEUS_MM_PTE_DATA, &mapping));
	text = text_of(files[1]);
	EXPECT_TRUE(text_has(text, "0x%llx-0x%llx ", mapping.start,
			     mapping.start + 1300 * PAGE - 1));
	free(text);
}

/* --- free runs ------------------------------------------------------------------------ */

/*
 * Add up the runs of each region in @text, and compare the sums with the line of the region.
 * Return: the number of runs, or -1 if a line is wrong or runs are not in order
 */
static long count_runs(const char *text)
{
	__u64 first, last, end = 0, nr, nr_free, nr_ranges, total, free_left = 0, ranges_left = 0;
	__u64 region_last = 0;
	long nr_runs = 0;
	char type[16];

	for (; *text; text = strchr(text, '\n') + 1) {
		if (sscanf(text, "  %llx-%llx %llu", &first, &last, &nr) == 3 && *text == ' ') {
			if (first < end || last > region_last || last - first + 1 != nr ||
			    nr > free_left || !ranges_left)
				return -1;
			end = last + 2;
			free_left -= nr;
			ranges_left--;
			nr_runs++;
			continue;
		}
		if (sscanf(text, "%15s %llx-%llx: %llu of %llu free in %llu ranges", type, &first,
			   &last, &nr_free, &total, &nr_ranges) != 6 ||
		    free_left || ranges_left || last - first + 1 != total)
			return -1;
		end = first;
		region_last = last;
		free_left = nr_free;
		ranges_left = nr_ranges;
	}
	return free_left || ranges_left ? -1 : nr_runs;
}

/* More free runs than fit in a page of text, or than are found at a time. */
TEST_F(client, debugfs_lists_every_free_run)
{
	unsigned int i;
	char *whole;
	__u32 rest;

	rest = FRAMES(4000).handle;
	for (i = 0; i < 1500; i++)
		ASSERT_EQ(0, leave_one(self->fd, &rest));
	rest = PAGES(4000).handle;
	for (i = 0; i < 1500; i++)
		ASSERT_EQ(0, leave_one(self->fd, &rest));
	for (i = 4; i < 6; i++) {
		whole = text_of(files[i]);
		ASSERT_NE(NULL, whole);
		EXPECT_LT(1500, count_runs(whole));
		EXPECT_TRUE(reads_alike_from(7, files[i], whole));
		free(whole);
	}
}

/* --- walk ----------------------------------------------------------------------------- */

static int ask(int fd, __u64 vaddr)
{
	char text[32];
	int nr = snprintf(text, sizeof(text), "%#llx\n", vaddr);

	return write(fd, text, nr) == nr ? 0 : -errno;
}

TEST_F(client, debugfs_walks_an_address)
{
	struct theseus_mm_create_mapping mapping = MAPPING(1);
	int one = open(DEBUGFS "walk", O_RDWR), two = open(DEBUGFS "walk", O_RDWR);
	struct theseus_mm_dump_pte dump;
	char *text, some[5];
	__u32 i;

	ASSERT_LE(0, one);
	ASSERT_LE(0, two);
	text = text_rest(one, 100);
	EXPECT_STREQ("write an address first\n", text);
	free(text);
	ASSERT_EQ(0, ask(one, mapping.start + 5));
	ASSERT_EQ(0, ask(two, 0x1000));
	text = text_rest(one, 3);
	ASSERT_EQ(0, uapi_dump_pte(self->fd, mapping.start + 5, &dump));
	EXPECT_TRUE(text_has(text, "address 0x%llx\n", mapping.start + 5));
	for (i = 0; i < dump.nr_levels; i++)
		EXPECT_TRUE(text_has(text, "level %u: %#018llx ", INFO().paging_levels - i,
				     dump.entries[i]));
	EXPECT_TRUE(text_has(text, " 4 KiB write-back, writable"));
	free(text);
	text = text_rest(two, 100);
	EXPECT_TRUE(text_has(text, "address 0x1000\n"));
	EXPECT_TRUE(text_has(text, "not present"));
	free(text);
	/* the next answer starts at its beginning, even if only half of the last one was read */
	ASSERT_EQ(0, ask(one, mapping.start));
	EXPECT_EQ(5, read(one, some, 5));
	ASSERT_EQ(0, ask(one, 0x2000));
	text = text_rest(one, 100);
	EXPECT_TRUE(text_has(text, "address 0x2000\n"));
	free(text);
	/* text that is not an address is refused, and the last answer stays */
	EXPECT_EQ(-EINVAL, ask(one, 0x1234567800000000));
	EXPECT_EQ(-1, write(one, "here\n", 5));
	EXPECT_EQ(EINVAL, errno);
	ASSERT_EQ(0, lseek(one, 0, SEEK_SET));
	text = text_rest(one, 100);
	EXPECT_TRUE(text_has(text, "address 0x2000\n"));
	free(text);
	close(one);
	close(two);
}

/* --- sysfs ---------------------------------------------------------------------------- */

static __u64 sysfs(const char *name)
{
	char path[64], *text;
	__u64 value = ~0ULL;

	snprintf(path, sizeof(path), SYSFS "%s", name);
	text = text_of(path);
	if (text && strlen(text) && text[strlen(text) - 1] == '\n')
		value = strtoull(text, NULL, 0);
	free(text);
	return value;
}

TEST_F(client, sysfs_says_what_get_region_says)
{
	char *bases = text_of(SYSFS "region_base"), *sizes = text_of(SYSFS "region_size");
	char *base = bases, *size = sizes;
	struct theseus_mm_region region;
	__u32 i;

	ASSERT_NE(NULL, bases);
	ASSERT_NE(NULL, sizes);
	for (i = 0; !uapi_get_region(self->fd, i, &region); i++) {
		EXPECT_EQ(region.start, strtoull(base, &base, 16));
		EXPECT_EQ(region.nr_bytes, strtoull(size, &size, 10));
	}
	EXPECT_LT(0, i);
	EXPECT_STREQ("\n", base);
	EXPECT_STREQ("\n", size);
	free(bases);
	free(sizes);
}

TEST_F(client, sysfs_says_what_get_info_says)
{
	struct theseus_mm_info info;

	FRAMES(3);
	MAPPING(2);
	info = INFO();
	EXPECT_EQ(info.abi, sysfs("abi"));
	EXPECT_EQ(info.features, sysfs("features"));
	EXPECT_EQ(info.paging_levels, sysfs("paging_levels"));
	EXPECT_EQ(info.nr_clients, sysfs("nr_clients"));
	EXPECT_EQ(info.frames_total, sysfs("frames_total"));
	EXPECT_EQ(info.frames_free, sysfs("frames_free"));
	EXPECT_EQ(info.frames_ranges, sysfs("frames_ranges"));
	EXPECT_EQ(info.frames_largest[0], sysfs("frames_largest_free"));
	EXPECT_EQ(info.frames_largest[1], sysfs("frames_largest_free_2m"));
	EXPECT_EQ(info.frames_largest[2], sysfs("frames_largest_free_1g"));
	EXPECT_EQ(info.nr_mappings, sysfs("mappings"));
	EXPECT_EQ(info.nr_tables, sysfs("tables"));
}

TEST_HARNESS_MAIN
