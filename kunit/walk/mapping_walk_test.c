// SPDX-License-Identifier: GPL-2.0
/*
 * A random walk over all operations on mappings (mapping_walk.h), compared with a model
 * (mapping_model.h). In a second case each CPU has a walk (crew.h). These walks run at once on one
 * instance, each with its own objects, while another thread reads the page tables.
 */
#include "walk/crew.h"
#include "walk/mapping_walk.h"
#include "walk/mapping_walk_borrow.h"
#include "walk/mapping_walk_change.h"
#include "walk/mapping_walk_create.h"
#include "walk/mapping_walk_device.h"
#include "walk/mapping_walk_map.h"
#include "walk/mapping_walk_parts.h"
#include "walk/mapping_walk_root.h"

#include "mapping/instance_devices.h"
#include "support/fixture.h"
#include "support/instance_fixture.h"
#include "support/invariants.h"

#include "alloc/frames.h"
#include "alloc/pages.h"
#include "paging/mapper.h"
#include "paging/translate.h"

#include <linux/gfp.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched.h>

#define NR_STEPS	400
#define NR_ROUNDS	100

struct walk_param {
	const char *name;
	bool has_faults;	/* some allocations fail */
	u64 nr_hogged;		/* frames of RAM that the case holds, so that memory is short */
	bool has_magazines;
};

static const struct walk_param walk_params[] = {
	{ "balanced" },
	{ "allocations fail", true },
	{ "little memory", false, 2300 },
	{ "little memory, allocations fail", true, 2700 },
	{ "magazines", false, 0, true },
	{ "little memory, allocations fail, magazines", true, 2700, true },
};

TMM_ARRAY_PARAM(walk, walk_params);

struct stress {
	struct tmm_instance inst;
	struct model_shared shared;
	struct model models[CREW_MAX];
	unsigned int nr_models;
	struct tmm_allocated_frames *hogs[64];
	u64 frames_before;
	u64 pages_before;
};

static void start_model(struct kunit *test, struct stress *s, struct model *m, u64 salt)
{
	unsigned int index = m - s->models;
	struct tmm_paddr start;
	int err;

	m->test = test;
	m->inst = &s->inst;
	m->shared = &s->shared;
	m->id = 1 + index;
	m->next_stamp = 1 + ((u64)index << 32);
	m->device_first = DEVICE_FIRST + index * DEVICE_APART;
	m->device_nr = DEVICE_NR;
	start.v = m->device_first << TMM_PAGE_SHIFT;
	m->roots[0] = s->inst.root;
	tmm_test_random_start(test, &m->rnd, salt);
	err = tmm_instance_add_reserved_region(&s->inst, start, m->device_nr << TMM_PAGE_SHIFT,
					       TMM_UNCACHED);
	KUNIT_ASSERT_EQ(test, err, 0);
	m->has_device = true;
	m->mmi = tmm_mmi_create(s->inst.root);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, m->mmi);
}

/* Takes @nr frames, rounded down to whole pieces. */
static void hog_frames(struct kunit *test, struct stress *s, struct model *m, u64 nr)
{
	const u64 piece = MODEL_NR_FRAMES / ARRAY_SIZE(s->hogs);
	const struct tmm_allocation_request req = tmm_request_any(piece);
	unsigned int i;

	for (i = 0; i < nr / piece; i++) {
		s->hogs[i] = tmm_frame_allocator_allocate(&s->inst.fa, &req);
		if (IS_ERR(s->hogs[i]))
			return;
		model_own(m, s->hogs[i]->f.chunk.start, piece);
	}
}

static int stress_init(struct kunit *test)
{
	struct stress *s = tmm_test_kvzalloc(test, sizeof(*s));
	unsigned int i;

	test->priv = s;
	for (i = 0; i < MODEL_NR_MEMORIES; i++) {
		struct page *pages = alloc_pages(GFP_KERNEL, MODEL_MEMORY_ORDER);

		KUNIT_ASSERT_NOT_NULL(test, pages);
		s->shared.memories[i] = (struct tmm_memory){ page_to_pfn(pages), MODEL_MEMORY_NR,
							     page_address(pages) };
	}
	KUNIT_ASSERT_EQ(test, tmm_instance_init(&s->inst, s->shared.memories, MODEL_NR_MEMORIES),
			0);
	KUNIT_ASSERT_EQ(test, tmm_instance_move_to_heap(&s->inst), 0);
	s->frames_before = tmm_fingerprint_frames(&s->inst.fa);
	s->pages_before = tmm_fingerprint_ranges(&s->inst.pa.ra);
	memset(s->shared.stamp, 0xff, sizeof(s->shared.stamp));
	return 0;
}

