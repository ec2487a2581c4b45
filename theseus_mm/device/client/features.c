// SPDX-License-Identifier: GPL-2.0
#include "device/client/features.h"

#include "device/share/mapping_file.h"
#include "mapping/instance.h"
#include "uapi/linux/theseus_mm.h"

#include <linux/kconfig.h>

/* The features of the module on this machine: THESEUS_MM_FEATURE_*. */
u64 tmm_features(const struct tmm_instance *inst)
{
	u64 set = 0;

	if (inst->memories[0].memory.has_struct_pages)
		set |= THESEUS_MM_FEATURE_STRUCT_PAGES |
		       (IS_ENABLED(CONFIG_DMA_SHARED_BUFFER) ? THESEUS_MM_FEATURE_DMABUF : 0);
	if (tmm_loans_quarantine())
		set |= THESEUS_MM_FEATURE_QUARANTINE;
	return set;
}
