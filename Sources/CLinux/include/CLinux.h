#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// What glibc offers only under _GNU_SOURCE, which Swift's Glibc module does not define.
// Each returns the result of the call, or -1 with errno set.

int64_t kl_copy_file_range(int from, int64_t fromOffset, int to, int64_t toOffset, size_t count);
int kl_syncfs(int descriptor);

// Caps malloc's arenas and lets it give memory back, for a process of many threads.
void kl_tune_malloc(int arenas, size_t trimThreshold);

// Raises the soft limit of open files to the hard one; returns the limit in force, or -1.
int64_t kl_raise_descriptor_limit(void);

// Bytes available to this process on the file system of `path`, or -1.
int64_t kl_available_bytes(const char *path);

int kl_try_lock(int descriptor);
void kl_unlock(int descriptor);

// Milliseconds since boot, sleep included (CLOCK_BOOTTIME).
int64_t kl_boot_milliseconds(void);
