// SPDX-License-Identifier: GPL-2.0
/*
 * Deaths: clients that are killed at random moments, in each call; one client that takes all memory
 * beside another; very many handles; a module that is unloaded and loaded while clients try to use
 * it. After each of them everything is free again, in the same pieces. STRESS_SEED decides the
 * random numbers, and STRESS_SECONDS the time.
 */
#include "fault.h"
#include "life.h"
#include "neighbour.h"
#include "run.h"
#include "values.h"

#include <sys/socket.h>

#include "module.h"
#include "pci.h"

static pid_t start_process(void (*live)(void *argument), void *argument)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		live(argument);
		_exit(0);
	}
	return pid;
}

/* Return: the numbers of the program's own choices */
static struct random choices(__u64 seed)
{
	return random_for(seed, ~0ULL);
}

/* --- killed in every call --------------------------------------------------------------------- */

/**
 * struct victim - a client that is killed
 * @call: the call that the victim makes again and again
 * @nr_calls: how often the victim has made that call; shared with the parent
 */
struct victim {
	struct life life;
	enum call call;
	uint32_t *nr_calls;
	pid_t pid;
};

/* Make one kind of call again and again, with others in between that make objects for it. */
static void live_as_victim(void *argument)
{
	const struct victim *victim = argument;
	static struct worker worker;
	static struct pool pool;
	int sockets[2];

	fault_catch();
	if (!become_user(victim->life.is_root ? 0 : NOBODY) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sockets) ||
	    !pool_start(&pool, sockets[0], 0) ||
	    !worker_start(&worker, &victim->life, &pool, 0))
		_exit(1);
	for (;;) {
		worker_step(&worker);
		worker_call(&worker, victim->call);
		__atomic_fetch_add(victim->nr_calls, 1, __ATOMIC_RELAXED);
	}
}

static void start_victim(struct victim *victim, __u64 seed, unsigned int number)
{
	victim->nr_calls = &record->victim_calls[number % RECORD_VICTIMS];
	*victim->nr_calls = 0;
	victim->life = life_choose(seed, number);
	victim->life.has_devices = false;
	victim->call = number % NR_CALLS;
	victim->pid = start_process(live_as_victim, victim);
}

/* Kill a victim at a random moment after its first call. */
static void kill_victim(const struct victim *victim, struct random *random)
{
	double begin = now();
	char name[80];

	snprintf(name, sizeof(name), "SEED=%llu: victim %u of %s",
		 (unsigned long long)victim->life.seed, victim->life.number,
		 calls[victim->call].name);
	while (!__atomic_load_n(victim->nr_calls, __ATOMIC_RELAXED) && now() - begin < PATIENCE)
		usleep(1000);
	if (!*victim->nr_calls)
		record_wrong("%s: no call", name);
	usleep(random_below(random, 60000));
	end_process(victim->pid, name);
}

/* Kill @nr victims at least. Return: the number of the next victim */
static unsigned int kill_victims(__u64 seed, unsigned int first, unsigned int nr, double seconds)
{
	struct victim victims[RECORD_VICTIMS];
	struct random random = random_for(seed, first);
	unsigned int number = first, i;
	double begin = now();

	while (number < first + nr || now() - begin < seconds) {
		for (i = 0; i < RECORD_VICTIMS; i++)
			start_victim(&victims[i], seed, number++);
		for (i = 0; i < RECORD_VICTIMS; i++)
			kill_victim(&victims[i], &random);
	}
	return number;
}

/* A debug kernel keeps freed memory for a while; there, kmemleak looks at the end of the boot. */
#define KMEMLEAK	"/sys/kernel/debug/kmemleak"
#define DRIFT_KILOBYTES	(4L << 10)

/* Return: the kilobytes that Linux's slabs cannot give back */
static long slab_kilobytes(void)
{
	static const char name[] = "SUnreclaim:";
	char *text, *line;
	long kilobytes;

	put_text("/proc/sys/vm/drop_caches", "3");
	sleep(1);
	text = text_of("/proc/meminfo");
	line = text ? strstr(text, name) : NULL;
	kilobytes = line ? atol(line + strlen(name)) : 0;
	free(text);
	return kilobytes;
}

