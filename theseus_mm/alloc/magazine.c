// SPDX-License-Identifier: GPL-2.0
#include "alloc/magazine.h"

#include "alloc/account.h"
#include "alloc/chunk.h"
#include "alloc/magazine_home.h"
#include "alloc/range_allocator.h"
#include "core/bug.h"
#include "core/compat.h"

#include <kunit/visibility.h>
#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>

/* Chunks that the first filling of a magazine gets */
#define NR_FIRST 4

/* The state of CPU hotplug that calls leave_cpu() */
static enum cpuhp_state hotplug_state;

/*
 * The control groups of the task, for comparing only. Tasks in the same groups have the same
 * pointer. The groups of an old pointer may have gone.
 */
static const void *own_payer(void)
{
#ifdef CONFIG_CGROUPS
	return rcu_access_pointer(current->cgroups);
#else
	return NULL;
#endif
}

static struct tmm_magazine *magazine_of_cpu(struct tmm_range_allocator *ra)
{
	/* The task may move to another CPU at once. Then the magazine's lock is still right. */
	return raw_cpu_ptr(ra->magazines.each);
}

static struct tmm_cached_chunk *slot_at(struct tmm_magazine *m, unsigned int i)
{
	return &m->slots[(m->oldest + i) % TMM_MAGAZINE_SIZE];
}

/* True if the task may use the chunks and the room of a magazine. */
static bool may_use(struct tmm_range_allocator *ra, const struct tmm_magazine *m)
{
	lockdep_assert_held(&m->lock);
	return !atomic_read(&ra->magazines.nr_drains) &&
	       (!m->nr || m->payer == own_payer());
}

/* Chunks of a magazine that lie side by side, taken out of the magazine */
struct run {
	void *chunks[TMM_MAGAZINE_HALF + 1];	/* with room for one more */
	struct tmm_range_region *region;
	unsigned int nr;
	u64 start;
};

static bool is_beside(const struct run *run, const struct tmm_cached_chunk *slot)
{
	return slot->region == run->region && (slot->chunk->start == run->start + run->nr ||
					       slot->chunk->start + 1 == run->start);
}

/* Find the oldest chunk and the next oldest ones that are adjacent to it. Leave @nr_kept chunks. */
static void find_oldest(struct tmm_magazine *m, unsigned int nr_kept, struct run *run)
{
	const unsigned int most = min_t(unsigned int, m->nr - nr_kept, TMM_MAGAZINE_HALF);
	struct tmm_cached_chunk *slot = slot_at(m, 0);

	run->region = slot->region;
	run->start = slot->chunk->start;
	run->nr = 0;
	do {
		run->start = min(run->start, slot->chunk->start);
		run->chunks[run->nr++] = slot->chunk;
		slot = slot_at(m, run->nr);
	} while (run->nr < most && is_beside(run, slot));
}

/* Take out the oldest chunks. A count of free chunks under the allocator's lock misses none. */
static void take_oldest(struct tmm_range_allocator *ra, struct tmm_magazine *m, unsigned int nr)
{
	lockdep_assert_held(&ra->lock);
	m->oldest = (m->oldest + nr) % TMM_MAGAZINE_SIZE;
	WRITE_ONCE(m->nr, m->nr - nr);
}

/* Put a run into the free set; sets @absorbed to the objects that are no longer needed. */
static int give_run(struct tmm_range_allocator *ra, const struct run *run,
		    struct tmm_chunk *absorbed[2])
{
	struct tmm_chunk *chunk = run->chunks[0];
	int err;

	lockdep_assert_held(&ra->lock);
	chunk->start = run->start;
	chunk->nr = run->nr;
	err = tmm_free_set_give(&run->region->free, chunk, absorbed);
	if (!err && ra->hooks->came_back)
		ra->hooks->came_back(ra, run->region, run->start, run->nr);
	return err;
}

/* Move the oldest chunks of a magazine to the free set. Return: false if only @nr_kept are left. */
static bool give_oldest(struct tmm_range_allocator *ra, struct tmm_magazine *m,
			unsigned int nr_kept)
{
	struct tmm_chunk *absorbed[2] = {};
	struct run run TMM_UNINITIALIZED;
	int err;

	spin_lock(&m->lock);
	if (m->nr <= nr_kept) {
		spin_unlock(&m->lock);
		return false;
	}
	find_oldest(m, nr_kept, &run);
	spin_lock(&ra->lock);
	take_oldest(ra, m, run.nr);
	err = give_run(ra, &run, absorbed);
	spin_unlock(&ra->lock);
	spin_unlock(&m->lock);
	/* The first object is in the free set, or among those absorbed. */
	if (!TMM_BUG_IF(err)) {
		run.chunks[0] = absorbed[0];
		run.chunks[run.nr] = absorbed[1];
		tmm_chunk_cache_free_many(&ra->objects, run.nr + 1, run.chunks);
	}
	return true;
}

