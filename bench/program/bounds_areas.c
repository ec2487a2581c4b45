// SPDX-License-Identifier: GPL-2.0
/* Mappings in processes, and mappings that change their owner. */
#include "area.h"
#include "bounds.h"
#include "device.h"
#include "groups.h"
#include "marks.h"
#include "result.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int map_area(const struct bounds *bounds, const struct bounds_size *size,
		    const struct area_source *source, const char *name, int flags, char **area)
{
	if (marks_begin())
		return bounds_failed(bounds, name, size->name);
	*area = area_map(source, size->nr_bytes, flags);
	return *area ? marks_end(name, size->name, bounds->situation) :
	       bounds_failed(bounds, name, size->name);
}

static int unmap_area(const struct bounds *bounds, const struct bounds_size *size, char *area)
{
	if (marks_begin() || munmap(area, size->nr_bytes))
		return bounds_failed(bounds, "munmap", size->name);
	return marks_end("munmap", size->name, bounds->situation);
}

static int touch_area(const struct bounds *bounds, const struct bounds_size *size, char *area)
{
	if (marks_begin())
		return bounds_failed(bounds, "fault", size->name);
	area_touch(area, size->nr_bytes);
	return marks_end("fault", size->name, bounds->situation);
}

/* Map, touch and unmap; and once more with MAP_POPULATE. */
static int use_areas(const struct bounds *bounds, const struct bounds_size *size,
		     const struct area_source *source)
{
	char *area;

	if (map_area(bounds, size, source, "mmap", 0, &area) ||
	    touch_area(bounds, size, area) || unmap_area(bounds, size, area))
		return -1;
	return map_area(bounds, size, source, "mmap-populate", MAP_POPULATE, &area) ||
	       unmap_area(bounds, size, area) ? -1 : 0;
}

/* REVOKE of a mapping that a process shows. */
static int revoke_area(const struct bounds *bounds, const struct bounds_size *size,
		       const struct area_source *source, uint32_t handle)
{
	struct theseus_mm_revoke revoke = { .handle = handle };
	char *area;

	return map_area(bounds, size, source, "mmap-populate", MAP_POPULATE, &area) ||
	       bounds_call(bounds, "REVOKE", size->name, THESEUS_MM_IOC_REVOKE, &revoke) ||
	       unmap_area(bounds, size, area) ? -1 : 0;
}

/* A mapping in a process. The mapping stays. */
int bounds_area(const struct bounds *bounds, const struct bounds_size *size, uint32_t handle)
{
	struct area_source source = { .fd = bounds->fd, .flags = MAP_SHARED, .advice = -1 };
	struct theseus_mm_map_offset offset = { .handle = handle };

	if (bounds_call(bounds, "MAP_OFFSET", size->name, THESEUS_MM_IOC_MAP_OFFSET, &offset))
		return -1;
	source.offset = offset.offset;
	return use_areas(bounds, size, &source) || revoke_area(bounds, size, &source, handle) ? -1 : 0;
}

static int export_mapping(const struct bounds *bounds, uint32_t handle,
			  struct theseus_mm_export *export)
{
	*export = (struct theseus_mm_export){ .handle = handle };
	return bounds_call(bounds, "EXPORT", "2m", THESEUS_MM_IOC_EXPORT, export);
}

int bounds_exports(const struct bounds *bounds)
{
	struct theseus_mm_share share = { 0 };
	struct theseus_mm_import import = { 0 };
	struct theseus_mm_take_back take_back = { 0 };
	struct theseus_mm_export export;
	uint32_t handle;

	if (device_create(bounds->fd, 2 * MIB, &handle))
		return bounds_failed(bounds, "CREATE_MAPPING", "2m");
	share.handle = handle;
	if (bounds_call(bounds, "SHARE", "2m", THESEUS_MM_IOC_SHARE, &share) ||
	    export_mapping(bounds, handle, &export))
		return -1;
	import.fd = export.fd;
	if (bounds_call(bounds, "IMPORT", "2m", THESEUS_MM_IOC_IMPORT, &import))
		return -1;
	close(export.fd);
	if (export_mapping(bounds, import.handle, &export))
		return -1;
	take_back.export_id = export.export_id;
	if (bounds_call(bounds, "TAKE_BACK", "2m", THESEUS_MM_IOC_TAKE_BACK, &take_back))
		return -1;
	close(export.fd);
	return bounds_drop(bounds, "DROP", "2m", take_back.handle);
}
