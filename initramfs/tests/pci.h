/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PCI devices, as sysfs shows them.
 */
#ifndef TESTS_PCI_H
#define TESTS_PCI_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define PCI_DEVICES	"/sys/bus/pci/devices"
#define PCI_NAME	300
#define PCI_PATH	(PCI_NAME + 100)

/* Return: 0, or -errno */
static inline int put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* Return: line @line of a device's file as a number; 0 if there is no such line */
static inline unsigned long long pci_number(const char *device, const char *name, int line)
{
	char path[PCI_PATH], text[100], *found;
	FILE *file;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/%s", device, name);
	file = fopen(path, "r");
	if (!file)
		return 0;
	do {
		found = fgets(text, sizeof(text), file);
	} while (found && line--);
	fclose(file);
	return found ? strtoull(text, NULL, 16) : 0;
}

/* Find the name of the first device of a kind. Return: false if there is none */
static inline bool pci_find(unsigned int vendor, unsigned int product, char name[PCI_NAME])
{
	DIR *dir = opendir(PCI_DEVICES);
	struct dirent *entry;
	bool is_found = false;

	while (dir && !is_found && (entry = readdir(dir))) {
		snprintf(name, PCI_NAME, "%s", entry->d_name);
		is_found = pci_number(name, "vendor", 0) == vendor &&
			   pci_number(name, "device", 0) == product;
	}
	if (dir)
		closedir(dir);
	return is_found;
}

/* Return: 0, or -errno */
static inline int pci_put(const char *device, const char *name, const char *text)
{
	char path[PCI_PATH];

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/%s", device, name);
	return put_text(path, text);
}

static inline unsigned long long pci_bar(const char *device, int bar)
{
	return pci_number(device, "resource", bar);
}

/* Enable the first device of a kind. Return: the address of a BAR, or 0 if there is none */
static inline unsigned long long pci_find_bar(unsigned int vendor, unsigned int product, int bar)
{
	char device[PCI_NAME];

	if (!pci_find(vendor, product, device) || pci_put(device, "enable", "1"))
		return 0;
	return pci_bar(device, bar);
}

#endif /* TESTS_PCI_H */
