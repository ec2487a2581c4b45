// SPDX-License-Identifier: GPL-2.0
#include "alloc/frame_table.h"

#include "core/page.h"

#include <asm/barrier.h>
#include <kunit/visibility.h>
#include <linux/compiler.h>
#include <linux/export.h>
#include <linux/kasan-checks.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/string.h>

static_assert(TMM_NR_MARK_LEVELS == TMM_NR_PAGE_SIZES);

static u64 block_of(const struct tmm_frame_table *table, u64 number, enum tmm_page_size size)
{
	return (number - table->base) >> tmm_page_size_order(size);
}

/* Bytes of one array: the number of blocks of @size that [base, end) touches. */
static u64 nr_blocks(u64 base, u64 end, enum tmm_page_size size)
{
	return ((end - base - 1) >> tmm_page_size_order(size)) + 1;
}

/*
 * Bytes of memory that a table needs for @nr frames, 1 or more. The arrays start at the 1 GiB
 * block that contains @first, but the array of 4 KiB blocks omits the part before @first.
 */
u64 tmm_frame_table_nr_bytes(u64 first, u64 nr)
{
	u64 base = round_down(first, tmm_page_size_4k_pages(TMM_1G));

	return nr + nr_blocks(base, first + nr, TMM_2M) + nr_blocks(base, first + nr, TMM_1G);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_table_nr_bytes);

/*
 * Set up a table in which every frame is free. @memory has tmm_frame_table_nr_bytes() bytes and
 * remains the caller's.
 */
void tmm_frame_table_init(struct tmm_frame_table *table, u64 first, u64 nr, void *memory)
{
	u64 end = first + nr;
	u8 *byte = memory;

	table->first = first;
	table->nr = nr;
	table->nr_steps = 0;
	table->base = round_down(first, tmm_page_size_4k_pages(TMM_1G));
	memset(memory, TMM_MARK_FREE, tmm_frame_table_nr_bytes(first, nr));
	table->marks[TMM_1G] = byte;
	byte += nr_blocks(table->base, end, TMM_1G);
	table->marks[TMM_2M] = byte;
	byte += nr_blocks(table->base, end, TMM_2M);
	/*
	 * The index starts at @base, as in the other arrays; bytes before @first are never
	 * accessed.
	 */
	table->marks[TMM_4K] = byte - (first - table->base);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_table_init);

/* The part of the block of @size around @number that lies in the region. */
static void block_bounds(const struct tmm_frame_table *table, u64 number, enum tmm_page_size size,
			 u64 *start, u64 *end)
{
	u64 nr_4k = tmm_page_size_4k_pages(size);

	*start = max(round_down(number, nr_4k), table->first);
	*end = min(round_down(number, nr_4k) + nr_4k, table->first + table->nr);
}

/* The marks of the next smaller blocks in a block; sets @nr to the number of marks. */
static u8 *parts_of(struct tmm_frame_table *table, u64 number, enum tmm_page_size size, u64 *nr)
{
	u64 start, end, first;

	block_bounds(table, number, size, &start, &end);
	first = block_of(table, start, size - 1);
	*nr = block_of(table, end - 1, size - 1) - first + 1;
	return &table->marks[size - 1][first];
}

/*
 * Write a mark to many bytes. Stores of 8 bytes are faster than a memset() that stores single
 * bytes.
 */
static void fill_marks(struct tmm_frame_table *table, u8 *marks, u8 mark, u64 nr)
{
	const u64 in_words = round_down(nr, sizeof(u64));

	/* KASAN does not check memset64(). */
	kasan_check_write(marks, nr);
	memset64((u64 *)marks, mark * 0x0101010101010101ULL, in_words / sizeof(u64));
	memset(marks + in_words, mark, nr - in_words);
	table->nr_steps += nr;
}

