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
 * A process reads and writes a mapping with tmm_mapping_read() and tmm_mapping_write(), or
 * through a window: a part of the mapping in the memory of the process, which
 * tmm_mapping_mmap() makes.
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
 * `struct tmm_x **` consumes the object: if the call succeeds, it sets that pointer to
 * NULL. If the call fails, the object, the pointer and all result parameters are as
 * before, unless the call's description names an exception. A result may be stored in the
 * pointer that the call consumes. A call that takes `const struct tmm_x *` only looks at
 * the object; a call that takes `struct tmm_x *` may change the object or its content. The
 * library keeps none of these pointers. Calls on a consumed object (NULL) fail with
 * ENOENT; the getters cannot fail, and return 0 for it.
 *
 * Descriptors follow the same rule: a call that takes `int *` consumes the descriptor, and
 * sets the variable to -1 when it succeeds; a call that takes `int` leaves the descriptor
 * to the caller. A call on an empty array succeeds and does nothing.
 *
 * When a client is closed or its process dies, the kernel takes back all that the client
 * owns. Objects may outlive tmm_client_close(): every call on them fails with EBADF, and
 * dropping them frees the library's own memory.
 *
 * Handing over
 * ------------
 * tmm_mapping_export() turns a mapping into a descriptor that owns the mapping. The
 * descriptor can be passed to another process (tmm_fd_send(), tmm_fd_receive()), inherited,
 * duplicated, and mmapped from offset 0 on with the rules of windows; fstat(2) and
 * lseek(2) to SEEK_END tell the size of the mapping. When the last descriptor is closed and
 * the last window is gone, the mapping is dropped. tmm_mapping_import() makes the mapping
 * an object of a client again, and all other descriptors of the mapping become stale
 * (ESTALE): there is one owner at any moment. Until the import, the mapping counts against
 * the limits of its exporter, and the exporter can end the export with
 * tmm_mapping_take_back().
 *
 * A descriptor can give fewer rights: tmm_mapping_export_as() makes one whose receivers can
 * never write, and tmm_mapping_lend() makes one for windows only, while the client keeps
 * the mapping. For all these descriptors, poll(2) reports POLLIN while the mapping has no
 * windows and no I/O pins the memory, and POLLHUP and POLLERR once the descriptor is stale
 * and the last window that was made through it is gone.
 *
 * Units
 * -----
 * Addresses, offsets, sizes and alignments are in bytes. Pages and frames are of
 * TMM_PAGE_SIZE bytes; fields that count them are called nr_pages or frames_*.
 * Virtual addresses lie in the module's shared address space and are not pointers: a
 * program can dereference only the address that tmm_mapping_mmap() returns. Physical
 * addresses read as 0 without CAP_SYS_ADMIN.
 *
 * Errors
 * ------
 * Calls that return int return 0 on success, or the descriptor or number under "Return"; on
 * failure they return -1 and set errno. Calls that return a pointer return NULL on failure
 * and set errno. The library prints nothing. A call that fails changes nothing, unless its
 * description says otherwise. errno is the kernel's; where the library refuses a call
 * itself, it uses the same errors:
 *
 *	EINVAL		malformed: nothing asked for, misaligned, unknown flag
 *	EBADF		the client or the descriptor is closed, or the client's
 *			descriptor was opened with O_RDONLY and the call is not one that
 *			only looks
 *	ENOTTY		the descriptor is not of /dev/theseus_mm, or the kernel's
 *			module is too old for this call
 *	ENOENT		the object is consumed, or another call is consuming or changing
 *			it at this moment; or nothing is mapped at the address
 *	EXDEV		the objects belong to different clients
 *	ENOMEM		the process's or the kernel's own memory is exhausted
 *	ENOSPC		nothing large enough is free in the region
 *	EADDRINUSE	the requested address is owned
 *	EADDRNOTAVAIL	the requested address is free, but not all of the range
 *	ERANGE		outside every region, or outside the mapping
 *	EOVERFLOW	start + length overflows
 *	EACCES		the flags of the mapping, or the rights that its descriptor
 *			gives, do not allow the access
 *	EBUSY		the mapping is borrowed: by a window, a dma-buf, or a read or
 *			write of another thread
 *	ESTALE		the mapping of the descriptor was imported or taken back, or a
 *			lending descriptor lends no more
 *	EPERM		a capability is missing, or Linux is locked down
 *	EDOM		merge: the two objects do not touch, or are in the wrong order
 *	EMEDIUMTYPE	merge: the flags or the kinds of memory differ
 *	ENOBUFS		the array is too short
 *	EDQUOT		a limit of the client or of its user is reached
 *	ECANCELED	one item of many was undone, because another item failed
 *	ENODEV		the device that the memory belongs to was removed
 *	EIO		the memory fails
 *	EMFILE, ENFILE	the process or the machine has too many descriptors
 *	ETIMEDOUT	no memory became free in the given time
 *	EOPNOTSUPP	well-formed, but not possible here
 *	EFAULT		bad pointer
 *	EINTR		the process was killed during the call; or a signal ended a wait
 *
 * Nearly every call can fail with EBADF, ENOTTY, ENOMEM and EINTR, and every call on an
 * object with ENOENT; below, "Errors" names the others.
 *
 * Threads and processes
 * ---------------------
 * The library has no global state. Several threads may make calls at the same time, also on
 * one client and on one object, and calls never wait for each other in the library. The
 * kernel decides which call comes first: reads of a mapping run at the same time, a write
 * excludes reads and other writes (the later call fails with EBUSY), and of two changes the
 * later one fails with ENOENT and may be tried again. Three kinds of calls free the
 * library's object or client, so no other call may use it at the same time: a call that
 * takes `struct tmm_x **` (each object in it), a merge (both objects), and
 * tmm_client_close().
 *
 * The client is the open file description. After fork(), both processes are that client:
 * an object that one of them drops is dropped for both, and the kernel takes back what the
 * client owns when both have closed it. tmm_client_open() sets close-on-exec. fork() does
 * not inherit windows.
 *
 * Growth
 * ------
 * A program must zero a structure before it fills the structure in, as a designated
 * initialiser does. @reserved must be 0 in such a structure, and is 0 in results.
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

/* The device that tmm_client_open() opens by default. */
#define TMM_DEVICE		"/dev/theseus_mm"

