// SPDX-License-Identifier: GPL-2.0
#include "core/pte_flags.h"

#include "support/fixture.h"

#include <asm/pgtable_types.h>
#include <kunit/test.h>

#define U64(flags) ((__force u64)(flags))
#define LEAF_BITS(bits) ((__force tmm_leaf_bits_t)(bits))

static void masks_leave_the_frame_alone(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, TMM_PTE_FRAME_MASK, 0x000FFFFFFFFFF000ULL);
	KUNIT_EXPECT_EQ(test, U64(TMM_PTE_ALL) & TMM_PTE_FRAME_MASK, 0);
	KUNIT_EXPECT_EQ(test, U64(TMM_PTE_X86_ALL) & TMM_PTE_FRAME_MASK, 0);
}

static void default_flags(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, U64(TMM_PTE_DEFAULT), BIT_ULL(5) | BIT_ULL(63));
	KUNIT_EXPECT_EQ(test, U64(TMM_PTE_X86_DEFAULT), BIT_ULL(63));
	KUNIT_EXPECT_EQ(test, U64(TMM_DMA_FLAGS),
			BIT_ULL(0) | BIT_ULL(1) | BIT_ULL(5) | BIT_ULL(63));
	KUNIT_EXPECT_EQ(test, U64(TMM_MMIO_FLAGS), U64(TMM_DMA_FLAGS) | BIT_ULL(4));
}

struct x86_param {
	const char *name;
	tmm_pte_flags_x86_t flag;
	unsigned int bit;
};

static const struct x86_param x86_params[] = {
	{ "valid", TMM_PTE_X86_VALID, 0 },
	{ "writable", TMM_PTE_X86_WRITABLE, 1 },
	{ "user", TMM_PTE_X86_USER, 2 },
	{ "write-through", TMM_PTE_X86_WRITE_THROUGH, 3 },
	{ "cache disable", TMM_PTE_X86_CACHE_DISABLE, 4 },
	{ "accessed", TMM_PTE_X86_ACCESSED, 5 },
	{ "dirty", TMM_PTE_X86_DIRTY, 6 },
	{ "huge", TMM_PTE_X86_HUGE, 7 },
	{ "global", TMM_PTE_X86_GLOBAL, 8 },
	{ "exclusive", TMM_PTE_X86_EXCLUSIVE, 55 },
	{ "no execute", TMM_PTE_X86_NO_EXECUTE, 63 },
};

TMM_ARRAY_PARAM(x86, x86_params);

static void x86_bit_position(struct kunit *test)
{
	const struct x86_param *p = test->param_value;

	KUNIT_EXPECT_EQ(test, U64(p->flag), BIT_ULL(p->bit));
}

struct setter_param {
	const char *name;
	tmm_pte_flags_t flag;
	tmm_pte_flags_t (*set)(tmm_pte_flags_t flags, bool on);
	bool (*is)(tmm_pte_flags_t flags);
	bool inverted;
};

static const struct setter_param setter_params[] = {
	{ "valid", TMM_PTE_VALID, tmm_pte_flags_valid, tmm_pte_flags_is_valid },
	{ "writable", TMM_PTE_WRITABLE, tmm_pte_flags_writable, tmm_pte_flags_is_writable },
	{ "executable", TMM_PTE_NOT_EXECUTABLE, tmm_pte_flags_executable,
	  tmm_pte_flags_is_executable, true },
	{ "device memory", TMM_PTE_DEVICE_MEMORY, tmm_pte_flags_device_memory,
	  tmm_pte_flags_is_device_memory },
	{ "exclusive", TMM_PTE_EXCLUSIVE, tmm_pte_flags_exclusive, tmm_pte_flags_is_exclusive },
	{ "accessed", TMM_PTE_ACCESSED, tmm_pte_flags_accessed, tmm_pte_flags_is_accessed },
	{ "dirty", TMM_PTE_DIRTY, tmm_pte_flags_dirty, tmm_pte_flags_is_dirty },
};

TMM_ARRAY_PARAM(setter, setter_params);

