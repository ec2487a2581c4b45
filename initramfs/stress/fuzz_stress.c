// SPDX-License-Identifier: GPL-2.0
/*
 * The storm: lives of random calls, areas, descriptors, processes and signals, by root and by
 * nobody, one after the other and beside each other, as long as STRESS_SECONDS says. STRESS_SEED
 * decides all that they do, and STRESS_LIFE runs only one of them. A client beside the storm has
 * to work as if it were alone.
 */
#include "calls.h"
#include "life.h"
#include "neighbour.h"
#include "run.h"

#include <poll.h>

#include "pci.h"

#define NR_RUNNING		2
#define NEIGHBOUR_DOMAIN	1

/**
 * struct running - a life and its processes
 * @leader: the first process, or 0
 * @end: the end of a pipe that all processes of the life hold, until the last is gone
 * @started: when the life began
 * @killed: when the life was killed, or 0
 */
struct running {
	struct life life;
	pid_t leader;
	int end;
	double started;
	double killed;
};

struct storm {
	uint64_t seed;
	unsigned int next_life;
	unsigned int last_life;
	uint64_t device;
	struct running running[NR_RUNNING];
};

static void start_life(struct storm *storm, struct running *running)
{
	int ends[2];

	running->life = life_choose(storm->seed, storm->next_life++);
	running->started = now();
	running->killed = 0;
	if (pipe(ends)) {
		life_wrong(&running->life, "no pipe", errno);
		return;
	}
	running->leader = fork();
	if (!running->leader) {
		close(ends[0]);
		life_live(&running->life, storm->device);
	}
	close(ends[1]);
	running->end = ends[0];
	if (running->leader < 0) {
		life_wrong(&running->life, "no process", errno);
		running->leader = 0;
		close(ends[0]);
	}
}

static void kill_life(struct running *running)
{
	if (!running->killed)
		running->killed = now();
	kill(running->leader, SIGKILL);
	kill(-running->leader, SIGKILL);
}

/* Return: have all processes of the life ended? */
static bool has_ended(struct running *running)
{
	struct pollfd polled = { .fd = running->end };
	int status;

	/* a process that ends closes the pipe first, and may still wait for something else */
	if (!poll(&polled, 1, 0) ||
	    waitpid(running->leader, &status, WNOHANG) != running->leader)
		return false;
	if (status && !(running->killed && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL))
		life_wrong(&running->life, "the first process ended with a status", status);
	close(running->end);
	running->leader = 0;
	return true;
}

/* Return: false once the life has waited too long */
static bool watch_life(struct running *running)
{
	double age = now() - running->started;
	const char *what = running->killed ? "a killed process does not end" :
					     "a process waits for ever";

	if (has_ended(running))
		return true;
	if (now() - (running->killed ? running->killed : running->started) > PATIENCE) {
		life_wrong(&running->life, what, 0);
		if (running->killed)
			return false;
		kill_life(running);
	}
	if (running->life.kill_after_ms && !running->killed &&
	    age * 1000 > running->life.kill_after_ms)
		kill_life(running);
	return true;
}

/* Does the device that the calls need exist? */
static bool can_succeed(const struct storm *storm, uint64_t features, enum call call)
{
	switch (call) {
	case CALL_EXPORT_DMABUF:
		return features & THESEUS_MM_FEATURE_DMABUF;
	case CALL_ADD_DEVICE_REGION:
	case CALL_REMOVE_DEVICE_REGION:
	case CALL_MAP_FRAME_RANGE:
		return storm->device;
	default:
		return true;
	}
}

/* The only life of a run ends by itself. */
static void end_storm(struct storm *storm)
{
	unsigned int i;

	for (i = 0; i < NR_RUNNING; i++) {
		struct running *running = &storm->running[i];

		if (storm->last_life == UINT32_MAX && running->leader)
			kill_life(running);
		while (running->leader && watch_life(running))
			usleep(10000);
	}
}

static void rage(struct storm *storm, double seconds)
{
	double begin = now();
	unsigned int i;

	while (storm->next_life <= storm->last_life && now() - begin < seconds) {
		for (i = 0; i < NR_RUNNING && storm->next_life <= storm->last_life; i++) {
			if (!storm->running[i].leader)
				start_life(storm, &storm->running[i]);
			else if (!watch_life(&storm->running[i]))
				return;
		}
		usleep(5000);
	}
	end_storm(storm);
}

static void end_neighbour(pid_t neighbour)
{
	double begin = now();
	int status = 0;
	pid_t ended;

	__atomic_store_n(&record->stop, 1, __ATOMIC_RELAXED);
	while (!(ended = waitpid(neighbour, &status, WNOHANG)) && now() - begin < PATIENCE)
		usleep(10000);
	if (!ended) {
		record_wrong("the client beside the storm does not end");
		end_process(neighbour, "the client beside the storm");
		return;
	}
	if (ended < 0 || status)
		record_wrong("the client beside the storm ended with status %#x", status);
}

