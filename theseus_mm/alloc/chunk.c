// SPDX-License-Identifier: GPL-2.0
#include "alloc/chunk.h"

#include "alloc/account.h"
#include "core/range.h"

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>

/*
 * Set the account that has been charged for an owned run; NULL means no account. The run takes
 * a reference on @account and drops its reference on the previous account, which is not
 * uncharged. Not in interrupts.
 */
void tmm_chunk_set_account(struct tmm_chunk *chunk, struct tmm_account *account)
{
	struct tmm_account *old = chunk->account;

	chunk->account = tmm_account_get(account);
	tmm_account_put(old);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_chunk_set_account);

/*
 * Check whether a run can be split before chunk @at. If @at is the start of the run, the first
 * half is empty; if @at is the end, the second half is empty. Return: 0, or -EINVAL if @at
 * lies outside or the run is empty.
 */
int tmm_chunk_check_split(const struct tmm_chunk *chunk, u64 at)
{
	return chunk->nr && at >= chunk->start && at <= tmm_chunk_end(chunk) ? 0 : -EINVAL;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_chunk_check_split);

/*
 * Split a run before chunk @at, which the caller has checked. @chunk becomes the first half.
 * @second is a new object and becomes the second half, charged to the same account.
 */
void tmm_chunk_split(struct tmm_chunk *chunk, u64 at, struct tmm_chunk *second)
{
	second->start = at;
	second->nr = tmm_chunk_end(chunk) - at;
	tmm_chunk_set_account(second, chunk->account);
	chunk->nr = at - chunk->start;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_chunk_split);

/*
 * Check whether a range can be cut out of a run. The chunks of @middle can have any size.
 * Return: 0, or -EINVAL if @middle is empty or does not lie within the run.
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

/*
 * Split a run into up to three runs; the caller has checked @middle. @chunk becomes @middle.
 * @before and @after are new objects and become the parts before and after @middle; each is
 * NULL if its part is empty.
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
