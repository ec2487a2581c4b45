// SPDX-License-Identifier: GPL-2.0
#include "kernel/report.h"
#include "core/compat.h"
#include "kernel/clock.h"

#include <linux/delay.h>
#include <linux/math64.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/string.h>

static char *rows = "";
module_param(rows, charp, 0400);
MODULE_PARM_DESC(rows, "rows to measure, separated by commas (all)");

static char *systems = "";
module_param(systems, charp, 0400);
MODULE_PARM_DESC(systems, "systems to measure, separated by commas (all)");

/* True if @list is empty, or has @word among its words, which commas separate. */
static bool has_word(const char *list, const char *word)
{
	size_t length = strlen(word);
	const char *at = list;

	if (!*list)
		return true;
	while (at) {
		if (!strncmp(at, word, length) && (!at[length] || at[length] == ','))
			return true;
		at = strchr(at, ',');
		at = at ? at + 1 : NULL;
	}
	return false;
}

/* True if the parameters ask for this row of this system. A row without a name is never wanted. */
bool bench_is_wanted(const char *row, const char *system)
{
	return *row && has_word(rows, row) && has_word(systems, system);
}

/*
 * Wait until the console shows the row: some kernels print in a thread of their own, whose
 * instructions would be counted for the next row.
 */
static void wait_for_console(void)
{
	msleep(100);
}

/* Print the cost of an operation, for the size @n of the table. */
void bench_report(const char *row, const char *system, u64 n, const struct bench_result *result)
{
	u64 tenths = div64_u64(result->total * 10 + result->nr / 2, result->nr);

	pr_info("tmm-bench: %s %s %llu %s %llu %llu.%llu %llu %llu\n", row, system, n,
		bench_clock_unit(), result->nr, tenths / 10, tenths % 10, result->p999,
		result->max);
	wait_for_console();
}

/* Print the memory that @nr objects need. */
void bench_report_bytes(const char *row, const char *system, u64 n, u64 nr, u64 nr_bytes)
{
	u64 tenths = div64_u64(nr_bytes * 10 + nr / 2, nr);

	pr_info("tmm-bench: %s %s %llu bytes %llu %llu.%llu 0 0\n", row, system, n, nr,
		tenths / 10, tenths % 10);
	wait_for_console();
}

/* Print why a row is not measured. */
void bench_report_skipped(const char *row, const char *system, const char *reason)
{
	if (bench_is_wanted(row, system))
		pr_info("tmm-bench: %s %s - skipped %s\n", row, system, reason);
}

/* Print that the measurement of a row has failed, which makes `make bench` fail. */
void bench_report_failed(const char *row, int err)
{
	pr_err("tmm-bench: failed %s error %d\n", row, err);
}
EXPORT_SYMBOL_TMM(bench_report_failed);
