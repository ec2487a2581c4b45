/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Flags of a mapping, and of an x86-64 leaf entry. Pure values.
 *
 * Sparse distinguishes three types. tmm_pte_flags_t has the flags of the API, which do not
 * depend on the architecture. tmm_pte_flags_x86_t has the x86-64 flags of Theseus. A bit that
 * exists in both types has the same position. So the conversion to x86-64 flags loses
 * nothing, and the conversion back keeps only the common bits.
 *
 * tmm_leaf_bits_t has the bits of a 4 KiB leaf without the address, as the hardware reads them.
 * tmm_pte_leaf_bits() makes these bits. No other function decides present, NX and dirty.
 * tmm_pte_memory_type_bits() decides the cache bits.
 */
#ifndef TMM_CORE_PTE_FLAGS_H
#define TMM_CORE_PTE_FLAGS_H

#include "core/address.h"
#include "core/page.h"

#include <linux/bits.h>
#include <linux/build_bug.h>

/* Theseus: PteFlags */
typedef u64 __bitwise tmm_pte_flags_t;
/* Theseus: PteFlagsX86_64, PteFlagsArch */
typedef u64 __bitwise tmm_pte_flags_x86_t;
typedef u64 __bitwise tmm_leaf_bits_t;

#define TMM_PTE_VALID		((__force tmm_pte_flags_t)BIT_ULL(0))
#define TMM_PTE_WRITABLE	((__force tmm_pte_flags_t)BIT_ULL(1))
#define TMM_PTE_USER_ACCESSIBLE	((__force tmm_pte_flags_t)BIT_ULL(2))
#define TMM_PTE_DEVICE_MEMORY	((__force tmm_pte_flags_t)BIT_ULL(4))
#define TMM_PTE_ACCESSED	((__force tmm_pte_flags_t)BIT_ULL(5))
#define TMM_PTE_DIRTY		((__force tmm_pte_flags_t)BIT_ULL(6))
#define TMM_PTE_GLOBAL		((__force tmm_pte_flags_t)BIT_ULL(8))
#define TMM_PTE_EXCLUSIVE	((__force tmm_pte_flags_t)BIT_ULL(55))
#define TMM_PTE_NOT_EXECUTABLE	((__force tmm_pte_flags_t)BIT_ULL(63))

#define TMM_PTE_NONE		((__force tmm_pte_flags_t)0ULL)
#define TMM_PTE_DEFAULT		(TMM_PTE_ACCESSED | TMM_PTE_NOT_EXECUTABLE)
#define TMM_PTE_ALL								\
	(TMM_PTE_VALID | TMM_PTE_WRITABLE | TMM_PTE_USER_ACCESSIBLE |		\
	 TMM_PTE_DEVICE_MEMORY | TMM_PTE_ACCESSED | TMM_PTE_DIRTY |		\
	 TMM_PTE_GLOBAL | TMM_PTE_EXCLUSIVE | TMM_PTE_NOT_EXECUTABLE)
/* A map call sets these bits; values from a caller are ignored. */
#define TMM_PTE_OURS		(TMM_PTE_VALID | TMM_PTE_EXCLUSIVE)
/* The hardware sets these bits; two mappings that differ only in these bits are alike. */
#define TMM_PTE_HARDWARE	(TMM_PTE_ACCESSED | TMM_PTE_DIRTY)

/**
 * enum tmm_memory_type - how the CPU caches a region
 * @TMM_WRITE_BACK: RAM, and device memory that behaves like RAM
 * @TMM_UNCACHED: for registers; every access reaches the device, in order
 * @TMM_WRITE_COMBINING: for frame buffers; writes are collected, reads are not cached
 * @TMM_NR_MEMORY_TYPES: number of the types above
 *
 * A region, not a mapping, has a memory type, so that all mappings of a frame agree. The bits
 * of the type in an entry depend on the size of the leaf.
 */
