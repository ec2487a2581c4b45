// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin of QEMU that counts how often each instruction of the guest runs between two marks, for
 * bench.sh profile. At the end, the plugin prints each address with its count.
 */
#include "plugin.h"

#define NR_BUCKETS	(1u << 16)

struct counter {
	struct counter *next;
	uint64_t address;
	/* counts always, since QEMU adds to it without a call */
	uint64_t running;
	uint64_t at_begin;
	uint64_t counted;
};

static struct counter *buckets[NR_BUCKETS];
static uint64_t nr_marks;
static bool is_between;

static struct counter *find_counter(uint64_t address)
{
	struct counter **head = &buckets[(address ^ address >> 16) % NR_BUCKETS];
	struct counter *counter;

	for (counter = *head; counter; counter = counter->next)
		if (counter->address == address)
			return counter;
	counter = calloc(1, sizeof(*counter));
	if (!counter)
		abort();
	counter->address = address;
	counter->next = *head;
	*head = counter;
	return counter;
}

static void pass_mark(unsigned int cpu, void *is_begin)
{
	struct counter *counter;
	unsigned int i;

	(void)cpu;
	for (i = 0; i < NR_BUCKETS; i++) {
		for (counter = buckets[i]; counter; counter = counter->next) {
			if (is_begin)
				counter->at_begin = counter->running;
			else if (is_between)
				counter->counted += counter->running - counter->at_begin;
		}
	}
	is_between = is_begin;
	nr_marks += !is_begin;
}

static void translate_block(plugin_id id, struct qemu_plugin_tb *tb)
{
	size_t i, n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	for (i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		struct counter *counter = find_counter(qemu_plugin_insn_vaddr(insn));

		qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD_U64, &counter->running,
							   1);
		plugin_watch_mark(insn, pass_mark);
	}
}

static void print_counts(plugin_id id, void *path)
{
	FILE *file = fopen(path, "w");
	struct counter *counter;
	unsigned int i;

	(void)id;
	if (!file)
		return;
	fprintf(file, "marks %" PRIu64 "\n", nr_marks);
	for (i = 0; i < NR_BUCKETS; i++)
		for (counter = buckets[i]; counter; counter = counter->next)
			if (counter->counted)
				fprintf(file, "%016" PRIx64 " %" PRIu64 "\n", counter->address,
					counter->counted);
	fclose(file);
}

int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
	(void)info;
	return plugin_begin(id, argc, argv, translate_block, print_counts);
}