#define TMM_PAGE_SIZE		(UINT64_C(1) << 12)
#define TMM_LARGE_PAGE_SIZE	(UINT64_C(1) << 21)
#define TMM_HUGE_PAGE_SIZE	(UINT64_C(1) << 30)

/* Flags of a mapping. TMM_WRITABLE without TMM_NOT_EXECUTABLE is EINVAL. */
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
 * Errors: those of open(2), such as EACCES, and ENOENT if the module is not loaded
 * Call: open(2), THESEUS_MM_IOC_GET_INFO
 */
TMM_MUST_CHECK struct tmm_client *tmm_client_open(const char *path);

/**
 * tmm_client_from_fd() - become a client by an open descriptor
 * @fd: a descriptor of the device, for example received from a process that may open the
 *      device; consumed
 *
 * Return: the client; or NULL
 * Errors: ENOTTY if @fd is of another file
 * Call: THESEUS_MM_IOC_GET_INFO
 */
TMM_MUST_CHECK struct tmm_client *tmm_client_from_fd(int *fd);

/**
 * tmm_client_close() - stop being a client
 * @client: consumed; NULL inside is allowed
 *
 * The kernel takes back all that the client owns, unless another descriptor of the client
 * is open (after fork or dup). A mapping that still has windows goes back with the last
 * munmap(). The call cannot fail.
 *
 * Call: close(2)
 */
void tmm_client_close(struct tmm_client **client);

/**
 * tmm_client_fd() - return the client's descriptor
 * @client: the client
 *
 * Use the descriptor for poll(2), /proc/self/fdinfo, or calls that this library lacks. The
 * client keeps the descriptor: do not close it.
 *
 * Return: the descriptor; -1 after tmm_client_close(), or for NULL
 */
int tmm_client_fd(const struct tmm_client *client);

/**
 * struct tmm_info - features, counts and limits
 * @abi: revision of the kernel's interface
 * @nr_regions: regions that were claimed
 * @features: TMM_FEATURE_*
 * @region_bytes: size of all regions
 * @frames_total: frames that can be allocated; the other frames hold the module's metadata
 * @frames_free: frames that nobody owns
 * @frames_ranges: contiguous runs of free frames
 * @frames_largest: longest free run of whole frames of 4 KiB, 2 MiB and 1 GiB, aligned to that
 *                  size, in frames of 4 KiB
 * @pages_start: first virtual address that can be allocated
 * @pages_total: pages that can be allocated
 * @pages_free: pages that nobody owns
 * @nr_mappings: mappings of all clients
 * @nr_tables: frames that are page tables
 * @paging_levels: 4 or 5
 * @client_handles: objects of this client, as struct tmm_limits counts them
 * @client_handles_max: limit of @client_handles
 * @client_id: number of this client, as tmm_client_list() shows it
 * @client_frames: frames that this client owns, mapped or not
 * @nr_clients: number of clients
 * @reserved1: 0
 * @frames_bad: frames whose memory fails; they are never allocated again
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

/* The memory has struct pages: I/O can use windows directly. */
#define TMM_FEATURE_STRUCT_PAGES	(UINT64_C(1) << 0)
/* tmm_mapping_export_dmabuf() works. */
#define TMM_FEATURE_DMABUF		(UINT64_C(1) << 1)
/* Memory that was mmapped goes to no other owner until the module is unloaded. */
#define TMM_FEATURE_QUARANTINE		(UINT64_C(1) << 2)

/**
 * tmm_client_info() - get features, counts and limits
 * @client: the client
 * @info: filled in
 *
 * Call: THESEUS_MM_IOC_GET_INFO
 */
int tmm_client_info(const struct tmm_client *client, struct tmm_info *info);

/**
 * struct tmm_region - a range of RAM that the module has claimed
 * @start: physical address; 0 without CAP_SYS_ADMIN
 * @nr_bytes: size
 * @reserved: 0
 */
struct tmm_region {
	uint64_t start;
	uint64_t nr_bytes;
	uint64_t reserved[2];
};

/**
 * tmm_client_region() - get the place and size of a region
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
 * @free: frames that nobody owns
 * @allocated: frames that are owned, but not mapped
 * @mapped: frames that a mapping owns
 * @tables: frames that are page tables
 * @metadata: frames that hold the module's metadata
 * @bad: frames that are retired, since their memory failed
 */
struct tmm_bucket {
	uint32_t free;
	uint32_t allocated;
	uint32_t mapped;
	uint32_t tables;
	uint32_t metadata;
	uint32_t bad;
};

/*
 * TMM_OWNER_NONE: no client owns a frame of the part. TMM_OWNER_HIDDEN: the caller may not see the
 * client that owns most of the part.
 */
#define TMM_OWNER_NONE		UINT32_C(0)
#define TMM_OWNER_HIDDEN	UINT32_C(0xffffffff)

/**
 * struct tmm_occupancy - a region in equal parts
 * @buckets: an array, an entry for each part
 * @owners: an array, an entry for each part: the number of the client that owns most of
 *          the part, as tmm_client_list() shows it, or TMM_OWNER_*
 * @nr: number of entries of @buckets, and of @owners
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
 * tmm_client_occupancy() - show how the frames of a region are used, and by whom
 * @client: the client
 * @index: the region
 * @bucket_bytes: 0; or with CAP_SYS_ADMIN the size of a part, a power of two, 2 MiB or
 *                more
 * @occupancy: filled in; to be freed with tmm_occupancy_free()
 *
 * If @bucket_bytes is 0, the module divides the region into at most 4096 parts of at least
 * 2 MiB. The module counts one part after the other, and other clients may allocate and
 * free between two parts.
 *
 * Errors: ERANGE if there is no such region; EPERM; EINVAL
 * Call: THESEUS_MM_IOC_GET_OCCUPANCY, twice
 */
int tmm_client_occupancy(const struct tmm_client *client, uint32_t index, uint64_t bucket_bytes,
			 struct tmm_occupancy *occupancy);

/**
 * tmm_occupancy_free() - free the result of tmm_client_occupancy()
 * @occupancy: emptied; all members 0 is allowed
 *
 * The call cannot fail.
 */
void tmm_occupancy_free(struct tmm_occupancy *occupancy);

