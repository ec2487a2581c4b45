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
 */
#ifndef TMM_PAGING_WINDOW_H
#define TMM_PAGING_WINDOW_H

#include <linux/types.h>

struct tmm_page_table;

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

int __must_check tmm_window_enter(struct tmm_page_table *pt, struct tmm_window *window);
int __must_check tmm_window_enter_table(struct tmm_page_table *pt, u64 *top,
					struct tmm_window *window);
void tmm_window_leave(const struct tmm_window *window);
void tmm_window_abandon(void);

#endif /* TMM_PAGING_WINDOW_H */