/* Copy the mark of a block to the next smaller blocks in the block, and mark the block MIXED. */
static void push_down(struct tmm_frame_table *table, u64 number, enum tmm_page_size size)
{
	u8 *mark = &table->marks[size][block_of(table, number, size)];
	u8 *parts;
	u64 nr;

	if (*mark == TMM_MARK_MIXED)
		return;
	parts = parts_of(table, number, size, &nr);
	fill_marks(table, parts, *mark, nr);
	/*
	 * A reader that sees MIXED without the lock also sees the marks below. A compiler barrier
	 * is enough: x86 reorders neither stores with stores nor loads with loads.
	 */
	smp_store_release(mark, TMM_MARK_MIXED);
}

/* The marks of the blocks of @size that [@start, @end) touches; sets @nr to their number. */
static u8 *marks_of(const struct tmm_frame_table *table, u64 start, u64 end,
		    enum tmm_page_size size, u64 *nr)
{
	const u64 first = block_of(table, start, size);

	*nr = block_of(table, end - 1, size) - first + 1;
	return &table->marks[size][first];
}

/* Mark [@start, @end): blocks of @size as a whole, and what is left at the ends in smaller ones. */
static void set_blocks(struct tmm_frame_table *table, u64 start, u64 end, enum tmm_page_size size,
		       u8 mark)
{
	const u64 nr_4k = tmm_page_size_4k_pages(size);
	u64 lo = start, hi = end;
	u8 *marks;
	u64 nr;

	/* At the ends of the region, a part of a block is all of the block. */
	if (start != table->first)
		lo = round_up(start, nr_4k);
	if (end != table->first + table->nr)
		hi = round_down(end, nr_4k);
	if (lo > hi) {
		push_down(table, start, size);
		set_blocks(table, start, end, size - 1, mark);
		return;
	}
	if (start < lo) {
		push_down(table, start, size);
		set_blocks(table, start, lo, size - 1, mark);
	}
	if (lo < hi) {
		marks = marks_of(table, lo, hi, size, &nr);
		fill_marks(table, marks, mark, nr);
	}
	if (hi < end) {
		push_down(table, hi, size);
		set_blocks(table, hi, end, size - 1, mark);
	}
}

/*
 * Mark a run of frames in the region. The function takes at most TMM_FRAME_TABLE_MAX_STEPS
 * steps, plus one for each block of 1 GiB: one byte marks a whole block. The caller holds the frame
 * allocator's lock.
 */
void tmm_frame_table_set(struct tmm_frame_table *table, u64 start, u64 nr, enum tmm_frame_mark mark)
{
	set_blocks(table, start, start + nr, TMM_1G, mark);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_table_set);

/*
 * Mark the part of the block of @size around @number that lies in the region, with one byte. If
 * @size is TMM_2M, the block of 1 GiB is MIXED or has the same mark. The caller holds the frame
 * allocator's lock. O(1).
 */
void tmm_frame_table_set_block(struct tmm_frame_table *table, u64 number, enum tmm_page_size size,
			       enum tmm_frame_mark mark)
{
	WRITE_ONCE(table->marks[size][block_of(table, number, size)], mark);
}

/*
 * Give each frame of a run in the region a byte of its own. The marks stay as they are. The caller
 * holds the frame allocator's lock. O(1) for each block of 2 MiB.
 */
void tmm_frame_table_divide(struct tmm_frame_table *table, u64 start, u64 nr)
{
	u64 end = start + nr;
	u64 from, to;

	for (; start < end; start = to) {
		push_down(table, start, TMM_1G);
		push_down(table, start, TMM_2M);
		block_bounds(table, start, TMM_2M, &from, &to);
	}
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_table_divide);

/* True if the block of @size on both sides of @seam lies in [@start, @end). */
static bool joins_block(const struct tmm_frame_table *table, u64 seam, u64 start, u64 end,
			enum tmm_page_size size)
{
	u64 from, to;

	block_bounds(table, seam, size, &from, &to);
	return from < seam && from >= start && to <= end;
}

/*
 * Two runs of frames, none of them empty, become the run [@start, @end); @seam is the first frame
 * of the second. Return: true if tmm_frame_table_join() has a block to join. Takes no lock. O(1).
 */
