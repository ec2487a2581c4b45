/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fixture of the tests of memory that fails. After each test the module is loaded anew, which
 * forgets retired frames.
 */
#ifndef TESTS_BAD_MEMORY_H
#define TESTS_BAD_MEMORY_H

#include "area.h"
#include "inject.h"
#include "module.h"

/* a bit above all physical addresses, where Intel's CPUs report the key of encrypted memory */
#define KEY		(1ULL << 55)
#define MAX_WAIT	1000
#define NR		4
#define SIZE		(NR * PAGE)

FIXTURE(bad)
{
	char parameters[MODULE_TEXT];
	int fd;
	struct theseus_mm_info start;
	struct theseus_mm_create_mapping mapping;
	unsigned char *area;
};

#define FAIL(paddr)									\
	do {										\
		__u64 _before = nr_bad(self->fd);					\
											\
		ASSERT_TRUE(inject(paddr, STATUS_FAILS));			\
		ASSERT_TRUE(wait_for_bad(self->fd, _before + 1));			\
	} while (0)

static siginfo_t told;

static inline void on_bus(int number, siginfo_t *info, void *context)
{
	(void)context;
	told = *info;
	recover_on_signal(number);
}

static inline void catch_bus(void)
{
	struct sigaction action = { .sa_sigaction = on_bus, .sa_flags = SA_NODEFER | SA_SIGINFO };

	memset(&told, 0, sizeof(told));
	sigaction(SIGBUS, &action, NULL);
}

/* The module counts a frame as bad shortly before it clears the frame's entries in processes. */
static inline int load_until_told(const unsigned char *address, unsigned char *byte)
{
	int i, number = 0;

	for (i = 0; i < MAX_WAIT && !number; i++) {
		number = load(address, byte);
		if (!number)
			usleep(10000);
	}
	return number;
}

/* The access raises SIGBUS, with the address. */
#define EXPECT_TOLD(address)								\
	do {										\
		unsigned char _byte;							\
											\
		memset(&told, 0, sizeof(told));						\
		EXPECT_EQ(SIGBUS, load_until_told(address, &_byte));			\
		EXPECT_EQ(BUS_MCEERR_AR, told.si_code);					\
		EXPECT_EQ((unsigned long)(address) / PAGE, (unsigned long)told.si_addr / PAGE);	\
	} while (0)

static inline void leave(struct _test_data_bad *self)
{
	if (self->area)
		munmap(self->area, SIZE);
	self->area = NULL;
}

/* Load the module with @more after the parameters that all tests use. */
static inline int start(struct _test_data_bad *self, const char *more);

FIXTURE_SETUP(bad)
{
	load_inject();
	recover_start();
	catch_bus();
	self->fd = -1;
	module_parameters(self->parameters);
}

FIXTURE_TEARDOWN(bad)
{
	struct theseus_mm_info end = { 0 };

	leave(self);
	if (self->fd >= 0)
		close(self->fd);
	self->fd = uapi_open(NULL);
	EXPECT_EQ(0, uapi_get_info(self->fd, &end));
	/* no frame is lost: each frame that is no longer free counts as bad */
	if (!(end.features & THESEUS_MM_FEATURE_QUARANTINE))
		EXPECT_EQ(self->start.frames_free + self->start.frames_bad,
			  end.frames_free + end.frames_bad);
	EXPECT_EQ(self->start.nr_mappings, end.nr_mappings);
	close(self->fd);
	EXPECT_EQ(0, module_unload());
	EXPECT_EQ(0, module_load(self->parameters));
}

static inline int start(struct _test_data_bad *self, const char *more)
{
	char parameters[MODULE_TEXT + 200];
	int err = module_unload();

	snprintf(parameters, sizeof(parameters), "%s %s", self->parameters, more);
	err = err ?: module_load(parameters);
	if (err)
		return err;
	self->fd = uapi_open(NULL);
	err = uapi_get_info(self->fd, &self->start);
	err = err ?: uapi_create_contiguous_mapping(self->fd, SIZE, THESEUS_MM_PTE_DATA,
						    &self->mapping);
	err = err ?: fill(self->fd, self->mapping.handle, SIZE);
	if (err)
		return err;
	self->area = mmap_all(self->fd, self->mapping.handle, RW);
	if (self->area == MAP_FAILED) {
		self->area = NULL;
		return -ENOMEM;
	}
	return nr_alike(self->area, 0, SIZE) == SIZE ? 0 : -EIO;
}

#endif /* TESTS_BAD_MEMORY_H */
