/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Unload the module, load it with other parameters, and read its lines in the kernel log.
 * After a test the module is loaded as it was before.
 */
#ifndef TESTS_MODULE_H
#define TESTS_MODULE_H

#include "harness.h"
#include "text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MODULE_FILE		"/lib/modules/theseus_mm.ko"
#define MODULE_PARAMETERS	"/sys/module/theseus_mm/parameters"
#define MODULE_TEXT		4096

/**
 * struct module_log - lines that the module has logged since module_log_begin()
 * @fd: /dev/kmsg
 * @text: the messages, a line each, without what is in front of "theseus_mm: "
 */
struct module_log {
	int fd;
	char text[4 * MODULE_TEXT];
};

static inline bool module_is_loaded(void)
{
	return !access(MODULE_PARAMETERS, F_OK);
}

/* Return: 0 or a negative errno */
static inline int module_load(const char *parameters)
{
	int fd = open(MODULE_FILE, O_RDONLY | O_CLOEXEC);
	int err = fd < 0 || syscall(SYS_finit_module, fd, parameters, 0) ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return err;
}

/* Retry, since a work item or an RCU callback may still hold the module. */
static inline int module_unload(void)
{
	int i, err = 0;

	for (i = 0; i < 200; i++) {
		err = syscall(SYS_delete_module, "theseus_mm", O_NONBLOCK) ? -errno : 0;
		if (err != -EAGAIN && err != -EBUSY)
			return err;
		usleep(100000);
	}
	return err;
}

/* The parameters of the loaded module as "name=value ..."; those without a value are left out. */
static inline void module_parameters(char text[MODULE_TEXT])
{
	DIR *dir = opendir(MODULE_PARAMETERS);
	const struct dirent *entry;
	char path[512], *value;
	size_t used = 0;

	text[0] = '\0';
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), MODULE_PARAMETERS "/%s", entry->d_name);
		value = text_of(path);
		if (value && strcspn(value, "\n") && strcmp(value, "(null)\n"))
			used += snprintf(text + used, MODULE_TEXT - used, "%s=%.*s ",
					 entry->d_name, (int)strcspn(value, "\n"), value);
		free(value);
	}
	if (dir)
		closedir(dir);
}

/* Get "regions=..." of memory that struct_pages=1 accepts: it shares no section with Linux. */
static inline void module_section_regions(char text[MODULE_TEXT])
{
	static const char name[] = "tmm.section_regions=";
	char *line = text_of("/proc/cmdline");
	const char *word = line ? strstr(line, name) : NULL;

	text[0] = '\0';
	if (word) {
		word += strlen(name);
		snprintf(text, MODULE_TEXT, "regions=%.*s", (int)strcspn(word, "\n "), word);
	}
	free(line);
}

static inline void module_log_begin(struct module_log *log)
{
	log->fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	lseek(log->fd, 0, SEEK_END);
	log->text[0] = '\0';
}

/* Read the new lines of the log. */
static inline const char *module_log_read(struct module_log *log)
{
	char record[8192], *message;
	size_t used = 0;
	ssize_t nr;

	for (;;) {
		nr = read(log->fd, record, sizeof(record) - 1);
		if (nr < 0 && errno != EPIPE)
			break;
		if (nr <= 0)
			continue;
		record[nr] = '\0';
		message = strstr(record, ";theseus_mm: ");
		if (message && used < sizeof(log->text))
			used += snprintf(log->text + used, sizeof(log->text) - used, "%.*s\n",
					 (int)strcspn(message + 13, "\n"), message + 13);
	}
	if (!used)
		log->text[0] = '\0';
	return log->text;
}

static inline void module_log_end(struct module_log *log)
{
	close(log->fd);
}

/* Return: the only line of @text that has @words; NULL if there is none, or several */
static inline char *module_log_line(const char *text, const char *words)
{
	const char *line, *found = NULL;
	size_t length;

	for (line = text; *line; line += length + 1) {
		const char *at = strstr(line, words);

		length = strcspn(line, "\n");
		if (!at || at > line + length)
			continue;
		if (found)
			return NULL;
		found = line;
	}
	return found ? strndup(found, strcspn(found, "\n")) : NULL;
}

FIXTURE(module)
{
	char parameters[MODULE_TEXT];
	struct module_log log;
};

FIXTURE_SETUP(module)
{
	ASSERT_TRUE(module_is_loaded());
	module_parameters(self->parameters);
	ASSERT_EQ(0, module_unload());
	module_log_begin(&self->log);
	ASSERT_LE(0, self->log.fd);
}

FIXTURE_TEARDOWN(module)
{
	module_log_end(&self->log);
	if (module_is_loaded())
		EXPECT_EQ(0, module_unload());
	EXPECT_EQ(0, module_load(self->parameters));
}

#endif /* TESTS_MODULE_H */