/**
 * struct tmm_client_entry - a client, as others see it
 * @id: number of the client, never 0
 * @uid: the user who opened the client
 * @pid: the process that opened the client, which may be gone; 0 if the caller cannot see
 *       that process
 * @nr_handles: objects of the client
 * @nr_mappings: mappings among these objects
 * @nr_exported: mappings that the client has exported and nobody has imported
 * @nr_frames: frames that count against the client's limit
 * @comm: name of the process that opened the client
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
 * struct tmm_clients - a list of clients
 * @entries: an array of the clients that the caller may see: those of its own user,
 *           with CAP_SYS_ADMIN all
 * @nr: number of entries of @entries
 * @nr_hidden: clients that the caller may not see
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
 * tmm_client_list() - list the clients that the caller may see
 * @client: the client
 * @clients: filled in; to be freed with tmm_clients_free()
 *
 * Call: THESEUS_MM_IOC_GET_CLIENTS, again if there are more clients than at the first call
 */
int tmm_client_list(const struct tmm_client *client, struct tmm_clients *clients);

/**
 * tmm_clients_free() - free the result of tmm_client_list()
 * @clients: emptied; all members 0 is allowed
 *
 * The clients themselves stay. The call cannot fail.
 */
void tmm_clients_free(struct tmm_clients *clients);

/**
 * enum tmm_kind - kind of an object
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
 * @export_id: number of an exported mapping that nobody has imported; else 0
 * @kind: kind of the object
 * @nr_frame_ranges: contiguous runs of frames behind a mapping; 1 for frames
 * @nr_borrows: for a mapping: windows, reads, writes and dma-bufs at this moment
 * @attributes: for a mapping: TMM_ATTRIBUTE_*, and the other THESEUS_MM_ATTRIBUTE_* of the kernel
 * @address: the object's first address; for frames, 0 without CAP_SYS_ADMIN
 * @nr_bytes: the object's size
 * @flags: for a mapping: TMM_*
 * @is_exclusive: for a mapping: a drop of the mapping frees its frames
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
#define TMM_ATTRIBUTE_PINNED	(UINT32_C(1) << 1)	/* I/O pins memory of a closed window */

/**
 * struct tmm_handles - the objects of a client
 * @entries: an array: the client's objects, sorted by handle, then the mappings that the
 *           client has exported
 * @nr: number of entries of @entries
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
 * @handles: filled in; to be freed with tmm_handles_free()
 *
 * The list leaves out objects that another call is changing at that moment.
 *
 * Call: THESEUS_MM_IOC_LIST_HANDLES, until the list is complete
 */
int tmm_client_list_handles(const struct tmm_client *client, struct tmm_handles *handles);

/**
 * tmm_handles_free() - free the result of tmm_client_list_handles()
 * @handles: emptied; all members 0 is allowed
 *
 * The objects themselves stay. The call cannot fail.
 */
void tmm_handles_free(struct tmm_handles *handles);

/* A limit has this value if it is not set. */
#define TMM_NO_LIMIT	UINT64_MAX

/* Flags that select the limits to set with tmm_client_set_limits(). */
#define TMM_LIMIT_FRAMES	(1U << 0)
#define TMM_LIMIT_PAGES		(1U << 1)
#define TMM_LIMIT_HANDLES	(1U << 2)

/**
 * struct tmm_limits - how much a client and its user may own, and how much they own
 * @client_frames_max: frames that this client may have. As for all limits, TMM_NO_LIMIT
 *                     means any number
 * @client_pages_max: pages that this client may have
 * @client_handles_max: objects that this client may have
 * @client_frames: frames that count: allocated, mapped, exported and not imported yet,
 *                 and page tables made for this client
 * @client_pages: pages that count, in the same way
 * @client_handles: objects of this client; and one more for each mapping that can be mmapped,
 *                  each descriptor of an export and each dma-buf that this client made
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
 * tmm_client_limits() - get the limits of this client and of its user
 * @client: the client
 * @limits: filled in
 *
 * Call: THESEUS_MM_IOC_GET_LIMITS
 */
int tmm_client_limits(const struct tmm_client *client, struct tmm_limits *limits);

/**
 * tmm_client_set_limits() - set limits of this client
 * @client: the client
 * @which: TMM_LIMIT_*, one or more
 * @limits: the call reads the client_*_max that @which selects: a number or TMM_NO_LIMIT
 *
 * A limit below what the client owns takes nothing away, but the client cannot allocate
 * more (EDQUOT). Raising a limit takes CAP_SYS_RESOURCE.
 *
 * Errors: EINVAL; EPERM
 * Call: THESEUS_MM_IOC_SET_LIMITS
 */
int tmm_client_set_limits(struct tmm_client *client, unsigned int which,
			  const struct tmm_limits *limits);

/**
 * tmm_client_wait() - wait until memory is free again
 * @client: the client
 * @timeout_ms: milliseconds; 0 does not wait, -1 waits as long as it takes
 *
 * If a call has failed with ENOSPC or EDQUOT, wait, then make the call again. tmm_client_wait()
 * returns as soon as any client has given back some of the missing resource since the failure. The
 * amount may be too small, so several rounds may be needed. If no call has failed so far,
 * tmm_client_wait() returns at once. In an event loop, wait for POLLIN on tmm_client_fd() instead.
 *
 * Errors: ETIMEDOUT; EINTR if a signal was handled
 * Call: poll(2)
 */
int tmm_client_wait(const struct tmm_client *client, int timeout_ms);

/**
 * struct tmm_translation - the physical address and the leaf behind a virtual address
 * @paddr: physical address
 * @flags: TMM_* of the leaf entry
 * @page_size: size of the leaf: 4 KiB, 2 MiB or 1 GiB
 * @is_exclusive: a drop of the mapping frees the frame
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
 * tmm_client_translate() - translate a virtual address
 * @client: the client
 * @vaddr: an address in the shared address space, as tmm_mapping_address() returns it; of
 *         any client
 * @translation: filled in
 *
 * Takes CAP_SYS_ADMIN.
 *
 * Errors: EPERM; ENOENT if nothing is mapped at @vaddr; EINVAL if @vaddr is not canonical
 * Call: THESEUS_MM_IOC_TRANSLATE
 */
int tmm_client_translate(const struct tmm_client *client, uint64_t vaddr,
			 struct tmm_translation *translation);