/* After an error, or if pages or frames are lost, the instance is not destroyed. */
static void stress_exit(struct kunit *test)
{
	struct stress *s = test->priv;
	unsigned int i;

	if (!s || !s->inst.root)
		return;
	for (i = 0; i < ARRAY_SIZE(s->hogs); i++)
		tmm_allocated_frames_drop(&s->hogs[i]);
	for (i = 0; i < s->nr_models; i++)
		if (*s->models[i].why)
			return;
	tmm_magazines_empty(&s->inst.fa.ra);
	tmm_magazines_empty(&s->inst.pa.ra);
	KUNIT_EXPECT_EQ(test, tmm_check_page_table(test, s->inst.root), 0);
	KUNIT_EXPECT_EQ(test, s->inst.fa.nr_tables, 0);
	KUNIT_EXPECT_EQ(test, tmm_page_table_nr_mappings(s->inst.root), 0);
	KUNIT_EXPECT_EQ(test, kref_read(&s->inst.root->kref), 1);
	tmm_check_frame_allocator(test, &s->inst.fa);
	tmm_check_range_allocator(test, &s->inst.pa.ra);
	KUNIT_EXPECT_EQ(test, tmm_fingerprint_frames(&s->inst.fa), s->frames_before);
	KUNIT_EXPECT_EQ(test, tmm_fingerprint_ranges(&s->inst.pa.ra), s->pages_before);
	if (tmm_fingerprint_frames(&s->inst.fa) != s->frames_before ||
	    tmm_fingerprint_ranges(&s->inst.pa.ra) != s->pages_before)
		return;
	tmm_instance_exit(&s->inst);
	for (i = 0; i < MODEL_NR_MEMORIES; i++)
		__free_pages(virt_to_page(s->shared.memories[i].window), MODEL_MEMORY_ORDER);
}

/* Each element has the same chance, so a step that is named twice is drawn twice as often. */
static void (* const steps[])(struct model *m) = {
	step_create, step_create, step_create, step_create_contiguous,
	step_create_contiguous, step_create_identity, step_map_frame_range,
	step_map_frame_range, step_deep_copy, step_deep_copy, step_split, step_split,
	step_split, step_split, step_merge, step_merge, step_merge, step_remap, step_remap,
	step_borrow, step_borrow, step_borrow, step_end_borrow, step_write, step_write,
	step_unmap, step_unmap, step_unmap, step_map_to, step_map_to, step_map_to,
	step_map_to, step_map_lent, step_map_lent, step_map_pages, step_drop, step_drop,
	step_drop, step_drop, step_take_pages, step_take_pages, step_take_pages,
	step_take_frames, step_take_frames, step_drop_part, step_drop_part, step_split_part,
	step_split_part, step_defer, step_finish, step_finish, step_finish, step_new_root,
	step_drop_root, step_drop_root, step_switch, step_context, step_device, step_device,
};

static void take_step(struct model *m)
{
	m->step++;
	steps[model_below(m, ARRAY_SIZE(steps))](m);
	cond_resched();
}

/* Drops all objects. After an error the model may be wrong, and nothing is dropped. */
static void give_all(struct model *m)
{
	const struct tmm_paddr device = { m->device_first << TMM_PAGE_SHIFT };
	unsigned int i;

	if (*m->why)
		return;
	walk_drop_context(m);
	for (i = 0; i < MODEL_NR_MAPPINGS; i++)
		walk_drop(m, &m->mappings[i]);
	for (i = 0; i < MODEL_NR_BORROWS; i++)
		if (m->borrows[i].is_used)
			walk_end_borrow(m, &m->borrows[i]);
	for (i = 0; i < MODEL_NR_PARTS; i++) {
		tmm_allocated_pages_drop(&m->pages[i]);
		if (m->frames[i].frames)
			model_drop_frames(m, i);
		tmm_allocated_frames_drop(&m->frames[i].frames);
	}
	tmm_deferred_action_finish(&m->page_action);
	tmm_deferred_action_finish(&m->frame_action);
	for (i = 1; i < MODEL_NR_ROOTS; i++) {
		if (m->roots[i])
			model_disown(m, m->roots[i]->frames->f.chunk.start, 2);
		MODEL_EXPECT(m, !tmm_page_table_drop(&m->roots[i]), "root %u is in use", i);
	}
	if (m->has_device)
		MODEL_EXPECT(m, !tmm_instance_remove_reserved_region(m->inst, device, m->device_nr
								     << TMM_PAGE_SHIFT),
			     "device memory is in use");
}

static void one_walker(struct kunit *test)
{
	const struct walk_param *p = test->param_value;
	struct stress *s = test->priv;
	struct model *m = &s->models[0];

	s->nr_models = 1;
	if (p->has_magazines)
		KUNIT_ASSERT_EQ(test, tmm_instance_start_magazines(&s->inst), 0);
	m->is_alone = true;
	start_model(test, s, m, 0x100 + (p - walk_params));
	model_own(m, s->inst.root->frames->f.chunk.start, 2);
	hog_frames(test, s, m, p->nr_hogged);
	m->has_faults = p->has_faults;
	do
		take_step(m);
	while (model_check_all(m, 1) && m->step < NR_STEPS * tmm_test_times());
	m->has_faults = false;
	give_all(m);
	walk_report(test, m);
}

