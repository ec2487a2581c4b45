// SPDX-License-Identifier: GPL-2.0
/* The functions behind the headers that stand in for Linux's, and the report of a failure. */
#include "runtime.h"

#include "alloc/waiters.h"

#include <linux/slab.h>
#include <linux/string.h>

void *malloc(size_t nr_bytes);
void *calloc(size_t nr, size_t nr_bytes);
void free(void *memory);
void exit(int status) __attribute__((noreturn));
int fflush(void *file);
int vprintf(const char *format, __builtin_va_list arguments);

struct task_struct {
	int unused;
};

static struct task_struct task;

struct task_struct *const host_task = &task;
bool host_is_killed;
unsigned int host_cpu;
unsigned int host_nr_levels = 4;
unsigned long host_nr_objects;
unsigned long host_nr_requests;
unsigned long host_nr_releases[3];

static unsigned long refused;
static unsigned int nr_held;
static void (*note)(void);

void host_note(void (*print)(void))
{
	note = print;
}

static void end_failed(void)
{
	printf("\n");
	if (note)
		note();
	fflush(NULL);
	exit(1);
}

void host_fail(const char *file, int line, const char *what)
{
	printf("%s:%d: %s", file, line, what);
	end_failed();
	__builtin_unreachable();
}

void host_failf(const char *file, int line, const char *format, ...)
{
	__builtin_va_list arguments;

	printf("%s:%d: ", file, line);
	__builtin_va_start(arguments, format);
	vprintf(format, arguments);
	__builtin_va_end(arguments);
	end_failed();
	__builtin_unreachable();
}

void host_passed(const char *name, unsigned long nr_cases)
{
	expect(nr_cases);
	printf("ok %-52s %10lu cases\n", name, nr_cases);
	fflush(NULL);
}

void host_lock(bool *is_held)
{
	expect(!*is_held);
	*is_held = true;
	nr_held++;
}

void host_unlock(bool *is_held)
{
	expect(*is_held && nr_held);
	*is_held = false;
	nr_held--;
}

void host_may_sleep(void)
{
	expect(!nr_held);
}

void host_refuse(unsigned long number)
{
	refused = number;
	host_nr_requests = 0;
}

bool host_heap_refuses(void)
{
	host_may_sleep();
	return ++host_nr_requests == refused;
}

void *host_memory(size_t nr_bytes)
{
	void *memory = calloc(1, nr_bytes);

	expect(memory);
	return memory;
}

void host_free_memory(void *memory)
{
	free(memory);
}

struct kmem_cache {
	size_t nr_bytes;
};

struct kmem_cache *kmem_cache_create(const char *name, size_t nr_bytes, size_t align,
				     unsigned int flags, void (*construct)(void *object))
{
	struct kmem_cache *cache = host_memory(sizeof(*cache));

	cache->nr_bytes = nr_bytes;
	return cache;
}

void kmem_cache_destroy(struct kmem_cache *cache)
{
	free(cache);
}

unsigned int kmem_cache_size(struct kmem_cache *cache)
{
	return cache->nr_bytes;
}

/* Memory that is not cleared has a pattern, so that a check notices a read of the memory. */
static void *new_memory(size_t nr_bytes, unsigned int flags)
{
	void *memory = malloc(nr_bytes ?: 1);

	expect(memory);
	memset(memory, flags & __GFP_ZERO ? 0 : 0x5a, nr_bytes);
	host_nr_objects++;
	return memory;
}

static void *heap_alloc(size_t nr_bytes, unsigned int flags)
{
	if (host_heap_refuses() && !(flags & __GFP_NOFAIL))
		return NULL;
	return new_memory(nr_bytes, flags);
}

void *kmem_cache_zalloc(struct kmem_cache *cache, unsigned int flags)
{
	return heap_alloc(cache->nr_bytes, flags | __GFP_ZERO);
}

int kmem_cache_alloc_bulk(struct kmem_cache *cache, unsigned int flags, size_t nr, void **objects)
{
	size_t i;

	if (host_heap_refuses())
		return 0;
	for (i = 0; i < nr; i++)
		objects[i] = new_memory(cache->nr_bytes, flags);
	return nr;
}

void kmem_cache_free(struct kmem_cache *cache, void *object)
{
	kfree(object);
}

void kmem_cache_free_bulk(struct kmem_cache *cache, size_t nr, void **objects)
{
	while (nr)
		kfree(objects[--nr]);
}

void *kzalloc(size_t nr_bytes, unsigned int flags)
{
	return heap_alloc(nr_bytes, flags | __GFP_ZERO);
}

void *kcalloc(size_t nr, size_t nr_bytes, unsigned int flags)
{
	return kzalloc(nr * nr_bytes, flags);
}

void *kvcalloc(size_t nr, size_t nr_bytes, unsigned int flags)
{
	return kzalloc(nr * nr_bytes, flags);
}

char *kstrdup(const char *text, unsigned int flags)
{
	char *copy = heap_alloc(strlen(text) + 1, flags);

	if (copy)
		memcpy(copy, text, strlen(text) + 1);
	return copy;
}

void kfree(const void *memory)
{
	if (!memory)
		return;
	expect(host_nr_objects);
	host_nr_objects--;
	free((void *)memory);
}

void kvfree(const void *memory)
{
	kfree(memory);
}

void *host_alloc_percpu(size_t nr_bytes)
{
	return kzalloc(HOST_NR_CPUS * nr_bytes, 0);
}

void host_free_percpu(void *each)
{
	kfree(each);
}

/* In place of alloc/waiters.c: somebody always waits, and a check only counts the releases. */
atomic_t tmm_waiters_nr_joined = ATOMIC_INIT(1);

void tmm_waiters_count(enum tmm_resource resource)
{
	host_nr_releases[resource]++;
}

/* The module calls this function only to check the parameter bad=, which no check uses. */
struct tmm_pools;

bool tmm_pools_contain(const struct tmm_pools *pools, u64 number)
{
	return true;
}

/* The operations of a parameter, which no check calls */
struct kernel_param;

int param_set_bool(const char *text, const struct kernel_param *param)
{
	return 0;
}

int param_get_bool(char *text, const struct kernel_param *param)
{
	return 0;
}

int hex_to_bin(unsigned char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	digit |= 0x20;
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}
