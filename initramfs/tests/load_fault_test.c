// SPDX-License-Identifier: GPL-2.0
/* Debug kernel by name only: some hundred loads of the module, which take a second each. */
/*
 * Loading fails at each place where Linux can refuse memory to the module, one after the other.
 * Loads that the module itself refuses say why, and no load that fails leaves anything behind. Linux
 * itself warns if it has no memory for struct pages, so the module is loaded without them.
 */
#include "faults.h"
#include "module.h"

#define TIMEOUT		1500

/*
 * A load without regions= has fewer places than this from the module's first one on. Linux's places
 * for undoing such a load are among them.
 */
#define NR_OURS		500

#define EXHAUSTED	"Linux's own memory is exhausted"

/* Get the last of the regions, which is small, so that a load takes little time. */
static void small_region(char text[MODULE_TEXT])
{
	char all[MODULE_TEXT];
	const char *last;

	module_section_regions(all);
	last = strrchr(all, ',');
	snprintf(text, MODULE_TEXT, "regions=%s", last ? last + 1 : "");
}

/* Has a load that failed, or an unload, left anything behind? */
static bool is_clean(void)
{
	char *claims = text_of("/proc/iomem");
	bool is_claimed = !claims || text_has(claims, "theseus_mm");

	free(claims);
	return !is_claimed && !module_is_loaded() && access("/dev/theseus_mm", F_OK) &&
	       access("/sys/kernel/debug/theseus_mm", F_OK) &&
	       access("/sys/class/misc/theseus_mm", F_OK);
}

/* How many places has a load without regions=, which the module refuses? */
static unsigned int places_of_refused_load(void)
{
	char text[16] = "";

	fail_at(100000);
	if (module_load("") != -ENODEV || pread(nth_file(), text, sizeof(text) - 1, 0) <= 0)
		return 0;
	fail_at(0);
	return 100000 - atoi(text);
}

/* Let the @n-th place of a load fail. Return: did it? *err is 0 or a negative errno. */
static bool load_with_failure(unsigned int n, const char *parameters, int *err)
{
	fail_at(n);
	*err = module_load(parameters);
	return has_failed();
}

TEST_F_TIMEOUT(module, fails_at_each_place, TIMEOUT)
{
	unsigned int first, n, nr_loader = 0, nr_ours = 0;
	char parameters[MODULE_TEXT];
	int err = 0;

	small_region(parameters);
	ASSERT_TRUE(let_linux_fail());
	/* Linux remembers some things of the first load. */
	ASSERT_EQ(-ENODEV, module_load(""));
	first = places_of_refused_load();
	first = first > NR_OURS ? first - NR_OURS : 1;
	for (n = first; load_with_failure(n, parameters, &err); n++) {
		ASSERT_GT(first + MANY, n);
		fault_count(err);
		if (!err) {
			ASSERT_EQ(0, module_unload());
		} else {
			ASSERT_EQ(-ENOMEM, err) {
				TH_LOG("place %u", n);
			}
			if (text_has(module_log_read(&self->log), EXHAUSTED))
				nr_ours++;
			else
				nr_loader++;
		}
		ASSERT_TRUE(is_clean()) {
			TH_LOG("place %u, error %d, left something behind", n, err);
		}
		/* Linux's loader has to fail first, so that no place of the module is left out. */
		ASSERT_TRUE(!nr_ours || nr_loader) {
			TH_LOG("NR_OURS is too small: place %u is the module's", n);
		}
	}
	ASSERT_EQ(0, err);
	ASSERT_EQ(0, module_unload());
	ASSERT_TRUE(is_clean());
	TH_LOG("places %u to %u: Linux's loader refused %u times, the module %u times", first, n,
	       nr_loader, nr_ours);
	EXPECT_LT(10, nr_ours);
}

TEST_HARNESS_MAIN
