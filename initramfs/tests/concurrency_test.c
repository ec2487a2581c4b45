// SPDX-License-Identifier: GPL-2.0
/* Debug kernel: KASAN and lockdep find races. */
/* Races: calls of many threads and processes. */
/*
 * Many calls at once: threads on one mapping, processes on one module. Nobody may see bytes of
 * another owner, and at the end all memory must be free.
 */
#include "client.h"

#include <pthread.h>
#include <signal.h>

/* --- different calls on one mapping -------------------------------------------------------- */

#define NR_PAGES	8

/**
 * crowd - the state that the threads of the tests below share
 * @fd: the client
 * @handle: the mapping; split and merge change the handle
 * @rounds: rounds of each thread
 * @wrong: an unexpected error, or a byte that nobody wrote
 */
struct crowd {
	int fd;
	__u32 handle;
	int rounds;
	int wrong;
};

static void note_wrong(struct crowd *crowd, int what)
{
	int none = 0;

	__atomic_compare_exchange_n(&crowd->wrong, &none, what, false, __ATOMIC_RELAXED,
				    __ATOMIC_RELAXED);
}

/* Another thread may have borrowed the mapping, or be changing it at this moment. */
static bool is_expected(int err)
{
	return !err || err == -EBUSY || err == -ENOENT;
}

static __u32 current_handle(struct crowd *crowd)
{
	return __atomic_load_n(&crowd->handle, __ATOMIC_ACQUIRE);
}

#define WRONG_BYTES	4242

/* A writer has the mapping for itself: no reader sees half of what the writer writes. */
static void check_whole(struct crowd *crowd, const unsigned char *content)
{
	size_t i;

	for (i = 0; i < NR_PAGES * PAGE; i++)
		if (content[i] > 15 || content[i] != content[0])
			note_wrong(crowd, WRONG_BYTES);
}

static void *reader(void *argument)
{
	static __thread unsigned char content[NR_PAGES * PAGE];
	struct crowd *crowd = argument;
	int i, err;

	for (i = 0; i < crowd->rounds; i++) {
		err = uapi_read(crowd->fd, current_handle(crowd), 0, content, sizeof(content));
		if (!err)
			check_whole(crowd, content);
		/* the halves of a split mapping are shorter */
		else if (!is_expected(err) && err != -ERANGE)
			note_wrong(crowd, err);
	}
	return NULL;
}

static void *writer(void *argument)
{
	static __thread unsigned char content[NR_PAGES * PAGE];
	struct crowd *crowd = argument;
	int i, err;

	for (i = 0; i < crowd->rounds; i++) {
		memset(content, i % 16, sizeof(content));
		err = uapi_write(crowd->fd, current_handle(crowd), 0, content, sizeof(content));
		if (!is_expected(err) && err != -ERANGE && err != -EACCES)
			note_wrong(crowd, err);
	}
	return NULL;
}

static void *remapper(void *argument)
{
	struct crowd *crowd = argument;
	int i, err;

	for (i = 0; i < crowd->rounds; i++) {
		err = uapi_remap(crowd->fd, current_handle(crowd),
				 i % 2 ? THESEUS_MM_PTE_DATA : READ_ONLY);
		if (!is_expected(err))
			note_wrong(crowd, err);
	}
	return NULL;
}

/* Only this thread changes the handle. */
static void *splitter(void *argument)
{
	struct crowd *crowd = argument;
	__u32 first, second;
	int i, err;

	for (i = 0; i < crowd->rounds; i++) {
		err = uapi_split(crowd->fd, crowd->handle, 3 * PAGE, &first, &second);
		if (err) {
			if (!is_expected(err))
				note_wrong(crowd, err);
			continue;
		}
		__atomic_store_n(&crowd->handle, first, __ATOMIC_RELEASE);
		/*
		 * the other threads borrow the halves now and then; retry the merge until both
		 * halves are free
		 */
		do {
			err = uapi_merge(crowd->fd, first, second);
		} while (is_expected(err) && err);
		if (err) {
			note_wrong(crowd, err);
			return NULL;
		}
	}
	return NULL;
}