/* A thread that reads the leaves that other threads map. */
struct looker {
	struct model m;		/* for random numbers, and for the first error */
	u64 nr_seen;		/* pages that were mapped when the thread looked */
};

static u64 draw_page(struct model *m)
{
	const struct tmm_memory *memory =
		&m->shared->memories[model_below(m, MODEL_NR_MEMORIES)];

	switch (model_below(m, 5)) {
	case 0:
		return memory->first + model_below(m, memory->nr);
	case 1:
		return tmm_private_first_page() + tmm_private_nr_pages() - 1 -
		       model_below(m, 8 * LEAF_1G);
	case 2:
		return model_below(m, tmm_page_number_limit());
	default:
		return tmm_private_first_page() + model_below(m, 4 * LEAF_2M);
	}
}

/*
 * If the page is mapped, expects its leaf to have valid flags, and to map to memory of one of the
 * walks.
 */
static void look_once(struct looker *l)
{
	u64 page = draw_page(&l->m);
	struct tmm_translation found;
	struct tmm_pte_dump dump;
	u64 frame;

	tmm_translate_dump(l->m.roots[0], tmm_test_vaddr(page), &dump);
	MODEL_EXPECT(&l->m, dump.nr_levels && dump.nr_levels <= l->m.roots[0]->levels,
		     "%u levels", dump.nr_levels);
	if (!(l->m.step % 16))
		tmm_translate_collect_flags(l->m.roots[0], tmm_test_pages(page, 64));
	if (tmm_mapper_translate(l->m.roots[0], tmm_test_vaddr(page), &found))
		return;
	l->nr_seen++;
	frame = found.paddr.v >> TMM_PAGE_SHIFT;
	MODEL_EXPECT(&l->m, model_ram_index(&l->m, frame) >= 0 ||
		     (frame >= DEVICE_FIRST && frame < DEVICE_FIRST + CREW_MAX * DEVICE_APART),
		     "page %#llx maps to %#llx", page, frame);
	MODEL_EXPECT(&l->m, (found.flags & TMM_PTE_VALID) && (found.flags & TMM_PTE_NOT_EXECUTABLE),
		     "page %#llx has flags %#llx", page, (__force u64)found.flags);
}

static int look_around(void *context)
{
	struct looker *l = context;

	while (!kthread_should_stop()) {
		l->m.step++;
		look_once(l);
		if (!(l->m.step % 64))
			schedule_timeout_interruptible(1);
	}
	return 0;
}

static void walk_in_crew(struct crew *crew, unsigned int index)
{
	struct stress *s = crew->context;
	struct model *m = &s->models[index];

	do {
		take_step(m);
		model_check_step(m);
	} while (crew_meet(crew));
}

static bool check_models(void *context)
{
	struct stress *s = context;

	return model_check_all(s->models, s->nr_models);
}

static void walkers_on_all_cpus(struct kunit *test)
{
	struct stress *s = test->priv;
	struct looker *l = tmm_test_kvzalloc(test, sizeof(*l));
	struct crew crew = {
		.test = test,
		.work = walk_in_crew,
		.check = check_models,
		.context = s,
		.max_rounds = NR_ROUNDS * tmm_test_times(),
	};
	const unsigned int nr = crew_size(test);
	struct task_struct *looker;
	unsigned int i;

	for (i = 0; i < nr; i++)
		start_model(test, s, &s->models[i], 0x200 + i);
	s->nr_models = nr;
	model_own(&s->models[0], s->inst.root->frames->f.chunk.start, 2);
	l->m.shared = &s->shared;
	l->m.roots[0] = s->inst.root;
	tmm_test_random_start(test, &l->m.rnd, 0x210);

	looker = kthread_run(look_around, l, "tmm_snapshot");
	crew_run(&crew, nr);
	if (!IS_ERR(looker))
		kthread_stop(looker);
	for (i = 0; i < nr; i++)
		give_all(&s->models[i]);
	for (i = 0; i < nr; i++)
		walk_report(test, &s->models[i]);
	KUNIT_EXPECT_STREQ(test, l->m.why, "");
	KUNIT_EXPECT_GT(test, l->nr_seen, 0);
}

static void walkers_with_magazines(struct kunit *test)
{
	struct stress *s = test->priv;

	KUNIT_ASSERT_EQ(test, tmm_instance_start_magazines(&s->inst), 0);
	walkers_on_all_cpus(test);
}

static struct kunit_case mapping_walk_cases[] = {
	KUNIT_CASE_PARAM(one_walker, walk_gen_params),
	KUNIT_CASE(walkers_on_all_cpus),
	KUNIT_CASE(walkers_with_magazines),
	{}
};

static struct kunit_suite mapping_walk_suite = {
	.name = "theseus_mm_mapping_walk",
	.init = stress_init,
	.exit = stress_exit,
	.test_cases = mapping_walk_cases,
};

kunit_test_suite(mapping_walk_suite);