/*
 * Move chunks of a magazine to the free set until @nr_kept are left. While other tasks put chunks
 * into the magazine, the function does not go on for ever.
 */
static void trim_magazine(struct tmm_range_allocator *ra, struct tmm_magazine *m,
			  unsigned int nr_kept)
{
	unsigned int i;

	for (i = 0; i < TMM_MAGAZINE_SIZE && give_oldest(ra, m, nr_kept); i++)
		;
}

/* True if the task may put @nr_room chunks into a magazine, whose lock the caller holds. */
bool tmm_magazine_has_room(struct tmm_range_allocator *ra, const struct tmm_magazine *m,
			   unsigned int nr_room)
{
	return m->nr + nr_room <= TMM_MAGAZINE_SIZE && may_use(ra, m);
}

/*
 * Try to make room for a put by the task. Takes and releases the locks of the magazine and of the
 * allocator. Return: false if the task cannot put chunks into the magazine now.
 */
static noinline bool make_room(struct tmm_range_allocator *ra, struct tmm_magazine *m)
{
	if (atomic_read(&ra->magazines.nr_drains))
		return false;
	trim_magazine(ra, m, READ_ONCE(m->payer) == own_payer() ? TMM_MAGAZINE_HALF : 0);
	return true;
}

static void add_chunk(struct tmm_magazine *m, struct tmm_range_region *region,
		      struct tmm_chunk *chunk)
{
	lockdep_assert_held(&m->lock);
	if (!m->nr)
		WRITE_ONCE(m->payer, own_payer());
	*slot_at(m, m->nr) = (struct tmm_cached_chunk){ chunk, region };
	WRITE_ONCE(m->nr, m->nr + 1);
}

/*
 * Take a chunk from the magazine of this CPU, and charge it to @account. @region is set on success
 * only. Not in interrupts. Takes and releases the magazine's lock. O(1). Return: the chunk, NULL if
 * the magazine has no chunk for the task, or ERR_PTR(-EDQUOT) as from tmm_account_charge().
 */
struct tmm_chunk *tmm_magazine_take(struct tmm_range_allocator *ra, struct tmm_account *account,
				    struct tmm_range_region **region)
{
	struct tmm_magazine *m = magazine_of_cpu(ra);
	struct tmm_cached_chunk slot;

	spin_lock(&m->lock);
	if (!m->nr || !may_use(ra, m)) {
		spin_unlock(&m->lock);
		return NULL;
	}
	if (account && tmm_account_charge(account, ra->hooks->resource, 1)) {
		spin_unlock(&m->lock);
		return ERR_PTR(-EDQUOT);
	}
	WRITE_ONCE(m->nr, m->nr - 1);
	slot = *slot_at(m, m->nr);
	if (ra->hooks->uncached)
		ra->hooks->uncached(slot.region, slot.chunk->start);
	spin_unlock(&m->lock);
	slot.chunk->account = tmm_account_get(account);
	*region = slot.region;
	return slot.chunk;
}

/*
 * Put a single chunk without an account into the magazine of this CPU; @chunk is consumed on
 * success only. Not in interrupts. Takes and releases the magazine's lock, and the allocator's if
 * the magazine is full or has chunks of another payer. Return: false if the chunk has to go to the
 * free set.
 */
bool tmm_magazine_put(struct tmm_range_allocator *ra, struct tmm_range_region *region,
		      struct tmm_chunk *chunk)
{
	struct tmm_magazine *m = magazine_of_cpu(ra);

	if (region->type != TMM_REGION_GENERAL || READ_ONCE(region->is_closed))
		return false;
	spin_lock(&m->lock);
	if (unlikely(!tmm_magazine_has_room(ra, m, 1))) {
		spin_unlock(&m->lock);
		if (!make_room(ra, m))
			return false;
		spin_lock(&m->lock);
		if (!tmm_magazine_has_room(ra, m, 1)) {
			spin_unlock(&m->lock);
			return false;
		}
	}
	if (ra->hooks->may_cache && !ra->hooks->may_cache(ra, region, chunk->start)) {
		spin_unlock(&m->lock);
		return false;
	}
	add_chunk(m, region, chunk);
	spin_unlock(&m->lock);
	return true;
}