static int run_crowd(struct crowd *crowd, void *(*const *functions)(void *), unsigned int nr)
{
	pthread_t threads[8];
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (pthread_create(&threads[i], NULL, functions[i], crowd))
			return -1;
	for (i = 0; i < nr; i++)
		pthread_join(threads[i], NULL);
	return crowd->wrong;
}

#define CROWD(number)									\
	{										\
		.fd = self->fd,								\
		.handle = MAPPING(NR_PAGES).handle,					\
		.rounds = (number),							\
	}

TEST_F(client, readers_and_writers)
{
	void *(*const functions[])(void *) = { reader, reader, writer, writer };
	struct crowd crowd = CROWD(60);

	EXPECT_EQ(0, run_crowd(&crowd, functions, ARRAY_SIZE(functions)));
}

TEST_F(client, access_while_the_flags_change)
{
	void *(*const functions[])(void *) = { reader, writer, remapper, remapper };
	struct crowd crowd = CROWD(60);

	EXPECT_EQ(0, run_crowd(&crowd, functions, ARRAY_SIZE(functions)));
}

TEST_F(client, access_while_it_is_split_and_merged)
{
	void *(*const functions[])(void *) = { reader, writer, splitter };
	struct crowd crowd = CROWD(60);

	EXPECT_EQ(0, run_crowd(&crowd, functions, ARRAY_SIZE(functions)));
	EXPECT_EQ(1, INFO().client_handles);
	EXPECT_EQ(NR_PAGES, QUERY(crowd.handle).nr_pages);
}

/* Readers never exclude each other. */
static void *strict_reader(void *argument)
{
	static __thread unsigned char content[NR_PAGES * PAGE];
	struct crowd *crowd = argument;
	int i, err;

	for (i = 0; i < crowd->rounds; i++) {
		err = uapi_read(crowd->fd, crowd->handle, 0, content, sizeof(content));
		if (err)
			note_wrong(crowd, err);
	}
	return NULL;
}

TEST_F(client, readers_do_not_keep_each_other_out)
{
	void *(*const functions[])(void *) = { strict_reader, strict_reader, strict_reader };
	struct crowd crowd = CROWD(60);

	EXPECT_EQ(0, run_crowd(&crowd, functions, ARRAY_SIZE(functions)));
}

static void *dropper(void *argument)
{
	struct crowd *crowd = argument;
	int err;

	do {
		err = uapi_drop(crowd->fd, crowd->handle);
	} while (err == -EBUSY);
	if (err)
		note_wrong(crowd, err);
	return NULL;
}

TEST_F(client, access_while_it_is_dropped)
{
	void *(*const functions[])(void *) = { reader, writer, dropper };
	int i;

	for (i = 0; i < 10; i++) {
		struct crowd crowd = CROWD(8);

		EXPECT_EQ(0, run_crowd(&crowd, functions, ARRAY_SIZE(functions)));
		EXPECT_GONE(crowd.handle);
	}
	EXPECT_ALL_BACK();
}

/* --- while it is borrowed ------------------------------------------------------------------ */

#define LONG_READ	(32UL << 20)
#define NR_ATTEMPTS	100
#define MARK		0x99

/**
 * long_read - a READ that takes so long that other calls come in between
 * @crowd: client and handle
 * @buffer: LONG_READ bytes; the first becomes MARK once the READ has started, and the last not
 *          before all others are copied
 * @err: result of the READ
 * @done: the READ has ended
 */
struct long_read {
	struct crowd *crowd;
	unsigned char *buffer;
	int err;
	bool done;
};

