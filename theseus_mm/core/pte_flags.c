// SPDX-License-Identifier: GPL-2.0
#include "core/pte_flags.h"

#include "core/compat.h"

#include <asm/pgtable_types.h>
#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>

/* The module's bits must be the same as the hardware's. */
static_assert((__force u64)TMM_PTE_VALID == _PAGE_PRESENT);
static_assert((__force u64)TMM_PTE_WRITABLE == _PAGE_RW);
static_assert((__force u64)TMM_PTE_ACCESSED == _PAGE_ACCESSED);
static_assert((__force u64)TMM_PTE_DIRTY == _PAGE_DIRTY);
static_assert((__force u64)TMM_PTE_NOT_EXECUTABLE == 1ULL << _PAGE_BIT_NX);

/**
 * tmm_pte_flags_check() - check the flags of a caller
 * @flags: flags that the caller asked for
 *
 * VALID and EXCLUSIVE are accepted and ignored (TMM_MMIO_FLAGS and TMM_DMA_FLAGS contain
 * VALID), since only a map call decides these bits.
 *
 * Return: 0, or -EINVAL if a bit is unknown, or the flags are both writable and executable
 */
int tmm_pte_flags_check(tmm_pte_flags_t flags)
{
	if (flags & ~TMM_PTE_ALL)
		return -EINVAL;
	if (tmm_pte_flags_is_writable(flags) && tmm_pte_flags_is_executable(flags))
		return -EINVAL;
	return 0;
}
EXPORT_SYMBOL_TMM(tmm_pte_flags_check);

/*
 * Check whether the flags of a caller suit the memory type of the frames. DEVICE_MEMORY must be
 * set if the CPU does not cache the memory, and must be clear for write-back memory: RAM is
 * mapped write-back only, and registers are never mapped write-back. Return: 0, or -EOPNOTSUPP.
 */
int tmm_pte_flags_check_memory_type(tmm_pte_flags_t flags, enum tmm_memory_type type)
{
	return tmm_pte_flags_is_device_memory(flags) == (type != TMM_WRITE_BACK) ? 0 : -EOPNOTSUPP;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_pte_flags_check_memory_type);

/*
 * Bits of a 4 KiB leaf of write-back memory, without the address. @exclusive means that the
 * mapping owns its frames.
 *
 * NX is always set, since kernel code never runs from a private root. DIRTY is never set, since
 * only the hardware sets DIRTY. GLOBAL is never set, or the translations of a window would
 * outlive the window. USER is never set, since user mode never runs on a private root, and SMAP
 * refuses kernel accesses to user pages.
 */
tmm_leaf_bits_t tmm_pte_leaf_bits(tmm_pte_flags_t flags, bool exclusive)
{
	tmm_pte_flags_t bits = TMM_PTE_VALID | TMM_PTE_NOT_EXECUTABLE;

	bits |= flags & (TMM_PTE_WRITABLE | TMM_PTE_ACCESSED);
	if (exclusive)
		bits |= TMM_PTE_EXCLUSIVE;
	return (__force tmm_leaf_bits_t)bits;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_pte_leaf_bits);

/*
 * Cache bits of a memory type in a 4 KiB leaf, to be ORed to tmm_pte_leaf_bits(). Linux chooses
 * these bits at boot (the PAT); the flags of a caller do not change the bits.
 */
tmm_leaf_bits_t tmm_pte_memory_type_bits(enum tmm_memory_type type)
{
	static const enum page_cache_mode modes[TMM_NR_MEMORY_TYPES] = {
		[TMM_WRITE_BACK] = _PAGE_CACHE_MODE_WB,
		[TMM_UNCACHED] = _PAGE_CACHE_MODE_UC,
		[TMM_WRITE_COMBINING] = _PAGE_CACHE_MODE_WC,
	};

	return (__force tmm_leaf_bits_t)cachemode2protval(modes[type]);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_pte_memory_type_bits);

/*
 * Convert the bits of a 4 KiB leaf to a leaf of @size. Bit 7 is a cache bit in a 4 KiB leaf. In
 * a larger leaf, bit 7 marks the leaf, and bit 12 is the cache bit. Return: the entry without
 * the address.
 */
u64 tmm_pte_leaf_bits_at(tmm_leaf_bits_t bits, enum tmm_page_size size)
{
	const u64 small = (__force u64)bits;

	return size == TMM_4K ? small : protval_4k_2_large(small) | _PAGE_PSE;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_pte_leaf_bits_at);

/*
 * Convert an entry of this module, a leaf of @size, to the bits of a 4 KiB leaf, without the
 * address. The entry may contain an address and bits that the hardware has set.
 */
tmm_leaf_bits_t tmm_pte_bits_of_leaf(u64 entry, enum tmm_page_size size)
{
	u64 large = entry & (~TMM_PTE_FRAME_MASK | _PAGE_PAT_LARGE);
	u64 bits = size == TMM_4K ? entry & ~TMM_PTE_FRAME_MASK :
		   protval_large_2_4k(large & ~(u64)_PAGE_PSE);

	return (__force tmm_leaf_bits_t)bits;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_pte_bits_of_leaf);

/*
 * The common flags of a leaf entry, with DEVICE_MEMORY if the CPU does not cache the memory.
 * The result lacks the flags that only the mapping records (executable, user, global).
 */
tmm_pte_flags_t tmm_pte_flags_of_leaf(u64 entry, enum tmm_page_size size)
{
	tmm_pte_flags_t flags = (__force tmm_pte_flags_t)entry & TMM_PTE_ALL;
	bool is_cached = tmm_pte_memory_type_of_leaf(entry, size) == TMM_WRITE_BACK;

	return tmm_pte_flags_device_memory(flags, !is_cached);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_pte_flags_of_leaf);

/* The memory type of a leaf entry of this module. */
enum tmm_memory_type tmm_pte_memory_type_of_leaf(u64 entry, enum tmm_page_size size)
{
	u64 mask = _PAGE_PWT | _PAGE_PCD | (size == TMM_4K ? _PAGE_PAT : _PAGE_PAT_LARGE);
	enum tmm_memory_type type;

	for (type = TMM_WRITE_BACK + 1; type < TMM_NR_MEMORY_TYPES; type++)
		if ((entry & mask) == (tmm_pte_leaf_bits_at(tmm_pte_memory_type_bits(type), size) &
				       mask))
			return type;
	return TMM_WRITE_BACK;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_pte_memory_type_of_leaf);
