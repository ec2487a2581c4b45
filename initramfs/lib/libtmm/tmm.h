/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libtmm: RAM that was reserved at boot, owned by programs
 * =========================================================
 *
 * A program opens /dev/theseus_mm and is a client. A client owns objects:
 *
 *	struct tmm_pages	a run of virtual pages of the shared address space
 *	struct tmm_frames	a run of physical frames, zeroed
 *	struct tmm_mapping	pages together with the frames behind them
 *
 * What a process reads and writes is a mapping, through tmm_mapping_read() and
 * tmm_mapping_write() or through a window in its own memory, tmm_mapping_mmap().
 *
 *	struct tmm_client *client = tmm_client_open(NULL);
 *	struct tmm_mapping *mapping = tmm_mapping_create(client, 1 << 20, TMM_DATA, NULL);
 *	char *bytes = tmm_mapping_mmap(mapping, 0, 1 << 20, PROT_READ | PROT_WRITE);
 *	...
 *	tmm_mapping_munmap(bytes, 1 << 20);
 *	tmm_mapping_drop(&mapping);
 *	tmm_client_close(&client);
 *
 * Ownership
 * ---------
 * Each object has one owner: the pointer that a call returned. A call that takes
 * `struct tmm_x **` consumes the object and sets that pointer to NULL when it
 * succeeds; when it fails, the object is as it was and the pointer too, and so is
 * every result parameter (tmm_mapping_unmap_into() says more than that). Where
 * such a call has results, they may be stored in the pointer that it consumes. A
 * call that takes `const struct tmm_x *` looks; one that takes `struct tmm_x *`
 * may change the object or what is in it. None of these is kept after the call. A
 * consumed object, NULL, gives ENOENT; the getters, which cannot fail, give 0.
 *
 * Descriptors follow the same rule: a call that takes `int *` consumes the descriptor, and
 * sets the variable to -1 when it succeeds; a call that takes `int` leaves the descriptor
 * to the caller. A call on an empty array succeeds and does nothing.
 *
 * The kernel has the last word: when the client is closed or its process dies, all
 * it owns goes back. Objects may outlive tmm_client_close(): every call on them
 * gives EBADF, and dropping them frees what the library holds.
 *
 * Handing over
 * ------------
 * tmm_mapping_export() turns a mapping into a descriptor, which owns it from then on.
 * It can be passed to another process (tmm_fd_send(), tmm_fd_receive()), inherited,
 * duplicated, and mmapped from offset 0 on by the rules of windows; fstat(2) and
 * lseek(2) to SEEK_END tell its size. When the last descriptor is closed and the last
 * window gone, the mapping is dropped. tmm_mapping_import() makes the mapping a client's
 * again, and all other descriptors of it become stale (ESTALE): there is one owner at any
 * moment. Until the import, the mapping counts against the limits of its exporter, who can
 * get it back with tmm_mapping_take_back().
 *
 * A descriptor can give fewer rights: tmm_mapping_export_as() makes one whose receivers can
 * never write, and tmm_mapping_lend() makes one for windows only, while the client keeps
 * the mapping. For each of them poll(2) reports POLLIN while there are no windows and no
 * I/O pins the memory, and POLLHUP and POLLERR once the descriptor is stale and its last
 * window gone.
 *
 * Units
 * -----
 * Addresses, offsets, sizes and alignments are in bytes. Pages and frames are of
 * TMM_PAGE_SIZE bytes; fields that count them are called nr_pages or frames_*.
 * Virtual addresses are those of the kernel's shared address space, and no pointers;
 * what can be dereferenced comes from tmm_mapping_mmap() only. Physical addresses
 * read as 0 without CAP_SYS_ADMIN.
 *
 * Errors
 * ------
 * Calls that return int return 0, or a descriptor or count if they say so, or -1 and
 * set errno; calls that return a pointer return NULL and set errno. Nothing is printed.
 * A call that failed has changed nothing, unless it says so. errno is what the kernel
 * gave, and the library gives the same where it refuses by itself:
 *
 *	EINVAL		malformed: nothing asked for, misaligned, unknown flag
 *	EBADF		the client or the descriptor is closed
 *	ENOTTY		the descriptor is not of /dev/theseus_mm, or the kernel's
 *			module is too old for this call
 *	ENOENT		consumed already, or another call is consuming or changing
 *			it at this moment; or nothing is mapped there
 *	EXDEV		the objects belong to different clients or page tables
 *	ENOMEM		the process's or the kernel's own memory is exhausted
 *	ENOSPC		nothing large enough is free in the region
 *	EADDRINUSE	the address asked for is owned
 *	EADDRNOTAVAIL	it is free, but not all that follows
 *	ERANGE		outside every region, or outside the mapping
 *	EOVERFLOW	start + length overflows
 *	EEXIST		a page is mapped already
 *	EACCES		write access to a mapping that is not writable
 *	EBUSY		borrowed: by tmm_mapping_mmap(), or by a read or write that
 *			another thread is at
 *	ESTALE		somebody imported the mapping of this descriptor
 *	EPERM		a capability is missing
 *	EDOM		merge: the two do not touch, or not in that order
 *	EMEDIUMTYPE	merge: flags or kinds of memory differ
 *	ENOBUFS		the array is too short
 *	EDQUOT		a limit of the client or of its user is reached
 *	ECANCELED	of one of many: undone, because another one failed
 *	EMFILE, ENFILE	the process or the machine has too many descriptors
 *	ETIMEDOUT	no memory came back in that time
 *	EOPNOTSUPP	well-formed, but not possible here
 *	EFAULT		bad pointer
 *	EINTR		killed while at it; of calls that wait: a signal came
 *
 * EBADF, ENOTTY, ENOMEM and EINTR can come from nearly every call, ENOENT from every
 * call on an object; below, "Errors" names the others.
 *
 * Threads and processes
 * ---------------------
 * There is no hidden state: everything hangs off the client. Calls may be made from
 * several threads at once, on one client and on one object too, and never wait for
 * each other in the library; the kernel decides: reads go on side by side, a write is
 * alone (EBUSY for the other), of two changes one comes first (ENOENT for the other,
 * which may be tried again). The exceptions are what would pull an object from under
 * another thread: a call that takes `struct tmm_x **` (of each that is in it), a merge
 * (of both objects), and tmm_client_close() must be the only ones at that time that use
 * that object or client.
 *
 * The client is the open file description. After fork() both processes are that
 * client: what one drops is dropped for both, and it goes back when both have closed
 * it. It is not inherited through exec. Windows in memory are not inherited by fork.
 *
 * Growth
 * ------
 * Structures that a program fills in must be zeroed first, as a designated initialiser
 * does; @reserved must be 0 in them and reads as 0 in others.
 */
#ifndef LIBTMM_TMM_H
#define LIBTMM_TMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __GNUC__
#define TMM_MUST_CHECK	__attribute__((__warn_unused_result__))
#pragma GCC visibility push(default)
#else
#define TMM_MUST_CHECK
#endif

struct tmm_client;
struct tmm_pages;
struct tmm_frames;
struct tmm_mapping;

/* Where tmm_client_open() looks. */
#define TMM_DEVICE		"/dev/theseus_mm"

