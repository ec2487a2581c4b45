// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin of QEMU that counts how often each instruction of the guest runs between two marks, for
 * profile.sh. A mark is a NOP whose last four bytes are magic (bench/kernel/clock.h). At the end, the
 * plugin prints each address with its count.
 *
 * Debian has no package with qemu-plugin.h. So this file declares the part of version 1 of that
 * interface that the plugin uses.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PUBLIC		__attribute__((visibility("default")))
#define MARK_BEGIN	"tmmb"
#define MARK_END	"tmme"
#define MARK_LENGTH	7
#define NR_BUCKETS	(1u << 16)
#define CB_NO_REGS	0
#define INLINE_ADD_U64	0

struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef uint64_t plugin_id;
typedef void (*tb_fn)(plugin_id id, struct qemu_plugin_tb *tb);
typedef void (*exec_fn)(unsigned int cpu, void *data);
typedef void (*exit_fn)(plugin_id id, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, tb_fn fn);
void qemu_plugin_register_atexit_cb(plugin_id id, exit_fn fn, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, exec_fn fn, int flags,
					    void *data);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int op, void *ptr,
						uint64_t imm);

PUBLIC extern int qemu_plugin_version;
int qemu_plugin_version = 1;

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
		const char *bytes = qemu_plugin_insn_data(insn);

		qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD_U64, &counter->running,
							   1);
		if (qemu_plugin_insn_size(insn) != MARK_LENGTH)
			continue;
		if (!memcmp(bytes + 3, MARK_BEGIN, 4))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, pass_mark, CB_NO_REGS, &nr_marks);
		else if (!memcmp(bytes + 3, MARK_END, 4))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, pass_mark, CB_NO_REGS, NULL);
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

PUBLIC int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv);

/* The argument is out=PATH. */
int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
	(void)info;
	if (argc != 1 || strncmp(argv[0], "out=", 4)) {
		fprintf(stderr, "profile: the plugin needs out=PATH\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate_block);
	qemu_plugin_register_atexit_cb(id, print_counts, strdup(argv[0] + 4));
	return 0;
}
