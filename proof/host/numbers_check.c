// SPDX-License-Identifier: GPL-2.0
/*
 * core/: the arithmetic of addresses, pages, frames and ranges, with 4 and with 5 levels of tables.
 * All combinations of numbers at and beside each power of two are tried. The model computes in 128
 * bits, so that nothing overflows. Texts of numbers: all texts of up to five characters of a small
 * alphabet.
 */
#include "core/address.h"
#include "core/number.h"
#include "core/page.h"
#include "core/range.h"
#include "runtime.h"

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

typedef unsigned __int128 u128;

#define MAX_NUMBERS	256

static u64 numbers[MAX_NUMBERS];
static unsigned int nr_numbers;
static unsigned long nr_cases;

/* Numbers at and beside the powers of two whose exponents are multiples of @step */
static void make_numbers(unsigned int step)
{
	unsigned int shift, i;

	nr_numbers = 0;
	for (shift = 0; shift <= 64; shift += step)
		for (i = 0; i < 3; i++)
			numbers[nr_numbers++] = (shift == 64 ? 0 : 1ULL << shift) + i - 1;
}

static void check_addresses(void)
{
	const u64 sign = 1ULL << (tmm_vaddr_bits() - 1);
	unsigned int i, j;

	expect_equal(tmm_vaddr_bits(), host_nr_levels == 5 ? 57 : 48);
	for (i = 0; i < nr_numbers; i++) {
		const u64 value = numbers[i], low = value & (sign - 1);
		const u64 canonical = value & sign ? low | ~(sign - 1) : low;
		struct tmm_vaddr vaddr = { 7 };
		struct tmm_paddr paddr = { 7 };

		expect_equal(tmm_vaddr_new_canonical(value).v, canonical);
		expect_equal(tmm_vaddr_is_canonical(value), value == canonical);
		expect_equal(tmm_vaddr_new(value, &vaddr), value == canonical ? 0 : -EINVAL);
		expect_equal(vaddr.v, value == canonical ? value : 7);
		expect_equal(tmm_paddr_is_canonical(value), value < 1ULL << 52);
		expect_equal(tmm_paddr_new(value, &paddr), value < 1ULL << 52 ? 0 : -EINVAL);
		expect_equal(tmm_paddr_new_canonical(value).v, value % (1ULL << 52));
		for (j = 0; j < nr_numbers; j++) {
			const struct tmm_vaddr at = { canonical };
			const u128 sum = (u128)canonical + numbers[j];
			const u64 difference = canonical > numbers[j] ? canonical - numbers[j] : 0;

			expect_equal(tmm_vaddr_add(at, numbers[j]).v,
				     tmm_vaddr_new_canonical(sum >> 64 ? ~0ULL : (u64)sum).v);
			expect_equal(tmm_vaddr_sub(at, numbers[j]).v,
				     tmm_vaddr_new_canonical(difference).v);
			nr_cases++;
		}
	}
}

static void check_page(struct tmm_page page, u64 nr)
{
	const u64 unit = tmm_page_size_4k_pages(page.size), limit = tmm_page_number_limit();
	struct tmm_page out = { 7, TMM_4K };
	const u128 sum = (u128)page.number + (u128)nr * unit;
	u128 up = nr ? ((u128)page.number + nr - 1) / nr * nr : 0;
	int wanted = sum >= limit ? -EOVERFLOW : 0;
	u64 result = sum;

	expect_equal(tmm_page_add(page, nr, &out), wanted);
	expect_equal(out.number, wanted ? 7 : result);
	out.number = 7;
	wanted = !nr ? -EINVAL : up >= limit ? -EOVERFLOW : up % unit ? -EINVAL : 0;
	result = up;
	expect_equal(tmm_page_align_up(page, nr, &out), wanted);
	expect_equal(out.number, wanted ? 7 : result);
	nr_cases++;
}

static void check_pages(void)
{
	enum tmm_page_size size, other;
	unsigned int i, j;

	for (size = TMM_4K; size < TMM_NR_PAGE_SIZES; size++)
		for (i = 0; i < nr_numbers; i++) {
			const struct tmm_vaddr addr = tmm_vaddr_new_canonical(numbers[i]);
			const struct tmm_page page = tmm_page_containing_address(addr, size);
			const u64 start = tmm_page_start_address(page).v;

			expect(page.number < tmm_page_number_limit());
			expect(addr.v - start < tmm_page_size_bytes(size));
			expect(!(page.number % tmm_page_size_4k_pages(size)));
			for (other = TMM_4K; other < TMM_NR_PAGE_SIZES; other++) {
				const u64 rest = page.number % tmm_page_size_4k_pages(other);
				struct tmm_page out;

				expect_equal(tmm_page_convert(page, other, &out),
					     rest ? -EINVAL : 0);
			}
			for (j = 0; j < nr_numbers; j++)
				check_page(page, numbers[j]);
		}
}

