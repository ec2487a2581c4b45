// SPDX-License-Identifier: GPL-2.0
/*
 * A window does not expose private memory to code outside the module: neither to an NMI, which
 * takes addresses of the lower half for user memory, nor to a debugger's watchpoints.
 */
/* Stock kernel: with DEBUG_VM, Linux warns when an NMI in a window reads user memory. */
#include "client.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

#define PROBE		"theseus_mm_nmi_probe"
#define PROBE_FILE	"/lib/modules/" PROBE ".ko"
#define PARAMETERS	"/sys/module/" PROBE "/parameters/"
#define SECRET		0x5ec2e75ec2e75ec2ULL
#define NR_NMIS		400
/* On a busy machine, many NMIs may come before the reader has begun. */
#define MAX_NMIS	(50 * NR_NMIS)
/* An NMI takes microseconds to arrive; this timeout is for a busy machine. */
#define WAIT_MSECS	10000
#define NR_BYTES	(256 * PAGE)
#define READER_CPU	1

static long load_probe(__u64 address)
{
	char parameters[64];
	int fd = open(PROBE_FILE, O_RDONLY | O_CLOEXEC);
	long ret;

	if (fd < 0)
		return -1;
	snprintf(parameters, sizeof(parameters), "address=%#llx", (unsigned long long)address);
	ret = syscall(SYS_finit_module, fd, parameters, 0);
	close(fd);
	return ret;
}

