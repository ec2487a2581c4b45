/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All calls of the UAPI header: their structures, field by field, and the errors that they may
 * return. stress_calls.h is made from the sources, so no call can be missing.
 */
#ifndef STRESS_CALLS_H
#define STRESS_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/theseus_mm.h>

#include "kinds.h"
#include "stress_calls.h"

#define CALL_OF(call, its_type)	CALL_##call,

enum call {
	STRESS_CALLS(CALL_OF)
	NR_CALLS
};

struct field {
	const char *type;
	enum kind kind;
	size_t offset;
	size_t size;
};

struct call_info {
	const char *name;
	const char *type;
	unsigned long request;
};

extern const struct call_info calls[NR_CALLS];

/* Return: the field of the call's structure after @field (NULL: the first one), or NULL */
const struct field *call_next_field(enum call call, const struct field *field);

/* May @call return the error @err, a positive errno? */
bool call_may_return(enum call call, int err);

#endif /* STRESS_CALLS_H */
