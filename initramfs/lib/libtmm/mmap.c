// SPDX-License-Identifier: GPL-2.0
/*
 * Windows: parts of mappings in the memory of processes.
 */
#include "internal.h"

/*
 * Ask for the offset and the size of a mapping. The caller checks its own offset against the
 * size, since the offsets of the next mapping may follow directly.
 */
static int find(const struct tmm_mapping *mapping, struct theseus_mm_map_offset *call)
{
	*call = (struct theseus_mm_map_offset){ .handle = tmm_mapping_handle(mapping) };
	return tmm_object_call((const struct tmm_object *)mapping, THESEUS_MM_IOC_MAP_OFFSET, call);
}

int tmm_mapping_map_offset(const struct tmm_mapping *mapping, uint64_t *offset)
{
	struct theseus_mm_map_offset call;

	if (find(mapping, &call))
		return -1;
	*offset = call.offset;
	return 0;
}

void *tmm_mapping_mmap(struct tmm_mapping *mapping, uint64_t offset, size_t length, int prot)
{
	struct theseus_mm_map_offset call;
	void *address;

	if (find(mapping, &call))
		return NULL;
	if (offset > call.nr_bytes || length > call.nr_bytes - offset) {
		errno = ERANGE;
		return NULL;
	}
	address = mmap(NULL, length, prot, MAP_SHARED, tmm_client_fd(mapping->object.client),
		       (off_t)(call.offset + offset));
	return address == MAP_FAILED ? NULL : address;
}

int tmm_mapping_prefault(const void *address, size_t length)
{
	const volatile char *byte = address;
	size_t at;

	if ((uintptr_t)address % TMM_PAGE_SIZE) {
		errno = EINVAL;
		return -1;
	}
	for (at = 0; at < length; at += TMM_PAGE_SIZE)
		(void)byte[at];
	return 0;
}

int tmm_mapping_munmap(void *address, size_t length)
{
	return address ? munmap(address, length) : 0;
}

/* Store the counts if the call succeeded. Return @result, the result of the call. */
int tmm_revoked(int result, const struct theseus_mm_revoke *call,
		struct tmm_revocation *revocation)
{
	if (!result && revocation)
		*revocation = (struct tmm_revocation){
			.nr_revoked = call->nr_revoked,
			.nr_pinned = call->nr_pinned,
		};
	return result;
}

int tmm_mapping_revoke(struct tmm_mapping *mapping, struct tmm_revocation *revocation)
{
	struct theseus_mm_revoke call = { .handle = tmm_mapping_handle(mapping) };

	return tmm_revoked(tmm_object_call(tmm_of_mapping(mapping), THESEUS_MM_IOC_REVOKE, &call),
			   &call, revocation);
}
