// SPDX-License-Identifier: GPL-2.0
/*
 * theseus_mm_bench: measures theseus_mm's functions and Linux's own when the module is loaded, and
 * prints the results on the console. Apart from compat.h, the module includes only the public
 * header.
 */
#include "kernel/clock.h"
#include "kernel/empty_driver.h"
#include "kernel/groups.h"
#include "kernel/measure.h"
#include "core/compat.h"

#include <linux/module.h>

static int __init bench_init(void)
{
	int err;

	err = bench_measure_start();
	if (err)
		return err;
	err = bench_clock_start();
	if (err)
		goto stop_measure;
	err = bench_empty_driver_start();
	if (err)
		goto stop_clock;
	bench_one_page();
	bench_area_tree();
	bench_allocators();
	bench_fragments();
	bench_large();
	bench_window();
	bench_memory();
	return 0;

stop_clock:
	bench_clock_stop();
stop_measure:
	bench_measure_stop();
	return err;
}

/*
 * Until the module is unloaded, theseus_mm_bench_buddy calls its functions, and bench_program uses
 * its driver.
 */
static void __exit bench_exit(void)
{
	bench_empty_driver_stop();
	bench_clock_stop();
	bench_measure_stop();
}

module_init(bench_init);
module_exit(bench_exit);
MODULE_IMPORT_NS(TMM_COMPAT_NS(THESEUS_MM));
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Measures theseus_mm beside Linux's own calls");
