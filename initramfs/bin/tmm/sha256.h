/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SHA-256 by the program of that name, in a process of its own: what checks the
 * memory should not be ours.
 */
#ifndef TMM_SHA256_H
#define TMM_SHA256_H

#include <stddef.h>
#include <sys/types.h>

#define SHA256_TEXT	65

/**
 * struct sha256 - a running sha256sum
 * @pid: its process
 * @input: what it reads
 * @output: what it says
 */
struct sha256 {
	pid_t pid;
	int input;
	int output;
};

/*
 * All return 0 or a negative errno value; -ENOEXEC if there is no sha256sum.
 * A started one must be finished; SIGPIPE must be ignored.
 */
int sha256_start(struct sha256 *sha);
int sha256_feed(struct sha256 *sha, const void *data, size_t length);
int sha256_finish(struct sha256 *sha, char text[SHA256_TEXT]);

#endif /* TMM_SHA256_H */
