// SPDX-License-Identifier: GPL-2.0
/*
 * Loans between two steps. The right to borrow ends after a process has begun a borrow, but before
 * the area of the process is counted. Or a call has taken a mapping out of its handle, and nobody
 * knows yet whether the call will put the mapping back.
 */
#include "device/client/lending.h"

#include "device/client/client.h"
#include "device/client/exports.h"
#include "device/client/handles.h"
#include "device/share/mapping_file.h"
#include "mapping/create.h"
#include "mapping/mapped_pages_borrow.h"

#include "support/fault.h"
#include "support/fixture.h"
#include "support/instance_fixture.h"

#include <linux/completion.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/rwsem.h>
#include <linux/slab.h>

#define MAX_ALLOCATIONS	100

static struct tmm_client *create_client(struct kunit *test)
{
	struct tmm_client *client = tmm_client_create(tmm_test_inst(test));

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, client);
	return client;
}

static u32 create_mapping(struct kunit *test, struct tmm_client *client)
{
	struct tmm_object *object = tmm_handle_reserve(client);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, object);
	object->mapping = tmm_instance_create_mapping(tmm_test_inst(test), tmm_test_root(test),
						      PAGE_SIZE, TMM_TEST_WRITABLE, true);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, object->mapping);
	object->kind = THESEUS_MM_KIND_MAPPING;
	tmm_handle_publish(client, object);
	return object->handle;
}

static struct tmm_object *take_object(struct kunit *test, struct tmm_client *client, u32 handle)
{
	struct tmm_object *object = tmm_handle_take(client, handle, THESEUS_MM_KIND_MAPPING);

	KUNIT_ASSERT_FALSE(test, IS_ERR(object));
	return object;
}

static struct tmm_export *export_mapping(struct kunit *test, struct tmm_client *client)
{
	struct tmm_object *object = take_object(test, client, create_mapping(test, client));
	struct tmm_export *export = tmm_export_create(false);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, export);
	KUNIT_ASSERT_EQ(test, tmm_export_reserve(export, client), 0);
	tmm_export_mapping(export, &object->mapping);
	object->kind = 0;
	tmm_handle_forget(client, object);
	return export;
}

/* Returns the file of a lending descriptor. No descriptor is installed for the file. */
static struct file *lend_mapping(struct kunit *test, struct tmm_client *client, u32 handle)
{
	struct file *file = tmm_lending_create(client, handle, false);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	return file;
}

static struct tmm_loan *create_loan(struct kunit *test)
{
	struct tmm_loan *loan = tmm_loan_create();

	KUNIT_ASSERT_NOT_NULL(test, loan);
	return loan;
}

/* Expects -ESTALE: @loan has a borrow, but the right to borrow has ended since. */
static void expect_too_late(struct kunit *test, struct tmm_loan *loan,
			    struct tmm_mapping_file *mf, struct tmm_lender *lender)
{
	int err;

	tmm_loan_prepare(loan, NULL);
	err = tmm_loan_begin(loan, mf, lender);
	KUNIT_EXPECT_EQ(test, err, -ESTALE);
	if (!err) {
		tmm_loan_put(loan);
		return;
	}
	tmm_borrow_end(&loan->borrow);
	kfree(loan);
}

static void end_lending(struct tmm_client *client, struct file *file)
{
	fput(file);
	tmm_client_destroy(client);
	flush_delayed_fput();
}

static void area_of_an_export_that_is_taken_back(struct kunit *test)
{
	struct tmm_client *client = create_client(test);
	struct tmm_export *export = export_mapping(test, client);
	struct tmm_loan *loan = create_loan(test);
	struct tmm_mapped_pages *mapping;

	KUNIT_ASSERT_EQ(test, tmm_export_lend(export, 0, PAGE_SIZE, true, loan), 0);
	KUNIT_ASSERT_EQ(test, tmm_export_take_back(export, &mapping), 0);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_nr_borrows(mapping), 1);
	expect_too_late(test, loan, &export->mf, &export->descriptors);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_nr_borrows(mapping), 0);
	tmm_mapped_pages_drop(&mapping);
	end_lending(client, export->mf.file);
}

static void area_of_a_revoked_lending(struct kunit *test)
{
	struct tmm_client *client = create_client(test);
	struct file *file = lend_mapping(test, client, create_mapping(test, client));
	struct tmm_lending *lending = file->private_data;
	struct tmm_loan *loan = create_loan(test);
	struct theseus_mm_query query = {};
	unsigned int nr_pinned;

	KUNIT_ASSERT_EQ(test, tmm_lending_lend(lending, 0, PAGE_SIZE, true, loan), 0);
	KUNIT_EXPECT_EQ(test, tmm_loans_revoke_file(lending->mf, &nr_pinned), 0);
	expect_too_late(test, loan, lending->mf, lending->lender);
	query.handle = lending->handle;
	KUNIT_EXPECT_EQ(test, tmm_handle_query(client, &query), 0);
	KUNIT_EXPECT_EQ(test, query.nr_borrows, 0);
	end_lending(client, file);
}

