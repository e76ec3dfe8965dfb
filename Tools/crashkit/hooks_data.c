// Calls that move bytes or change a file's size, and the reads and closes that only faults touch.
#include "internal.h"
#include <linux/fs.h>
#include <stdarg.h>

// MARK: write, pwrite, writev, pwritev

struct transfer {
    enum call call;
    int fd;
    const struct iovec *parts;
    int count;
    bool positioned;
    off_t offset;
    int flags; // RWF_*
};

static ssize_t real_transfer(const struct transfer *t)
{
    if (t->flags) return real_pwritev2(t->fd, t->parts, t->count, t->positioned ? t->offset : -1, t->flags);
    if (t->positioned) return real_pwritev(t->fd, t->parts, t->count, t->offset);
    return real_writev(t->fd, t->parts, t->count);
}

/// Where `written` bytes just went. Called before anybody else can write through the kit.
static uint64_t landed(const struct transfer *t, ssize_t written, int flags)
{
    bool appended = (flags & O_APPEND) || (t->flags & RWF_APPEND);
    struct stat status;
    // Linux appends with O_APPEND whatever offset pwrite names.
    if (t->positioned && appended && fstat(t->fd, &status) == 0)
        return (uint64_t)(status.st_size - written);
    if (t->positioned) return (uint64_t)t->offset;
    return (uint64_t)(lseek(t->fd, 0, SEEK_CUR) - written);
}

static ssize_t write_inside(struct transfer t, bool recorded, const struct stat *status)
{
    struct verdict verdict = examine_fd(t.call, t.fd);
    struct iovec shortened[16];
    if (verdict.most < 0) {
        if (fails(verdict)) return -1;
    } else {
        int64_t left = verdict.most;
        int used = 0;
        for (; used < t.count && used < 16 && left > 0; used++) {
            shortened[used] = t.parts[used];
            if ((int64_t)shortened[used].iov_len > left) shortened[used].iov_len = (size_t)left;
            left -= (int64_t)shortened[used].iov_len;
        }
        t.parts = shortened;
        t.count = used;
    }
    bool entered = recorded && trace_enter();
    ssize_t written = real_transfer(&t);
    int error = errno;
    if (entered) {
        if (written > 0) {
            int flags = fcntl(t.fd, F_GETFL);
            bool durable = (flags & O_DSYNC) || (t.flags & (RWF_DSYNC | RWF_SYNC));
            trace_put((struct record){.operation = OP_WRITE, .call = (uint8_t)t.call,
                                      .flags = durable ? FLAG_DURABLE_WRITE : 0,
                                      .device = status->st_dev, .inode = status->st_ino,
                                      .a = landed(&t, written, flags), .bytes = (uint64_t)written},
                      NULL, NULL, t.parts, t.count);
        }
        trace_leave();
    }
    if (verdict.kill) die();
    errno = error;
    return written;
}

static void put_mark(const struct stat *status, bool socket, const struct iovec *parts, int count,
                     ssize_t written)
{
    uint64_t bytes = (uint64_t)written;
    if (socket && bytes > settings.socket_bytes) bytes = settings.socket_bytes;
    trace_put((struct record){.operation = OP_MARK, .flags = socket ? FLAG_SOCKET : 0,
                              .inode = status->st_ino, .result = (int32_t)0, .a = (uint64_t)written,
                              .bytes = bytes},
              NULL, NULL, parts, count);
}

static ssize_t write_mark(const struct transfer *t, const struct stat *status)
{
    bool entered = trace_enter();
    ssize_t written = real_transfer(t);
    int error = errno;
    if (entered) {
        if (written > 0) put_mark(status, false, t->parts, t->count, written);
        trace_leave();
    }
    errno = error;
    return written;
}

/// A blocking socket may wait for its peer, so it must not hold the lock: its mark is recorded
/// after the bytes are out, which can only weaken what a test demands, never make it wrong.
static bool enter_for_socket(int fd)
{
    int saved = errno, flags = fcntl(fd, F_GETFL);
    errno = saved;
    return flags >= 0 && (flags & O_NONBLOCK) && trace_enter();
}

static ssize_t leave_socket(bool entered, const struct stat *status, const struct iovec *parts,
                            int count, ssize_t written)
{
    int error = errno;
    if (written > 0 && (entered || trace_enter())) {
        put_mark(status, true, parts, count, written);
        entered = true;
    } else if (written > 0) {
        entered = false;
    }
    if (entered) trace_leave();
    errno = error;
    return written;
}