#define TMM_PAGE_SIZE		(UINT64_C(1) << 12)
#define TMM_LARGE_PAGE_SIZE	(UINT64_C(1) << 21)
#define TMM_HUGE_PAGE_SIZE	(UINT64_C(1) << 30)

/* What may be done with a mapping. */
#define TMM_WRITABLE		(UINT64_C(1) << 1)
#define TMM_USER_ACCESSIBLE	(UINT64_C(1) << 2)	/* recorded only */
#define TMM_DEVICE_MEMORY	(UINT64_C(1) << 4)	/* EOPNOTSUPP on RAM */
#define TMM_ACCESSED		(UINT64_C(1) << 5)
#define TMM_DIRTY		(UINT64_C(1) << 6)	/* recorded only */
#define TMM_GLOBAL		(UINT64_C(1) << 8)	/* recorded only */
#define TMM_NOT_EXECUTABLE	(UINT64_C(1) << 63)

/* Data that is read and written, and data that is only read. */
#define TMM_DATA		(TMM_WRITABLE | TMM_READ_ONLY_DATA)
#define TMM_READ_ONLY_DATA	(TMM_ACCESSED | TMM_NOT_EXECUTABLE)

/* --- clients ------------------------------------------------------------------------ */

/**
 * tmm_client_open() - become a client
 * @path: the device; NULL means TMM_DEVICE
 *
 * Return: the client, to be closed with tmm_client_close(); or NULL
 * Errors: those of open(2), such as ENOENT without the module and EACCES
 * Call: open(2), THESEUS_MM_IOC_GET_INFO
 */
TMM_MUST_CHECK struct tmm_client *tmm_client_open(const char *path);

/**
 * tmm_client_from_fd() - become a client by a descriptor that is open already
 * @fd: of the device, for example passed by a process that may open it; consumed
 *
 * Return: the client; or NULL
 * Errors: ENOTTY if @fd is something else
 * Call: THESEUS_MM_IOC_GET_INFO
 */
TMM_MUST_CHECK struct tmm_client *tmm_client_from_fd(int *fd);

/**
 * tmm_client_close() - stop being a client
 * @client: consumed; NULL inside is allowed
 *
 * Everything it owns goes back, unless another descriptor of it is open (after fork or
 * dup); what is still mmapped goes back with the munmap(). Cannot fail.
 *
 * Call: close(2)
 */
void tmm_client_close(struct tmm_client **client);

/**
 * tmm_client_fd() - its descriptor
 * @client: the client
 *
 * For poll(2), /proc/self/fdinfo, or calls that this library lacks. It stays the
 * client's: do not close it.
 *
 * Return: the descriptor; -1 after tmm_client_close(), or for NULL
 */
int tmm_client_fd(const struct tmm_client *client);

/**
 * struct tmm_info - facts and counts
 * @abi: revision of the kernel's interface
 * @nr_regions: regions that were claimed
 * @features: TMM_FEATURE_*
 * @region_bytes: size of all regions
 * @frames_total: frames that can be given out; the rest is bookkeeping
 * @frames_free: frames that nobody owns
 * @frames_ranges: free ranges that they form
 * @frames_largest: longest free run aligned to 4 KiB, 2 MiB and 1 GiB, in frames
 * @pages_start: first virtual address that can be given out
 * @pages_total: pages that can be given out
 * @pages_free: pages that nobody owns
 * @nr_mappings: mappings alive, of all clients
 * @nr_tables: frames that are page tables
 * @paging_levels: 4 or 5
 * @client_handles: objects of this client
 * @client_handles_max: its limit
 * @client_id: its number, as tmm_client_list() shows it
 * @client_frames: frames that this client owns, mapped or not
 * @nr_clients: clients there are
 * @reserved1: 0
 * @frames_bad: frames whose memory fails; they are never given out again
 * @reserved: 0
 */
struct tmm_info {
	uint32_t abi;
	uint32_t nr_regions;
	uint64_t features;
	uint64_t region_bytes;
	uint64_t frames_total;
	uint64_t frames_free;
	uint64_t frames_ranges;
	uint64_t frames_largest[3];
	uint64_t pages_start;
	uint64_t pages_total;
	uint64_t pages_free;
	uint64_t nr_mappings;
	uint64_t nr_tables;
	uint32_t paging_levels;
	uint32_t client_handles;
	uint32_t client_handles_max;
	uint32_t client_id;
	uint64_t client_frames;
	uint32_t nr_clients;
	uint32_t reserved1;
	uint64_t frames_bad;
	uint64_t reserved[15];
};

/* Of struct tmm_info: the memory has struct pages, I/O can go straight into windows. */
#define TMM_FEATURE_STRUCT_PAGES	(UINT64_C(1) << 0)
/* tmm_mapping_export_dmabuf() works. */
#define TMM_FEATURE_DMABUF		(UINT64_C(1) << 1)
/* Memory that was mmapped is given to nobody else until the module is unloaded. */
#define TMM_FEATURE_QUARANTINE		(UINT64_C(1) << 2)

/**
 * tmm_client_info() - facts and counts of the moment
 * @client: the client
 * @info: filled in
 *
 * Call: THESEUS_MM_IOC_GET_INFO
 */
int tmm_client_info(const struct tmm_client *client, struct tmm_info *info);

/**
 * struct tmm_region - a range of RAM that the module has claimed
 * @start: its physical address; 0 without CAP_SYS_ADMIN
 * @nr_bytes: its size
 * @reserved: 0
 */
struct tmm_region {
	uint64_t start;
	uint64_t nr_bytes;
	uint64_t reserved[2];
};

/**
 * tmm_client_region() - where a region is
 * @client: the client
 * @index: 0 .. nr_regions - 1 of struct tmm_info
 * @region: filled in
 *
 * Errors: ERANGE if there is no such region
 * Call: THESEUS_MM_IOC_GET_REGION
 */
int tmm_client_region(const struct tmm_client *client, uint32_t index, struct tmm_region *region);

/**
 * struct tmm_bucket - what the frames of a part of a region are used for
 * @free: nobody owns them
 * @allocated: owned, not mapped
 * @mapped: owned by a mapping
 * @tables: page tables
 * @metadata: the module's bookkeeping
 * @bad: retired, since they failed
 */
struct tmm_bucket {
	uint32_t free;
	uint32_t allocated;
	uint32_t mapped;
	uint32_t tables;
	uint32_t metadata;
	uint32_t bad;
};

/* No client owns a frame of the part; or the caller may not know the client that does. */
#define TMM_OWNER_NONE		UINT32_C(0)
#define TMM_OWNER_HIDDEN	UINT32_C(0xffffffff)

/**
 * struct tmm_occupancy - a region in equal parts
 * @buckets: an array, an entry for each part
 * @owners: an array, an entry for each part: the number of the client that owns most of
 *          the part, as tmm_client_list() shows it, or TMM_OWNER_*
 * @nr: entries of @buckets, and of @owners
 * @reserved1: 0
 * @bucket_bytes: size of a part; the last part can be smaller
 * @reserved: 0
 */
struct tmm_occupancy {
	struct tmm_bucket *buckets;
	uint32_t *owners;
	uint32_t nr;
	uint32_t reserved1;
	uint64_t bucket_bytes;
	uint64_t reserved[4];
};

