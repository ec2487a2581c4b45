// SPDX-License-Identifier: GPL-2.0
/* The functions for other modules, which theseus_mm_bench.ko calls. */
#include "bounds.h"
#include "groups.h"
#include "marks.h"

#include <stdlib.h>

/**
 * struct kernel_rows - rows of theseus_mm_bench.ko, which call functions for other modules
 * @name: name of these calls
 * @rows: the rows
 */
struct kernel_rows {
	const char *name;
	const char *rows;
};

static const struct kernel_rows kernel_rows[] = {
	{ "kernel-mappings-4k", "create-4k" }, { "kernel-mappings-2m", "create-2m" },
	{ "kernel-frames", "allocate-frame" }, { "kernel-pages", "allocate-page" },
	{ "kernel-window", "window" },
};
/* A leaf of 1 GiB has room only if there is nothing else. */
static const struct kernel_rows kernel_rows_1g = { "kernel-mappings-1g", "create-1g" };

/* The module measures when it is loaded. Its own results contain the cost of the marks. */
static int run_rows(const struct bounds *bounds, const struct kernel_rows *rows)
{
	const char *command = "exec >/dev/null 2>&1; rmmod theseus_mm_bench; "
		"insmod /lib/modules/theseus_mm_bench.ko systems=ours rows=$ROWS sizes=100";

	setenv("ROWS", rows->rows, 1);
	if (marks_begin() || system(command))
		return bounds_failed(bounds, rows->name, "-");
	return marks_end(rows->name, "-", bounds->situation);
}

int bounds_kernel(const struct bounds *bounds)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kernel_rows); i++)
		if (run_rows(bounds, &kernel_rows[i]))
			return -1;
	return 0;
}

int bounds_kernel_1g(const struct bounds *bounds)
{
	return run_rows(bounds, &kernel_rows_1g);
}
