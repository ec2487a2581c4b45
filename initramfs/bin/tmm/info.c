// SPDX-License-Identifier: GPL-2.0
/*
 * tmm info: print features, regions, counts, limits, clients and objects.
 */
#include "command.h"
#include "descriptor.h"
#include "text.h"
#include "view.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/**
 * struct facts - what is printed
 * @info: features and counts
 * @regions: an array of @info.nr_regions
 * @has_clients: @clients is filled in
 * @clients: the clients that the caller may see
 * @has_limits: @limits is filled in
 * @limits: limits of the client and of its user
 * @has_handles: --fd: list the objects of the client
 * @handles: the objects of the client
 */
struct facts {
	struct tmm_info info;
	struct tmm_region *regions;
	bool has_clients;
	struct tmm_clients clients;
	bool has_limits;
	struct tmm_limits limits;
	bool has_handles;
	struct tmm_handles handles;
};

static const struct {
	uint64_t bit;
	const char *name;
	const char *words;
} features[] = {
	{ TMM_FEATURE_STRUCT_PAGES, "struct_pages", "struct pages, for direct I/O" },
	{ TMM_FEATURE_DMABUF, "dmabuf", "dma-bufs" },
	{ TMM_FEATURE_QUARANTINE, "quarantine", "quarantine of mmapped memory" },
};

#define NR_FEATURES	(sizeof(features) / sizeof(features[0]))

/* Leave out the facts for which an older module has no call. */
static int take_facts(const struct tmm_client *client, struct facts *facts)
{
	uint32_t i;

	if (tmm_client_info(client, &facts->info))
		return failed(errno, "GET_INFO");
	facts->regions = calloc(facts->info.nr_regions + 1, sizeof(*facts->regions));
	if (!facts->regions)
		return failed(ENOMEM, "allocate a list of regions");
	for (i = 0; i < facts->info.nr_regions; i++)
		if (tmm_client_region(client, i, &facts->regions[i]))
			return failed(errno, "GET_REGION %u", i);
	facts->has_clients = !tmm_client_list(client, &facts->clients);
	if (!facts->has_clients && errno != ENOTTY)
		return failed(errno, "GET_CLIENTS");
	facts->has_limits = !tmm_client_limits(client, &facts->limits);
	if (!facts->has_limits && errno != ENOTTY)
		return failed(errno, "GET_LIMITS");
	if (facts->has_handles && tmm_client_list_handles(client, &facts->handles))
		return failed(errno, "LIST_HANDLES");
	return TMM_OK;
}

/* The NUMA node of a region, or -1 if the module does not show the node. */
static int region_node(uint32_t index)
{
	FILE *file = fopen("/sys/class/misc/theseus_mm/region_node", "re");
	int node = -1;
	uint32_t i;

	if (!file)
		return -1;
	for (i = 0; i <= index; i++) {
		if (fscanf(file, "%d", &node) != 1) {
			node = -1;
			break;
		}
	}
	fclose(file);
	return node;
}

static const char *kind_name(enum tmm_kind kind)
{
	switch (kind) {
	case TMM_KIND_PAGES:
		return "pages";
	case TMM_KIND_FRAMES:
		return "frames";
	case TMM_KIND_MAPPING:
		return "mapping";
	}
	return "?";
}

static const struct {
	uint32_t bit;
	const char *name;
} attributes[] = {
	{ TMM_ATTRIBUTE_SHAREABLE, "shareable" },
	{ TMM_ATTRIBUTE_PINNED, "pinned" },
};

#define NR_ATTRIBUTES	(sizeof(attributes) / sizeof(attributes[0]))

/* --- as text ------------------------------------------------------------------------ */

static void print_frames(const struct tmm_info *info)
{
	static const char *const sizes[] = { "4 KiB", "2 MiB", "1 GiB" };
	char total[TEXT_SIZE], free_text[TEXT_SIZE], text[TEXT_SIZE], share[TEXT_SIZE];
	unsigned int i;

	printf("frames         %s of %s free, in %s\n",
	       size_text(free_text, info->frames_free * TMM_PAGE_SIZE),
	       size_text(total, info->frames_total * TMM_PAGE_SIZE),
	       count_text(text, info->frames_ranges, "run"));
	if (info->frames_bad)
		printf("  bad          %s with failing memory\n",
		       count_text(text, info->frames_bad, "frame"));
	for (i = 0; i < 3; i++)
		printf("  longest run  for pages of %s: %s; fragmentation %s\n", sizes[i],
		       info->frames_largest[i] ?
		       size_text(text, info->frames_largest[i] * TMM_PAGE_SIZE) : "none",
		       share_text(share, info->frames_free - info->frames_largest[i],
				  info->frames_free));
}

