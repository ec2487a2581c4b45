// SPDX-License-Identifier: GPL-2.0
#include "areas.h"

#include "marks.h"
#include "record.h"
#include "values.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fault.h"
#include "uapi.h"

#define PAGE		UAPI_PAGE_SIZE
#define MAX_AREA	(4UL << 20)

/* Return: an area; one without a length if the worker has none */
static struct area *some_area(struct worker *worker)
{
	unsigned int first = random_below(&worker->random, WORKER_AREAS), i;
	struct area *area = worker->areas;

	for (i = 0; i < WORKER_AREAS; i++) {
		area = &worker->areas[(first + i) % WORKER_AREAS];
		if (area->length)
			break;
	}
	return area;
}

static size_t whole_pages(size_t length)
{
	return (length + PAGE - 1) / PAGE * PAGE;
}

static void forget_area(struct area *area)
{
	if (area->length)
		munmap(area->start, area->length);
	area->length = 0;
}

/* The errors of mmap() that theseus_mm(4) names, and those of Linux itself. */
static bool mmap_may_return(int err)
{
	static const int errors[] = {
		EINVAL, EBADF, ENOENT, ERANGE, EACCES, EBUSY, EOPNOTSUPP, ENODEV, ENOMEM,
		ESTALE, EAGAIN, EPERM, EOVERFLOW,
	};
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i] == err)
			return true;
	return false;
}

static int choose_mmap_flags(struct random *random)
{
	int flags = random_once_in(random, 24) ? MAP_PRIVATE : MAP_SHARED;

	if (random_once_in(random, 4))
		flags |= MAP_POPULATE;
	if (random_once_in(random, 12))
		flags |= MAP_LOCKED;
	if (random_once_in(random, 12))
		flags |= MAP_NORESERVE;
	return flags;
}

static int make_area(struct worker *worker, int fd, uint64_t offset, uint64_t length)
{
	struct random *random = &worker->random;
	int prot = random_once_in(random, 16) ? random_below(random, 8) :
		   random_below(random, 3) ? PROT_READ | PROT_WRITE : PROT_READ;
	struct area *area = &worker->areas[random_below(random, WORKER_AREAS)];
	void *start;
	int err;

	forget_area(area);
	start = mmap(NULL, length, prot, choose_mmap_flags(random), fd, offset);
	err = start == MAP_FAILED ? errno : 0;
	if (err && !mmap_may_return(err))
		worker_wrong(worker, "mmap", err);
	if (!err)
		*area = (struct area){ start, whole_pages(length) };
	return err;
}

static uint64_t choose_area_length(struct worker *worker, uint64_t whole)
{
	if (!whole || random_once_in(&worker->random, 3))
		whole = choose_bytes(worker);
	return whole < MAX_AREA ? whole : MAX_AREA;
}

int act_mmap(struct worker *worker)
{
	struct random *random = &worker->random;
	int client = pool_client(worker);
	__u64 offset, nr_bytes;

	if (uapi_map_offset(client, pool_handle(worker, client, THESEUS_MM_KIND_MAPPING), &offset,
			    &nr_bytes))
		offset = nr_bytes = PAGE * random_below(random, 1000);
	if (random_once_in(random, 8))
		offset += PAGE * random_below(random, 16);
	return make_area(worker, client, offset, choose_area_length(worker, nr_bytes));
}

int act_mmap_fd(struct worker *worker)
{
	struct random *random = &worker->random;
	uint64_t offset = random_once_in(random, 4) ? PAGE * random_below(random, 16) : 0;

	return make_area(worker, pool_fd(worker), offset, choose_area_length(worker, 0));
}

/* Unmap all of an area, or its first or last part. */
int act_munmap(struct worker *worker)
{
	struct area *area = some_area(worker);
	size_t pages = area->length / PAGE, part;

	if (!pages)
		return NO_OBJECT;
	if (pages < 2 || random_below(&worker->random, 2)) {
		forget_area(area);
		return 0;
	}
	part = PAGE * (1 + random_below(&worker->random, pages - 1));
	area->length -= part;
	if (random_below(&worker->random, 2))
		return error_of(munmap(area->start + area->length, part));
	area->start += part;
	return error_of(munmap(area->start - part, part));
}

int act_mprotect(struct worker *worker)
{
	struct area *area = some_area(worker);
	int prot = random_below(&worker->random, 8);

	return area->length ? error_of(mprotect(area->start, area->length, prot)) : NO_OBJECT;
}

