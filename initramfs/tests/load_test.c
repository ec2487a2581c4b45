// SPDX-License-Identifier: GPL-2.0
/* Debug kernel by name: some sixty loads of the module, which take seconds each there. */
/*
 * Loading: each refusal is one line that says what is wrong and what would be accepted. If the
 * line says "load with" and asks for no reservation, the test loads the module with these
 * parameters.
 */
#include "kernel.h"
#include "module.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* The regions of the guest: the first is large. */
struct region {
	unsigned long long start;
	unsigned long long nr_bytes;
};

static struct region first_region(const char *parameters)
{
	const char *text = strstr(parameters, "regions=");
	struct region region = { 0 };
	char unit = 0;

	if (text && sscanf(text, "regions=%llu%c@%llx", &region.nr_bytes, &unit,
			   &region.start) == 3 && unit == 'M')
		region.nr_bytes <<= 20;
	return region;
}

/* Seconds for a case with many loads. On a busy machine, a load takes seconds. */
#define LONG		120

#define SECTION		(128ULL << 20)

/* Return: the whole sections of 128 MiB inside a region. No other memory lies in these sections. */
static struct region own_sections(struct region region)
{
	struct region own = {
		.start = (region.start + SECTION - 1) / SECTION * SECTION,
	};

	own.nr_bytes = (region.start + region.nr_bytes) / SECTION * SECTION - own.start;
	return own;
}

/* Return: the "regions=..." after "load with " in the line */
static const char *recommended(const char *line)
{
	const char *text = line ? strstr(line, "load with ") : NULL;

	return text ? text + strlen("load with ") : NULL;
}

static bool is_claimed(void)
{
	char *text = text_of("/proc/iomem");
	bool found = text_has(text, "theseus_mm");

	free(text);
	return found;
}

#define MAX_WORDS	4

/*
 * Load with @parameters. The load must fail with @error, and with one line in the log that has
 * all @words and names parameters that the module would accept. If the line does not ask
 * for a reservation (memmap=), a load with the named parameters must succeed.
 *
 * Return: what is wrong, or ""
 */
static const char *flaw_of_refusal(struct module_log *log, int error, const char *parameters,
				   const char *const words[MAX_WORDS])
{
	static char flaw[2 * MODULE_TEXT];
	const char *said, *load;
	char *line;
	int i, err = module_load(parameters);

	flaw[0] = '\0';
	said = module_log_read(log);
	line = module_log_line(said, ": refused: ");
	load = recommended(line);
	if (err != -error)
		snprintf(flaw, sizeof(flaw), "%s: error %d: %s", parameters, err, said);
	else if (is_claimed())
		snprintf(flaw, sizeof(flaw), "%s: something is claimed", parameters);
	else if (!load)
		snprintf(flaw, sizeof(flaw), "%s: no line says what to load: %s", parameters,
			 said);
	else if (strncmp(line, "regions=", strlen("regions=")))
		snprintf(flaw, sizeof(flaw), "%s: the line does not begin with regions=: %s", parameters,
			 line);
	for (i = 0; i < MAX_WORDS && words[i] && !flaw[0]; i++)
		if (!strstr(line, words[i]))
			snprintf(flaw, sizeof(flaw), "%s: the line lacks \"%s\": %s", parameters,
				 words[i], line);
	if (!flaw[0] && !strstr(line, "memmap=") && module_load(load))
		snprintf(flaw, sizeof(flaw), "%s is not accepted either: %s", load,
			 module_log_read(log));
	if (module_is_loaded())
		module_unload();
	module_log_read(log);
	free(line);
	return flaw;
}

#define EXPECT_NOT_LOADED(error, parameters, ...)					\
	do {										\
		const char *const _words[MAX_WORDS] = { __VA_ARGS__ };			\
											\
		EXPECT_STREQ("", flaw_of_refusal(&self->log, error, parameters, _words)); \
	} while (0)

#define FORMAT(...)									\
	({										\
		static char _formatted[2 * MODULE_TEXT];					\
											\
		snprintf(_formatted, sizeof(_formatted), __VA_ARGS__);			\
		_formatted;								\
	})