static void print_regions(const struct facts *facts)
{
	char size[TEXT_SIZE];
	uint32_t i;
	int node;

	for (i = 0; i < facts->info.nr_regions; i++) {
		printf("region %-7u %s", i, size_text(size, facts->regions[i].nr_bytes));
		if (facts->regions[i].start)
			printf(" at p%#llx", (unsigned long long)facts->regions[i].start);
		node = region_node(i);
		if (node >= 0)
			printf(" on node %d", node);
		putchar('\n');
	}
}

static void print_features(const struct tmm_info *info)
{
	size_t i, nr = 0;

	printf("features       ");
	for (i = 0; i < NR_FEATURES; i++)
		if (info->features & features[i].bit)
			printf("%s%s", nr++ ? ", " : "", features[i].words);
	printf("%s\n", nr ? "" : "none");
}

static const char *limit_text(char buffer[TEXT_SIZE], uint64_t frames)
{
	return frames == TMM_NO_LIMIT ? "any amount" : size_text(buffer, frames * TMM_PAGE_SIZE);
}

static const char *handles_text(char buffer[TEXT_SIZE], uint64_t handles)
{
	if (handles == TMM_NO_LIMIT)
		return "any number of";
	snprintf(buffer, TEXT_SIZE, "%llu", (unsigned long long)handles);
	return buffer;
}

static void print_limits(const struct tmm_limits *limits)
{
	char frames[TEXT_SIZE], pages[TEXT_SIZE], handles[TEXT_SIZE];

	printf("a client       may have %s of memory, %s of pages and %s handles\n",
	       limit_text(frames, limits->client_frames_max),
	       limit_text(pages, limits->client_pages_max),
	       handles_text(handles, limits->client_handles_max));
	printf("this user      may have %s of memory, %s of pages and %s handles;",
	       limit_text(frames, limits->user_frames_max),
	       limit_text(pages, limits->user_pages_max),
	       handles_text(handles, limits->user_handles_max));
	printf(" has %s, %s and %llu\n", size_text(frames, limits->user_frames * TMM_PAGE_SIZE),
	       size_text(pages, limits->user_pages * TMM_PAGE_SIZE),
	       (unsigned long long)limits->user_handles);
}

static void print_clients(const struct tmm_clients *clients, uint32_t own)
{
	char comm[TEXT_SIZE], user[TEXT_SIZE], size[TEXT_SIZE];
	uint32_t i;

	printf("clients        %u%s\n", clients->nr + clients->nr_hidden,
	       clients->nr ? ":" : "");
	if (clients->nr)
		printf("  %6s %7s  %-9s %-15s %8s %8s %8s %11s\n", "ID", "PID", "USER", "NAME",
		       "HANDLES", "MAPPINGS", "EXPORTED", "SIZE");
	for (i = 0; i < clients->nr; i++) {
		const struct tmm_client_entry *entry = &clients->entries[i];

		printf("  %6u %7d  %-9.9s %-15s %8u %8u %8u %11s%s\n", entry->id, entry->pid,
		       user_text(user, entry->uid), plain_text(comm, entry->comm),
		       entry->nr_handles, entry->nr_mappings, entry->nr_exported,
		       size_text(size, entry->nr_frames * TMM_PAGE_SIZE),
		       entry->id == own ? " (this one)" : "");
	}
	if (clients->nr_hidden)
		printf("  %u of other users, with %s\n", clients->nr_hidden,
		       size_text(size, clients->hidden_frames * TMM_PAGE_SIZE));
	if (clients->orphan_frames)
		printf("  of closed clients: %s, exported or still mmapped\n",
		       size_text(size, clients->orphan_frames * TMM_PAGE_SIZE));
}

/* Print the state of a mapping: " export 3, read-only" or " writable, shareable". */
static void print_state(const struct tmm_handle_entry *entry)
{
	size_t i;

	if (entry->export_id)
		printf(" export %u,", entry->export_id);
	printf(" %s", entry->flags & TMM_WRITABLE ? "writable" : "read-only");
	for (i = 0; i < NR_ATTRIBUTES; i++)
		if (entry->attributes & attributes[i].bit)
			printf(", %s", attributes[i].name);
	if (entry->nr_borrows)
		printf(", borrowed %u times", entry->nr_borrows);
}

