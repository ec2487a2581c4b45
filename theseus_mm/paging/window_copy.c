// SPDX-License-Identifier: GPL-2.0
#include "paging/window_copy.h"

#include "paging/entry.h"
#include "paging/page_table.h"
#include "paging/window.h"

#include <asm/asm.h>
#include <asm/debugreg.h>
#include <asm/smap.h>
#include <kunit/visibility.h>
#include <linux/align.h>
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

/* The bits of DR7 that enable breakpoints. */
#define DR7_ENABLES	0xffUL

/*
 * Move @nr elements, each in one access, without instrumentation. Afterwards @nr is the number
 * of elements not moved. The exception table handles faults and failing memory. The
 * machine-check handler recovers from a kernel access only for table entries of this type
 * (error_context() in mce/severity.c of Linux), and only if the CPU can go on.
 */
#define REP_MOVS(suffix, to, from, nr)							\
	asm volatile("1:	rep movs" suffix "\n"					\
		     "2:\n"								\
		     _ASM_EXTABLE_TYPE(1b, 2b, EX_TYPE_DEFAULT_MCE_SAFE)		\
		     : "+D" (to), "+S" (from), "+c" (nr)				\
		     : : "memory")

/* Copy in accesses of @width bytes. Returns the number of bytes not copied. */
static __always_inline size_t copy_bytes(void *to, const void *from, size_t nr_bytes,
					 unsigned int width)
{
	size_t nr = nr_bytes / width;

	switch (width) {
	case 8:
		REP_MOVS("q", to, from, nr);
		break;
	case 4:
		REP_MOVS("l", to, from, nr);
		break;
	case 2:
		REP_MOVS("w", to, from, nr);
		break;
	default:
		REP_MOVS("b", to, from, nr);
		break;
	}
	return nr * width;
}

/*
 * Copy inside a window, and stop at the first byte that faults. @to and @from may be under the
 * private root or not. A bad address or failing memory does not crash the kernel: the copy
 * stops there. The function is for cached memory only, because the width of its accesses is not
 * defined. Returns the number of bytes not copied.
 */
size_t tmm_window_copy(void *to, const void *from, size_t nr_bytes)
{
	return copy_bytes(to, from, nr_bytes, 1);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_window_copy);

/*
 * A debugger's watchpoint on a user address would also hit the same address in the lower half
 * of a root. So switch breakpoints off, as use_temporary_mm() does. Linux does not export its
 * breakpoint functions to every module, so this module uses its own code.
 */
static unsigned long stop_watching(void)
{
	unsigned long dr7 = native_get_debugreg(7);

	if (dr7 & DR7_ENABLES)
		native_set_debugreg(7, 0);
	return dr7;
}

static void watch_again(unsigned long dr7)
{
	if (dr7 & DR7_ENABLES)
		native_set_debugreg(7, dr7);
}

/*
 * Do what copy_bytes() does, for an address in the lower half. Linux treats a fault there as a
 * fault in user space, and fixes up such a fault only if user access is allowed (STAC) and page
 * faults are disabled.
 */
static size_t copy_low(void *to, const void *from, size_t nr_bytes, unsigned int width)
{
	unsigned long dr7 = stop_watching();
	size_t left;

	pagefault_disable();
	stac();
	left = copy_bytes(to, from, nr_bytes, width);
	clac();
	pagefault_enable();
	watch_again(dr7);
	return left;
}

static bool is_low(const void *p)
{
	return (long)p >= 0;
}

/*
 * True if a private root, and not Linux, translates this address. The address may be in
 * either half.
 */
static bool is_private(const struct tmm_page_table *pt, const void *p)
{
	const struct tmm_page page = tmm_page_4k((unsigned long)p >> TMM_PAGE_SHIFT);

	return tmm_entry_table_index(page, pt->levels) < TMM_FIRST_MIRROR_SLOT;
}

/* Returns an address that a private root translates, or 0 for an address of Linux. */
static unsigned long private_part(const struct tmm_page_table *pt, const void *p)
{
	return is_private(pt, p) ? (unsigned long)p : 0;
}

/*
 * Copy in bounded windows. At least one of @to and @from is under @pt. If both are under @pt,
 * both are in the same half. The task may be rescheduled between two windows.
 */
static int copy_in_windows(struct tmm_page_table *pt, void *to, const void *from, size_t nr_bytes,
			   unsigned int width, size_t nr_per_window, size_t *left)
{
	const bool low = is_low(to) || is_low(from);

	*left = nr_bytes;
	while (*left) {
		size_t done = nr_bytes - *left;
		size_t step = min(*left, nr_per_window);
		struct tmm_window window;
		size_t missed;
		int err;

		err = tmm_window_enter_table(pt, low ? pt->low : pt->top, &window);
		if (err)
			return err;
		missed = low ? copy_low(to + done, from + done, step, width) :
			       copy_bytes(to + done, from + done, step, width);
		tmm_window_leave(&window);
		*left -= step - missed;
		if (missed)
			break;
		if (*left)
			cond_resched();
	}
	return 0;
}