/**
 * tmm_client_occupancy() - a region's picture
 * @client: the client
 * @index: the region
 * @bucket_bytes: 0; or with CAP_SYS_ADMIN the size of a part, a power of two, 2 MiB or
 *                more
 * @occupancy: filled in; to be given to tmm_occupancy_free()
 *
 * The module chooses parts that are 2 MiB large or more, and 4096 at most. They are
 * counted one after the other; others may work meanwhile.
 *
 * Errors: ERANGE if there is no such region; EPERM; EINVAL
 * Call: THESEUS_MM_IOC_GET_OCCUPANCY, twice
 */
int tmm_client_occupancy(const struct tmm_client *client, uint32_t index, uint64_t bucket_bytes,
			 struct tmm_occupancy *occupancy);

/**
 * tmm_occupancy_free() - forget a picture
 * @occupancy: emptied; all members 0 is allowed
 *
 * Cannot fail.
 */
void tmm_occupancy_free(struct tmm_occupancy *occupancy);

/**
 * struct tmm_client_entry - a client, as others see it
 * @id: its number, never 0
 * @uid: the user who opened it
 * @pid: the process that opened it, which may be gone; 0 if it cannot be seen from here
 * @nr_handles: its objects
 * @nr_mappings: mappings among them
 * @nr_exported: mappings that it exported and nobody imported
 * @nr_frames: frames that count against its limit
 * @comm: name of the process that opened it
 * @reserved: 0
 */
struct tmm_client_entry {
	uint32_t id;
	uint32_t uid;
	int32_t pid;
	uint32_t nr_handles;
	uint32_t nr_mappings;
	uint32_t nr_exported;
	uint64_t nr_frames;
	char comm[16];
	uint64_t reserved[4];
};

/**
 * struct tmm_clients - who is there
 * @entries: an array of the clients that the caller may see: those of its own user,
 *           with CAP_SYS_ADMIN all
 * @nr: entries of @entries
 * @nr_hidden: clients that it may not see
 * @hidden_frames: frames that the hidden clients own, or that are still charged to them
 * @orphan_frames: frames that are still charged to closed clients that the caller could
 *                 see: exported, or in a window of a process
 * @reserved: 0
 */
struct tmm_clients {
	struct tmm_client_entry *entries;
	uint32_t nr;
	uint32_t nr_hidden;
	uint64_t hidden_frames;
	uint64_t orphan_frames;
	uint64_t reserved[3];
};

/**
 * tmm_client_list() - who is there
 * @client: the client
 * @clients: filled in; to be given to tmm_clients_free()
 *
 * Call: THESEUS_MM_IOC_GET_CLIENTS, again if clients came meanwhile
 */
int tmm_client_list(const struct tmm_client *client, struct tmm_clients *clients);

/**
 * tmm_clients_free() - forget a list of clients
 * @clients: emptied; all members 0 is allowed
 *
 * The clients themselves notice nothing. Cannot fail.
 */
void tmm_clients_free(struct tmm_clients *clients);

/**
 * enum tmm_kind - what an object is
 * @TMM_KIND_PAGES: struct tmm_pages
 * @TMM_KIND_FRAMES: struct tmm_frames
 * @TMM_KIND_MAPPING: struct tmm_mapping
 */
enum tmm_kind {
	TMM_KIND_PAGES = 1,
	TMM_KIND_FRAMES = 2,
	TMM_KIND_MAPPING = 3,
};

/**
 * struct tmm_handle_entry - an object of a client, or a mapping that it exported
 * @handle: the kernel's handle of the object; 0 for an exported mapping
 * @export_id: number of an exported mapping that nobody imported; else 0
 * @kind: kind of the object
 * @nr_frame_ranges: contiguous runs of frames behind a mapping; 1 for frames
 * @nr_borrows: of a mapping: windows, reads, writes and dma-bufs at this moment
 * @attributes: of a mapping: TMM_ATTRIBUTE_*
 * @address: the object's first address; of frames, 0 without CAP_SYS_ADMIN
 * @nr_bytes: the object's size
 * @flags: of a mapping: TMM_*
 * @is_exclusive: of a mapping: its frames go back with it
 * @reserved1: 0
 * @reserved: 0
 */
struct tmm_handle_entry {
	uint32_t handle;
	uint32_t export_id;
	enum tmm_kind kind;
	uint32_t nr_frame_ranges;
	uint32_t nr_borrows;
	uint32_t attributes;
	uint64_t address;
	uint64_t nr_bytes;
	uint64_t flags;
	bool is_exclusive;
	uint8_t reserved1[7];
	uint64_t reserved[4];
};

#define TMM_ATTRIBUTE_SHAREABLE	(UINT32_C(1) << 0)	/* see tmm_mapping_share() */
#define TMM_ATTRIBUTE_PINNED	(UINT32_C(1) << 1)	/* I/O holds memory of a window that is gone */

/**
 * struct tmm_handles - the objects of a client
 * @entries: an array: its objects, sorted by handle, then the mappings that it exported
 * @nr: entries of @entries
 * @reserved1: 0
 * @reserved: 0
 */
struct tmm_handles {
	struct tmm_handle_entry *entries;
	uint32_t nr;
	uint32_t reserved1;
	uint64_t reserved[4];
};

/**
 * tmm_client_list_handles() - list the objects of a client
 * @client: the client
 * @handles: filled in; to be given to tmm_handles_free()
 *
 * The list leaves out objects that another call is changing at that moment.
 *
 * Call: THESEUS_MM_IOC_LIST_HANDLES, until the list is complete
 */
int tmm_client_list_handles(const struct tmm_client *client, struct tmm_handles *handles);

/**
 * tmm_handles_free() - forget a list of objects
 * @handles: emptied; all members 0 is allowed
 *
 * The objects themselves stay. Cannot fail.
 */
void tmm_handles_free(struct tmm_handles *handles);

/* The value of a limit that is not set. */
#define TMM_NO_LIMIT	UINT64_MAX

/* Flags that select the limits that tmm_client_set_limits() sets. */
#define TMM_LIMIT_FRAMES	(1U << 0)
#define TMM_LIMIT_PAGES		(1U << 1)
#define TMM_LIMIT_HANDLES	(1U << 2)

/**
 * struct tmm_limits - how much may be owned, and how much is
 * @client_frames_max: frames that this client may have; or TMM_NO_LIMIT, as all limits
 * @client_pages_max: pages that this client may have
 * @client_handles_max: objects that this client may have
 * @client_frames: frames that count: allocated, mapped, exported and not imported yet,
 *                 and page tables made for it
 * @client_pages: pages that count, in the same way
 * @client_handles: objects
 * @user_frames_max: frames that all clients of the user may have together
 * @user_pages_max: pages that all clients of the user may have together
 * @user_handles_max: objects that all clients of the user may have together
 * @user_frames: frames of the user's clients that count
 * @user_pages: pages of the user's clients that count
 * @user_handles: objects of the user's clients
 * @reserved: 0
 */
struct tmm_limits {
	uint64_t client_frames_max;
	uint64_t client_pages_max;
	uint64_t client_handles_max;
	uint64_t client_frames;
	uint64_t client_pages;
	uint64_t client_handles;
	uint64_t user_frames_max;
	uint64_t user_pages_max;
	uint64_t user_handles_max;
	uint64_t user_frames;
	uint64_t user_pages;
	uint64_t user_handles;
	uint64_t reserved[8];
};

