// SPDX-License-Identifier: GPL-2.0
/* Addresses that the processor decodes, computed from descriptions of a machine. */
#include "alloc/decoded.h"

#include "support/fixture.h"

#include <linux/acpi.h>

struct table {
	struct acpi_table_madt madt;
	struct acpi_madt_local_apic cpu;
	struct acpi_madt_io_apic io_apics[2];
	struct acpi_madt_local_apic_override override;
} __packed;

static void runs_overlap(struct kunit *test)
{
	struct tmm_decoded *decoded = tmm_test_kvzalloc(test, sizeof(*decoded));

	KUNIT_EXPECT_FALSE(test, tmm_decoded_overlaps(decoded, 0, U64_MAX));
	tmm_decoded_add(decoded, 0x5000, 0x2000);
	KUNIT_EXPECT_FALSE(test, tmm_decoded_overlaps(decoded, 0x4000, 0x1000));
	KUNIT_EXPECT_TRUE(test, tmm_decoded_overlaps(decoded, 0x4000, 0x1001));
	KUNIT_EXPECT_TRUE(test, tmm_decoded_overlaps(decoded, 0x4000, 0x8000));
	KUNIT_EXPECT_TRUE(test, tmm_decoded_overlaps(decoded, 0x6fff, 1));
	KUNIT_EXPECT_FALSE(test, tmm_decoded_overlaps(decoded, 0x7000, 0x1000));
	tmm_decoded_add(decoded, U64_MAX - 0xfff, 0x2000);
	KUNIT_EXPECT_TRUE(test, tmm_decoded_overlaps(decoded, U64_MAX, 1));
}

/*
 * If there are more ranges than the list can hold, every address counts as decoded. So the check
 * misses no address that is decoded.
 */
static void too_many(struct kunit *test)
{
	struct tmm_decoded *decoded = tmm_test_kvzalloc(test, sizeof(*decoded));
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(decoded->ranges); i++)
		tmm_decoded_add(decoded, 0x100000 + i * 0x1000, 0x1000);
	KUNIT_EXPECT_FALSE(test, tmm_decoded_overlaps(decoded, 0x1000, 0x1000));
	tmm_decoded_add(decoded, 0x200000, 0x1000);
	KUNIT_EXPECT_TRUE(test, tmm_decoded_overlaps(decoded, 0x1000, 0x1000));
}

static void from_the_firmwares_table(struct kunit *test)
{
	struct tmm_decoded *decoded = tmm_test_kvzalloc(test, sizeof(*decoded));
	struct table *table = tmm_test_kvzalloc(test, sizeof(*table));
	unsigned int cut;

	table->madt.address = 0xfee00000;
	table->cpu.header = (struct acpi_subtable_header){ ACPI_MADT_TYPE_LOCAL_APIC,
							   sizeof(table->cpu) };
	table->io_apics[0] = (struct acpi_madt_io_apic){
		.header = { ACPI_MADT_TYPE_IO_APIC, sizeof(table->io_apics[0]) },
		.address = 0xfec00000,
	};
	table->io_apics[1] = (struct acpi_madt_io_apic){
		.header = { ACPI_MADT_TYPE_IO_APIC, sizeof(table->io_apics[1]) },
		.address = 0xd0000000,
	};
	table->override = (struct acpi_madt_local_apic_override){
		.header = { ACPI_MADT_TYPE_LOCAL_APIC_OVERRIDE, sizeof(table->override) },
		.address = 0x123456789000,
	};
	tmm_decoded_add_madt(decoded, table, sizeof(*table));
	KUNIT_EXPECT_EQ(test, decoded->nr, 4);
	KUNIT_EXPECT_TRUE(test, tmm_decoded_overlaps(decoded, 0xfee00000, 1));
	KUNIT_EXPECT_TRUE(test, tmm_decoded_overlaps(decoded, 0xd0000fff, 1));
	KUNIT_EXPECT_FALSE(test, tmm_decoded_overlaps(decoded, 0xd0001000, 1));
	KUNIT_EXPECT_TRUE(test, tmm_decoded_overlaps(decoded, 0x123456789000, 1));
	/* a table that is cut short is not read past its end */
	for (cut = 0; cut < sizeof(*table); cut++) {
		decoded->nr = 0;
		tmm_decoded_add_madt(decoded, table, cut);
		KUNIT_EXPECT_LT(test, decoded->nr, 4);
	}
	/* an entry without a length ends the table */
	table->cpu.header.length = 0;
	decoded->nr = 0;
	tmm_decoded_add_madt(decoded, table, sizeof(*table));
	KUNIT_EXPECT_EQ(test, decoded->nr, 1);
}

static void this_machine(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, tmm_decoded_by_machine(0xfee00000, 0x1000));
	KUNIT_EXPECT_TRUE(test, tmm_decoded_by_machine(0xfeeff000, 0x1000));
	KUNIT_EXPECT_TRUE(test, tmm_decoded_by_machine(0xfec00000, 0x1000));
	KUNIT_EXPECT_TRUE(test, tmm_decoded_by_machine(0, U64_MAX));
	KUNIT_EXPECT_FALSE(test, tmm_decoded_by_machine(0xfef00000, 0x1000));
	/* QEMU has an HPET at this address */
	KUNIT_EXPECT_TRUE(test, tmm_decoded_by_machine(0xfed00000, 0x1000));
}

static struct kunit_case decoded_cases[] = {
	KUNIT_CASE(runs_overlap),
	KUNIT_CASE(too_many),
	KUNIT_CASE(from_the_firmwares_table),
	KUNIT_CASE(this_machine),
	{}
};

static struct kunit_suite decoded_suite = {
	.name = "theseus_mm_decoded",
	.test_cases = decoded_cases,
};

kunit_test_suite(decoded_suite);
