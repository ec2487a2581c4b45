/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * theseus_mm: ownership of RAM reserved at boot, for user space
 * ==============================================================
 *
 * Clients, objects, handles
 * -------------------------
 * Every open() of /dev/theseus_mm is a client. The owner is the open file
 * description: descriptors made of it by dup() or fork() are the same client.
 * A client owns objects of three kinds:
 *
 *	pages		a run of virtual pages of the shared address space
 *	frames		a run of physical frames, zeroed when they were given out
 *	mapping		pages together with the frames behind them
 *
 * and names them by handles: 32-bit numbers of that client, never 0. A call
 * that *consumes* a handle makes it invalid when it succeeds; when it fails, the
 * handle stays valid and nothing has changed. When the last descriptor of a
 * client goes - close, exit, SIGKILL - everything it owns goes back.
 *
 * A client that was opened with O_RDONLY may look and nothing else: GET_INFO, GET_REGION,
 * GET_OCCUPANCY, GET_CLIENTS, GET_LIMITS, LIST_HANDLES, QUERY, TRANSLATE, DUMP_PTE and
 * poll() work as for others, with the capabilities that they take; every other call, and
 * mmap(), is EBADF. Such a client never owns anything.
 *
 * While a call changes or consumes what a handle stands for, another call on that
 * handle fails with ENOENT, and of two that would change it one comes first. The
 * handle is valid again afterwards, unless it was consumed. READs go on side by
 * side. A WRITE is alone: while it lasts, READs and other WRITEs of that mapping
 * fail with EBUSY, as it does while one of them lasts, and as a change does.
 *
 * Borrowing by mmap
 * -----------------
 * A mapping is mmapped (MAP_SHARED) through the device at the offset that
 * MAP_OFFSET tells; in which process does not matter. Without PROT_WRITE that is
 * an immutable borrow: any number of them, and READs, go on at a time. With
 * PROT_WRITE it is a mutable one, for a mapping that is writable (else EACCES):
 * no other borrow, READ or WRITE at that time, else EBUSY. While it is borrowed,
 * the mapping cannot be remapped, split, merged, unmapped or dropped: EBUSY. A
 * borrow ends with munmap() or the process, or when the owner says REVOKE; it is
 * not inherited by fork(), and mprotect() cannot make it more than it was. What
 * was borrowed for writing is DIRTY afterwards. A mapping whose client is gone
 * goes with its last borrow.
 *
 * Leaves of 2 MiB and 1 GiB are used as such: mmap() without an address hint
 * places large areas so that they fit, and small pages come 512 at a time. (A
 * kernel with NUMA support takes no entries of 2 MiB for memory that it has no
 * struct page of: small ones then.)
 *
 * MAP_POPULATE, MAP_LOCKED and, for what is mmapped after it, mlockall(MCL_FUTURE)
 * leave no fault for later. An area that is there already is filled by touching a
 * byte of each page: mlock(), mlockall(MCL_CURRENT) and madvise(MADV_POPULATE_*)
 * do nothing with memory that has no struct pages; the last says EINVAL. Nothing is
 * ever taken away from an area but by the calls that are named here.
 *
 * There is nothing to write back: msync() is 0, as is fsync() of an exported
 * mapping. A program whose personality has READ_IMPLIES_EXEC gets an area that is
 * not executable where the mapping is not; PROT_EXEC without PROT_READ is EACCES
 * then.
 *
 * I/O cannot pin the memory: O_DIRECT, vmsplice(), process_vm_readv() and RDMA on it fail
 * with EFAULT. Debuggers read it, and write it if the borrow is mutable. Those parts of
 * Linux that take frame numbers out of an area instead (follow_pfn(), follow_pte()) can use
 * it: KVM, whose guests lose it with the area; and VFIO, acrn, videobuf-dma-contig and KVM
 * for guests of guests, which may go on using the frames when the area is gone. Where
 * users of those are not trusted, the module is loaded with struct_pages=1 or quarantine=1.
 *
 * Device memory is cached as its region says, in processes too; a mapping of device
 * memory that is write-back cannot be mmapped: EOPNOTSUPP.
 *
 * With FEATURE_STRUCT_PAGES it is otherwise: I/O, RDMA and VFIO can pin the memory.
 * What they hold when an area goes stays borrowed until they let go of it; nobody
 * else gets it before, whatever happens to the owner, who may DROP the mapping
 * meanwhile. Who lets go is looked for every now and then: it takes up to a second.
 * (Linux 6.1 has no safe entries of 2 MiB for such memory: there are small ones
 * then.)
 *
 * Memory that fails (a machine check, or what Linux's memory_failure() is told) is out
 * of use for good: its frame goes to nobody any more. Who has it keeps the mapping, with
 * ATTRIBUTE_BAD; that page of it is SIGBUS in processes, with BUS_MCEERR_AR and the
 * address, and EIO to READ and WRITE. The rest of the mapping is as good as before.
 *
 * With FEATURE_QUARANTINE, a mapping that was ever mmapped is as usable as before,
 * but its frames are nobody's after it: when it is dropped they are missing, and
 * UNMAP_INTO_PARTS fails with EBUSY.
 *
 * A mapping that was made *shareable* (SHARE) may be borrowed mutably by many, and
 * READs and WRITEs go on beside that: who writes when is then up to its users. They
 * cannot settle it by a mutex, a condition or a semaphore that processes share and
 * that lies in the mapping: Linux knows those by their struct pages, and futex() is
 * EFAULT, for which the C library ends the program. They work with
 * FEATURE_STRUCT_PAGES; else put them into a memfd beside the mapping, or use atomic
 * operations and an eventfd. Between threads of one process, all of them work.
 *
 * Handing over
 * ------------
 * EXPORT makes a descriptor of a mapping, which owns it from then on. It can be
 * passed to another process, and mmapped from offset 0 on, with the rules above;
 * lseek(SEEK_END) and fstat() tell its size. Descriptors made of it by dup(),
 * fork() or SCM_RIGHTS are one owner; when the last is closed and the last area
 * gone, the mapping is dropped. IMPORT moves the mapping to a client, and leaves
 * every other descriptor of it stale (ESTALE). The mapping counts against the limits
 * of the client that exported it until somebody imports it. QUERY and REVOKE work
 * on the descriptor itself, with handle 0. Until somebody imports it, its exporter can
 * TAKE_BACK the mapping, by the number that EXPORT told.
 *
 * With EXPORT_READ_ONLY, no receiver can write to it, ever: neither through the
 * descriptor, nor after IMPORT, where REMAP to writable and UNMAP_INTO_PARTS are EACCES. A
 * mapping that was imported so keeps ATTRIBUTE_READ_ONLY through SPLIT and further
 * exports, and MERGE wants both alike.
 *
 * Lending by descriptor
 * ---------------------
 * With EXPORT_BORROW the handle stays, and with it the mapping and all that it counts
 * against. The descriptor only borrows, and is no borrow itself: each mmap() of it is one,
 * from offset 0 on and with the rules above, which REVOKE ends as any other. IMPORT of it is
 * EACCES, whoever has it, and it knows no call but QUERY, with handle 0. With
 * EXPORT_READ_ONLY it lends for reading only, whatever the mapping is. When the handle is
 * consumed, the mapping is merged, or REVOKE is said, and when the client goes, it is stale:
 * ESTALE from then on. While another call changes the mapping, it is EBUSY.
 *
 * poll() on a descriptor of either kind says POLLIN while nobody has the mapping mmapped,
 * and no I/O holds it; and POLLHUP and POLLERR once the descriptor is good for nothing:
 * stale, and what was mmapped through it gone.
 *
 * Waiting for memory
 * ------------------
 * poll() on a client says POLLIN as soon as what its last call that failed with ENOSPC or
 * EDQUOT was refused (frames, pages or handles) came back: some are free again, or a limit
 * has room, or was raised. Try, poll, try again. It says so until the next such failure,
 * and before the first; whether there is enough now, or whether it is this client's
 * limit, trying tells. What a failing call itself takes and gives back does not count,
 * but for the first time.
 *
 * Units
 * -----
 * Addresses, offsets, lengths and alignments are in bytes; nr_* counts 4 KiB
 * pages or frames. Ranges of addresses are inclusive at both ends.
 *
 * Physical addresses are shown and chosen only with CAP_SYS_ADMIN: without it
 * they read as 0, and a call that names one fails with EPERM. The exceptions take
 * CAP_SYS_RAWIO: the address of an identity mapping is a physical one, for whomever
 * it is handed over to as well; and whoever maps device memory names its address.
 *
 * Structures
 * ----------
 * All calls are _IOWR with one structure. A structure may grow at its end: the
 * size in the ioctl's number says which version a program was built with; fields
 * it does not know are 0, and 0 always means what it meant before they existed.
 * "in" fields are read, "out" fields written; all that is neither must be 0.
 *
 * An array of structures comes with the size of an entry, as the program knows it: a
 * multiple of 8, at least that of the first version and a page at most, else EINVAL. Of
 * an array that is written, what the program knows and the module does not is cleared;
 * of one that is read, it must be 0, else E2BIG.
 *
 * Errors
 * ------
 *	EINVAL		malformed: nothing asked for, misaligned, not canonical,
 *			unknown flag, reserved field not 0, structure too small
 *	E2BIG		structure larger than known, with the tail not 0
 *	ENOTTY		no such call
 *	EFAULT		bad pointer
 *	ENOMEM		the kernel's memory is exhausted
 *	ENFILE		too many files: each mapping to be mmapped takes one
 *	ENOSPC		the region (frames of page tables included) or the
 *			address space is exhausted: nothing large enough is free
 *	ENOBUFS		the array for the results is too short
 *	EADDRINUSE	the address asked for is owned
 *	EADDRNOTAVAIL	it is free, but not all that follows
 *	ERANGE		outside every region, or outside the mapping
 *	EOVERFLOW	start + length or count * size overflows; no offset for mmap()
 *			that the program can use
 *	EEXIST		a page is mapped already
 *	ENOENT		no such handle, or of another kind; nothing mapped there
 *	EXDEV		the objects belong to different page tables
 *	EACCES		write access to a mapping that is not writable, or execution of
 *			one that is not executable; a right that was not handed over: to
 *			write to what is read-only for good, to IMPORT what is only lent
 *	EBUSY		borrowed
 *	EPERM		a capability is missing
 *	ENODEV		the device whose memory it is was removed
 *	EIO		the memory fails
 *	EDOM		merge: the two do not touch, or not in that order
 *	EMEDIUMTYPE	merge: flags or kinds of memory differ
 *	EDQUOT		a limit of the client or of its user is reached
 *	ESTALE		the exported mapping is somebody's again, or is lent no more
 *	EBADF		the client was opened with O_RDONLY; IMPORT: no such descriptor
 *	EMFILE		the process has too many descriptors
 *	ECANCELED	of an item of a batch: undone, because another one failed
 *	EOPNOTSUPP	well-formed, but not possible here (a memory type on RAM)
 *	EINTR		killed while at it
 */
#ifndef _UAPI_THESEUS_MM_H
#define _UAPI_THESEUS_MM_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* 0xB8..0xBF are not listed in Linux 6.1's ioctl-number.rst. */
#define THESEUS_MM_IOC_MAGIC	0xBA

/*
 * From 2 on, calls and structures are only appended to. theseus_mm.abi beside this file is
 * a dump of them, which `make check` compares.
 */
#define THESEUS_MM_ABI		2

/* Flags of a mapping, as far as user space chooses or sees them. */
#define THESEUS_MM_PTE_VALID		(1ULL << 0)	/* out only */
#define THESEUS_MM_PTE_WRITABLE		(1ULL << 1)
#define THESEUS_MM_PTE_USER_ACCESSIBLE	(1ULL << 2)	/* recorded only */
#define THESEUS_MM_PTE_DEVICE_MEMORY	(1ULL << 4)	/* EOPNOTSUPP on RAM */
#define THESEUS_MM_PTE_ACCESSED		(1ULL << 5)
#define THESEUS_MM_PTE_DIRTY		(1ULL << 6)	/* recorded only */
#define THESEUS_MM_PTE_GLOBAL		(1ULL << 8)	/* recorded only */
#define THESEUS_MM_PTE_EXCLUSIVE	(1ULL << 55)	/* out only */
#define THESEUS_MM_PTE_NOT_EXECUTABLE	(1ULL << 63)

/* What a client may pass; the rest is EINVAL. */
#define THESEUS_MM_PTE_SETTABLE						\
	(THESEUS_MM_PTE_WRITABLE | THESEUS_MM_PTE_USER_ACCESSIBLE |	\
	 THESEUS_MM_PTE_DEVICE_MEMORY | THESEUS_MM_PTE_ACCESSED |	\
	 THESEUS_MM_PTE_DIRTY | THESEUS_MM_PTE_GLOBAL |			\
	 THESEUS_MM_PTE_NOT_EXECUTABLE)

/* The usual choice: data that is read and written. */
#define THESEUS_MM_PTE_DATA						\
	(THESEUS_MM_PTE_WRITABLE | THESEUS_MM_PTE_ACCESSED |		\
	 THESEUS_MM_PTE_NOT_EXECUTABLE)

/**
 * struct theseus_mm_info - THESEUS_MM_IOC_GET_INFO: facts and counts
 * @flags: in: must be 0
 * @abi: out: THESEUS_MM_ABI of the module
 * @features: out: THESEUS_MM_FEATURE_*
 * @paging_levels: out: 4 or 5
 * @nr_regions: out: regions that were claimed
 * @region_bytes: out: size of all of them
 * @frames_total: out: frames that can be given out; the rest is bookkeeping
 * @frames_free: out: frames that nobody owns
 * @frames_ranges: out: free ranges they form
 * @frames_largest: out: longest free run aligned to 4 KiB, 2 MiB and 1 GiB, in
 *                  frames of 4 KiB
 * @pages_start: out: first virtual address that can be given out
 * @pages_total: out: pages that clients can have: 7.5 TiB with 4 levels of paging, 3.75 PiB
 *               with 5. A run of more than 16 TiB is found at an address only.
 * @pages_free: out: those that nobody owns
 * @nr_mappings: out: mappings alive, of all clients
 * @nr_tables: out: frames that are page tables, the root's own not among them
 * @client_handles: out: handles of the calling client, as GET_LIMITS counts them
 * @client_handles_max: out: its limit, see GET_LIMITS
 * @client_frames: out: frames that the calling client owns, mapped or not; those
 *                 that another call is changing at this moment are not counted
 * @client_id: out: number of the calling client, as in GET_CLIENTS
 * @nr_clients: out: clients there are
 * @frames_bad: out: frames whose memory fails: those that nobody owns are given out no
 *              more, the others when they come back
 */
struct theseus_mm_info {
	__u32 flags;
	__u32 abi;
	__aligned_u64 features;
	__u32 paging_levels;
	__u32 nr_regions;
	__aligned_u64 region_bytes;
	__aligned_u64 frames_total;
	__aligned_u64 frames_free;
	__aligned_u64 frames_ranges;
	__aligned_u64 frames_largest[3];
	__aligned_u64 pages_start;
	__aligned_u64 pages_total;
	__aligned_u64 pages_free;
	__aligned_u64 nr_mappings;
	__aligned_u64 nr_tables;
	__u32 client_handles;
	__u32 client_handles_max;
	__aligned_u64 client_frames;
	__u32 client_id;
	__u32 nr_clients;
	__aligned_u64 frames_bad;
};

/* The memory has struct pages: I/O can be done straight into it. */
#define THESEUS_MM_FEATURE_STRUCT_PAGES	(1ULL << 0)
/* EXPORT_DMABUF works. */
#define THESEUS_MM_FEATURE_DMABUF	(1ULL << 1)
/* What was mmapped goes to nobody else until the module is unloaded. */
#define THESEUS_MM_FEATURE_QUARANTINE	(1ULL << 2)

/**
 * struct theseus_mm_region - THESEUS_MM_IOC_GET_REGION: one claimed region
 * @flags: in: must be 0
 * @index: in: 0 .. nr_regions - 1, else ERANGE
 * @start: out: physical address; 0 without CAP_SYS_ADMIN
 * @nr_bytes: out: its size
 */
struct theseus_mm_region {
	__u32 flags;
	__u32 index;
	__aligned_u64 start;
	__aligned_u64 nr_bytes;
};

/**
 * struct theseus_mm_bucket - what the frames of a part of a region are used for
 * @free: nobody owns them
 * @allocated: owned, not mapped
 * @mapped: owned by a mapping
 * @tables: page tables
 * @metadata: the module's bookkeeping
 * @bad: retired, since they failed
 */
struct theseus_mm_bucket {
	__u32 free;
	__u32 allocated;
	__u32 mapped;
	__u32 tables;
	__u32 metadata;
	__u32 bad;
};

/* Parts that a region has at most, unless the caller names their size. */
#define THESEUS_MM_MAX_BUCKETS		4096
/* Frames of the smallest part, and of the largest. */
#define THESEUS_MM_MIN_BUCKET_FRAMES	512
#define THESEUS_MM_MAX_BUCKET_FRAMES	(1U << 31)

#define THESEUS_MM_OWNER_NONE	0U
#define THESEUS_MM_OWNER_HIDDEN	0xffffffffU

/**
 * struct theseus_mm_occupancy - THESEUS_MM_IOC_GET_OCCUPANCY: a region's picture
 * @flags: in: must be 0
 * @index: in: the region, as for GET_REGION
 * @nr_buckets: in: room in @buckets, and in @owners; out: parts there are, also with
 *              ENOBUFS, if there is not room for all
 * @bucket_size: in: size of an entry of @buckets
 * @buckets: in: address of an array of struct theseus_mm_bucket
 * @owners: in: 0, or address of an array of __u32, filled with the id of the client that
 *          owns most frames of the part; THESEUS_MM_OWNER_NONE if no client does,
 *          THESEUS_MM_OWNER_HIDDEN if the caller may not know (see GET_CLIENTS)
 * @bucket_frames: in: 0, or frames of a part, a power of two; out: frames of a part, but
 *                 for the last one, which has what is left. With ENOBUFS too.
 *
 * Part i begins @bucket_frames * i frames after the region's start. A part has as few
 * frames as make at most THESEUS_MM_MAX_BUCKETS parts, but 512 (2 MiB) at least: the same
 * for whoever asks, however often, so that no two answers together say more of where a
 * frame is than one does. Another @bucket_frames takes CAP_SYS_ADMIN (EPERM), and is
 * THESEUS_MM_MIN_BUCKET_FRAMES at least and THESEUS_MM_MAX_BUCKET_FRAMES at most.
 *
 * The parts are counted one after the other; others may work meanwhile.
 */
struct theseus_mm_occupancy {
	__u32 flags;
	__u32 index;
	__u32 nr_buckets;
	__u32 bucket_size;
	__aligned_u64 buckets;
	__aligned_u64 owners;
	__aligned_u64 bucket_frames;
};

/**
 * struct theseus_mm_client_info - a client, as others see it
 * @id: its number, never 0; not that of a client before it for a long time
 * @uid: the user who opened it, in the caller's user namespace
 * @pid: the process that opened it, in the caller's pid namespace; 0 if it cannot
 *       be seen from there. It may be gone: descriptors are passed on.
 * @nr_handles: its handles
 * @nr_mappings: mappings among them
 * @nr_exported: mappings that it exported and nobody imported
 * @nr_frames: frames counted against its limit: allocated, mapped, exported, and
 *             those of page tables made for it
 * @comm: name of the process that opened it, ended by 0
 */
struct theseus_mm_client_info {
	__u32 id;
	__u32 uid;
	__s32 pid;
	__u32 nr_handles;
	__u32 nr_mappings;
	__u32 nr_exported;
	__aligned_u64 nr_frames;
	char comm[16];
};

/**
 * struct theseus_mm_clients - THESEUS_MM_IOC_GET_CLIENTS: who is there
 * @flags: in: must be 0
 * @nr_clients: in: room in @clients; out: how many the caller may see, which may be
 *              more than there was room for
 * @clients: in: address of an array of @nr_clients struct theseus_mm_client_info,
 *           filled as far as it goes; may be 0 if @nr_clients is
 * @nr_hidden: out: clients that the caller may not see
 * @entry_size: in: size of an entry of @clients
 * @hidden_frames: out: frames that those own, or that are still charged to them
 * @orphan_frames: out: frames that are still charged to clients that are gone, of those
 *                 that the caller might see: exported and not imported, mmapped by a
 *                 process, pinned, or in quarantine
 *
 * A caller sees the calling client and those of its own user, with CAP_SYS_ADMIN all.
 */
struct theseus_mm_clients {
	__u32 flags;
	__u32 nr_clients;
	__aligned_u64 clients;
	__u32 nr_hidden;
	__u32 entry_size;
	__aligned_u64 hidden_frames;
	__aligned_u64 orphan_frames;
};

#define THESEUS_MM_NO_LIMIT	0xffffffffffffffffULL

/* Which fields of struct theseus_mm_limits SET_LIMITS sets. */
#define THESEUS_MM_SET_FRAMES	(1U << 0)
#define THESEUS_MM_SET_PAGES	(1U << 1)
#define THESEUS_MM_SET_HANDLES	(1U << 2)
#define THESEUS_MM_SET_LIMITS_FLAGS_ALL						\
	(THESEUS_MM_SET_FRAMES | THESEUS_MM_SET_PAGES | THESEUS_MM_SET_HANDLES)

/**
 * struct theseus_mm_limits - THESEUS_MM_IOC_GET_LIMITS, _SET_LIMITS
 * @flags: in: GET: must be 0; SET: THESEUS_MM_SET_*, which fields are set, one or more
 * @reserved: must be 0
 * @client_frames_max: GET: out; SET: in: frames that the calling client may have
 * @client_pages_max: GET: out; SET: in: pages that it may have
 * @client_handles_max: GET: out; SET: in: handles that it may have
 * @client_frames: out: frames counted against @client_frames_max
 * @client_pages: out: pages
 * @client_handles: out: handles
 * @user_frames_max: out: frames that all clients of the user may have together
 * @user_pages_max: out: pages that they may have
 * @user_handles_max: out: handles that they may have
 * @user_frames: out: frames counted against @user_frames_max
 * @user_pages: out: pages
 * @user_handles: out: handles
 *
 * THESEUS_MM_NO_LIMIT means none, in both directions; fields whose flag is not given are
 * not looked at. A client's limits are those of the module parameters max_frames,
 * max_pages and max_handles when it was opened, a user's max_user_frames, max_user_pages
 * and max_user_handles as they are now. SET lowers the calling client's; to raise one
 * takes CAP_SYS_RESOURCE, else EPERM with nothing changed. A limit below what is owned
 * takes nothing away: nothing more can be had.
 *
 * By default a client may have a quarter of the pages there are when the module is loaded,
 * and its user half of them; 65,536 handles and 131,072. A sixteenth of all pages is kept
 * for the kernel and not among those. Handles are objects; a mapping that can be mmapped
 * (MAP_OFFSET, EXPORT_DMABUF), a descriptor that EXPORT made and one of a dma-buf count as
 * one more each, the client's who made them, until the last descriptor and the last area
 * are gone: they are files, of which the machine has so many.
 *
 * Frames of RAM count from before they are taken until they are free again: while a
 * process has them mmapped, also after the client is gone. Frames of page tables count
 * where they were needed first, as long as that mapping is there. Pages count in the same
 * way, mapped or not. The user is the real uid of whoever opened the device; in a user
 * namespace, what they have counts against the limits of the namespace's owner as well,
 * and so on up to the first namespace.
 */
struct theseus_mm_limits {
	__u32 flags;
	__u32 reserved;
	__aligned_u64 client_frames_max;
	__aligned_u64 client_pages_max;
	__aligned_u64 client_handles_max;
	__aligned_u64 client_frames;
	__aligned_u64 client_pages;
	__aligned_u64 client_handles;
	__aligned_u64 user_frames_max;
	__aligned_u64 user_pages_max;
	__aligned_u64 user_handles_max;
	__aligned_u64 user_frames;
	__aligned_u64 user_pages;
	__aligned_u64 user_handles;
};

#define THESEUS_MM_KIND_PAGES	1
#define THESEUS_MM_KIND_FRAMES	2
#define THESEUS_MM_KIND_MAPPING	3

/**
 * struct theseus_mm_query - THESEUS_MM_IOC_QUERY: what a handle stands for
 * @flags: in: must be 0
 * @handle: in: of any kind
 * @kind: out: THESEUS_MM_KIND_*
 * @nr_frame_ranges: out: physically contiguous runs behind a mapping; 1 for frames
 * @start: out: virtual address of pages or mapping; physical address of frames,
 *         0 without CAP_SYS_ADMIN
 * @nr_pages: out: size in 4 KiB pages or frames
 * @pte_flags: out: a mapping's THESEUS_MM_PTE_*, else 0
 * @attributes: out: THESEUS_MM_ATTRIBUTE_*
 * @nr_borrows: out: a mapping's borrows at this moment, else 0
 */
struct theseus_mm_query {
	__u32 flags;
	__u32 handle;
	__u32 kind;
	__u32 nr_frame_ranges;
	__aligned_u64 start;
	__aligned_u64 nr_pages;
	__aligned_u64 pte_flags;
	__u32 attributes;
	__u32 nr_borrows;
};

#define THESEUS_MM_ATTRIBUTE_SHAREABLE	(1U << 0)	/* see SHARE */
#define THESEUS_MM_ATTRIBUTE_PINNED	(1U << 1)	/* I/O holds what an area showed */
#define THESEUS_MM_ATTRIBUTE_READ_ONLY	(1U << 2)	/* for good; see EXPORT */
#define THESEUS_MM_ATTRIBUTE_BAD	(1U << 3)	/* memory behind it fails */
#define THESEUS_MM_ATTRIBUTE_BORROWED	(1U << 4)	/* the descriptor only borrows it */

/**
 * struct theseus_mm_handle_info - what a handle stands for, or an exported mapping is
 * @handle: its number; 0 for a mapping that was exported and nobody imported
 * @kind: THESEUS_MM_KIND_*; the rest as in struct theseus_mm_query
 * @attributes: THESEUS_MM_ATTRIBUTE_*
 * @nr_borrows: of a mapping
 * @start: of frames, 0 without CAP_SYS_ADMIN
 * @nr_pages: size
 * @pte_flags: of a mapping
 * @nr_frame_ranges: of a mapping or frames
 * @export_id: of an exported mapping its number among those of its exporter, else 0
 */
struct theseus_mm_handle_info {
	__u32 handle;
	__u32 kind;
	__u32 attributes;
	__u32 nr_borrows;
	__aligned_u64 start;
	__aligned_u64 nr_pages;
	__aligned_u64 pte_flags;
	__u32 nr_frame_ranges;
	__u32 export_id;
};

#define THESEUS_MM_HANDLES_EXPORTS	(1U << 0)
#define THESEUS_MM_HANDLES_FLAGS_ALL	0x1U

/**
 * struct theseus_mm_handles - THESEUS_MM_IOC_LIST_HANDLES: what the client owns
 * @flags: in: 0 for its handles, THESEUS_MM_HANDLES_EXPORTS for the mappings that it
 *         exported and nobody imported
 * @nr_handles: in: room in @handles; out: entries that were written
 * @from: in: the lowest handle (or @export_id) to tell; out: the one to go on from, 0 at
 *        the end
 * @entry_size: in: size of an entry of @handles
 * @handles: in: address of an array of struct theseus_mm_handle_info, filled by number,
 *           as far as it goes
 *
 * ENOBUFS if there is something to tell, and not room for a single entry. A handle that
 * another call is changing at that moment is left out; one that is there all the time
 * while a list is made, from 0 on until @from is 0, is told once. EFAULT or EINTR in the
 * middle leaves what was written until then, and says nothing of it.
 */
struct theseus_mm_handles {
	__u32 flags;
	__u32 nr_handles;
	__u32 from;
	__u32 entry_size;
	__aligned_u64 handles;
};

/**
 * struct theseus_mm_drop - THESEUS_MM_IOC_DROP: give an object back
 * @flags: in: must be 0
 * @handle: in: of any kind; consumed
 *
 * A mapping is unmapped; its pages and frames go back to their allocators.
 */
struct theseus_mm_drop {
	__u32 flags;
	__u32 handle;
};

/**
 * struct theseus_mm_split - THESEUS_MM_IOC_SPLIT: make two objects of one
 * @flags: in: must be 0
 * @handle: in: of any kind; consumed
 * @offset: in: bytes from its start where the second begins; a multiple of 4096,
 *          more than 0 and less than its size
 * @first: out: handle of the part before @offset
 * @second: out: handle of the rest
 */
struct theseus_mm_split {
	__u32 flags;
	__u32 handle;
	__aligned_u64 offset;
	__u32 first;
	__u32 second;
};

/**
 * struct theseus_mm_merge - THESEUS_MM_IOC_MERGE: make one object of two
 * @flags: in: must be 0
 * @handle: in: of any kind; stays, and grows
 * @other: in: of the same kind; directly after @handle (pages and frames: or
 *         before); consumed
 * @reserved: must be 0
 */
struct theseus_mm_merge {
	__u32 flags;
	__u32 handle;
	__u32 other;
	__u32 reserved;
};

#define THESEUS_MM_ALLOCATE_AT		(1U << 0)	/* start where @at says */
#define THESEUS_MM_ALLOCATE_IN_RANGE	(1U << 1)	/* stay within @min .. @max */
#define THESEUS_MM_ALLOCATE_BY_BYTES	(1U << 2)	/* @size counts bytes */
#define THESEUS_MM_ALLOCATE_FLAGS_ALL	0x7U

/**
 * struct theseus_mm_allocate - THESEUS_MM_IOC_ALLOCATE_PAGES, _ALLOCATE_FRAMES
 * @flags: in: THESEUS_MM_ALLOCATE_*; AT excludes IN_RANGE and @align
 * @handle: out: the new object
 * @size: in: number of 4 KiB pages or frames, more than 0; with BY_BYTES, bytes,
 *        rounded up to whole ones after the offset of @at within its own was added
 * @at: in: with AT, an address in the first page or frame; else 0
 * @min: in: with IN_RANGE, lowest address that may be used; else 0
 * @max: in: with IN_RANGE, highest address that may be used, inclusive; else 0
 * @align: in: bytes, a power of two from 4096 to 1 GiB; 0 means anywhere
 * @start: out: first address; of frames, 0 without CAP_SYS_ADMIN
 * @nr_pages: out: number of 4 KiB pages or frames
 *
 * To choose physical addresses (frames with AT or IN_RANGE) takes CAP_SYS_ADMIN.
 * Frames are RAM: AT in a device region is EOPNOTSUPP, see MAP_FRAME_RANGE.
 */
struct theseus_mm_allocate {
	__u32 flags;
	__u32 handle;
	__aligned_u64 size;
	__aligned_u64 at;
	__aligned_u64 min;
	__aligned_u64 max;
	__aligned_u64 align;
	__aligned_u64 start;
	__aligned_u64 nr_pages;
};

/**
 * struct theseus_mm_create_mapping - THESEUS_MM_IOC_CREATE_MAPPING,
 *	_CREATE_CONTIGUOUS_MAPPING, _CREATE_IDENTITY_MAPPING
 * @flags: in: must be 0
 * @handle: out: the new mapping
 * @size: in: bytes, more than 0; rounded up to whole pages
 * @pte_flags: in: THESEUS_MM_PTE_SETTABLE
 * @start: out: virtual address
 * @nr_pages: out: number of 4 KiB pages
 * @paddr: out: contiguous and identity only: physical address; 0 without
 *         CAP_SYS_ADMIN
 * @leaf_size: in: bytes: 4096, 2 MiB or 1 GiB: the mapping consists of such leaves, of
 *             which its size is a multiple, else EINVAL; EOPNOTSUPP if the CPU has none.
 *             0: leaves as large as there is room for.
 * @align: in: bytes, a power of two from 4096 to 1 GiB: @start is a multiple of it, and
 *         for the second and the third the physical address too; 0 means anywhere
 *
 * All take pages and frames of their own. The first takes as many runs of
 * frames as it needs; the second takes one run; the third takes one run, and
 * virtual addresses equal to its physical ones, which needs CAP_SYS_RAWIO.
 * ENOSPC also if there is room, but not for such leaves, or not so aligned.
 */
struct theseus_mm_create_mapping {
	__u32 flags;
	__u32 handle;
	__aligned_u64 size;
	__aligned_u64 pte_flags;
	__aligned_u64 start;
	__aligned_u64 nr_pages;
	__aligned_u64 paddr;
	__aligned_u64 leaf_size;
	__aligned_u64 align;
};

/**
 * struct theseus_mm_map - THESEUS_MM_IOC_MAP_ALLOCATED_PAGES,
 *	_MAP_ALLOCATED_PAGES_TO
 * @flags: in: must be 0
 * @pages: in: handle of pages; consumed
 * @frames: in: _TO: handle of as many frames; consumed. Else 0: new frames are
 *          taken.
 * @handle: out: the new mapping
 * @pte_flags: in: THESEUS_MM_PTE_SETTABLE
 * @start: out: virtual address
 * @nr_pages: out: number of 4 KiB pages
 */
struct theseus_mm_map {
	__u32 flags;
	__u32 pages;
	__u32 frames;
	__u32 handle;
	__aligned_u64 pte_flags;
	__aligned_u64 start;
	__aligned_u64 nr_pages;
};

/**
 * struct theseus_mm_remap - THESEUS_MM_IOC_REMAP: change a mapping's flags
 * @flags: in: must be 0
 * @handle: in: a mapping; stays
 * @pte_flags: in: THESEUS_MM_PTE_SETTABLE; EACCES if it would become writable and is
 *             ATTRIBUTE_READ_ONLY
 */
struct theseus_mm_remap {
	__u32 flags;
	__u32 handle;
	__aligned_u64 pte_flags;
};

/**
 * struct theseus_mm_unmap - THESEUS_MM_IOC_UNMAP_INTO_PARTS
 * @flags: in: must be 0
 * @handle: in: a mapping; consumed. EACCES if it is ATTRIBUTE_READ_ONLY: its frames could
 *          be mapped writable
 * @frames: in: address of an array of @nr_frames __u32, filled with the handles
 *          of the frames, one for each contiguous run, in the order of the pages
 * @nr_frames: in: room in it, at least nr_frame_ranges of QUERY, else ENOBUFS;
 *             out: handles written
 * @pages: out: handle of the pages
 */
struct theseus_mm_unmap {
	__u32 flags;
	__u32 handle;
	__aligned_u64 frames;
	__u32 nr_frames;
	__u32 pages;
};

/**
 * struct theseus_mm_access - THESEUS_MM_IOC_READ, _WRITE: copy out of, into
 * @flags: in: must be 0
 * @handle: in: a mapping; stays. WRITE needs it writable, else EACCES.
 * @offset: in: bytes from its start
 * @length: in: bytes; 0 is success. All must lie in the mapping, else ERANGE,
 *          with nothing copied.
 * @buffer: in: address of @length bytes. EFAULT, EINTR or EIO (the memory failed) in
 *          the middle leaves what was copied until then.
 *
 * Device memory that is uncached or write-combining is accessed once a byte, in order,
 * and aligned: in units of the largest of 1, 2 or 4 bytes that divides @offset and
 * @length, and of 8 if @length is 8 (write-combining memory: whenever 8 divides both).
 * So a register is read or written by a call of its own size.
 */
struct theseus_mm_access {
	__u32 flags;
	__u32 handle;
	__aligned_u64 offset;
	__aligned_u64 length;
	__aligned_u64 buffer;
};

/**
 * struct theseus_mm_map_offset - THESEUS_MM_IOC_MAP_OFFSET: where to mmap a mapping
 * @flags: in: must be 0
 * @handle: in: a mapping; stays
 * @offset: out: to be passed to mmap() of the device, plus bytes into the mapping
 *          if not all of it is wanted; a multiple of 4096, never 0
 * @nr_bytes: out: size of the mapping
 *
 * See "Borrowing by mmap" above. The offset is the mapping's as long as the
 * handle is valid, but for one that MERGE makes longer: that has a new one, to be asked
 * for. Offsets are a client's own, and packed low: those of mappings of 16 TiB in all fit
 * mmap2() of 32-bit programs, which need 64-bit file offsets (_FILE_OFFSET_BITS=64). A
 * 32-bit program that asks for another, or for one that does not fit, gets EOVERFLOW.
 */
struct theseus_mm_map_offset {
	__u32 flags;
	__u32 handle;
	__aligned_u64 offset;
	__aligned_u64 nr_bytes;
};

/**
 * struct theseus_mm_revoke - THESEUS_MM_IOC_REVOKE: end all borrows by mmap
 * @flags: in: must be 0
 * @handle: in: a mapping; stays
 * @nr_revoked: out: how many there were
 * @nr_pinned: out: how many of them, or of earlier ones, I/O still holds: those have
 *             not ended. Borrows that overlap are one then.
 *
 * When it returns, no process reaches the mapping through an older mmap: touching
 * one is SIGBUS from now on, and the borrows have ended. It can be mmapped anew, but
 * not through descriptors that only borrow: those are stale. The structure may lie in
 * an area of the mapping: then the counts are lost with it.
 */
struct theseus_mm_revoke {
	__u32 flags;
	__u32 handle;
	__u32 nr_revoked;
	__u32 nr_pinned;
};

#define THESEUS_MM_SHARE_OFF		(1U << 0)
#define THESEUS_MM_SHARE_FLAGS_ALL	0x1U

/**
 * struct theseus_mm_share - THESEUS_MM_IOC_SHARE: let a mapping have many writers
 * @flags: in: 0 to begin, THESEUS_MM_SHARE_OFF to end it
 * @handle: in: a mapping that is not borrowed, else EBUSY; stays
 *
 * The stated exception to one writer at a time; see above, also for where locks that
 * processes share may lie. Parts that the mapping
 * is split into are as it was; MERGE wants both alike, else EMEDIUMTYPE.
 */
struct theseus_mm_share {
	__u32 flags;
	__u32 handle;
};

#define THESEUS_MM_EXPORT_BORROW	(1U << 0)
#define THESEUS_MM_EXPORT_READ_ONLY	(1U << 1)
#define THESEUS_MM_EXPORT_FLAGS_ALL	0x3U

/**
 * struct theseus_mm_export - THESEUS_MM_IOC_EXPORT, _EXPORT_DMABUF
 * @flags: in: EXPORT: THESEUS_MM_EXPORT_*; EXPORT_DMABUF: must be 0
 * @handle: in: a mapping. EXPORT: not borrowed, else EBUSY; consumed. With BORROW, and
 *          EXPORT_DMABUF: stays
 * @fd: out: the descriptor, close-on-exec
 * @export_id: out: its number for TAKE_BACK, not that of an export before it for a long
 *             time; 0 with BORROW, and of a dma-buf
 *
 * EXPORT: see "Handing over" and "Lending by descriptor". EXPORT_DMABUF gives a dma-buf,
 * which borrows the mapping (mutably if it is writable; EBUSY as for mmap()) until it is
 * closed, unmapped, and no device uses it; a read-only mapping may have other borrows beside
 * it. After REVOKE its areas are SIGBUS and new uses fail with ENODEV; what a device has at
 * that time is pinned. EOPNOTSUPP without FEATURE_DMABUF.
 */
struct theseus_mm_export {
	__u32 flags;
	__u32 handle;
	__s32 fd;
	__u32 export_id;
};

/**
 * struct theseus_mm_import - THESEUS_MM_IOC_IMPORT: take over an exported mapping
 * @flags: in: must be 0
 * @fd: in: a descriptor that EXPORT made; it stays open, and stale. EBADF if it is
 *      closed, EINVAL if it is something else, EACCES if it only borrows, ESTALE if
 *      somebody was faster, EBUSY while the mapping is borrowed, EDQUOT if it is too much
 *      for the caller
 * @handle: out: the mapping, the calling client's now
 * @reserved: must be 0
 * @start: out: virtual address
 * @nr_pages: out: number of 4 KiB pages
 */
struct theseus_mm_import {
	__u32 flags;
	__s32 fd;
	__u32 handle;
	__u32 reserved;
	__aligned_u64 start;
	__aligned_u64 nr_pages;
};

/**
 * struct theseus_mm_take_back - THESEUS_MM_IOC_TAKE_BACK: end an export
 * @flags: in: must be 0
 * @export_id: in: what EXPORT told the calling client. ESTALE if somebody imported the
 *             mapping, or took it back, or its last descriptor is closed
 * @handle: out: the mapping, as it was when it was exported: writable again, if only the
 *          export was read-only
 * @reserved: must be 0
 * @start: out: virtual address
 * @nr_pages: out: number of 4 KiB pages
 *
 * Areas end as by REVOKE, and all descriptors are stale. What I/O holds of the mapping stays
 * borrowed until it lets go. Of IMPORT and TAKE_BACK at a time, one gets it.
 */
struct theseus_mm_take_back {
	__u32 flags;
	__u32 export_id;
	__u32 handle;
	__u32 reserved;
	__aligned_u64 start;
	__aligned_u64 nr_pages;
};

#define THESEUS_MM_BATCH_ALL_OR_NOTHING	(1U << 0)
#define THESEUS_MM_BATCH_FLAGS_ALL	0x1U
#define THESEUS_MM_MAX_BATCH		65536

/**
 * struct theseus_mm_batch - THESEUS_MM_IOC_CREATE_BATCH, _DROP_BATCH
 * @flags: in: THESEUS_MM_BATCH_*
 * @nr_items: in: 1 .. THESEUS_MM_MAX_BATCH
 * @items: in: address of an array of struct theseus_mm_create_item or
 *         struct theseus_mm_drop_item
 * @nr_done: out: items that succeeded
 * @item_size: in: size of an item
 *
 * The items are done in order, each as by CREATE_MAPPING, CREATE_CONTIGUOUS_MAPPING
 * or DROP, and each is told its own error, a positive errno, or 0. The call itself
 * succeeds even if no item did. With ALL_OR_NOTHING, the call fails with the error
 * of the first item that fails, and nothing has changed: that item has its error,
 * all others ECANCELED.
 *
 * No new handle is valid, and nothing is dropped, before all results are written: a
 * fault while items are read or results written is EFAULT, and nothing has changed
 * then either, whatever the results say. The same goes for E2BIG, for EINTR, killed, and
 * for ENOMEM of the call itself. Handles that are to be dropped are ENOENT meanwhile, to
 * other calls and to a later item of the same.
 */
struct theseus_mm_batch {
	__u32 flags;
	__u32 nr_items;
	__aligned_u64 items;
	__u32 nr_done;
	__u32 item_size;
};

#define THESEUS_MM_CREATE_ITEM_CONTIGUOUS	(1U << 0)
#define THESEUS_MM_CREATE_ITEM_FLAGS_ALL	0x1U

/**
 * struct theseus_mm_create_item - a mapping to create
 * @flags: in: THESEUS_MM_CREATE_ITEM_*
 * @error: out: 0 or a positive errno
 * @size: in: as in struct theseus_mm_create_mapping; the rest too
 * @pte_flags: in
 * @handle: out: 0 if there is an error, as all that follows
 * @reserved: must be 0
 * @start: out
 * @nr_pages: out
 * @paddr: out
 * @leaf_size: in
 * @align: in
 */
struct theseus_mm_create_item {
	__u32 flags;
	__u32 error;
	__aligned_u64 size;
	__aligned_u64 pte_flags;
	__u32 handle;
	__u32 reserved;
	__aligned_u64 start;
	__aligned_u64 nr_pages;
	__aligned_u64 paddr;
	__aligned_u64 leaf_size;
	__aligned_u64 align;
};

/**
 * struct theseus_mm_drop_item - an object to drop
 * @handle: in: of any kind; consumed unless there is an error
 * @error: out: 0 or a positive errno
 */
struct theseus_mm_drop_item {
	__u32 handle;
	__u32 error;
};

#define THESEUS_MM_MEMORY_WRITE_BACK		0
#define THESEUS_MM_MEMORY_UNCACHED		1
#define THESEUS_MM_MEMORY_WRITE_COMBINING	2

/**
 * struct theseus_mm_device_region - THESEUS_MM_IOC_ADD_DEVICE_REGION,
 *	_REMOVE_DEVICE_REGION
 * @flags: in: must be 0
 * @memory_type: in: ADD: THESEUS_MM_MEMORY_*: how it is cached, in every mapping of
 *               it; REMOVE: must be 0
 * @start: in: physical address, a multiple of 4096
 * @nr_bytes: in: a multiple of 4096
 *
 * ADD claims device memory that no driver has claimed (EBUSY), not RAM. It is there
 * for all until it is removed or the module goes; REMOVE fails with EBUSY while
 * somebody owns a frame of it, and with ERANGE unless it was added with this start and
 * size. ADD: EADDRINUSE if some of it was added already, EOPNOTSUPP if some is RAM.
 * Takes CAP_SYS_RAWIO, and ADD fails with EPERM where Linux is locked down. What the
 * processor or the chipset itself decodes (APICs, message interrupts, HPET) is EBUSY.
 *
 * When the device is removed (hot-unplugged, or by sysfs), its region is dead: areas are
 * SIGBUS, nothing is mapped, read or written any more (ENODEV), and its addresses are no
 * longer claimed. What was mapped is to be dropped, and the region to be removed, before
 * a device that comes to that address can be added.
 */
struct theseus_mm_device_region {
	__u32 flags;
	__u32 memory_type;
	__aligned_u64 start;
	__aligned_u64 nr_bytes;
};

/**
 * struct theseus_mm_map_range - THESEUS_MM_IOC_MAP_FRAME_RANGE: map frames by address
 * @flags: in: must be 0
 * @handle: out: the new mapping
 * @paddr: in: physical address in a device region; rounded down to a whole frame
 * @nr_bytes: in: more than 0; rounded up
 * @pte_flags: in: THESEUS_MM_PTE_SETTABLE; DEVICE_MEMORY as the region's memory
 *             type asks for, else EOPNOTSUPP
 * @start: out: virtual address
 * @nr_pages: out: number of 4 KiB pages
 *
 * Takes CAP_SYS_RAWIO; EPERM where Linux is locked down (what was mapped before stays).
 * Frames of RAM cannot be asked for: EOPNOTSUPP. What the device
 * holds is not touched, and does not count against limits; the tables do. READ and WRITE
 * copy in pieces of any width: registers that mind are for mmap().
 */
struct theseus_mm_map_range {
	__u32 flags;
	__u32 handle;
	__aligned_u64 paddr;
	__aligned_u64 nr_bytes;
	__aligned_u64 pte_flags;
	__aligned_u64 start;
	__aligned_u64 nr_pages;
};

/**
 * struct theseus_mm_translate - THESEUS_MM_IOC_TRANSLATE: virtual to physical
 * @flags: in: must be 0
 * @page_size_shift: out: 12, 21 or 30, by the size of the leaf
 * @vaddr: in: any address; EINVAL if not canonical, ENOENT if nothing is mapped
 * @paddr: out: what it translates to in the shared address space
 * @pte_flags: out: THESEUS_MM_PTE_* that the leaf entry shows
 *
 * Takes CAP_SYS_ADMIN.
 */
struct theseus_mm_translate {
	__u32 flags;
	__u32 page_size_shift;
	__aligned_u64 vaddr;
	__aligned_u64 paddr;
	__aligned_u64 pte_flags;
};

#define THESEUS_MM_MAX_LEVELS	5

/**
 * struct theseus_mm_dump_pte - THESEUS_MM_IOC_DUMP_PTE: one address's table walk
 * @flags: in: must be 0
 * @nr_levels: out: entries looked at, from the root down; fewer than the paging
 *             levels if the walk ended early
 * @vaddr: in: any address; EINVAL if not canonical
 * @entries: out: raw entries; [0] is the root's. Bits 62..52 of an entry that
 *           points to a table count the entries used in that table.
 *
 * Takes CAP_SYS_ADMIN.
 */
struct theseus_mm_dump_pte {
	__u32 flags;
	__u32 nr_levels;
	__aligned_u64 vaddr;
	__aligned_u64 entries[THESEUS_MM_MAX_LEVELS];
};

#define THESEUS_MM_IOWR(nr, type)	_IOWR(THESEUS_MM_IOC_MAGIC, nr, struct type)

#define THESEUS_MM_IOC_GET_INFO		THESEUS_MM_IOWR(0x00, theseus_mm_info)
#define THESEUS_MM_IOC_GET_REGION	THESEUS_MM_IOWR(0x01, theseus_mm_region)
#define THESEUS_MM_IOC_GET_OCCUPANCY	THESEUS_MM_IOWR(0x02, theseus_mm_occupancy)
#define THESEUS_MM_IOC_QUERY		THESEUS_MM_IOWR(0x03, theseus_mm_query)
#define THESEUS_MM_IOC_DROP		THESEUS_MM_IOWR(0x04, theseus_mm_drop)
#define THESEUS_MM_IOC_SPLIT		THESEUS_MM_IOWR(0x05, theseus_mm_split)
#define THESEUS_MM_IOC_MERGE		THESEUS_MM_IOWR(0x06, theseus_mm_merge)

#define THESEUS_MM_IOC_GET_CLIENTS	THESEUS_MM_IOWR(0x07, theseus_mm_clients)
#define THESEUS_MM_IOC_GET_LIMITS	THESEUS_MM_IOWR(0x08, theseus_mm_limits)
#define THESEUS_MM_IOC_SET_LIMITS	THESEUS_MM_IOWR(0x09, theseus_mm_limits)
#define THESEUS_MM_IOC_LIST_HANDLES	THESEUS_MM_IOWR(0x0a, theseus_mm_handles)

#define THESEUS_MM_IOC_ALLOCATE_FRAMES	THESEUS_MM_IOWR(0x10, theseus_mm_allocate)
#define THESEUS_MM_IOC_ALLOCATE_PAGES	THESEUS_MM_IOWR(0x20, theseus_mm_allocate)

#define THESEUS_MM_IOC_CREATE_MAPPING	THESEUS_MM_IOWR(0x30, theseus_mm_create_mapping)
#define THESEUS_MM_IOC_CREATE_CONTIGUOUS_MAPPING \
					THESEUS_MM_IOWR(0x31, theseus_mm_create_mapping)
#define THESEUS_MM_IOC_MAP_ALLOCATED_PAGES \
					THESEUS_MM_IOWR(0x32, theseus_mm_map)
#define THESEUS_MM_IOC_MAP_ALLOCATED_PAGES_TO \
					THESEUS_MM_IOWR(0x33, theseus_mm_map)
#define THESEUS_MM_IOC_REMAP		THESEUS_MM_IOWR(0x34, theseus_mm_remap)
#define THESEUS_MM_IOC_UNMAP_INTO_PARTS	THESEUS_MM_IOWR(0x35, theseus_mm_unmap)
#define THESEUS_MM_IOC_READ		THESEUS_MM_IOWR(0x36, theseus_mm_access)
#define THESEUS_MM_IOC_WRITE		THESEUS_MM_IOWR(0x37, theseus_mm_access)

#define THESEUS_MM_IOC_MAP_OFFSET	THESEUS_MM_IOWR(0x38, theseus_mm_map_offset)
#define THESEUS_MM_IOC_REVOKE		THESEUS_MM_IOWR(0x39, theseus_mm_revoke)

#define THESEUS_MM_IOC_SHARE		THESEUS_MM_IOWR(0x3a, theseus_mm_share)
#define THESEUS_MM_IOC_CREATE_BATCH	THESEUS_MM_IOWR(0x3b, theseus_mm_batch)
#define THESEUS_MM_IOC_DROP_BATCH	THESEUS_MM_IOWR(0x3c, theseus_mm_batch)
#define THESEUS_MM_IOC_CREATE_IDENTITY_MAPPING \
					THESEUS_MM_IOWR(0x3d, theseus_mm_create_mapping)
#define THESEUS_MM_IOC_MAP_FRAME_RANGE	THESEUS_MM_IOWR(0x3e, theseus_mm_map_range)

#define THESEUS_MM_IOC_TRANSLATE	THESEUS_MM_IOWR(0x40, theseus_mm_translate)
#define THESEUS_MM_IOC_DUMP_PTE		THESEUS_MM_IOWR(0x41, theseus_mm_dump_pte)

#define THESEUS_MM_IOC_EXPORT		THESEUS_MM_IOWR(0x50, theseus_mm_export)
#define THESEUS_MM_IOC_IMPORT		THESEUS_MM_IOWR(0x51, theseus_mm_import)
#define THESEUS_MM_IOC_EXPORT_DMABUF	THESEUS_MM_IOWR(0x52, theseus_mm_export)
#define THESEUS_MM_IOC_TAKE_BACK	THESEUS_MM_IOWR(0x53, theseus_mm_take_back)

#define THESEUS_MM_IOC_ADD_DEVICE_REGION \
					THESEUS_MM_IOWR(0x60, theseus_mm_device_region)
#define THESEUS_MM_IOC_REMOVE_DEVICE_REGION \
					THESEUS_MM_IOWR(0x61, theseus_mm_device_region)

#endif /* _UAPI_THESEUS_MM_H */
