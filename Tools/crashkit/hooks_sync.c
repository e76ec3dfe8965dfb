// Calls that make things durable, and raw system calls that stand for hooked ones.
#include "internal.h"
#include <stdarg.h>
#include <sys/syscall.h>

static void delay(void)
{
    struct timespec left = {settings.delay_nanoseconds / 1000000000,
                            settings.delay_nanoseconds % 1000000000};
    if (!settings.delay_nanoseconds) return;
    while (real_clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {}
}

/// A sync covers what was recorded before it began, and only once it has ended well. The lock is
/// not held in between: syncs of different threads overlap, as they do without the kit.
static uint64_t begin(struct record record)
{
    if (!trace_enter()) return 0;
    record.operation = OP_SYNC_BEGIN;
    record.a = trace_next_sync();
    trace_put(record, NULL, NULL, NULL, 0);
    trace_leave();
    return record.a;
}

static void end(struct record record, uint64_t id, int error)
{
    if (!id || !trace_enter()) return;
    record.operation = OP_SYNC_END;
    record.a = id;
    record.result = error;
    trace_put(record, NULL, NULL, NULL, 0);
    trace_leave();
}

static struct record describe(enum call call, const struct stat *status)
{
    return (struct record){.call = (uint8_t)call, .device = status->st_dev,
                           .inode = status->st_ino,
                           .flags = (uint16_t)((S_ISDIR(status->st_mode) ? FLAG_DIRECTORY : 0)
                                               | (call == CALL_syncfs ? FLAG_EVERYTHING : 0))};
}

static int sync_inside(enum call call, int fd, const struct stat *status, int (*real)(int))
{
    struct verdict verdict = examine_fd(call, fd);
    if (verdict.kill) die();
    struct record record = describe(call, status);
    uint64_t id = begin(record);
    delay();
    int error = verdict.error;
    if (!error && !settings.skip_syncs && real(fd) != 0) error = errno;
    end(record, id, error);
    if (!error) return 0;
    errno = error;
    return -1;
}

EXPORT int fsync(int fd)
{
    struct stat status;
    if (place_of(fd, &status) != PLACE_INSIDE) return real_fsync(fd);
    return sync_inside(CALL_fsync, fd, &status, real_fsync);
}

EXPORT int fdatasync(int fd)
{
    struct stat status;
    if (place_of(fd, &status) != PLACE_INSIDE) return real_fdatasync(fd);
    return sync_inside(CALL_fdatasync, fd, &status, real_fdatasync);
}

EXPORT int syncfs(int fd)
{
    struct stat status, root;
    // Any descriptor of the root's file system will do, also one outside the root.
    if (!crashkit_ready() || !settings.active || fstat(fd, &status) != 0
        || stat(settings.root, &root) != 0 || root.st_dev != status.st_dev)
        return real_syncfs(fd);
    return sync_inside(CALL_syncfs, fd, &status, real_syncfs);
}

EXPORT void sync(void)
{
    if (!crashkit_ready() || !settings.active) {
        real_sync();
        return;
    }
    if (examine(CALL_sync, NULL, NULL).kill) die();
    struct stat root = {0};
    stat(settings.root, &root);
    struct record record = describe(CALL_syncfs, &root);
    record.call = CALL_sync;
    uint64_t id = begin(record);
    delay();
    if (!settings.skip_syncs) real_sync();
    end(record, id, 0);
}

/// Promises nothing after a power cut, so nothing is recorded.
EXPORT int sync_file_range(int fd, off64_t offset, off64_t size, unsigned flags)
{
    struct stat status;
    if (place_of(fd, &status) == PLACE_INSIDE && fails(examine_fd(CALL_sync_file_range, fd)))
        return -1;
    return real_sync_file_range(fd, offset, size, flags);
}

// MARK: syscall(2)

EXPORT long syscall(long number, ...)
{
    long a[6];
    va_list arguments;
    va_start(arguments, number);
    for (int i = 0; i < 6; i++) a[i] = va_arg(arguments, long);
    va_end(arguments);
    if (crashkit_ready() && settings.active) {
        switch (number) {
        case SYS_fsync: return fsync((int)a[0]);
        case SYS_fdatasync: return fdatasync((int)a[0]);
        case SYS_syncfs: return syncfs((int)a[0]);
        case SYS_write: return write((int)a[0], (const void *)a[1], (size_t)a[2]);
        case SYS_pwrite64: return pwrite((int)a[0], (const void *)a[1], (size_t)a[2], a[3]);
        case SYS_ftruncate: return ftruncate((int)a[0], a[1]);
        case SYS_fallocate: return fallocate((int)a[0], (int)a[1], a[2], a[3]);
        case SYS_copy_file_range:
            return copy_file_range((int)a[0], (off64_t *)a[1], (int)a[2], (off64_t *)a[3],
                                   (size_t)a[4], (unsigned)a[5]);
        case SYS_openat:
            return openat((int)a[0], (const char *)a[1], (int)a[2], (mode_t)a[3]);
        case SYS_renameat2:
            return renameat2((int)a[0], (const char *)a[1], (int)a[2], (const char *)a[3],
                             (unsigned)a[4]);
        case SYS_linkat:
            return linkat((int)a[0], (const char *)a[1], (int)a[2], (const char *)a[3], (int)a[4]);
        case SYS_unlinkat: return unlinkat((int)a[0], (const char *)a[1], (int)a[2]);
        case SYS_mkdirat: return mkdirat((int)a[0], (const char *)a[1], (mode_t)a[2]);
        default: break;
        }
    }
    return real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
