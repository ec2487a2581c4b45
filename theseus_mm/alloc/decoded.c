// SPDX-License-Identifier: GPL-2.0
#include "alloc/decoded.h"

#include "core/address.h"

#include <kunit/visibility.h>
#include <linux/acpi.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/overflow.h>

/* A write here is a message-signalled interrupt (Intel SDM 3A, 10.11). */
#define MESSAGE_WINDOW		0xfee00000ULL
#define MESSAGE_WINDOW_BYTES	0x100000ULL
/* The usual addresses of I/O APICs, unless the firmware names others. */
#define IO_APIC_WINDOW		0xfec00000ULL
#define IO_APIC_WINDOW_BYTES	0x100000ULL

/**
 * tmm_decoded_add() - add a range
 * @decoded: the ranges; if the list is full, it comes to mean all addresses
 * @first: first byte of the range
 * @nr_bytes: size of the range, 1 or more
 */
void tmm_decoded_add(struct tmm_decoded *decoded, u64 first, u64 nr_bytes)
{
	u64 last;

	if (check_add_overflow(first, nr_bytes - 1, &last))
		last = U64_MAX;
	if (decoded->nr == ARRAY_SIZE(decoded->ranges)) {
		decoded->ranges[0] = (struct tmm_decoded_range){ 0, U64_MAX };
		return;
	}
	decoded->ranges[decoded->nr++] = (struct tmm_decoded_range){ first, last };
}
EXPORT_SYMBOL_IF_KUNIT(tmm_decoded_add);

/**
 * tmm_decoded_overlaps() - does a run overlap a decoded range?
 * @decoded: the ranges
 * @start: first byte of the run
 * @nr_bytes: size of the run, 1 or more; does not wrap
 *
 * Return: true if the run overlaps a range
 */
bool tmm_decoded_overlaps(const struct tmm_decoded *decoded, u64 start, u64 nr_bytes)
{
	unsigned int i;

	for (i = 0; i < decoded->nr; i++)
		if (start <= decoded->ranges[i].last &&
		    decoded->ranges[i].first <= start + nr_bytes - 1)
			return true;
	return false;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_decoded_overlaps);

#ifdef CONFIG_ACPI
static void add_entry(struct tmm_decoded *decoded, const struct acpi_subtable_header *entry)
{
	const struct acpi_madt_io_apic *io_apic = (const void *)entry;
	const struct acpi_madt_local_apic_override *local = (const void *)entry;

	if (entry->type == ACPI_MADT_TYPE_IO_APIC && entry->length >= sizeof(*io_apic))
		tmm_decoded_add(decoded, io_apic->address, TMM_PAGE_SIZE);
	if (entry->type == ACPI_MADT_TYPE_LOCAL_APIC_OVERRIDE && entry->length >= sizeof(*local))
		tmm_decoded_add(decoded, local->address, TMM_PAGE_SIZE);
}

/**
 * tmm_decoded_add_madt() - add the ranges of the firmware's table of interrupt controllers
 * @decoded: the ranges
 * @madt: the table
 * @length: size of the table; an entry that does not fit in it is ignored
 */
void tmm_decoded_add_madt(struct tmm_decoded *decoded, const void *madt, u32 length)
{
	const struct acpi_table_madt *table = madt;
	u32 at = sizeof(*table);

	if (length < sizeof(*table))
		return;
	tmm_decoded_add(decoded, table->address, TMM_PAGE_SIZE);
	while (length - at >= sizeof(struct acpi_subtable_header)) {
		const struct acpi_subtable_header *entry = madt + at;

		if (entry->length < sizeof(*entry) || entry->length > length - at)
			break;
		add_entry(decoded, entry);
		at += entry->length;
	}
}
EXPORT_SYMBOL_IF_KUNIT(tmm_decoded_add_madt);

static void add_acpi(struct tmm_decoded *decoded)
{
	struct acpi_table_header *table;

	if (acpi_disabled)
		return;
	if (ACPI_SUCCESS(acpi_get_table(ACPI_SIG_MADT, 0, &table))) {
		tmm_decoded_add_madt(decoded, table, table->length);
		acpi_put_table(table);
	}
	if (ACPI_SUCCESS(acpi_get_table(ACPI_SIG_HPET, 0, &table))) {
		tmm_decoded_add(decoded, ((struct acpi_table_hpet *)table)->address.address,
				TMM_PAGE_SIZE);
		acpi_put_table(table);
	}
}
#else
void tmm_decoded_add_madt(struct tmm_decoded *decoded, const void *madt, u32 length)
{
}

static void add_acpi(struct tmm_decoded *decoded)
{
}
#endif /* CONFIG_ACPI */

/**
 * tmm_decoded_by_machine() - does this machine itself decode a part of a run?
 * @start: first byte of the run
 * @nr_bytes: size of the run, 1 or more; does not wrap
 *
 * Context: Process context, may sleep.
 * Return: true if a part of the run belongs to no device
 */
bool tmm_decoded_by_machine(u64 start, u64 nr_bytes)
{
	struct tmm_decoded decoded = { .nr = 0 };

	tmm_decoded_add(&decoded, MESSAGE_WINDOW, MESSAGE_WINDOW_BYTES);
	tmm_decoded_add(&decoded, IO_APIC_WINDOW, IO_APIC_WINDOW_BYTES);
	add_acpi(&decoded);
	return tmm_decoded_overlaps(&decoded, start, nr_bytes);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_decoded_by_machine);