/* A format that prints a start address plus 2^64; the sum does not fit in 64 bits. */
#define WRAPPING_START	"0x1%016llx"

TEST_F_TIMEOUT(module, numbers_that_do_not_fit, LONG)
{
	struct region region = first_region(self->parameters);

	ASSERT_NE(0, region.start);
	EXPECT_NOT_LOADED(ERANGE, FORMAT("regions=%lluM@%#llx",
					 (1ULL << 44) + (region.nr_bytes >> 20), region.start),
			  "does not fit in 64 bits");
	EXPECT_NOT_LOADED(ERANGE, FORMAT("regions=16M@" WRAPPING_START, region.start),
			  "does not fit in 64 bits");
	EXPECT_NOT_LOADED(ERANGE, FORMAT("regions=18446744073709551616@%#llx", region.start),
			  "does not fit in 64 bits");
	EXPECT_NOT_LOADED(ERANGE, FORMAT("regions=16E@%#llx", region.start),
			  "does not fit in 64 bits");
	EXPECT_NOT_LOADED(ERANGE, FORMAT("regions=16M@%#llx,16M@" WRAPPING_START, region.start,
					 region.start + (32 << 20)),
			  "does not fit in 64 bits");
}

TEST_F_TIMEOUT(module, malformed_regions, LONG)
{
	static const char *const malformed[] = {
		"16M", "16M@", "@16M", "x@16M", "16M@x", "16M$16M", "-16M@16M", "16M@16Mx",
		"16M@16M,", ",16M@16M", "16M@16M,,16M@64M",
	};
	size_t i;

	for (i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++)
		EXPECT_NOT_LOADED(EINVAL, FORMAT("regions=%s", malformed[i]), "<size>@<start>");
}

TEST_F_TIMEOUT(module, malformed_regions_with_struct_pages, LONG)
{
	struct region own = own_sections(first_region(self->parameters));

	SKIP_WITHOUT_STRUCT_PAGES();
	EXPECT_NOT_LOADED(EINVAL, "struct_pages=1 regions=16M", "<size>@<start>",
			  FORMAT("load with struct_pages=1 regions=%lluK@%#llx",
				 own.nr_bytes >> 10, own.start));
}

TEST_F_TIMEOUT(module, regions_of_a_wrong_size_or_place, LONG)
{
	struct region region = first_region(self->parameters);

	EXPECT_NOT_LOADED(EINVAL, FORMAT("regions=65537@%#llx", region.start), "multiples of 4K");
	EXPECT_NOT_LOADED(EINVAL, FORMAT("regions=64K@%#llx", region.start + 512),
			  "multiples of 4K");
	EXPECT_NOT_LOADED(EINVAL, FORMAT("regions=60K@%#llx", region.start), "64K or more");
	EXPECT_NOT_LOADED(EINVAL, FORMAT("regions=0@%#llx", region.start), "64K or more");
	EXPECT_NOT_LOADED(EINVAL, FORMAT("regions=16384G@%#llx", region.start), "less than 16T");
	EXPECT_NOT_LOADED(ERANGE, "regions=64K@0x10000000000000", "last physical address");
	EXPECT_NOT_LOADED(ERANGE, "regions=8E@8E", "last physical address");
}

TEST_F_TIMEOUT(module, memory_that_is_not_reserved, LONG)
{
	struct region region = first_region(self->parameters);

	/* one page more than is reserved; the reserved part is accepted */
	EXPECT_NOT_LOADED(ENODEV, FORMAT("regions=%lluK@%#llx", (region.nr_bytes >> 10) + 4,
					 region.start),
			  FORMAT("load with regions=%lluK@%#llx", region.nr_bytes >> 10,
				 region.start));
	EXPECT_NOT_LOADED(ENODEV, "regions=16M@32M", "in use by Linux",
			  "memmap=16384K$0x2000000", "load with regions=16384K@0x2000000");
	/* no part is RAM, so the advice must name other memory */
	EXPECT_NOT_LOADED(ENODEV, "regions=16M@0xfee00000", "load with regions=");
	EXPECT_NOT_LOADED(ENODEV, "regions=1G@0x4000000000", "load with regions=");
}

