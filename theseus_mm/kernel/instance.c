// SPDX-License-Identifier: GPL-2.0
#include "kernel/instance.h"

#include "core/compat.h"
#include "include/linux/theseus_mm.h"
#include "mapping/instance.h"
#include "mapping/mmi.h"
#include "paging/page_table.h"

#include <linux/errno.h>

/*
 * These variables are set before another module can link to this module, and cleared after the
 * last such module is gone.
 */
static struct tmm_instance kernel_instance;
static bool is_initialised;
static struct tmm_mmi *kernel_mmi;

/* Returns the instance that the public functions use. The instance is empty before tmm_init(). */
struct tmm_instance *tmm_kernel_instance(void)
{
	return &kernel_instance;
}

/**
 * tmm_init() - initialise the module's instance
 * @memories: runs of RAM that no other code uses; runs that overlap are merged, or the overlap
 *            is cut off the later run
 * @nr_memories: number of runs, 1 or more
 * @initial: set to the initial mappings, on success only
 *
 * The module calls this function once, when the module is loaded.
 *
 * Theseus: memory::init()
 *
 * Context: Process context, may sleep.
 * Return: 0; -EBUSY if the instance is initialised already; or an error of
 * tmm_startup_init()
 */
int tmm_init(const struct tmm_memory *memories, unsigned int nr_memories,
	     struct tmm_initial_memory_mappings *initial)
{
	int err;

	if (is_initialised)
		return -EBUSY;
	err = tmm_startup_init(&kernel_instance, memories, nr_memories, initial);
	if (err)
		return err;
	is_initialised = true;
	return 0;
}
EXPORT_SYMBOL_TMM(tmm_init);

/**
 * tmm_init_post_heap() - finish start-up, and publish the kernel's context
 * @initial: from tmm_init(); consumed on success, untouched on error
 *
 * Theseus: memory::init_post_heap()
 *
 * Context: Process context, may sleep.
 * Return: 0; -EBUSY if start-up is finished already; or -ENOMEM
 */
int tmm_init_post_heap(struct tmm_initial_memory_mappings *initial)
{
	struct tmm_mmi *mmi;
	int err;

	if (kernel_mmi)
		return -EBUSY;
	err = tmm_startup_post_heap(&kernel_instance, initial, &mmi);
	if (err)
		return err;
	kernel_mmi = mmi;
	return 0;
}
EXPORT_SYMBOL_TMM(tmm_init_post_heap);

/*
 * Undo tmm_init_post_heap() and tmm_init(). All objects of the instance have been dropped.
 *
 * Context: Process context, may sleep.
 */
void tmm_kernel_exit(void)
{
	tmm_mmi_put(kernel_mmi);
	kernel_mmi = NULL;
	if (is_initialised)
		tmm_instance_exit(&kernel_instance);
	is_initialised = false;
}

/**
 * tmm_get_kernel_mmi_ref() - the context for kernel code
 *
 * Theseus: get_kernel_mmi_ref()
 *
 * Context: Any but interrupt.
 * Return: the context, with a reference that the caller drops with tmm_mmi_put(); NULL before
 * start-up is finished
 */
struct tmm_mmi *tmm_get_kernel_mmi_ref(void)
{
	if (kernel_mmi)
		tmm_mmi_get(kernel_mmi);
	return kernel_mmi;
}
EXPORT_SYMBOL_TMM(tmm_get_kernel_mmi_ref);

/*
 * Returns the active root of the kernel's context. The caller gives the root back with
 * tmm_kernel_page_table_put(). Start-up is finished. The root of the instance, which is the active
 * one unless a module has switched to another, lives as long as the module. So the call takes no
 * reference on that root, and calls on several CPUs write no common cache line.
 */
struct tmm_page_table *tmm_kernel_page_table(void)
{
	struct tmm_page_table *active;

	if (tmm_mmi_has_active(kernel_mmi, kernel_instance.root))
		return kernel_instance.root;
	active = tmm_mmi_page_table(kernel_mmi);
	/* A module may have switched back meanwhile. Nobody puts a reference on this root. */
	if (active == kernel_instance.root)
		tmm_page_table_put(active);
	return active;
}

/* Give back the root of tmm_kernel_page_table(). */
void tmm_kernel_page_table_put(struct tmm_page_table *pt)
{
	if (pt != kernel_instance.root)
		tmm_page_table_put(pt);
}
