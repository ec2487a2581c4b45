// SPDX-License-Identifier: GPL-2.0
/* The shortest useful program: own memory, use it, give it back. */
#include <tmm.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE	(1 << 20)

static void check(int is_good, const char *what)
{
	if (is_good)
		return;
	perror(what);
	exit(EXIT_FAILURE);
}

int main(void)
{
	struct tmm_client *client = tmm_client_open(NULL);
	struct tmm_mapping *mapping;
	char *bytes;

	check(client != NULL, "open");
	mapping = tmm_mapping_create(client, SIZE, TMM_DATA, NULL);
	check(mapping != NULL, "create");
	bytes = tmm_mapping_mmap(mapping, 0, SIZE, PROT_READ | PROT_WRITE);
	check(bytes != NULL, "mmap");
	strcpy(bytes, "Hello, owner!");
	printf("%s\n", bytes);
	check(!tmm_mapping_munmap(bytes, SIZE), "munmap");
	check(!tmm_mapping_drop(&mapping), "drop");
	tmm_client_close(&client);
	return EXIT_SUCCESS;
}
