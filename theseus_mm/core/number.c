// SPDX-License-Identifier: GPL-2.0
#include "core/number.h"

#include "core/compat.h"

#include <kunit/visibility.h>
#include <linux/ctype.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/overflow.h>
#include <linux/string.h>

/* Parse a decimal, hexadecimal (0x) or octal (0) number. On success, move *text past the number. */
static int parse_digits(const char **text, u64 *number)
{
	const char *c = *text;
	const char *first;
	u64 base = 10;
	u64 value = 0;

	if (c[0] == '0' && tolower(c[1]) == 'x' && isxdigit(c[2])) {
		base = 16;
		c += 2;
	} else if (c[0] == '0') {
		base = 8;
	}
	for (first = c; isxdigit(*c) && hex_to_bin(*c) < base; c++)
		if (check_mul_overflow(value, base, &value) ||
		    check_add_overflow(value, (u64)hex_to_bin(*c), &value))
			return -ERANGE;
	if (c == first)
		return -EINVAL;
	*text = c;
	*number = value;
	return 0;
}

/*
 * Parse a size or an address, with the suffixes of memparse(). On success only, set @bytes and
 * move @text past the number. Return: 0; -EINVAL if there is no number, -ERANGE if the number
 * does not fit in 64 bits.
 */
int tmm_number_parse_bytes(const char **text, u64 *bytes)
{
	static const char suffixes[] = "kmgtpe";
	const char *rest = *text;
	const char *suffix;
	unsigned int shift;
	u64 number;
	int err;

	err = parse_digits(&rest, &number);
	if (err)
		return err;
	suffix = *rest ? strchr(suffixes, tolower(*rest)) : NULL;
	if (suffix) {
		shift = 10 * (suffix - suffixes + 1);
		if (number > U64_MAX >> shift)
			return -ERANGE;
		number <<= shift;
		rest++;
	}
	*text = rest;
	*bytes = number;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_number_parse_bytes);

static int set_switch(const char *text, const struct kernel_param *kp)
{
	int err;

	err = param_set_bool(text, kp);
	if (err)
		pr_err("%s=%s: neither 0 nor 1: name one of them\n", kp->name, text);
	return err;
}

const struct kernel_param_ops tmm_param_ops_switch = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG,
	.set = set_switch,
	.get = param_get_bool,
};