#define TMM_MAX_LEVELS	5

/**
 * struct tmm_walk - the page-table entries on the way to an address
 * @nr_levels: number of entries; fewer than the paging levels if the walk ended early
 * @entries: raw entries; [0] is the root's
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
 * tmm_client_dump_pte() - show the page-table entries on the way to an address
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
 * @TMM_MEMORY_WRITE_BACK: like RAM
 * @TMM_MEMORY_UNCACHED: not cached; for registers
 * @TMM_MEMORY_WRITE_COMBINING: writes are combined; for frame buffers
 */
enum tmm_memory {
	TMM_MEMORY_WRITE_BACK,
	TMM_MEMORY_UNCACHED,
	TMM_MEMORY_WRITE_COMBINING,
};

/**
 * tmm_client_add_device_region() - allow all clients to map a range of device memory
 * @client: the client
 * @start: physical address, a multiple of TMM_PAGE_SIZE; not RAM
 * @nr_bytes: size, a multiple of TMM_PAGE_SIZE
 * @memory: how the memory is cached, in every mapping of it
 *
 * The region stays until it is removed or the module is unloaded. When the device itself is
 * removed, calls on mappings of the region fail with ENODEV, and windows raise SIGBUS: drop
 * the mappings, then remove the region. Takes CAP_SYS_RAWIO.
 *
 * Errors: EPERM; EBUSY if a driver has claimed part of the range; EADDRINUSE if part of the
 *         range was added already; EOPNOTSUPP if part of it is RAM; EINVAL, EOVERFLOW
 * Call: THESEUS_MM_IOC_ADD_DEVICE_REGION
 */
int tmm_client_add_device_region(struct tmm_client *client, uint64_t start, uint64_t nr_bytes,
				 enum tmm_memory memory);

/**
 * tmm_client_remove_device_region() - remove a device region
 * @client: any client, not necessarily the one that added the region
 * @start: physical address of the region, as it was added
 * @nr_bytes: size of the region, as it was added
 *
 * Takes CAP_SYS_RAWIO.
 *
 * Errors: EPERM; EBUSY while somebody owns a frame of the region; ERANGE if no region with
 *         this start and size was added
 * Call: THESEUS_MM_IOC_REMOVE_DEVICE_REGION
 */
int tmm_client_remove_device_region(struct tmm_client *client, uint64_t start, uint64_t nr_bytes);

/* --- pages and frames --------------------------------------------------------------- */

/**
 * enum tmm_place - where an allocation may be
 * @TMM_ANYWHERE: wherever there is room
 * @TMM_AT: starting with the page or frame that holds the address @at
 * @TMM_IN_RANGE: from @min to @max, both inclusive
 */
enum tmm_place {
	TMM_ANYWHERE,
	TMM_AT,
	TMM_IN_RANGE,
};

/**
 * struct tmm_allocate_options - how much to allocate, and where
 * @nr_pages: number of pages or frames, or 0
 * @nr_bytes: number of bytes, or 0; exactly one of the two is not 0. With TMM_AT the bytes
 *            begin at @at. The bytes are rounded up to whole pages or frames
 * @place: where
 * @align: alignment of the first page or frame in bytes, a power of two from 4 KiB to
 *         1 GiB; 0 means any. Not with TMM_AT
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
 * tmm_pages_allocate() - allocate a run of virtual pages, without memory behind it
 * @client: the client
 * @options: how many, and where
 *
 * Return: the pages; or NULL
 * Errors: ENOSPC, EADDRINUSE, EADDRNOTAVAIL, ERANGE, EOVERFLOW, EINVAL, EDQUOT
 * Call: THESEUS_MM_IOC_ALLOCATE_PAGES
 */
TMM_MUST_CHECK struct tmm_pages *tmm_pages_allocate(struct tmm_client *client,
						    const struct tmm_allocate_options *options);

/**
 * tmm_frames_allocate() - allocate a run of physical frames, without mapping it
 * @client: the client
 * @options: how many, and where; TMM_AT and TMM_IN_RANGE take CAP_SYS_ADMIN
 *
 * Return: the frames, zeroed; or NULL
 * Errors: as tmm_pages_allocate(), and EPERM; EOPNOTSUPP or ENODEV if the address is in device
 *         memory; EIO if memory failed while the kernel cleared it
 * Call: THESEUS_MM_IOC_ALLOCATE_FRAMES
 */
TMM_MUST_CHECK struct tmm_frames *tmm_frames_allocate(struct tmm_client *client,
						      const struct tmm_allocate_options *options);

/**
 * tmm_pages_address(), tmm_frames_address() - return the first address
 * @pages: the pages
 * @frames: the frames
 *
 * Return: the virtual address of pages; the physical address of frames, which is 0 without
 * CAP_SYS_ADMIN
 */
uint64_t tmm_pages_address(const struct tmm_pages *pages);
uint64_t tmm_frames_address(const struct tmm_frames *frames);

/**
 * tmm_pages_size(), tmm_frames_size() - return the size
 * @pages: the pages
 * @frames: the frames
 *
 * Return: bytes, a multiple of TMM_PAGE_SIZE
 */
uint64_t tmm_pages_size(const struct tmm_pages *pages);
uint64_t tmm_frames_size(const struct tmm_frames *frames);

/**
 * tmm_pages_handle(), tmm_frames_handle() - return the kernel's handle of the object
 * @pages: the pages
 * @frames: the frames
 *
 * Calls that this library lacks need the handle, and the kernel's lists and traces show it.
 *
 * Return: the handle
 */
uint32_t tmm_pages_handle(const struct tmm_pages *pages);
uint32_t tmm_frames_handle(const struct tmm_frames *frames);

/**
 * tmm_pages_split(), tmm_frames_split() - split an object in two
 * @pages: consumed
 * @frames: consumed
 * @offset: bytes before the second part; a multiple of TMM_PAGE_SIZE, more than 0 and less
 *          than the size
 * @first: set to the part before @offset; may be the consumed pointer
 * @second: set to the part from @offset on
 *
 * Errors: EINVAL, EDQUOT
 * Call: THESEUS_MM_IOC_SPLIT
 */
int tmm_pages_split(struct tmm_pages **pages, uint64_t offset, struct tmm_pages **first,
		    struct tmm_pages **second);