/* Number of chunks that the next filling of this CPU's magazine should have. Takes no lock. */
unsigned int tmm_magazine_nr_wanted(struct tmm_range_allocator *ra)
{
	return READ_ONCE(magazine_of_cpu(ra)->nr_wanted);
}

/*
 * Make room in the magazine of this CPU for a filling, as far as possible. Takes and releases the
 * locks of the magazine and of the allocator. Return: the magazine, locked.
 */
struct tmm_magazine *tmm_magazine_begin_fill(struct tmm_range_allocator *ra)
	__acquires(&magazine->lock)
{
	struct tmm_magazine *m = magazine_of_cpu(ra);

	make_room(ra, m);
	spin_lock(&m->lock);
	return m;
}

/*
 * Add a run, 1 chunk or more, to a magazine that is being filled. The run has left the free set
 * while the caller held the magazine's lock. @objects has an object for each chunk, which need not
 * be set; the objects are of the task's memory control group. The magazine first gives out the
 * chunk that came last. So the chunk that the region gives out first is added last.
 */
void tmm_magazine_add(struct tmm_magazine *magazine, struct tmm_range_region *region,
		      const struct tmm_chunk *run, void **objects)
{
	const u64 step = region->is_reversed ? 1 : -1ULL;
	u64 number = region->is_reversed ? run->start : tmm_chunk_end(run) - 1;
	struct tmm_cached_chunk *slot = slot_at(magazine, magazine->nr);
	unsigned int i;

	lockdep_assert_held(&magazine->lock);
	if (!magazine->nr)
		WRITE_ONCE(magazine->payer, own_payer());
	for (i = 0; i < run->nr; i++, number += step) {
		struct tmm_chunk *chunk = objects[i];

		chunk->start = number;
		chunk->nr = 1;
		chunk->account = NULL;
		*slot = (struct tmm_cached_chunk){ chunk, region };
		if (++slot == &magazine->slots[TMM_MAGAZINE_SIZE])
			slot = magazine->slots;
	}
	WRITE_ONCE(magazine->nr, magazine->nr + run->nr);
}

/*
 * The next filling wants twice as many chunks if @was_full, that is, if the free set had all wanted
 * chunks side by side. Otherwise the next filling wants half as many. Each filling wants 1 to
 * TMM_MAGAZINE_HALF chunks. The caller holds the magazine's lock.
 */
void tmm_magazine_adapt(struct tmm_magazine *magazine, bool was_full)
{
	const unsigned int nr = was_full ? 2 * magazine->nr_wanted : magazine->nr_wanted / 2;

	lockdep_assert_held(&magazine->lock);
	WRITE_ONCE(magazine->nr_wanted, clamp_t(unsigned int, nr, 1, TMM_MAGAZINE_HALF));
}

/* Undo tmm_magazine_begin_fill(): release the magazine's lock. */
void tmm_magazine_end_fill(struct tmm_magazine *magazine)
	__releases(&magazine->lock)
{
	spin_unlock(&magazine->lock);
}

/* Move free chunks that are not in magazines to the free set, if the allocator has such chunks. */
static void recall_others(struct tmm_range_allocator *ra)
{
	if (ra->hooks->recall)
		ra->hooks->recall(ra);
}

/* Do what trim_magazine() does with an @nr_kept of 0, and reschedule between the pieces. */
static void trim_and_reschedule(struct tmm_range_allocator *ra, struct tmm_magazine *m)
{
	unsigned int i;

	for (i = 0; i < TMM_MAGAZINE_SIZE && give_oldest(ra, m, 0); i++)
		cond_resched();
}

/*
 * Move the chunks of all magazines to the free set once. Other tasks may put chunks into magazines
 * at any time. May sleep. Takes and releases the locks of the magazines and of the allocator.
 * O(CPUs).
 */
void tmm_magazines_empty(struct tmm_range_allocator *ra)
{
	unsigned int cpu;

	if (!ra->magazines.each)
		return;
	for_each_possible_cpu(cpu) {
		struct tmm_magazine *m = per_cpu_ptr(ra->magazines.each, cpu);

		/* The caller does not need chunks that come at the same time. */
		if (READ_ONCE(m->nr))
			trim_and_reschedule(ra, m);
	}
	recall_others(ra);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_magazines_empty);

/*
 * Move the chunks of all magazines to the free set, and keep the magazines empty until
 * tmm_magazines_close_drain(). May sleep. Takes and releases the locks of the magazines and of the
 * allocator. O(CPUs).
 */
