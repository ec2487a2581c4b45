// SPDX-License-Identifier: GPL-2.0
#include "core/pte_flags.h"

#include "core/compat.h"

#include <asm/pgtable_types.h>
#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>

/* The module's own word for a bit and the hardware's must be the same. */
static_assert((__force u64)TMM_PTE_VALID == _PAGE_PRESENT);
static_assert((__force u64)TMM_PTE_WRITABLE == _PAGE_RW);
static_assert((__force u64)TMM_PTE_ACCESSED == _PAGE_ACCESSED);
static_assert((__force u64)TMM_PTE_DIRTY == _PAGE_DIRTY);
static_assert((__force u64)TMM_PTE_NOT_EXECUTABLE == 1ULL << _PAGE_BIT_NX);

/**
 * tmm_pte_flags_check() - are these flags that a caller may ask for?
 * @flags: what the caller asked for
 *
 * VALID and EXCLUSIVE are accepted and overruled (TMM_MMIO_FLAGS and
 * TMM_DMA_FLAGS carry VALID): a map call alone decides them.
 *
 * Return: 0, or -EINVAL if a bit is unknown, or they say writable and executable
 * at once
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

/**
 * tmm_pte_flags_check_memory_type() - do flags suit the memory behind a mapping?
 * @flags: what the caller asked for
 * @type: of the frames
 *
 * DEVICE_MEMORY goes with memory that the CPU does not cache, and with no other:
 * RAM is mapped write-back only, and registers never are.
 *
 * Return: 0, or -EOPNOTSUPP
 */
int tmm_pte_flags_check_memory_type(tmm_pte_flags_t flags, enum tmm_memory_type type)
{
	return tmm_pte_flags_is_device_memory(flags) == (type != TMM_WRITE_BACK) ? 0 : -EOPNOTSUPP;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_pte_flags_check_memory_type);

/**
 * tmm_pte_leaf_bits() - what the hardware gets for a mapping's flags
 * @flags: the mapping's flags
 * @exclusive: the mapping owns the frames behind it
 *
 * Kernel code never runs from a private root: always NX. The hardware alone
 * sets DIRTY. Never GLOBAL, or a window's translations would outlive it; never
 * USER, or SMAP would let user accesses through.
 *
 * Return: a 4 KiB leaf of write-back memory, without its address
 */
u64 tmm_pte_leaf_bits(tmm_pte_flags_t flags, bool exclusive)
{
	tmm_pte_flags_t bits = TMM_PTE_VALID | TMM_PTE_NOT_EXECUTABLE;

	bits |= flags & (TMM_PTE_WRITABLE | TMM_PTE_ACCESSED);
	if (exclusive)
		bits |= TMM_PTE_EXCLUSIVE;
	return (__force u64)bits;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_pte_leaf_bits);

/**
 * tmm_pte_memory_type_bits() - the cache bits of a memory type
 * @type: the type
 *
 * Which bits those are is Linux's choice at boot (the PAT); no caller's bits come
 * into it.
 *
 * Return: bits of a 4 KiB leaf, to be ORed to tmm_pte_leaf_bits()
 */
u64 tmm_pte_memory_type_bits(enum tmm_memory_type type)
{
	static const enum page_cache_mode modes[TMM_NR_MEMORY_TYPES] = {
		[TMM_WRITE_BACK] = _PAGE_CACHE_MODE_WB,
		[TMM_UNCACHED] = _PAGE_CACHE_MODE_UC,
		[TMM_WRITE_COMBINING] = _PAGE_CACHE_MODE_WC,
	};

	return cachemode2protval(modes[type]);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_pte_memory_type_bits);

/**
 * tmm_pte_leaf_bits_at() - a leaf's bits at its size
 * @bits: of a 4 KiB leaf
 * @size: of the leaf
 *
 * Bit 7 is a cache bit of a 4 KiB leaf and says "leaf" in a larger one, whose
 * cache bit is bit 12.
 *
 * Return: the entry without its address
 */
u64 tmm_pte_leaf_bits_at(u64 bits, enum tmm_page_size size)
{
	return size == TMM_4K ? bits : protval_4k_2_large(bits) | _PAGE_PSE;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_pte_leaf_bits_at);

/**
 * tmm_pte_bits_of_leaf() - the inverse of tmm_pte_leaf_bits_at()
 * @entry: the raw entry, of ours; its address and what the hardware recorded are
 *         allowed
 * @size: of the leaf
 *
 * Return: the bits that a 4 KiB leaf of the same kind has, without an address
 */
u64 tmm_pte_bits_of_leaf(u64 entry, enum tmm_page_size size)
{
	u64 large = entry & (~TMM_PTE_FRAME_MASK | _PAGE_PAT_LARGE);

	return size == TMM_4K ? entry & ~TMM_PTE_FRAME_MASK :
	       protval_large_2_4k(large & ~(u64)_PAGE_PSE);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_pte_bits_of_leaf);

/**
 * tmm_pte_flags_of_leaf() - the common flags that a leaf entry shows
 * @entry: the raw entry
 * @size: of the leaf
 *
 * Return: its flags, DEVICE_MEMORY if the CPU does not cache it; what is recorded
 * in the mapping only (executable, user, global) is not among them
 */
tmm_pte_flags_t tmm_pte_flags_of_leaf(u64 entry, enum tmm_page_size size)
{
	tmm_pte_flags_t flags = (__force tmm_pte_flags_t)entry & TMM_PTE_ALL;
	bool is_cached = tmm_pte_memory_type_of_leaf(entry, size) == TMM_WRITE_BACK;

	return tmm_pte_flags_device_memory(flags, !is_cached);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_pte_flags_of_leaf);

/**
 * tmm_pte_memory_type_of_leaf() - the memory type that a leaf entry shows
 * @entry: the raw entry, of ours
 * @size: of the leaf
 *
 * Return: the type
 */
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
