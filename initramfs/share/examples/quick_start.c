// SPDX-License-Identifier: GPL-2.0
/* Own memory, use it, hand it over to another process, give it back. */
#include <tmm.h>

#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE		(1 << 20)
#define TRY(call)	((call) ? (void)0 : err(1, #call))

int main(void)
{
	struct tmm_client *client;
	struct tmm_mapping *mapping;
	int fd, pair[2], status = 0;
	char *bytes;

	TRY(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	if (fork()) {
		/* create, mmap, use, hand over */
		TRY(client = tmm_client_open(NULL));
		TRY(mapping = tmm_mapping_create(client, SIZE, TMM_DATA, NULL));
		TRY(bytes = tmm_mapping_mmap(mapping, 0, SIZE, PROT_READ | PROT_WRITE));
		strcpy(bytes, "Hello, new owner!");
		TRY(!tmm_mapping_munmap(bytes, SIZE));
		TRY((fd = tmm_mapping_export(&mapping)) >= 0);
		TRY(!tmm_fd_send(pair[0], fd));
		close(fd);
		wait(&status);
	} else {
		/* receive, import, mmap, look, drop */
		close(pair[0]);
		TRY(client = tmm_client_open(NULL));
		TRY((fd = tmm_fd_receive(pair[1])) >= 0);
		TRY(mapping = tmm_mapping_import(client, &fd));
		TRY(bytes = tmm_mapping_mmap(mapping, 0, SIZE, PROT_READ));
		printf("%s\n", bytes);
		TRY(!tmm_mapping_munmap(bytes, SIZE));
		TRY(!tmm_mapping_drop(&mapping));
	}
	tmm_client_close(&client);
	return status != 0;
}