int tmm_frames_split(struct tmm_frames **frames, uint64_t offset, struct tmm_frames **first,
		     struct tmm_frames **second);

/**
 * tmm_pages_merge(), tmm_frames_merge() - join two objects that are next to each other
 * @pages: grows
 * @frames: grows
 * @other: directly before or after the first object; of the same client; consumed
 *
 * Errors: EDOM if the objects are not next to each other; EMEDIUMTYPE; EXDEV
 * Call: THESEUS_MM_IOC_MERGE
 */
int tmm_pages_merge(struct tmm_pages *pages, struct tmm_pages **other);
int tmm_frames_merge(struct tmm_frames *frames, struct tmm_frames **other);

/**
 * tmm_pages_map() - map pages to new frames
 * @pages: consumed
 * @flags: TMM_*; TMM_DATA is the usual choice
 *
 * Return: the mapping, its content zeroed; or NULL
 * Errors: ENOSPC, EINVAL, EOPNOTSUPP, EDQUOT; EIO if memory failed while the kernel cleared it
 * Call: THESEUS_MM_IOC_MAP_ALLOCATED_PAGES
 */
TMM_MUST_CHECK struct tmm_mapping *tmm_pages_map(struct tmm_pages **pages, uint64_t flags);

/**
 * tmm_pages_map_to() - map pages to frames that the client owns
 * @pages: consumed
 * @frames: as many frames as there are pages, of the same client; consumed
 * @flags: TMM_*; TMM_DATA is the usual choice
 *
 * Return: the mapping; or NULL, with @pages and @frames unchanged
 * Errors: EINVAL if @pages and @frames differ in size; EXDEV, ENOSPC, EOPNOTSUPP, EDQUOT;
 *         ENODEV if the device of the frames was removed
 * Call: THESEUS_MM_IOC_MAP_ALLOCATED_PAGES_TO
 */
TMM_MUST_CHECK struct tmm_mapping *tmm_pages_map_to(struct tmm_pages **pages,
						    struct tmm_frames **frames, uint64_t flags);

/**
 * tmm_pages_drop(), tmm_frames_drop() - free an object
 * @pages: consumed; NULL inside is allowed
 * @frames: consumed; NULL inside is allowed
 *
 * Call: THESEUS_MM_IOC_DROP
 */
int tmm_pages_drop(struct tmm_pages **pages);
int tmm_frames_drop(struct tmm_frames **frames);

/* --- mappings ----------------------------------------------------------------------- */

/**
 * struct tmm_create_options - further properties of a new mapping
 * @is_contiguous: one physically contiguous run of frames
 * @is_identity: one run of frames, and virtual addresses that are equal to the physical
 *               ones; takes CAP_SYS_RAWIO
 * @reserved1: 0
 * @leaf_size: TMM_PAGE_SIZE, TMM_LARGE_PAGE_SIZE or 1 GiB: the mapping consists of leaves of
 *             this size; the mapping's size must be a multiple of it (EINVAL), and the CPU
 *             must have such leaves (EOPNOTSUPP). 0: leaves as large as there is room for
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
 * tmm_mapping_create() - allocate pages and frames and map them
 * @client: the client
 * @nr_bytes: size, more than 0; rounded up to whole pages
 * @flags: TMM_*; TMM_DATA is the usual choice
 * @options: further properties; NULL means none. Without is_contiguous and is_identity,
 *           the module takes as many runs of frames as it needs
 *
 * Return: the mapping, its content zeroed; or NULL
 * Errors: ENOSPC, EINVAL, EOVERFLOW, EOPNOTSUPP, EDQUOT; EIO if memory failed while the kernel
 *         cleared it; with is_identity EPERM and ERANGE
 * Call: THESEUS_MM_IOC_CREATE_MAPPING, _CREATE_CONTIGUOUS_MAPPING,
 *       _CREATE_IDENTITY_MAPPING
 */
TMM_MUST_CHECK struct tmm_mapping *tmm_mapping_create(struct tmm_client *client, uint64_t nr_bytes,
						      uint64_t flags,
						      const struct tmm_create_options *options);

#define TMM_MAX_MANY		65536

/* For tmm_mapping_create_many() and tmm_mapping_drop_many(): all items, or none. */
#define TMM_ALL_OR_NOTHING	(UINT32_C(1) << 0)

/**
 * struct tmm_create_item - one of many mappings
 * @nr_bytes: size, as for tmm_mapping_create()
 * @flags: TMM_*
 * @is_contiguous: one physically contiguous run of frames
 * @reserved1: 0
 * @error: set to 0, or to the errno of this item if the mapping was not created
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
 * tmm_mapping_create_many() - create several mappings in one call
 * @client: the client
 * @items: an array of @nr, one item for each mapping
 * @mappings: an array of @nr, set to the mappings; NULL for each that was not created
 * @nr: number of items, up to TMM_MAX_MANY
 * @how: 0, or TMM_ALL_OR_NOTHING
 *
 * The mappings are created in order. An item that fails does not stop the others: compare
 * the result with @nr to know whether all were created. With TMM_ALL_OR_NOTHING, the call
 * fails with the error of the first item that fails, and creates nothing: @mappings does
 * not change, that item has its error, and all other items have ECANCELED.
 *
 * Return: number of mappings that were created; or -1
 * Errors: EINVAL; with TMM_ALL_OR_NOTHING those of tmm_mapping_create()
 * Call: THESEUS_MM_IOC_CREATE_BATCH
 */
TMM_MUST_CHECK int tmm_mapping_create_many(struct tmm_client *client,
					   struct tmm_create_item *items,
					   struct tmm_mapping **mappings, uint32_t nr,
					   uint32_t how);

/**
 * tmm_mapping_drop_many() - drop several mappings in one call
 * @mappings: an array of @nr, of one client; consumed: each entry whose mapping is dropped
 *            is set to NULL; NULL inside is allowed
 * @errors: an array of @nr, set to 0, or to the errno of each mapping that was not dropped;
 *          NULL if the caller does not want the errors
 * @nr: number of entries, up to TMM_MAX_MANY
 * @how: 0, or TMM_ALL_OR_NOTHING
 *
 * The mappings are dropped in order. A mapping that cannot be dropped does not stop the
 * others. With TMM_ALL_OR_NOTHING, the call fails with the error of the first mapping that
 * cannot be dropped, and drops nothing; @errors is set as the errors of
 * tmm_mapping_create_many().
 *
 * Return: number of entries that are NULL now, which is @nr if all were dropped; or -1
 * Errors: EINVAL, EXDEV; with TMM_ALL_OR_NOTHING those of tmm_mapping_drop()
 * Call: THESEUS_MM_IOC_DROP_BATCH
 */
