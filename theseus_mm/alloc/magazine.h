/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Magazines: a few free single chunks for each CPU, each with its object.
 *
 * A request for one chunk anywhere takes a chunk from the magazine of the CPU. The owner of a
 * single chunk gives the chunk back to a magazine. Unless the magazine is empty or full, neither
 * touches the free set, the allocator's lock or memory that another CPU writes.
 *
 * Invariant: a chunk in a magazine is free for everybody. So whoever needs chunks that the free set
 * may lack opens a drain: from then on, all chunks of the magazines are in the free set, and the
 * magazines stay empty until the drain is closed. Only general regions have chunks in magazines. A
 * chunk moves between a magazine and the free set under the locks of both.
 * Lock: @lock of the magazine, outside the allocator's lock.
 * Owner: the range allocator. Only tasks with the same control groups use a magazine; a task of
 * other groups empties the magazine first. So a group that allocates and frees does not pay for the
 * objects of another. An object stays charged to the group that allocated it, also when a client
 * gives it to another client.
 */
#ifndef TMM_ALLOC_MAGAZINE_H
#define TMM_ALLOC_MAGAZINE_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct tmm_account;
struct tmm_chunk;
struct tmm_range_allocator;
struct tmm_range_region;

/* Chunks that a magazine holds at most */
#define TMM_MAGAZINE_SIZE	64

/* Chunks by which a magazine is filled at most, and that stay when a full magazine is trimmed */
#define TMM_MAGAZINE_HALF	(TMM_MAGAZINE_SIZE / 2)

/**
 * struct tmm_cached_chunk - a chunk in a magazine
 * @chunk: the object, without an account
 * @region: the region that contains the chunk
 */
struct tmm_cached_chunk {
	struct tmm_chunk *chunk;
	struct tmm_range_region *region;
};

/**
 * struct tmm_magazine - the free chunks of one CPU, in the order in which they came
 * @lock: protects the other members
 * @oldest: index in @slots of the chunk that came first
 * @nr: number of chunks
 * @nr_wanted: number of chunks for the next filling
 * @home: number of the block of the last filling (a chunk's number >> @home_order), or TMM_NO_HOME;
 *        see alloc/magazine_home.h
 * @payer: the control groups of the tasks that use the magazine
 * @slots: the chunks, a ring
 */
struct tmm_magazine {
	spinlock_t lock;	/* all other members */
	unsigned int oldest;
	unsigned int nr;
	unsigned int nr_wanted;
	u64 home;
	const void *payer;
	struct tmm_cached_chunk slots[TMM_MAGAZINE_SIZE];
};

#define TMM_NR_HOMES		64

/**
 * struct tmm_homes - the homes of magazines; see alloc/magazine_home.h
 * @used: a bit for each slot: is the slot's block a home?
 * @blocks: numbers of blocks; each is the slot's number modulo TMM_NR_HOMES
 */
struct tmm_homes {
	u64 used;
	u64 blocks[TMM_NR_HOMES];
};

/**
 * struct tmm_magazines - the magazines of a range allocator
 * @each: a magazine for each CPU; NULL if the allocator has none
 * @homes: their homes; with the range allocator's lock
 * @nr_drains: drains that are open
 * @hotplug: links the allocator in the list of those that lose a CPU
 */
struct tmm_magazines {
	struct tmm_magazine __percpu *each;
	struct tmm_homes *homes;
	atomic_t nr_drains;
	struct hlist_node hotplug;
};

int __init tmm_magazines_init(void);
void tmm_magazines_exit(void);

int __must_check tmm_magazines_create(struct tmm_range_allocator *ra);
void tmm_magazines_destroy(struct tmm_range_allocator *ra);

struct tmm_chunk *tmm_magazine_take(struct tmm_range_allocator *ra, struct tmm_account *account,
				    struct tmm_range_region **region);
bool __must_check tmm_magazine_put(struct tmm_range_allocator *ra,
				   struct tmm_range_region *region, struct tmm_chunk *chunk);

/* Filling */
unsigned int tmm_magazine_nr_wanted(struct tmm_range_allocator *ra);
struct tmm_magazine *tmm_magazine_begin_fill(struct tmm_range_allocator *ra)
	__acquires(&magazine->lock);
bool __must_check tmm_magazine_has_room(struct tmm_range_allocator *ra,
					const struct tmm_magazine *magazine, unsigned int nr_room);
void tmm_magazine_add(struct tmm_magazine *magazine, struct tmm_range_region *region,
		      const struct tmm_chunk *run, void **objects);
void tmm_magazine_adapt(struct tmm_magazine *magazine, bool was_full);
void tmm_magazine_end_fill(struct tmm_magazine *magazine)
	__releases(&magazine->lock);

/* Drains */
void tmm_magazines_empty(struct tmm_range_allocator *ra);
void tmm_magazines_open_drain(struct tmm_range_allocator *ra);
void tmm_magazines_open_drain_atomic(struct tmm_range_allocator *ra);
void tmm_magazines_close_drain(struct tmm_range_allocator *ra);
u64 tmm_magazines_nr(const struct tmm_range_allocator *ra);

#endif /* TMM_ALLOC_MAGAZINE_H */
