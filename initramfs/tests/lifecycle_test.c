// SPDX-License-Identifier: GPL-2.0
/*
 * Each client makes the first calls in a list of steps, and then ends: by exit, by exec, by
 * SIGKILL, or by SIGKILL while a forked child lives on. The test ends one client after each step,
 * and checks that all memory is free afterwards.
 *
 * The actor is the client; its partner, another process, receives what the actor hands over. The
 * test itself watches both processes and waits for them.
 */
#include "area.h"
#include "descriptor.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>

#define NOBODY		65534
#define LARGE		(4ULL << 20)
#define NR_BATCH	20

/**
 * struct actor - a client, and the objects that it has made so far
 * @fd: the client
 * @socket: one end of a socket; the partner has the other
 * @frames: handle of frames
 * @pages: handle of pages
 * @mapped: handle of a mapping made of @pages and @frames
 * @a: handle of a mapping that is mmapped and revoked
 * @large: handle of a mapping with large leaves
 * @batch: handles of a batch
 * @export: descriptor of an exported mapping
 * @copy: a duplicate of @export
 * @area: an area of @a, of @large or of @export
 * @second: another area of @a or of an exported mapping
 */
struct actor {
	int fd;
	int socket;
	__u32 frames, pages, mapped, a, large;
	struct theseus_mm_create_item batch[NR_BATCH];
	int export, copy;
	unsigned char *area, *second;
};

/* --- requests to the partner ----------------------------------------------------------- */

enum request { RECEIVE = 'r', MMAP = 'm', IMPORT = 'i', DROP = 'd' };

struct partner {
	int fd;
	int received;
	unsigned char *area;
	__u32 handle;
};

static int serve(struct partner *partner, int socket, char request)
{
	switch (request) {
	case RECEIVE:
		partner->received = receive_descriptor(socket);
		return partner->received < 0;
	case MMAP:
		partner->area = mmap(NULL, PAGE, R, MAP_SHARED, partner->received, 0);
		return partner->area == MAP_FAILED || partner->area[0] != 'x';
	case IMPORT:
		munmap(partner->area, PAGE);
		return uapi_import(partner->fd, partner->received, &partner->handle);
	case DROP:
		return uapi_drop(partner->fd, partner->handle);
	}
	return 1;
}

/* The partner lives until the actor is gone, and then drops everything. */
static void be_partner(int socket)
{
	struct partner partner = { .fd = uapi_open(NULL) };
	char request, answer;

	if (partner.fd < 0)
		_exit(1);
	while (read(socket, &request, 1) == 1) {
		answer = serve(&partner, socket, request);
		if (write(socket, &answer, 1) != 1)
			break;
	}
	_exit(0);
}

static int ask(struct actor *actor, char request)
{
	char answer;

	if (write(actor->socket, &request, 1) != 1 || read(actor->socket, &answer, 1) != 1)
		return -EPIPE;
	return answer;
}

/* --- the steps ---------------------------------------------------------------------------- */

static int allocate_frames(struct actor *actor)
{
	struct theseus_mm_allocate call = { .size = 600 };
	int err = uapi_allocate_frames(actor->fd, &call);

	actor->frames = call.handle;
	return err;
}

static int allocate_pages(struct actor *actor)
{
	struct theseus_mm_allocate call = { .size = 600 };
	int err = uapi_allocate_pages(actor->fd, &call);

	actor->pages = call.handle;
	return err;
}

static int map_to(struct actor *actor)
{
	struct theseus_mm_map call = { 0 };
	int err = uapi_map_allocated_pages_to(actor->fd, actor->pages, actor->frames,
					      THESEUS_MM_PTE_DATA, &call);

	actor->mapped = call.handle;
	return err;
}

static int create(struct actor *actor)
{
	struct theseus_mm_create_mapping call = { 0 };
	int err = uapi_create_mapping(actor->fd, 20 * PAGE, THESEUS_MM_PTE_DATA, &call);

	actor->a = call.handle;
	return err;
}

