/* SPDX-License-Identifier: GPL-2.0 */
/*
 * MMI, memory-management information: a context with an active root and with mappings that live
 * as long as the context.
 *
 * All contexts share one address space: the allocator gives out a page once, for all roots. The
 * active root is an attribute of a context, and a switch changes nothing for other contexts.
 * Access to a mapping always uses the mapping's own root.
 *
 * Invariant: the active root is referenced, so it can't be dropped.
 * Lock: @lock, a mutex, keeps the active root unchanged while tmm_page_table_with() calls back.
 * @root_lock, a spinlock within @lock, protects the pointer to the active root.
 * Owner: reference-counted.
 */
#ifndef TMM_MAPPING_MMI_H
#define TMM_MAPPING_MMI_H

#include <linux/compiler.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>

struct tmm_mapped_pages;
struct tmm_page_table;

/**
 * struct tmm_mmi - a context
 * @kref: the drop of the last reference drops the mappings, then the root
 * @lock: see above
 * @root_lock: see above
 * @page_table: the active root
 * @extra_mappings: list of struct tmm_mapped_pages, dropped with the context
 *
 * Theseus: MemoryManagementInfo; MmiRef is a reference to a context
 */
struct tmm_mmi {
	/* private: */
	struct kref kref;
	struct mutex lock;		/* outside @root_lock */
	spinlock_t root_lock;		/* @page_table */
	struct tmm_page_table *page_table;
	struct list_head extra_mappings;
};

struct tmm_mmi * __must_check tmm_mmi_create(struct tmm_page_table *pt);
void tmm_mmi_get(struct tmm_mmi *mmi);
void tmm_mmi_put(struct tmm_mmi *mmi);
struct tmm_page_table * __must_check tmm_mmi_page_table(struct tmm_mmi *mmi);

/* True if @pt, on which the caller has a reference, is the active root at this moment. */
static inline bool tmm_mmi_has_active(const struct tmm_mmi *mmi, const struct tmm_page_table *pt)
{
	return READ_ONCE(mmi->page_table) == pt;
}

void tmm_mmi_add_mapping(struct tmm_mmi *mmi, struct tmm_mapped_pages **mp);

int __must_check tmm_page_table_with(struct tmm_mmi *mmi, const struct tmm_page_table *current_pt,
				     struct tmm_page_table *other,
				     int (*fn)(struct tmm_page_table *other, void *context),
				     void *context);
int __must_check tmm_page_table_switch(struct tmm_mmi *mmi, struct tmm_page_table *pt);

#endif /* TMM_MAPPING_MMI_H */
