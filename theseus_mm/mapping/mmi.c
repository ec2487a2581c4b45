// SPDX-License-Identifier: GPL-2.0
#include "mapping/mmi.h"

#include "core/compat.h"
#include "mapping/mapped_pages.h"
#include "paging/page_table.h"

#include <linux/err.h>
#include <linux/errno.h>
#include <linux/slab.h>

/**
 * tmm_mmi_create() - create a context
 * @pt: the active root of the context; the context takes a reference
 *
 * Context: Process context, may sleep.
 * Return: the context with one reference, which the caller owns, or ERR_PTR(-ENOMEM)
 */
struct tmm_mmi *tmm_mmi_create(struct tmm_page_table *pt)
{
	struct tmm_mmi *mmi = kzalloc(sizeof(*mmi), GFP_KERNEL_ACCOUNT);

	if (!mmi)
		return ERR_PTR(-ENOMEM);
	kref_init(&mmi->kref);
	mutex_init(&mmi->lock);
	spin_lock_init(&mmi->root_lock);
	INIT_LIST_HEAD(&mmi->extra_mappings);
	tmm_page_table_get(pt);
	mmi->page_table = pt;
	return mmi;
}
EXPORT_SYMBOL_TMM(tmm_mmi_create);

static void destroy_mmi(struct kref *kref)
{
	struct tmm_mmi *mmi = container_of(kref, struct tmm_mmi, kref);
	struct tmm_mapped_pages *mp, *next;

	list_for_each_entry_safe(mp, next, &mmi->extra_mappings, link) {
		list_del_init(&mp->link);
		tmm_mapped_pages_drop(&mp);
	}
	tmm_page_table_put(mmi->page_table);
	kfree(mmi);
}

/**
 * tmm_mmi_get() - take a reference
 * @mmi: the context
 */
void tmm_mmi_get(struct tmm_mmi *mmi)
{
	kref_get(&mmi->kref);
}
EXPORT_SYMBOL_TMM(tmm_mmi_get);

/**
 * tmm_mmi_put() - give a reference back; the last one drops the context
 * @mmi: the context; may be NULL
 *
 * Context: Process context, not inside a window. Cannot fail. The drop of the last
 *          reference is O(leaves of the context's mappings).
 */
void tmm_mmi_put(struct tmm_mmi *mmi)
{
	if (mmi)
		kref_put(&mmi->kref, destroy_mmi);
}
EXPORT_SYMBOL_TMM(tmm_mmi_put);

/**
 * tmm_mmi_page_table() - the active root of a context
 * @mmi: the context
 *
 * Context: Any but interrupt.
 * Return: the root with a reference that the caller drops with tmm_page_table_put()
 */
struct tmm_page_table *tmm_mmi_page_table(struct tmm_mmi *mmi)
{
	struct tmm_page_table *pt;

	spin_lock(&mmi->root_lock);
	pt = mmi->page_table;
	tmm_page_table_get(pt);
	spin_unlock(&mmi->root_lock);
	return pt;
}
EXPORT_SYMBOL_TMM(tmm_mmi_page_table);

/**
 * tmm_mmi_add_mapping() - keep a mapping as long as a context
 * @mmi: the context
 * @mp: consumed; under any root
 *
 * Theseus: MemoryManagementInfo::extra_mapped_pages
 *
 * Context: Process context, may sleep. Takes and releases the context's mutex.
 */
void tmm_mmi_add_mapping(struct tmm_mmi *mmi, struct tmm_mapped_pages **mp)
{
	mutex_lock(&mmi->lock);
	list_add_tail(&(*mp)->link, &mmi->extra_mappings);
	mutex_unlock(&mmi->lock);
	*mp = NULL;
}
EXPORT_SYMBOL_TMM(tmm_mmi_add_mapping);

/**
 * tmm_page_table_with() - edit another root while the active root stays active
 * @mmi: the context
 * @current_pt: the expected active root of the context
 * @other: the root to edit
 * @fn: called with @other and @context
 * @context: argument of @fn
 *
 * Theseus: PageTable::with()
 *
 * Context: Process context, may sleep. The function holds the context's mutex while @fn
 *          runs, so that the active root stays active. @fn must not switch a context,
 *          add a mapping to a context, or call this function.
 * Return: -EXDEV if @current_pt is not active or @other is of another instance (@fn was not
 * called), else the return value of @fn
 */
int tmm_page_table_with(struct tmm_mmi *mmi, const struct tmm_page_table *current_pt,
			struct tmm_page_table *other,
			int (*fn)(struct tmm_page_table *other, void *context), void *context)
{
	int err = -EXDEV;

	mutex_lock(&mmi->lock);
	if (mmi->page_table == current_pt && current_pt->fa == other->fa) {
		tmm_page_table_get(other);
		err = fn(other, context);
		tmm_page_table_put(other);
	}
	mutex_unlock(&mmi->lock);
	return err;
}
EXPORT_SYMBOL_TMM(tmm_page_table_with);

/**
 * tmm_page_table_switch() - make another root the active one of a context
 * @mmi: the context
 * @pt: the root; the context takes a reference, and drops that of the previous root
 *
 * Theseus: PageTable::switch(), which switches the CPU's root. Here nothing changes for other
 * contexts or for mappings, which point to their own root.
 *
 * Context: Process context, may sleep. Takes and releases the context's mutex.
 * Return: 0, or -EXDEV if @pt is of another instance
 */
int tmm_page_table_switch(struct tmm_mmi *mmi, struct tmm_page_table *pt)
{
	struct tmm_page_table *old;

	mutex_lock(&mmi->lock);
	old = mmi->page_table;
	if (old->fa != pt->fa) {
		mutex_unlock(&mmi->lock);
		return -EXDEV;
	}
	tmm_page_table_get(pt);
	spin_lock(&mmi->root_lock);
	WRITE_ONCE(mmi->page_table, pt);
	spin_unlock(&mmi->root_lock);
	mutex_unlock(&mmi->lock);
	tmm_page_table_put(old);
	return 0;
}
EXPORT_SYMBOL_TMM(tmm_page_table_switch);