static ssize_t transfer(enum place place, const struct stat *status, struct transfer t)
{
    switch (place) {
    case PLACE_INSIDE: return write_inside(t, true, status);
    case PLACE_IGNORED: return write_inside(t, false, status);
    case PLACE_MARKS: return write_mark(&t, status);
    case PLACE_SOCKET: {
        bool entered = enter_for_socket(t.fd);
        return leave_socket(entered, status, t.parts, t.count, real_transfer(&t));
    }
    case PLACE_OUTSIDE: break;
    }
    return real_transfer(&t);
}

EXPORT ssize_t write(int fd, const void *bytes, size_t size)
{
    struct stat status;
    enum place place = place_of(fd, &status);
    if (place == PLACE_OUTSIDE) return real_write(fd, bytes, size);
    struct iovec part = {(void *)bytes, size};
    return transfer(place, &status,
                    (struct transfer){.call = CALL_write, .fd = fd, .parts = &part, .count = 1});
}
ALIAS(write) ssize_t __write(int fd, const void *bytes, size_t size);

EXPORT ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
    struct stat status;
    enum place place = place_of(fd, &status);
    if (place == PLACE_OUTSIDE || place == PLACE_SOCKET)
        return real_pwrite(fd, bytes, size, offset);
    struct iovec part = {(void *)bytes, size};
    return transfer(place, &status,
                    (struct transfer){.call = CALL_pwrite, .fd = fd, .parts = &part, .count = 1,
                                      .positioned = true, .offset = offset});
}
ALIAS(pwrite) ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset);
ALIAS(pwrite) ssize_t __pwrite64(int fd, const void *bytes, size_t size, off64_t offset);

EXPORT ssize_t writev(int fd, const struct iovec *parts, int count)
{
    struct stat status;
    enum place place = place_of(fd, &status);
    if (place == PLACE_OUTSIDE) return real_writev(fd, parts, count);
    return transfer(place, &status, (struct transfer){.call = CALL_writev, .fd = fd,
                                                      .parts = parts, .count = count});
}

EXPORT ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
    struct stat status;
    enum place place = place_of(fd, &status);
    if (place == PLACE_OUTSIDE || place == PLACE_SOCKET)
        return real_pwritev(fd, parts, count, offset);
    return transfer(place, &status,
                    (struct transfer){.call = CALL_pwritev, .fd = fd, .parts = parts,
                                      .count = count, .positioned = true, .offset = offset});
}
ALIAS(pwritev) ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset);

EXPORT ssize_t pwritev2(int fd, const struct iovec *parts, int count, off_t offset, int flags)
{
    struct stat status;
    enum place place = place_of(fd, &status);
    if (place == PLACE_OUTSIDE || place == PLACE_SOCKET)
        return real_pwritev2(fd, parts, count, offset, flags);
    return transfer(place, &status,
                    (struct transfer){.call = CALL_pwritev, .fd = fd, .parts = parts,
                                      .count = count, .positioned = offset != -1,
                                      .offset = offset, .flags = flags});
}
ALIAS(pwritev2)
ssize_t pwritev64v2(int fd, const struct iovec *parts, int count, off64_t offset, int flags);

EXPORT ssize_t send(int fd, const void *bytes, size_t size, int flags)
{
    struct stat status;
    if (place_of(fd, &status) != PLACE_SOCKET) return real_send(fd, bytes, size, flags);
    struct iovec part = {(void *)bytes, size};
    bool entered = enter_for_socket(fd);
    return leave_socket(entered, &status, &part, 1, real_send(fd, bytes, size, flags));
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    struct stat status;
    if (place_of(fd, &status) != PLACE_SOCKET) return real_sendmsg(fd, message, flags);
    bool entered = enter_for_socket(fd);
    return leave_socket(entered, &status, message->msg_iov, (int)message->msg_iovlen,
                        real_sendmsg(fd, message, flags));
}

// MARK: copies within the kernel

/// Lets a fault shorten or refuse a copy; false when it must fail now.
static bool admit(enum call call, int fd, size_t *size, bool *kill)
{
    struct verdict verdict = examine_fd(call, fd);
    *kill = false;
    if (verdict.most < 0) return !fails(verdict);
    if (*size > (size_t)verdict.most) *size = (size_t)verdict.most;
    *kill = verdict.kill;
    return true;
}

