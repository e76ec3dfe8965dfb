// The trace: one file that all processes append to, in one global order.
//
// Its first page is shared memory with the lock and the length, so that a process killed in the
// middle of a record leaves nothing behind: the length moves only once the record is complete, and
// the robust lock passes to the next owner. Records start at byte 4 096.
#include "internal.h"
#include <dirent.h>
#include <stddef.h>
#include <stdarg.h>
#include <sys/file.h>

enum { HEADER_BYTES = 4096, ROOT_BYTES = 2048, VERSION = 1 };

struct header {
    char magic[8]; // written last
    uint32_t version, broken;
    uint64_t length, next_sync;
    char root[ROOT_BYTES];
    pthread_mutex_t lock;
};
_Static_assert(sizeof(struct header) <= HEADER_BYTES, "the header is one page");
_Static_assert(sizeof(struct record) == 72, "the replayer reads this layout");

static const char MAGIC[8] = {'C', 'R', 'A', 'S', 'H', 'K', 'T', '1'};
static struct header *header;
static int log_fd = -1;
static struct stat log_status;

static void break_trace(const char *why)
{
    if (!header->broken) crashkit_complain("the trace is incomplete from here on: %s", why);
    header->broken = 1;
}

/// Programs that close every descriptor must not make us write into whatever took the number.
static bool log_still_ours(void)
{
    struct stat status;
    if (fstat(log_fd, &status) == 0 && status.st_ino == log_status.st_ino
        && status.st_dev == log_status.st_dev)
        return true;
    int fd = real_openat(AT_FDCWD, settings.log, O_RDWR | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &status) == 0 && status.st_ino == log_status.st_ino) {
        log_fd = fd;
        return true;
    }
    if (fd >= 0) real_close(fd);
    break_trace("the log file was closed and replaced");
    return false;
}

static bool append(const struct iovec *parts, int count, uint64_t *offset)
{
    struct iovec rest[64];
    int taken = 0, have = 0;
    while (taken < count || have) {
        while (have < 64 && taken < count) rest[have++] = parts[taken++];
        size_t first = 0;
        while (first < (size_t)have) {
            if (rest[first].iov_len == 0) {
                first++;
                continue;
            }
            ssize_t n = real_pwritev(log_fd, rest + first, have - (int)first, (off_t)*offset);
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) {
                break_trace(strerror(errno));
                return false;
            }
            *offset += (uint64_t)n;
            while (first < (size_t)have && (size_t)n >= rest[first].iov_len)
                n -= (ssize_t)rest[first++].iov_len;
            if (n) {
                rest[first].iov_base = (char *)rest[first].iov_base + n;
                rest[first].iov_len -= (size_t)n;
            }
        }
        have = 0;
    }
    return true;
}

static void announce(void)
{
    static pid_t announced; // Guarded by the lock; a forked child announces itself anew.
    if (announced == getpid()) return;
    announced = getpid();
    trace_put((struct record){.operation = OP_START}, program_invocation_short_name, NULL, NULL, 0);
}

void trace_put(struct record record, const char *path1, const char *path2,
               const struct iovec *data, int count)
{
    if (header->broken || !log_still_ours()) return;
    if (record.operation != OP_EXISTS) announce();
    record.process = (uint32_t)getpid();
    record.thread = (uint32_t)gettid();
    record.path1 = path1 ? (uint32_t)strlen(path1) : 0;
    record.path2 = path2 ? (uint32_t)strlen(path2) : 0;
    struct iovec parts[3 + 1024];
    parts[0] = (struct iovec){&record, sizeof record};
    parts[1] = (struct iovec){(void *)path1, record.path1};
    parts[2] = (struct iovec){(void *)path2, record.path2};
    int used = 3;
    uint64_t left = record.bytes;
    for (int i = 0; i < count && left && used < 3 + 1024; i++) {
        size_t size = data[i].iov_len < left ? data[i].iov_len : (size_t)left;
        parts[used++] = (struct iovec){data[i].iov_base, size};
        left -= size;
    }
    uint64_t end = header->length;
    if (append(parts, used, &end)) header->length = end;
}

uint64_t trace_next_sync(void) { return ++header->next_sync; }

void trace_warn(const char *format, ...)
{
    char text[PATH_MAX + 256];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length < 0) return;
    if ((size_t)length >= sizeof text) length = sizeof text - 1;
    struct iovec data = {text, (size_t)length};
    trace_put((struct record){.operation = OP_WARNING, .bytes = (uint64_t)length}, NULL, NULL,
              &data, 1);
}