static void setter_changes_one_bit_of_a_copy(struct kunit *test)
{
	const struct setter_param *p = test->param_value;
	u64 with = U64(TMM_PTE_ALL);
	u64 without = U64(TMM_PTE_ALL & ~p->flag);
	tmm_pte_flags_t set = p->set(TMM_PTE_NONE, !p->inverted);
	tmm_pte_flags_t cleared = p->set(TMM_PTE_ALL, p->inverted);

	KUNIT_EXPECT_EQ(test, U64(set), U64(p->flag));
	KUNIT_EXPECT_EQ(test, U64(cleared), without);
	KUNIT_EXPECT_EQ(test, U64(p->set(TMM_PTE_ALL, !p->inverted)), with);
	KUNIT_EXPECT_EQ(test, U64(p->set(TMM_PTE_NONE, p->inverted)), 0);
	KUNIT_EXPECT_EQ(test, p->is(set), !p->inverted);
	KUNIT_EXPECT_EQ(test, p->is(cleared), p->inverted);
}

/* The @n-th subset of the common flags. */
static tmm_pte_flags_t subset_of(unsigned int n)
{
	static const tmm_pte_flags_t flags[] = {
		TMM_PTE_VALID, TMM_PTE_WRITABLE, TMM_PTE_USER_ACCESSIBLE, TMM_PTE_DEVICE_MEMORY,
		TMM_PTE_ACCESSED, TMM_PTE_DIRTY, TMM_PTE_GLOBAL, TMM_PTE_EXCLUSIVE,
		TMM_PTE_NOT_EXECUTABLE,
	};
	tmm_pte_flags_t set = TMM_PTE_NONE;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		if (n & BIT(i))
			set |= flags[i];
	return set;
}

#define NR_SUBSETS 512

static void to_x86_and_back_loses_nothing(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < NR_SUBSETS; i++) {
		tmm_pte_flags_x86_t x86 = tmm_pte_flags_to_x86(subset_of(i));

		KUNIT_EXPECT_EQ(test, U64(tmm_pte_flags_from_x86(x86)), U64(subset_of(i)));
		KUNIT_EXPECT_EQ(test, U64(x86 & ~TMM_PTE_X86_ALL), 0);
	}
}

static void from_x86_keeps_only_common_bits(struct kunit *test)
{
	tmm_pte_flags_x86_t only_x86 = TMM_PTE_X86_WRITE_THROUGH | TMM_PTE_X86_HUGE;

	KUNIT_EXPECT_EQ(test, U64(tmm_pte_flags_from_x86(only_x86)), 0);
	KUNIT_EXPECT_EQ(test, U64(tmm_pte_flags_from_x86(TMM_PTE_X86_ALL)), U64(TMM_PTE_ALL));
}

static void adjust_for_higher_level_clears_no_execute_and_exclusive(struct kunit *test)
{
	tmm_pte_flags_x86_t all = tmm_pte_flags_x86_adjust_for_higher_level_pte(TMM_PTE_X86_ALL);

	KUNIT_EXPECT_EQ(test, U64(all), U64(TMM_PTE_X86_ALL) & ~(BIT_ULL(55) | BIT_ULL(63)));
}

struct check_param {
	const char *name;
	tmm_pte_flags_t flags;
	int err;
};

#define NX TMM_PTE_NOT_EXECUTABLE

static const struct check_param check_params[] = {
	{ "none: read and execute", TMM_PTE_NONE, 0 },
	{ "default", TMM_PTE_DEFAULT, 0 },
	{ "writable", NX | TMM_PTE_WRITABLE, 0 },
	{ "user", NX | TMM_PTE_USER_ACCESSIBLE, 0 },
	{ "global", NX | TMM_PTE_GLOBAL, 0 },
	{ "valid and exclusive are overruled", NX | TMM_PTE_VALID | TMM_PTE_EXCLUSIVE, 0 },
	{ "DMA", TMM_DMA_FLAGS, 0 },
	{ "MMIO", TMM_MMIO_FLAGS, 0 },
	{ "device memory, read only", NX | TMM_PTE_DEVICE_MEMORY, 0 },
	{ "writable and executable", TMM_PTE_WRITABLE, -EINVAL },
	{ "writable and executable device memory",
	  TMM_PTE_WRITABLE | TMM_PTE_DEVICE_MEMORY, -EINVAL },
	/* Theseus uses bit 7 both as HUGE_PAGE and as PAT. */
	{ "bit 7, not for callers", NX | (__force tmm_pte_flags_t)BIT_ULL(7), -EINVAL },
};

TMM_ARRAY_PARAM(check, check_params);

static void check_values(struct kunit *test)
{
	const struct check_param *p = test->param_value;

	KUNIT_EXPECT_EQ(test, tmm_pte_flags_check(p->flags), p->err);
}