TMM_MUST_CHECK int tmm_mapping_drop_many(struct tmm_mapping **mappings, int *errors, uint32_t nr,
					 uint32_t how);

/**
 * tmm_mapping_map_frame_range() - map device memory
 * @client: the client
 * @paddr: physical address, in a device region; rounded down to a whole frame
 * @nr_bytes: size, more than 0; rounded up
 * @flags: TMM_*; with TMM_DEVICE_MEMORY, unless the region is write-back
 *
 * RAM cannot be mapped by its address. The call does not change the content of the device
 * memory. A read or write with the size of a register accesses that register once. Takes
 * CAP_SYS_RAWIO.
 *
 * Return: the mapping; or NULL
 * Errors: EPERM; EADDRINUSE, EADDRNOTAVAIL, ERANGE, EOVERFLOW; EOPNOTSUPP if the address is
 *         in RAM or the flags do not fit the region; ENODEV if the device was removed; ENOSPC,
 *         EDQUOT, EINVAL
 * Call: THESEUS_MM_IOC_MAP_FRAME_RANGE
 */
TMM_MUST_CHECK struct tmm_mapping *tmm_mapping_map_frame_range(struct tmm_client *client,
							       uint64_t paddr, uint64_t nr_bytes,
							       uint64_t flags);

/**
 * tmm_mapping_address() - return the first virtual address
 * @mapping: the mapping
 *
 * Return: the address in the shared address space, which is not a pointer:
 * tmm_mapping_mmap() makes a pointer
 */
uint64_t tmm_mapping_address(const struct tmm_mapping *mapping);

/**
 * tmm_mapping_size() - return the size
 * @mapping: the mapping
 *
 * Return: bytes, a multiple of TMM_PAGE_SIZE
 */
uint64_t tmm_mapping_size(const struct tmm_mapping *mapping);

/**
 * tmm_mapping_handle() - return the kernel's handle of the mapping
 * @mapping: the mapping
 *
 * Return: the handle
 */
uint32_t tmm_mapping_handle(const struct tmm_mapping *mapping);

/**
 * struct tmm_mapping_info - the properties of a mapping
 * @flags: TMM_*, as tmm_mapping_remap() takes them
 * @nr_frame_ranges: contiguous runs of frames behind the mapping
 * @nr_borrows: windows, reads, writes and dma-bufs at this moment
 * @is_exclusive: a drop of the mapping frees its frames
 * @is_shareable: see tmm_mapping_share()
 * @is_pinned: I/O pins memory of a window that is gone
 * @is_read_only: no owner can ever write to the mapping; see tmm_mapping_export_as()
 * @is_lent: tmm_mapping_lend() made the descriptor: a client still owns the mapping
 * @is_bad: some of the memory fails: windows raise SIGBUS there, and reads and writes of it
 *          fail with EIO
 * @reserved1: 0
 * @address: first virtual address
 * @nr_bytes: size
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
 * tmm_mapping_query() - get the properties of a mapping
 * @mapping: the mapping
 * @info: filled in
 *
 * Call: THESEUS_MM_IOC_QUERY
 */
int tmm_mapping_query(const struct tmm_mapping *mapping, struct tmm_mapping_info *info);

/**
 * tmm_mapping_read() - copy out of a mapping
 * @mapping: the mapping
 * @offset: bytes from the start of the mapping
 * @buffer: where to; not a window of this mapping
 * @length: number of bytes; 0 succeeds. If not all of them lie in the mapping, nothing is
 *          copied
 *
 * Errors: ERANGE, EOVERFLOW; EBUSY while the mapping is written or has a window with
 *         PROT_WRITE; EFAULT, EINTR, EIO and ENODEV, after which a part may have been copied
 * Call: THESEUS_MM_IOC_READ
 */
int tmm_mapping_read(const struct tmm_mapping *mapping, uint64_t offset, void *buffer,
		     size_t length);

/**
 * tmm_mapping_write() - copy into a mapping
 * @mapping: the mapping, writable
 * @offset: bytes from the start of the mapping
 * @buffer: where from; not a window of this mapping
 * @length: number of bytes; 0 succeeds. If not all of them lie in the mapping, nothing is
 *          copied
 *
 * Errors: EACCES if the mapping is not writable; ERANGE, EOVERFLOW; EBUSY while the mapping
 *         is borrowed; EFAULT, EINTR, EIO and ENODEV, after which a part may have been copied
 * Call: THESEUS_MM_IOC_WRITE
 */
int tmm_mapping_write(struct tmm_mapping *mapping, uint64_t offset, const void *buffer,
		      size_t length);

/**
 * tmm_mapping_mmap() - make a window: a part of a mapping as memory of this process
 * @mapping: the mapping
 * @offset: bytes from the start of the mapping, a multiple of TMM_PAGE_SIZE
 * @length: number of bytes, more than 0
 * @prot: PROT_READ, also with PROT_WRITE or PROT_EXEC, as for mmap(2)
 *
 * A mapping can have any number of windows without PROT_WRITE, and reads, at the same time.
 * A window with PROT_WRITE excludes all other windows, reads and writes. While a window
 * exists, the mapping can be neither changed nor dropped. A window ends with munmap(2), with
 * the process, or with tmm_mapping_revoke(), after which touching it raises SIGBUS. Closing
 * the client does not end a window. mprotect(2) can take rights from a window but not add
 * them, and fork() does not inherit a window.
 *
 * The window belongs to the process; the library keeps no record of it. The first call, even
 * if it fails, gives the mapping its offset (see tmm_mapping_map_offset()), and from then on
 * the mapping counts as one more object (see struct tmm_limits).
 *
 * Return: the address of the window, for tmm_mapping_munmap(); or NULL
 * Errors: EBUSY; EACCES if the mapping's flags do not allow @prot; ERANGE if the part is
 *         not within the mapping; EINVAL; EDQUOT and ENFILE at the first call;
 *         EOPNOTSUPP for write-back device memory; ENODEV if the device was removed
 * Call: THESEUS_MM_IOC_MAP_OFFSET, mmap(2) with MAP_SHARED
 */
