/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The functions that plugins of QEMU share, such as profile.c and lines.c.
 *
 * Debian has no package with qemu-plugin.h. So this file declares the part of version 1 of that
 * interface that the plugins use.
 */
#ifndef SCRIPTS_PLUGIN_H
#define SCRIPTS_PLUGIN_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PUBLIC		__attribute__((visibility("default")))
#define CB_NO_REGS	0
#define INLINE_ADD_U64	0
#define MEM_READ_WRITE	3

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_hwaddr;
typedef uint64_t plugin_id;
typedef uint32_t mem_info;
typedef void (*tb_fn)(plugin_id id, struct qemu_plugin_tb *tb);
typedef void (*exec_fn)(unsigned int cpu, void *data);
typedef void (*mem_fn)(unsigned int cpu, mem_info info, uint64_t address, void *data);
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
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn, mem_fn fn, int flags, int rw,
				      void *data);
bool qemu_plugin_mem_is_store(mem_info info);
struct qemu_plugin_hwaddr *qemu_plugin_get_hwaddr(mem_info info, uint64_t address);
bool qemu_plugin_hwaddr_is_io(const struct qemu_plugin_hwaddr *hwaddr);
uint64_t qemu_plugin_hwaddr_phys_addr(const struct qemu_plugin_hwaddr *hwaddr);

PUBLIC extern int qemu_plugin_version;
PUBLIC int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv);
int qemu_plugin_version = 1;

/*
 * Call @fn when the guest comes to @insn, if that is a mark; the data of @fn is NULL at the end of a
 * pair. A mark is a NOP whose last four bytes are magic (bench/kernel/clock.h).
 */
static inline void plugin_watch_mark(struct qemu_plugin_insn *insn, exec_fn fn)
{
	const char *bytes = qemu_plugin_insn_data(insn);

	if (qemu_plugin_insn_size(insn) != 7)
		return;
	if (!memcmp(bytes + 3, "tmmb", 4))
		qemu_plugin_register_vcpu_insn_exec_cb(insn, fn, CB_NO_REGS, &qemu_plugin_version);
	else if (!memcmp(bytes + 3, "tmme", 4))
		qemu_plugin_register_vcpu_insn_exec_cb(insn, fn, CB_NO_REGS, NULL);
}

/* Let QEMU call @translate and @print, whose data is PATH of the argument out=PATH. */
static inline int plugin_begin(plugin_id id, int argc, char **argv, tb_fn translate, exit_fn print)
{
	if (argc != 1 || strncmp(argv[0], "out=", 4)) {
		fprintf(stderr, "the plugin needs out=PATH\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	qemu_plugin_register_atexit_cb(id, print, strdup(argv[0] + 4));
	return 0;
}

#endif /* SCRIPTS_PLUGIN_H */
