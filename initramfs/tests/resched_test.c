// SPDX-License-Identifier: GPL-2.0
/* Stock kernel: the debug kernel has no function tracer, and is preemptible everywhere. */
/*
 * Calls whose work grows with the number of runs, handles or loans let other tasks run in
 * between. The function tracer shows each call of cond_resched() with its place in the module, so
 * that the test does not depend on time: a loop over N things makes about N such calls at one
 * place.
 */
#include "area.h"
#include "client.h"
#include "fragment.h"
#include "live_patch.h"
#include "text.h"

#define PREEMPT	"/sys/kernel/debug/sched/preempt"

/* The tests work on NR runs, handles or loans. ALMOST_NR calls at one place count as about NR. */
#define NR		1000
#define ALMOST_NR	(NR - NR / 8)
/* More than NR, since some frames become page tables. */
#define NR_SINGLES	(NR + 64)
/* The highest number of the module's functions that may run between two reschedule points. */
#define LONGEST		700

#define MAX_PLACES	256

struct place {
	char where[96];
	unsigned int nr;
};

struct trace {
	struct place places[MAX_PLACES];
	unsigned int nr_places;
	/* number of the module's functions that ran since the last reschedule point */
	unsigned int since;
	/* highest number of them between two reschedule points */
	unsigned int longest;
	bool is_complete;
};

static bool append(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

static void stop(void)
{
	text_write(TRACEFS "tracing_on", "0");
}

/*
 * Choose the tracer last. A change of the filter or of the pid while functions are traced would
 * patch the kernel's code once more, and patching is slow.
 */
static bool set_up(void)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", getpid());
	stop();
	return text_write(TRACEFS "buffer_size_kb", "16384") &&
	       text_write(TRACEFS "options/sym-offset", "1") &&
	       text_write(TRACEFS "set_ftrace_pid", pid) &&
	       text_write(TRACEFS "set_ftrace_filter", "__cond_resched") &&
	       append(TRACEFS "set_ftrace_filter", ":mod:theseus_mm") &&
	       text_write(TRACEFS "current_tracer", "function");
}

static bool start(void)
{
	return text_write(TRACEFS "trace", "") && text_write(TRACEFS "tracing_on", "1");
}

static void put_back(void)
{
	stop();
	text_write(TRACEFS "current_tracer", "nop");
	text_write(TRACEFS "set_ftrace_filter", "");
	text_write(TRACEFS "set_ftrace_pid", "");
	text_write(TRACEFS "options/sym-offset", "0");
	text_write(TRACEFS "buffer_size_kb", "1408");
	text_write(TRACEFS "tracing_on", "1");
}

static void count_place(struct trace *trace, const char *where)
{
	unsigned int i;

	for (i = 0; i < trace->nr_places; i++)
		if (!strcmp(trace->places[i].where, where))
			break;
	if (i == MAX_PLACES)
		return;
	if (i == trace->nr_places) {
		snprintf(trace->places[i].where, sizeof(trace->places[i].where), "%s", where);
		trace->nr_places++;
	}
	trace->places[i].nr++;
}

/* A line is "  task-1 [000] .... 1.2: __cond_resched+0x0/0x40 <-tmm_x+0x1/0x2 [theseus_mm]". */
static void read_line(struct trace *trace, char *line)
{
	unsigned long nr_kept, nr_written;
	char *caller = strstr(line, " <-");
	char *name = strstr(line, ": ");

	if (sscanf(line, "# entries-in-buffer/entries-written: %lu/%lu", &nr_kept,
		   &nr_written) == 2)
		trace->is_complete = nr_kept == nr_written;
	if (*line == '#' || !caller || !name)
		return;
	line[strcspn(line, "\n")] = '\0';
	if (strncmp(name + 2, "__cond_resched", strlen("__cond_resched"))) {
		trace->since++;
		if (trace->since > trace->longest)
			trace->longest = trace->since;
		return;
	}
	/* Ignore calls in Linux's own functions, which depend on the kernel's configuration. */
	if (!strstr(caller, "[theseus_mm]"))
		return;
	trace->since = 0;
	count_place(trace, caller + strlen(" <-"));
}

