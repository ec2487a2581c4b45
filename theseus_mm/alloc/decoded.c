// SPDX-License-Identifier: GPL-2.0
#include "alloc/decoded.h"

#include "core/address.h"

#include <kunit/visibility.h>
#include <linux/acpi.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/overflow.h>

/* A write to this range is a message-signalled interrupt (Intel SDM 3A, 10.11). */
#define MESSAGE_WINDOW		0xfee00000ULL
#define MESSAGE_WINDOW_BYTES	0x100000ULL
/* The usual addresses of I/O APICs; the firmware may name others. */
#define IO_APIC_WINDOW		0xfec00000ULL
#define IO_APIC_WINDOW_BYTES	0x100000ULL

/* Add a range of 1 byte or more. If the list is full, the list changes to cover all addresses. */
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

/* True if a run of 1 byte or more, which does not wrap, overlaps a range. */
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

/*
 * Add the ranges of the firmware's table of interrupt controllers. @length is the size of the
 * table in bytes. The walk stops at an entry that does not fit in the table.
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

/*
 * True if the processor or chipset decodes a part of a run, so that no device sees the part.
 * The run has 1 byte or more and does not wrap. May sleep.
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