enum tmm_memory_type {
	TMM_WRITE_BACK,
	TMM_UNCACHED,
	TMM_WRITE_COMBINING,
	TMM_NR_MEMORY_TYPES
};

/* Theseus: DMA_FLAGS, MMIO_FLAGS */
#define TMM_DMA_FLAGS		(TMM_PTE_DEFAULT | TMM_PTE_VALID | TMM_PTE_WRITABLE)
#define TMM_MMIO_FLAGS		(TMM_DMA_FLAGS | TMM_PTE_DEVICE_MEMORY)

#define TMM_PTE_X86_VALID	((__force tmm_pte_flags_x86_t)BIT_ULL(0))
#define TMM_PTE_X86_WRITABLE	((__force tmm_pte_flags_x86_t)BIT_ULL(1))
#define TMM_PTE_X86_USER	((__force tmm_pte_flags_x86_t)BIT_ULL(2))
#define TMM_PTE_X86_WRITE_THROUGH ((__force tmm_pte_flags_x86_t)BIT_ULL(3))
#define TMM_PTE_X86_CACHE_DISABLE ((__force tmm_pte_flags_x86_t)BIT_ULL(4))
#define TMM_PTE_X86_ACCESSED	((__force tmm_pte_flags_x86_t)BIT_ULL(5))
#define TMM_PTE_X86_DIRTY	((__force tmm_pte_flags_x86_t)BIT_ULL(6))
#define TMM_PTE_X86_HUGE	((__force tmm_pte_flags_x86_t)BIT_ULL(7))
#define TMM_PTE_X86_GLOBAL	((__force tmm_pte_flags_x86_t)BIT_ULL(8))
#define TMM_PTE_X86_EXCLUSIVE	((__force tmm_pte_flags_x86_t)BIT_ULL(55))
#define TMM_PTE_X86_NO_EXECUTE	((__force tmm_pte_flags_x86_t)BIT_ULL(63))

#define TMM_PTE_X86_DEFAULT	TMM_PTE_X86_NO_EXECUTE
#define TMM_PTE_X86_ALL								\
	(TMM_PTE_X86_VALID | TMM_PTE_X86_WRITABLE | TMM_PTE_X86_USER |		\
	 TMM_PTE_X86_WRITE_THROUGH | TMM_PTE_X86_CACHE_DISABLE |		\
	 TMM_PTE_X86_ACCESSED | TMM_PTE_X86_DIRTY | TMM_PTE_X86_HUGE |		\
	 TMM_PTE_X86_GLOBAL | TMM_PTE_X86_EXCLUSIVE | TMM_PTE_X86_NO_EXECUTE)

static_assert(!((__force u64)TMM_PTE_ALL & TMM_PTE_FRAME_MASK));
static_assert(!((__force u64)TMM_PTE_X86_ALL & TMM_PTE_FRAME_MASK));

static inline tmm_pte_flags_t tmm_pte_flags_set(tmm_pte_flags_t flags, tmm_pte_flags_t bit, bool on)
{
	return on ? flags | bit : flags & ~bit;
}

/* Setters return a changed copy of @flags. */
static inline tmm_pte_flags_t tmm_pte_flags_valid(tmm_pte_flags_t flags, bool on)
{
	return tmm_pte_flags_set(flags, TMM_PTE_VALID, on);
}

static inline tmm_pte_flags_t tmm_pte_flags_writable(tmm_pte_flags_t flags, bool on)
{
	return tmm_pte_flags_set(flags, TMM_PTE_WRITABLE, on);
}

static inline tmm_pte_flags_t tmm_pte_flags_executable(tmm_pte_flags_t flags, bool on)
{
	return tmm_pte_flags_set(flags, TMM_PTE_NOT_EXECUTABLE, !on);
}

static inline tmm_pte_flags_t tmm_pte_flags_device_memory(tmm_pte_flags_t flags, bool on)
{
	return tmm_pte_flags_set(flags, TMM_PTE_DEVICE_MEMORY, on);
}