TMM_MUST_CHECK void *tmm_mapping_mmap(struct tmm_mapping *mapping, uint64_t offset, size_t length,
				      int prot);

/**
 * tmm_mapping_prefault() - take all page faults of a window now
 * @address: a multiple of TMM_PAGE_SIZE, in a window
 * @length: number of bytes, within the window; 0 succeeds
 *
 * The kernel inserts the page-table entries of a window when the window is touched, small ones 512
 * at a time. tmm_mapping_prefault() reads a byte of each page, so that later accesses take no
 * fault. Do not use the call on device memory whose reads have side effects. mlock(2) and
 * MADV_POPULATE_WRITE cannot make these entries, since they need struct pages. A program does not
 * need the call if it calls mlockall(2) with MCL_FUTURE before it makes windows, or mmap(2) with
 * MAP_POPULATE itself. The call raises SIGBUS on a revoked window, as any other access does.
 *
 * Errors: EINVAL if @address is not aligned
 */
int tmm_mapping_prefault(const void *address, size_t length);

/**
 * tmm_mapping_munmap() - end a window
 * @address: the address that tmm_mapping_mmap() returned; NULL is allowed
 * @length: length of the window
 *
 * Errors: EINVAL
 * Call: munmap(2)
 */
int tmm_mapping_munmap(void *address, size_t length);

/**
 * tmm_mapping_map_offset() - return the offset of a mapping for mmap(2)
 * @mapping: the mapping
 * @offset: set to the offset of the mapping's first byte in tmm_client_fd(); add bytes,
 *          within the mapping, for a later byte
 *
 * Programs that choose the address of a window call mmap(2) themselves, with MAP_SHARED.
 * The offset is valid until the mapping is consumed, or a merge makes the mapping longer.
 *
 * Errors: EDQUOT and ENFILE at the first call; EOVERFLOW in a 32-bit program, if other
 *         mappings of the client, 16 TiB in all, have the offsets that such a program can use
 * Call: THESEUS_MM_IOC_MAP_OFFSET
 */
int tmm_mapping_map_offset(const struct tmm_mapping *mapping, uint64_t *offset);

/**
 * struct tmm_revocation - the result of a revocation
 * @nr_revoked: number of windows that were revoked
 * @nr_pinned: number of windows, revoked now or earlier, that I/O still pins: their borrows
 *             have not ended, and the mapping stays borrowed until they are unpinned
 * @reserved: 0
 */
struct tmm_revocation {
	uint32_t nr_revoked;
	uint32_t nr_pinned;
	uint64_t reserved[3];
};

/**
 * tmm_mapping_revoke() - end all windows of a mapping, in every process
 * @mapping: the mapping
 * @revocation: filled in; NULL if the caller does not want the numbers
 *
 * When the call has returned, touching such a window raises SIGBUS, and the borrows of all
 * windows that are not pinned have ended.
 *
 * Call: THESEUS_MM_IOC_REVOKE
 */
int tmm_mapping_revoke(struct tmm_mapping *mapping, struct tmm_revocation *revocation);

/**
 * tmm_mapping_share() - allow several writers at the same time, or only one again
 * @mapping: the mapping
 * @is_shareable: true allows any number of windows with PROT_WRITE, with reads and writes
 *                at the same time; false allows one writer again
 *
 * Only a shareable mapping can have several writers at a time: its users have to synchronise their
 * writes. Mutexes, conditions and semaphores that processes share (PTHREAD_PROCESS_SHARED) work in
 * a window only if the module was loaded with struct_pages=1; otherwise the kernel refuses to wait,
 * and the C library ends the program. In that case, put them into memory of memfd_create(2), or use
 * atomic operations and eventfd(2). Both parts of a split mapping are shareable if the mapping was;
 * a merge needs two shareable mappings or none.
 *
 * Errors: EBUSY while the mapping is borrowed
 * Call: THESEUS_MM_IOC_SHARE
 */
int tmm_mapping_share(struct tmm_mapping *mapping, bool is_shareable);

/**
 * tmm_mapping_remap() - change the flags of a mapping
 * @mapping: the mapping
 * @flags: TMM_*
 *
 * Errors: EBUSY while the mapping is borrowed; EACCES for TMM_WRITABLE on a mapping that
 *         was exported read-only; EINVAL, EOPNOTSUPP
 * Call: THESEUS_MM_IOC_REMAP
 */
int tmm_mapping_remap(struct tmm_mapping *mapping, uint64_t flags);

/**
 * tmm_mapping_split() - split a mapping in two
 * @mapping: consumed
 * @offset: bytes before the second part; a multiple of TMM_PAGE_SIZE, more than 0 and less
 *          than the size
 * @first: set to the part before @offset; may be @mapping
 * @second: set to the part from @offset on
 *
 * Errors: EBUSY while the mapping is borrowed; EINVAL, ENOSPC, EDQUOT
 * Call: THESEUS_MM_IOC_SPLIT
 */
int tmm_mapping_split(struct tmm_mapping **mapping, uint64_t offset, struct tmm_mapping **first,
		      struct tmm_mapping **second);

/**
 * tmm_mapping_merge() - join two mappings
 * @mapping: grows
 * @next: the mapping directly after @mapping, of the same client; consumed
 *
 * Errors: EDOM if @next does not follow @mapping; EMEDIUMTYPE if the flags differ; EXDEV;
 *         EBUSY
 * Call: THESEUS_MM_IOC_MERGE
 */
int tmm_mapping_merge(struct tmm_mapping *mapping, struct tmm_mapping **next);

/**
 * struct tmm_parts - the parts of a mapping that was taken apart
 * @pages: the pages of the mapping
 * @frames: an array of its runs of frames, in the order of the pages
 * @nr_frames: number of entries of @frames
 *
 * The caller owns the parts. To keep a part, move it out and leave NULL; tmm_parts_drop()
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
 * @parts: filled in; to be freed with tmm_parts_drop()
 *
 * Errors: EBUSY while the mapping is borrowed; EACCES if it was exported read-only; EDQUOT
 * Call: THESEUS_MM_IOC_QUERY, _UNMAP_INTO_PARTS; O(runs of frames) calls
 */
