// SPDX-License-Identifier: GPL-2.0
/*
 * tmm cat: print the content of an exported mapping, such as `tmm put` makes.
 */
#include "command.h"
#include "descriptor.h"
#include "json.h"
#include "terminal.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <tmm.h>
#include <unistd.h>

#define CHUNK	(1UL << 20)

/**
 * struct source - what to read
 * @fd: number of the descriptor; -1 if it is not known yet
 * @pid: process that has the descriptor; 0 means this one
 * @nr_bytes: number of bytes; ALL for the whole mapping
 * @output: file to write; NULL for stdout
 * @is_json: --json
 */
struct source {
	int fd;
	int pid;
	uint64_t nr_bytes;
	const char *output;
	bool is_json;
};

#define ALL	UINT64_MAX

/* write() of a revoked window fails with EFAULT: the kernel takes the fault, not this process. */
static int copy_out(const char *window, uint64_t nr_bytes, int output)
{
	struct progress progress;
	uint64_t done = 0, length;
	ssize_t got;
	int status = TMM_OK;

	progress_start(&progress, stderr, "cat", nr_bytes);
	while (done < nr_bytes && !status) {
		length = nr_bytes - done < CHUNK ? nr_bytes - done : CHUNK;
		got = write(output, window + done, length);
		if (got >= 0)
			done += got;
		else if (errno == EFAULT)
			status = failed(errno, "the mapping was revoked after %llu bytes",
					(unsigned long long)done);
		else if (errno != EINTR)
			status = failed(errno, "write");
		progress_update(&progress, done);
	}
	progress_end(&progress);
	return status;
}

static void print_json(uint64_t nr_bytes, uint64_t nanoseconds)
{
	struct json json = json_begin(stdout, false);

	json_number(&json, "bytes", nr_bytes);
	json_fraction(&json, "seconds", nanoseconds / 1e9, 6);
	json_end(&json);
}

static int copy_window(const struct source *source, int fd, uint64_t size, uint64_t nr_bytes)
{
	int output = STDOUT_FILENO, status;
	uint64_t started;
	void *window = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

	if (window == MAP_FAILED)
		return failed(errno, "mmap");
	if (source->output)
		output = open(source->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (output < 0)
		return failed(errno, "open %s", source->output);
	started = now_in_nanoseconds();
	status = copy_out(window, nr_bytes, output);
	if (source->output && close(output) && !status)
		status = failed(errno, "write %s", source->output);
	if (!status && source->is_json)
		print_json(nr_bytes, now_in_nanoseconds() - started);
	munmap(window, size);
	return status;
}

static int copy(const struct source *source)
{
	struct tmm_mapping_info info;
	int fd = get_descriptor(source->pid, source->fd);
	uint64_t nr_bytes = source->nr_bytes;

	if (fd < 0)
		return TMM_FAILED;
	if (tmm_fd_query(fd, &info)) {
		if (errno == ENOTTY || errno == EINVAL) {
			fprintf(stderr, "tmm: cat: descriptor %d: not an exported mapping; use the "
				"descriptor of `tmm put`\n", source->fd);
			return TMM_FAILED;
		}
		return failed(errno, "descriptor %d", source->fd);
	}
	if (nr_bytes == ALL)
		nr_bytes = info.nr_bytes;
	if (nr_bytes <= info.nr_bytes)
		return copy_window(source, fd, info.nr_bytes, nr_bytes);
	fprintf(stderr, "tmm: cat: the mapping has only %llu bytes; %llu are requested\n",
		(unsigned long long)info.nr_bytes, (unsigned long long)nr_bytes);
	return TMM_FAILED;
}

static int wrong(const char *what, const char *text)
{
	fprintf(stderr, "tmm: cat: %s: expected %s\n", text, what);
	return TMM_USAGE;
}

/* Take the descriptor and the size from the environment that `tmm put` made. */
static int take_environment(struct source *source)
{
	const char *fd = getenv("TMM_FD"), *size = getenv("TMM_SIZE");

	if (!fd) {
		fprintf(stderr, "tmm: cat: no descriptor: use --fd, or run tmm under `tmm put`\n");
		return usage(&cat_command);
	}
	if (!parse_int(fd, &source->fd))
		return wrong("the number of a descriptor in TMM_FD", fd);
	if (source->nr_bytes == ALL && size && !parse_size(size, (__u64 *)&source->nr_bytes))
		return wrong("a size in TMM_SIZE", size);
	return TMM_OK;
}

static int take_option(struct source *source, int option)
{
	switch (option) {
	case 'f':
		return parse_int(optarg, &source->fd) ? TMM_OK :
			wrong("the number of a descriptor", optarg);
	case 'p':
		if (parse_int(optarg, &source->pid) && source->pid)
			return TMM_OK;
		return wrong("the number of a process", optarg);
	case 's':
		if (parse_size(optarg, (__u64 *)&source->nr_bytes))
			return TMM_OK;
		return wrong("a size such as 64M", optarg);
	case 'o':
		source->output = optarg;
		return TMM_OK;
	case 'j':
		source->is_json = true;
		return TMM_OK;
	default:
		return usage(&cat_command);
	}
}

/* Take the process and the descriptor from a path of the form /proc/PID/fd/N. */
static bool parse_path(const char *text, struct source *source)
{
	char pid[TEXT_SIZE], fd[TEXT_SIZE];
	__u64 numbers[2];
	int length = 0;

	/* %d would accept a number that overflows int */
	if (sscanf(text, "/proc/%31[0-9]/fd/%31[0-9]%n", pid, fd, &length) != 2 || text[length] ||
	    !parse_address(pid, &numbers[0]) || !parse_address(fd, &numbers[1]) ||
	    !numbers[0] || numbers[0] > INT_MAX || numbers[1] > INT_MAX)
		return false;
	source->pid = numbers[0];
	source->fd = numbers[1];
	return true;
}

static int run(int argc, char **argv)
{
	static const struct option known[] = {
		{ "fd", required_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{ "output", required_argument, NULL, 'o' },
		{ "pid", required_argument, NULL, 'p' },
		{ "size", required_argument, NULL, 's' },
		{ 0 },
	};
	struct source source = { .fd = -1, .nr_bytes = ALL };
	int option, status = TMM_OK;

	while (!status && (option = getopt_long(argc, argv, "f:jo:p:s:", known, NULL)) != -1)
		status = take_option(&source, option);
	if (status)
		return status;
	if (argc - optind > 1 || (source.is_json && !source.output) ||
	    (source.pid && source.fd < 0))
		return usage(&cat_command);
	if (argc - optind == 1 && !parse_path(argv[optind], &source))
		return wrong("/proc/PID/fd/N", argv[optind]);
	if (source.fd < 0)
		status = take_environment(&source);
	return status ? status : copy(&source);
}

const struct command cat_command = {
	.name = "cat",
	.arguments = "[OPTION]... [/proc/PID/fd/N]",
	.summary = "print the content of an exported mapping",
	.help = "Without options, print TMM_SIZE bytes of the mapping of the descriptor TMM_FD: `tmm\n"
		"put` sets both for its command. With a descriptor, print the whole mapping, or\n"
		"--size bytes of it. To use a descriptor of another process, tmm needs the right to\n"
		"trace that process (ptrace(2)).\n\n"
		"  -f, --fd NUMBER     number of the descriptor\n"
		"  -p, --pid PID       the process that has it; /proc/PID/fd/N names both\n"
		"  -s, --size SIZE     number of bytes\n"
		"  -o, --output FILE   write to FILE instead of stdout\n"
		"  -j, --json          with --output: print the size and the time as JSON\n",
	.run = run,
};
