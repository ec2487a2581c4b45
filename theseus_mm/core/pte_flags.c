// SPDX-License-Identifier: GPL-2.0
#include "core/pte_flags.h"

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
 * Return:
 * * 0           - they are
 * * -EINVAL     - a bit is unknown, or writable and executable at once
 * * -EOPNOTSUPP - DEVICE_MEMORY: all memory known so far is RAM, and RAM is
 *   mapped write-back only
 */
int tmm_pte_flags_check(tmm_pte_flags_t flags)
{
	if (flags & ~TMM_PTE_ALL)
		return -EINVAL;
	if (tmm_pte_flags_is_writable(flags) && tmm_pte_flags_is_executable(flags))
		return -EINVAL;
	if (tmm_pte_flags_is_device_memory(flags))
		return -EOPNOTSUPP;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_pte_flags_check);

/**
 * tmm_pte_leaf_bits() - what the hardware gets for a mapping's flags
 * @flags: the mapping's flags
 * @exclusive: the mapping owns the frames behind it
 *
 * Kernel code never runs from a private root: always NX. The hardware alone
 * sets DIRTY. Never GLOBAL, or a window's translations would outlive it; never
 * USER, or SMAP would let user accesses through.
 *
 * Return: the entry without its address
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
 * tmm_pte_flags_of_leaf() - the common flags that a leaf entry shows
 * @entry: the raw entry
 *
 * Return: its flags; what is recorded in the mapping only (executable, user,
 * global) is not among them
 */
tmm_pte_flags_t tmm_pte_flags_of_leaf(u64 entry)
{
	return (__force tmm_pte_flags_t)entry & TMM_PTE_ALL;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_pte_flags_of_leaf);
