// SPDX-License-Identifier: GPL-2.0
/*
 * tmm put: copy a file into a mapping, and export the mapping as a descriptor.
 */
#include "child.h"
#include "command.h"
#include "json.h"
#include "stream.h"
#include "terminal.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <tmm.h>
#include <unistd.h>

#define CHUNK	(4UL << 20)

/**
 * struct put - the file and the options
 * @name: name of the file
 * @file: descriptor of the file
 * @nr_bytes: size of the file
 * @is_stream: the size is known only at the end of the file
 * @is_contiguous: --contiguous
 * @is_read_only: --read-only
 * @is_json: --json
 */
struct put {
	const char *name;
	int file;
	uint64_t nr_bytes;
	bool is_stream;
	bool is_contiguous;
	bool is_read_only;
	bool is_json;
};

static int open_file(struct put *put)
{
	struct stat stat;

	put->file = strcmp(put->name, "-") ? open(put->name, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	if (put->file < 0 || fstat(put->file, &stat))
		return failed(errno, "open %s", put->name);
	if (S_ISDIR(stat.st_mode))
		return failed(EISDIR, "read %s", put->name);
	/* files of /proc report size 0 although they have content */
	put->is_stream = !S_ISREG(stat.st_mode) || !stat.st_size;
	put->nr_bytes = put->is_stream ? 0 : stat.st_size;
	return TMM_OK;
}

static int fill(const struct put *put, char *window)
{
	struct progress progress;
	uint64_t done = 0, length;
	ssize_t got = 0;

	progress_start(&progress, stderr, "put", put->nr_bytes);
	while (done < put->nr_bytes) {
		length = put->nr_bytes - done < CHUNK ? put->nr_bytes - done : CHUNK;
		got = pread(put->file, window + done, length, done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		done += got;
		progress_update(&progress, done);
	}
	progress_end(&progress);
	if (got < 0)
		return failed(errno, "read %s", put->name);
	if (done == put->nr_bytes)
		return TMM_OK;
	fprintf(stderr, "tmm: put: %s: the file became shorter during the copy\n", put->name);
	return TMM_FAILED;
}

static int fill_mapping(const struct put *put, struct tmm_mapping *mapping)
{
	uint64_t size = tmm_mapping_size(mapping);
	int status = TMM_OK;
	char *window;

	if (!put->is_stream) {
		window = tmm_mapping_mmap(mapping, 0, size, PROT_READ | PROT_WRITE);
		if (!window)
			return failed(errno, "mmap");
		status = fill(put, window);
		tmm_mapping_munmap(window, size);
	}
	return status;
}

/* Create a mapping that has room for the file. */
static struct tmm_mapping *create(const struct put *put, struct tmm_client *client)
{
	const struct tmm_create_options options = { .is_contiguous = put->is_contiguous };
	struct tmm_mapping *mapping = tmm_mapping_create(client, put->nr_bytes ? put->nr_bytes : 1,
							 TMM_DATA, &options);
	char text[TEXT_SIZE];

	if (!mapping)
		failed(errno, "mapping of %s", size_text(text, put->nr_bytes));
	return mapping;
}

/* Copy a stream, whose size is known now, to one run of frames, and drop @scattered. */
static struct tmm_mapping *make_contiguous(const struct put *put, struct tmm_client *client,
					   struct tmm_mapping *scattered)
{
	struct tmm_mapping *mapping = create(put, client);
	char *window = tmm_mapping_mmap(scattered, 0, tmm_mapping_size(scattered), PROT_READ);

	/* the kernel copies from the window, so no buffer is needed */
	if (mapping && (!window || tmm_mapping_write(mapping, 0, window, put->nr_bytes))) {
		failed(errno, "copy %s", put->name);
		tmm_mapping_drop(&mapping);
	}
	tmm_mapping_munmap(window, tmm_mapping_size(scattered));
	tmm_mapping_drop(&scattered);
	return mapping;
}

/* Return a descriptor that owns the mapping, or -1 after printing the error. */
static int export_file(struct put *put, struct tmm_client *client, uint64_t *size)
{
	struct tmm_mapping *mapping = put->is_stream ? stream_take(client, put->name, put->file,
								   &put->nr_bytes) :
				      create(put, client);
	const struct tmm_export_options rights = { .is_read_only = put->is_read_only };
	int fd = -1;

	if (mapping && put->is_stream && put->is_contiguous)
		mapping = make_contiguous(put, client, mapping);
	if (!mapping)
		return -1;
	*size = tmm_mapping_size(mapping);
	if (!fill_mapping(put, mapping)) {
		fd = tmm_mapping_export_as(&mapping, &rights, NULL);
		if (fd < 0)
			failed(errno, "EXPORT");
	}
	if (fd < 0)
		tmm_mapping_drop(&mapping);
	return fd;
}

static void print_json(const struct put *put, int fd, uint64_t size)
{
	struct json json = json_begin(stdout, true);

	json_number(&json, "pid", getpid());
	json_number(&json, "fd", fd);
	json_number(&json, "bytes", put->nr_bytes);
	json_number(&json, "mapping_bytes", size);
	json_bool(&json, "read_only", put->is_read_only);
	json_end(&json);
}

static int serve(const struct put *put, int fd, uint64_t size, char **command)
{
	char text[TEXT_SIZE];

	if (put->is_json)
		print_json(put, fd, size);
	if (command) {
		set_number("TMM_FD", fd);
		set_number("TMM_SIZE", put->nr_bytes);
		return child_run(command, fd);
	}
	if (!put->is_json)
		printf("%s: %s in descriptor %d of process %d; read the mapping with:\n"
		       "tmm cat --pid %d --fd %d --size %llu\n", put->name,
		       size_text(text, put->nr_bytes), fd, getpid(), getpid(), fd,
		       (unsigned long long)put->nr_bytes);
	wait_forever();
}

static int put_file(struct put *put, char **command)
{
	struct tmm_client *client;
	uint64_t size;
	int fd;

	if (open_file(put))
		return TMM_FAILED;
	client = open_device();
	if (!client)
		return TMM_FAILED;
	fd = export_file(put, client, &size);
	if (fd < 0) {
		tmm_client_close(&client);
		return TMM_FAILED;
	}
	/* the client stays open: the limits and `tmm map` count the memory as the client's */
	return serve(put, fd, size, command);
}

static int run(int argc, char **argv)
{
	static const struct option known[] = {
		{ "contiguous", no_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ "read-only", no_argument, NULL, 'r' },
		{ 0 },
	};
	char **command = split_command(&argc, argv);
	struct put put = { 0 };
	int option;

	while ((option = getopt_long(argc, argv, "cjr", known, NULL)) != -1) {
		if (option == 'c')
			put.is_contiguous = true;
		else if (option == 'j')
			put.is_json = true;
		else if (option == 'r')
			put.is_read_only = true;
		else
			return usage(&put_command);
	}
	if (argc - optind != 1)
		return usage(&put_command);
	put.name = argv[optind];
	return put_file(&put, command);
}

const struct command put_command = {
	.name = "put",
	.arguments = "[OPTION]... FILE [-- COMMAND [ARGUMENT]...]",
	.summary = "copy a file into the memory, for a command or other processes",
	.help = "Copy FILE (- is stdin) into a mapping, export the mapping as a descriptor, and run\n"
		"COMMAND, which inherits the descriptor. In its environment, TMM_FD is the number\n"
		"of the descriptor and TMM_SIZE the size of the file in bytes. `tmm cat` reads the\n"
		"mapping, mmap() borrows it, and IMPORT takes it over. The exit status is the\n"
		"command's. Without COMMAND, tmm prints how other processes can read the mapping,\n"
		"and waits for a signal.\n\n"
		"  -c, --contiguous   use one contiguous run of frames\n"
		"  -r, --read-only    no receiver can write to the mapping, not even after IMPORT\n"
		"  -j, --json         print the descriptor and the sizes as JSON, on one line\n",
	.run = run,
};
