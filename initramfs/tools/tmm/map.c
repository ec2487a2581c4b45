// SPDX-License-Identifier: GPL-2.0
/*
 * tmm map: the picture on its own.
 */
#include "command.h"
#include "picture.h"
#include "terminal.h"
#include "text.h"

#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#define MAX_ROWS	16

static int draw(unsigned int width)
{
	struct picture_style style = {
		.width = width,
		.max_rows = MAX_ROWS,
		.colour = terminal_has_colour(),
	};
	int fd = open_device();
	int err;

	if (fd < 0)
		return TMM_FAILED;
	err = picture_draw(fd, &style);
	close(fd);
	return err ? failed(err, "GET_OCCUPANCY") : TMM_OK;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "width", required_argument, NULL, 'w' },
		{ 0 },
	};
	__u64 width = terminal_width();
	int option;

	while ((option = getopt_long(argc, argv, "w:", options, NULL)) != -1) {
		if (option != 'w')
			return usage(&map_command);
		if (!parse_size(optarg, &width) || !width || width > 4096) {
			fprintf(stderr, "tmm: map: not a width: %s\n", optarg);
			return TMM_USAGE;
		}
	}
	if (optind != argc)
		return usage(&map_command);
	return draw(width);
}

const struct command map_command = {
	.name = "map",
	.arguments = "[--width COLUMNS]",
	.summary = "draw what the memory is used for",
	.help = "As wide as the terminal; the addresses on the left are physical, or offsets\n"
		"without CAP_SYS_ADMIN. NO_COLOR is respected.\n\n"
		"  -w, --width COLUMNS   draw that wide\n",
	.run = run,
};