/* Copy from one half to the other, through a kernel page, because no window maps both halves. */
static int copy_between_halves(struct tmm_page_table *pt, void *to, const void *from,
			       size_t nr_bytes, unsigned int width, size_t nr_per_window,
			       size_t *left)
{
	void *page = kmalloc(TMM_PAGE_SIZE, GFP_KERNEL);
	size_t unread = 0, unwritten = 0;
	int err = 0;

	*left = nr_bytes;
	if (!page)
		return -ENOMEM;
	while (*left && !unread && !unwritten) {
		size_t done = nr_bytes - *left;
		size_t step = min_t(size_t, *left, TMM_PAGE_SIZE);

		err = copy_in_windows(pt, page, from + done, step, width, nr_per_window, &unread);
		if (err)
			break;
		err = copy_in_windows(pt, to + done, page, step - unread, width, nr_per_window,
				      &unwritten);
		if (err)
			break;
		*left -= step - unread - unwritten;
	}
	kfree(page);
	return err;
}

/*
 * Returns the width in bytes (1, 2, 4 or 8) of the accesses that copy uncached or
 * write-combining memory. The width for write-back memory is not defined. All accesses of a
 * copy are aligned and of one width: the widest that divides @offset and @nr_bytes. A copy of
 * uncached memory uses accesses of 8 bytes only if the whole copy is 8 bytes. Registers of 64
 * bits are rare, and registers of 32 bits often allow no other width.
 */
unsigned int tmm_window_access_width(enum tmm_memory_type type, u64 offset, u64 nr_bytes)
{
	const u64 widest = type == TMM_WRITE_COMBINING || nr_bytes == 8 ? 8 : 4;

	return 1U << __ffs64(offset | nr_bytes | widest);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_window_access_width);

/*
 * Copy in as many windows as needed. @to and @from are each in either half of @pt or in kernel
 * memory, which must not fault; the two ranges do not overlap. @type is the type of the memory
 * under @pt. Accesses to uncached or write-combining memory have the width of
 * tmm_window_access_width(), are in order, and touch each byte once. @left is set to the number
 * of bytes not copied, which is above 0 if @from is not mapped, @to is not writable, or memory
 * fails.
 *
 * Returns an error of tmm_window_enter(), or -ENOMEM if a copy between the halves of @pt gets
 * no memory for its buffer. After an error, nothing was copied.
 *
 * Context: Process context, may sleep between windows.
 */
int tmm_window_transfer(struct tmm_page_table *pt, enum tmm_memory_type type, void *to,
			const void *from, size_t nr_bytes, size_t *left)
{
	size_t nr_per_window = TMM_WINDOW_MAX_BYTES;
	unsigned int width;

	if (type == TMM_WRITE_BACK) {
		width = IS_ALIGNED((unsigned long)to | (unsigned long)from | nr_bytes, 8) ? 8 : 1;
	} else {
		width = tmm_window_access_width(type, private_part(pt, to) | private_part(pt, from),
						nr_bytes);
		nr_per_window = TMM_WINDOW_MAX_ACCESSES * width;
	}
	if (is_low(to) != is_low(from) && is_private(pt, to) && is_private(pt, from))
		return copy_between_halves(pt, to, from, nr_bytes, width, nr_per_window, left);
	return copy_in_windows(pt, to, from, nr_bytes, width, nr_per_window, left);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_window_transfer);

/*
 * Copy RAM from under a private root to kernel memory, which must not fault. See
 * tmm_window_transfer() for @left, context and errors.
 */
int tmm_window_read(struct tmm_page_table *pt, struct tmm_vaddr from, void *to, size_t nr_bytes,
		    size_t *left)
{
	return tmm_window_transfer(pt, TMM_WRITE_BACK, to, (const void *)from.v, nr_bytes, left);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_window_read);

/*
 * Copy kernel memory, which must not fault, to RAM under a private root. See
 * tmm_window_transfer() for @left, context and errors.
 */
int tmm_window_write(struct tmm_page_table *pt, struct tmm_vaddr to, const void *from,
		     size_t nr_bytes, size_t *left)
{
	return tmm_window_transfer(pt, TMM_WRITE_BACK, (void *)to.v, from, nr_bytes, left);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_window_write);

/*
 * Copy RAM between two addresses under a private root, in either half. The two ranges do
 * not overlap. See tmm_window_transfer() for @left, context and errors.
 */
int tmm_window_copy_between(struct tmm_page_table *pt, struct tmm_vaddr to, struct tmm_vaddr from,
			    size_t nr_bytes, size_t *left)
{
	return tmm_window_transfer(pt, TMM_WRITE_BACK, (void *)to.v, (const void *)from.v,
				   nr_bytes, left);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_window_copy_between);