/* Return: the number of places that called cond_resched() about NR times */
static unsigned int nr_passes(struct trace *trace)
{
	FILE *file = fopen(TRACEFS "trace", "r");
	unsigned int i, nr = 0;
	char *line = NULL;
	size_t room = 0;

	memset(trace, 0, sizeof(*trace));
	if (!file)
		return 0;
	while (getline(&line, &room, file) > 0)
		read_line(trace, line);
	free(line);
	fclose(file);
	for (i = 0; i < trace->nr_places; i++)
		nr += trace->places[i].nr >= ALMOST_NR;
	return nr;
}

static void show(const struct trace *trace)
{
	unsigned int i;

	for (i = 0; i < trace->nr_places; i++)
		fprintf(stderr, "# %u times at %s\n", trace->places[i].nr,
			trace->places[i].where);
}

/*
 * Read the present preemption mode, which Linux shows in parentheses, in order to restore it later.
 * The test runs in mode "none": in mode "voluntary", allocations are reschedule points as well.
 */
static void preempt_now(char mode[16])
{
	char *text = text_of(PREEMPT);

	mode[0] = '\0';
	if (text && strchr(text, '('))
		sscanf(strchr(text, '(') + 1, "%15[a-z]", mode);
	free(text);
}

FIXTURE(resched)
{
	int fd;
	char mode[16];
	struct trace trace;
};

FIXTURE_SETUP(resched)
{
	self->fd = uapi_open(NULL);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, access(TRACEFS "set_ftrace_filter", W_OK));
	preempt_now(self->mode);
	ASSERT_TRUE(live_patch_begin());
	if (!text_write(PREEMPT, "none")) {
		live_patch_end();
		SKIP(return, "this kernel does not offer the preemption model \"none\"");
	}
	ASSERT_TRUE(set_up());
}

FIXTURE_TEARDOWN(resched)
{
	put_back();
	EXPECT_TRUE(text_write(PREEMPT, self->mode));
	EXPECT_TRUE(live_patch_end());
	close(self->fd);
}

/*
 * Check that @call returns @result, that at least @nr loops over NR things reach a reschedule point
 * for each thing, and that @call never runs long without such a point.
 */
#define EXPECT_POINTS(nr, result, call)							\
	do {										\
		__typeof__(call) _result;						\
											\
		ASSERT_TRUE(start());							\
		_result = (call);							\
		stop();									\
		EXPECT_EQ(result, _result);						\
		EXPECT_LE(nr, nr_passes(&self->trace)) {				\
			show(&self->trace);						\
		}									\
		EXPECT_TRUE(self->trace.is_complete);					\
		EXPECT_GE(LONGEST, self->trace.longest);				\
	} while (0)

/* Make a mapping of NR runs of one frame each. */
static __u32 scattered(struct __test_metadata *_metadata, int fd)
{
	struct theseus_mm_create_mapping mapping;

	ASSERT_EQ(0, leave_singles(fd, NR_SINGLES));
	ASSERT_EQ(0, uapi_create_mapping(fd, NR * PAGE, THESEUS_MM_PTE_DATA, &mapping));
	return mapping.handle;
}

/* Frames are allocated and cleared, and their entries are written. */
TEST_F_TIMEOUT(resched, create_of_many_runs, 120)
{
	struct theseus_mm_create_mapping mapping;

	ASSERT_EQ(0, leave_singles(self->fd, NR_SINGLES));
	EXPECT_POINTS(3, 0, uapi_create_mapping(self->fd, NR * PAGE, THESEUS_MM_PTE_DATA,
						&mapping));
}

TEST_F_TIMEOUT(resched, split_of_many_runs, 120)
{
	__u32 handle = scattered(_metadata, self->fd), first, second;

	EXPECT_POINTS(1, 0, uapi_split(self->fd, handle, (NR - 1) * PAGE, &first, &second));
}

/*
 * Handles are reserved and copied to the caller's memory, frames are taken out, and handles are
 * filled.
 */
TEST_F_TIMEOUT(resched, unmap_of_many_runs, 120)
{
	__u32 handle = scattered(_metadata, self->fd), pages, nr_frames = NR;
	static __u32 frames[NR];

	EXPECT_POINTS(4, 0, uapi_unmap_into_parts(self->fd, handle, &pages, frames, &nr_frames));
	EXPECT_EQ(NR, nr_frames);
}