static int write_to(struct actor *actor)
{
	return uapi_write(actor->fd, actor->a, 0, "x", 1);
}

static int touch(const unsigned char *area, unsigned char byte)
{
	return area == MAP_FAILED ? -errno : __atomic_load_n(area, __ATOMIC_SEQ_CST) != byte;
}

static int mmap_readonly(struct actor *actor)
{
	actor->area = mmap_all(actor->fd, actor->a, R);
	return touch(actor->area, 'x');
}

static int mmap_again(struct actor *actor)
{
	actor->second = mmap_part(actor->fd, actor->a, PAGE, 3 * PAGE, R);
	return touch(actor->second, 0);
}

static int munmap_a_part(struct actor *actor)
{
	return munmap(actor->area + 5 * PAGE, PAGE);
}

static int munmap_all(struct actor *actor)
{
	return munmap(actor->area, 20 * PAGE) || munmap(actor->second, 3 * PAGE);
}

static int mmap_writable(struct actor *actor)
{
	actor->area = mmap_all(actor->fd, actor->a, RW);
	if (actor->area == MAP_FAILED)
		return -errno;
	actor->area[PAGE] = 'y';
	return 0;
}

static int revoke_all(struct actor *actor)
{
	return uapi_revoke(actor->fd, actor->a, NULL);
}

static int split(struct actor *actor)
{
	return uapi_split(actor->fd, actor->mapped, 100 * PAGE, &actor->mapped, &actor->pages);
}

static int remap(struct actor *actor)
{
	return uapi_remap(actor->fd, actor->pages, READ_ONLY);
}

static int create_batch(struct actor *actor)
{
	struct theseus_mm_batch call = {
		.nr_items = NR_BATCH,
		.items = (uintptr_t)actor->batch,
		.item_size = sizeof(actor->batch[0]),
	};
	int i;

	for (i = 0; i < NR_BATCH; i++)
		actor->batch[i] = (struct theseus_mm_create_item){
			.size = (i + 1) * PAGE,
			.pte_flags = THESEUS_MM_PTE_DATA,
		};
	return uapi_call(actor->fd, THESEUS_MM_IOC_CREATE_BATCH, &call) ?: call.nr_done != NR_BATCH;
}

static int drop_batch(struct actor *actor)
{
	struct theseus_mm_drop_item items[NR_BATCH / 2] = { 0 };
	struct theseus_mm_batch call = {
		.flags = THESEUS_MM_BATCH_ALL_OR_NOTHING,
		.nr_items = NR_BATCH / 2,
		.items = (uintptr_t)items,
		.item_size = sizeof(items[0]),
	};
	int i;

	for (i = 0; i < NR_BATCH / 2; i++)
		items[i].handle = actor->batch[2 * i].handle;
	return uapi_call(actor->fd, THESEUS_MM_IOC_DROP_BATCH, &call);
}

static int mmap_large(struct actor *actor)
{
	struct theseus_mm_create_mapping call;
	int err = uapi_create_contiguous_mapping(actor->fd, LARGE, THESEUS_MM_PTE_DATA, &call);

	if (err)
		return err;
	actor->large = call.handle;
	actor->area = mmap_all(actor->fd, actor->large, RW);
	if (actor->area == MAP_FAILED)
		return -errno;
	actor->area[0] = 'x';
	actor->area[LARGE - 1] = 'z';
	return 0;
}

static int move_area(struct actor *actor)
{
	actor->area = mremap(actor->area, LARGE, LARGE / 2, MREMAP_MAYMOVE);
	return touch(actor->area, 'x');
}

static int munmap_large(struct actor *actor)
{
	return munmap(actor->area, LARGE / 2);
}

static int export_large(struct actor *actor)
{
	return uapi_export(actor->fd, actor->large, &actor->export);
}