/**
 * tmm_client_limits() - how much this client and its user may own
 * @client: the client
 * @limits: filled in
 *
 * Call: THESEUS_MM_IOC_GET_LIMITS
 */
int tmm_client_limits(const struct tmm_client *client, struct tmm_limits *limits);

/**
 * tmm_client_set_limits() - let this client own less
 * @client: the client
 * @which: TMM_LIMIT_*, one or more
 * @limits: the client_*_max that @which selects: a number or TMM_NO_LIMIT
 *
 * A limit below what is owned takes nothing away, but no more can be allocated (EDQUOT).
 * Raising a limit takes CAP_SYS_RESOURCE.
 *
 * Errors: EINVAL; EPERM
 * Call: THESEUS_MM_IOC_SET_LIMITS
 */
int tmm_client_set_limits(struct tmm_client *client, unsigned int which,
			  const struct tmm_limits *limits);

/**
 * tmm_client_wait() - wait until memory came back
 * @client: the client
 * @timeout_ms: milliseconds; 0 does not wait, -1 waits as long as it takes
 *
 * After a call that failed with ENOSPC or EDQUOT: wait, then try again. This call returns as
 * soon as some of the missing resource has come back since the failure, from any client.
 * That may not be enough, so several rounds may be needed. If no call has failed so far, it
 * returns at once. In an event loop, wait for POLLIN on tmm_client_fd() instead.
 *
 * Errors: ETIMEDOUT; EINTR if a signal was handled
 * Call: poll(2)
 */
int tmm_client_wait(const struct tmm_client *client, int timeout_ms);

/**
 * struct tmm_translation - what is behind a virtual address
 * @paddr: physical address
 * @flags: TMM_* that the entry shows
 * @page_size: of the leaf it is in: 4 KiB, 2 MiB or 1 GiB
 * @is_exclusive: the frame goes back with this mapping
 * @reserved1: 0
 * @reserved: 0
 */
struct tmm_translation {
	uint64_t paddr;
	uint64_t flags;
	uint64_t page_size;
	bool is_exclusive;
	uint8_t reserved1[7];
	uint64_t reserved[4];
};

/**
 * tmm_client_translate() - virtual to physical
 * @client: the client
 * @vaddr: an address as of tmm_mapping_address(); anybody's
 * @translation: filled in
 *
 * Takes CAP_SYS_ADMIN.
 *
 * Errors: EPERM; ENOENT if nothing is mapped there; EINVAL if it is not canonical
 * Call: THESEUS_MM_IOC_TRANSLATE
 */
int tmm_client_translate(const struct tmm_client *client, uint64_t vaddr,
			 struct tmm_translation *translation);

#define TMM_MAX_LEVELS	5

/**
 * struct tmm_walk - the way through the page tables to an address
 * @nr_levels: entries looked at; fewer than the paging levels if it ended early
 * @entries: the hardware's entries as they are; [0] is the root's
 * @reserved1: 0
 * @reserved: 0
 */
struct tmm_walk {
	uint32_t nr_levels;
	uint32_t reserved1;
	uint64_t entries[TMM_MAX_LEVELS];
	uint64_t reserved[4];
};

/**
 * tmm_client_dump_pte() - one address's table walk
 * @client: the client
 * @vaddr: any canonical address
 * @walk: filled in
 *
 * Takes CAP_SYS_ADMIN.
 *
 * Errors: EPERM; EINVAL if @vaddr is not canonical
 * Call: THESEUS_MM_IOC_DUMP_PTE
 */
int tmm_client_dump_pte(const struct tmm_client *client, uint64_t vaddr, struct tmm_walk *walk);

/**
 * enum tmm_memory - how device memory is cached
 * @TMM_MEMORY_WRITE_BACK: as RAM
 * @TMM_MEMORY_UNCACHED: not at all: registers
 * @TMM_MEMORY_WRITE_COMBINING: writes are collected: frame buffers
 */
enum tmm_memory {
	TMM_MEMORY_WRITE_BACK,
	TMM_MEMORY_UNCACHED,
	TMM_MEMORY_WRITE_COMBINING,
};

/**
 * tmm_client_add_device_region() - let device memory be mapped
 * @client: the client
 * @start: its physical address, a multiple of TMM_PAGE_SIZE; not RAM
 * @nr_bytes: its size, a multiple of TMM_PAGE_SIZE
 * @memory: how it is cached, in every mapping of it
 *
 * All clients can map the region until it is removed or the module is unloaded. When the
 * device itself is removed, calls on its mappings fail with ENODEV, and windows raise
 * SIGBUS: drop the mappings, then remove the region. Takes CAP_SYS_RAWIO.
 *
 * Errors: EPERM; EBUSY if a driver has some of it; EADDRINUSE if some was added already;
 *         EOPNOTSUPP if some is RAM; EINVAL, EOVERFLOW
 * Call: THESEUS_MM_IOC_ADD_DEVICE_REGION
 */
int tmm_client_add_device_region(struct tmm_client *client, uint64_t start, uint64_t nr_bytes,
				 enum tmm_memory memory);

/**
 * tmm_client_remove_device_region() - remove a device region
 * @client: the client, not necessarily the one that added it
 * @start: as it was added
 * @nr_bytes: as it was added
 *
 * Takes CAP_SYS_RAWIO.
 *
 * Errors: EPERM; EBUSY while somebody owns a frame of it; ERANGE unless it was added so
 * Call: THESEUS_MM_IOC_REMOVE_DEVICE_REGION
 */
int tmm_client_remove_device_region(struct tmm_client *client, uint64_t start, uint64_t nr_bytes);

/* --- pages and frames --------------------------------------------------------------- */

/**
 * enum tmm_place - where an allocation may be
 * @TMM_ANYWHERE: wherever there is room
 * @TMM_AT: starting with the page or frame that holds the address @at
 * @TMM_IN_RANGE: from @min to @max, the latter inclusive
 */
enum tmm_place {
	TMM_ANYWHERE,
	TMM_AT,
	TMM_IN_RANGE,
};

/**
 * struct tmm_allocate_options - what is wanted
 * @nr_pages: how many pages or frames; or
 * @nr_bytes: how many bytes, rounded up to whole ones (after the offset of @at within
 *            its own was added); exactly one of the two is not 0
 * @place: where
 * @align: alignment of the first in bytes, a power of two from 4 KiB to 1 GiB; 0 for
 *         any; not with TMM_AT
 * @at: with TMM_AT, an address; else 0
 * @min: with TMM_IN_RANGE, the lowest address that may be used; else 0
 * @max: with TMM_IN_RANGE, the highest address that may be used; else 0
 * @reserved1: 0
 * @reserved: 0
 */
struct tmm_allocate_options {
	uint64_t nr_pages;
	uint64_t nr_bytes;
	enum tmm_place place;
	uint32_t reserved1;
	uint64_t align;
	uint64_t at;
	uint64_t min;
	uint64_t max;
	uint64_t reserved[4];
};

