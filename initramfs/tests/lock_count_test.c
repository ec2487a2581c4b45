// SPDX-License-Identifier: GPL-2.0
/* Debug kernel only: other kernels do not report which locks are taken. */
/* Lockdep: its event lock_acquire tells which locks are taken. */
/*
 * The fast paths of independent clients share no lock. Two processes, each with a client and a CPU of
 * its own, repeat an operation, and the event lock_acquire tells which locks they take. A lock that
 * both take again and again is a lock that they share.
 */
#include "area.h"
#include "live_patch.h"
#include "text.h"

#include <sched.h>
#include <sys/wait.h>

#define EVENT		TRACEFS "events/lock/lock_acquire/"
#define NR_WORKERS	2
#define NR_OPERATIONS	100
/* A magazine is filled with up to 32 chunks at a time, but with fewer in the beginning. */
#define FEW		(NR_OPERATIONS / 8)
#define MAX_LOCKS	1024
#define NAME_MAX_LENGTH	64
#define TEXT_ROOM	1024

/*
 * The locks of the module. Linux names a lock after the expression that it was set up with; the locks
 * of waitqueues and of xarrays have names of Linux's own. scripts/house.py checks that none is
 * missing.
 */
static const char *const names[] = {
	"&objects->lock", "&m->lock", "&ra->lock", "&fa->quarantine_lock", "queue.lock", "(queue).lock",
	"failure_lock", "&mmi->lock", "&mmi->root_lock", "&inst->device_lock", "&mf->lend_lock",
	"&mf->revoke_lock", "&mf->wait", "asked_lock", "files_lock", "&buffer->lock", "set_lock",
	"users_lock", "&xa->xa_lock", "&cleaner->lock", "tmm_cleaner_sleepers.lock",
	"(tmm_cleaner_sleepers).lock",
};

/**
 * worker - a process with a client of its own
 * @fd: the client
 * @areas: areas of one page, one for each operation of touch_areas()
 */
struct worker {
	int fd;
	char *areas[NR_OPERATIONS];
};

typedef int (*operation_fn)(struct worker *worker, unsigned int i);

/**
 * lock - a lock that was taken
 * @address: the address, hashed as the event shows it
 * @name: its name
 * @nr: how often each worker has taken the lock
 */
struct lock {
	unsigned long long address;
	char name[NAME_MAX_LENGTH];
	unsigned int nr[NR_WORKERS];
};

/* How often both workers have taken a lock. */
#define SHARED(lock)									\
	((lock)->nr[0] < (lock)->nr[1] ? (lock)->nr[0] : (lock)->nr[1])

/* Enable the event once in the program: that changes the code of the running kernel. */
__attribute__((constructor)) static void enable(void)
{
	char filter[TEXT_ROOM] = "";
	unsigned int i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		strcat(filter, i ? " || name == \"" : "name == \"");
		strcat(strcat(filter, names[i]), "\"");
	}
	live_patch_begin();
	text_write(TRACEFS "tracing_on", "0");
	text_write(EVENT "filter", filter);
	text_write(EVENT "enable", "1");
	live_patch_end();
}

__attribute__((destructor)) static void disable(void)
{
	live_patch_begin();
	text_write(EVENT "enable", "0");
	text_write(TRACEFS "set_event_pid", "");
	text_write(TRACEFS "trace", "");
	text_write(EVENT "filter", "0");
	text_write(TRACEFS "tracing_on", "1");
	live_patch_end();
}

/* --- operations ---------------------------------------------------------------------------- */

static int allocate_frames(struct worker *worker, __u64 nr)
{
	struct theseus_mm_allocate call = { .size = nr };

	return uapi_allocate_frames(worker->fd, &call) ?: uapi_drop(worker->fd, call.handle);
}

static int allocate_a_frame(struct worker *worker, unsigned int i)
{
	(void)i;
	return allocate_frames(worker, 1);
}

static int allocate_two_frames(struct worker *worker, unsigned int i)
{
	(void)i;
	return allocate_frames(worker, 2);
}

static int allocate_a_page(struct worker *worker, unsigned int i)
{
	struct theseus_mm_allocate call = { .size = 1 };

	(void)i;
	return uapi_allocate_pages(worker->fd, &call) ?: uapi_drop(worker->fd, call.handle);
}

