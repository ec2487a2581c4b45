// SPDX-License-Identifier: GPL-2.0
#include "neighbour.h"

#include "fault.h"
#include "marks.h"
#include "process.h"
#include "record.h"
#include "worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "uapi.h"

#define USER		1000
#define PAGE		UAPI_PAGE_SIZE
#define MAX_PAGES	64
/* The longest that a round may take in an emulated debug kernel beside many busy threads. */
#define ROUND_SECONDS	60

struct neighbour {
	int fd;
	uint32_t domain;
	struct random random;
	bool can_mmap;	/* in quarantine, each mapping that was mmapped would be lost */
	bool is_hit;	/* memory of the mapping in use has failed */
	unsigned char bytes[MAX_PAGES * PAGE];
};

/* Note the error of a call that has to succeed. Return: true if the call succeeded */
static bool is_fine(const char *what, int err)
{
	if (err)
		record_wrong("the client beside the storm: %s: %s", what,
			     strerrorname_np(-err));
	return !err;
}

/* Has memory of the mapping failed? QUERY says so. */
static bool is_hit(struct neighbour *neighbour, uint32_t handle)
{
	struct theseus_mm_query query;
	bool is_bad = is_fine("QUERY", uapi_query(neighbour->fd, handle, &query)) &&
		      query.attributes & THESEUS_MM_ATTRIBUTE_BAD;

	neighbour->is_hit |= is_bad;
	return is_bad;
}

/* Note the result of READ or WRITE, which may fail only if the memory fails. Return: has it worked? */
static bool is_copied(struct neighbour *neighbour, const char *what, uint32_t handle, int err)
{
	return !(err == -EIO && is_hit(neighbour, handle)) && is_fine(what, err);
}

static bool has_content(struct neighbour *neighbour, uint32_t handle, size_t length,
			uint64_t mark)
{
	size_t i, first;

	if (!is_copied(neighbour, "READ", handle,
		       uapi_read(neighbour->fd, handle, 0, neighbour->bytes, length)))
		return false;
	if (!mark) {
		first = mark_find_used(neighbour->bytes, length);
		if (first != length)
			record_wrong("the client beside the storm: byte %zu of a new mapping is %#x",
				     first, neighbour->bytes[first]);
		return first == length;
	}
	for (i = 0; i < length; i += sizeof(mark))
		if (memcmp(neighbour->bytes + i, &mark, sizeof(mark))) {
			record_wrong("the client beside the storm: byte %zu is not its own", i);
			return false;
		}
	return true;
}

static void split_and_merge(struct neighbour *neighbour, uint32_t *handle, size_t length)
{
	uint32_t first, second;

	if (length < 2 * PAGE)
		return;
	if (!is_fine("SPLIT", uapi_split(neighbour->fd, *handle, PAGE, &first, &second)))
		return;
	*handle = first;
	is_fine("MERGE", uapi_merge(neighbour->fd, first, second));
}

static void hand_over(struct neighbour *neighbour, uint32_t *handle)
{
	uint32_t imported = 0;
	int export;

	if (!is_fine("EXPORT", uapi_export(neighbour->fd, *handle, &export)))
		return;
	if (is_fine("IMPORT", uapi_import(neighbour->fd, export, &imported)))
		*handle = imported;
	close(export);
}

static void use_area(struct neighbour *neighbour, uint32_t handle, size_t length, uint64_t mark)
{
	__u64 offset;
	void *area;
	int signal;

	if (!neighbour->can_mmap ||
	    !is_fine("MAP_OFFSET", uapi_map_offset(neighbour->fd, handle, &offset, NULL)))
		return;
	area = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, neighbour->fd, offset);
	if (area == MAP_FAILED) {
		is_fine("mmap", -errno);
		return;
	}
	mark_fill(neighbour->bytes, length, mark);
	signal = fault_safe_copy(area, neighbour->bytes, length);
	if (signal && !(signal == SIGBUS && is_hit(neighbour, handle)))
		record_wrong("the client beside the storm: signal %d in an area", signal);
	if (is_fine("REVOKE", uapi_revoke(neighbour->fd, handle, NULL)) &&
	    !fault_safe_copy(neighbour->bytes, area, PAGE))
		record_wrong("the client beside the storm: an area is still there after REVOKE");
	munmap(area, length);
}

