// SPDX-License-Identifier: GPL-2.0
#include "calls.h"

#include <errno.h>
#include <string.h>

#define INFO_OF(call, its_type)								\
	[CALL_##call] = {								\
		.name = #call,								\
		.type = #its_type,							\
		.request = THESEUS_MM_IOC_##call,					\
	},

const struct call_info calls[NR_CALLS] = { STRESS_CALLS(INFO_OF) };

#define FIELD_OF(its_type, name, its_kind)						\
	{										\
		.type = #its_type,							\
		.kind = (its_kind),							\
		.offset = offsetof(struct its_type, name),				\
		.size = sizeof(((struct its_type *)0)->name),				\
	},

static const struct field fields[] = { STRESS_FIELDS(FIELD_OF) };

const struct field *call_next_field(enum call call, const struct field *field)
{
	const struct field *end = fields + sizeof(fields) / sizeof(fields[0]);

	for (field = field ? field + 1 : fields; field < end; field++)
		if (!strcmp(field->type, calls[call].type))
			return field;
	return NULL;
}

#define ERROR_OF(call, error)	{ CALL_##call, error },

static const struct {
	enum call call;
	int err;
} errors[] = { STRESS_ERRORS(ERROR_OF) };

bool call_may_return(enum call call, int err)
{
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].call == call && errors[i].err == err)
			return true;
	return false;
}
