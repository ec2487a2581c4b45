// SPDX-License-Identifier: GPL-2.0
/*
 * Areas as the rest of the kernel sees them: without struct pages, but described in /proc and
 * open to debuggers.
 */
#include "borrow.h"
#include "live_patch.h"
#include "text.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/mempolicy.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

/* Also 32-bit: offsets have to fit mmap2(). */

TEST_F(borrow, there_is_no_dmabuf_without_struct_pages)
{
	struct theseus_mm_export request = { .handle = self->handle };

	EXPECT_EQ(0, self->start.features);
	EXPECT_REFUSED(EOPNOTSUPP, uapi_call(self->fd, THESEUS_MM_IOC_EXPORT_DMABUF, &request),
		       self->handle);
	EXPECT_FREE(self->handle);
}

static unsigned long read_all(const char *path)
{
	static char buffer[1 << 16];
	int fd = open(path, O_RDONLY);
	unsigned long total = 0;
	ssize_t nr;

	while (fd >= 0 && (nr = read(fd, buffer, sizeof(buffer))) > 0)
		total += nr;
	if (fd >= 0)
		close(fd);
	return total;
}

TEST_F(borrow, there_is_no_struct_page_to_get)
{
	unsigned char *area = AREA(self->handle, RW), buffer[64];
	struct iovec remote = { area, sizeof(buffer) }, local = { buffer, sizeof(buffer) };
	unsigned long nodes = 1;
	int pipes[2], disk;

	ASSERT_EQ(0, pipe(pipes));
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_ERRNO(EFAULT, vmsplice(pipes[1], &remote, 1, 0));
	EXPECT_ERRNO(EFAULT, process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
	EXPECT_ERRNO(EFAULT, process_vm_writev(getpid(), &local, 1, &remote, 1, 0));
	EXPECT_ERRNO(EFAULT, syscall(SYS_futex, area, FUTEX_WAKE, 1, NULL, NULL, 0));
	disk = open("/dev/ram0", O_RDONLY | O_DIRECT);
	if (disk >= 0) {
		EXPECT_ERRNO(EFAULT, read(disk, area, PAGE));
		close(disk);
	}
	/* these calls may fail, but must change nothing */
	syscall(SYS_mbind, area, SIZE, MPOL_BIND, &nodes, 8 * sizeof(nodes), MPOL_MF_STRICT);
	mlock(area, SIZE);
	munlock(area, SIZE);
	msync(area, SIZE, MS_SYNC);
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	/* copying is allowed */
	EXPECT_EQ(sizeof(buffer), write(pipes[1], area + PAGE - 32, sizeof(buffer)));
	EXPECT_EQ(sizeof(buffer), read(pipes[0], area, sizeof(buffer)));
	EXPECT_EQ(sizeof(buffer), nr_alike(area, PAGE - 32, sizeof(buffer)));
	EXPECT_EQ(0, munmap(area, SIZE));
}

TEST_F(borrow, advice_changes_nothing)
{
	static const int advice[] = {
		MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTNEED,
		MADV_FREE, MADV_REMOVE, MADV_DONTFORK, MADV_MERGEABLE, MADV_UNMERGEABLE,
		MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_DONTDUMP, MADV_DODUMP, MADV_WIPEONFORK,
		MADV_COLD, MADV_PAGEOUT, MADV_POPULATE_READ, MADV_POPULATE_WRITE, 24, 25,
	};
	unsigned char *area = AREA(self->handle, RW), present[NR];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(advice); i++) {
		madvise(area, SIZE, advice[i]);
		madvise(area + PAGE, PAGE, advice[i]);
		EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	}
	EXPECT_ERRNO(EINVAL, madvise(area, SIZE, MADV_DOFORK));
	EXPECT_ERRNO(EINVAL, madvise(area, SIZE, MADV_DODUMP));
	EXPECT_EQ(0, mincore(area, SIZE, present));
	EXPECT_EQ(-1, remap_file_pages(area, PAGE, 0, 1, 0));
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_EXCLUDED(self->handle);
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_FREE(self->handle);
}

TEST_F(borrow, proc_describes_it)
{
	unsigned char *area = AREA(self->handle, RW);
	__u64 entry = 1;
	int fd;

	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_LT(0, read_all("/proc/self/maps"));
	EXPECT_LT(0, read_all("/proc/self/smaps"));
	EXPECT_LT(0, read_all("/proc/self/smaps_rollup"));
	read_all("/proc/self/numa_maps");
	fd = open("/proc/self/pagemap", O_RDONLY);
	EXPECT_EQ(sizeof(entry), pread(fd, &entry, sizeof(entry), (uintptr_t)area / PAGE * 8));
	EXPECT_EQ(0, entry << 9);
	close(fd);
	/* soft-dirty tracking writes the area's protection anew */
	fd = open("/proc/self/clear_refs", O_WRONLY);
	if (fd >= 0) {
		EXPECT_EQ(1, write(fd, "4", 1));
		close(fd);
	}
	EXPECT_EQ(0, store(area, pattern(0)));
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_EQ(0, munmap(area, SIZE));
}

