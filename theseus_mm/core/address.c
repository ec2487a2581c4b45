// SPDX-License-Identifier: GPL-2.0
#include "core/address.h"

#include "core/compat.h"

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/overflow.h>
#include <linux/pgtable.h>

static_assert(TMM_PAGE_SIZE == 1ULL << TMM_PAGE_SHIFT);

/**
 * tmm_paging_levels() - number of page table levels of this machine
 *
 * Return: 4 or 5
 */
unsigned int tmm_paging_levels(void)
{
	return pgtable_l5_enabled() ? 5 : 4;
}
EXPORT_SYMBOL_TMM(tmm_paging_levels);

/**
 * tmm_vaddr_bits() - significant bits of a virtual address
 *
 * Return: 48 with 4-level paging, 57 with 5-level paging
 */
unsigned int tmm_vaddr_bits(void)
{
	return TMM_PAGE_SHIFT + TMM_INDEX_BITS * tmm_paging_levels();
}
EXPORT_SYMBOL_TMM(tmm_vaddr_bits);

/**
 * tmm_vaddr_is_canonical() - check whether a value is a virtual address
 * @value: the value to check
 *
 * Return: true if all bits from the sign bit (47 or 56) up are equal
 */
bool tmm_vaddr_is_canonical(u64 value)
{
	return tmm_vaddr_new_canonical(value).v == value;
}
EXPORT_SYMBOL_TMM(tmm_vaddr_is_canonical);

/**
 * tmm_vaddr_new() - make a virtual address from a value
 * @value: the address in bytes
 * @out: set on success only
 *
 * Theseus: VirtualAddress::new()
 *
 * Return:
 * * 0       - @out is the address
 * * -EINVAL - @value is not canonical
 */
int tmm_vaddr_new(u64 value, struct tmm_vaddr *out)
{
	if (!tmm_vaddr_is_canonical(value))
		return -EINVAL;
	out->v = value;
	return 0;
}
EXPORT_SYMBOL_TMM(tmm_vaddr_new);

/**
 * tmm_vaddr_new_canonical() - make a canonical virtual address from any value
 * @value: the address in bytes
 *
 * Theseus: VirtualAddress::new_canonical()
 *
 * Return: @value with its sign bit copied to all higher bits
 */
struct tmm_vaddr tmm_vaddr_new_canonical(u64 value)
{
	unsigned int shift = 64 - tmm_vaddr_bits();

	return (struct tmm_vaddr){ (u64)((s64)(value << shift) >> shift) };
}
EXPORT_SYMBOL_TMM(tmm_vaddr_new_canonical);

/**
 * tmm_vaddr_add() - add to a virtual address
 * @addr: the address
 * @bytes: number of bytes to add
 *
 * The sum saturates, and is then made canonical. The function is for display and iteration
 * only: allocation paths use check_add_overflow(), and return -EOVERFLOW instead.
 *
 * Return: the sum
 */
struct tmm_vaddr tmm_vaddr_add(struct tmm_vaddr addr, u64 bytes)
{
	return tmm_vaddr_new_canonical(size_add(addr.v, bytes));
}
EXPORT_SYMBOL_TMM(tmm_vaddr_add);

/**
 * tmm_vaddr_sub() - subtract from a virtual address
 * @addr: the address
 * @bytes: number of bytes to subtract
 *
 * A negative difference becomes 0. The result is then made canonical.
 *
 * Return: the difference
 */
struct tmm_vaddr tmm_vaddr_sub(struct tmm_vaddr addr, u64 bytes)
{
	return tmm_vaddr_new_canonical(addr.v > bytes ? addr.v - bytes : 0);
}
EXPORT_SYMBOL_TMM(tmm_vaddr_sub);

/**
 * tmm_paddr_is_canonical() - check whether a value is a physical address
 * @value: the value to check
 *
 * Return: true if bits 63..52 are zero
 */
bool tmm_paddr_is_canonical(u64 value)
{
	return !(value >> TMM_PADDR_BITS);
}
EXPORT_SYMBOL_TMM(tmm_paddr_is_canonical);

/**
 * tmm_paddr_new() - make a physical address from a value
 * @value: the address in bytes
 * @out: set on success only
 *
 * Theseus: PhysicalAddress::new()
 *
 * Return:
 * * 0       - @out is the address
 * * -EINVAL - @value is not canonical
 */
int tmm_paddr_new(u64 value, struct tmm_paddr *out)
{
	if (!tmm_paddr_is_canonical(value))
		return -EINVAL;
	out->v = value;
	return 0;
}
EXPORT_SYMBOL_TMM(tmm_paddr_new);

/**
 * tmm_paddr_new_canonical() - make a physical address from any value
 * @value: the address in bytes
 *
 * Theseus: PhysicalAddress::new_canonical()
 *
 * Return: @value with bits 63..52 cleared
 */
struct tmm_paddr tmm_paddr_new_canonical(u64 value)
{
	return (struct tmm_paddr){ value & GENMASK_ULL(TMM_PADDR_BITS - 1, 0) };
}
EXPORT_SYMBOL_TMM(tmm_paddr_new_canonical);

/**
 * tmm_paddr_add() - add to a physical address
 * @addr: the address
 * @bytes: number of bytes to add
 *
 * The sum saturates, and is then made canonical.
 *
 * Return: the sum
 */
struct tmm_paddr tmm_paddr_add(struct tmm_paddr addr, u64 bytes)
{
	return tmm_paddr_new_canonical(size_add(addr.v, bytes));
}
EXPORT_SYMBOL_TMM(tmm_paddr_add);

/**
 * tmm_paddr_sub() - subtract from a physical address
 * @addr: the address
 * @bytes: number of bytes to subtract
 *
 * A negative difference becomes 0.
 *
 * Return: the difference
 */
struct tmm_paddr tmm_paddr_sub(struct tmm_paddr addr, u64 bytes)
{
	return tmm_paddr_new_canonical(addr.v > bytes ? addr.v - bytes : 0);
}
EXPORT_SYMBOL_TMM(tmm_paddr_sub);