/*
 * Remove the device regions that lives have added, as values.c chooses them.
 *
 * Return: false if somebody still owns a frame of one of them
 */
static bool remove_device_regions(int fd, uint64_t device)
{
	static const unsigned int pages[] = { 0, 16, 512 }, sizes[] = { 1, 16, 512 };
	bool is_busy = false;
	unsigned int i, k;

	for (i = 0; device && i < 3; i++)
		for (k = 0; k < 3; k++)
			is_busy |= uapi_remove_device_region(fd, device + pages[i] * UAPI_PAGE_SIZE,
							     sizes[k] * UAPI_PAGE_SIZE) == -EBUSY;
	return !is_busy;
}

/*
 * In quarantine, a device frame that was mmapped would stay, and with it the region. Return: the
 * device memory that the storm may use, or 0
 */
static uint64_t find_device(uint64_t features)
{
	return features & THESEUS_MM_FEATURE_QUARANTINE ? 0 :
	       pci_find_bar(0x1af4, 0x1110, 2) & ~0xfULL;
}

/* With fewer tries, a call that seldom succeeds may not have succeeded by chance. */
#define ENOUGH	500

static void check_calls(const struct storm *storm, uint64_t features)
{
	unsigned int nr_checked = 0, nr;
	enum call call;

	for (call = 0; call < NR_CALLS; call++) {
		nr = record_total(call) - record->counts[call][EPERM];
		if (nr < ENOUGH || !can_succeed(storm, features, call))
			continue;
		nr_checked++;
		if (!record_successes(call))
			record_wrong("%s: made %u times, never with success", calls[call].name, nr);
	}
	printf("# %u calls were made often enough to expect a success\n", nr_checked);
	nr = record->counts[CALL_CREATE_MAPPING][EDQUOT];
	if (nr > record_total(CALL_CREATE_MAPPING) / 2)
		record_wrong("CREATE_MAPPING: %u times no quota: the storm has no memory left", nr);
}

/* Return: the number of operations */
static unsigned long long check_operations(const struct storm *storm, uint64_t features)
{
	unsigned long long sum = 0;
	unsigned int i;

	for (i = 0; i < RECORD_OPERATIONS; i++)
		sum += record_total(i);
	for (i = 0; i < NR_CALLS; i++)
		record_print(calls[i].name, i);
	worker_print_actions(ENOUGH, features & THESEUS_MM_FEATURE_STRUCT_PAGES);
	check_calls(storm, features);
	return sum;
}

/* init loads the module with what the name of the program asks for. */
static bool is_for(const char *word, uint64_t features, uint64_t feature)
{
	return !!strstr(program_invocation_short_name, word) == !!(features & feature);
}

TEST_F_TIMEOUT(run, storm, NO_TIMEOUT)
{
	unsigned int first = number_of("STRESS_LIFE", 0);
	struct storm storm = {
		.seed = self->seed,
		.next_life = first,
		.last_life = number_of("STRESS_LIFE", UINT32_MAX),
		.device = find_device(self->start.features),
	};
	unsigned long long nr_operations;
	double begin = now();
	pid_t neighbour;

	ASSERT_TRUE(is_for("_pages_", self->start.features, THESEUS_MM_FEATURE_STRUCT_PAGES));
	ASSERT_TRUE(is_for("_quarantine_", self->start.features, THESEUS_MM_FEATURE_QUARANTINE));
	ASSERT_TRUE(storm.device || self->start.features & THESEUS_MM_FEATURE_QUARANTINE);
	ASSERT_EQ(0, limit_users(self->start.frames_total * 3 / 8, self->start.pages_total / 4, 4096));
	neighbour = fork();
	ASSERT_LE(0, neighbour);
	if (!neighbour)
		neighbour_live(storm.seed, NEIGHBOUR_DOMAIN);
	rage(&storm, self->seconds);
	end_neighbour(neighbour);
	EXPECT_NE(0, record->beats);
	EXPECT_TRUE(BECOMES(remove_device_regions(self->fd, storm.device)));
	nr_operations = check_operations(&storm, self->start.features);
	/* a single life may be killed soon, or have devices */
	EXPECT_TRUE((nr_operations && record->nr_looks) || storm.last_life != UINT32_MAX);
	printf("# FIGURES storm: %llu operations in %.0f s, %u lives, %u looks at content, %u rounds beside\n",
	       nr_operations, now() - begin, storm.next_life - first, record->nr_looks, record->beats);
}

TEST_HARNESS_MAIN
