// SPDX-License-Identifier: GPL-2.0
#include "sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_FOUND	127

static void become_sha256sum(int input, int output)
{
	/* dup2() also clears close-on-exec, which all ends of the pipes have */
	if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0)
		_exit(NOT_FOUND);
	execlp("sha256sum", "sha256sum", (char *)NULL);
	_exit(NOT_FOUND);
}

int sha256_start(struct sha256 *sha)
{
	int in[2], out[2], err;

	if (pipe2(in, O_CLOEXEC))
		return -errno;
	if (pipe2(out, O_CLOEXEC)) {
		err = -errno;
		goto err_close_in;
	}
	sha->pid = fork();
	if (sha->pid < 0) {
		err = -errno;
		goto err_close_out;
	}
	if (!sha->pid)
		become_sha256sum(in[0], out[1]);
	close(in[0]);
	close(out[1]);
	sha->input = in[1];
	sha->output = out[0];
	return 0;

err_close_out:
	close(out[0]);
	close(out[1]);
err_close_in:
	close(in[0]);
	close(in[1]);
	return err;
}

int sha256_feed(struct sha256 *sha, const void *data, size_t length)
{
	const char *rest = data;
	ssize_t written;

	while (length) {
		written = write(sha->input, rest, length);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		rest += written;
		length -= written;
	}
	return 0;
}

static int read_sum(int fd, char text[SHA256_TEXT])
{
	size_t used = 0;
	ssize_t got;

	while (used < SHA256_TEXT - 1) {
		got = read(fd, text + used, SHA256_TEXT - 1 - used);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			return -EIO;
		used += got;
	}
	text[used] = '\0';
	return strspn(text, "0123456789abcdef") == used ? 0 : -EIO;
}

int sha256_finish(struct sha256 *sha, char text[SHA256_TEXT])
{
	int err, status;

	close(sha->input);
	err = read_sum(sha->output, text);
	close(sha->output);
	while (waitpid(sha->pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_FOUND)
		return -ENOEXEC;
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return -EIO;
	return err;
}