static int duplicate(struct actor *actor)
{
	actor->copy = dup(actor->export);
	return actor->copy < 0;
}

/* Do not wait for the partner's answer: the actor may end while the socket has the descriptor. */
static int send_export(struct actor *actor)
{
	const char request = RECEIVE;

	return write(actor->socket, &request, 1) != 1 ||
	       !send_descriptor(actor->socket, actor->copy);
}

static int is_received(struct actor *actor)
{
	char answer;

	return read(actor->socket, &answer, 1) != 1 || answer;
}

static int mmap_both(struct actor *actor)
{
	actor->area = mmap(NULL, LARGE, R, MAP_SHARED, actor->export, 0);
	return touch(actor->area, 'x') ?: ask(actor, MMAP);
}

static int close_copies(struct actor *actor)
{
	return munmap(actor->area, LARGE) || close(actor->copy);
}

static int be_imported(struct actor *actor)
{
	return ask(actor, IMPORT);
}

static int is_stale(struct actor *actor)
{
	__u32 handle;

	return uapi_import(actor->fd, actor->export, &handle) != -ESTALE;
}

static int be_dropped(struct actor *actor)
{
	return ask(actor, DROP);
}

static int share(struct actor *actor)
{
	return uapi_share(actor->fd, actor->a, true);
}

static int mmap_two_writers(struct actor *actor)
{
	int err = mmap_writable(actor);

	actor->second = mmap_part(actor->fd, actor->a, 0, 3 * PAGE, RW);
	return err ?: touch(actor->second + PAGE, 'y');
}

static int unmap_into_parts(struct actor *actor)
{
	__u32 frames[8], nr = 8;

	return uapi_unmap_into_parts(actor->fd, actor->mapped, &actor->pages, frames, &nr);
}

static int set_limits(struct actor *actor)
{
	struct theseus_mm_limits call = {
		.flags = THESEUS_MM_SET_LIMITS_FLAGS_ALL,
		.client_frames_max = 1,
		.client_pages_max = 1,
		/* leave room: a descriptor that a later step makes counts as a handle */
		.client_handles_max = 64,
	};

	return uapi_call(actor->fd, THESEUS_MM_IOC_SET_LIMITS, &call);
}

static int export_shared(struct actor *actor)
{
	int fd;

	if (munmap(actor->second, 3 * PAGE) || munmap(actor->area, 20 * PAGE) ||
	    uapi_export(actor->fd, actor->a, &fd))
		return 1;
	actor->area = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
	actor->second = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
	close(fd);
	return touch(actor->area, 'x') ?: touch(actor->second, 'x');
}

/* An area stays when the owner of its mapping is gone. */
static int close_client(struct actor *actor)
{
	close(actor->fd);
	return touch(actor->area, 'x');
}

#define STEP(name)	{ #name, name }

static const struct {
	const char *name;
	int (*run)(struct actor *actor);
} steps[] = {
	STEP(allocate_frames), STEP(allocate_pages), STEP(map_to),
	STEP(create), STEP(write_to), STEP(mmap_readonly), STEP(mmap_again),
	STEP(munmap_a_part), STEP(munmap_all), STEP(mmap_writable), STEP(revoke_all),
	STEP(split), STEP(remap), STEP(create_batch), STEP(drop_batch),
	STEP(mmap_large), STEP(move_area), STEP(munmap_large),
	STEP(export_large), STEP(duplicate), STEP(send_export), STEP(is_received), STEP(mmap_both),
	STEP(close_copies), STEP(be_imported), STEP(is_stale), STEP(be_dropped),
	STEP(share), STEP(mmap_two_writers), STEP(unmap_into_parts),
	STEP(set_limits), STEP(export_shared), STEP(close_client),
};

/* --- ends --------------------------------------------------------------------------------- */

/**
 * life variants - the ways in which a life ends
 * @end: called in the actor after its last step; returns if the test kills the actor
 * @uid: user of the actor; it opens the device before it drops its privileges
 * @is_killed: the test kills the actor
 */
