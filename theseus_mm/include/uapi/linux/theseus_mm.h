/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * theseus_mm: ownership of RAM reserved at boot, for user space
 * ==============================================================
 *
 * Clients, objects, handles
 * -------------------------
 * Every open() of /dev/theseus_mm makes a client. The client is the open file
 * description: descriptors made from it by dup() or fork() are the same client.
 * A client owns objects of three kinds:
 *
 *	pages		a run of virtual pages of the shared address space
 *	frames		a run of physical frames, zeroed when they are allocated
 *	mapping		pages together with the frames behind them
 *
 * The client names its objects by handles: 32-bit numbers of that client, never 0. A call
 * that *consumes* a handle makes the handle invalid if the call succeeds; if the call fails,
 * the handle stays valid and nothing changes. When the last descriptor of a client is
 * closed - by close(), exit or SIGKILL - the module frees everything that the client owns.
 *
 * A client that was opened with O_RDONLY can only inspect: GET_INFO, GET_REGION,
 * GET_OCCUPANCY, GET_CLIENTS, GET_LIMITS, LIST_HANDLES, QUERY, TRANSLATE, DUMP_PTE and
 * poll() work as for other clients, and need the same capabilities. Every other call, and
 * mmap(), fails with EBADF. Such a client never owns anything.
 *
 * While a call changes or consumes an object, any other call on the same handle fails with
 * ENOENT. The handle is valid again after the call, unless the call consumed it. READs of
 * one mapping can run at the same time. A WRITE excludes READs, other WRITEs and changes of
 * that mapping: the later call fails with EBUSY.
 *
 * Borrowing by mmap
 * -----------------
 * Any process that has a descriptor of the client can mmap a mapping (MAP_SHARED) at the
 * offset that MAP_OFFSET returns. The result is an *area*, and each area is a borrow of the
 * mapping. An area without PROT_WRITE is an immutable borrow: a mapping can have any number
 * of them, and READs, at the same time. An area with PROT_WRITE is a mutable borrow: it
 * needs a writable mapping (else EACCES), and excludes every other borrow, READ and WRITE
 * (EBUSY). While a mapping is borrowed, it cannot be remapped, split, merged, unmapped or
 * dropped (EBUSY). A borrow ends with munmap(), with the process, or with the owner's
 * REVOKE or TAKE_BACK. fork() does not inherit an area, and mprotect() cannot add rights to
 * it. A mapping that was borrowed mutably is DIRTY afterwards. If the client of a mapping is
 * gone, the mapping is freed with its last borrow.
 *
 * Leaves of 2 MiB and 1 GiB are large entries in an area too: mmap() without an address hint
 * aligns large areas for them. Small entries are inserted 512 at a time. (Before Linux 7.3,
 * if the kernel supports NUMA, the module uses small entries instead of entries of 2 MiB
 * for memory without struct pages.)
 *
 * MAP_POPULATE and MAP_LOCKED insert all entries of the new area, so that the area takes no
 * faults later. mlockall(MCL_FUTURE) does the same for each area that is mmapped after that
 * call. To fill an existing area, touch a byte of each page. For memory without struct
 * pages, mlock() and mlockall(MCL_CURRENT) do nothing, and madvise(MADV_POPULATE_*) fails
 * with EINVAL. Entries are removed permanently only by the calls that this section names,
 * by failing memory, and by the removal of a device.
 *
 * Nothing needs to be written back: msync() returns 0, as does fsync() of an exported
 * mapping. If a program's personality has READ_IMPLIES_EXEC and the mapping is not
 * executable, the area is not executable; PROT_EXEC without PROT_READ then fails with
 * EACCES.
 *
 * Without FEATURE_STRUCT_PAGES, I/O cannot pin the memory: O_DIRECT, vmsplice(),
 * process_vm_readv() and RDMA on the memory fail with EFAULT. Debuggers can read the
 * memory, and write to the memory if the borrow is mutable. Some parts of Linux take frame
 * numbers out of an area instead (follow_pfn(), follow_pte()) and can use the memory. KVM
 * is one of these parts: its guests lose the memory together with the area. VFIO, acrn,
 * videobuf-dma-contig and KVM for nested guests may still use the frames after the area is
 * gone. If you do not trust the users of these parts, load the module with struct_pages=1
 * or quarantine=1.
 *
 * Device memory has the memory type of its region, in processes too. A mapping of
 * write-back device memory cannot be mmapped: EOPNOTSUPP.
 *
 * With FEATURE_STRUCT_PAGES, I/O, RDMA and VFIO can pin the memory. Memory that is pinned
 * when its area ends stays borrowed until it is unpinned. No other owner gets such memory
 * before it is unpinned, even if the owner dies or drops the mapping. The module checks for
 * the end of a pin at intervals of up to a second. (Linux 6.1 does not handle entries of 2
 * MiB safely for such memory, so the module uses small entries.)
 *
 * Memory that fails (reported by a machine check or to Linux's memory_failure()) is
 * retired: its frame is never given out again. A mapping that contains the frame stays with
 * its owner, and gets ATTRIBUTE_BAD. The failed page raises SIGBUS in processes, with
 * BUS_MCEERR_AR and the address; READ and WRITE of the page fail with EIO. The other pages
 * of the mapping stay usable.
 *
 * With FEATURE_QUARANTINE, a mapping that was ever mmapped can be used like any other, but
 * nobody gets its frames again: DROP does not free the frames, and UNMAP_INTO_PARTS fails
 * with EBUSY.
 *
 * A mapping that was made *shareable* (SHARE) can have many mutable borrows, and READs and
 * WRITEs at the same time: its users have to synchronise their writes. Mutexes, conditions
 * and semaphores that processes share work inside the mapping only with
 * FEATURE_STRUCT_PAGES: Linux identifies such locks by struct pages. Without struct pages,
 * futex() fails with EFAULT, and the C library then ends the program: put the locks into a
 * memfd instead, or use atomic operations and an eventfd. Locks between the threads of one
 * process always work.
 *
 * Handing over
 * ------------
 * EXPORT turns a mapping into a descriptor that owns the mapping. The descriptor can be
 * passed to another process, and mmapped from offset 0 on, with the rules above;
 * lseek(SEEK_END) and fstat() tell the size of the mapping. All descriptors made from this
 * descriptor by dup(), fork() or SCM_RIGHTS are one owner: when the last descriptor is
 * closed and the last area is gone, the mapping is dropped. IMPORT moves the mapping to a
 * client, and makes every descriptor of the mapping stale (ESTALE). The mapping counts
 * against the limits of the client that exported it until a client imports it. QUERY and
 * REVOKE work on the descriptor itself, with handle 0. Until the mapping is imported, its
 * exporter can get it back with TAKE_BACK and the @export_id that EXPORT returned.
 *
 * With EXPORT_READ_ONLY, no receiver can ever write to the mapping: not through the
 * descriptor, and not after IMPORT, when REMAP to writable and UNMAP_INTO_PARTS fail with
 * EACCES. A mapping imported from such a descriptor keeps ATTRIBUTE_READ_ONLY through
 * SPLIT and further exports. MERGE needs two mappings with the same ATTRIBUTE_READ_ONLY.
 *
 * Lending by descriptor
 * ---------------------
 * With EXPORT_BORROW the client keeps the handle and the mapping, which counts against the
 * same limits as before. The descriptor only lends the mapping and is not a borrow itself:
 * each mmap() of the descriptor, from offset 0 on and with the rules above, is a borrow that
 * REVOKE ends like any other. IMPORT of the descriptor fails with EACCES for everybody; its
 * only call is QUERY, with handle 0. With EXPORT_READ_ONLY the descriptor lends for reading
 * only, even if the mapping is writable. The descriptor becomes stale (ESTALE) when the
 * handle is consumed, when the mapping is merged or revoked, and when the client ends. While
 * another call changes the mapping, mmap() and QUERY of the descriptor fail with EBUSY.
 *
 * poll() on an exporting or a lending descriptor reports POLLIN while the mapping has no
 * areas and no I/O pins it. poll() reports POLLHUP and POLLERR once the descriptor is stale
 * and all areas made through it are gone.
 *
 * Waiting for memory
 * ------------------
 * poll() on a client waits for the resource (frames, pages or handles) that was missing
 * at the client's last failure with ENOSPC or EDQUOT. poll() reports POLLIN as soon as
 * some of that resource is free again, a limit has room again, or a limit was raised.
 * Try, poll, try again. POLLIN is set before the client's first such failure. Once POLLIN
 * is set again, POLLIN stays set until the next such failure. After POLLIN, the free
 * amount may still be too small, or the limit with room may be that of another client:
 * only another try shows whether the call succeeds. Resources that a failing call itself
 * takes and gives back do not count.
 *
 * Units
 * -----
 * Addresses, offsets, lengths and alignments are in bytes. Counts of pages and frames are in
 * units of 4 KiB. Ranges of addresses are inclusive at both ends.
 *
 * A client can see and choose physical addresses only with CAP_SYS_ADMIN. Without this
 * capability, physical addresses read as 0, and a call that names a physical address fails
 * with EPERM. The calls for identity mappings and for device memory take CAP_SYS_RAWIO
 * instead. The virtual address of an identity mapping is its physical address, which every
 * later owner of the mapping also sees. The calls for device memory name the memory by its
 * physical address.
 *
 * Structures
 * ----------
 * All calls are _IOWR with one structure. A structure may grow at its end: the size in the
 * ioctl's number is the size that the program was built with. Later fields, which the
 * program does not know, are 0. In each such field, 0 stands for what the call did before
 * the field existed. The module reads "in" fields and writes "out" fields; all other fields
 * must be 0.
 *
 * With an array of structures, the program passes the size of an entry that it was built
 * with: a multiple of 8, at least the size in the first version and at most a page, else
 * EINVAL. If the program's entry is larger than the module's, the module clears the rest of
 * each entry that it writes; the rest of an entry that the module reads must be 0, else
 * E2BIG.
 *
 * Errors
 * ------
 *	EINVAL		malformed: nothing asked for, misaligned, not canonical,
 *			unknown flag, reserved field not 0, structure too small
 *	E2BIG		structure larger than a page; or larger than the module's, and
 *			the rest is not 0
 *	ENOTTY		no such call
 *	EFAULT		bad pointer
 *	ENOMEM		the kernel's memory is exhausted
 *	ENFILE		too many open files: each mapping that can be mmapped takes one
 *	ENOSPC		the region (frames of page tables included) or the
 *			address space is exhausted: nothing large enough is free
 *	ENOBUFS		the array for the results is too short
 *	EADDRINUSE	the requested address is owned
 *	EADDRNOTAVAIL	the requested address is free, but not all of the range
 *	ERANGE		outside every region, or outside the mapping
 *	EOVERFLOW	start + length or count * size overflows; no offset for mmap()
 *			that the program can use
 *	ENOENT		no such handle, or of another kind; nothing mapped there
 *	EACCES		write access to a mapping that is not writable, or execution of
 *			one that is not executable; a write to a mapping that was handed
 *			over read-only; IMPORT of a descriptor that only lends
 *	EBUSY		the mapping is borrowed, or the device region is in use
 *	EPERM		a capability is missing, or Linux is locked down
 *	ENODEV		the device that the memory belongs to was removed
 *	EIO		the memory fails
 *	EDOM		merge: the two do not touch, or are in the wrong order
 *	EMEDIUMTYPE	merge: flags, attributes, regions or kinds of memory differ
 *	EDQUOT		a limit of the client or of its user is reached
 *	ESTALE		the exported mapping was imported or taken back, or a lending
 *			descriptor lends no more
 *	EBADF		the client was opened with O_RDONLY; IMPORT: no such descriptor
 *	EMFILE		the process has too many descriptors
 *	ECANCELED	an item of a batch was undone, because another item failed
 *	EOPNOTSUPP	well-formed, but not possible here (a memory type on RAM)
 *	EINTR		the process was killed during the call
 */
#ifndef _UAPI_THESEUS_MM_H
#define _UAPI_THESEUS_MM_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Linux 6.1's ioctl-number.rst does not list 0xB8..0xBF. */
#define THESEUS_MM_IOC_MAGIC	0xBA

/*
 * From version 2 on, the ABI only grows: new calls are added, and new fields are appended
 * to structures.
 */
#define THESEUS_MM_ABI		2

/* Flags of a mapping that user space can choose or see. */
#define THESEUS_MM_PTE_VALID		(1ULL << 0)	/* out only */
#define THESEUS_MM_PTE_WRITABLE		(1ULL << 1)	/* with NOT_EXECUTABLE */
#define THESEUS_MM_PTE_USER_ACCESSIBLE	(1ULL << 2)	/* recorded only */
#define THESEUS_MM_PTE_DEVICE_MEMORY	(1ULL << 4)	/* EOPNOTSUPP on RAM */
#define THESEUS_MM_PTE_ACCESSED		(1ULL << 5)
#define THESEUS_MM_PTE_DIRTY		(1ULL << 6)	/* recorded only */
#define THESEUS_MM_PTE_GLOBAL		(1ULL << 8)	/* recorded only */
#define THESEUS_MM_PTE_EXCLUSIVE	(1ULL << 55)	/* out only */
#define THESEUS_MM_PTE_NOT_EXECUTABLE	(1ULL << 63)

/*
 * Flags that a client may pass; any other flag is EINVAL. WRITABLE without NOT_EXECUTABLE is
 * EINVAL too: no mapping is both writable and executable.
 */
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
 * struct theseus_mm_info - THESEUS_MM_IOC_GET_INFO: features, counts and limits
 * @flags: in: must be 0
 * @abi: out: THESEUS_MM_ABI of the module
 * @features: out: THESEUS_MM_FEATURE_*
 * @paging_levels: out: 4 or 5
 * @nr_regions: out: regions that were claimed
 * @region_bytes: out: size of all regions
 * @frames_total: out: frames that can be allocated; the others hold the module's metadata
 * @frames_free: out: frames that nobody owns
 * @frames_ranges: out: contiguous runs of free frames
 * @frames_largest: out: longest free run of whole frames of 4 KiB, 2 MiB and 1 GiB, aligned to
 *                  that size, in frames of 4 KiB
 * @pages_start: out: first virtual address that can be allocated
 * @pages_total: out: pages that clients can have: 7.5 TiB with 4 levels of paging, 3.75 PiB
 *               with 5. A run of more than 16 TiB can be allocated only AT an address.
 * @pages_free: out: pages among @pages_total that nobody owns
 * @nr_mappings: out: mappings of all clients
 * @nr_tables: out: frames that are page tables, without those of the root itself
 * @client_handles: out: handles of the calling client, as GET_LIMITS counts them
 * @client_handles_max: out: limit of @client_handles, see GET_LIMITS
 * @client_frames: out: frames that the calling client owns, mapped or not, without frames
 *                 that another call is changing at this moment
 * @client_id: out: number of the calling client, as in GET_CLIENTS
 * @nr_clients: out: number of clients
 * @frames_bad: out: frames whose memory fails, and which are never allocated again. A bad
 *              frame that somebody owns stays with its owner until the owner frees the
 *              frame
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

/* The memory has struct pages: I/O can use it directly. */
#define THESEUS_MM_FEATURE_STRUCT_PAGES	(1ULL << 0)
/* EXPORT_DMABUF works. */
#define THESEUS_MM_FEATURE_DMABUF	(1ULL << 1)
/* Memory that was mmapped goes to no other owner until the module is unloaded. */
#define THESEUS_MM_FEATURE_QUARANTINE	(1ULL << 2)

/**
 * struct theseus_mm_region - THESEUS_MM_IOC_GET_REGION: one claimed region
 * @flags: in: must be 0
 * @index: in: 0 .. nr_regions - 1, else ERANGE
 * @start: out: physical address; 0 without CAP_SYS_ADMIN
 * @nr_bytes: out: size
 */
struct theseus_mm_region {
	__u32 flags;
	__u32 index;
	__aligned_u64 start;
	__aligned_u64 nr_bytes;
};

/**
 * struct theseus_mm_bucket - what the frames of a part of a region are used for
 * @free: frames that nobody owns
 * @allocated: frames that are owned, but not mapped
 * @mapped: frames that a mapping owns
 * @tables: frames that are page tables
 * @metadata: frames that hold the module's metadata
 * @bad: frames that are retired, since their memory failed
 */
struct theseus_mm_bucket {
	__u32 free;
	__u32 allocated;
	__u32 mapped;
	__u32 tables;
	__u32 metadata;
	__u32 bad;
};

/* The largest number of parts of a region, unless the caller names their size. */
#define THESEUS_MM_MAX_BUCKETS		4096
#define THESEUS_MM_MIN_BUCKET_FRAMES	512		/* the fewest frames of a part */
#define THESEUS_MM_MAX_BUCKET_FRAMES	(1U << 31)	/* the most frames of a part */

#define THESEUS_MM_OWNER_NONE	0U
#define THESEUS_MM_OWNER_HIDDEN	0xffffffffU

/**
 * struct theseus_mm_occupancy - THESEUS_MM_IOC_GET_OCCUPANCY: the use of a region by parts
 * @flags: in: must be 0
 * @index: in: the region, as for GET_REGION
 * @nr_buckets: in: entries that @buckets, and @owners, have room for; out: number of
 *              parts, also with ENOBUFS if there is no room for all of them
 * @bucket_size: in: size of an entry of @buckets
 * @buckets: in: address of an array of struct theseus_mm_bucket
 * @owners: in: 0, or address of an array of __u32, filled with the id of the client that
 *          owns most frames of the part; THESEUS_MM_OWNER_NONE if no client owns any,
 *          THESEUS_MM_OWNER_HIDDEN if the caller may not see that client (GET_CLIENTS)
 * @bucket_frames: in: 0, or frames of a part, a power of two; out: frames of a part, also
 *                 with ENOBUFS. The last part may have fewer frames
 *
 * Part i begins @bucket_frames * i frames after the region's start. If @bucket_frames is 0,
 * the module chooses the smallest power of two that makes at most THESEUS_MM_MAX_BUCKETS
 * parts, but at least 512 frames (2 MiB). The chosen size is the same for every caller and
 * every call. So two results together do not show the place of a frame more exactly than
 * one result. Another size takes CAP_SYS_ADMIN (EPERM), and must be at least
 * THESEUS_MM_MIN_BUCKET_FRAMES and at most THESEUS_MM_MAX_BUCKET_FRAMES.
 *
 * The module counts one part after the other; other clients may allocate and free frames
 * between two parts.
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
 * @id: number of the client, never 0; numbers are not reused for a long time
 * @uid: the user who opened the client, in the caller's user namespace
 * @pid: the process that opened the client, in the caller's pid namespace; 0 if the process
 *       is not visible there. The process may be gone, since descriptors can be passed on.
 * @nr_handles: handles of the client, as GET_LIMITS counts them
 * @nr_mappings: mappings among these handles
 * @nr_exported: mappings that the client has exported and nobody has imported
 * @nr_frames: frames that count against the client's limit: allocated, mapped, exported,
 *             and page tables made for the client
 * @comm: name of the process that opened the client, ended by 0
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
 * struct theseus_mm_clients - THESEUS_MM_IOC_GET_CLIENTS: list the clients
 * @flags: in: must be 0
 * @nr_clients: in: entries that @clients has room for; out: number of clients that the
 *              caller may see, which may be more than there is room for
 * @clients: in: address of an array of @nr_clients struct theseus_mm_client_info, filled
 *           until it is full; may be 0 if @nr_clients is 0
 * @nr_hidden: out: clients that the caller may not see
 * @entry_size: in: size of an entry of @clients
 * @hidden_frames: out: frames that the hidden clients own, or that are still charged to them
 * @orphan_frames: out: frames that are still charged to closed clients that the caller could
 *                 see before: exported and not imported, mmapped by a process, pinned, or in
 *                 quarantine
 *
 * A caller with CAP_SYS_ADMIN sees all clients. Any other caller sees the calling client
 * and the other clients of the same user.
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

/* Flags of SET_LIMITS. */
#define THESEUS_MM_SET_FRAMES	(1U << 0)	/* set @client_frames_max */
#define THESEUS_MM_SET_PAGES	(1U << 1)	/* set @client_pages_max */
#define THESEUS_MM_SET_HANDLES	(1U << 2)	/* set @client_handles_max */
#define THESEUS_MM_SET_LIMITS_FLAGS_ALL						\
	(THESEUS_MM_SET_FRAMES | THESEUS_MM_SET_PAGES | THESEUS_MM_SET_HANDLES)

/**
 * struct theseus_mm_limits - THESEUS_MM_IOC_GET_LIMITS, _SET_LIMITS
 * @flags: in: GET: must be 0; SET: one or more of THESEUS_MM_SET_*
 * @reserved: must be 0
 * @client_frames_max: GET: out; SET: in: frames that the calling client may have
 * @client_pages_max: GET: out; SET: in: pages that the calling client may have
 * @client_handles_max: GET: out; SET: in: handles that the calling client may have
 * @client_frames: out: frames that count against @client_frames_max
 * @client_pages: out: pages that count against @client_pages_max
 * @client_handles: out: handles that count against @client_handles_max
 * @user_frames_max: out: frames that all clients of the user may have together
 * @user_pages_max: out: pages that all clients of the user may have together
 * @user_handles_max: out: handles that all clients of the user may have together
 * @user_frames: out: frames that count against @user_frames_max
 * @user_pages: out: pages that count against @user_pages_max
 * @user_handles: out: handles that count against @user_handles_max
 *
 * THESEUS_MM_NO_LIMIT means no limit, for GET and for SET. SET ignores fields whose flag is
 * not set. A client's limits are the values that the module parameters max_frames,
 * max_pages and max_handles had when the client was opened. A user's limits are the present
 * values of max_user_frames, max_user_pages and max_user_handles. SET can lower the calling
 * client's limits; raising one takes CAP_SYS_RESOURCE, else EPERM with nothing changed. A
 * limit below what the client owns takes nothing away, but the client cannot allocate more.
 *
 * By default a client may have a quarter of all pages that exist when the module is loaded,
 * and a user half of them; a client may have 65,536 handles, and a user 131,072. Apart from
 * the pages for clients, the module keeps a sixteenth of its pages for the kernel. Each
 * object counts as a handle. A mapping that can be mmapped (MAP_OFFSET, EXPORT_DMABUF), a
 * descriptor of EXPORT and a dma-buf each have a file in Linux. This file counts as one
 * more handle of the client that made the file, until the last descriptor and the last area
 * are gone, since Linux limits the number of files.
 *
 * Frames of RAM count from their allocation until they are free again, also while an area
 * holds them after the client is gone. The frame of a page table counts for the mapping that
 * needed the table first, as long as that mapping exists. The frame of a table that SPLIT
 * makes does not count. Pages count from their allocation until they are free again, mapped
 * or not. The user is the real uid of the process that opened the device. In a user
 * namespace, everything also counts against the limits of the namespace's owner, and so on up
 * to the first namespace.
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
 * struct theseus_mm_query - THESEUS_MM_IOC_QUERY: describe the object of a handle
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
#define THESEUS_MM_ATTRIBUTE_PINNED	(1U << 1)	/* I/O pins memory of an ended area */
#define THESEUS_MM_ATTRIBUTE_READ_ONLY	(1U << 2)	/* permanently; see EXPORT */
#define THESEUS_MM_ATTRIBUTE_BAD	(1U << 3)	/* some of the mapping's memory fails */
#define THESEUS_MM_ATTRIBUTE_BORROWED	(1U << 4)	/* the descriptor only lends */

/**
 * struct theseus_mm_handle_info - an object with a handle, or an exported mapping
 * @handle: the handle; 0 for a mapping that was exported and not imported
 * @kind: THESEUS_MM_KIND_*; this field and the next six are as in struct theseus_mm_query
 * @attributes: THESEUS_MM_ATTRIBUTE_*
 * @nr_borrows: for a mapping
 * @start: for frames, 0 without CAP_SYS_ADMIN
 * @nr_pages: size
 * @pte_flags: for a mapping
 * @nr_frame_ranges: for a mapping or frames
 * @export_id: the number that EXPORT returned for an exported mapping, else 0
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
 * struct theseus_mm_handles - THESEUS_MM_IOC_LIST_HANDLES: list the client's objects
 * @flags: in: 0 for the client's handles, THESEUS_MM_HANDLES_EXPORTS for the mappings that
 *         the client has exported and nobody has imported
 * @nr_handles: in: entries that @handles has room for; out: entries that were written
 * @from: in: the lowest handle (or @export_id) to list; out: the value for the next call,
 *        0 at the end
 * @entry_size: in: size of an entry of @handles
 * @handles: in: address of an array of struct theseus_mm_handle_info, filled in the order
 *           of the numbers until it is full
 *
 * The call fails with ENOBUFS if there is an entry to list and @handles has room for none. A
 * handle that another call is changing at that moment is left out. To make a complete list,
 * start with @from 0 and repeat the call until @from is 0; a handle that exists all that
 * time is listed once. After EFAULT or EINTR, some entries may have been written, and
 * @nr_handles does not show how many.
 */
struct theseus_mm_handles {
	__u32 flags;
	__u32 nr_handles;
	__u32 from;
	__u32 entry_size;
	__aligned_u64 handles;
};

/**
 * struct theseus_mm_drop - THESEUS_MM_IOC_DROP: free an object
 * @flags: in: must be 0
 * @handle: in: of any kind; consumed
 *
 * A mapping is unmapped, and its pages and frames are freed.
 */
struct theseus_mm_drop {
	__u32 flags;
	__u32 handle;
};

/**
 * struct theseus_mm_split - THESEUS_MM_IOC_SPLIT: split an object in two
 * @flags: in: must be 0
 * @handle: in: of any kind; consumed
 * @offset: in: bytes before the second part; a multiple of 4096, more than 0 and less than
 *          the size of the object
 * @first: out: handle of the part before @offset
 * @second: out: handle of the part from @offset on
 */
struct theseus_mm_split {
	__u32 flags;
	__u32 handle;
	__aligned_u64 offset;
	__u32 first;
	__u32 second;
};

/**
 * struct theseus_mm_merge - THESEUS_MM_IOC_MERGE: join two objects
 * @flags: in: must be 0
 * @handle: in: of any kind; stays, and grows
 * @other: in: of the same kind, directly after @handle; pages and frames may also be
 *         directly before @handle; consumed
 * @reserved: must be 0
 */
struct theseus_mm_merge {
	__u32 flags;
	__u32 handle;
	__u32 other;
	__u32 reserved;
};

#define THESEUS_MM_ALLOCATE_AT		(1U << 0)	/* begin at address @at */
#define THESEUS_MM_ALLOCATE_IN_RANGE	(1U << 1)	/* stay within @min .. @max */
#define THESEUS_MM_ALLOCATE_BY_BYTES	(1U << 2)	/* @size is in bytes */
#define THESEUS_MM_ALLOCATE_FLAGS_ALL	0x7U

/**
 * struct theseus_mm_allocate - THESEUS_MM_IOC_ALLOCATE_PAGES, _ALLOCATE_FRAMES
 * @flags: in: THESEUS_MM_ALLOCATE_*; AT excludes IN_RANGE and @align
 * @handle: out: the new object
 * @size: in: number of 4 KiB pages or frames, more than 0; with BY_BYTES, a number of bytes,
 *        rounded up to whole pages or frames. With AT and BY_BYTES, the first byte is at
 *        address @at
 * @at: in: with AT, an address in the first page or frame; else 0
 * @min: in: with IN_RANGE, lowest address that may be used; else 0
 * @max: in: with IN_RANGE, highest address that may be used, inclusive; else 0
 * @align: in: bytes, a power of two from 4096 to 1 GiB; 0 means anywhere
 * @start: out: first address; of frames, 0 without CAP_SYS_ADMIN
 * @nr_pages: out: number of 4 KiB pages or frames
 *
 * Choosing physical addresses (frames with AT or IN_RANGE) takes CAP_SYS_ADMIN. The call
 * allocates only RAM: AT in a device region is EOPNOTSUPP, see MAP_FRAME_RANGE.
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
 * @leaf_size: in: bytes: 4096, 2 MiB or 1 GiB; the mapping consists of leaves of this size.
 *             EINVAL if @size is not a multiple of @leaf_size, EOPNOTSUPP if the CPU has no
 *             such leaves. 0 means leaves as large as there is room for
 * @align: in: bytes, a power of two from 4096 to 1 GiB; @start is a multiple of @align, and
 *         so is @paddr for contiguous and identity mappings. 0 means anywhere
 *
 * Each call allocates new pages and frames. CREATE_MAPPING takes as many runs of frames as
 * it needs, and CREATE_CONTIGUOUS_MAPPING takes one run. CREATE_IDENTITY_MAPPING takes one
 * run, at virtual addresses equal to the physical ones, and needs CAP_SYS_RAWIO. The calls
 * also fail with ENOSPC if there is room, but not for leaves of that size or with that
 * alignment.
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
 * @frames: in: MAP_ALLOCATED_PAGES_TO: handle of as many frames as there are pages;
 *          consumed. MAP_ALLOCATED_PAGES: must be 0, and the call allocates new frames
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
 * @pte_flags: in: THESEUS_MM_PTE_SETTABLE; EACCES for WRITABLE on a mapping with
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
 * @handle: in: a mapping; consumed. EACCES if the mapping has ATTRIBUTE_READ_ONLY, since its
 *          frames alone could be mapped writable
 * @frames: in: address of an array of @nr_frames __u32, filled with the handles
 *          of the frames, one for each contiguous run, in the order of the pages
 * @nr_frames: in: entries that @frames has room for, at least nr_frame_ranges of QUERY, else
 *             ENOBUFS; out: number of handles
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
 * struct theseus_mm_access - THESEUS_MM_IOC_READ, _WRITE: copy out of a mapping, or into it
 * @flags: in: must be 0
 * @handle: in: a mapping; stays. WRITE needs a writable mapping, else EACCES
 * @offset: in: bytes from the start of the mapping
 * @length: in: bytes; a call with 0 bytes succeeds. If not all bytes lie in the mapping, the
 *          call fails with ERANGE and copies nothing
 * @buffer: in: address of @length bytes. After EFAULT, EINTR or EIO (the memory failed), the
 *          bytes before the failure may have been copied
 *
 * The module accesses uncached and write-combining device memory in order and aligned, each
 * byte once. A call copies in pieces of at most 4096 bytes. All accesses of a piece have the
 * same size: the largest of 1, 2 and 4 bytes that divides the offset and the length of the
 * piece. The size is 8 bytes if 8 divides both, and either @length is 8 or the memory is
 * write-combining. So a call with the size of a register reads or writes that register in
 * one access.
 */
struct theseus_mm_access {
	__u32 flags;
	__u32 handle;
	__aligned_u64 offset;
	__aligned_u64 length;
	__aligned_u64 buffer;
};

/**
 * struct theseus_mm_map_offset - THESEUS_MM_IOC_MAP_OFFSET: the offset for mmap()
 * @flags: in: must be 0
 * @handle: in: a mapping; stays
 * @offset: out: the offset to pass to mmap() for the mapping's first byte; a
 *          multiple of 4096, never 0. For a later byte of the mapping, add its distance
 *          from the first byte
 * @nr_bytes: out: size of the mapping
 *
 * See "Borrowing by mmap" above. The offset stays the same as long as the handle is valid,
 * unless MERGE makes the mapping longer: then call MAP_OFFSET again for the new offset.
 * Each client has its own offsets, and the module uses low ones first. 32-bit programs need
 * 64-bit file offsets (_FILE_OFFSET_BITS=64), and their mmap2() takes only offsets below 16
 * TiB. A 32-bit program gets EOVERFLOW if a mapping does not end below that offset.
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
 * @nr_revoked: out: number of borrows that were revoked
 * @nr_pinned: out: number of borrows, revoked now or earlier, that I/O still pins, and
 *             which have therefore not ended. Pinned borrows that overlap count as one
 *
 * When REVOKE has returned, no process reaches the mapping through an older area: touching
 * such an area raises SIGBUS, and the borrows that are not pinned have ended. The mapping
 * can be mmapped again, but not through older lending descriptors, which are stale. If this
 * structure lies in a revoked area, the call succeeds and the counts are lost.
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
 * struct theseus_mm_share - THESEUS_MM_IOC_SHARE: allow several writers at the same time
 * @flags: in: 0 allows several writers; THESEUS_MM_SHARE_OFF allows only one writer again
 * @handle: in: a mapping that is not borrowed, else EBUSY; stays
 *
 * Only a shareable mapping can have more than one writer at a time; see "Borrowing by mmap"
 * above, also for locks that processes share. Both parts of a SPLIT are shareable if the
 * mapping was. MERGE needs two shareable mappings or none, else EMEDIUMTYPE.
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
 * @handle: in: a mapping. EXPORT consumes the handle, and fails with EBUSY if the mapping is
 *          borrowed. EXPORT with BORROW, and EXPORT_DMABUF, keep the handle
 * @fd: out: the descriptor, close-on-exec
 * @export_id: out: number of the export for TAKE_BACK; numbers are not reused for a long
 *             time. 0 with BORROW, and for a dma-buf
 *
 * EXPORT: see "Handing over" and "Lending by descriptor". EXPORT_DMABUF makes a dma-buf,
 * which borrows the mapping (mutably if the mapping is writable; EBUSY as for mmap()) until
 * the dma-buf is closed and unmapped, and no device uses it. A read-only mapping may have
 * other borrows at the same time. After REVOKE, areas of the dma-buf raise SIGBUS and new
 * uses fail with ENODEV; memory that a device still uses is pinned. EXPORT_DMABUF fails
 * with EOPNOTSUPP without FEATURE_DMABUF.
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
 * @fd: in: a descriptor that EXPORT made; the descriptor stays open, and becomes stale.
 *      EBADF if @fd is no open descriptor, EINVAL if @fd is a descriptor of another kind of
 *      file, EACCES if @fd only lends, ESTALE if @fd is stale already, EBUSY while the
 *      mapping is borrowed, EDQUOT if the mapping exceeds a limit of the calling client or
 *      its user
 * @handle: out: handle of the mapping in the calling client
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
 * @export_id: in: the number that EXPORT returned to the calling client. ESTALE if the
 *             mapping was imported or taken back, or its last descriptor is closed
 * @handle: out: the mapping, as it was when it was exported: writable if it was writable,
 *          even after a read-only export
 * @reserved: must be 0
 * @start: out: virtual address
 * @nr_pages: out: number of 4 KiB pages
 *
 * The call ends areas as REVOKE does, and makes all descriptors of the export stale. Memory
 * that I/O pins stays borrowed until I/O unpins the memory. If IMPORT and TAKE_BACK race,
 * one of them gets the mapping.
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
 * The module processes the items in order, each like CREATE_MAPPING,
 * CREATE_CONTIGUOUS_MAPPING or DROP. The module writes into each item its error as a
 * positive errno, or 0 if the item succeeded. The call itself succeeds even if no item
 * does. With ALL_OR_NOTHING, the call fails with the error of the first item that fails,
 * and changes nothing: that item has its error, and all others have ECANCELED.
 *
 * No new handle is valid, and nothing is dropped, before all results are written. If the
 * call itself fails with EFAULT (while it reads items or writes results), E2BIG, EINTR (the
 * process was killed) or ENOMEM, it changes nothing, whatever the results say. While
 * DROP_BATCH runs, other calls on its handles may fail with ENOENT, also on those that it then
 * does not drop. A later item for a handle that the call is about to drop has ENOENT.
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
 * @size: in: this and the following fields as in struct theseus_mm_create_mapping
 * @pte_flags: in
 * @handle: out: 0 if there is an error; the following "out" fields too
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

#define THESEUS_MM_MEMORY_WRITE_BACK		0	/* like RAM */
#define THESEUS_MM_MEMORY_UNCACHED		1	/* for registers */
#define THESEUS_MM_MEMORY_WRITE_COMBINING	2	/* for frame buffers */

/**
 * struct theseus_mm_device_region - THESEUS_MM_IOC_ADD_DEVICE_REGION,
 *	_REMOVE_DEVICE_REGION
 * @flags: in: must be 0
 * @memory_type: in: ADD: THESEUS_MM_MEMORY_*: how the memory is cached, in every mapping of
 *               the region; REMOVE: must be 0
 * @start: in: physical address, a multiple of 4096
 * @nr_bytes: in: a multiple of 4096
 *
 * ADD claims device memory, and all clients can map the region until it is removed or the
 * module is unloaded. ADD fails with EBUSY if a driver has claimed part of the range, or if
 * the processor or the chipset decodes part of the range (APICs, message interrupts, HPET).
 * ADD fails with EADDRINUSE if part of the range was added already, with EOPNOTSUPP if part
 * of it is RAM, and with EPERM if Linux is locked down. REMOVE fails with EBUSY while somebody
 * owns a frame of the region, and with ERANGE if no region with this start and size was
 * added. Both take CAP_SYS_RAWIO.
 *
 * When the device is removed (hot-unplugged, or by sysfs), its region is closed: areas
 * raise SIGBUS; new mappings, READ and WRITE fail with ENODEV; and the region's addresses
 * are no longer claimed. Drop the region's mappings and remove the region before you add a
 * device that gets the same addresses.
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
 * @pte_flags: in: THESEUS_MM_PTE_SETTABLE; DEVICE_MEMORY must be set exactly if the region
 *             is not write-back, else EOPNOTSUPP
 * @start: out: virtual address
 * @nr_pages: out: number of 4 KiB pages
 *
 * The call takes CAP_SYS_RAWIO, and fails with EPERM if Linux is locked down (existing mappings
 * stay) and with EOPNOTSUPP if the address is in RAM. The call does not change the content
 * of the device memory. Frames of device memory do not count against limits, but the page
 * tables do. READ and WRITE access the memory as struct theseus_mm_access says.
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
 * struct theseus_mm_translate - THESEUS_MM_IOC_TRANSLATE: translate a virtual address
 * @flags: in: must be 0
 * @page_size_shift: out: 12, 21 or 30, by the size of the leaf
 * @vaddr: in: an address in the shared address space; EINVAL if it is not canonical, ENOENT
 *         if nothing is mapped there
 * @paddr: out: the physical address
 * @pte_flags: out: THESEUS_MM_PTE_* that the leaf entry shows
 *
 * The call takes CAP_SYS_ADMIN.
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
 * struct theseus_mm_dump_pte - THESEUS_MM_IOC_DUMP_PTE: the entries on the way to an address
 * @flags: in: must be 0
 * @nr_levels: out: number of entries, from the root down; fewer than the paging levels if
 *             the walk ended early
 * @vaddr: in: any address; EINVAL if the address is not canonical
 * @entries: out: raw entries; [0] is the root's. Bits 62..52 of an entry that
 *           points to a table count the entries used in that table.
 *
 * The call takes CAP_SYS_ADMIN.
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