void trace_put_contents(enum call call, int fd, const struct stat *status, uint64_t offset,
                        uint64_t bytes)
{
    static char buffer[64 * 1024]; // Guarded by the trace's lock.
    char link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    int reader = real_openat(AT_FDCWD, link, O_RDONLY | O_CLOEXEC);
    while (reader >= 0 && bytes) {
        size_t size = bytes < sizeof buffer ? (size_t)bytes : sizeof buffer;
        ssize_t n = real_pread(reader, buffer, size, (off_t)offset);
        if (n <= 0) break;
        struct iovec data = {buffer, (size_t)n};
        trace_put((struct record){.operation = OP_WRITE, .call = (uint8_t)call,
                                  .device = status->st_dev, .inode = status->st_ino, .a = offset,
                                  .bytes = (uint64_t)n},
                  NULL, NULL, &data, 1);
        offset += (uint64_t)n;
        bytes -= (uint64_t)n;
    }
    if (reader >= 0) real_close(reader);
    if (bytes) trace_warn("could not read back %s", call_names[call]);
}

bool trace_enter(void)
{
    if (!settings.recording) return false;
    int result = pthread_mutex_lock(&header->lock);
    if (result == EOWNERDEAD) {
        pthread_mutex_consistent(&header->lock);
        trace_warn("a process died inside a recorded call; its last call may be missing");
        return true;
    }
    // EDEADLK: a signal handler interrupted a hook on this thread. Not ordered, not recorded.
    return result == 0;
}

void trace_leave(void) { pthread_mutex_unlock(&header->lock); }

/// What is there at the beginning, so that the replayer knows the inodes by name.
static void put_existing(char path[PATH_MAX])
{
    struct stat status;
    if (lstat(path, &status) != 0) return;
    bool directory = S_ISDIR(status.st_mode);
    if (!directory && !S_ISREG(status.st_mode)) return;
    if (place_of_path(path) == PLACE_IGNORED) return;
    trace_put((struct record){.operation = OP_EXISTS, .device = status.st_dev,
                              .inode = status.st_ino, .a = (uint64_t)status.st_size,
                              .b = status.st_mode, .flags = directory ? FLAG_DIRECTORY : 0},
              relative(path), NULL, NULL, 0);
    DIR *stream = directory ? opendir(path) : NULL;
    if (!stream) return;
    size_t end = strlen(path);
    struct dirent *entry;
    while ((entry = readdir(stream))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if (end + 1 + strlen(entry->d_name) >= PATH_MAX) continue;
        path[end] = '/';
        strcpy(path + end + 1, entry->d_name);
        put_existing(path);
        path[end] = 0;
    }
    closedir(stream);
}

static void initialise(void)
{
    memset(header, 0, sizeof *header);
    header->version = VERSION;
    header->length = HEADER_BYTES;
    strcpy(header->root, settings.root);
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&header->lock, &attributes);
    char path[PATH_MAX];
    strcpy(path, settings.root);
    put_existing(path);
    memcpy(header->magic, MAGIC, sizeof MAGIC);
}

void trace_open(void)
{
    if (!settings.log) return;
    if (strlen(settings.root) >= ROOT_BYTES) crashkit_refuse("CRASHKIT_ROOT is too long");
    int fd = real_openat(AT_FDCWD, settings.log, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) crashkit_refuse("cannot open CRASHKIT_LOG %s: %s", settings.log, strerror(errno));
    char path[PATH_MAX];
    if (path_of(fd, path) && place_of_path(path) != PLACE_OUTSIDE)
        crashkit_refuse("CRASHKIT_LOG %s must lie outside CRASHKIT_ROOT", settings.log);
    // Out of the way of programs that expect small numbers.
    log_fd = fcntl(fd, F_DUPFD_CLOEXEC, 900);
    if (log_fd < 0) log_fd = fd;
    else real_close(fd);
    while (flock(log_fd, LOCK_EX) != 0 && errno == EINTR) {}
    if (fstat(log_fd, &log_status) != 0) crashkit_refuse("cannot stat %s", settings.log);
    bool fresh = log_status.st_size < HEADER_BYTES;
    if (fresh && ftruncate(log_fd, HEADER_BYTES) != 0)
        crashkit_refuse("cannot extend %s: %s", settings.log, strerror(errno));
    header = real_mmap(NULL, HEADER_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, log_fd, 0);
    if (header == MAP_FAILED) crashkit_refuse("cannot map %s: %s", settings.log, strerror(errno));
    if (memcmp(header->magic, MAGIC, sizeof MAGIC) != 0) {
        if (!fresh && log_status.st_size > HEADER_BYTES && header->version != VERSION)
            crashkit_refuse("%s is not a trace", settings.log);
        initialise();
    } else if (strcmp(header->root, settings.root) != 0) {
        crashkit_refuse("%s was recorded for %s, not %s", settings.log, header->root,
                        settings.root);
    }
    flock(log_fd, LOCK_UN);
    settings.recording = true;
}