#define COPY(call, fd, size, out_offset, expression)                                             \
    struct stat status;                                                                           \
    enum place place = place_of(fd, &status);                                                     \
    if (place != PLACE_INSIDE && place != PLACE_IGNORED) return expression;                       \
    bool kill;                                                                                    \
    if (!admit(CALL_##call, fd, &size, &kill)) return -1;                                         \
    bool entered = place == PLACE_INSIDE && trace_enter();                                        \
    ssize_t copied = expression;                                                                  \
    int error = errno;                                                                            \
    if (entered) {                                                                                \
        off_t end = out_offset ? *out_offset : lseek(fd, 0, SEEK_CUR);                            \
        if (copied > 0)                                                                           \
            trace_put_contents(CALL_##call, fd, &status, (uint64_t)(end - copied),                \
                               (uint64_t)copied);                                                 \
        trace_leave();                                                                            \
    }                                                                                             \
    if (kill) die();                                                                              \
    errno = error;                                                                                \
    return copied;

static off_t *const current_offset = NULL;

EXPORT ssize_t copy_file_range(int in, off64_t *in_offset, int out, off64_t *out_offset,
                               size_t size, unsigned flags)
{
    COPY(copy_file_range, out, size, out_offset,
         real_copy_file_range(in, in_offset, out, out_offset, size, flags))
}

EXPORT ssize_t sendfile(int out, int in, off_t *offset, size_t size)
{
    COPY(sendfile, out, size, current_offset, real_sendfile(out, in, offset, size))
}
ALIAS(sendfile) ssize_t sendfile64(int out, int in, off64_t *offset, size_t size);

EXPORT ssize_t splice(int in, off64_t *in_offset, int out, off64_t *out_offset, size_t size,
                      unsigned flags)
{
    COPY(splice, out, size, out_offset, real_splice(in, in_offset, out, out_offset, size, flags))
}

// MARK: sizes

static void put_size(const struct stat *status, enum call call, off_t size)
{
    trace_put((struct record){.operation = OP_TRUNCATE, .call = (uint8_t)call,
                              .device = status->st_dev, .inode = status->st_ino,
                              .a = (uint64_t)size},
              NULL, NULL, NULL, 0);
}

EXPORT int ftruncate(int fd, off_t size)
{
    struct stat status;
    enum place place = place_of(fd, &status);
    if (place != PLACE_INSIDE && place != PLACE_IGNORED) return real_ftruncate(fd, size);
    if (fails(examine_fd(CALL_ftruncate, fd))) return -1;
    bool entered = place == PLACE_INSIDE && trace_enter();
    int result = real_ftruncate(fd, size), error = errno;
    if (entered) {
        if (result == 0) put_size(&status, CALL_ftruncate, size);
        trace_leave();
    }
    errno = error;
    return result;
}
ALIAS(ftruncate) int ftruncate64(int fd, off64_t size);

EXPORT int truncate(const char *path, off_t size)
{
    struct name name;
    enum place place = resolve(AT_FDCWD, path, &name);
    if (place != PLACE_INSIDE && place != PLACE_IGNORED) return real_truncate(path, size);
    if (fails(examine(CALL_truncate, name.path, NULL))) return -1;
    bool entered = place == PLACE_INSIDE && trace_enter();
    struct stat status;
    int result = real_truncate(path, size), error = errno;
    if (entered) {
        if (result == 0 && stat(path, &status) == 0) put_size(&status, CALL_truncate, size);
        trace_leave();
    }
    errno = error;
    return result;
}
ALIAS(truncate) int truncate64(const char *path, off64_t size);

static void put_allocation(const struct stat *status, int mode, off_t offset, off_t size)
{
    if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
        trace_warn("fallocate mode %d is not modelled", mode);
    trace_put((struct record){.operation = OP_ALLOCATE, .call = CALL_fallocate,
                              .flags = (uint16_t)mode, .device = status->st_dev,
                              .inode = status->st_ino, .a = (uint64_t)offset, .b = (uint64_t)size},
              NULL, NULL, NULL, 0);
}

EXPORT int fallocate(int fd, int mode, off_t offset, off_t size)
{
    struct stat status;
    enum place place = place_of(fd, &status);
    if (place != PLACE_INSIDE && place != PLACE_IGNORED)
        return real_fallocate(fd, mode, offset, size);
    if (fails(examine_fd(CALL_fallocate, fd))) return -1;
    bool entered = place == PLACE_INSIDE && trace_enter();
    int result = real_fallocate(fd, mode, offset, size), error = errno;
    if (entered) {
        if (result == 0) put_allocation(&status, mode, offset, size);
        trace_leave();
    }
    errno = error;
    return result;
}
ALIAS(fallocate) int fallocate64(int fd, int mode, off64_t offset, off64_t size);

EXPORT int posix_fallocate(int fd, off_t offset, off_t size)
{
    struct stat status;
    enum place place = place_of(fd, &status);
    if (place != PLACE_INSIDE && place != PLACE_IGNORED)
        return real_posix_fallocate(fd, offset, size);
    int saved = errno;
    struct verdict verdict = examine_fd(CALL_fallocate, fd);
    if (fails(verdict)) {
        errno = saved; // It reports by its result alone.
        return verdict.error;
    }
    bool entered = place == PLACE_INSIDE && trace_enter();
    int result = real_posix_fallocate(fd, offset, size);
    if (entered) {
        if (result == 0) put_allocation(&status, 0, offset, size);
        trace_leave();
    }
    return result;
}
ALIAS(posix_fallocate) int posix_fallocate64(int fd, off64_t offset, off64_t size);

// MARK: mappings, whose writes cannot be followed, and clones

EXPORT void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    struct stat status;
    if (crashkit_ready() && settings.recording && fd >= 0 && (protection & PROT_WRITE)
        && (flags & MAP_TYPE) != MAP_PRIVATE && place_of(fd, &status) == PLACE_INSIDE) {
        char path[PATH_MAX];
        bool known = path_of(fd, path);
        if (trace_enter()) {
            trace_warn("shared writable mapping of %s: its writes are not seen",
                       known ? relative(path) : "a file");
            trace_leave();
        }
    }
    return real_mmap(address, size, protection, flags, fd, offset);
}
ALIAS(mmap)
void *mmap64(void *address, size_t size, int protection, int flags, int fd, off64_t offset);

static void put_clone(int fd, const struct stat *status, unsigned long request,
                      const void *argument)
{
    uint64_t size = (uint64_t)status->st_size, start = 0, end = size;
    if (request == FICLONERANGE) {
        const struct file_clone_range *range = argument;
        start = range->dest_offset;
        if (range->src_length) end = start + range->src_length;
        if (end > size) end = size;
    }
    trace_put_contents(CALL_copy_file_range, fd, status, start, end - start);
}

EXPORT int ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    bool clones = request == FICLONE || request == FICLONERANGE;
    struct stat status;
    if (!clones || place_of(fd, &status) != PLACE_INSIDE) return real_ioctl(fd, request, argument);
    bool entered = trace_enter();
    int result = real_ioctl(fd, request, argument), error = errno;
    if (entered) {
        if (result == 0 && fstat(fd, &status) == 0) put_clone(fd, &status, request, argument);
        trace_leave();
    }
    errno = error;
    return result;
}

