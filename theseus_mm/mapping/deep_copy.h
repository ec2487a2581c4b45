/* SPDX-License-Identifier: GPL-2.0 */
/* Deep copy: a new mapping with the content of another, and with pages and frames of its own. */
#ifndef TMM_MAPPING_DEEP_COPY_H
#define TMM_MAPPING_DEEP_COPY_H

#include "core/pte_flags.h"

struct tmm_mapped_pages;

struct tmm_mapped_pages * __must_check
tmm_mapped_pages_deep_copy(struct tmm_mapped_pages *mp, const tmm_pte_flags_t *new_flags);

#endif /* TMM_MAPPING_DEEP_COPY_H */
