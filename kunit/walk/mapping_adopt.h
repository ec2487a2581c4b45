/* SPDX-License-Identifier: GPL-2.0 */
/* Takes new mappings into a model. */
#ifndef TMM_KUNIT_MAPPING_ADOPT_H
#define TMM_KUNIT_MAPPING_ADOPT_H

#include "walk/mapping_model.h"

/*
 * Record a new mapping with the leaves that it has. The mapping must map to the frames from @given
 * on, or, if @given is MODEL_UNKNOWN, to frames that were free.
 */
void model_adopt(struct model *m, struct model_mapping *mapping, struct tmm_mapped_pages *mp,
		 unsigned int root, tmm_pte_flags_t flags, u64 given, int lender);

#endif /* TMM_KUNIT_MAPPING_ADOPT_H */