FIXTURE(life)
{
	int fd;
	struct theseus_mm_info start;
};

FIXTURE_VARIANT(life)
{
	void (*end)(void);
	uid_t uid;
	bool is_killed;
};

static void end_by_exit(void)
{
	_exit(0);
}

static void end_by_exec(void)
{
	execlp("true", "true", (char *)NULL);
	_exit(1);
}

static void wait_for_the_end(void)
{
	for (;;)
		pause();
}

/* The child lives until the test has checked what the end of its parent leaves. */
static void fork_and_wait(void)
{
	pid_t child = fork();

	if (child < 0)
		_exit(1);
	wait_for_the_end();
}

FIXTURE_VARIANT_ADD(life, exit) { .end = end_by_exit };
FIXTURE_VARIANT_ADD(life, exec) { .end = end_by_exec };
FIXTURE_VARIANT_ADD(life, sigkill) { .end = wait_for_the_end, .is_killed = true };
FIXTURE_VARIANT_ADD(life, fork_and_sigkill) { .end = fork_and_wait, .is_killed = true };
FIXTURE_VARIANT_ADD(life, sigkill_of_nobody) {
	.end = wait_for_the_end, .uid = NOBODY, .is_killed = true,
};

FIXTURE_SETUP(life)
{
	CLIENT_SETUP();
	/* become the parent of the actor's children when the actor ends */
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
}

FIXTURE_TEARDOWN(life)
{
	close(self->fd);
}

static bool become(uid_t uid)
{
	return !uid || (!setgroups(0, NULL) && !setresgid(uid, uid, uid) &&
			!setresuid(uid, uid, uid));
}

/* Write the number of the failed step to @ready; @nr_steps means that no step failed. */
static void live(struct actor *actor, unsigned int nr_steps, uid_t uid, int ready)
{
	int ends[2];
	pid_t partner;
	unsigned char i;

	actor->fd = uapi_open(NULL);
	if (actor->fd < 0 || setpgid(0, 0) || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		_exit(1);
	partner = fork();
	if (partner < 0)
		_exit(1);
	if (!partner) {
		close(actor->fd);
		close(ends[0]);
		close(ready);
		be_partner(ends[1]);
	}
	close(ends[1]);
	actor->socket = ends[0];
	if (!become(uid))
		_exit(1);
	for (i = 0; i < nr_steps && !steps[i].run(actor); i++)
		;
	if (write(ready, &i, 1) != 1)
		_exit(1);
}

static bool is_gone(pid_t pid)
{
	return waitpid(pid, NULL, 0) == pid;
}

/* Wait for the partner and the actor's child, which are children of this process now. */
static void end_the_rest(pid_t actor)
{
	kill(-actor, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

TEST_F_TIMEOUT(life, ends_after_each_step, 280)
{
	unsigned int nr_steps;
	unsigned char reached;
	struct actor actor;
	int ready[2];
	pid_t child;

	for (nr_steps = 0; nr_steps <= ARRAY_SIZE(steps); nr_steps++) {
		memset(&actor, 0, sizeof(actor));
		ASSERT_EQ(0, pipe2(ready, O_CLOEXEC));
		child = fork();
		ASSERT_LE(0, child);
		if (!child) {
			close(self->fd);
			live(&actor, nr_steps, variant->uid, ready[1]);
			variant->end();
		}
		close(ready[1]);
		ASSERT_EQ(1, read(ready[0], &reached, 1));
		EXPECT_EQ(nr_steps, reached) TH_LOG("%s failed", steps[reached].name);
		if (variant->is_killed)
			kill(child, SIGKILL);
		EXPECT_TRUE(is_gone(child));
		end_the_rest(child);
		close(ready[0]);
		EXPECT_ALL_BACK();
		if (reached != nr_steps)
			break;
	}
}

TEST_HARNESS_MAIN