/**
 * tmm_pages_allocate() - own a run of virtual pages, without memory behind it
 * @client: the client
 * @options: what is wanted
 *
 * Return: the pages; or NULL
 * Errors: ENOSPC, EADDRINUSE, EADDRNOTAVAIL, ERANGE, EOVERFLOW, EINVAL, EDQUOT
 * Call: THESEUS_MM_IOC_ALLOCATE_PAGES
 */
TMM_MUST_CHECK struct tmm_pages *tmm_pages_allocate(struct tmm_client *client,
						    const struct tmm_allocate_options *options);

/**
 * tmm_frames_allocate() - own a run of physical frames, without mapping it
 * @client: the client
 * @options: what is wanted; TMM_AT and TMM_IN_RANGE take CAP_SYS_ADMIN
 *
 * Return: the frames, zeroed; or NULL
 * Errors: as tmm_pages_allocate(), and EPERM
 * Call: THESEUS_MM_IOC_ALLOCATE_FRAMES
 */
TMM_MUST_CHECK struct tmm_frames *tmm_frames_allocate(struct tmm_client *client,
						      const struct tmm_allocate_options *options);

/**
 * tmm_pages_address(), tmm_frames_address() - the first address
 * @pages: the pages
 * @frames: the frames
 *
 * Return: the virtual address; the physical one, or 0 without CAP_SYS_ADMIN
 */
uint64_t tmm_pages_address(const struct tmm_pages *pages);
uint64_t tmm_frames_address(const struct tmm_frames *frames);

/**
 * tmm_pages_size(), tmm_frames_size() - the size
 * @pages: the pages
 * @frames: the frames
 *
 * Return: bytes, a multiple of TMM_PAGE_SIZE
 */
uint64_t tmm_pages_size(const struct tmm_pages *pages);
uint64_t tmm_frames_size(const struct tmm_frames *frames);

/**
 * tmm_pages_handle(), tmm_frames_handle() - the kernel's name for it
 * @pages: the pages
 * @frames: the frames
 *
 * For calls that this library lacks, and to find it in what the kernel prints.
 *
 * Return: the handle
 */
uint32_t tmm_pages_handle(const struct tmm_pages *pages);
uint32_t tmm_frames_handle(const struct tmm_frames *frames);

/**
 * tmm_pages_split(), tmm_frames_split() - make two of one
 * @pages: consumed
 * @frames: consumed
 * @offset: where the second begins; a multiple of TMM_PAGE_SIZE, more than 0 and less
 *          than the size
 * @first: set to the part before @offset; may be the pointer that is consumed
 * @second: set to the rest
 *
 * Errors: EINVAL, ERANGE, EDQUOT
 * Call: THESEUS_MM_IOC_SPLIT
 */
int tmm_pages_split(struct tmm_pages **pages, uint64_t offset, struct tmm_pages **first,
		    struct tmm_pages **second);
int tmm_frames_split(struct tmm_frames **frames, uint64_t offset, struct tmm_frames **first,
		     struct tmm_frames **second);

/**
 * tmm_pages_merge(), tmm_frames_merge() - make one of two that touch
 * @pages: grows
 * @frames: grows
 * @other: directly before or after; of the same client; consumed
 *
 * Errors: EDOM if they do not touch; EMEDIUMTYPE; EXDEV
 * Call: THESEUS_MM_IOC_MERGE
 */
int tmm_pages_merge(struct tmm_pages *pages, struct tmm_pages **other);
int tmm_frames_merge(struct tmm_frames *frames, struct tmm_frames **other);

/**
 * tmm_pages_map() - put new frames behind pages
 * @pages: consumed
 * @flags: TMM_*; TMM_DATA is the usual choice
 *
 * Return: the mapping, its content zeroed; or NULL
 * Errors: ENOSPC, EINVAL, EOPNOTSUPP, EDQUOT
 * Call: THESEUS_MM_IOC_MAP_ALLOCATED_PAGES
 */
TMM_MUST_CHECK struct tmm_mapping *tmm_pages_map(struct tmm_pages **pages, uint64_t flags);

/**
 * tmm_pages_map_to() - put one's own frames behind pages
 * @pages: consumed
 * @frames: as many, of the same client; consumed
 * @flags: TMM_*; TMM_DATA is the usual choice
 *
 * Return: the mapping; or NULL, with both as they were
 * Errors: EINVAL if they differ in size; EXDEV, ENOSPC, EOPNOTSUPP, EDQUOT
 * Call: THESEUS_MM_IOC_MAP_ALLOCATED_PAGES_TO
 */
TMM_MUST_CHECK struct tmm_mapping *tmm_pages_map_to(struct tmm_pages **pages,
						    struct tmm_frames **frames, uint64_t flags);

/**
 * tmm_pages_drop(), tmm_frames_drop() - give it back
 * @pages: consumed; NULL inside is allowed
 * @frames: consumed; NULL inside is allowed
 *
 * Call: THESEUS_MM_IOC_DROP
 */
int tmm_pages_drop(struct tmm_pages **pages);
int tmm_frames_drop(struct tmm_frames **frames);

/* --- mappings ----------------------------------------------------------------------- */

/**
 * struct tmm_create_options - what else is wanted of a new mapping
 * @is_contiguous: one physically contiguous run of frames
 * @is_identity: the same, at virtual addresses that are its physical ones, which takes
 *               CAP_SYS_RAWIO
 * @reserved1: 0
 * @leaf_size: TMM_PAGE_SIZE, TMM_LARGE_PAGE_SIZE or 1 GiB: the mapping consists of leaves of
 *             this size; its size must be a multiple (EINVAL), and the CPU must have such
 *             leaves (EOPNOTSUPP). 0: leaves as large as there is room for
 * @align: the mapping's address is a multiple of this many bytes, a power of two from
 *         TMM_PAGE_SIZE to 1 GiB; with @is_contiguous or @is_identity, the physical address
 *         too. 0 means anywhere
 * @reserved: 0
 */
struct tmm_create_options {
	bool is_contiguous;
	bool is_identity;
	uint8_t reserved1[6];
	uint64_t leaf_size;
	uint64_t align;
	uint64_t reserved[5];
};

/**
 * tmm_mapping_create() - own pages with new frames behind them
 * @client: the client
 * @nr_bytes: how much, more than 0; rounded up to whole pages
 * @flags: TMM_*; TMM_DATA is the usual choice
 * @options: what else; NULL means nothing: as many runs of frames as it takes
 *
 * Return: the mapping, its content zeroed; or NULL
 * Errors: ENOSPC, EINVAL, EOVERFLOW, EOPNOTSUPP, EDQUOT; EPERM
 * Call: THESEUS_MM_IOC_CREATE_MAPPING, _CREATE_CONTIGUOUS_MAPPING,
 *       _CREATE_IDENTITY_MAPPING
 */
TMM_MUST_CHECK struct tmm_mapping *tmm_mapping_create(struct tmm_client *client, uint64_t nr_bytes,
						      uint64_t flags,
						      const struct tmm_create_options *options);

#define TMM_MAX_MANY		65536

/* To tmm_mapping_create_many() and _drop_many(): all of them, or none. */
#define TMM_ALL_OR_NOTHING	(UINT32_C(1) << 0)