static void print_handles(const struct tmm_handles *handles, uint32_t own)
{
	char size[TEXT_SIZE], handle[TEXT_SIZE], address[TEXT_SIZE];
	uint32_t i;

	printf("client %-8u owns %u object%s%s\n", own, handles->nr, handles->nr == 1 ? "" : "s",
	       handles->nr ? ":" : "");
	if (handles->nr)
		printf("  %10s %-8s %11s %8s %20s\n", "HANDLE", "KIND", "SIZE", "RUNS", "ADDRESS");
	for (i = 0; i < handles->nr; i++) {
		const struct tmm_handle_entry *entry = &handles->entries[i];

		snprintf(handle, sizeof(handle), entry->handle ? "%u" : "-", entry->handle);
		snprintf(address, sizeof(address), "%c%#llx",
			 entry->kind == TMM_KIND_FRAMES ? 'p' : 'v',
			 (unsigned long long)entry->address);
		printf("  %10s %-8s %11s %8u %20s", handle, kind_name(entry->kind),
		       size_text(size, entry->nr_bytes), entry->nr_frame_ranges,
		       entry->address ? address : "?");
		if (entry->kind == TMM_KIND_MAPPING)
			print_state(entry);
		putchar('\n');
	}
}

static void print_text(const struct facts *facts)
{
	const struct tmm_info *info = &facts->info;
	char total[TEXT_SIZE], free_text[TEXT_SIZE];

	printf("interface      %u\n", info->abi);
	printf("paging         %u levels\n", info->paging_levels);
	print_features(info);
	print_regions(facts);
	print_frames(info);
	printf("pages          %s of %s free, from v%#llx\n",
	       size_text(free_text, info->pages_free * TMM_PAGE_SIZE),
	       size_text(total, info->pages_total * TMM_PAGE_SIZE),
	       (unsigned long long)info->pages_start);
	printf("mappings       %llu\n", (unsigned long long)info->nr_mappings);
	printf("page tables    %llu\n", (unsigned long long)info->nr_tables);
	if (facts->has_limits)
		print_limits(&facts->limits);
	else
		printf("a client       may have %u handles\n", info->client_handles_max);
	if (facts->has_clients)
		print_clients(&facts->clients, info->client_id);
	if (facts->has_handles)
		print_handles(&facts->handles, info->client_id);
}

/* --- as JSON ------------------------------------------------------------------------ */

static void json_regions(struct json *json, const struct facts *facts)
{
	uint32_t i;
	int node;

	json_open_array(json, "regions");
	for (i = 0; i < facts->info.nr_regions; i++) {
		node = region_node(i);
		json_open_object(json, NULL);
		json_number(json, "index", i);
		json_physical(json, "start", facts->regions[i].start);
		json_number(json, "bytes", facts->regions[i].nr_bytes);
		if (node >= 0)
			json_number(json, "node", node);
		else
			json_null(json, "node");
		json_close_object(json);
	}
	json_close_array(json);
}

static void json_limit(struct json *json, const char *key, uint64_t limit, uint64_t unit)
{
	if (limit == TMM_NO_LIMIT)
		json_null(json, key);
	else
		json_number(json, key, limit * unit);
}

static void json_limits(struct json *json, const struct tmm_limits *limits)
{
	json_open_object(json, "limits");
	json_limit(json, "client_bytes_max", limits->client_frames_max, TMM_PAGE_SIZE);
	json_limit(json, "client_pages_bytes_max", limits->client_pages_max, TMM_PAGE_SIZE);
	json_limit(json, "client_handles_max", limits->client_handles_max, 1);
	json_limit(json, "user_bytes_max", limits->user_frames_max, TMM_PAGE_SIZE);
	json_limit(json, "user_pages_bytes_max", limits->user_pages_max, TMM_PAGE_SIZE);
	json_limit(json, "user_handles_max", limits->user_handles_max, 1);
	json_number(json, "user_bytes", limits->user_frames * TMM_PAGE_SIZE);
	json_number(json, "user_pages_bytes", limits->user_pages * TMM_PAGE_SIZE);
	json_number(json, "user_handles", limits->user_handles);
	json_close_object(json);
}

static void json_features(struct json *json, const struct tmm_info *info)
{
	size_t i;

	json_open_object(json, "features");
	for (i = 0; i < NR_FEATURES; i++)
		json_bool(json, features[i].name, info->features & features[i].bit);
	json_close_object(json);
}

static void json_handle(struct json *json, const struct tmm_handle_entry *entry)
{
	size_t i;

	json_open_object(json, NULL);
	entry->handle ? json_number(json, "handle", entry->handle) : json_null(json, "handle");
	entry->export_id ? json_number(json, "export", entry->export_id) :
			   json_null(json, "export");
	json_text(json, "kind", kind_name(entry->kind));
	json_number(json, "bytes", entry->nr_bytes);
	json_physical(json, "address", entry->address);
	json_number(json, "runs", entry->nr_frame_ranges);
	json_number(json, "borrows", entry->nr_borrows);
	json_bool(json, "writable", entry->flags & TMM_WRITABLE);
	for (i = 0; i < NR_ATTRIBUTES; i++)
		json_bool(json, attributes[i].name, entry->attributes & attributes[i].bit);
	json_close_object(json);
}

