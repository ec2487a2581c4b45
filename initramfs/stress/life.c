// SPDX-License-Identifier: GPL-2.0
#include "life.h"

#include "fault.h"
#include "process.h"
#include "record.h"
#include "values.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define MAX_THREADS	3

struct life life_choose(uint64_t seed, unsigned int number)
{
	struct random random = random_for(seed, 1000ULL * number);
	struct life life = {
		.seed = seed,
		.number = number,
		/* the domains of the clients beside the storm are below */
		.domain = 100 + number,
		.is_root = random_below(&random, 2),
		.nr_threads = random_below(&random, 2) ? 1 : 2 + random_below(&random, 2),
		.nr_operations = 50 + random_below(&random, 150),
		.kill_after_ms = random_below(&random, 2) ? 1 + random_below(&random, 3000) : 0,
	};

	life.has_crossings = life.nr_threads > 1 && random_below(&random, 2);
	life.has_devices = life.is_root && random_once_in(&random, 4);
	return life;
}

void life_wrong(const struct life *life, const char *what, int status)
{
	record_wrong("SEED=%llu LIFE=%u: %s (%#x)", (unsigned long long)life->seed, life->number,
		     what, status);
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	unsigned int i;

	for (i = 0; i < worker->life->nr_operations; i++)
		worker_step(worker);
	return NULL;
}

static void live_as(const struct life *life, unsigned int process, int socket, uint64_t device)
{
	static struct worker workers[MAX_THREADS];
	static struct pool pool;
	pthread_t threads[MAX_THREADS];
	unsigned int i, nr = 0;

	fault_catch();
	if (!pool_start(&pool, socket, device))
		life_wrong(life, "the device does not open", errno);
	for (i = 0; i < life->nr_threads; i++)
		if (!worker_start(&workers[i], life, &pool, MAX_THREADS * process + i)) {
			life_wrong(life, "a worker does not start", errno);
			return;
		}
	for (i = 1; i < life->nr_threads; i++)
		if (!pthread_create(&threads[nr], NULL, work, &workers[i]))
			nr++;
		else
			life_wrong(life, "a thread does not start", 0);
	work(&workers[0]);
	for (i = 0; i < nr; i++)
		pthread_join(threads[i], NULL);
	for (i = 0; i < life->nr_threads; i++)
		worker_end(&workers[i]);
}

void life_live(const struct life *life, uint64_t device)
{
	int sockets[2], status = 0;
	pid_t other;

	prctl(PR_SET_NAME, "storm");
	if (setpgid(0, 0) || !become_user(life->is_root ? 0 : NOBODY) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sockets))
		_exit(1);
	other = fork();
	if (other < 0)
		_exit(1);
	if (!other)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	live_as(life, !other, sockets[!other], device);
	while (other && waitpid(other, &status, 0) < 0 && errno == EINTR)
		;
	/* the storm kills this process before the other one */
	if (status)
		life_wrong(life, "the second process ended with a status", status);
	_exit(0);
}
