// SPDX-License-Identifier: GPL-2.0
#include "paging/window_copy.h"

#include "support/fixture.h"
#include "support/instance_fixture.h"

#include "paging/mapper.h"
#include "paging/tlb.h"
#include "paging/window.h"
#include "paging/window_fixture.h"

#include <linux/cpumask.h>
#include <linux/extable.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/string.h>

/* The byte at @offset of the mapped pages, at Linux's own address. */
static u8 *byte_at(const struct tmm_allocated_frames *frames, u64 offset)
{
	u64 frame = frames->f.chunk.start + WINDOW_NR_PAGES - 1 - (offset >> TMM_PAGE_SHIFT);

	return tmm_test_alias(frame) + (offset & (TMM_PAGE_SIZE - 1));
}

static u8 pattern_at(u64 i)
{
	return i * 7 + (i >> 8);
}

static void write_lands_in_the_right_frames(struct kunit *test)
{
	struct tmm_allocated_frames *frames = window_map(test, TMM_TEST_WRITABLE);
	const u64 start = 123, nr = WINDOW_NR_BYTES - 2 * 123;
	u8 *from = tmm_test_kvzalloc(test, WINDOW_NR_BYTES);
	u64 i, wrong = 0;
	size_t left;

	for (i = 0; i < WINDOW_NR_BYTES; i++)
		from[i] = pattern_at(i);
	KUNIT_EXPECT_EQ(test, tmm_window_write(tmm_test_root(test), window_at(start), from + start,
					       nr, &left), 0);
	KUNIT_EXPECT_EQ(test, left, 0);
	for (i = 0; i < WINDOW_NR_BYTES; i++) {
		bool written = i >= start && i < start + nr;

		wrong += *byte_at(frames, i) != (written ? pattern_at(i) : 0x10 + (i >> 12));
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	window_unmap(test, &frames);
}

static void read_gives_what_the_frames_hold(struct kunit *test)
{
	struct tmm_allocated_frames *frames = window_map(test, TMM_TEST_READ_ONLY);
	const u64 start = 4000, nr = WINDOW_NR_BYTES - 4001;
	u8 *to = tmm_test_kvzalloc(test, WINDOW_NR_BYTES);
	u64 i, wrong = 0;
	size_t left;

	for (i = 0; i < WINDOW_NR_BYTES; i++)
		*byte_at(frames, i) = pattern_at(i);
	KUNIT_EXPECT_EQ(test, tmm_window_read(tmm_test_root(test), window_at(start), to, nr, &left),
			0);
	KUNIT_EXPECT_EQ(test, left, 0);
	for (i = 0; i < nr; i++)
		wrong += to[i] != pattern_at(start + i);
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, to[nr], 0);
	window_unmap(test, &frames);
}

static void write_to_read_only_changes_nothing(struct kunit *test)
{
	struct tmm_allocated_frames *frames = window_map(test, TMM_TEST_READ_ONLY);
	u64 entry = tmm_test_entry(tmm_test_root(test), window_page(), 1);
	u8 from[16] = { };
	size_t left = 99;

	KUNIT_EXPECT_EQ(test, tmm_window_write(tmm_test_root(test), window_at(5), from, 16, &left),
			0);
	KUNIT_EXPECT_EQ(test, left, 16);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(byte_at(frames, 0), 0x10, TMM_PAGE_SIZE), NULL);
	KUNIT_EXPECT_EQ(test, tmm_test_entry(tmm_test_root(test), window_page(), 1), entry);
	window_unmap(test, &frames);
}