/*
 * Load with as many regions as the length of a parameter allows. The first region has no room for
 * the state of all regions.
 */
TEST_F_TIMEOUT(module, many_small_regions, LONG)
{
	struct region region = first_region(self->parameters);
	char parameters[MODULE_TEXT] = "regions=";
	size_t used = strlen(parameters);
	unsigned long long i;
	const char *text;
	char *line, *needs;

	for (i = 0; used < 1000; i++)
		used += sprintf(parameters + used, "%s64K@%lluM", i ? "," : "",
				(region.start >> 20) + i);
	EXPECT_EQ(-EINVAL, module_load(parameters));
	line = module_log_line(module_log_read(&self->log), ": refused: ");
	ASSERT_NE(NULL, line);
	needs = strstr(line, "needs ");
	ASSERT_NE(NULL, needs) TH_LOG("%s", line);
	EXPECT_FALSE(is_claimed());

	/* with the size that the line names, the load succeeds */
	text = FORMAT("regions=%lluK@%lluM%s", strtoull(needs + 6, NULL, 10),
		      region.start >> 20, strchr(parameters, ','));
	free(line);
	EXPECT_EQ(0, module_load(text)) TH_LOG("%s", module_log_read(&self->log));
}

TEST_F(module, no_regions)
{
	struct region region = first_region(self->parameters);
	const char *log;

	EXPECT_EQ(-ENODEV, module_load(""));
	log = module_log_read(&self->log);
	EXPECT_TRUE(text_has(log, "regions= is missing"));
	EXPECT_TRUE(text_has(log, "regions=%lluK@%#llx would be accepted\n", region.nr_bytes >> 10,
			     region.start));
	EXPECT_FALSE(is_claimed());
	EXPECT_EQ(-ENODEV, module_load("regions="));
	EXPECT_TRUE(text_has(module_log_read(&self->log), "regions= is missing"));
}

TEST_F_TIMEOUT(module, more_regions_than_a_parameter_holds, LONG)
{
	char parameters[2048] = "regions=";
	size_t used = strlen(parameters);

	while (used < 1500)
		used += sprintf(parameters + used, "%s1M@1M", used > 8 ? "," : "");
	EXPECT_EQ(-ENOSPC, module_load(parameters));
	EXPECT_TRUE(text_has(module_log_read(&self->log),
			     "regions=: refused: the text is longer than 1024"));
	EXPECT_FALSE(is_claimed());
}

TEST_F(module, struct_pages_of_a_misaligned_region)
{
	struct region region = first_region(self->parameters);
	struct region own = own_sections(region);

	SKIP_WITHOUT_STRUCT_PAGES();
	EXPECT_NOT_LOADED(EINVAL, FORMAT("struct_pages=1 regions=%lluK@%#llx",
					 (region.nr_bytes >> 10) - 8, region.start + 4096),
			  "multiples of 2048K",
			  FORMAT("load with struct_pages=1 regions=%lluK@%#llx",
				 own.nr_bytes >> 10, own.start));
}

/* Check that a load with the region is refused with struct pages, and accepted without them. */
static void expect_shared(struct __test_metadata *_metadata, struct _test_data_module *self,
			  unsigned long long start, unsigned long long end, struct region own)
{
	char regions[100];

	snprintf(regions, sizeof(regions), "regions=%lluK@%#llx", (end - start) >> 10, start);
	EXPECT_NOT_LOADED(EINVAL, FORMAT("struct_pages=1 %s", regions),
			  FORMAT("%s: refused: the range shares a 128 MiB section with Linux's memory",
				 regions),
			  FORMAT("load with struct_pages=1 regions=%lluK@%#llx",
				 own.nr_bytes >> 10, own.start));
	EXPECT_EQ(-EINVAL, module_load(FORMAT("struct_pages=1 %s", regions)));
	EXPECT_FALSE(is_claimed());
	EXPECT_EQ(0, module_load(regions)) TH_LOG("%s", module_log_read(&self->log));
	EXPECT_EQ(0, module_unload());
	module_log_read(&self->log);
}

