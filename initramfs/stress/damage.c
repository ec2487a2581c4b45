// SPDX-License-Identifier: GPL-2.0
#include "damage.h"

#include "device.h"
#include "fault.h"
#include "free_runs.h"
#include "process.h"
#include "random.h"
#include "record.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "inject.h"

#define PAGE		UAPI_PAGE_SIZE
#define OWN_PAGES	4
/* Of all frames, at most one in so many becomes bad. */
#define SHARE		64
/* The shortest average time between two reports, in microseconds */
#define MIN_PAUSE	4000
#define ADDRESS_BITS	0x000ffffffffff000ULL

/**
 * struct damager - the process that damages
 * @fd: its client
 * @max_bad: how many frames may become bad
 * @max_pause: in microseconds
 */
struct damager {
	int fd;
	uint64_t device;
	uint32_t max_bad;
	unsigned int max_pause;
	struct random random;
};

/* The frames that are free when nobody uses the module. All others stay in use for ever. */
static struct free_runs usable;

bool damage_prepare(void)
{
	load_inject();
	return free_runs_find(&usable) && usable.nr;
}

/* Note a call that has to end with @expected, and does not. */
static void expect(const char *what, int err, int expected)
{
	if (err != expected)
		record_wrong("damage: %s: %s", what, err ? strerrorname_np(-err) : "0");
}

static uint64_t nr_retired_of_all(int fd)
{
	struct theseus_mm_info info = { 0 };
	uint64_t sum = 0;
	__u32 i;

	expect("GET_INFO", uapi_get_info(fd, &info), 0);
	for (i = 0; i < info.nr_regions; i++)
		sum += nr_retired(fd, i);
	return sum;
}

/*
 * Report a frame that is not known as bad, and wait until the module knows. A frame that nobody owns
 * is retired at once.
 */
static void report(struct damager *damager, uint64_t frame)
{
	struct record_damage *damage = &record->damage;
	uint64_t before = nr_retired_of_all(damager->fd);
	uint64_t address = frame * PAGE + random_below(&damager->random, PAGE);

	__atomic_fetch_add(&damage->nr_reported, 1, __ATOMIC_RELAXED);
	if (!inject(address, STATUS_FAILS) || !wait_for_bad(damager->fd, damage->nr_reported)) {
		record_wrong("damage: after %u reports, %llu frames are bad", damage->nr_reported,
			     nr_bad(damager->fd));
		_exit(1);
	}
	if (nr_retired_of_all(damager->fd) == before)
		damage->nr_owned++;
	record_bad(frame);
}

/* A second report of a frame changes nothing: the next one finds the count as it was. */
static void report_again(struct damager *damager)
{
	uint64_t frame = record->damage.bad[random_below(&damager->random, record_nr_bad())];

	if (!inject(frame * PAGE, STATUS_FAILS))
		record_wrong("damage: no report");
}

/* Return: a frame that somebody has used lately: mapped at that address, or a table on the way */
static uint64_t choose_used_frame(struct damager *damager)
{
	struct random *random = &damager->random;
	uint64_t address = record->damage.used[random_below(random, RECORD_USED)];
	struct theseus_mm_dump_pte dump = { 0 };
	struct theseus_mm_translate found = { 0 };

	if (random_once_in(random, 4)) {
		if (uapi_dump_pte(damager->fd, address, &dump) || !dump.nr_levels)
			return 0;
		return (dump.entries[random_below(random, dump.nr_levels)] & ADDRESS_BITS) / PAGE;
	}
	address += PAGE * (random_below(random, 2) ? random_below(random, 16) : 0);
	if (!uapi_translate(damager->fd, address, &found))
		address = found.paddr;
	return address / PAGE;
}

/* Return: a frame that may become bad, and is not yet */
static uint64_t choose_frame(struct damager *damager)
{
	uint64_t frame;

	do {
		frame = random_below(&damager->random, 3) ? choose_used_frame(damager) :
			free_runs_frame(&usable, random_below(&damager->random, usable.nr_frames));
	} while (!free_runs_have(&usable, frame) || record_has_bad(frame, 1, record_nr_bad()));
	return frame;
}

/* The entries of an area go shortly after the module has counted the frame. */
static int await_signal(void *to, const void *from)
{
	double begin = now();
	int signal;

	do {
		signal = fault_safe_copy(to, from, 1);
	} while (!signal && now() - begin < 20);
	return signal;
}