static void check_range(u64 first, u64 nr, enum tmm_page_size size)
{
	const u64 unit = tmm_page_size_4k_pages(size), limit = 1ULL << 40;
	const u128 end = (u128)first + (u128)nr * unit, last = (u128)first + nr - 1;
	struct tmm_range out = { 7, 7, TMM_4K };
	int wanted = first % unit ? -EINVAL : end > limit ? -EOVERFLOW : 0;

	expect_equal(tmm_range_new(first, nr, size, limit, &out), wanted);
	expect(wanted ? out.nr == 7 : out.first == first && tmm_range_end(&out) == (u64)end);
	/* The same numbers as an address and a number of bytes */
	out = (struct tmm_range){ 7, 7, TMM_4K };
	if (nr)
		wanted = last >> 12 >= limit ? -EOVERFLOW : 0;
	else
		wanted = first >> 12 > limit ? -EOVERFLOW : 0;
	expect_equal(tmm_range_from_bytes(first, nr, limit, &out), wanted);
	if (!wanted)
		expect(out.first == first >> 12 &&
		       out.nr == (nr ? (u64)(last >> 12) - (first >> 12) + 1 : 0));
	nr_cases++;
}

static void check_ranges(void)
{
	enum tmm_page_size size;
	unsigned int i, j;

	for (size = TMM_4K; size < TMM_NR_PAGE_SIZES; size++)
		for (i = 0; i < nr_numbers; i++)
			for (j = 0; j < nr_numbers; j++)
				check_range(numbers[i], numbers[j], size);
}

/* Ranges of chunks of 4 KiB below 8, against sets of bits */
static void check_pair(const struct tmm_range *a, const struct tmm_range *b)
{
	const unsigned int bits_a = ((1 << a->nr) - 1) << a->first;
	const unsigned int bits_b = ((1 << b->nr) - 1) << b->first, both = bits_a & bits_b;
	struct tmm_range out = { 99, 99, TMM_4K };

	expect_equal(tmm_range_contains(a, b), bits_b && (bits_a & bits_b) == bits_b);
	expect_equal(tmm_range_contains_number(a, b->first), bits_a >> b->first & 1);
	expect_equal(tmm_range_overlap(a, b, &out), !!both);
	expect(both ? (((1U << out.nr) - 1) << out.first) == both : out.nr == 99);
	expect_equal(tmm_range_to_extended(a, b->first, &out), 0);
	expect((((1U << out.nr) - 1) << out.first & (bits_a | 1 << b->first)) ==
	       (bits_a | 1U << b->first));
	expect_equal(out.first, a->nr && a->first < b->first ? a->first : b->first);
	nr_cases++;
}

static void check_pairs(void)
{
	struct tmm_range a = { .size = TMM_4K }, b = { .size = TMM_4K };

	for (a.first = 0; a.first < 8; a.first++)
		for (a.nr = 0; a.nr < 8; a.nr++)
			for (b.first = 0; b.first < 8; b.first++)
				for (b.nr = 0; b.nr < 8; b.nr++)
					check_pair(&a, &b);
}

/* Read digits of @base. Returns the characters read; sets @value to the number, or to 2^64. */
static unsigned int digits(const char *text, unsigned int base, u128 *value)
{
	unsigned int i;
	int digit;

	*value = 0;
	for (i = 0; (digit = hex_to_bin(text[i])) >= 0 && (unsigned int)digit < base; i++) {
		*value = *value * base + digit;
		if (*value >> 64)
			*value = (u128)1 << 64;
	}
	return i;
}

static void check_text(const char *text)
{
	static const char suffixes[] = "kmgtpe";
	const char *rest = text, *suffix;
	u64 bytes = 7;
	unsigned int skip = 0, base = 10, length;
	u128 value;
	int wanted = 0, err = tmm_number_parse_bytes(&rest, &bytes);

	if (text[0] == '0') {
		base = 8;
		if ((text[1] | 0x20) == 'x' && hex_to_bin(text[2]) >= 0) {
			base = 16;
			skip = 2;
		}
	}
	length = skip + digits(text + skip, base, &value);
	suffix = text[length] ? strchr(suffixes, text[length] | 0x20) : NULL;
	if (length == skip)
		wanted = -EINVAL;
	else if (suffix)
		value <<= 10 * (suffix - suffixes + 1);
	if (!wanted && value >> 64)
		wanted = -ERANGE;
	expect_equal(err, wanted);
	expect(rest == text + (err ? 0 : length + !!suffix));
	expect_equal(bytes, err ? 7 : (u64)value);
	nr_cases++;
}

static void check_texts(void)
{
	static const char alphabet[] = { 0, '0', '1', '7', '8', 'a', 'F', 'x', 'k', 'E', '-' };
	const unsigned int base = sizeof(alphabet);
	unsigned int i, j, rest;
	char text[6] = {};

	for (i = 0; i < base * base * base * base * base; i++) {
		for (j = 0, rest = i; j < 5; j++, rest /= base)
			text[j] = alphabet[rest % base];
		check_text(text);
	}
	check_text("18446744073709551615");
	check_text("18446744073709551616");
	check_text("0xffffffffffffffff");
	check_text("16E");
	check_text("15e");
}

static void part(const char *name, void (*check)(void))
{
	nr_cases = 0;
	for (host_nr_levels = 4; host_nr_levels <= 5; host_nr_levels++)
		check();
	host_passed(name, nr_cases);
}

int main(void)
{
	make_numbers(1);
	part("addresses", check_addresses);
	part("pages", check_pages);
	part("ranges", check_ranges);
	part("pairs of ranges", check_pairs);
	part("texts of numbers", check_texts);
	return 0;
}
