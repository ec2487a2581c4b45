/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Marks measure the stretches in which the module has interrupts off, a spinlock, or preemption
 * off.
 *
 * The compiler includes this header before every source of theseus_mm.ko in the build for
 * `scripts/bench.sh bounds`, and nowhere else. From here on, the names of Linux's functions and
 * macros that begin and end such a stretch mean macros that also call tmm_marks_begin() and
 * tmm_marks_end(). A header that is included later, such as xarray.h, has marks in its functions
 * too.
 *
 * Marks need one CPU, and a kernel that does not preempt the holder of a spinlock.
 */
#ifndef BENCH_MARKS_H
#define BENCH_MARKS_H

#include <linux/irqflags.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#ifdef CONFIG_PREEMPT_RT
#error "with PREEMPT_RT, the holder of a spinlock can be preempted: marks cannot measure that"
#endif

enum tmm_marks_kind {
	TMM_MARKS_INTERRUPTS,
	TMM_MARKS_SPINLOCK,
	TMM_MARKS_PREEMPTION,
	TMM_MARKS_NR
};

#define TMM_MARKS_IRQ	(BIT(TMM_MARKS_INTERRUPTS) | BIT(TMM_MARKS_PREEMPTION))
#define TMM_MARKS_LOCK	(BIT(TMM_MARKS_SPINLOCK) | BIT(TMM_MARKS_PREEMPTION))
#define TMM_MARKS_ALL	(TMM_MARKS_IRQ | TMM_MARKS_LOCK)

/**
 * struct tmm_marks_site - a place in the sources where stretches begin
 * @file: the file
 * @function: the function
 * @line: the line
 * @is_known: the list of all places has this place
 * @nr: stretches that were measured, by kind
 * @nr_interrupted: stretches that have no cost because an interrupt came
 * @longest: cost of the longest stretch that was measured
 * @next: the next place in the list
 */
struct tmm_marks_site {
	const char *file;
	const char *function;
	unsigned int line;
	bool is_known;
	u64 nr[TMM_MARKS_NR];
	u64 nr_interrupted[TMM_MARKS_NR];
	u64 longest[TMM_MARKS_NR];
	struct tmm_marks_site *next;
};

void tmm_marks_begin(struct tmm_marks_site *site, unsigned int kinds);
void tmm_marks_end(unsigned int kinds);

/* Linux's own, under other names. */
static __always_inline unsigned long tmm_marks_irq_save(void)
{
	unsigned long flags;

	local_irq_save(flags);
	return flags;
}

static __always_inline void tmm_marks_irq_restore(unsigned long flags)
{
	local_irq_restore(flags);
}

static __always_inline void tmm_marks_irq_disable(void)
{
	local_irq_disable();
}

static __always_inline void tmm_marks_irq_enable(void)
{
	local_irq_enable();
}

static __always_inline void tmm_marks_preempt_disable(void)
{
	preempt_disable();
}

static __always_inline void tmm_marks_preempt_enable(void)
{
	preempt_enable();
}

static __always_inline unsigned long tmm_marks_lock_irqsave(spinlock_t *lock)
{
	unsigned long flags;

	spin_lock_irqsave(lock, flags);
	return flags;
}

/* A stretch begins when the lock has been taken, and ends before the lock is given back. */
#define TMM_MARKS_AT(kinds)							\
	({									\
		static struct tmm_marks_site tmm_marks_here = {			\
			.file = __FILE__, .function = __func__, .line = __LINE__, \
		};								\
		tmm_marks_begin(&tmm_marks_here, kinds);			\
	})
#define TMM_MARKS_BEGIN(kinds, begin)	do { begin; TMM_MARKS_AT(kinds); } while (0)
#define TMM_MARKS_END(kinds, end)	do { tmm_marks_end(kinds); end; } while (0)

#undef local_irq_save
#define local_irq_save(flags)	TMM_MARKS_BEGIN(TMM_MARKS_IRQ, (flags) = tmm_marks_irq_save())
#undef local_irq_restore
#define local_irq_restore(flags) TMM_MARKS_END(TMM_MARKS_IRQ, tmm_marks_irq_restore(flags))
#undef local_irq_disable
#define local_irq_disable()	TMM_MARKS_BEGIN(TMM_MARKS_IRQ, tmm_marks_irq_disable())
#undef local_irq_enable
#define local_irq_enable()	TMM_MARKS_END(TMM_MARKS_IRQ, tmm_marks_irq_enable())

#undef preempt_disable
#define preempt_disable()						\
	TMM_MARKS_BEGIN(BIT(TMM_MARKS_PREEMPTION), tmm_marks_preempt_disable())
#undef preempt_enable
#define preempt_enable()						\
	TMM_MARKS_END(BIT(TMM_MARKS_PREEMPTION), tmm_marks_preempt_enable())
#define rcu_read_lock()		TMM_MARKS_BEGIN(BIT(TMM_MARKS_PREEMPTION), (rcu_read_lock)())
#define rcu_read_unlock()	TMM_MARKS_END(BIT(TMM_MARKS_PREEMPTION), (rcu_read_unlock)())

#define spin_lock(lock)		TMM_MARKS_BEGIN(TMM_MARKS_LOCK, (spin_lock)(lock))
#define spin_unlock(lock)	TMM_MARKS_END(TMM_MARKS_LOCK, (spin_unlock)(lock))
#define spin_lock_bh(lock)	TMM_MARKS_BEGIN(TMM_MARKS_LOCK, (spin_lock_bh)(lock))
#define spin_unlock_bh(lock)	TMM_MARKS_END(TMM_MARKS_LOCK, (spin_unlock_bh)(lock))
#define spin_lock_irq(lock)	TMM_MARKS_BEGIN(TMM_MARKS_ALL, (spin_lock_irq)(lock))
#define spin_unlock_irq(lock)	TMM_MARKS_END(TMM_MARKS_ALL, (spin_unlock_irq)(lock))
#undef spin_lock_irqsave
#define spin_lock_irqsave(lock, flags)					\
	TMM_MARKS_BEGIN(TMM_MARKS_ALL, (flags) = tmm_marks_lock_irqsave(lock))
#define spin_unlock_irqrestore(lock, flags)				\
	TMM_MARKS_END(TMM_MARKS_ALL, (spin_unlock_irqrestore)(lock, flags))

/* mm.h, which is included later, declares the function by its new name. */
#define apply_to_page_range	tmm_marks_apply_to_page_range

#endif /* BENCH_MARKS_H */