TEST_F(borrow, proc_mem_reads_and_writes_what_is_mutable)
{
	unsigned char *area = AREA(self->handle, RW), buffer[2 * PAGE];
	unsigned char *hole = mmap(NULL, 3 * SIZE, R, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open("/proc/self/mem", O_RDWR);
	off_t at;

	ASSERT_LE(0, fd);
	/* move the area to a place with no other area next to it */
	ASSERT_EQ(0, munmap(hole, 3 * SIZE));
	area = mremap(area, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, hole + SIZE);
	ASSERT_EQ(hole + SIZE, area);
	at = (uintptr_t)area + PAGE - 5;
	EXPECT_EQ(PAGE + 10, pread(fd, buffer, PAGE + 10, at));
	EXPECT_EQ(PAGE + 10, nr_alike(buffer, PAGE - 5, PAGE + 10));
	EXPECT_EQ(10, pwrite(fd, "0123456789", 10, at));
	EXPECT_EQ(0, memcmp(area + PAGE - 5, "0123456789", 10));
	EXPECT_EQ(3, pread(fd, buffer, 10, (uintptr_t)area + SIZE - 3));
	EXPECT_EQ(3, nr_alike(buffer, SIZE - 3, 3));
	/* the rest of the area does not begin at the start of the mapping */
	EXPECT_EQ(0, munmap(area, PAGE));
	EXPECT_EQ(5, pread(fd, buffer, 5, (uintptr_t)area + 2 * PAGE));
	EXPECT_EQ(5, nr_alike(buffer, 2 * PAGE, 5));
	EXPECT_EQ(0, uapi_revoke(self->fd, self->handle, NULL));
	EXPECT_ERRNO(EIO, pread(fd, buffer, 5, (uintptr_t)area + 2 * PAGE));
	EXPECT_ERRNO(EIO, pwrite(fd, buffer, 5, (uintptr_t)area + 2 * PAGE));
	EXPECT_EQ(0, munmap(area, SIZE));
	close(fd);
}

TEST_F(borrow, proc_mem_of_a_part_of_a_mapping)
{
	unsigned char *area = mmap_part(self->fd, self->handle, PAGE, 2 * PAGE, R), buffer[PAGE];
	int fd = open("/proc/self/mem", O_RDWR);

	ASSERT_LE(0, fd);
	ASSERT_NE((unsigned char *)MAP_FAILED, area);
	EXPECT_EQ(PAGE, pread(fd, buffer, PAGE, (uintptr_t)area + 7));
	EXPECT_EQ(PAGE, nr_alike(buffer, PAGE + 7, PAGE));
	EXPECT_EQ(0, munmap(area, 2 * PAGE));
	close(fd);
}

TEST_F(borrow, proc_mem_does_not_write_what_is_immutable)
{
	unsigned char *area = AREA(self->handle, R), byte;
	int fd = open("/proc/self/mem", O_RDWR);

	ASSERT_LE(0, fd);
	EXPECT_EQ(1, pread(fd, &byte, 1, (uintptr_t)area));
	EXPECT_EQ(pattern(0), byte);
	EXPECT_ERRNO(EIO, pwrite(fd, "x", 1, (uintptr_t)area));
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_EQ(0, munmap(area, SIZE));
	close(fd);
}

TEST_F(borrow, a_debugger_sees_it)
{
	unsigned long *address = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0), word;
	unsigned char byte;
	int status;
	pid_t pid;

	ASSERT_NE((unsigned long *)MAP_FAILED, address);
	pid = fork();
	if (!pid) {
		*address = (uintptr_t)mmap_all(self->fd, self->handle, RW);
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(*(unsigned char *)(*address + 16));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFSTOPPED(status));
	errno = 0;
	word = ptrace(PTRACE_PEEKDATA, pid, (void *)(*address + 8), NULL);
	EXPECT_EQ(0, errno);
	EXPECT_EQ(sizeof(word), nr_alike((unsigned char *)&word, 8, sizeof(word)));
	EXPECT_EQ(0, ptrace(PTRACE_POKEDATA, pid, (void *)(*address + 16), (void *)0x55UL));
	EXPECT_EQ(0, ptrace(PTRACE_CONT, pid, NULL, NULL));
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0x55, WEXITSTATUS(status));
	EXPECT_EQ(0, uapi_read(self->fd, self->handle, 16, &byte, 1));
	EXPECT_EQ(0x55, byte);
	EXPECT_EQ(0, munmap(address, PAGE));
}

/* The internal file system stays mounted: it is not mounted anew for each single mapping. */
TEST_F(borrow, the_only_mapping_file_needs_no_file_system_of_its_own)
{
	char *events, *hits;
	__u32 handle;
	__u64 offset;
	int i;

	if (!text_write(TRACEFS "kprobe_events", "p:tmm_rights kill_anon_super"))
		SKIP(return, "this kernel has no probes");
	ASSERT_TRUE(live_patch_begin());
	ASSERT_TRUE(text_write(TRACEFS "events/kprobes/tmm_rights/enable", "1"));
	for (i = 0; i < 3; i++) {
		handle = MAPPING(1).handle;
		EXPECT_EQ(0, uapi_map_offset(self->fd, handle, &offset, NULL));
		EXPECT_EQ(0, uapi_drop(self->fd, handle));
		usleep(10000);
	}
	hits = text_of(TRACEFS "kprobe_profile");
	EXPECT_TRUE(text_write(TRACEFS "events/kprobes/tmm_rights/enable", "0"));
	EXPECT_TRUE(live_patch_end());
	EXPECT_TRUE(text_write(TRACEFS "kprobe_events", ""));
	ASSERT_NE(NULL, hits);
	events = strstr(hits, "tmm_rights");
	ASSERT_NE(NULL, events);
	EXPECT_EQ(0, atoi(events + strlen("tmm_rights"))) TH_LOG("%s", hits);
	free(hits);
}

TEST_HARNESS_MAIN
