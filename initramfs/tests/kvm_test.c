// SPDX-License-Identifier: GPL-2.0
/*
 * KVM accepts areas without struct pages (hva_to_pfn_remapped()): a guest can use the memory
 * exactly as long as the area shows the memory.
 */
/* Machine: kvm: modules that no other test needs, and a CPU that emulates SVM. */
#include "area.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#define SIZE	(2 * PAGE)

/* Code for real mode, at address 0, which writes to the second page. */
static const unsigned char counting[] = {
	0xa2, 0x00, 0x10,	/* mov %al, 0x1000 */
	0xfe, 0xc0,		/* inc %al */
	0xe6, 0x10,		/* out %al, $0x10: exit to the host */
	0xeb, 0xf7,		/* from the start */
};

static const unsigned char writing[] = {
	0xa2, 0x00, 0x10,	/* mov %al, 0x1000 */
	0xfe, 0xc0,		/* inc %al */
	0xeb, 0xf9,		/* from the start */
};

FIXTURE(kvm)
{
	int fd;
	struct theseus_mm_info start;
	struct theseus_mm_create_mapping mapping;
	unsigned char *area;
	int vm;
	int cpu;
	struct kvm_run *run;
};

static void load_module(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	syscall(SYS_finit_module, fd, "", 0);
	close(fd);
}

static int create_vm(struct _test_data_kvm *self)
{
	struct kvm_userspace_memory_region memory = {
		.memory_size = SIZE,
		.userspace_addr = (unsigned long)self->area,
	};
	struct kvm_regs regs = { .rflags = 2 };
	struct kvm_sregs sregs;
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (kvm < 0)
		return -errno;
	self->vm = ioctl(kvm, KVM_CREATE_VM, 0);
	close(kvm);
	if (self->vm < 0 || ioctl(self->vm, KVM_SET_USER_MEMORY_REGION, &memory))
		return -errno;
	self->cpu = ioctl(self->vm, KVM_CREATE_VCPU, 0);
	if (self->cpu < 0 || ioctl(self->cpu, KVM_GET_SREGS, &sregs))
		return -errno;
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	if (ioctl(self->cpu, KVM_SET_SREGS, &sregs) || ioctl(self->cpu, KVM_SET_REGS, &regs))
		return -errno;
	self->run = mmap(NULL, PAGE, RW, MAP_SHARED, self->cpu, 0);
	return self->run == MAP_FAILED ? -errno : 0;
}

FIXTURE_SETUP(kvm)
{
	load_module("/lib/modules/stock/irqbypass.ko");
	load_module("/lib/modules/stock/kvm.ko");
	load_module("/lib/modules/stock/ccp.ko");
	load_module("/lib/modules/stock/kvm-amd.ko");
	recover_start();
	CLIENT_SETUP();
	ASSERT_EQ(0, uapi_create_contiguous_mapping(self->fd, SIZE, THESEUS_MM_PTE_DATA,
						    &self->mapping));
	self->area = AREA(self->mapping.handle, RW);
	ASSERT_EQ(0, create_vm(self));
}

FIXTURE_TEARDOWN(kvm)
{
	munmap(self->run, PAGE);
	close(self->cpu);
	close(self->vm);
	munmap(self->area, SIZE);
	CLIENT_TEARDOWN();
}

/* Return: 0 if the guest reached its OUT, else the error or the reason of the exit */
static int run(struct _test_data_kvm *self)
{
	if (ioctl(self->cpu, KVM_RUN, 0))
		return -errno;
	return self->run->exit_reason == KVM_EXIT_IO ? 0 : (int)self->run->exit_reason;
}

/* Another client gets the frames and sees only its own content. Return: the handle */
static int give_to(int fd, struct theseus_mm_create_mapping *old, __u32 *handle)
{
	struct theseus_mm_allocate frames = { .flags = THESEUS_MM_ALLOCATE_AT, .size = 2,
					      .at = old->paddr };
	struct theseus_mm_allocate pages = { .size = 2 };
	struct theseus_mm_map mapped = { 0 };
	int err = uapi_allocate_frames(fd, &frames);

	err = err ?: uapi_allocate_pages(fd, &pages);
	err = err ?: uapi_map_allocated_pages_to(fd, pages.handle, frames.handle,
						 THESEUS_MM_PTE_DATA, &mapped);
	*handle = mapped.handle;
	return err ?: fill(fd, *handle, SIZE);
}

static bool is_untouched(int fd, __u32 handle)
{
	static unsigned char data[SIZE];

	return !uapi_read(fd, handle, 0, data, SIZE) && nr_alike(data, 0, SIZE) == SIZE;
}

TEST_F(kvm, a_guest_has_the_memory)
{
	int i;

	ASSERT_FALSE(self->start.features & THESEUS_MM_FEATURE_STRUCT_PAGES);
	memcpy(self->area, counting, sizeof(counting));
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, run(self));
		EXPECT_EQ(i, self->area[PAGE]);
	}
}

TEST_F(kvm, a_revoked_area_is_none_of_the_guests)
{
	__u32 handle;
	int i;

	memcpy(self->area, counting, sizeof(counting));
	ASSERT_EQ(0, run(self));
	ASSERT_EQ(0, uapi_revoke(self->fd, self->mapping.handle, NULL));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(-EFAULT, run(self));
	ASSERT_EQ(0, uapi_drop(self->fd, self->mapping.handle));
	ASSERT_EQ(0, give_to(self->fd, &self->mapping, &handle));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(-EFAULT, run(self));
	EXPECT_TRUE(is_untouched(self->fd, handle));
}

TEST_F(kvm, an_unmapped_area_is_none_of_the_guests)
{
	__u32 handle;

	memcpy(self->area, counting, sizeof(counting));
	ASSERT_EQ(0, run(self));
	munmap(self->area, SIZE);
	ASSERT_EQ(0, uapi_drop(self->fd, self->mapping.handle));
	ASSERT_EQ(0, give_to(self->fd, &self->mapping, &handle));
	EXPECT_EQ(-EFAULT, run(self));
	EXPECT_TRUE(is_untouched(self->fd, handle));
}

static void *run_until_it_fails(void *context)
{
	struct _test_data_kvm *self = context;
	long err;

	do {
		err = run(self);
	} while (!err || err == -EINTR);
	return (void *)err;
}

/* The guest writes all the time. */
TEST_F(kvm, revoked_while_it_runs)
{
	unsigned char first, next;
	pthread_t thread;
	__u32 handle;
	void *err;
	int i;

	memcpy(self->area, writing, sizeof(writing));
	ASSERT_EQ(0, pthread_create(&thread, NULL, run_until_it_fails, self));
	first = __atomic_load_n(self->area + PAGE, __ATOMIC_SEQ_CST);
	for (i = 0, next = first; i < 500 && next == first; i++) {
		usleep(10000);
		next = __atomic_load_n(self->area + PAGE, __ATOMIC_SEQ_CST);
	}
	EXPECT_NE(first, next);
	ASSERT_EQ(0, uapi_revoke(self->fd, self->mapping.handle, NULL));
	ASSERT_EQ(0, uapi_drop(self->fd, self->mapping.handle));
	ASSERT_EQ(0, give_to(self->fd, &self->mapping, &handle));
	for (i = 0; i < 20; i++) {
		usleep(10000);
		EXPECT_TRUE(is_untouched(self->fd, handle));
	}
	ASSERT_EQ(0, pthread_join(thread, &err));
	EXPECT_EQ(-EFAULT, (long)err);
	EXPECT_TRUE(is_untouched(self->fd, handle));
}

TEST_HARNESS_MAIN
