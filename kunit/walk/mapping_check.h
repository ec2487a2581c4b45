/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Compares the instance with the models. Each function records the first error in a model.
 *
 * model_check_all() runs after each step of a walk that is alone, and between the rounds of several
 * walks. It compares everything: each mapping, with each of its leaves; that the tables have no
 * other leaf; the marks and the sums of frames and pages, and the sets of the free ones; and the
 * content of each frame, read through Linux's own address. It reads one page of each mapping
 * through a window and not all pages, since a window is slow. This is enough: if the leaf of a page
 * maps the right frame, and the frame has the right content, then the page has that content.
 *
 * model_check_step() runs after each step while other walks take steps, and compares what belongs
 * to the walk alone and what the allocators' locks protect.
 */
#ifndef TMM_KUNIT_MAPPING_CHECK_H
#define TMM_KUNIT_MAPPING_CHECK_H

#include "walk/mapping_model.h"

struct tmm_translation;

/* Looks up the leaf of @page. The leaf must begin at @page and have at most @nr pages. */
bool model_look_at_leaf(struct model *m, const struct model_mapping *mapping, u64 page, u64 nr,
			struct tmm_translation *found);
void model_check_mapping(struct model *m, const struct model_mapping *mapping);
void model_check_content(struct model *m, const struct model_mapping *mapping, u64 i);

void model_check_step(struct model *m);
/* No walk takes a step meanwhile. Returns true if no model has an error. */
bool model_check_all(struct model *models, unsigned int nr);

#endif /* TMM_KUNIT_MAPPING_CHECK_H */