static void check_refuses_every_unknown_bit(struct kunit *test)
{
	unsigned int bit;

	for (bit = 0; bit < 64; bit++) {
		tmm_pte_flags_t flag = (__force tmm_pte_flags_t)BIT_ULL(bit);

		if (!(flag & TMM_PTE_ALL))
			KUNIT_EXPECT_EQ_MSG(test, tmm_pte_flags_check(TMM_PTE_DEFAULT | flag),
					    -EINVAL, "bit %u", bit);
	}
}

static void leaf_bits_of_every_subset(struct kunit *test)
{
	const u64 never = BIT_ULL(2) | BIT_ULL(3) | BIT_ULL(4) | BIT_ULL(6) | BIT_ULL(7) |
			  BIT_ULL(8) | TMM_PTE_FRAME_MASK;
	const u64 always = BIT_ULL(0) | BIT_ULL(63);
	unsigned int i;

	for (i = 0; i < NR_SUBSETS; i++) {
		u64 flags = U64(subset_of(i));
		u64 owned = U64(tmm_pte_leaf_bits(subset_of(i), true));
		u64 borrowed = U64(tmm_pte_leaf_bits(subset_of(i), false));

		KUNIT_EXPECT_EQ_MSG(test, owned & never, 0, "flags %#llx", flags);
		KUNIT_EXPECT_EQ_MSG(test, owned & always, always, "flags %#llx", flags);
		KUNIT_EXPECT_EQ_MSG(test, owned & (BIT_ULL(1) | BIT_ULL(5)),
				    flags & (BIT_ULL(1) | BIT_ULL(5)), "flags %#llx", flags);
		KUNIT_EXPECT_EQ_MSG(test, owned, borrowed | BIT_ULL(55), "flags %#llx", flags);
		KUNIT_EXPECT_EQ_MSG(test, borrowed & BIT_ULL(55), 0, "flags %#llx", flags);
	}
}

static void check_memory_type_refuses_what_does_not_fit(struct kunit *test)
{
	const tmm_pte_flags_t device = TMM_MMIO_FLAGS;
	const tmm_pte_flags_t ram = TMM_DMA_FLAGS;

	KUNIT_EXPECT_EQ(test, tmm_pte_flags_check_memory_type(ram, TMM_WRITE_BACK), 0);
	KUNIT_EXPECT_EQ(test, tmm_pte_flags_check_memory_type(device, TMM_UNCACHED), 0);
	KUNIT_EXPECT_EQ(test, tmm_pte_flags_check_memory_type(device, TMM_WRITE_COMBINING), 0);
	KUNIT_EXPECT_EQ(test, tmm_pte_flags_check_memory_type(device, TMM_WRITE_BACK),
			-EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, tmm_pte_flags_check_memory_type(ram, TMM_UNCACHED), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, tmm_pte_flags_check_memory_type(ram, TMM_WRITE_COMBINING),
			-EOPNOTSUPP);
}

/* In Linux's PAT, entry 0 is WB, 1 is WC, 2 is UC-, 3 is UC. */
static void memory_type_at_every_leaf_size(struct kunit *test)
{
	static const u64 cache_bits[] = { 0, _PAGE_PCD | _PAGE_PWT, _PAGE_PWT };
	tmm_leaf_bits_t base = tmm_pte_leaf_bits(TMM_DMA_FLAGS, true);
	enum tmm_memory_type type;
	enum tmm_page_size size;

	for (type = TMM_WRITE_BACK; type < TMM_NR_MEMORY_TYPES; type++)
		for (size = TMM_4K; size < TMM_NR_PAGE_SIZES; size++) {
			u64 entry = tmm_pte_leaf_bits_at(base | tmm_pte_memory_type_bits(type),
							 size);

			KUNIT_EXPECT_EQ_MSG(test, entry & (_PAGE_PCD | _PAGE_PWT),
					    cache_bits[type], "type %d, size %d", type, size);
			KUNIT_EXPECT_EQ_MSG(test, !!(entry & BIT_ULL(7)), size != TMM_4K,
					    "type %d, size %d", type, size);
			KUNIT_EXPECT_EQ_MSG(test, tmm_pte_memory_type_of_leaf(entry, size), type,
					    "type %d, size %d", type, size);
			KUNIT_EXPECT_EQ_MSG(test, U64(tmm_pte_flags_of_leaf(entry, size)),
					    U64(type == TMM_WRITE_BACK ? TMM_DMA_FLAGS :
						TMM_MMIO_FLAGS) | U64(TMM_PTE_EXCLUSIVE),
					    "type %d, size %d", type, size);
		}
}

