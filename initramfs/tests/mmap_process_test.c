// SPDX-License-Identifier: GPL-2.0
/*
 * Areas in processes: they end with their process, are not inherited, and may be
 * changed in parts.
 */
#include "borrow.h"

#include <fcntl.h>
#include <sys/wait.h>

/* Also 32-bit: offsets have to fit mmap2(). */

/* --- processes ---------------------------------------------------------------------- */

/* Run @child in a child process, which exits with its result. Return: the status from waitpid() */
static int status_of(int (*child)(int fd, __u32 handle, unsigned char *area), int fd, __u32 handle,
		     unsigned char *area)
{
	pid_t pid = fork();
	int status = -1;

	if (!pid)
		_exit(child(fd, handle, area));
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static int load_in_child(int fd, __u32 handle, unsigned char *area)
{
	unsigned char byte;

	(void)fd;
	(void)handle;
	return load(area, &byte);
}

TEST_F(borrow, is_not_inherited)
{
	unsigned char *area = AREA(self->handle, R);
	int status;

	EXPECT_EQ(pattern(0), area[0]);
	EXPECT_ERRNO(EINVAL, madvise(area, SIZE, MADV_DOFORK));
	status = status_of(load_in_child, self->fd, self->handle, area);
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(SIGSEGV, WEXITSTATUS(status));
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_SHARED(self->handle);
	EXPECT_EQ(0, munmap(area, SIZE));
}

static int write_in_child(int fd, __u32 handle, unsigned char *area)
{
	area = mmap_all(fd, handle, RW);
	if (area == MAP_FAILED)
		return 1;
	return store(area + PAGE, 77);
}

/* The child does not call munmap(): its exit ends the area. */
TEST_F(borrow, ends_with_exit)
{
	unsigned char byte;

	EXPECT_EQ(0, status_of(write_in_child, self->fd, self->handle, NULL));
	EXPECT_FREE(self->handle);
	EXPECT_EQ(0, uapi_read(self->fd, self->handle, PAGE, &byte, 1));
	EXPECT_EQ(77, byte);
}

static int die_in_child(int fd, __u32 handle, unsigned char *area)
{
	if (write_in_child(fd, handle, area))
		return 1;
	close(fd);
	kill(getpid(), SIGKILL);
	return 2;
}

TEST_F(borrow, ends_with_sigkill)
{
	int status = status_of(die_in_child, self->fd, self->handle, NULL);

	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGKILL, WTERMSIG(status));
	EXPECT_FREE(self->handle);
}

/* The program that the child becomes has no area, and lives on. */
TEST_F(borrow, ends_with_exec)
{
	int ends[2];
	pid_t child;
	int status;
	char byte;

	/* exec() closes the child's end, so this process sees the exec(). */
	ASSERT_EQ(0, pipe2(ends, O_CLOEXEC));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		if (!write_in_child(self->fd, self->handle, NULL))
			execlp("sleep", "sleep", "100", (char *)NULL);
		_exit(1);
	}
	close(ends[1]);
	EXPECT_EQ(0, read(ends[0], &byte, 1));
	close(ends[0]);
	EXPECT_EQ(0, waitpid(child, NULL, WNOHANG));
	EXPECT_FREE(self->handle);
	EXPECT_EQ(0, uapi_read(self->fd, self->handle, PAGE, &byte, 1));
	EXPECT_EQ(77, byte);
	kill(child, SIGKILL);
	EXPECT_EQ(child, waitpid(child, &status, 0));
	/* otherwise the exec() has failed, and the child has ended by itself */
	EXPECT_TRUE(WIFSIGNALED(status));
}

static int own_and_die_in_child(int fd, __u32 handle, unsigned char *area)
{
	struct theseus_mm_create_mapping mapping;

	(void)handle;
	fd = uapi_open(NULL);
	if (fd < 0 || uapi_create_mapping(fd, 64 * PAGE, THESEUS_MM_PTE_DATA, &mapping))
		return 1;
	area = mmap_all(fd, mapping.handle, RW);
	if (area == MAP_FAILED || store(area + 63 * PAGE, 1))
		return 2;
	kill(getpid(), SIGKILL);
	return 3;
}

TEST_F(borrow, owner_and_area_end_with_sigkill)
{
	struct theseus_mm_info before = INFO(), after;
	int status = status_of(own_and_die_in_child, self->fd, self->handle, NULL);
	char text[SNAPSHOT_TEXT];

	EXPECT_TRUE(WIFSIGNALED(status));
	after = INFO();
	EXPECT_STREQ("", info_difference(&before, &after, text));
}