static int create_a_mapping(struct worker *worker, unsigned int i)
{
	struct theseus_mm_create_mapping mapping;

	(void)i;
	return uapi_create_mapping(worker->fd, PAGE, THESEUS_MM_PTE_DATA, &mapping) ?:
	       uapi_drop(worker->fd, mapping.handle);
}

static int touch_an_area(struct worker *worker, unsigned int i)
{
	return *(volatile char *)worker->areas[i];
}

/* --- workers ------------------------------------------------------------------------------- */

/*
 * Each area has an entry of its own for the same page, so the first touch of each is a fault. While
 * the mapping exists, its page tables stay.
 */
static int make_areas(struct worker *worker)
{
	struct theseus_mm_create_mapping mapping;
	__u64 offset, nr_bytes;
	unsigned int i;
	int err;

	err = uapi_create_mapping(worker->fd, PAGE, THESEUS_MM_PTE_DATA, &mapping);
	err = err ?: uapi_map_offset(worker->fd, mapping.handle, &offset, &nr_bytes);
	for (i = 0; i < NR_OPERATIONS && !err; i++) {
		worker->areas[i] = mmap(NULL, PAGE, R, MAP_SHARED, worker->fd, offset);
		if (worker->areas[i] == MAP_FAILED)
			err = -errno;
	}
	return err;
}

static int repeat(struct worker *worker, operation_fn operation)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < NR_OPERATIONS && !err; i++)
		err = operation(worker, i);
	return err;
}

/* A round that is not counted fills the magazines. Touching an area is done only once. */
static int prepare(struct worker *worker, operation_fn operation, int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		return -errno;
	worker->fd = uapi_open(NULL);
	if (worker->fd < 0)
		return worker->fd;
	return make_areas(worker) ?: operation == touch_an_area ? 0 : repeat(worker, operation);
}

/* A worker stops twice: before its operations, and after them, when it still owns its memory. */
static void work(operation_fn operation, int cpu)
{
	struct worker worker = {};

	if (prepare(&worker, operation, cpu))
		_exit(1);
	raise(SIGSTOP);
	if (repeat(&worker, operation))
		_exit(2);
	raise(SIGSTOP);
	_exit(0);
}

/* Wait until all workers have stopped. Return: false if one has ended. */
static bool have_stopped(const pid_t *workers)
{
	bool all = true;
	int i, status;

	for (i = 0; i < NR_WORKERS; i++)
		all &= waitpid(workers[i], &status, WUNTRACED) == workers[i] && WIFSTOPPED(status);
	return all;
}

static void go_on(const pid_t *workers)
{
	int i;

	for (i = 0; i < NR_WORKERS; i++)
		kill(workers[i], SIGCONT);
}

/* Record the locks that the workers take between their two stops. */
static bool record(const pid_t *workers)
{
	char pids[64];
	bool ok;

	snprintf(pids, sizeof(pids), "%d %d", workers[0], workers[1]);
	ok = have_stopped(workers) && text_write(TRACEFS "set_event_pid", pids) &&
	     text_write(TRACEFS "trace", "") && text_write(TRACEFS "tracing_on", "1");
	go_on(workers);
	ok = ok && have_stopped(workers);
	return text_write(TRACEFS "tracing_on", "0") && ok;
}

/* Return: true if all workers ended without an error. */
static bool have_ended(const pid_t *workers)
{
	bool all = true;
	int i, status;

	go_on(workers);
	for (i = 0; i < NR_WORKERS; i++)
		all &= waitpid(workers[i], &status, 0) == workers[i] && WIFEXITED(status) &&
		       !WEXITSTATUS(status);
	return all;
}

/* --- the locks ----------------------------------------------------------------------------- */