static void json_handles(struct json *json, const struct tmm_handles *handles)
{
	uint32_t i;

	json_open_array(json, "handles");
	for (i = 0; i < handles->nr; i++)
		json_handle(json, &handles->entries[i]);
	json_close_array(json);
}

static void print_json(const struct facts *facts)
{
	const struct tmm_info *info = &facts->info;
	struct json json = json_begin(stdout, false);

	json_number(&json, "interface", info->abi);
	json_number(&json, "paging_levels", info->paging_levels);
	json_features(&json, info);
	json_number(&json, "bytes", info->region_bytes);
	json_regions(&json, facts);
	json_number(&json, "frames_bytes", info->frames_total * TMM_PAGE_SIZE);
	json_free(&json, "free", info);
	json_open_object(&json, "pages");
	json_address(&json, "start", info->pages_start);
	json_number(&json, "bytes", info->pages_total * TMM_PAGE_SIZE);
	json_number(&json, "free_bytes", info->pages_free * TMM_PAGE_SIZE);
	json_close_object(&json);
	json_number(&json, "mappings", info->nr_mappings);
	json_number(&json, "tables", info->nr_tables);
	if (facts->has_limits)
		json_limits(&json, &facts->limits);
	json_number(&json, "client", info->client_id);
	if (facts->has_clients)
		json_clients(&json, &facts->clients, info->region_bytes / TMM_PAGE_SIZE);
	if (facts->has_handles)
		json_handles(&json, &facts->handles);
	json_end(&json);
}

/**
 * struct options - the command's options
 * @is_json: --json
 * @fd: --fd; -1 to open the device
 * @pid: --pid
 */
struct options {
	bool is_json;
	int fd;
	int pid;
};

static int take_option(struct options *options, int option)
{
	switch (option) {
	case 'j':
		options->is_json = true;
		return TMM_OK;
	case 'f':
		if (parse_int(optarg, &options->fd))
			return TMM_OK;
		fprintf(stderr, "tmm: info: %s: expected the number of a descriptor\n", optarg);
		return TMM_USAGE;
	case 'p':
		if (parse_int(optarg, &options->pid) && options->pid)
			return TMM_OK;
		fprintf(stderr, "tmm: info: %s: expected the number of a process\n", optarg);
		return TMM_USAGE;
	default:
		return usage(&info_command);
	}
}

/* Use the descriptor of --fd, or open the device. */
static struct tmm_client *get_client(const struct options *options)
{
	struct tmm_client *client;
	int fd;

	if (options->fd < 0)
		return open_device();
	fd = get_descriptor(options->pid, options->fd);
	if (fd < 0)
		return NULL;
	client = tmm_client_from_fd(&fd);
	if (client)
		return client;
	if (errno == ENOTTY || errno == EINVAL)
		fprintf(stderr, "tmm: info: descriptor %d: not a descriptor of /dev/theseus_mm\n",
			options->fd);
	else
		failed(errno, "descriptor %d", options->fd);
	return NULL;
}

static int run(int argc, char **argv)
{
	static const struct option known[] = {
		{ "fd", required_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{ "pid", required_argument, NULL, 'p' },
		{ 0 },
	};
	struct options options = { .fd = -1 };
	struct facts facts = { 0 };
	struct tmm_client *client;
	int option, status = TMM_OK;

	while (!status && (option = getopt_long(argc, argv, "f:jp:", known, NULL)) != -1)
		status = take_option(&options, option);
	if (status)
		return status;
	if (optind != argc || (options.pid && options.fd < 0))
		return usage(&info_command);
	client = get_client(&options);
	if (!client)
		return TMM_FAILED;
	facts.has_handles = options.fd >= 0;
	status = take_facts(client, &facts);
	if (!status && options.is_json)
		print_json(&facts);
	else if (!status)
		print_text(&facts);
	tmm_handles_free(&facts.handles);
	tmm_clients_free(&facts.clients);
	free(facts.regions);
	tmm_client_close(&client);
	return status;
}

const struct command info_command = {
	.name = "info",
	.arguments = "[OPTION]...",
	.summary = "print the module's features, regions, free memory, limits and clients",
	.help = "tmm shows physical addresses and the clients of other users only with\n"
		"CAP_SYS_ADMIN. With --fd, tmm uses an open descriptor of the device, and lists the\n"
		"objects of that client. To use a descriptor of another process, tmm needs the\n"
		"right to trace that process (ptrace(2)).\n\n"
		"  -f, --fd NUMBER   use this descriptor\n"
		"  -p, --pid PID     the process that has the descriptor\n"
		"  -j, --json        print JSON: sizes are bytes, addresses are strings, and values\n"
		"                    that the caller may not see are null\n",
	.run = run,
};