// MARK: calls that only faults touch

static bool fault_only(enum call call, int fd)
{
    if (!crashkit_ready() || !settings.fault_reads) return false;
    struct stat status;
    enum place place = place_of(fd, &status);
    if (place != PLACE_INSIDE && place != PLACE_IGNORED) return false;
    return fails(examine_fd(call, fd));
}

EXPORT ssize_t read(int fd, void *bytes, size_t size)
{
    if (fault_only(CALL_read, fd)) return -1;
    return real_read(fd, bytes, size);
}

EXPORT ssize_t readv(int fd, const struct iovec *parts, int count)
{
    if (fault_only(CALL_read, fd)) return -1;
    return real_readv(fd, parts, count);
}

EXPORT ssize_t pread(int fd, void *bytes, size_t size, off_t offset)
{
    if (fault_only(CALL_pread, fd)) return -1;
    return real_pread(fd, bytes, size, offset);
}
ALIAS(pread) ssize_t pread64(int fd, void *bytes, size_t size, off64_t offset);

EXPORT ssize_t preadv(int fd, const struct iovec *parts, int count, off_t offset)
{
    if (fault_only(CALL_pread, fd)) return -1;
    return real_preadv(fd, parts, count, offset);
}
ALIAS(preadv) ssize_t preadv64(int fd, const struct iovec *parts, int count, off64_t offset);

EXPORT int close(int fd)
{
    bool failing = fault_only(CALL_close, fd);
    forget(fd); // Before the number can be given to another thread.
    if (!failing) return real_close(fd);
    int error = errno;
    real_close(fd); // As the kernel does: the descriptor is gone, the error remains.
    errno = error;
    return -1;
}