TEST_F(borrow, outlives_the_client)
{
	unsigned char *area = AREA(self->handle, RW);
	struct theseus_mm_info info;
	int other = uapi_open(NULL);

	ASSERT_LE(0, other);
	close(self->fd);
	self->fd = other;
	/* the first access comes after the end of the client */
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_EQ(0, store(area + PAGE, 7));
	info = INFO();
	EXPECT_EQ(self->start.nr_mappings + 1, info.nr_mappings);
	EXPECT_GT(self->start.frames_free, info.frames_free);
	EXPECT_EQ(0, munmap(area, PAGE));
	info = INFO();
	EXPECT_EQ(self->start.nr_mappings + 1, info.nr_mappings);
	EXPECT_EQ(7, area[PAGE]);
	EXPECT_EQ(0, munmap(area + PAGE, SIZE - PAGE));
	EXPECT_ALL_BACK();
}

/* --- parts of an area --------------------------------------------------------------- */

TEST_F(borrow, lasts_until_its_last_part_goes)
{
	unsigned char *area = AREA(self->handle, RW), byte;

	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_EQ(0, munmap(area + PAGE, PAGE));
	EXPECT_EQ(SIGSEGV, load(area + PAGE, &byte));
	EXPECT_EXCLUDED(self->handle);
	EXPECT_EQ(PAGE, nr_alike(area, 0, PAGE));
	EXPECT_EQ(2 * PAGE, nr_alike(area + 2 * PAGE, 2 * PAGE, 2 * PAGE));
	EXPECT_EQ(0, munmap(area, PAGE));
	EXPECT_EQ(0, munmap(area + 2 * PAGE, PAGE));
	EXPECT_EXCLUDED(self->handle);
	EXPECT_EQ(PAGE, nr_alike(area + 3 * PAGE, 3 * PAGE, PAGE));
	EXPECT_EQ(0, munmap(area + 3 * PAGE, PAGE));
	EXPECT_FREE(self->handle);
}

TEST_F(borrow, mprotect_of_a_part)
{
	unsigned char *area = AREA(self->handle, RW);
	unsigned int i;

	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_EQ(0, mprotect(area + PAGE, PAGE, R));
	for (i = 0; i < NR; i++)
		EXPECT_EQ(i == 1 ? SIGSEGV : 0, store(area + i * PAGE, pattern(i * PAGE)));
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_EXCLUDED(self->handle);
	EXPECT_EQ(0, munmap(area, 2 * PAGE));
	EXPECT_EXCLUDED(self->handle);
	EXPECT_EQ(2 * PAGE, nr_alike(area + 2 * PAGE, 2 * PAGE, 2 * PAGE));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_FREE(self->handle);
}

TEST_F(borrow, mremap_moves)
{
	unsigned char *area = AREA(self->handle, RW), *moved, byte;
	unsigned char *target = mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT_EQ(0, store(area + PAGE, pattern(PAGE)));
	moved = mremap(area, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, target);
	ASSERT_EQ(target, moved);
	EXPECT_EQ(SIGSEGV, load(area, &byte));
	EXPECT_EQ(SIZE, nr_alike(moved, 0, SIZE));
	EXPECT_EXCLUDED(self->handle);
	/* move a part of the area back */
	moved = mremap(target + PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, area);
	ASSERT_EQ(area, moved);
	EXPECT_EQ(PAGE, nr_alike(area, PAGE, PAGE));
	EXPECT_EQ(SIGSEGV, load(target + PAGE, &byte));
	EXPECT_EQ(PAGE, nr_alike(target, 0, PAGE));
	EXPECT_EQ(2 * PAGE, nr_alike(target + 2 * PAGE, 2 * PAGE, 2 * PAGE));
	EXPECT_EQ(0, munmap(target, SIZE));
	EXPECT_EXCLUDED(self->handle);
	EXPECT_EQ(0, munmap(area, PAGE));
	EXPECT_FREE(self->handle);
}

TEST_F(borrow, mremap_neither_grows_nor_copies)
{
	unsigned char *area = mmap_part(self->fd, self->handle, 0, 2 * PAGE, RW);

	ASSERT_NE((unsigned char *)MAP_FAILED, area);
	EXPECT_ERRNO(EFAULT, mremap(area, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE));
	EXPECT_ERRNO(EFAULT, mremap(area, 0, 2 * PAGE, MREMAP_MAYMOVE));
	EXPECT_ERRNO(EINVAL, mremap(area, 2 * PAGE, 2 * PAGE,
				    MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL));
	EXPECT_EQ(2 * PAGE, nr_alike(area, 0, 2 * PAGE));
	EXPECT_EQ(area, mremap(area, 2 * PAGE, PAGE, 0));
	EXPECT_EQ(PAGE, nr_alike(area, 0, PAGE));
	EXPECT_EXCLUDED(self->handle);
	EXPECT_EQ(0, munmap(area, PAGE));
	EXPECT_FREE(self->handle);
}

TEST_HARNESS_MAIN
