// SPDX-License-Identifier: GPL-2.0
/* Windows: many readers or one writer, as in Rust's borrowing rules. */
#include "example.h"

#define SIZE	(4 * TMM_PAGE_SIZE)

int main(void)
{
	struct tmm_client *client = tmm_client_open(NULL);
	struct tmm_mapping *mapping;
	char *writer, *reader, *other;
	struct tmm_revocation revocation;
	struct tmm_mapping_info info;
	uint64_t offset;

	CHECK(client);
	mapping = tmm_mapping_create(client, SIZE, TMM_DATA, NULL);
	CHECK(mapping);

	/* a window that can write excludes all others */
	writer = tmm_mapping_mmap(mapping, 0, SIZE, PROT_READ | PROT_WRITE);
	CHECK(writer);
	CHECK_REFUSED(EBUSY, !tmm_mapping_mmap(mapping, 0, SIZE, PROT_READ));
	strcpy(writer + TMM_PAGE_SIZE, "from the writer");
	CHECK(!tmm_mapping_munmap(writer, SIZE));

	/* two readers: a window on the second page, and one made by our own mmap() */
	reader = tmm_mapping_mmap(mapping, TMM_PAGE_SIZE, TMM_PAGE_SIZE, PROT_READ);
	CHECK(reader);
	CHECK(!tmm_mapping_map_offset(mapping, &offset));
	other = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, tmm_client_fd(client), (off_t)offset);
	CHECK(other != MAP_FAILED);
	CHECK(!tmm_mapping_prefault(other, SIZE));
	printf("two readers: \"%s\", \"%s\"\n", reader, other + TMM_PAGE_SIZE);

	/* while there are windows, the mapping cannot be dropped ... */
	CHECK(!tmm_mapping_query(mapping, &info));
	CHECK(info.nr_borrows == 2);
	CHECK_REFUSED(EBUSY, tmm_mapping_drop(&mapping));

	/* ... until its owner revokes them: touching them now would raise SIGBUS */
	CHECK(!tmm_mapping_revoke(mapping, &revocation));
	printf("%" PRIu32 " windows revoked, %" PRIu32 " of them still pinned by I/O\n",
	       revocation.nr_revoked, revocation.nr_pinned);
	CHECK(!tmm_mapping_drop(&mapping));
	CHECK(!tmm_mapping_munmap(reader, TMM_PAGE_SIZE));
	CHECK(!tmm_mapping_munmap(other, SIZE));
	tmm_client_close(&client);
	return EXIT_SUCCESS;
}