int tmm_mapping_unmap_into_parts(struct tmm_mapping **mapping, struct tmm_parts *parts);

/**
 * tmm_parts_drop() - drop the parts of a mapping
 * @parts: emptied; all members 0 is allowed
 *
 * If the call fails, it has dropped the parts that it could; the others and the array stay.
 *
 * Call: THESEUS_MM_IOC_DROP
 */
int tmm_parts_drop(struct tmm_parts *parts);

/**
 * tmm_mapping_unmap_into() - take a mapping apart, into the caller's array
 * @mapping: consumed
 * @pages: set to the pages of the mapping
 * @frames: filled with the runs of frames, in the order of the pages
 * @nr_frames: in: room in @frames; out: entries filled, or with ENOBUFS the room needed
 *
 * Errors: ENOBUFS, and as tmm_mapping_unmap_into_parts()
 * Call: THESEUS_MM_IOC_QUERY, _UNMAP_INTO_PARTS; O(runs of frames) calls
 */
int tmm_mapping_unmap_into(struct tmm_mapping **mapping, struct tmm_pages **pages,
			   struct tmm_frames **frames, uint32_t *nr_frames);

/**
 * tmm_mapping_drop() - unmap a mapping and free its pages and frames
 * @mapping: consumed; NULL inside is allowed
 *
 * Errors: EBUSY while the mapping is borrowed
 * Call: THESEUS_MM_IOC_DROP
 */
int tmm_mapping_drop(struct tmm_mapping **mapping);

/* --- handing over ------------------------------------------------------------------- */

/**
 * tmm_mapping_export() - turn a mapping into a descriptor that owns it
 * @mapping: consumed
 *
 * The descriptor can be passed on, mmapped as mmap(NULL, size, prot, MAP_SHARED, fd, 0), or
 * imported; see "Handing over" above.
 *
 * Return: the descriptor, close-on-exec, to be closed with close(2); or -1
 * Errors: EBUSY while the mapping is borrowed; EMFILE, ENFILE
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
 * @mapping: the mapping, which the client keeps. The descriptor itself does not borrow the
 *           mapping, but each window that is made through it does
 * @options: further rights that the descriptor does not give; NULL means none
 *
 * The descriptor can be passed on and mmapped like that of tmm_mapping_export(), but not
 * imported (EACCES). The descriptor becomes stale (ESTALE) when the mapping is revoked,
 * merged or consumed, and when the client ends.
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
 * @export_id: the number that tmm_mapping_export_as() set
 *
 * All windows end as by tmm_mapping_revoke(), and all descriptors of the export become stale.
 *
 * Return: the mapping, as it was when it was exported; or NULL
 * Errors: ESTALE if the mapping was imported, taken back or dropped; EDQUOT
 * Call: THESEUS_MM_IOC_TAKE_BACK
 */
TMM_MUST_CHECK struct tmm_mapping *tmm_mapping_take_back(struct tmm_client *client,
							 uint32_t export_id);

/**
 * tmm_mapping_import() - become the owner of an exported mapping
 * @client: the client
 * @fd: a descriptor that tmm_mapping_export() made, in any process; consumed: the call
 *      closes the descriptor
 *
 * Return: the mapping; or NULL
 * Errors: ESTALE if the mapping was imported or taken back already; EBUSY while it is
 *         borrowed; EDQUOT; EACCES if @fd is of tmm_mapping_lend(); EINVAL if @fd is of
 *         another file
 * Call: THESEUS_MM_IOC_IMPORT
 */
TMM_MUST_CHECK struct tmm_mapping *tmm_mapping_import(struct tmm_client *client, int *fd);

/**
 * tmm_mapping_export_dmabuf() - make a dma-buf of a mapping, for devices
 * @mapping: the mapping, which the client keeps. The dma-buf borrows the mapping (mutably
 *           if the mapping is writable) until it is closed and no device uses it
 *
 * Return: the dma-buf's descriptor, close-on-exec, to be closed with close(2); or -1
 * Errors: EOPNOTSUPP without TMM_FEATURE_DMABUF; EBUSY if the mapping has a borrow that
 *         excludes the dma-buf's; EIO if some of the memory fails; EMFILE, ENFILE, EDQUOT
 * Call: THESEUS_MM_IOC_EXPORT_DMABUF
 */
TMM_MUST_CHECK int tmm_mapping_export_dmabuf(struct tmm_mapping *mapping);

/**
 * tmm_fd_query() - get the properties of the mapping of a descriptor
 * @fd: a descriptor that tmm_mapping_export() or tmm_mapping_lend() made
 * @info: filled in
 *
 * Errors: ESTALE; EBUSY while another call changes a lent mapping; EINVAL or ENOTTY if @fd
 *         is of another file
 * Call: THESEUS_MM_IOC_QUERY
 */
int tmm_fd_query(int fd, struct tmm_mapping_info *info);

/**
 * tmm_fd_revoke() - end all windows of an exported mapping, in every process
 * @fd: a descriptor that tmm_mapping_export() made
 * @revocation: filled in; NULL if the caller does not want the numbers
 *
 * Errors: ESTALE; EINVAL or ENOTTY if @fd is of another file
 * Call: THESEUS_MM_IOC_REVOKE
 */
int tmm_fd_revoke(int fd, struct tmm_revocation *revocation);

/**
 * tmm_fd_send() - pass a descriptor to another process
 * @socket: a connected UNIX socket; the call also sends one byte of data
 * @fd: any descriptor; the caller keeps it and may close it at once
 *
 * Errors: EPIPE if the other end is gone (the call raises no SIGPIPE); those of sendmsg(2)
 * Call: sendmsg(2) with SCM_RIGHTS
 */
int tmm_fd_send(int socket, int fd);

/**
 * tmm_fd_receive() - get a descriptor from another process
 * @socket: a connected UNIX socket, the other end of which calls tmm_fd_send()
 *
 * Return: the descriptor, close-on-exec, to be closed with close(2); or -1
 * Errors: ECONNRESET if the other end is gone; EBADMSG if the message has no descriptor, or
 *         more than one (the call closes them); EMFILE; those of recvmsg(2)
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