/* The runs are counted, and charged to the new owner. */
TEST_F_TIMEOUT(resched, import_of_many_runs, 120)
{
	__u32 handle = scattered(_metadata, self->fd);
	int export = -1, other = uapi_open(NULL);

	ASSERT_LE(0, other);
	EXPECT_POINTS(0, 0, uapi_export(self->fd, handle, &export));
	EXPECT_POINTS(2, 0, uapi_import(other, export, &handle));
	close(export);
	close(other);
}

TEST_F_TIMEOUT(resched, drop_of_many_runs, 120)
{
	__u32 handle = scattered(_metadata, self->fd);

	EXPECT_POINTS(1, 0, uapi_drop(self->fd, handle));
}

TEST_F_TIMEOUT(resched, close_with_many_handles, 120)
{
	struct theseus_mm_allocate pages = { .size = 1 };
	int other = uapi_open(NULL);
	unsigned int i;

	ASSERT_LE(0, other);
	for (i = 0; i < NR; i++)
		ASSERT_EQ(0, uapi_allocate_pages(other, &pages));
	EXPECT_POINTS(1, 0, close(other));
}

/* All items run, and are published or undone. Items are copied and charged several at a time. */
TEST_F_TIMEOUT(resched, batch_of_many_items, 120)
{
	static struct theseus_mm_create_item items[NR];
	static struct theseus_mm_drop_item drops[NR];
	unsigned int i;

	for (i = 0; i < NR; i++)
		items[i] = (struct theseus_mm_create_item){
			.size = PAGE,
			.pte_flags = THESEUS_MM_PTE_DATA,
		};
	EXPECT_POINTS(2, 0, uapi_create_batch(self->fd, 0, items, NR, NULL));
	for (i = 0; i < NR; i++)
		drops[i].handle = items[i].handle;
	EXPECT_POINTS(2, 0, uapi_drop_batch(self->fd, 0, drops, NR, NULL));
	/* the last item fails: the others are undone, and every item has an error */
	items[NR - 1].size = 0;
	EXPECT_POINTS(3, -EINVAL, uapi_create_batch(self->fd, THESEUS_MM_BATCH_ALL_OR_NOTHING,
						    items, NR, NULL));
}

static int list(int fd)
{
	static struct theseus_mm_handle_info infos[2 * NR];
	__u32 from = 0, nr;

	return uapi_list_handles(fd, 0, &from, infos, 2 * NR, &nr);
}

static int occupancy(int fd)
{
	static struct theseus_mm_bucket parts[NR];
	static __u32 owners[NR];
	struct theseus_mm_occupancy call = {
		.nr_buckets = NR,
		.bucket_size = sizeof(parts[0]),
		.buckets = (__u64)(uintptr_t)parts,
		.owners = (__u64)(uintptr_t)owners,
	};

	return uapi_get_occupancy(fd, &call);
}

/* The calls look at a mapping run by run, and at the handles a few at a time. */
TEST_F_TIMEOUT(resched, looks_at_many_runs_and_handles, 120)
{
	char path[32], *text;

	scattered(_metadata, self->fd);
	EXPECT_POINTS(0, 0, list(self->fd));
	EXPECT_POINTS(2, 0, occupancy(self->fd));
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", self->fd);
	EXPECT_POINTS(0, true, (text = text_of(path)) != NULL);
	free(text);
}

/* All loans are ended. */
TEST_F_TIMEOUT(resched, revoke_of_many_loans, 120)
{
	__u32 handle = MAPPING(NR).handle, nr_revoked = 0;
	__u64 offset, nr_bytes;
	unsigned int i;

	ASSERT_EQ(0, uapi_map_offset(self->fd, handle, &offset, &nr_bytes));
	for (i = 0; i < NR; i++)
		ASSERT_NE(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->fd,
					   offset + i * PAGE));
	EXPECT_POINTS(1, 0, uapi_revoke(self->fd, handle, &nr_revoked));
	EXPECT_EQ(NR, nr_revoked);
}

TEST_HARNESS_MAIN