/* Each call has two victims in each half. In the second half, slabs do not grow. */
TEST_F_TIMEOUT(run, clients_are_killed_in_every_call, NO_TIMEOUT)
{
	unsigned int nr = kill_victims(self->seed, 0, 2 * NR_CALLS, self->seconds / 8);
	long before, drift;

	EXPECT_ALL_RETURNED();
	before = slab_kilobytes();
	ASSERT_LT(0, before);
	nr = kill_victims(self->seed, nr, 2 * NR_CALLS, self->seconds / 8);
	EXPECT_ALL_RETURNED();
	drift = slab_kilobytes() - before;
	if (access(KMEMLEAK, F_OK))
		EXPECT_GT(DRIFT_KILOBYTES, drift);
	printf("# FIGURES death: %u clients killed, slabs grew by %ld KiB\n", nr, drift);
}

/* --- one client takes all --------------------------------------------------------------------- */

#define HOG_HANDLES	8192

static void drop_some(int fd, struct random *random, uint32_t *handles, unsigned int *nr)
{
	do {
		if (*nr && uapi_drop(fd, handles[--*nr]))
			record_wrong("the hog cannot drop a mapping");
	} while (*nr && random_below(random, 64));
}

#define HOG_ORDERS	12

/*
 * Take memory in pieces that get smaller as soon as they do not fit. Once not even a page is left,
 * give some back, and go on.
 */
static void take_all(int fd, struct random *random)
{
	static uint32_t handles[HOG_HANDLES];
	struct theseus_mm_create_mapping created;
	unsigned int nr = 0, order = HOG_ORDERS - 1;
	int err;

	for (;;) {
		err = uapi_create_mapping(fd, PAGE << order, THESEUS_MM_PTE_DATA, &created);
		if (!err)
			handles[nr++] = created.handle;
		else if (err != -EDQUOT && err != -ENOSPC)
			record_wrong("the hog gets %s", strerrorname_np(-err));
		if (err && order) {
			order--;
			continue;
		}
		if (err)
			__atomic_fetch_add(&record->nr_full, 1, __ATOMIC_RELAXED);
		if (err || nr >= HOG_HANDLES) {
			drop_some(fd, random, handles, &nr);
			order = random_below(random, HOG_ORDERS);
		}
	}
}

static void live_as_hog(void *argument)
{
	if (!become_user(NOBODY))
		_exit(1);
	take_all(uapi_open(NULL), argument);
}

TEST_F_TIMEOUT(run, one_client_takes_all_beside_another, NO_TIMEOUT)
{
	__u64 limit = self->start.frames_total - 4 * NEIGHBOUR_FRAMES;
	struct random random = choices(self->seed);
	pid_t neighbour, hogger;
	double begin = now();

	ASSERT_EQ(0, limit_users(limit, self->start.pages_total / 4, 2 * HOG_HANDLES));
	neighbour = fork();
	if (!neighbour)
		neighbour_live(self->seed, 1);
	hogger = start_process(live_as_hog, &random);
	while (now() - begin < self->seconds / 4 ||
	       (now() - begin < PATIENCE && (!record->nr_full || !record->beats)))
		usleep(10000);
	EXPECT_NE(0, record->nr_full);
	EXPECT_NE(0, record->beats);
	end_process(hogger, "the hog");
	end_process(neighbour, "the client beside the hog");
	printf("# FIGURES death: memory exhausted %u times beside %u rounds\n", record->nr_full,
	       record->beats);
}

/* --- very many handles ------------------------------------------------------------------------ */

#define NR_HANDLES	100000U
#define BATCH_ITEMS	1000U

static void fill_batch(struct theseus_mm_create_item *items)
{
	unsigned int i;

	memset(items, 0, BATCH_ITEMS * sizeof(*items));
	for (i = 0; i < BATCH_ITEMS; i++) {
		items[i].size = PAGE;
		items[i].pte_flags = THESEUS_MM_PTE_DATA;
	}
}

static unsigned int list_all(int fd)
{
	static struct theseus_mm_handle_info infos[1024];
	__u32 from = 0, nr = 0, sum = 0;

	do {
		if (uapi_list_handles(fd, 0, &from, infos, 1024, &nr))
			return 0;
		sum += nr;
	} while (from);
	return sum;
}

