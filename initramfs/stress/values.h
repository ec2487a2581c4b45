/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Values for the fields of a call. Most of them make sense, so that calls succeed; the others are
 * wrong in one place.
 */
#ifndef STRESS_VALUES_H
#define STRESS_VALUES_H

#include "worker.h"

/**
 * struct values - the arguments of one call
 * @client: the descriptor on which the call is made
 * @bytes: the call's structure
 * @flags: the value of the field "flags", chosen before the others
 * @array: the place in the worker's arena of the array or buffer; NULL if the address is another
 * @offset: the value of a field of KIND_OFFSET
 * @length: the value of a field of KIND_LENGTH
 */
struct values {
	int client;
	unsigned char bytes[8192];
	uint32_t flags;
	unsigned char *array;
	uint64_t offset;
	uint64_t length;
};

void values_choose(struct worker *worker, enum call call, struct values *values);

/* Read or write a number of 4 or 8 bytes in the structure. */
uint64_t values_get(const struct values *values, const struct field *field);
void values_set(struct values *values, const struct field *field, uint64_t value);

/*
 * Start with new clients and no objects. @socket leads to the other process of the domain, and
 * @device is device memory that the storm may use, or 0. Return: false if a client does not open
 */
bool pool_start(struct pool *pool, int socket, uint64_t device);

/* Return: a random item of the pool; if possible, a handle of @client and of @kind (0: of any) */
int pool_client(struct worker *worker);
uint32_t pool_handle(struct worker *worker, int client, uint32_t kind);
int pool_fd(struct worker *worker);

void pool_add_handle(struct worker *worker, int client, uint32_t handle, uint32_t kind);

/* A call has consumed a handle. Sometimes the pool keeps the handle, as a stale one. */
void pool_forget_handle(struct worker *worker, int client, uint32_t handle);
uint32_t pool_kind(const struct worker *worker, int client, uint32_t handle);

void pool_add_fd(struct worker *worker, int fd);

/* Return: a number of bytes, mostly small and often whole pages */
uint64_t choose_bytes(struct worker *worker);

#endif /* STRESS_VALUES_H */
