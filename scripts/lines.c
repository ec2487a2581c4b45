// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin of QEMU that counts how often each instruction of the guest's kernel and modules reads and
 * writes each cache line between two marks, by CPU, for bench_lines.py. At the end, the plugin prints
 * for each pair of marks a line "marks", and below it
 *
 *	LINE CPU r|w INSTRUCTION COUNT ADDRESS
 *
 * with the physical address of the line, and one of the virtual addresses that were used.
 */
#include "plugin.h"

#define MAX_CPUS	2
#define MAX_MARKS	32
#define NR_BUCKETS	(1u << 16)
#define LINE_SHIFT	6
/* the highest bit of addresses of the kernel */
#define KERNEL_SHIFT	63

struct counter {
	struct counter *next;
	uint64_t line;
	uint64_t instruction;
	uint64_t address;
	uint64_t count;
	bool is_store;
};

/*
 * The CPUs run at the same time. So each has a table of its own for each pair of marks, and only
 * the end of the guest looks at all of them. The last table takes what comes after the last mark.
 */
static struct counter *tables[MAX_MARKS + 1][MAX_CPUS][NR_BUCKETS];
static unsigned int nr_marks;
static bool is_between;

static struct counter *find_counter(struct counter **table, uint64_t line, uint64_t instruction,
				    bool is_store)
{
	struct counter **head = &table[(line ^ line >> 16 ^ instruction * 31) % NR_BUCKETS];
	struct counter *counter;

	for (counter = *head; counter; counter = counter->next)
		if (counter->line == line && counter->instruction == instruction &&
		    counter->is_store == is_store)
			return counter;
	counter = calloc(1, sizeof(*counter));
	if (!counter)
		abort();
	counter->line = line;
	counter->instruction = instruction;
	counter->is_store = is_store;
	counter->next = *head;
	*head = counter;
	return counter;
}

static void access_memory(unsigned int cpu, mem_info info, uint64_t address, void *instruction)
{
	struct qemu_plugin_hwaddr *hwaddr;
	struct counter *counter;

	if (!__atomic_load_n(&is_between, __ATOMIC_ACQUIRE) || !(address >> KERNEL_SHIFT))
		return;
	hwaddr = qemu_plugin_get_hwaddr(info, address);
	if (!hwaddr || qemu_plugin_hwaddr_is_io(hwaddr))
		return;
	if (cpu >= MAX_CPUS)
		abort();
	counter = find_counter(tables[__atomic_load_n(&nr_marks, __ATOMIC_RELAXED)][cpu],
			       qemu_plugin_hwaddr_phys_addr(hwaddr) >> LINE_SHIFT,
			       (uintptr_t)instruction, qemu_plugin_mem_is_store(info));
	counter->address = address;
	counter->count++;
}

/* Another CPU may still add an access to the last table. Tables are read at the end only. */
static void pass_mark(unsigned int cpu, void *is_begin)
{
	(void)cpu;
	if (!is_begin) {
		__atomic_store_n(&is_between, false, __ATOMIC_RELEASE);
		nr_marks++;
	} else if (nr_marks == MAX_MARKS) {
		abort();
	} else {
		__atomic_store_n(&is_between, true, __ATOMIC_RELEASE);
	}
}

static void translate_block(plugin_id id, struct qemu_plugin_tb *tb)
{
	size_t i, n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	for (i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t address = qemu_plugin_insn_vaddr(insn);

		plugin_watch_mark(insn, pass_mark);
		/*
		 * All instructions of the kernel: QEMU 7.2 ascribes accesses of an instruction without
		 * callback to one that came before and had a callback.
		 */
		if (address >> KERNEL_SHIFT)
			qemu_plugin_register_vcpu_mem_cb(insn, access_memory, CB_NO_REGS,
							 MEM_READ_WRITE, (void *)address);
	}
}

static void print_table(FILE *file, struct counter **table, unsigned int cpu)
{
	const struct counter *counter;
	unsigned int i;

	for (i = 0; i < NR_BUCKETS; i++)
		for (counter = table[i]; counter; counter = counter->next)
			fprintf(file, "%" PRIx64 " %u %c %" PRIx64 " %" PRIu64 " %" PRIx64 "\n",
				counter->line << LINE_SHIFT, cpu, counter->is_store ? 'w' : 'r',
				counter->instruction, counter->count, counter->address);
}

static void print_counts(plugin_id id, void *path)
{
	FILE *file = fopen(path, "w");
	unsigned int i, cpu;

	(void)id;
	if (!file)
		return;
	for (i = 0; i < nr_marks; i++) {
		fprintf(file, "marks\n");
		for (cpu = 0; cpu < MAX_CPUS; cpu++)
			print_table(file, tables[i][cpu], cpu);
	}
	fclose(file);
}

int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
	(void)info;
	return plugin_begin(id, argc, argv, translate_block, print_counts);
}