/* A frame that has failed goes to nobody else, so it hits one mapping at most. */
static void count_hit(void)
{
	struct record_damage *damage = &record->damage;

	if (++damage->nr_hits > __atomic_load_n(&damage->nr_reported, __ATOMIC_RELAXED))
		record_wrong("the client beside the storm: %u mappings had failed memory, more than failed",
			     damage->nr_hits);
}

static void use_mapping(struct neighbour *neighbour)
{
	uint64_t mark = mark_make(neighbour->domain, worker_sequence());
	uint64_t other = mark_make(neighbour->domain, worker_sequence());
	size_t length = PAGE * (1 + random_below(&neighbour->random, MAX_PAGES));
	struct theseus_mm_create_mapping created;
	uint32_t handle;

	if (!is_fine("CREATE_MAPPING", uapi_create_mapping(neighbour->fd, length,
							   THESEUS_MM_PTE_DATA, &created)))
		return;
	handle = created.handle;
	neighbour->is_hit = false;
	record_used(created.start + PAGE * random_below(&neighbour->random, length / PAGE));
	has_content(neighbour, handle, length, 0);
	mark_fill(neighbour->bytes, length, mark);
	is_copied(neighbour, "WRITE", handle,
		  uapi_write(neighbour->fd, handle, 0, neighbour->bytes, length));
	split_and_merge(neighbour, &handle, length);
	hand_over(neighbour, &handle);
	has_content(neighbour, handle, length, mark);
	use_area(neighbour, handle, length, other);
	if (neighbour->can_mmap)
		has_content(neighbour, handle, length, other);
	is_fine("DROP", uapi_drop(neighbour->fd, handle));
	if (neighbour->is_hit)
		count_hit();
}

/* Reach the limit of handles, and wait until there is room again. */
static void wait_at_limit(void)
{
	struct pollfd polled = { .fd = uapi_open(NULL), .events = POLLIN };
	struct theseus_mm_allocate pages = { .size = 1 }, other = { .size = 1 };

	if (!is_fine("open", polled.fd < 0 ? polled.fd : 0))
		return;
	if (is_fine("SET_LIMITS", uapi_set_limits(polled.fd, THESEUS_MM_NO_LIMIT, 1)) &&
	    is_fine("ALLOCATE_PAGES", uapi_allocate_pages(polled.fd, &pages))) {
		if (uapi_allocate_pages(polled.fd, &other) != -EDQUOT)
			record_wrong("the client beside the storm passed its limit");
		is_fine("DROP", uapi_drop(polled.fd, pages.handle));
		if (poll(&polled, 1, 1000 * ROUND_SECONDS) != 1)
			record_wrong("poll() finds no room after a DROP");
		is_fine("ALLOCATE_PAGES after poll()", uapi_allocate_pages(polled.fd, &other));
	}
	close(polled.fd);
}

static bool start(struct neighbour *neighbour)
{
	struct theseus_mm_info info;

	fault_catch();
	prctl(PR_SET_NAME, "neighbour");
	if (!become_user(USER))
		return false;
	neighbour->fd = uapi_open(NULL);
	if (neighbour->fd < 0 || uapi_get_info(neighbour->fd, &info))
		return false;
	neighbour->can_mmap = !(info.features & THESEUS_MM_FEATURE_QUARANTINE);
	return !uapi_set_limits(neighbour->fd, NEIGHBOUR_FRAMES, 16);
}

void neighbour_live(uint64_t seed, uint32_t domain)
{
	static struct neighbour neighbour;
	double before;

	neighbour.domain = domain;
	neighbour.random = random_for(seed, domain);
	if (!start(&neighbour)) {
		record_wrong("the client beside the storm does not start: %s",
			     strerror(errno));
		_exit(1);
	}
	do {
		before = now();
		use_mapping(&neighbour);
		wait_at_limit();
		if (now() - before > ROUND_SECONDS)
			record_wrong("a round of the client beside the storm took %.0f s",
				     now() - before);
		__atomic_fetch_add(&record->beats, 1, __ATOMIC_RELAXED);
	} while (!__atomic_load_n(&record->stop, __ATOMIC_RELAXED));
	_exit(0);
}