TEST_F(module, struct_pages_in_a_shared_first_section)
{
	struct region region = first_region(self->parameters);
	struct region own = own_sections(region);

	SKIP_WITHOUT_STRUCT_PAGES();
	ASSERT_LT(region.start, own.start);
	expect_shared(_metadata, self, region.start, own.start + own.nr_bytes, own);
	/* the range has no section of its own, so the advice names memory outside the range */
	expect_shared(_metadata, self, region.start, own.start, own);
}

TEST_F(module, struct_pages_in_a_shared_last_section)
{
	struct region region = first_region(self->parameters);
	unsigned long long end = region.start + region.nr_bytes;
	struct region own = own_sections(region);

	SKIP_WITHOUT_STRUCT_PAGES();
	ASSERT_GT(end, own.start + own.nr_bytes);
	expect_shared(_metadata, self, own.start, end, own);
	expect_shared(_metadata, self, region.start, end, own);
	/* this range begins at the start of a section */
	expect_shared(_metadata, self, own.start + own.nr_bytes, end, own);
}

TEST_F(module, struct_pages_in_sections_of_its_own)
{
	struct region own = own_sections(first_region(self->parameters));
	char regions[MODULE_TEXT];
	char *iomem;

	SKIP_WITHOUT_STRUCT_PAGES();
	module_section_regions(regions);
	EXPECT_EQ(0, module_load(FORMAT("struct_pages=1 %s", regions)))
		TH_LOG("%s", module_log_read(&self->log));
	iomem = text_of("/proc/iomem");
	EXPECT_TRUE(text_has(iomem, "%llx-%llx : theseus_mm", own.start,
			     own.start + own.nr_bytes - 1));
	free(iomem);
	EXPECT_EQ(0, module_unload());
	/* parts of sections are accepted if Linux has no memory in these sections */
	EXPECT_EQ(0, module_load(FORMAT("struct_pages=1 regions=160M@%#llx,62M@%#llx",
					own.start + (32 << 20), own.start + (194 << 20))))
		TH_LOG("%s", module_log_read(&self->log));
}

/* Memory that the advice names, reserved already or not, shares no section with Linux's memory. */
TEST_F(module, struct_pages_of_other_memory)
{
	struct region own = own_sections(first_region(self->parameters));
	const char *log;

	SKIP_WITHOUT_STRUCT_PAGES();
	EXPECT_NOT_LOADED(ENODEV, "struct_pages=1 regions=256M@192M", "in use by Linux",
			  "memmap=131072K$0x10000000",
			  "load with struct_pages=1 regions=131072K@0x10000000");
	EXPECT_NOT_LOADED(ENODEV, "struct_pages=1 regions=128M@64M", "in use by Linux",
			  FORMAT("load with struct_pages=1 regions=%lluK@%#llx",
				 own.nr_bytes >> 10, own.start));
	EXPECT_EQ(-ENODEV, module_load("struct_pages=1"));
	log = module_log_read(&self->log);
	EXPECT_TRUE(text_has(log, "regions=%lluK@%#llx would be accepted\n", own.nr_bytes >> 10,
			     own.start)) TH_LOG("%s", log);
}

/* Linux 6.15 has changed the rules for references to struct pages. */
TEST_F(module, struct_pages_on_this_kernel)
{
	char regions[MODULE_TEXT];

	module_section_regions(regions);
	if (KERNEL_HAS_STRUCT_PAGES()) {
		EXPECT_EQ(0, module_load(FORMAT("struct_pages=1 %s", regions)));
		return;
	}
	EXPECT_EQ(-EOPNOTSUPP, module_load(FORMAT("struct_pages=1 %s", regions)));
	EXPECT_TRUE(text_has(module_log_read(&self->log), "struct_pages=1: refused: Linux 6.15"))
		TH_LOG("%s", self->log.text);
	EXPECT_FALSE(is_claimed());
	EXPECT_EQ(0, module_load(regions));
}

/* --- a false memory map ----------------------------------------------------------------- */

#define FALSE_ROOT	"/tmp/false_root"