int act_mremap(struct worker *worker)
{
	struct area *area = some_area(worker);
	uint64_t length = choose_area_length(worker, area->length);
	void *start;

	if (!area->length)
		return NO_OBJECT;
	start = mremap(area->start, area->length, length,
		       random_below(&worker->random, 2) ? MREMAP_MAYMOVE : 0);
	if (start == MAP_FAILED)
		return errno;
	*area = (struct area){ start, whole_pages(length) };
	return 0;
}

/* No advice that makes Linux give up memory of others, as MADV_HWPOISON does. */
int act_madvise(struct worker *worker)
{
	static const int advice[] = {
		MADV_NORMAL, MADV_RANDOM, MADV_WILLNEED, MADV_DONTNEED, MADV_FREE, MADV_REMOVE,
		MADV_DONTFORK, MADV_DOFORK, MADV_MERGEABLE, MADV_UNMERGEABLE, MADV_HUGEPAGE,
		MADV_NOHUGEPAGE, MADV_DONTDUMP, MADV_DODUMP, MADV_WIPEONFORK, MADV_KEEPONFORK,
		MADV_COLD, MADV_PAGEOUT, MADV_POPULATE_READ, MADV_POPULATE_WRITE,
	};
	struct area *area = some_area(worker);
	int chosen = advice[random_below(&worker->random, sizeof(advice) / sizeof(advice[0]))];

	return area->length ? error_of(madvise(area->start, area->length, chosen)) : NO_OBJECT;
}

int act_lock(struct worker *worker)
{
	struct area *area = some_area(worker);

	if (!area->length)
		return NO_OBJECT;
	switch (random_below(&worker->random, 3)) {
	case 0:
		return error_of(mlock(area->start, area->length));
	case 1:
		return error_of(munlock(area->start, area->length));
	default:
		return error_of(msync(area->start, area->length, MS_SYNC));
	}
}

static size_t choose_place(struct worker *worker, const struct area *area)
{
	return random_below(&worker->random, area->length / MARK_BYTES) * MARK_BYTES;
}

/* Copy a part of an area to the arena. An area whose borrow has ended raises SIGBUS: EFAULT. */
int act_load(struct worker *worker)
{
	struct area *area = some_area(worker);
	size_t place, length;
	bool is_whole;

	if (area->length < MARK_BYTES)
		return NO_OBJECT;
	place = choose_place(worker, area);
	length = area->length - place < 2 * PAGE ? area->length - place : 2 * PAGE;
	is_whole = !fault_safe_copy(worker->arena, area->start + place, length);
	if (is_whole)
		worker_check_content(worker, worker->arena, length, 0);
	return is_whole ? 0 : EFAULT;
}

int act_store(struct worker *worker)
{
	uint64_t mark = mark_make(worker->life->domain, worker_sequence());
	struct area *area = some_area(worker);
	bool is_whole = true;
	unsigned int i;

	if (area->length < MARK_BYTES)
		return NO_OBJECT;
	for (i = 0; i < 8 && is_whole; i++)
		is_whole = fault_safe_store(area->start + choose_place(worker, area), mark);
	return is_whole ? 0 : EFAULT;
}

/* --- Linux's own access to areas -------------------------------------------------------------- */

int act_vm_readv(struct worker *worker)
{
	struct area *area = some_area(worker);
	struct iovec from, to = { worker->arena, PAGE };
	size_t place;
	ssize_t nr;

	if (area->length < PAGE)
		return NO_OBJECT;
	place = choose_place(worker, area);
	from = (struct iovec){ area->start + place, area->length - place < PAGE ?
						    area->length - place : PAGE };
	nr = process_vm_readv(getpid(), &to, 1, &from, 1, 0);
	if (nr > 0)
		worker_check_content(worker, worker->arena, nr, 0);
	return error_of(nr);
}

/* Pin a page of an area for a while; what comes out of the pipe is still the domain's. */
int act_vmsplice(struct worker *worker)
{
	struct area *area = some_area(worker);
	struct iovec from;
	int ends[2], err;
	ssize_t nr;

	if (area->length < PAGE)
		return NO_OBJECT;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return errno;
	from = (struct iovec){ area->start + choose_place(worker, area) / PAGE * PAGE, PAGE };
	err = error_of(vmsplice(ends[1], &from, 1, SPLICE_F_NONBLOCK));
	if (!err && random_below(&worker->random, 2))
		forget_area(area);
	if (!err)
		worker_call(worker, random_below(&worker->random, NR_CALLS));
	nr = err ? 0 : read(ends[0], worker->arena, PAGE);
	if (nr > 0)
		worker_check_content(worker, worker->arena, nr, 0);
	close(ends[0]);
	close(ends[1]);
	return err;
}
