// SPDX-License-Identifier: GPL-2.0
/*
 * A service for 45-keep.sh, which stores two descriptors and then imports the mapping of the second
 * one. The import makes that descriptor in the store stale.
 */
#include <tmm.h>

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int export_new(struct tmm_client *client)
{
	struct tmm_mapping *mapping = tmm_mapping_create(client, TMM_PAGE_SIZE, TMM_DATA, NULL);
	int fd = mapping ? tmm_mapping_export(&mapping) : -1;

	if (fd < 0)
		err(1, "export");
	return fd;
}

/* systemd-notify waits until systemd has stored the descriptor. */
static void store_as(const char *name, int fd)
{
	char command[128];

	snprintf(command, sizeof(command), "systemd-notify --fd=%d --fdname=%s", fd, name);
	if (fcntl(fd, F_SETFD, 0) || system(command))
		errx(1, "%s", command);
}

int main(void)
{
	struct tmm_client *client = tmm_client_open(NULL);
	int kept, imported;

	if (!client)
		err(1, "/dev/theseus_mm");
	kept = export_new(client);
	imported = export_new(client);
	store_as("kept", kept);
	store_as("imported", imported);
	if (!tmm_mapping_import(client, &imported))
		err(1, "import");
	if (system("systemd-notify --status='imported one of 2'"))
		errx(1, "systemd-notify");
	pause();
	return 0;
}
