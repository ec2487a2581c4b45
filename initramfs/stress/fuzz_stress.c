// SPDX-License-Identifier: GPL-2.0
/*
 * The storm: lives of random calls, areas, descriptors, processes and signals, by root and by
 * nobody, one after the other and beside each other, as long as STRESS_SECONDS says. STRESS_SEED
 * decides all that they do, and STRESS_LIFE runs only one of them. A client beside the storm has
 * to work as if it were alone. In fuzz_damage_stress, memory fails, and the device goes and comes.
 */
#include "calls.h"
#include "damage.h"
#include "device.h"
#include "life.h"
#include "neighbour.h"
#include "run.h"

#include <poll.h>

#include "module.h"

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

/* Wait for a process beside the storm, which ends by itself when the record says stop. */
static void await_end(pid_t pid, const char *what)
{
	double begin = now();
	int status = 0;
	pid_t ended;

	while (!(ended = waitpid(pid, &status, WNOHANG)) && now() - begin < PATIENCE)
		usleep(10000);
	if (!ended) {
		record_wrong("%s does not end", what);
		end_process(pid, what);
		return;
	}
	if (ended < 0 || status)
		record_wrong("%s ended with status %#x", what, status);
}

/*
 * In quarantine, a device frame that was mmapped would stay, and with it the region. Return: the
 * device memory that the storm may use, or 0
 */
static uint64_t find_device(uint64_t features, bool goes)
{
	return features & THESEUS_MM_FEATURE_QUARANTINE ? 0 : device_find(goes);
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

static bool is_named(const char *word)
{
	return strstr(program_invocation_short_name, word);
}

/* init loads the module with what the name of the program asks for. */
static bool is_for(const char *word, uint64_t features, uint64_t feature)
{
	return is_named(word) == !!(features & feature);
}

static pid_t start_damage(const struct storm *storm, double seconds)
{
	pid_t pid = fork();

	if (!pid)
		damage_live(open_as(DAMAGE_USER), storm->seed, storm->device, seconds);
	return pid;
}

/* Load the module again, which forgets what is bad, and check that nothing else was lost. */
static void end_damage(struct __test_metadata *_metadata, struct _test_data_run *self,
		       bool is_whole_storm)
{
	const struct record_damage *damage = &record->damage;
	static char parameters[MODULE_TEXT];

	EXPECT_ALL_RETURNED();
	EXPECT_EQ(0, reset_parameters(self->start.pages_total));
	damage_check(self->fd, &self->start);
	EXPECT_LT(0, damage->nr_bad);
	EXPECT_LT(0, damage->nr_returns);
	EXPECT_EQ(damage->nr_removals, damage->nr_returns);
	/* a single life may end soon */
	EXPECT_TRUE(damage->nr_owned || !is_whole_storm);
	EXPECT_TRUE(damage->nr_owned < damage->nr_bad || !is_whole_storm);
	printf("# FIGURES damage: %u frames owned and %u free when they went bad, %u hit the client beside, the device went and came %u times\n",
	       damage->nr_owned, damage->nr_bad - damage->nr_owned, damage->nr_hits,
	       damage->nr_returns);
	module_parameters(parameters);
	close(self->fd);
	EXPECT_EQ(0, module_unload());
	EXPECT_EQ(0, module_load(parameters));
	EXPECT_EQ(0, chmod(UAPI_DEVICE, 0666));
	self->fd = uapi_open(NULL);
	EXPECT_LE(0, self->fd);
	record->damage.nr_bad = 0;
}

TEST_F_TIMEOUT(run, storm, NO_TIMEOUT)
{
	unsigned int first = number_of("STRESS_LIFE", 0);
	struct storm storm = {
		.seed = self->seed,
		.next_life = first,
		.last_life = number_of("STRESS_LIFE", UINT32_MAX),
		.device = find_device(self->start.features, is_named("_damage_")),
	};
	bool has_damage = is_named("_damage_"), is_whole_storm = storm.last_life == UINT32_MAX;
	pid_t neighbour, damager = 0;
	unsigned long long nr_operations;
	double begin = now();

	ASSERT_TRUE(is_for("_pages_", self->start.features, THESEUS_MM_FEATURE_STRUCT_PAGES));
	ASSERT_TRUE(is_for("_quarantine_", self->start.features, THESEUS_MM_FEATURE_QUARANTINE));
	ASSERT_TRUE(storm.device || self->start.features & THESEUS_MM_FEATURE_QUARANTINE);
	if (has_damage)
		ASSERT_TRUE(damage_prepare());
	ASSERT_EQ(0, self->start.frames_bad);
	ASSERT_EQ(0, limit_users(self->start.frames_total * 3 / 8, self->start.pages_total / 4, 4096));
	neighbour = fork();
	ASSERT_LE(0, neighbour);
	if (!neighbour)
		neighbour_live(storm.seed, NEIGHBOUR_DOMAIN);
	if (has_damage)
		damager = start_damage(&storm, self->seconds);
	ASSERT_LE(0, damager);
	rage(&storm, self->seconds);
	__atomic_store_n(&record->stop, 1, __ATOMIC_RELAXED);
	if (has_damage)
		await_end(damager, "the process that damages");
	await_end(neighbour, "the client beside the storm");
	EXPECT_NE(0, record->beats);
	EXPECT_TRUE(BECOMES(device_remove_regions(self->fd, storm.device)));
	EXPECT_TRUE(device_is_unclaimed(self->fd, storm.device));
	nr_operations = check_operations(&storm, self->start.features);
	/* a single life may be killed soon, or have devices */
	EXPECT_TRUE((nr_operations && record->nr_looks) || !is_whole_storm);
	printf("# FIGURES storm: %llu operations in %.0f s, %u lives, %u looks at content, %u rounds beside\n",
	       nr_operations, now() - begin, storm.next_life - first, record->nr_looks, record->beats);
	if (has_damage)
		end_damage(_metadata, self, is_whole_storm);
}

TEST_HARNESS_MAIN
