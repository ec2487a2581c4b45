// SPDX-License-Identifier: GPL-2.0
/*
 * tmm hold: a client that owns memory and does nothing else.
 */
#include "command.h"
#include "text.h"
#include "tmm.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int hold_pages(int fd, __u64 size)
{
	struct theseus_mm_allocate request = {
		.flags = THESEUS_MM_ALLOCATE_BY_BYTES,
		.size = size,
	};

	return tmm_allocate_pages(fd, &request);
}

static int hold_frames(int fd, __u64 size)
{
	struct theseus_mm_allocate request = {
		.flags = THESEUS_MM_ALLOCATE_BY_BYTES,
		.size = size,
	};

	return tmm_allocate_frames(fd, &request);
}

static int hold_mapping(int fd, __u64 size)
{
	struct theseus_mm_create_mapping mapping;

	return tmm_create_mapping(fd, size, THESEUS_MM_PTE_DATA, &mapping);
}

static const struct kind {
	const char *name;
	int (*hold)(int fd, __u64 size);
} kinds[] = {
	{ "mapping", hold_mapping },
	{ "frames", hold_frames },
	{ "pages", hold_pages },
};

static const struct kind *find_kind(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	fprintf(stderr, "tmm: hold: not mapping, frames or pages: %s\n", name);
	return NULL;
}

static int hold_all(int fd, __u64 size, int nr, char **names)
{
	char text[TEXT_SIZE];
	int err, i;

	for (i = 0; i < nr; i++) {
		err = find_kind(names[i])->hold(fd, size);
		if (err)
			return failed(err, "hold %s of %s", names[i], size_text(text, size));
	}
	return TMM_OK;
}

static _Noreturn void wait_forever(void)
{
	printf("ready\n");
	fflush(stdout);
	for (;;)
		pause();
}

static int run(int argc, char **argv)
{
	static char *by_default[] = { "mapping" };
	char **names = argc > 2 ? argv + 2 : by_default;
	int nr = argc > 2 ? argc - 2 : 1;
	__u64 size;
	int fd, i;

	if (argc < 2)
		return usage(&hold_command);
	if (!parse_size(argv[1], &size)) {
		fprintf(stderr, "tmm: hold: not a size: %s\n", argv[1]);
		return TMM_USAGE;
	}
	for (i = 0; i < nr; i++)
		if (!find_kind(names[i]))
			return TMM_USAGE;
	fd = open_device();
	if (fd < 0 || hold_all(fd, size, nr, names))
		return TMM_FAILED;
	wait_forever();
}

const struct command hold_command = {
	.name = "hold",
	.arguments = "SIZE [mapping|frames|pages]...",
	.summary = "own memory until killed",
	.help = "Owns SIZE bytes (K, M, G allowed) of each kind named, of a mapping if none\n"
		"is, prints `ready` and waits. What it owns goes back when it ends, however it\n"
		"ends.\n",
	.run = run,
};