/* A copy, in words or in bytes, stops at the first byte that it may not access. */
static void copy_stops_at_the_first_byte_that_faults(struct kunit *test)
{
	struct tmm_allocated_frames *frames = window_map(test, TMM_TEST_WRITABLE);
	struct tmm_page_table *pt = tmm_test_root(test);
	u8 *buffer = tmm_test_kvzalloc(test, WINDOW_NR_BYTES);
	const u64 starts[] = { 104, 100 };
	unsigned int i;
	size_t left;

	tmm_mapper_remap(pt, tmm_test_pages(window_page() + 2, 1), false);
	for (i = 0; i < ARRAY_SIZE(starts); i++) {
		const u64 start = starts[i], good = 2 * TMM_PAGE_SIZE - start;

		KUNIT_EXPECT_EQ(test, tmm_window_write(pt, window_at(start), buffer,
						       3 * TMM_PAGE_SIZE, &left), 0);
		KUNIT_EXPECT_EQ(test, left, 3 * TMM_PAGE_SIZE - good);
		KUNIT_EXPECT_EQ(test, *byte_at(frames, start - 1), 0x10);
		KUNIT_EXPECT_EQ(test, *byte_at(frames, start), 0);
		KUNIT_EXPECT_EQ(test, *byte_at(frames, 2 * TMM_PAGE_SIZE - 1), 0);
		KUNIT_EXPECT_EQ(test, *byte_at(frames, 2 * TMM_PAGE_SIZE), 0x12);
	}

	/* A read stops after the last page. */
	KUNIT_EXPECT_EQ(test, tmm_window_read(pt, window_at(WINDOW_NR_BYTES - 10), buffer, 20,
					      &left), 0);
	KUNIT_EXPECT_EQ(test, left, 10);
	KUNIT_EXPECT_EQ(test, buffer[9], 0x13);
	KUNIT_EXPECT_EQ(test, buffer[10], 0);
	window_unmap(test, &frames);
}

static void copy_where_nothing_is_mapped(struct kunit *test)
{
	const u64 bad[] = {
		window_at(0).v, window_at(0).v ^ BIT_ULL(63),
		tmm_test_vaddr(tmm_private_first_page()).v - 8,
	};
	struct tmm_page_table *pt = tmm_test_root(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct tmm_vaddr vaddr = { bad[i] };
		u8 buffer[8] = { 1 };
		size_t left = 0;

		KUNIT_EXPECT_EQ(test, tmm_window_read(pt, vaddr, buffer, 8, &left), 0);
		KUNIT_EXPECT_EQ_MSG(test, left, 8, "address %u", i);
		KUNIT_EXPECT_EQ(test, buffer[0], 1);
		left = 0;
		KUNIT_EXPECT_EQ(test, tmm_window_write(pt, vaddr, buffer, 8, &left), 0);
		KUNIT_EXPECT_EQ_MSG(test, left, 8, "address %u", i);
	}
}

static void copy_of_nothing(struct kunit *test)
{
	size_t left = 1;

	KUNIT_EXPECT_EQ(test, tmm_window_read(tmm_test_root(test), window_at(0), NULL, 0, &left),
			0);
	KUNIT_EXPECT_EQ(test, left, 0);
}

static void copy_between_mappings_in_one_window(struct kunit *test)
{
	struct tmm_allocated_frames *frames = window_map(test, TMM_TEST_WRITABLE);
	struct tmm_window window;
	size_t missed = 1;
	int err = tmm_window_enter(tmm_test_root(test), &window);

	if (!err) {
		missed = tmm_window_copy((void *)window_at(3 * TMM_PAGE_SIZE).v,
					 (void *)window_at(0).v, 100);
		tmm_window_leave(&window);
	}
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, missed, 0);
	KUNIT_EXPECT_EQ(test, *byte_at(frames, 3 * TMM_PAGE_SIZE + 99), 0x10);
	KUNIT_EXPECT_EQ(test, *byte_at(frames, 3 * TMM_PAGE_SIZE + 100), 0x13);
	window_unmap(test, &frames);
}

/* Is the instruction a string move, as copies in windows use? */
static bool is_rep_movs(const u8 *insn)
{
	/* REP is followed by an optional prefix for the size, and by the move. */
	const u8 *move = insn + (insn[1] == 0x48 || insn[1] == 0x66 ? 2 : 1);

	return insn[0] == 0xf3 && (move[0] == 0xa4 || move[0] == 0xa5);
}