/* Make a root directory whose /sys says that all memory has this type. */
static bool make_false_root(const char *type)
{
	return !mkdir(FALSE_ROOT, 0755) && !mount("none", FALSE_ROOT, "tmpfs", 0, NULL) &&
	       !mkdir(FALSE_ROOT "/sys", 0755) && !mkdir(FALSE_ROOT "/sys/firmware", 0755) &&
	       !mkdir(FALSE_ROOT "/sys/firmware/memmap", 0755) &&
	       !mkdir(FALSE_ROOT "/sys/firmware/memmap/0", 0755) &&
	       !close(creat(FALSE_ROOT "/sys/firmware/memmap/0/start", 0644)) &&
	       text_write(FALSE_ROOT "/sys/firmware/memmap/0/start", "0x0\n") &&
	       !close(creat(FALSE_ROOT "/sys/firmware/memmap/0/end", 0644)) &&
	       text_write(FALSE_ROOT "/sys/firmware/memmap/0/end", "0xffffffffff\n") &&
	       !close(creat(FALSE_ROOT "/sys/firmware/memmap/0/type", 0644)) &&
	       text_write(FALSE_ROOT "/sys/firmware/memmap/0/type", type);
}

static bool remove_false_root(void)
{
	return !umount2(FALSE_ROOT, MNT_DETACH) && !rmdir(FALSE_ROOT);
}

/* Load the module from inside the false root directory. Return: the errno, or -1 */
static int load_in_false_root(const char *parameters)
{
	int fd = open(MODULE_FILE, O_RDONLY | O_CLOEXEC), status = -1;
	pid_t pid = fork();

	if (!pid) {
		if (chroot(FALSE_ROOT) || chdir("/"))
			_exit(255);
		_exit(syscall(SYS_finit_module, fd, parameters, 0) ? errno : 0);
	}
	close(fd);
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The ROM below 1 MiB is reserved by the firmware, whatever the caller's /sys says. */
TEST_F(module, false_map_that_says_all_is_ram)
{
	ASSERT_TRUE(make_false_root("System RAM\n"));
	EXPECT_EQ(ENODEV, load_in_false_root("regions=64K@0xf0000"));
	EXPECT_TRUE(text_has(module_log_read(&self->log),
			     "page 0xf0000 is reserved by the firmware"))
		TH_LOG("%s", self->log.text);
	EXPECT_FALSE(is_claimed());
	EXPECT_TRUE(remove_false_root());
}

TEST_F(module, false_map_that_says_nothing_is_ram)
{
	ASSERT_TRUE(make_false_root("Reserved\n"));
	EXPECT_EQ(0, load_in_false_root(self->parameters))
		TH_LOG("%s", module_log_read(&self->log));
	EXPECT_TRUE(is_claimed());
	EXPECT_TRUE(remove_false_root());
}

TEST_F_TIMEOUT(module, parameters_that_are_no_switch_or_number, LONG)
{
	static const struct {
		const char *text;
		int error;
		const char *accepted;
	} wrong[] = {
		{ "struct_pages=maybe", EINVAL, "struct_pages=maybe: neither 0 nor 1" },
		{ "quarantine=2", EINVAL, "quarantine=2: neither 0 nor 1" },
		{ "clean_ahead=2", EINVAL, "clean_ahead=2: neither 0 nor 1" },
		{ "max_frames=18446744073709551616", ERANGE,
		  "max_frames=18446744073709551616: not a number up to 18446744073709551614" },
		{ "max_user_frames=-1", EINVAL,
		  "max_user_frames=-1: not a number up to 18446744073709551614" },
		{ "max_handles=1M", EINVAL,
		  "max_handles=1M: not a number up to 18446744073709551614" },
		{ "max_user_handles=0x10000000000000000", ERANGE, "max_user_handles=" },
	};
	const char *parameters;
	char *line;
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		parameters = FORMAT("%s %s", self->parameters, wrong[i].text);
		EXPECT_EQ(-wrong[i].error, module_load(parameters));
		if (module_is_loaded())
			EXPECT_EQ(0, module_unload());
		line = module_log_line(module_log_read(&self->log), wrong[i].accepted);
		EXPECT_NE(NULL, line) TH_LOG("%s: %s", wrong[i].text, self->log.text);
		free(line);
		EXPECT_FALSE(is_claimed());
	}
}

TEST_HARNESS_MAIN