/* A loan that another thread begins in an export. */
struct lending_thread {
	struct tmm_export *export;
	struct tmm_loan *loan;
	int err;
	struct completion done;
};

static int lend_in_thread(void *context)
{
	struct lending_thread *thread = context;

	thread->err = tmm_export_lend(thread->export, 0, PAGE_SIZE, true, thread->loan);
	complete_all(&thread->done);
	return 0;
}

/*
 * While IMPORT or TAKE_BACK has the lock, an export lends nothing: the mapping may be the next
 * owner's in the middle of the call.
 */
static void export_lends_under_its_lock(struct kunit *test)
{
	struct tmm_client *client = create_client(test);
	struct tmm_export *export = export_mapping(test, client);
	struct lending_thread thread = { .export = export, .loan = create_loan(test) };
	struct rw_semaphore *lock = &export->mf.revoke_lock;

	init_completion(&thread.done);
	down_write(lock);
	tmm_test_thread_start(test, lend_in_thread, &thread);
	KUNIT_EXPECT_EQ(test, wait_for_completion_timeout(&thread.done, HZ / 5), 0);
	KUNIT_EXPECT_FALSE(test, tmm_mapped_pages_is_borrowed(export->mapping));
	up_write(lock);
	wait_for_completion(&thread.done);
	KUNIT_EXPECT_EQ(test, thread.err, 0);
	KUNIT_EXPECT_TRUE(test, tmm_mapped_pages_is_borrowed(export->mapping));
	if (!thread.err)
		tmm_borrow_end(&thread.loan->borrow);
	kfree(thread.loan);
	end_lending(client, export->mf.file);
}

static void expect_lends(struct kunit *test, const struct tmm_lending *lending, int expected)
{
	struct tmm_loan *loan = create_loan(test);
	struct theseus_mm_query query = {};
	int err = tmm_lending_lend(lending, 0, PAGE_SIZE, false, loan);

	KUNIT_EXPECT_EQ(test, err, expected);
	if (!err)
		tmm_borrow_end(&loan->borrow);
	kfree(loan);
	KUNIT_EXPECT_EQ(test, tmm_lending_query(lending, &query), expected);
}

/* The descriptor is busy and not stale: the call may put the mapping back. */
static void while_a_call_has_the_mapping(struct kunit *test)
{
	struct tmm_client *client = create_client(test);
	u32 handle = create_mapping(test, client);
	struct file *file = lend_mapping(test, client, handle);
	struct tmm_object *object = take_object(test, client, handle);

	expect_lends(test, file->private_data, -EBUSY);
	tmm_handle_publish(client, object);
	expect_lends(test, file->private_data, 0);
	object = take_object(test, client, handle);
	expect_lends(test, file->private_data, -EBUSY);
	tmm_handle_drop(client, object);
	expect_lends(test, file->private_data, -ESTALE);
	end_lending(client, file);
}

/* After MERGE has given a handle another file, descriptors of the earlier file lend nothing. */
static void mapping_with_another_file(struct kunit *test)
{
	struct tmm_client *client = create_client(test);
	u32 handle = create_mapping(test, client);
	struct file *file = lend_mapping(test, client, handle);
	const struct tmm_mapping_file *earlier = tmm_test_kvzalloc(test, sizeof(*earlier));
	struct tmm_loan *loan = create_loan(test);
	struct theseus_mm_query query = {};
	int err = tmm_lending_lend_object(client, handle, earlier, 0, PAGE_SIZE, false, loan);

	KUNIT_EXPECT_EQ(test, err, -ENOENT);
	if (!err)
		tmm_borrow_end(&loan->borrow);
	KUNIT_EXPECT_EQ(test, tmm_lending_query_object(client, handle, earlier, &query), -ENOENT);
	kfree(loan);
	end_lending(client, file);
}

static void each_allocation_of_a_lending_fails(struct kunit *test)
{
	struct tmm_client *client = create_client(test);
	u32 handle = create_mapping(test, client);
	struct file *file = NULL;
	unsigned int nth;

	for (nth = 1; nth <= MAX_ALLOCATIONS; nth++) {
		tmm_test_fail_alloc(test, nth);
		file = tmm_lending_create(client, handle, false);
		if (!tmm_test_fail_alloc_end())
			break;
		KUNIT_EXPECT_PTR_EQ_MSG(test, file, ERR_PTR(-ENOMEM), "allocation %u", nth);
	}
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	KUNIT_EXPECT_GT(test, nth, 2);
	end_lending(client, file);
}

static struct kunit_case lending_cases[] = {
	KUNIT_CASE(area_of_an_export_that_is_taken_back),
	KUNIT_CASE(area_of_a_revoked_lending),
	KUNIT_CASE(export_lends_under_its_lock),
	KUNIT_CASE(while_a_call_has_the_mapping),
	KUNIT_CASE(mapping_with_another_file),
	KUNIT_CASE(each_allocation_of_a_lending_fails),
	{}
};

static struct kunit_suite lending_suite = {
	.name = "theseus_mm_lending",
	.init = tmm_test_instance_init,
	.exit = tmm_test_instance_exit,
	.test_cases = lending_cases,
};

kunit_test_suite(lending_suite);