static unsigned long long get(const char *name)
{
	unsigned long long value = ~0ULL;
	char path[100];
	FILE *file;

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	file = fopen(path, "r");
	if (!file || fscanf(file, "%llu", &value) != 1)
		value = ~0ULL;
	if (file)
		fclose(file);
	return value;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* Send one NMI to the reader's CPU. Return: 0 if it arrived */
static int send_nmi(void)
{
	unsigned long long before = get("nr_nmis");
	int fd = open(PARAMETERS "send", O_WRONLY);
	int err = fd < 0 || write(fd, "1", 1) != 1;
	int i;

	if (fd >= 0)
		close(fd);
	for (i = 0; !err && i < WAIT_MSECS && get("nr_nmis") == before; i++)
		usleep(i ? 1000 : 20);
	return err || get("nr_nmis") == before;
}

/* Start a process that copies an ordinary mapping, window after window, until it is killed. */
static pid_t start_reader(int fd, __u32 handle)
{
	pid_t child = fork();
	char *buffer;

	if (child)
		return child;
	pin(READER_CPU);
	buffer = malloc(NR_BYTES);
	while (buffer && !uapi_read(fd, handle, 0, buffer, NR_BYTES))
		;
	_exit(1);
}

/* Send NMIs that read @address in windows; the probe counts what they see. */
static void look_from_nmis(struct __test_metadata *_metadata, FIXTURE_DATA(client) *self,
			   __u64 address)
{
	struct theseus_mm_create_mapping mapping = MAPPING(NR_BYTES / PAGE);
	int i, nr_failed = 0;
	pid_t reader;

	ASSERT_EQ(0, load_probe(address));
	pin(0);
	reader = start_reader(self->fd, mapping.handle);
	ASSERT_LT(0, reader);
	for (i = 0; !nr_failed && (i < NR_NMIS || (i < MAX_NMIS && !get("nr_inside"))); i++)
		nr_failed += send_nmi();
	kill(reader, SIGKILL);
	EXPECT_EQ(reader, waitpid(reader, NULL, 0));
	EXPECT_EQ(0, nr_failed);
	TH_LOG("%llu NMIs, %llu in a window, %llu could read", get("nr_nmis"), get("nr_inside"),
	       get("nr_seen"));
	/* the test proves something only if an NMI has hit a window */
	EXPECT_LT(0, get("nr_inside"));
	EXPECT_GE(i, get("nr_inside"));
	EXPECT_EQ(0, get("nr_seen"));
	EXPECT_EQ(0, get("seen"));
	EXPECT_EQ(0, syscall(SYS_delete_module, PROBE, O_NONBLOCK));
	EXPECT_EQ(0, uapi_drop(self->fd, mapping.handle));
}

TEST_F(client, identity_mappings_are_no_memory_of_who_copies)
{
	struct theseus_mm_create_mapping identity;
	__u64 secret = SECRET;

	ASSERT_EQ(0, uapi_create_identity_mapping(self->fd, PAGE, THESEUS_MM_PTE_DATA, &identity));
	ASSERT_EQ(0, uapi_write(self->fd, identity.handle, 0, &secret, sizeof(secret)));
	look_from_nmis(_metadata, self, identity.start);
	secret = 0;
	EXPECT_EQ(0, uapi_read(self->fd, identity.handle, 0, &secret, sizeof(secret)));
	EXPECT_EQ(SECRET, secret);
}

TEST_F(client, bookkeeping_is_no_memory_of_who_copies)
{
	struct theseus_mm_region region;

	/* an identity mapping of the region would be at the region's physical address */
	ASSERT_EQ(0, uapi_get_region(self->fd, 0, &region));
	ASSERT_NE(0, region.start);
	look_from_nmis(_metadata, self, region.start);
}

static long set_register(pid_t child, int number, unsigned long value)
{
	return ptrace(PTRACE_POKEUSER, child,
		      offsetof(struct user, u_debugreg) + number * sizeof(value), value);
}

static unsigned long get_register(pid_t child, int number)
{
	return ptrace(PTRACE_PEEKUSER, child,
		      offsetof(struct user, u_debugreg) + number * sizeof(long), 0);
}

/* Enable breakpoint @number, for reads and writes of 8 bytes. */
static unsigned long watch(int number)
{
	return 1UL << (2 * number) | (3UL | 2UL << 2) << (16 + 4 * number);
}

static volatile __u64 watched;

/* Copy out of @handle, then write to the watched address. */
static void be_watched(int fd, __u32 handle)
{
	__u64 value = 0;

	ptrace(PTRACE_TRACEME, 0, 0, 0);
	raise(SIGSTOP);
	if (uapi_read(fd, handle, 0, &value, sizeof(value)) || value != SECRET)
		_exit(1);
	raise(SIGUSR1);
	watched = 1;
	_exit(0);
}

#define EXPECT_STOPPED(signal_number)							\
	do {										\
		int _status = 0;							\
											\
		EXPECT_EQ(child, waitpid(child, &_status, 0));				\
		ASSERT_TRUE(WIFSTOPPED(_status));					\
		EXPECT_EQ(signal_number, WSTOPSIG(_status));				\
	} while (0)

/* A watchpoint must not hit at the same address in a private root. */
TEST_F(client, watchpoints_are_not_of_private_addresses)
{
	struct theseus_mm_create_mapping identity;
	__u64 secret = SECRET;
	int status = 0;
	pid_t child;

	ASSERT_EQ(0, uapi_create_identity_mapping(self->fd, PAGE, THESEUS_MM_PTE_DATA, &identity));
	ASSERT_EQ(0, uapi_write(self->fd, identity.handle, 0, &secret, sizeof(secret)));
	child = fork();
	if (!child)
		be_watched(self->fd, identity.handle);
	ASSERT_LT(0, child);
	EXPECT_STOPPED(SIGSTOP);
	EXPECT_EQ(0, set_register(child, 0, identity.start));
	EXPECT_EQ(0, set_register(child, 1, (unsigned long)&watched));
	EXPECT_EQ(0, set_register(child, 7, watch(0) | watch(1)));
	EXPECT_EQ(0, ptrace(PTRACE_CONT, child, 0, 0));
	/* the next stop is the child's own signal, so the copy has hit no watchpoint */
	EXPECT_STOPPED(SIGUSR1);
	EXPECT_EQ(0, get_register(child, 6) & 3);
	EXPECT_EQ(0, ptrace(PTRACE_CONT, child, 0, 0));
	/* the ordinary address is still watched: the write after the copy hits */
	EXPECT_STOPPED(SIGTRAP);
	EXPECT_EQ(2, get_register(child, 6) & 3);
	EXPECT_EQ(0, ptrace(PTRACE_CONT, child, 0, 0));
	EXPECT_EQ(child, waitpid(child, &status, 0));
	EXPECT_TRUE(WIFEXITED(status) && !WEXITSTATUS(status));
	EXPECT_EQ(0, uapi_drop(self->fd, identity.handle));
}

TEST_HARNESS_MAIN
