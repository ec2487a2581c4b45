/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Windows: the only way to touch memory through a private root.
 *
 * Between tmm_window_enter() and tmm_window_leave() this CPU runs on the private
 * root, with interrupts off. Bounded: a few KiB of RAM or a few accesses to a device, no
 * sleeping, no locks. Windows belong to process context and never nest.
 *
 * Linux does the same to patch its own text (use_temporary_mm()). If a task dies inside a
 * window (an oops), its CPU is taken out of the window; otherwise every later change of an
 * entry would wait for that CPU for ever.
 *
 * Code that interrupts a window takes addresses of the lower half for user space. So they
 * are mapped only while a copy needs them (in tmm_window_transfer() and its callers). A
 * debugger's watchpoints are off during such a copy.
 */
#ifndef TMM_PAGING_WINDOW_H
#define TMM_PAGING_WINDOW_H

#include "core/pte_flags.h"
#include "core/types.h"

struct tmm_page_table;

/*
 * The bounds of one window: bytes of RAM, or accesses to memory that is not cached. Each
 * such access takes a microsecond or two to reach a device and return.
 */
#define TMM_WINDOW_MAX_BYTES	TMM_PAGE_SIZE
#define TMM_WINDOW_MAX_ACCESSES	16

/**
 * struct tmm_window - what leaving needs to know
 * @flags: interrupts as they were
 * @cr3: Linux's root
 */
struct tmm_window {
	unsigned long flags;
	unsigned long cr3;
};

int __must_check tmm_windows_init(void);
void tmm_windows_exit(void);

void tmm_window_init_mirror(struct tmm_page_table *pt);
int __must_check tmm_window_enter(struct tmm_page_table *pt, struct tmm_window *window);
void tmm_window_leave(const struct tmm_window *window);
void tmm_window_abandon(void);
size_t __must_check tmm_window_copy(void *to, const void *from, size_t nr_bytes);

unsigned int tmm_window_access_width(enum tmm_memory_type type, u64 offset, u64 nr_bytes);
int __must_check tmm_window_transfer(struct tmm_page_table *pt, enum tmm_memory_type type,
				     void *to, const void *from, size_t nr_bytes, size_t *left);
int __must_check tmm_window_read(struct tmm_page_table *pt, struct tmm_vaddr from, void *to,
				 size_t nr_bytes, size_t *left);
int __must_check tmm_window_write(struct tmm_page_table *pt, struct tmm_vaddr to, const void *from,
				  size_t nr_bytes, size_t *left);
int __must_check tmm_window_copy_between(struct tmm_page_table *pt, struct tmm_vaddr to,
					 struct tmm_vaddr from, size_t nr_bytes, size_t *left);

#endif /* TMM_PAGING_WINDOW_H */