/**
 * struct tmm_create_item - one of many mappings
 * @nr_bytes: how much, as for tmm_mapping_create()
 * @flags: TMM_*
 * @is_contiguous: one physically contiguous run of frames
 * @reserved1: 0
 * @error: set to 0, or to why it was not created: an errno
 * @leaf_size: as in struct tmm_create_options
 * @align: as in struct tmm_create_options
 * @reserved: 0
 */
struct tmm_create_item {
	uint64_t nr_bytes;
	uint64_t flags;
	bool is_contiguous;
	uint8_t reserved1[3];
	int32_t error;
	uint64_t leaf_size;
	uint64_t align;
	uint64_t reserved[3];
};

/**
 * tmm_mapping_create_many() - create mappings by one call
 * @client: the client
 * @items: what is wanted
 * @mappings: an array of @nr, set to the mappings; NULL for each that was not created
 * @nr: how many, up to TMM_MAX_MANY
 * @how: 0, or TMM_ALL_OR_NOTHING
 *
 * They are created in order, and each has its own success: to know that all went well,
 * compare the result with @nr. With TMM_ALL_OR_NOTHING it is the call that fails, with
 * the error of the item that did, and nothing was created: @mappings is as it was, that
 * item has its error, all others ECANCELED.
 *
 * Return: how many were created; or -1
 * Errors: EINVAL; with TMM_ALL_OR_NOTHING those of tmm_mapping_create()
 * Call: THESEUS_MM_IOC_CREATE_BATCH
 */
TMM_MUST_CHECK int tmm_mapping_create_many(struct tmm_client *client,
					   struct tmm_create_item *items,
					   struct tmm_mapping **mappings, uint32_t nr,
					   uint32_t how);

/**
 * tmm_mapping_drop_many() - drop mappings by one call
 * @mappings: an array of @nr, of one client; consumed, each that is dropped is set to
 *            NULL; NULL inside is allowed
 * @errors: an array of @nr, set to 0, or to why it was not dropped: an errno; NULL if
 *          that is not of interest
 * @nr: how many, up to TMM_MAX_MANY
 * @how: 0, or TMM_ALL_OR_NOTHING
 *
 * They are dropped in order, and each has its own success, with TMM_ALL_OR_NOTHING as
 * above.
 *
 * Return: how many entries are NULL now, that is @nr if all went well; or -1
 * Errors: EINVAL, EXDEV; with TMM_ALL_OR_NOTHING those of tmm_mapping_drop()
 * Call: THESEUS_MM_IOC_DROP_BATCH
 */
TMM_MUST_CHECK int tmm_mapping_drop_many(struct tmm_mapping **mappings, int *errors, uint32_t nr,
					 uint32_t how);

/**
 * tmm_mapping_map_frame_range() - map device memory
 * @client: the client
 * @paddr: physical address, in a device region; rounded down to a whole frame
 * @nr_bytes: how much, more than 0; rounded up
 * @flags: TMM_*; with TMM_DEVICE_MEMORY, unless the region is write-back
 *
 * RAM cannot be mapped by its address. The device's content is not changed. A read or write
 * with the size of a register accesses that register once. Takes CAP_SYS_RAWIO.
 *
 * Return: the mapping; or NULL
 * Errors: EPERM; EADDRINUSE, EADDRNOTAVAIL, ERANGE, EOVERFLOW; EOPNOTSUPP if it is RAM
 *         or the flags do not fit the region; ENOSPC, EDQUOT, EINVAL
 * Call: THESEUS_MM_IOC_MAP_FRAME_RANGE
 */
TMM_MUST_CHECK struct tmm_mapping *tmm_mapping_map_frame_range(struct tmm_client *client,
							       uint64_t paddr, uint64_t nr_bytes,
							       uint64_t flags);

/**
 * tmm_mapping_address() - the first virtual address
 * @mapping: the mapping
 *
 * In the kernel's shared address space: tmm_mapping_mmap() makes a pointer.
 *
 * Return: the address
 */
uint64_t tmm_mapping_address(const struct tmm_mapping *mapping);

/**
 * tmm_mapping_size() - the size
 * @mapping: the mapping
 *
 * Return: bytes, a multiple of TMM_PAGE_SIZE
 */
uint64_t tmm_mapping_size(const struct tmm_mapping *mapping);

/**
 * tmm_mapping_handle() - the kernel's name for it
 * @mapping: the mapping
 *
 * Return: the handle
 */
uint32_t tmm_mapping_handle(const struct tmm_mapping *mapping);

/**
 * struct tmm_mapping_info - how a mapping is
 * @flags: TMM_*, as tmm_mapping_remap() takes them
 * @nr_frame_ranges: contiguous runs of frames behind it
 * @nr_borrows: windows, reads, writes and dma-bufs that are there at this moment
 * @is_exclusive: its frames go back with it
 * @is_shareable: see tmm_mapping_share()
 * @is_pinned: I/O holds memory of a window that is gone
 * @is_read_only: no owner can ever write to it; see tmm_mapping_export_as()
 * @is_lent: the descriptor is of tmm_mapping_lend(): another client owns the mapping
 * @is_bad: some of its memory fails: there, windows raise SIGBUS and calls return EIO
 * @reserved1: 0
 * @address: its first virtual address
 * @nr_bytes: its size
 * @reserved: 0
 */
struct tmm_mapping_info {
	uint64_t flags;
	uint32_t nr_frame_ranges;
	uint32_t nr_borrows;
	bool is_exclusive;
	bool is_shareable;
	bool is_pinned;
	bool is_read_only;
	bool is_lent;
	bool is_bad;
	uint8_t reserved1[2];
	uint64_t address;
	uint64_t nr_bytes;
	uint64_t reserved[8];
};

/**
 * tmm_mapping_query() - how it is
 * @mapping: the mapping
 * @info: filled in
 *
 * Call: THESEUS_MM_IOC_QUERY
 */
int tmm_mapping_query(const struct tmm_mapping *mapping, struct tmm_mapping_info *info);

/**
 * tmm_mapping_read() - copy out of a mapping
 * @mapping: the mapping
 * @offset: from its start
 * @buffer: where to; no window of this mapping
 * @length: how much; 0 is success. All must lie in the mapping, or nothing is copied.
 *
 * Errors: ERANGE, EOVERFLOW; EBUSY while it is mmapped with PROT_WRITE or written;
 *         EFAULT, which leaves what was copied until then
 * Call: THESEUS_MM_IOC_READ
 */
int tmm_mapping_read(const struct tmm_mapping *mapping, uint64_t offset, void *buffer,
		     size_t length);

/**
 * tmm_mapping_write() - copy into a mapping
 * @mapping: the mapping, writable
 * @offset: from its start
 * @buffer: where from; no window of this mapping
 * @length: how much; 0 is success. All must lie in the mapping, or nothing is copied.
 *
 * Errors: EACCES if it is not writable; ERANGE, EOVERFLOW; EBUSY while it is mmapped,
 *         read or written; EFAULT, which leaves what was copied until then
 * Call: THESEUS_MM_IOC_WRITE
 */
int tmm_mapping_write(struct tmm_mapping *mapping, uint64_t offset, const void *buffer,
		      size_t length);