/* Count a line "COMMAND-PID [CPU] FLAGS TIME: lock_acquire: ADDRESS [try ][read ]NAME". */
static void count_line(char *line, const pid_t *workers, struct lock *locks)
{
	char *at = strstr(line, ": lock_acquire: "), *dash = strchr(line, '-'), *name;
	unsigned long long address;
	int pid, i = 0;

	if (!at || !dash)
		return;
	pid = atoi(dash + 1);
	address = strtoull(at + strlen(": lock_acquire: "), &name, 16);
	name += strspn(name, " ");
	name += strncmp(name, "try ", 4) ? 0 : 4;
	name += strncmp(name, "read ", 5) ? 0 : 5;
	while (i < MAX_LOCKS - 1 && locks[i].address && locks[i].address != address)
		i++;
	locks[i].address = address;
	snprintf(locks[i].name, sizeof(locks[i].name), "%s", name);
	locks[i].nr[0] += pid == workers[0];
	locks[i].nr[1] += pid == workers[1];
}

FIXTURE(count)
{
	int fd;
	struct theseus_mm_info start;
	pid_t workers[NR_WORKERS];
	struct lock locks[MAX_LOCKS];
	char *text;
};

FIXTURE_SETUP(count)
{
	CLIENT_SETUP();
	ASSERT_LE(NR_WORKERS, sysconf(_SC_NPROCESSORS_ONLN));
	memset(self->locks, 0, sizeof(self->locks));
	self->text = NULL;
}

FIXTURE_TEARDOWN(count)
{
	free(self->text);
	CLIENT_TEARDOWN();
}

/* Let the workers repeat @operation, and set self->locks to the module's locks that they took. */
#define COUNT(operation)								\
	do {										\
		char *_line, *_rest;							\
		int _i;									\
											\
		for (_i = 0; _i < NR_WORKERS; _i++) {					\
			self->workers[_i] = fork();					\
			if (!self->workers[_i])						\
				work(operation, _i);					\
			ASSERT_LT(0, self->workers[_i]);				\
		}									\
		EXPECT_TRUE(record(self->workers));					\
		EXPECT_TRUE(have_ended(self->workers));					\
		self->text = text_of(TRACEFS "trace");					\
		ASSERT_NE(NULL, self->text);						\
		EXPECT_EQ(NULL, strstr(self->text, "LOST"));				\
		for (_line = strtok_r(self->text, "\n", &_rest); _line;			\
		     _line = strtok_r(NULL, "\n", &_rest))				\
			count_line(_line, self->workers, self->locks);			\
	} while (0)

/* Return: the lock that both workers have taken most often, or an empty one. */
static const struct lock *most_shared(const struct lock *locks)
{
	const struct lock *most = &locks[MAX_LOCKS - 1];
	int i;

	for (i = 0; i < MAX_LOCKS; i++)
		if (SHARED(&locks[i]) > SHARED(most))
			most = &locks[i];
	return most;
}

/* Return: how often the workers have taken locks of the module. */
static unsigned int taken(const struct lock *locks)
{
	unsigned int nr = 0;
	int i;

	for (i = 0; i < MAX_LOCKS; i++)
		nr += locks[i].nr[0] + locks[i].nr[1];
	return nr;
}

/* The workers took locks of the module, but hardly ever the same ones. */
#define EXPECT_NONE_SHARED()								\
	do {										\
		const struct lock *_most = most_shared(self->locks);			\
											\
		EXPECT_LE(NR_OPERATIONS, taken(self->locks));				\
		EXPECT_GE(FEW, SHARED(_most))						\
			TH_LOG("both take %s", _most->name);				\
	} while (0)

TEST_F(count, single_frames_share_no_lock)
{
	COUNT(allocate_a_frame);
	EXPECT_NONE_SHARED();
}

TEST_F(count, single_pages_share_no_lock)
{
	COUNT(allocate_a_page);
	EXPECT_NONE_SHARED();
}

TEST_F(count, mappings_of_one_page_share_no_lock)
{
	COUNT(create_a_mapping);
	EXPECT_NONE_SHARED();
}

TEST_F(count, faults_share_no_lock)
{
	COUNT(touch_an_area);
	EXPECT_NONE_SHARED();
}

/* The test sees a lock that both take: two frames come from the shared free set. */
TEST_F(count, two_frames_share_the_allocators_lock)
{
	const struct lock *most;

	COUNT(allocate_two_frames);
	most = most_shared(self->locks);
	EXPECT_STREQ("&ra->lock", most->name);
	EXPECT_LE(NR_OPERATIONS, SHARED(most));
}

TEST_HARNESS_MAIN
