/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Owned runs: the account that is charged for a run, and splitting a run.
 *
 * Invariant: a chunk belongs to exactly one run before and after a split, and all parts are
 * charged to the account of the original run.
 * Lock: none; only the owner of the run uses the run.
 * Owner: the caller that took the run (alloc/range_request.h).
 */
#ifndef TMM_ALLOC_CHUNK_H
#define TMM_ALLOC_CHUNK_H

#include <linux/types.h>

struct tmm_account;
struct tmm_range;

/**
 * struct tmm_chunk - a run of chunks, owned or free
 * @start: number of the first chunk
 * @nr: number of chunks; 0 only for an empty owned run
 * @account: the account charged for the run, with a reference; NULL for none, and in a free run
 * @next: private: links the object in a reserve
 */
struct tmm_chunk {
	u64 start;
	u64 nr;
	union {
		struct tmm_account *account;
		/* private: */
		struct tmm_chunk *next;
	};
};

static inline u64 tmm_chunk_end(const struct tmm_chunk *chunk)
{
	return chunk->start + chunk->nr;
}

void tmm_chunk_set_account(struct tmm_chunk *chunk, struct tmm_account *account);

int __must_check tmm_chunk_check_split(const struct tmm_chunk *chunk, u64 at);
void tmm_chunk_split(struct tmm_chunk *chunk, u64 at, struct tmm_chunk *second);
int __must_check tmm_chunk_check_split_range(const struct tmm_chunk *chunk,
					     const struct tmm_range *middle);
void tmm_chunk_split_range(struct tmm_chunk *chunk, const struct tmm_range *middle,
			   struct tmm_chunk *before, struct tmm_chunk *after);

#endif /* TMM_ALLOC_CHUNK_H */