/**
 * tmm_mapping_mmap() - borrow a part of a mapping as memory of this process
 * @mapping: the mapping
 * @offset: from its start, a multiple of TMM_PAGE_SIZE
 * @length: how much, more than 0
 * @prot: PROT_READ, also with PROT_WRITE or PROT_EXEC, as mmap(2)
 *
 * Without PROT_WRITE any number of windows, and reads, go on at a time; with it, this
 * one alone. The mapping can be neither changed nor dropped until the window is gone:
 * by munmap(2), the end of the process, or tmm_mapping_revoke(), after which touching
 * it is SIGBUS. Closing the client does not end it. mprotect(2) can narrow it, not widen
 * it, and fork() does not inherit it.
 *
 * The library keeps nothing of it: the window belongs to the process.
 *
 * Return: where it is, to be given to tmm_mapping_munmap(); or NULL
 * Errors: EBUSY; EACCES if the mapping's flags refuse @prot; ERANGE if the part is not
 *         within the mapping; EINVAL
 * Call: THESEUS_MM_IOC_MAP_OFFSET, mmap(2) with MAP_SHARED
 */
TMM_MUST_CHECK void *tmm_mapping_mmap(struct tmm_mapping *mapping, uint64_t offset, size_t length,
				      int prot);

/**
 * tmm_mapping_prefault() - have no fault left for later
 * @address: a multiple of TMM_PAGE_SIZE, in a window
 * @length: how much, within the window; 0 is success
 *
 * Reads a byte of each page: do not use it on device memory for which a read has an effect.
 * The call does for this memory what mlock(2) and MADV_POPULATE_WRITE do for other memory;
 * those need struct pages, which this memory does not have. A program does not need the call
 * if it calls mlockall(2) with MCL_FUTURE before it makes windows, or mmap(2) with
 * MAP_POPULATE itself. A revoked window raises SIGBUS, as for any other access.
 *
 * Errors: EINVAL if @address is not aligned
 */
int tmm_mapping_prefault(const void *address, size_t length);

/**
 * tmm_mapping_munmap() - give a window back
 * @address: what tmm_mapping_mmap() returned; NULL is allowed
 * @length: its length
 *
 * Errors: EINVAL
 * Call: munmap(2)
 */
int tmm_mapping_munmap(void *address, size_t length);

/**
 * tmm_mapping_map_offset() - for a mmap(2) of one's own
 * @mapping: the mapping
 * @offset: set to what mmap() of tmm_client_fd() takes for the mapping's first byte; add
 *          bytes, within the mapping, for a later one
 *
 * For callers that choose the address. MAP_SHARED is needed. The offset is valid until the
 * mapping is consumed, or a merge makes it longer. EOVERFLOW in a 32-bit program if other
 * mappings of the client, of 16 TiB in all, have the offsets that such a program can use.
 *
 * Call: THESEUS_MM_IOC_MAP_OFFSET
 */
int tmm_mapping_map_offset(const struct tmm_mapping *mapping, uint64_t *offset);

/**
 * struct tmm_revocation - the result of a revocation
 * @nr_revoked: number of windows that were revoked
 * @nr_pinned: number of these, or of earlier ones, that I/O still pins: their borrows have
 *             not ended, and the mapping stays borrowed until they are unpinned
 * @reserved: 0
 */
struct tmm_revocation {
	uint32_t nr_revoked;
	uint32_t nr_pinned;
	uint64_t reserved[3];
};

/**
 * tmm_mapping_revoke() - end all windows, in whichever process
 * @mapping: the mapping
 * @revocation: filled in; NULL if that is not of interest
 *
 * When the call returns, touching such a window raises SIGBUS, and the borrows of all
 * windows that are not pinned have ended.
 *
 * Call: THESEUS_MM_IOC_REVOKE
 */
int tmm_mapping_revoke(struct tmm_mapping *mapping, struct tmm_revocation *revocation);

/**
 * tmm_mapping_share() - let it have many writers, or one again
 * @mapping: the mapping
 * @is_shareable: from now on, any number of windows with PROT_WRITE, and reads and writes
 *                beside them; or false: by the rules again
 *
 * A shareable mapping is the one exception to one writer at a time: its users have to
 * synchronise their writes. Mutexes, conditions and semaphores that processes share
 * (PTHREAD_PROCESS_SHARED) work in a window only if the module was loaded with
 * struct_pages=1; otherwise the C library ends the program when it has to wait. Put them
 * into a memfd_create(2) beside the mapping, or use atomic operations and eventfd(2).
 * A split makes both parts as the mapping was; a merge needs two that are alike.
 *
 * Errors: EBUSY while it is mmapped, read or written
 * Call: THESEUS_MM_IOC_SHARE
 */
int tmm_mapping_share(struct tmm_mapping *mapping, bool is_shareable);

/**
 * tmm_mapping_remap() - change its flags
 * @mapping: the mapping
 * @flags: TMM_*
 *
 * Errors: EBUSY while it is mmapped, read or written; EINVAL, EOPNOTSUPP, ENOSPC
 * Call: THESEUS_MM_IOC_REMAP
 */
int tmm_mapping_remap(struct tmm_mapping *mapping, uint64_t flags);

/**
 * tmm_mapping_split() - make two mappings of one
 * @mapping: consumed
 * @offset: where the second begins; a multiple of TMM_PAGE_SIZE, more than 0 and less
 *          than the size
 * @first: set to the part before @offset; may be @mapping
 * @second: set to the rest
 *
 * Errors: EBUSY while it is mmapped, read or written; EINVAL, ERANGE, ENOSPC, EDQUOT
 * Call: THESEUS_MM_IOC_SPLIT
 */
int tmm_mapping_split(struct tmm_mapping **mapping, uint64_t offset, struct tmm_mapping **first,
		      struct tmm_mapping **second);

/**
 * tmm_mapping_merge() - make one mapping of two
 * @mapping: grows
 * @next: directly after it; of the same client; consumed
 *
 * Errors: EDOM if it does not follow; EMEDIUMTYPE if the flags differ; EXDEV; EBUSY
 * Call: THESEUS_MM_IOC_MERGE
 */
int tmm_mapping_merge(struct tmm_mapping *mapping, struct tmm_mapping **next);

/**
 * struct tmm_parts - what a mapping was made of
 * @pages: its pages
 * @frames: an array of its runs of frames, in the order of the pages
 * @nr_frames: entries of @frames
 *
 * The parts are the caller's. To keep one, move it out and leave NULL; tmm_parts_drop()
 * drops the others and frees the array.
 */
struct tmm_parts {
	struct tmm_pages *pages;
	struct tmm_frames **frames;
	uint32_t nr_frames;
};

/**
 * tmm_mapping_unmap_into_parts() - take a mapping apart
 * @mapping: consumed
 * @parts: filled in; to be given to tmm_parts_drop()
 *
 * Errors: EBUSY while it is mmapped, read or written; EDQUOT
 * Call: THESEUS_MM_IOC_QUERY, _UNMAP_INTO_PARTS; O(runs of frames) calls
 */
int tmm_mapping_unmap_into_parts(struct tmm_mapping **mapping, struct tmm_parts *parts);

/**
 * tmm_parts_drop() - give the parts back
 * @parts: emptied as far as it succeeds; all members 0 is allowed
 *
 * What could not be dropped stays, and so does the array; the others are dropped.
 *
 * Call: THESEUS_MM_IOC_DROP
 */
int tmm_parts_drop(struct tmm_parts *parts);

