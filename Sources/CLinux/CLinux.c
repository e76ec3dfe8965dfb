#define _GNU_SOURCE
#include "CLinux.h"
#include <malloc.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

int64_t kl_copy_file_range(int from, int64_t fromOffset, int to, int64_t toOffset, size_t count) {
    off64_t source = fromOffset, target = toOffset;
    return copy_file_range(from, &source, to, &target, count, 0);
}

int kl_syncfs(int descriptor) { return syncfs(descriptor); }

void kl_tune_malloc(int arenas, size_t trimThreshold) {
    mallopt(M_ARENA_MAX, arenas);
    mallopt(M_TRIM_THRESHOLD, (int)trimThreshold);
}

int64_t kl_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return -1;
    if (limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0 && getrlimit(RLIMIT_NOFILE, &limit) != 0)
            return -1;
    }
    if (limit.rlim_cur == RLIM_INFINITY) return INT64_MAX;
    return (int64_t)limit.rlim_cur;
}

int64_t kl_available_bytes(const char *path) {
    struct statvfs info;
    if (statvfs(path, &info) != 0) return -1;
    return (int64_t)info.f_bavail * (int64_t)info.f_frsize;
}

int kl_try_lock(int descriptor) { return flock(descriptor, LOCK_EX | LOCK_NB); }

void kl_unlock(int descriptor) { flock(descriptor, LOCK_UN); }

int64_t kl_boot_milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