void tmm_magazines_open_drain(struct tmm_range_allocator *ra)
{
	unsigned int cpu;

	if (!ra->magazines.each)
		return;
	atomic_inc(&ra->magazines.nr_drains);
	/* Each magazine is locked at least once. Any later holder of its lock sees the drain. */
	for_each_possible_cpu(cpu)
		trim_and_reschedule(ra, per_cpu_ptr(ra->magazines.each, cpu));
	recall_others(ra);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_magazines_open_drain);

/* Do what tmm_magazines_open_drain() does, without sleeping. Not in interrupts. */
void tmm_magazines_open_drain_atomic(struct tmm_range_allocator *ra)
{
	unsigned int cpu;

	if (!ra->magazines.each)
		return;
	atomic_inc(&ra->magazines.nr_drains);
	for_each_possible_cpu(cpu)
		trim_magazine(ra, per_cpu_ptr(ra->magazines.each, cpu), 0);
	recall_others(ra);
}

/* Let the magazines be filled again. */
void tmm_magazines_close_drain(struct tmm_range_allocator *ra)
{
	if (ra->magazines.each)
		atomic_dec(&ra->magazines.nr_drains);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_magazines_close_drain);

/*
 * Number of chunks in magazines. While the caller holds the allocator's lock, no chunk moves
 * between a magazine and the free set. O(CPUs).
 */
u64 tmm_magazines_nr(const struct tmm_range_allocator *ra)
{
	unsigned int cpu;
	u64 nr = 0;

	if (!ra->magazines.each)
		return 0;
	for_each_possible_cpu(cpu)
		nr += READ_ONCE(per_cpu_ptr(ra->magazines.each, cpu)->nr);
	return nr;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_magazines_nr);

/*
 * Empty the magazine of a CPU that has gone, and let another magazine have its home. A task that
 * has found the magazine before may still fill it. Then the chunks stay free for everybody, and the
 * magazine keeps a home until the CPU goes again.
 */
static int leave_cpu(unsigned int cpu, struct hlist_node *node)
{
	struct tmm_range_allocator *ra =
		hlist_entry(node, struct tmm_range_allocator, magazines.hotplug);
	struct tmm_magazine *m = per_cpu_ptr(ra->magazines.each, cpu);

	trim_magazine(ra, m, 0);
	spin_lock(&m->lock);
	spin_lock(&ra->lock);
	tmm_magazine_home_leave(ra, m);
	spin_unlock(&ra->lock);
	spin_unlock(&m->lock);
	return 0;
}

/* Ask Linux to report CPUs that go. Return: 0 or an error of cpuhp_setup_state_multi(). */
int __init tmm_magazines_init(void)
{
	int state = cpuhp_setup_state_multi(CPUHP_BP_PREPARE_DYN, "mm/theseus_mm:prepare", NULL,
					    leave_cpu);

	if (state < 0)
		return state;
	hotplug_state = state;
	return 0;
}

/* Undo tmm_magazines_init(). */
void tmm_magazines_exit(void)
{
	cpuhp_remove_multi_state(hotplug_state);
}

/*
 * Give an allocator magazines; its objects no longer come from early memory. May sleep. Return: 0,
 * -ENOMEM, or an error of cpuhp_state_add_instance_nocalls().
 */
int tmm_magazines_create(struct tmm_range_allocator *ra)
{
	struct tmm_magazine __percpu *each = alloc_percpu(struct tmm_magazine);
	struct tmm_homes *homes = kzalloc(sizeof(*homes), GFP_KERNEL);
	unsigned int cpu;
	int err = -ENOMEM;

	if (!each || !homes)
		goto free;
	for_each_possible_cpu(cpu) {
		struct tmm_magazine *m = per_cpu_ptr(each, cpu);

		spin_lock_init(&m->lock);
		m->nr_wanted = NR_FIRST;
		m->home = TMM_NO_HOME;
	}
	ra->magazines.each = each;
	ra->magazines.homes = homes;
	err = cpuhp_state_add_instance_nocalls(hotplug_state, &ra->magazines.hotplug);
	if (!err)
		return 0;
	ra->magazines.each = NULL;
	ra->magazines.homes = NULL;
free:
	kfree(homes);
	free_percpu(each);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_magazines_create);

/*
 * Move all chunks to the free set, and free the magazines. Other tasks no longer use the allocator.
 * May sleep.
 */
void tmm_magazines_destroy(struct tmm_range_allocator *ra)
{
	if (!ra->magazines.each)
		return;
	cpuhp_state_remove_instance_nocalls(hotplug_state, &ra->magazines.hotplug);
	tmm_magazines_empty(ra);
	free_percpu(ra->magazines.each);
	ra->magazines.each = NULL;
	kfree(ra->magazines.homes);
	ra->magazines.homes = NULL;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_magazines_destroy);