static void check_own(struct damager *damager, uint32_t handle, uint64_t paddr,
		      unsigned char *area)
{
	uint64_t place = random_below(&damager->random, OWN_PAGES) * PAGE;
	uint64_t other = (place + PAGE) % (OWN_PAGES * PAGE);
	struct theseus_mm_query query = { 0 };
	unsigned char byte = 1;
	int signal;

	memset(area, 1, OWN_PAGES * PAGE);
	report(damager, (paddr + place) / PAGE);
	signal = await_signal(&byte, area + place);
	if (signal != SIGBUS)
		record_wrong("damage: signal %d where memory fails", signal);
	if (fault_safe_copy(&byte, area + other, 1) || byte != 1)
		record_wrong("damage: memory beside that which fails has changed");
	munmap(area, OWN_PAGES * PAGE);
	expect("READ of bad memory", uapi_read(damager->fd, handle, place, &byte, 1), -EIO);
	expect("WRITE of bad memory", uapi_write(damager->fd, handle, place, &byte, 1), -EIO);
	expect("READ beside bad memory", uapi_read(damager->fd, handle, other, &byte, 1), 0);
	expect("QUERY", uapi_query(damager->fd, handle, &query), 0);
	if (!(query.attributes & THESEUS_MM_ATTRIBUTE_BAD))
		record_wrong("damage: QUERY does not show bad memory");
	expect("DROP of bad memory", uapi_drop(damager->fd, handle), 0);
	expect("ALLOCATE_FRAMES of a bad frame", allocate_at(damager->fd, paddr + place),
	       -EADDRINUSE);
}

/* Own memory fails while this process has an area of it. */
static void damage_own_frame(struct damager *damager)
{
	struct theseus_mm_create_mapping created = { 0 };
	__u64 offset = 0;
	void *area;

	expect("CREATE_CONTIGUOUS_MAPPING",
	       uapi_create_contiguous_mapping(damager->fd, OWN_PAGES * PAGE, THESEUS_MM_PTE_DATA,
					      &created), 0);
	expect("MAP_OFFSET", uapi_map_offset(damager->fd, created.handle, &offset, NULL), 0);
	area = mmap(NULL, OWN_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, damager->fd, offset);
	if (area == MAP_FAILED)
		expect("mmap", -errno, 0);
	else
		check_own(damager, created.handle, created.paddr, area);
}

static void damage(struct damager *damager)
{
	struct random *random = &damager->random;

	if (random_once_in(random, 16) || record_nr_bad() == damager->max_bad)
		device_go_and_come(damager->fd, damager->device,
				   random_below(random, damager->max_pause));
	else if (random_once_in(random, 16))
		damage_own_frame(damager);
	else if (record_nr_bad() && random_once_in(random, 16))
		report_again(damager);
	else
		report(damager, choose_frame(damager));
}

void damage_live(int fd, uint64_t seed, uint64_t device, double seconds)
{
	uint32_t max_bad = usable.nr_frames / SHARE < RECORD_BAD ? usable.nr_frames / SHARE :
								   RECORD_BAD;
	double pause = 1e6 * seconds / max_bad;
	struct damager damager = {
		.fd = fd,
		.device = device,
		.max_bad = max_bad,
		.max_pause = 2 * (pause < MIN_PAUSE ? MIN_PAUSE : pause),
		.random = random_for(seed, ~1ULL),
	};

	fault_catch();
	prctl(PR_SET_NAME, "damage");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* a single life may end before anything has happened */
	while (!__atomic_load_n(&record->stop, __ATOMIC_RELAXED) || !record_nr_bad() ||
	       !record->damage.nr_returns) {
		damage(&damager);
		usleep(random_below(&damager.random, damager.max_pause));
	}
	_exit(0);
}

void damage_check(int fd, const struct theseus_mm_info *start)
{
	const struct record_damage *damage = &record->damage;
	static struct free_runs left;
	struct theseus_mm_info info = { 0 };
	uint32_t i;

	expect("GET_INFO", uapi_get_info(fd, &info), 0);
	if (info.frames_bad != damage->nr_bad || nr_retired_of_all(fd) != damage->nr_bad)
		record_wrong("damage: %u frames were reported, %llu are bad, %llu retired",
			     damage->nr_bad, (unsigned long long)info.frames_bad,
			     (unsigned long long)nr_retired_of_all(fd));
	for (i = 0; i < damage->nr_bad; i++)
		expect("ALLOCATE_FRAMES of a bad frame", allocate_at(fd, damage->bad[i] * PAGE),
		       -EADDRINUSE);
	if (!free_runs_find(&left))
		record_wrong("damage: the memory that is left cannot be allocated");
	for (i = 0; i < left.nr; i++)
		if (record_has_bad(left.runs[i].frame, left.runs[i].nr, damage->nr_bad))
			record_wrong("damage: a bad frame is given out again");
	if (left.nr_frames + damage->nr_bad != start->frames_free)
		record_wrong("damage: %llu frames were free, %llu are left, %u bad",
			     (unsigned long long)start->frames_free,
			     (unsigned long long)left.nr_frames, damage->nr_bad);
}