/*
 * The machine-check handler looks at the type of the exception-table entry. Without the
 * right entry, a copy of failing memory panics the machine.
 */
static void copies_survive_memory_that_fails(struct kunit *test)
{
	struct file *file = filp_open("/dev/theseus_mm", O_RDONLY, 0);
	const struct module *module;
	unsigned int i, nr = 0;

	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	module = file->f_op->owner;
	for (i = 0; module && i < module->num_exentries; i++) {
		const struct exception_table_entry *entry = &module->extable[i];
		const u8 *insn = (const u8 *)&entry->insn + entry->insn;

		if (!is_rep_movs(insn))
			continue;
		nr++;
		KUNIT_EXPECT_EQ_MSG(test, entry->data & EX_DATA_TYPE_MASK,
				    EX_TYPE_DEFAULT_MCE_SAFE, "%pS", insn);
	}
	filp_close(file, NULL);
	KUNIT_EXPECT_GE(test, nr, 2);
}

static void accesses_are_aligned_and_of_one_width(struct kunit *test)
{
	static const struct {
		enum tmm_memory_type type;
		u64 offset;
		u64 nr_bytes;
		unsigned int width;
	} cases[] = {
		/* A copy as large as a register is one access. */
		{ TMM_UNCACHED, 0, 1, 1 }, { TMM_UNCACHED, 6, 2, 2 }, { TMM_UNCACHED, 4, 4, 4 },
		{ TMM_UNCACHED, 8, 8, 8 }, { TMM_UNCACHED, 4, 8, 4 }, { TMM_UNCACHED, 3, 8, 1 },
		/* Longer copies use accesses of 32 bits, if offset and length allow. */
		{ TMM_UNCACHED, 0, 16, 4 }, { TMM_UNCACHED, 4096, 4096, 4 },
		{ TMM_UNCACHED, 0, 6, 2 }, { TMM_UNCACHED, 2, 4, 2 }, { TMM_UNCACHED, 0, 7, 1 },
		{ TMM_UNCACHED, 1, 4096, 1 }, { TMM_UNCACHED, 0, 12, 4 },
		/* In write-combining memory, which has no registers, 64 bits are used too. */
		{ TMM_WRITE_COMBINING, 0, 4096, 8 }, { TMM_WRITE_COMBINING, 8, 16, 8 },
		{ TMM_WRITE_COMBINING, 4, 4096, 4 }, { TMM_WRITE_COMBINING, 0, 4, 4 },
		{ TMM_WRITE_COMBINING, 1, 8, 1 }, { TMM_WRITE_COMBINING, 16, 6, 2 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ_MSG(test, tmm_window_access_width(cases[i].type, cases[i].offset,
								  cases[i].nr_bytes),
				    cases[i].width, "%llu bytes at %llu", cases[i].nr_bytes,
				    cases[i].offset);
}

/* The number of windows of a copy. The counter counts the entry and the exit of each window. */
static u64 windows_of_transfer(struct kunit *test, enum tmm_memory_type type, void *to,
			       const void *from, size_t nr_bytes)
{
	size_t left = 1;
	u64 before;

	KUNIT_ASSERT_EQ(test, set_cpus_allowed_ptr(current, cpumask_of(raw_smp_processor_id())), 0);
	before = raw_cpu_read(tmm_inside);
	KUNIT_EXPECT_EQ(test, tmm_window_transfer(tmm_test_root(test), type, to, from, nr_bytes,
						  &left), 0);
	KUNIT_EXPECT_EQ(test, left, 0);
	return (raw_cpu_read(tmm_inside) - before) / 2;
}

/* For a device, the bound of a window counts accesses, not bytes: accesses delay interrupts. */
static void windows_are_bounded_by_what_is_copied(struct kunit *test)
{
	struct tmm_allocated_frames *frames = window_map(test, TMM_TEST_WRITABLE);
	u8 *buffer = tmm_test_kvzalloc(test, WINDOW_NR_BYTES);
	const void *from = (void *)window_at(0).v;

	KUNIT_EXPECT_EQ(test, windows_of_transfer(test, TMM_WRITE_BACK, buffer, from, 4096), 1);
	KUNIT_EXPECT_EQ(test, windows_of_transfer(test, TMM_WRITE_BACK, buffer, from, 4097), 2);
	KUNIT_EXPECT_EQ(test, windows_of_transfer(test, TMM_UNCACHED, buffer, from, 64), 1);
	KUNIT_EXPECT_EQ(test, windows_of_transfer(test, TMM_UNCACHED, buffer, from, 4096), 64);
	KUNIT_EXPECT_EQ(test, windows_of_transfer(test, TMM_UNCACHED, buffer, from + 1, 17), 2);
	KUNIT_EXPECT_EQ(test, windows_of_transfer(test, TMM_WRITE_COMBINING, buffer, from, 4096),
			32);
	KUNIT_EXPECT_EQ(test, windows_of_transfer(test, TMM_UNCACHED, (void *)window_at(0).v,
						  buffer, 128), 2);
	window_unmap(test, &frames);
}

/* Accesses of each width copy exactly the requested bytes. A copy that faults stops there. */
static void copies_of_each_width(struct kunit *test)
{
	struct tmm_allocated_frames *frames = window_map(test, TMM_TEST_WRITABLE);
	struct tmm_page_table *pt = tmm_test_root(test);
	u8 *buffer = tmm_test_kvzalloc(test, WINDOW_NR_BYTES);
	unsigned int offset;
	size_t left, i;

	for (offset = 0; offset <= 8; offset++) {
		u64 nr = TMM_PAGE_SIZE + 2 * offset, wrong = 0;

		for (i = 0; i < WINDOW_NR_BYTES; i++)
			buffer[i] = pattern_at(i + offset);
		KUNIT_EXPECT_EQ(test, tmm_window_transfer(pt, TMM_UNCACHED,
							  (void *)window_at(offset).v, buffer, nr,
							  &left), 0);
		KUNIT_EXPECT_EQ(test, left, 0);
		memset(buffer, 0, WINDOW_NR_BYTES);
		KUNIT_EXPECT_EQ(test, tmm_window_transfer(pt, TMM_WRITE_COMBINING, buffer,
							  (void *)window_at(offset).v, nr, &left),
				0);
		KUNIT_EXPECT_EQ(test, left, 0);
		for (i = 0; i < nr; i++)
			wrong += buffer[i] != pattern_at(i + offset);
		KUNIT_EXPECT_EQ(test, wrong, 0);
		KUNIT_EXPECT_EQ(test, buffer[nr], 0);
	}
	KUNIT_EXPECT_EQ(test, tmm_window_transfer(pt, TMM_UNCACHED, buffer,
						  (void *)window_at(WINDOW_NR_BYTES - 100).v, 400,
						  &left), 0);
	KUNIT_EXPECT_EQ(test, left, 300);
	window_unmap(test, &frames);
}

static struct kunit_case window_copy_cases[] = {
	KUNIT_CASE(write_lands_in_the_right_frames),
	KUNIT_CASE(read_gives_what_the_frames_hold),
	KUNIT_CASE(write_to_read_only_changes_nothing),
	KUNIT_CASE(copy_stops_at_the_first_byte_that_faults),
	KUNIT_CASE(copy_where_nothing_is_mapped),
	KUNIT_CASE(copy_of_nothing),
	KUNIT_CASE(copy_between_mappings_in_one_window),
	KUNIT_CASE(copies_survive_memory_that_fails),
	KUNIT_CASE(accesses_are_aligned_and_of_one_width),
	KUNIT_CASE(windows_are_bounded_by_what_is_copied),
	KUNIT_CASE(copies_of_each_width),
	{}
};

static struct kunit_suite window_copy_suite = {
	.name = "theseus_mm_window_copy",
	.init = tmm_test_instance_init,
	.exit = tmm_test_instance_exit,
	.test_cases = window_copy_cases,
};

kunit_test_suite(window_copy_suite);
