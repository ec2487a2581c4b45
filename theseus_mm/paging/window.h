/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Windows: the only way to access memory through a private root.
 *
 * Between tmm_window_enter() and tmm_window_leave() this CPU runs on the private root with
 * interrupts off. A window is bounded: a few KiB of RAM or a few accesses to a device. Code in
 * a window does not sleep and takes no lock. Only process context enters windows, and windows
 * never nest.
 *
 * Linux uses the same method to patch its own text (use_temporary_mm()). If a task dies
 * inside a window (an oops), the die notifier takes the CPU out of the window. Otherwise
 * every later change of an entry would wait for that CPU forever.
 */
#ifndef TMM_PAGING_WINDOW_H
#define TMM_PAGING_WINDOW_H

#include <linux/types.h>

struct tmm_page_table;

/**
 * struct tmm_window - the CPU's state before the window
 * @flags: interrupt state
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