/* The third bit of the memory type is bit 7 of a 4 KiB leaf, and bit 12 of a larger leaf. */
static void third_cache_bit_moves_with_the_size(struct kunit *test)
{
	const u64 bits = U64(tmm_pte_leaf_bits(TMM_PTE_DEFAULT, true)) | _PAGE_PAT;
	const u64 large = bits | _PAGE_PSE | BIT_ULL(12);

	KUNIT_EXPECT_EQ(test, tmm_pte_leaf_bits_at(LEAF_BITS(bits), TMM_4K), bits);
	KUNIT_EXPECT_EQ(test, tmm_pte_leaf_bits_at(LEAF_BITS(bits), TMM_2M), large);
	KUNIT_EXPECT_EQ(test, tmm_pte_leaf_bits_at(LEAF_BITS(bits), TMM_1G), large);
}

/* tmm_pte_bits_of_leaf() undoes tmm_pte_leaf_bits_at() for each size and any address. */
static void bits_of_leaf_undo_bits_at(struct kunit *test)
{
	const u64 bits = U64(tmm_pte_leaf_bits(TMM_DMA_FLAGS, true));
	const u64 noted[] = { 0, U64(TMM_PTE_DIRTY), _PAGE_PAT, _PAGE_PAT | U64(TMM_PTE_DIRTY) };
	enum tmm_page_size size;
	unsigned int i;

	for (size = TMM_4K; size < TMM_NR_PAGE_SIZES; size++) {
		u64 address = TMM_PTE_FRAME_MASK & ~(tmm_page_size_bytes(size) - 1);

		for (i = 0; i < ARRAY_SIZE(noted); i++) {
			u64 entry = tmm_pte_leaf_bits_at(LEAF_BITS(bits | noted[i]), size);

			KUNIT_EXPECT_EQ(test, U64(tmm_pte_bits_of_leaf(entry, size)),
					bits | noted[i]);
			KUNIT_EXPECT_EQ(test, U64(tmm_pte_bits_of_leaf(entry | address, size)),
					bits | noted[i]);
		}
	}
}

static void flags_of_leaf_drop_address_and_unknown_bits(struct kunit *test)
{
	u64 bits = U64(tmm_pte_leaf_bits(TMM_DMA_FLAGS, true)) | U64(TMM_PTE_DIRTY);
	u64 want = U64(TMM_DMA_FLAGS | TMM_PTE_EXCLUSIVE | TMM_PTE_DIRTY);
	enum tmm_page_size size;

	for (size = TMM_4K; size < TMM_NR_PAGE_SIZES; size++) {
		u64 entry = tmm_pte_leaf_bits_at(LEAF_BITS(bits), size) | 0x123440000000ULL |
			    BIT_ULL(9);

		KUNIT_EXPECT_EQ(test, U64(tmm_pte_flags_of_leaf(entry, size)), want);
	}
}

static struct kunit_case pte_flags_cases[] = {
	KUNIT_CASE(masks_leave_the_frame_alone),
	KUNIT_CASE(default_flags),
	KUNIT_CASE_PARAM(x86_bit_position, x86_gen_params),
	KUNIT_CASE_PARAM(setter_changes_one_bit_of_a_copy, setter_gen_params),
	KUNIT_CASE(to_x86_and_back_loses_nothing),
	KUNIT_CASE(from_x86_keeps_only_common_bits),
	KUNIT_CASE(adjust_for_higher_level_clears_no_execute_and_exclusive),
	KUNIT_CASE_PARAM(check_values, check_gen_params),
	KUNIT_CASE(check_refuses_every_unknown_bit),
	KUNIT_CASE(leaf_bits_of_every_subset),
	KUNIT_CASE(check_memory_type_refuses_what_does_not_fit),
	KUNIT_CASE(memory_type_at_every_leaf_size),
	KUNIT_CASE(third_cache_bit_moves_with_the_size),
	KUNIT_CASE(bits_of_leaf_undo_bits_at),
	KUNIT_CASE(flags_of_leaf_drop_address_and_unknown_bits),
	{}
};

static struct kunit_suite pte_flags_suite = {
	.name = "theseus_mm_pte_flags",
	.test_cases = pte_flags_cases,
};

kunit_test_suite(pte_flags_suite);
