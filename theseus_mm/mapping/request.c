// SPDX-License-Identifier: GPL-2.0
#include "mapping/request.h"

#include "paging/mapper.h"

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>

/* Check the flags of a mapping of RAM. Return: 0, -EINVAL or -EOPNOTSUPP */
int tmm_mapping_request_check_ram_flags(tmm_pte_flags_t flags)
{
	int err;

	err = tmm_pte_flags_check(flags);
	if (err)
		return err;
	return tmm_pte_flags_check_memory_type(flags, TMM_WRITE_BACK);
}

/*
 * Check a request before any allocation. The frames of TMM_FRAMES_AT may be device memory, so for
 * TMM_FRAMES_AT the function checks only that the flags are well-formed. The mapping functions
 * check the flags against the frames later.
 *
 * Return: 0, -EINVAL, or -EOPNOTSUPP
 */
int tmm_mapping_request_check(const struct tmm_mapping_request *req)
{
	int err;

	if (req->frames == TMM_FRAMES_AT)
		err = tmm_pte_flags_check(req->flags);
	else
		err = tmm_mapping_request_check_ram_flags(req->flags);
	if (err)
		return err;
	if (!req->nr)
		return -EINVAL;
	if (!req->is_sized)
		return 0;
	if (req->nr & (tmm_page_size_4k_pages(req->leaf) - 1))
		return -EINVAL;
	return req->leaf <= tmm_mapper_largest_leaf() ? 0 : -EOPNOTSUPP;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapping_request_check);