/**
 * tmm_mapping_unmap_into() - take a mapping apart, into an array of the caller's
 * @mapping: consumed
 * @pages: set to its pages
 * @frames: filled with its runs of frames, in the order of the pages
 * @nr_frames: in: room in @frames; out: entries filled, or with ENOBUFS, the room it takes
 *
 * Errors: ENOBUFS, and as tmm_mapping_unmap_into_parts()
 * Call: THESEUS_MM_IOC_QUERY, _UNMAP_INTO_PARTS; O(runs of frames) calls
 */
int tmm_mapping_unmap_into(struct tmm_mapping **mapping, struct tmm_pages **pages,
			   struct tmm_frames **frames, uint32_t *nr_frames);

/**
 * tmm_mapping_drop() - unmap it and give pages and frames back
 * @mapping: consumed; NULL inside is allowed
 *
 * Errors: EBUSY while it is mmapped, read or written
 * Call: THESEUS_MM_IOC_DROP
 */
int tmm_mapping_drop(struct tmm_mapping **mapping);

/* --- handing over ------------------------------------------------------------------- */

/**
 * tmm_mapping_export() - turn a mapping into a descriptor that owns it
 * @mapping: consumed
 *
 * To be passed on, mmapped as mmap(NULL, size, prot, MAP_SHARED, fd, 0), or imported; see
 * "Handing over" above.
 *
 * Return: the descriptor, close-on-exec, to be closed with close(2); or -1
 * Errors: EBUSY while it is mmapped, read or written; EMFILE, ENFILE
 * Call: THESEUS_MM_IOC_EXPORT
 */
TMM_MUST_CHECK int tmm_mapping_export(struct tmm_mapping **mapping);

/**
 * struct tmm_export_options - rights that a descriptor does not give
 * @is_read_only: no receiver can write: windows are read-only, and after
 *                tmm_mapping_import(), remapping the mapping writable and taking it apart
 *                fail with EACCES
 * @reserved1: 0
 * @reserved: 0
 */
struct tmm_export_options {
	bool is_read_only;
	uint8_t reserved1[7];
	uint64_t reserved[3];
};

/**
 * tmm_mapping_export_as() - export a mapping with fewer rights
 * @mapping: consumed
 * @options: rights that the descriptor does not give; NULL means it gives all
 * @export_id: set to the number of the export for tmm_mapping_take_back(); may be NULL
 *
 * Return: as tmm_mapping_export()
 * Errors: as tmm_mapping_export()
 * Call: THESEUS_MM_IOC_EXPORT
 */
TMM_MUST_CHECK int tmm_mapping_export_as(struct tmm_mapping **mapping,
					 const struct tmm_export_options *options,
					 uint32_t *export_id);

/**
 * tmm_mapping_lend() - make a descriptor for windows only
 * @mapping: the mapping; stays. The descriptor is no borrow itself, but each window is
 * @options: further rights that the descriptor does not give; NULL means none
 *
 * The descriptor can be passed on and mmapped like that of tmm_mapping_export(), but not
 * imported (EACCES). It becomes stale (ESTALE) by tmm_mapping_revoke(), a merge, when the
 * mapping's handle is consumed, and when the client ends.
 *
 * Return: the descriptor, close-on-exec, to be closed with close(2); or -1
 * Errors: EMFILE, ENFILE, EDQUOT
 * Call: THESEUS_MM_IOC_EXPORT
 */
TMM_MUST_CHECK int tmm_mapping_lend(struct tmm_mapping *mapping,
				    const struct tmm_export_options *options);

/**
 * tmm_mapping_take_back() - end an export that nobody imported
 * @client: the client that exported the mapping
 * @export_id: of tmm_mapping_export_as()
 *
 * All windows end as by tmm_mapping_revoke(), and all descriptors of the export become stale.
 *
 * Return: the mapping, as it was when it was exported; or NULL
 * Errors: ESTALE if it was imported or dropped; EDQUOT
 * Call: THESEUS_MM_IOC_TAKE_BACK
 */
TMM_MUST_CHECK struct tmm_mapping *tmm_mapping_take_back(struct tmm_client *client,
							 uint32_t export_id);

/**
 * tmm_mapping_import() - become the owner of an exported mapping
 * @client: the client
 * @fd: of tmm_mapping_export(), from whichever process; consumed: it is closed
 *
 * Return: the mapping; or NULL
 * Errors: ESTALE if it was imported or taken back already; EBUSY while it is mmapped;
 *         EDQUOT; EACCES if @fd is of tmm_mapping_lend(); EINVAL if @fd is another file
 * Call: THESEUS_MM_IOC_IMPORT
 */
TMM_MUST_CHECK struct tmm_mapping *tmm_mapping_import(struct tmm_client *client, int *fd);

/**
 * tmm_mapping_export_dmabuf() - make a dma-buf of a mapping, for devices
 * @mapping: the mapping; it stays, borrowed (mutably if it is writable) until the
 *           dma-buf is closed and no device uses it
 *
 * Return: the dma-buf's descriptor, close-on-exec, to be closed with close(2); or -1
 * Errors: EOPNOTSUPP without TMM_FEATURE_DMABUF; EBUSY while it is mmapped, read or
 *         written; EMFILE, ENFILE
 * Call: THESEUS_MM_IOC_EXPORT_DMABUF
 */
TMM_MUST_CHECK int tmm_mapping_export_dmabuf(struct tmm_mapping *mapping);

/**
 * tmm_fd_query() - query the mapping of an exporting or lending descriptor
 * @fd: of tmm_mapping_export() or tmm_mapping_lend()
 * @info: filled in
 *
 * Errors: ESTALE, EINVAL, ENOTTY if it is something else
 * Call: THESEUS_MM_IOC_QUERY
 */
int tmm_fd_query(int fd, struct tmm_mapping_info *info);

/**
 * tmm_fd_revoke() - end all windows of an exported mapping, in whichever process
 * @fd: of tmm_mapping_export()
 * @revocation: filled in; NULL if that is not of interest
 *
 * Errors: ESTALE, EINVAL, ENOTTY if it is something else
 * Call: THESEUS_MM_IOC_REVOKE
 */
int tmm_fd_revoke(int fd, struct tmm_revocation *revocation);

/**
 * tmm_fd_send() - pass a descriptor to another process
 * @socket: a connected UNIX socket; one byte is sent along
 * @fd: any descriptor; stays the caller's, who may close it at once
 *
 * Errors: EPIPE if the other end is gone (without SIGPIPE); those of sendmsg(2)
 * Call: sendmsg(2) with SCM_RIGHTS
 */
int tmm_fd_send(int socket, int fd);

/**
 * tmm_fd_receive() - get a descriptor from another process
 * @socket: a connected UNIX socket, the other end of which calls tmm_fd_send()
 *
 * Return: the descriptor, close-on-exec, to be closed with close(2); or -1
 * Errors: ECONNRESET if the other end is gone; EBADMSG if there was a message, but no
 *         descriptor, or more than one (they are closed); EMFILE; those of recvmsg(2)
 * Call: recvmsg(2)
 */
TMM_MUST_CHECK int tmm_fd_receive(int socket);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif
#undef TMM_MUST_CHECK

#ifdef __cplusplus
}
#endif

#endif /* LIBTMM_TMM_H */