bool tmm_frame_table_is_to_join(const struct tmm_frame_table *table, u64 seam, u64 start, u64 end)
{
	return joins_block(table, seam, start, end, TMM_2M) ||
	       joins_block(table, seam, start, end, TMM_1G);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_table_is_to_join);

/*
 * Mark the blocks around @seam as a whole if they lie in [@start, @end), which is one run with one
 * mark now. The caller owns the run and holds the frame allocator's lock. O(1).
 */
void tmm_frame_table_join(struct tmm_frame_table *table, u64 seam, u64 start, u64 end)
{
	const enum tmm_frame_mark mark = tmm_frame_table_get(table, seam);
	enum tmm_page_size size;

	for (size = TMM_2M; size < TMM_NR_PAGE_SIZES; size++)
		if (joins_block(table, seam, start, end, size))
			tmm_frame_table_set_block(table, seam, size, mark);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_table_join);

/* The mark of frame @number; sets @end to the end of the block that has the mark. */
static enum tmm_frame_mark mark_at(const struct tmm_frame_table *table, u64 number, u64 *end)
{
	enum tmm_page_size size = TMM_1G;
	u64 start;
	u8 mark;

	for (;; size--) {
		/* A mark read after MIXED is the mark that push_down() wrote, or a newer mark. */
		mark = smp_load_acquire(&table->marks[size][block_of(table, number, size)]);
		if (mark != TMM_MARK_MIXED || size == TMM_4K)
			break;
	}
	block_bounds(table, number, size, &start, end);
	return mark;
}

/* The mark of a frame in the region. The caller holds the frame allocator's lock. O(1). */
enum tmm_frame_mark tmm_frame_table_get(const struct tmm_frame_table *table, u64 number)
{
	u64 end;

	return mark_at(table, number, &end);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_table_get);

/* True if all frames of [@start, @end) have @mark. The blocks above those of @size are MIXED. */
static bool all_have(struct tmm_frame_table *table, u64 start, u64 end, enum tmm_page_size size,
		     enum tmm_frame_mark mark)
{
	u64 from, to, nr, block;
	u8 *marks, *other;

	for (; start < end; start = to) {
		marks = marks_of(table, start, end, size, &nr);
		other = memchr_inv(marks, mark, nr);
		table->nr_steps += other ? other - marks + 1 : nr;
		if (!other)
			return true;
		if (*other != TMM_MARK_MIXED || size == TMM_4K)
			return false;
		block = other - table->marks[size];
		start = max(start, table->base + (block << tmm_page_size_order(size)));
		block_bounds(table, start, size, &from, &to);
		to = min(to, end);
		if (!all_have(table, start, to, size - 1, mark))
			return false;
	}
	return true;
}

/*
 * True if all frames of a run in the region have @mark. The function takes at most
 * TMM_FRAME_TABLE_MAX_STEPS steps, plus one for each block of 1 GiB, if the run has one owner: then
 * a block within the run is not MIXED. The caller holds the frame allocator's lock.
 */
bool tmm_frame_table_all(struct tmm_frame_table *table, u64 start, u64 nr,
			 enum tmm_frame_mark mark)
{
	return all_have(table, start, start + nr, TMM_1G, mark);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_table_all);

/*
 * Count the marks of a run in the region, and add the numbers to @counts (by enum
 * tmm_frame_mark). Each frame counts once, with a mark that the frame had during the call.
 * Needs no lock. O(@nr) if the marks differ, so callers count one piece of a run at a time.
 */
void tmm_frame_table_count(const struct tmm_frame_table *table, u64 start, u64 nr,
			   u64 counts[TMM_NR_MARKS])
{
	u64 end = start + nr;
	enum tmm_frame_mark mark;
	u64 next;

	while (start < end) {
		mark = mark_at(table, start, &next);
		next = min(next, end);
		counts[mark] += next - start;
		start = next;
	}
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_table_count);