/* A short run of a debug kernel has time for a part of the handles only. */
#define LONG_SECONDS	120
#define HANDLES_SECONDS	(self->seconds < LONG_SECONDS ? self->seconds / 4 : 900)

TEST_F_TIMEOUT(run, a_client_owns_very_many_handles, NO_TIMEOUT)
{
	static struct theseus_mm_create_item items[BATCH_ITEMS];
	double begin = now();
	unsigned int nr;
	__u32 nr_done;
	int fd;

	ASSERT_EQ(0, limit_users(self->start.frames_total, self->start.pages_total / 2,
				 2 * NR_HANDLES));
	fd = uapi_open(NULL);
	ASSERT_EQ(0, uapi_set_limits(fd, THESEUS_MM_NO_LIMIT, NR_HANDLES));
	for (nr = 0; nr < NR_HANDLES && now() - begin < HANDLES_SECONDS; nr += BATCH_ITEMS) {
		fill_batch(items);
		ASSERT_EQ(0, uapi_create_batch(fd, 0, items, BATCH_ITEMS, &nr_done));
		ASSERT_EQ(BATCH_ITEMS, nr_done);
	}
	EXPECT_EQ(nr, list_all(fd));
	close(fd);
	printf("# FIGURES death: %u handles\n", nr);
}

/* --- the module goes and comes ---------------------------------------------------------------- */

static void is_fine(const char *call, int err)
{
	if (err)
		record_wrong("a guest: %s: %s", call, strerrorname_np(-err));
}

/*
 * Use the device whenever it exists, and close it soon. Then stay away for about four times as
 * long: the module can only be unloaded while all guests are away.
 */
static void live_as_guest(void *argument)
{
	struct random random = random_for((uintptr_t)argument, getpid());
	struct theseus_mm_create_mapping created;
	double begin;
	char byte = 1;
	int fd;

	for (;;) {
		begin = now();
		fd = uapi_open(NULL);
		if (fd >= 0) {
			created.handle = 0;
			is_fine("CREATE_MAPPING", uapi_create_mapping(fd, 16 * PAGE,
								      THESEUS_MM_PTE_DATA, &created));
			is_fine("WRITE", uapi_write(fd, created.handle, 0, &byte, 1));
			__atomic_fetch_add(&record->beats, 1, __ATOMIC_RELAXED);
			close(fd);
		}
		usleep(random_below(&random, 1000 + 8000000 * (now() - begin)));
	}
}

#define NR_GUESTS	3

/* Return: 0 or a negative errno. @nr_refusals grows while clients keep the module. */
static int unload_beside_clients(struct random *random, unsigned int *nr_refusals)
{
	double begin = now();

	while (syscall(SYS_delete_module, "theseus_mm", O_NONBLOCK)) {
		if ((errno != EAGAIN && errno != EBUSY) || now() - begin > 60)
			return -errno;
		++*nr_refusals;
		usleep(random_below(random, 2000));
	}
	return 0;
}

TEST_F_TIMEOUT(run, the_module_is_loaded_under_load, NO_TIMEOUT)
{
	struct random random = choices(self->seed);
	unsigned int nr_loads, nr_refusals = 0, i;
	static char parameters[MODULE_TEXT];
	double begin = now();
	pid_t guests[NR_GUESTS];

	module_parameters(parameters);
	close(self->fd);
	for (i = 0; i < NR_GUESTS; i++)
		guests[i] = start_process(live_as_guest, (void *)(uintptr_t)self->seed);
	for (nr_loads = 0; nr_loads < 3 || now() - begin < self->seconds / 4 ||
			   (!nr_refusals && now() - begin < PATIENCE); nr_loads++) {
		ASSERT_EQ(0, unload_beside_clients(&random, &nr_refusals));
		usleep(random_below(&random, 2000));
		ASSERT_EQ(0, module_load(parameters));
	}
	for (i = 0; i < NR_GUESTS; i++)
		end_process(guests[i], "a guest");
	self->fd = uapi_open(NULL);
	EXPECT_LE(0, self->fd);
	EXPECT_LT(0, nr_refusals);
	EXPECT_LT(0, record->beats);
	printf("# FIGURES death: %u loads, refused %u times, %u times used\n", nr_loads, nr_refusals,
	       record->beats);
}

TEST_HARNESS_MAIN
