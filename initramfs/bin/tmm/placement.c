// SPDX-License-Identifier: GPL-2.0
#include "placement.h"

#include <stddef.h>

/* The part of the address space that is never taken. */
#define FLOOR		(256ULL << 20)
/* Bytes that a node keeps if there are several. */
#define NODE_KEEP	(256ULL << 20)
/*
 * Bytes that Linux keeps below 4 GiB if the machine has more memory above: the bounce buffers of
 * swiotlb, the low part of the crash kernel, and the buffers of 32-bit devices are there.
 */
#define DMA32_KEEP	(1ULL << 30)

static const struct range windows[] = {
	{ DMA32_END, ~0ULL },
	{ FLOOR, DMA32_END },
};

static const __u64 aligns[] = { ALIGN_LARGE, ALIGN_SECTION, ALIGN_SMALL };

#define NR_WINDOWS	(sizeof(windows) / sizeof(windows[0]))
#define NR_ALIGNS	(sizeof(aligns) / sizeof(aligns[0]))

bool placement_is_affordable(const struct machine *machine,
			     const struct placement_request *request)
{
	return request->bytes <= machine->total &&
	       machine->total - request->bytes >= request->keep;
}

static bool leaves_low_memory(const struct machine *machine, __u64 bytes)
{
	const __u64 low = ranges_bytes(&machine->ram, 0, DMA32_END);

	if (!ranges_bytes(&machine->ram, DMA32_END, ~0ULL))
		return true;
	return bytes <= low && low - bytes >= DMA32_KEEP;
}

static bool leaves_node_memory(const struct machine *machine, const struct node *node, __u64 bytes)
{
	static struct ranges ram;
	__u64 total;

	if (machine->nr_nodes < 2)
		return true;
	ram = machine->ram;
	/* a set that has no room counts as no memory */
	if (!ranges_intersect(&ram, &node->memory))
		return false;
	total = ranges_bytes(&ram, 0, ~0ULL);
	return bytes <= total && total - bytes >= NODE_KEEP;
}

/* Find the lowest place in a window. Return: the address, or 0 */
static __u64 find_lowest(const struct ranges *set, const struct range *window, __u64 bytes,
			 __u64 align)
{
	__u64 start, end;
	unsigned int i;

	for (i = 0; i < set->nr; i++) {
		start = set->items[i].start > window->start ? set->items[i].start : window->start;
		end = set->items[i].end < window->end ? set->items[i].end : window->end;
		start = (start + align - 1) & ~(align - 1);
		if (start < end && end - start >= bytes)
			return start;
	}
	return 0;
}

/* Find a place in @set, by windows and alignments. */
static bool search_set(const struct machine *machine, const struct placement_request *request,
		       const struct ranges *set, struct placement *placement)
{
	size_t window, align;

	for (window = 0; window < NR_WINDOWS; window++) {
		if (windows[window].start < DMA32_END && !leaves_low_memory(machine, request->bytes))
			continue;
		for (align = 0; align < NR_ALIGNS; align++) {
			if (request->wants_sections && aligns[align] < ALIGN_SECTION)
				continue;
			placement->align = aligns[align];
			placement->start = find_lowest(set, &windows[window], request->bytes,
						       aligns[align]);
			if (placement->start)
				return true;
		}
	}
	return false;
}

/* Is @first the better place? */
static bool is_better(const struct placement *first, const struct placement *second)
{
	const bool is_first_low = first->start < DMA32_END;
	const bool is_second_low = second->start < DMA32_END;

	if (!second->start || is_first_low != is_second_low)
		return !second->start || is_second_low;
	if (first->align != second->align)
		return first->align > second->align;
	return first->start < second->start;
}

/* Find the best place that lies on one node. */
static bool search_nodes(const struct machine *machine, const struct placement_request *request,
			 struct placement *placement)
{
	static struct ranges set;
	struct placement found;
	const struct node *node;

	placement->start = 0;
	for (node = machine->nodes; node < machine->nodes + machine->nr_nodes; node++) {
		if (request->node != ANY_NODE && request->node != (int)node->id)
			continue;
		set = machine->free;
		if (!ranges_intersect(&set, &node->memory) ||
		    !leaves_node_memory(machine, node, request->bytes) ||
		    !search_set(machine, request, &set, &found))
			continue;
		found.node = node->id;
		if (is_better(&found, placement))
			*placement = found;
	}
	return placement->start;
}

bool placement_find(const struct machine *machine, const struct placement_request *request,
		    struct placement *placement)
{
	if (!placement_is_affordable(machine, request))
		return false;
	if (search_nodes(machine, request, placement))
		return true;
	placement->node = ANY_NODE;
	return request->node == ANY_NODE &&
	       search_set(machine, request, &machine->free, placement);
}

__u64 placement_largest(const struct machine *machine, const struct placement_request *request)
{
	const __u64 step = request->wants_sections ? ALIGN_SECTION : ALIGN_SMALL;
	struct placement_request smaller = *request;
	__u64 fits = 0, fails = machine->total / step + 1, middle;
	struct placement placement;

	while (fails - fits > 1) {
		middle = fits + (fails - fits) / 2;
		smaller.bytes = middle * step;
		if (placement_find(machine, &smaller, &placement))
			fits = middle;
		else
			fails = middle;
	}
	return fits * step;
}