static inline tmm_pte_flags_t tmm_pte_flags_exclusive(tmm_pte_flags_t flags, bool on)
{
	return tmm_pte_flags_set(flags, TMM_PTE_EXCLUSIVE, on);
}

static inline tmm_pte_flags_t tmm_pte_flags_accessed(tmm_pte_flags_t flags, bool on)
{
	return tmm_pte_flags_set(flags, TMM_PTE_ACCESSED, on);
}

static inline tmm_pte_flags_t tmm_pte_flags_dirty(tmm_pte_flags_t flags, bool on)
{
	return tmm_pte_flags_set(flags, TMM_PTE_DIRTY, on);
}

static inline bool tmm_pte_flags_is_valid(tmm_pte_flags_t flags)
{
	return !!(flags & TMM_PTE_VALID);
}

static inline bool tmm_pte_flags_is_writable(tmm_pte_flags_t flags)
{
	return !!(flags & TMM_PTE_WRITABLE);
}

static inline bool tmm_pte_flags_is_executable(tmm_pte_flags_t flags)
{
	return !(flags & TMM_PTE_NOT_EXECUTABLE);
}

static inline bool tmm_pte_flags_is_device_memory(tmm_pte_flags_t flags)
{
	return !!(flags & TMM_PTE_DEVICE_MEMORY);
}

static inline bool tmm_pte_flags_is_exclusive(tmm_pte_flags_t flags)
{
	return !!(flags & TMM_PTE_EXCLUSIVE);
}

static inline bool tmm_pte_flags_is_accessed(tmm_pte_flags_t flags)
{
	return !!(flags & TMM_PTE_ACCESSED);
}

static inline bool tmm_pte_flags_is_dirty(tmm_pte_flags_t flags)
{
	return !!(flags & TMM_PTE_DIRTY);
}

/* The conversion loses nothing: each common bit has the same position in an x86-64 entry. */
static inline tmm_pte_flags_x86_t tmm_pte_flags_to_x86(tmm_pte_flags_t flags)
{
	return (__force tmm_pte_flags_x86_t)(__force u64)(flags & TMM_PTE_ALL);
}

/* The result has only the common bits: write-through and huge are lost. */
static inline tmm_pte_flags_t tmm_pte_flags_from_x86(tmm_pte_flags_x86_t flags)
{
	return (__force tmm_pte_flags_t)(__force u64)flags & TMM_PTE_ALL;
}

/*
 * An entry above the leaf must not forbid execution for the entries below, and owns no frame.
 * Theseus: PteFlagsX86_64::adjust_for_higher_level_pte()
 */
static inline tmm_pte_flags_x86_t
tmm_pte_flags_x86_adjust_for_higher_level_pte(tmm_pte_flags_x86_t flags)
{
	return flags & ~(TMM_PTE_X86_NO_EXECUTE | TMM_PTE_X86_EXCLUSIVE);
}

int __must_check tmm_pte_flags_check(tmm_pte_flags_t flags);
int __must_check tmm_pte_flags_check_memory_type(tmm_pte_flags_t flags, enum tmm_memory_type type);
tmm_leaf_bits_t tmm_pte_leaf_bits(tmm_pte_flags_t flags, bool exclusive);
tmm_leaf_bits_t tmm_pte_memory_type_bits(enum tmm_memory_type type);
u64 tmm_pte_leaf_bits_at(tmm_leaf_bits_t bits, enum tmm_page_size size);
tmm_leaf_bits_t tmm_pte_bits_of_leaf(u64 entry, enum tmm_page_size size);
tmm_pte_flags_t tmm_pte_flags_of_leaf(u64 entry, enum tmm_page_size size);
enum tmm_memory_type tmm_pte_memory_type_of_leaf(u64 entry, enum tmm_page_size size);

#endif /* TMM_CORE_PTE_FLAGS_H */
