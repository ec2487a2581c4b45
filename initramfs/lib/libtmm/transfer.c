// SPDX-License-Identifier: GPL-2.0
/*
 * Handing over: turn mappings into descriptors, pass descriptors on, and import them.
 */
#include "internal.h"

#include <sys/socket.h>
#include <unistd.h>

static const struct tmm_export_options nothing_less;

/* Turn the options into the flags of the call. Return 0, or -1 with EINVAL. */
static int export_flags(const struct tmm_export_options *options, uint32_t *flags)
{
	if (!options)
		options = &nothing_less;
	if (tmm_is_set(options->reserved1, sizeof(options->reserved1)) ||
	    tmm_is_set(options->reserved, sizeof(options->reserved))) {
		errno = EINVAL;
		return -1;
	}
	*flags = options->is_read_only ? THESEUS_MM_EXPORT_READ_ONLY : 0;
	return 0;
}

static int export_to(struct tmm_mapping *mapping, unsigned long request, uint32_t flags,
		     uint32_t *export_id)
{
	struct theseus_mm_export call = {
		.handle = tmm_mapping_handle(mapping),
		.flags = flags,
	};

	if (tmm_object_call(tmm_of_mapping(mapping), request, &call))
		return -1;
	if (export_id)
		*export_id = call.export_id;
	return call.fd;
}

int tmm_mapping_export_as(struct tmm_mapping **mapping, const struct tmm_export_options *options,
			  uint32_t *export_id)
{
	uint32_t flags;
	int fd;

	if (export_flags(options, &flags))
		return -1;
	fd = export_to(*mapping, THESEUS_MM_IOC_EXPORT, flags, export_id);
	if (fd < 0)
		return -1;
	tmm_object_free(tmm_of_mapping(*mapping));
	*mapping = NULL;
	return fd;
}

int tmm_mapping_export(struct tmm_mapping **mapping)
{
	return tmm_mapping_export_as(mapping, NULL, NULL);
}

int tmm_mapping_lend(struct tmm_mapping *mapping, const struct tmm_export_options *options)
{
	uint32_t flags;

	if (export_flags(options, &flags))
		return -1;
	return export_to(mapping, THESEUS_MM_IOC_EXPORT, flags | THESEUS_MM_EXPORT_BORROW, NULL);
}

int tmm_mapping_export_dmabuf(struct tmm_mapping *mapping)
{
	return export_to(mapping, THESEUS_MM_IOC_EXPORT_DMABUF, 0, NULL);
}

struct tmm_mapping *tmm_mapping_take_back(struct tmm_client *client, uint32_t export_id)
{
	struct theseus_mm_take_back call = { .export_id = export_id };
	struct tmm_object *object;

	object = tmm_object_new(client);
	if (!object)
		return NULL;
	if (tmm_client_call(client, THESEUS_MM_IOC_TAKE_BACK, &call)) {
		tmm_object_free(object);
		return NULL;
	}
	tmm_object_set(object, call.handle, call.start, call.nr_pages);
	return tmm_as_mapping(object);
}

struct tmm_mapping *tmm_mapping_import(struct tmm_client *client, int *fd)
{
	struct theseus_mm_import call = { .fd = *fd };
	struct tmm_object *object;

	object = tmm_object_new(client);
	if (!object)
		return NULL;
	if (tmm_client_call(client, THESEUS_MM_IOC_IMPORT, &call)) {
		tmm_object_free(object);
		return NULL;
	}
	close(*fd);
	*fd = -1;
	tmm_object_set(object, call.handle, call.start, call.nr_pages);
	return tmm_as_mapping(object);
}

/* The mapping of an exporting descriptor has handle 0. */
int tmm_fd_query(int fd, struct tmm_mapping_info *info)
{
	struct theseus_mm_query query = { 0 };

	if (tmm_fd_call(fd, THESEUS_MM_IOC_QUERY, &query))
		return -1;
	*info = tmm_mapping_describe(&query);
	return 0;
}

int tmm_fd_revoke(int fd, struct tmm_revocation *revocation)
{
	struct theseus_mm_revoke call = { 0 };

	return tmm_revoked(tmm_fd_call(fd, THESEUS_MM_IOC_REVOKE, &call), &call, revocation);
}

/* A descriptor needs at least one byte of data, since a stream has no empty messages. */
int tmm_fd_send(int socket, int fd)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(fd))];
	} control = { .room = { 0 } };
	struct iovec data = { .iov_base = &(char){ 0 }, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	return sendmsg(socket, &message, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

/*
 * Return the last descriptor of a control message, and close @fd and the others, so that only
 * one remains open. Add their number to @nr.
 */
static int take(struct cmsghdr *header, int fd, unsigned int *nr)
{
	const unsigned char *fds = CMSG_DATA(header);
	size_t i, length = header->cmsg_len - CMSG_LEN(0);

	for (i = 0; i + sizeof(fd) <= length; i += sizeof(fd), (*nr)++) {
		if (*nr)
			close(fd);
		memcpy(&fd, fds + i, sizeof(fd));
	}
	return fd;
}

/* Return the only descriptor of a message. If there are several, close all of them. */
static int take_only(struct msghdr *message)
{
	struct cmsghdr *header;
	unsigned int nr = 0;
	int fd = -1;

	for (header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header))
		if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
			fd = take(header, fd, &nr);
	if (nr == 1 && !(message->msg_flags & MSG_CTRUNC))
		return fd;
	if (nr)
		close(fd);
	/* if a message is truncated and has no descriptor, the process has too many descriptors */
	errno = !nr && (message->msg_flags & MSG_CTRUNC) ? EMFILE : EBADMSG;
	return -1;
}

/* The buffer also has room for SCM_CREDENTIALS, in case the socket has SO_PASSCRED set. */
int tmm_fd_receive(int socket)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec data = { .iov_base = &(char){ 0 }, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t length;

	length = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	if (length < 0)
		return -1;
	if (!length) {
		errno = ECONNRESET;
		return -1;
	}
	return take_only(&message);
}
