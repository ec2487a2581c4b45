/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Virtual and physical addresses: pure values, no ownership, no locks.
 *
 * Each kind is a struct of its own, so that the compiler rejects a virtual address in place of
 * a physical address. The number of significant bits of a virtual address depends on the
 * machine.
 */
#ifndef TMM_CORE_ADDRESS_H
#define TMM_CORE_ADDRESS_H

#include <linux/compiler.h>
#include <linux/types.h>

#define TMM_PAGE_SHIFT		12
#define TMM_PAGE_SIZE		4096ULL
/* Bits of an x86-64 entry that hold the frame's address. Theseus: PTE_FRAME_MASK */
#define TMM_PTE_FRAME_MASK	0x000FFFFFFFFFF000ULL

/* The index width of one table, and the bits of a physical address. */
#define TMM_INDEX_BITS		9
#define TMM_TABLE_ENTRIES	(1U << TMM_INDEX_BITS)
#define TMM_PADDR_BITS		52

/**
 * struct tmm_vaddr - a canonical virtual address
 * @v: the address in bytes
 *
 * Theseus: VirtualAddress
 */
struct tmm_vaddr {
	u64 v;
};

/**
 * struct tmm_paddr - a canonical physical address
 * @v: the address in bytes; bits 63..52 are zero
 *
 * Theseus: PhysicalAddress
 */
struct tmm_paddr {
	u64 v;
};

unsigned int tmm_paging_levels(void);
unsigned int tmm_vaddr_bits(void);

bool tmm_vaddr_is_canonical(u64 value);
int __must_check tmm_vaddr_new(u64 value, struct tmm_vaddr *out);
struct tmm_vaddr tmm_vaddr_new_canonical(u64 value);
struct tmm_vaddr tmm_vaddr_add(struct tmm_vaddr addr, u64 bytes);
struct tmm_vaddr tmm_vaddr_sub(struct tmm_vaddr addr, u64 bytes);

bool tmm_paddr_is_canonical(u64 value);
int __must_check tmm_paddr_new(u64 value, struct tmm_paddr *out);
struct tmm_paddr tmm_paddr_new_canonical(u64 value);
struct tmm_paddr tmm_paddr_add(struct tmm_paddr addr, u64 bytes);
struct tmm_paddr tmm_paddr_sub(struct tmm_paddr addr, u64 bytes);

/* Offset of an address within its 4 KiB page or frame. Theseus: page_offset(), frame_offset() */
static inline u64 tmm_vaddr_page_offset(struct tmm_vaddr addr)
{
	return addr.v & (TMM_PAGE_SIZE - 1);
}

static inline u64 tmm_paddr_frame_offset(struct tmm_paddr addr)
{
	return addr.v & (TMM_PAGE_SIZE - 1);
}

/* printf formats in the notation of Theseus, v0x... and p0x... */
#define TMM_VADDR_FMT		"v0x%llx"
#define TMM_PADDR_FMT		"p0x%llx"

#endif /* TMM_CORE_ADDRESS_H */
