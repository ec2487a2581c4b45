// SPDX-License-Identifier: GPL-2.0
#include "alloc/chunk.h"

#include "alloc/account.h"
#include "core/range.h"

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>

/**
 * tmm_chunk_set_account() - set the account that has been charged for a run
 * @chunk: the run, owned
 * @account: the account, which has been charged; gets a reference. NULL for none. The
 *           reference on the previous account is dropped, but that is not uncharged.
 *
 * Context: Any but interrupt.
 */
void tmm_chunk_set_account(struct tmm_chunk *chunk, struct tmm_account *account)
{
	struct tmm_account *old = chunk->account;

	chunk->account = tmm_account_get(account);
	tmm_account_put(old);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_chunk_set_account);

/**
 * tmm_chunk_check_split() - can a run be split at a chunk?
 * @chunk: the run
 * @at: number of the first chunk of the second half
 *
 * Its start gives an empty first half, its end an empty second half.
 *
 * Return: 0, or -EINVAL if @at lies outside or the run is empty
 */
int tmm_chunk_check_split(const struct tmm_chunk *chunk, u64 at)
{
	return chunk->nr && at >= chunk->start && at <= tmm_chunk_end(chunk) ? 0 : -EINVAL;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_chunk_check_split);

/**
 * tmm_chunk_split() - make two runs of one
 * @chunk: the run; becomes the first half
 * @at: number of the first chunk of the second half; checked already
 * @second: a new object; becomes the second half, charged to the same account
 */
void tmm_chunk_split(struct tmm_chunk *chunk, u64 at, struct tmm_chunk *second)
{
	second->start = at;
	second->nr = tmm_chunk_end(chunk) - at;
	tmm_chunk_set_account(second, chunk->account);
	chunk->nr = at - chunk->start;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_chunk_split);

/**
 * tmm_chunk_check_split_range() - can a range be cut out of a run?
 * @chunk: the run
 * @middle: the range, in chunks of any size
 *
 * Return: 0, or -EINVAL if @middle is empty or does not lie within the run
 */
int tmm_chunk_check_split_range(const struct tmm_chunk *chunk, const struct tmm_range *middle)
{
	unsigned int order = tmm_page_size_order(middle->size);

	if (!middle->nr || middle->nr > chunk->nr >> order || middle->first < chunk->start ||
	    middle->first - chunk->start > chunk->nr - (middle->nr << order))
		return -EINVAL;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_chunk_check_split_range);

/**
 * tmm_chunk_split_range() - make up to three runs of one
 * @chunk: the run; becomes @middle
 * @middle: what to cut out; checked already
 * @before: a new object; becomes what lies before it; NULL if there is nothing
 * @after: a new object; becomes what lies after it; NULL if there is nothing
 */
void tmm_chunk_split_range(struct tmm_chunk *chunk, const struct tmm_range *middle,
			   struct tmm_chunk *before, struct tmm_chunk *after)
{
	if (after)
		tmm_chunk_split(chunk, tmm_range_end(middle), after);
	if (before) {
		before->start = chunk->start;
		before->nr = middle->first - chunk->start;
		tmm_chunk_set_account(before, chunk->account);
		chunk->start = middle->first;
		chunk->nr -= before->nr;
	}
}
EXPORT_SYMBOL_IF_KUNIT(tmm_chunk_split_range);
