// SPDX-License-Identifier: GPL-2.0
#include "alloc/clear.h"

#include "core/page.h"

#include <asm/asm.h>

/* Return: the number of bytes not cleared: 0, unless the memory fails or is unmapped. */
size_t tmm_clear_memory(void *at, size_t nr_bytes)
{
	asm volatile("1:	rep stosb\n"
		     "2:\n"
		     _ASM_EXTABLE_TYPE(1b, 2b, EX_TYPE_DEFAULT_MCE_SAFE)
		     : "+D" (at), "+c" (nr_bytes)
		     : "a" (0)
		     : "memory");
	return nr_bytes;
}

/*
 * Clear one page, word by word, for callers that hold a lock meanwhile. Return: false if the memory
 * fails or is unmapped.
 */
bool tmm_clear_page(void *at)
{
	size_t nr_words = TMM_PAGE_SIZE / sizeof(u64);

	asm volatile("1:	rep stosq\n"
		     "2:\n"
		     _ASM_EXTABLE_TYPE(1b, 2b, EX_TYPE_DEFAULT_MCE_SAFE)
		     : "+D" (at), "+c" (nr_words)
		     : "a" (0)
		     : "memory");
	return !nr_words;
}