static void *read_for_long(void *argument)
{
	struct long_read *long_read = argument;
	struct crowd *crowd = long_read->crowd;

	long_read->err = uapi_read(crowd->fd, crowd->handle, 0, long_read->buffer,
				   LONG_READ);
	__atomic_store_n(&long_read->done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* Has the READ not copied the last byte yet? Then the mapping is still borrowed. */
static bool is_going_on(const struct long_read *long_read)
{
	return __atomic_load_n(&long_read->buffer[LONG_READ - 1], __ATOMIC_ACQUIRE) != MARK;
}

static bool is_done(const struct long_read *long_read)
{
	return __atomic_load_n(&long_read->done, __ATOMIC_ACQUIRE);
}

static int borrowed_split(int fd, __u32 handle)
{
	__u32 first, second;

	return uapi_split(fd, handle, PAGE, &first, &second);
}

static int borrowed_unmap(int fd, __u32 handle)
{
	__u32 pages, frames[8], nr = 8;

	return uapi_unmap_into_parts(fd, handle, &pages, frames, &nr);
}

static int borrowed_remap(int fd, __u32 handle)
{
	return uapi_remap(fd, handle, READ_ONLY);
}

static int borrowed_write(int fd, __u32 handle)
{
	return uapi_write(fd, handle, 5, "x", 1);
}

static int (*const changes[])(int fd, __u32 handle) = {
	uapi_drop, borrowed_split, borrowed_unmap, borrowed_remap, borrowed_write,
};

/* Return: false if the READ ended before all calls were tried; the caller then tries again. */
static bool try_while_borrowed(struct crowd *crowd, struct long_read *long_read,
			       int results[ARRAY_SIZE(changes)])
{
	pthread_t thread;
	unsigned int i;
	bool in_time;

	memset(long_read->buffer, 0, LONG_READ);
	long_read->done = false;
	if (pthread_create(&thread, NULL, read_for_long, long_read))
		return false;
	while (__atomic_load_n(long_read->buffer, __ATOMIC_RELAXED) != MARK && !is_done(long_read))
		sched_yield();
	for (i = 0; i < ARRAY_SIZE(changes); i++)
		results[i] = changes[i](crowd->fd, crowd->handle);
	in_time = is_going_on(long_read);
	pthread_join(thread, NULL);
	return in_time;
}

TEST_F(client, a_borrowed_mapping_refuses_to_change)
{
	struct crowd crowd = { .fd = self->fd };
	const unsigned char mark = MARK;
	struct long_read long_read = { .crowd = &crowd, .buffer = malloc(LONG_READ) };
	int results[ARRAY_SIZE(changes)], attempt;
	struct snapshot before, after;
	char text[SNAPSHOT_TEXT];
	bool in_time = false;
	unsigned int i;

	ASSERT_NE(NULL, long_read.buffer);
	for (attempt = 0; attempt < NR_ATTEMPTS && !in_time; attempt++) {
		/* what an earlier attempt has split or unmapped goes with its client */
		close(self->fd);
		self->fd = uapi_open(NULL);
		crowd.fd = self->fd;
		crowd.handle = MAPPING(LONG_READ / PAGE).handle;
		ASSERT_EQ(0, uapi_write(self->fd, crowd.handle, 0, &mark, 1));
		ASSERT_EQ(0, uapi_write(self->fd, crowd.handle, LONG_READ - 1, &mark, 1));
		snapshot_take(&before, self->fd, &crowd.handle, 1);
		in_time = try_while_borrowed(&crowd, &long_read, results);
	}
	ASSERT_TRUE(in_time);
	for (i = 0; i < ARRAY_SIZE(changes); i++)
		EXPECT_EQ(-EBUSY, results[i]);
	EXPECT_EQ(0, long_read.err);
	snapshot_take(&after, self->fd, &crowd.handle, 1);
	EXPECT_STREQ("", snapshot_difference(&before, &after, text));
	EXPECT_EQ(0, uapi_remap(self->fd, crowd.handle, READ_ONLY));
}

/* The last descriptor is closed during a call: the call finishes first. */
static void *closer(void *argument)
{
	struct crowd *crowd = argument;

	close(crowd->fd);
	return NULL;
}

static void *busy_reader(void *argument)
{
	static __thread unsigned char content[NR_PAGES * PAGE];
	struct crowd *crowd = argument;
	int i, err;

	for (i = 0; i < crowd->rounds; i++) {
		err = uapi_read(crowd->fd, crowd->handle, 0, content, sizeof(content));
		if (err == -EBADF)
			break;
		if (err)
			note_wrong(crowd, err);
	}
	return NULL;
}

TEST_F(client, access_while_the_client_is_closed)
{
	void *(*const functions[])(void *) = { busy_reader, busy_reader, closer };
	struct theseus_mm_create_mapping mapping;
	struct crowd crowd = { .rounds = 20 };
	int i;

	for (i = 0; i < 10; i++) {
		crowd.fd = uapi_open(NULL);
		ASSERT_EQ(0, uapi_create_mapping(crowd.fd, NR_PAGES * PAGE, THESEUS_MM_PTE_DATA,
						 &mapping));
		crowd.handle = mapping.handle;
		EXPECT_EQ(0, run_crowd(&crowd, functions, ARRAY_SIZE(functions)));
		EXPECT_ALL_BACK();
	}
}

/* --- several processes ------------------------------------------------------------------------ */

#define NR_PROCESSES	4

/* Do all bytes have the value @value? */
static bool is_all(const unsigned char *content, size_t length, unsigned char value)
{
	while (length--)
		if (*content++ != value)
			return false;
	return true;
}

/* New memory is zero, and keeps what is written until it is dropped. */
static int live_and_let_live(int fd, unsigned char mine, unsigned int nr_pages)
{
	static unsigned char content[64 * PAGE];
	struct theseus_mm_create_mapping mapping;
	size_t length = nr_pages * PAGE;

	if (uapi_create_mapping(fd, length, THESEUS_MM_PTE_DATA, &mapping))
		return 2;
	if (uapi_read(fd, mapping.handle, 0, content, length) || !is_all(content, length, 0))
		return 3;
	memset(content, mine, length);
	if (uapi_write(fd, mapping.handle, 0, content, length))
		return 4;
	sched_yield();
	memset(content, 0, length);
	if (uapi_read(fd, mapping.handle, 0, content, length) || !is_all(content, length, mine))
		return 5;
	return uapi_drop(fd, mapping.handle) ? 6 : 0;
}

static int one_process(unsigned char mine, int rounds)
{
	int fd = uapi_open(NULL), i, wrong = fd < 0;

	for (i = 0; !wrong && i < rounds; i++)
		wrong = live_and_let_live(fd, mine, 1 + (i * 7 + mine) % 64);
	return wrong;
}

TEST_F(client, content_never_crosses_processes)
{
	pid_t children[NR_PROCESSES];
	int i, status;

	for (i = 0; i < NR_PROCESSES; i++) {
		children[i] = fork();
		ASSERT_LE(0, children[i]);
		if (!children[i])
			_exit(one_process(0x11 * (i + 1), 25));
	}
	for (i = 0; i < NR_PROCESSES; i++) {
		ASSERT_EQ(children[i], waitpid(children[i], &status, 0));
		EXPECT_EQ(0, status);
	}
	EXPECT_ALL_BACK();
}

/* The kill of some processes, at any moment, does not disturb the others. */
TEST_F(client, deaths_do_not_disturb_the_living)
{
	pid_t victim, living = fork();
	int i, status;

	ASSERT_LE(0, living);
	if (!living)
		_exit(one_process(0x77, 30));
	for (i = 0; i < 10; i++) {
		victim = fork();
		ASSERT_LE(0, victim);
		if (!victim)
			_exit(one_process(0x88, 1000000));
		usleep(20000 + i * 3001);
		kill(victim, SIGKILL);
		ASSERT_EQ(victim, waitpid(victim, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status));
	}
	ASSERT_EQ(living, waitpid(living, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_ALL_BACK();
}

TEST_HARNESS_MAIN
