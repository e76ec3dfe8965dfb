// What the parts of libcrashkit share. README.md says what the library is for.
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define ALIAS(name) EXPORT __attribute__((alias(#name)))

// MARK: the real functions

#define REAL_FUNCTIONS(X) \
    X(openat) X(close) X(read) X(pread) X(readv) X(preadv) \
    X(write) X(writev) X(pwrite) X(pwritev) X(pwritev2) X(send) X(sendmsg) \
    X(ftruncate) X(truncate) X(fallocate) X(posix_fallocate) \
    X(copy_file_range) X(sendfile) X(splice) X(mmap) X(ioctl) \
    X(renameat) X(renameat2) X(linkat) X(symlinkat) X(unlinkat) X(mkdirat) \
    X(mkostemps) X(fopen) X(fdopen) X(freopen) \
    X(fsync) X(fdatasync) X(syncfs) X(sync) X(sync_file_range) X(syscall) X(_exit) \
    X(clock_gettime) X(clock_nanosleep) X(timerfd_create) X(timerfd_settime) \
    X(pthread_cond_clockwait) X(pthread_mutex_timedlock) X(sem_timedwait) X(sem_clockwait)

#define DECLARE_REAL(name) extern __typeof__(name) *real_##name;
REAL_FUNCTIONS(DECLARE_REAL)

// MARK: calls, as faults, counters and the trace name them

#define CALLS(X) \
    X(open) X(create) X(write) X(pwrite) X(writev) X(pwritev) X(copy_file_range) X(sendfile) \
    X(splice) X(ftruncate) X(truncate) X(fallocate) X(rename) X(link) X(symlink) X(unlink) \
    X(mkdir) X(rmdir) X(fsync) X(fdatasync) X(syncfs) X(sync) X(sync_file_range) X(close) \
    X(read) X(pread)

#define CALL_ENUM(name) CALL_##name,
enum call { CALLS(CALL_ENUM) CALL_COUNT };
extern const char *const call_names[CALL_COUNT];

// MARK: configuration (setup.c)

struct settings {
    bool active;               // CRASHKIT_ROOT is set
    bool recording;            // CRASHKIT_LOG is set and usable
    bool faults;               // CRASHKIT_FAULT has rules
    bool fault_reads;          // one of them names read, pread or close
    bool fault_opens;          // one of them names open
    bool counting;             // CRASHKIT_COUNTS is set
    bool skip_syncs;           // CRASHKIT_SYNC_SKIP=1: recorded and delayed, not done
    char root[PATH_MAX];       // canonical, no trailing slash
    char marks[PATH_MAX];      // canonical path of CRASHKIT_MARKS, or empty
    uint64_t socket_bytes;     // most bytes of one socket write kept as a mark; 0 is off
    int64_t delay_nanoseconds; // CRASHKIT_SYNC_DELAY_MS
    const char *log, *counts, *fault_log, *fault_clear, *clock_file;
};
extern struct settings settings;

/// Reads the environment once; cheap afterwards. False while this very thread is inside it.
bool crashkit_ready(void);
/// A configuration that cannot be honoured must not look like a passing test: exits with 97.
_Noreturn void crashkit_refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));
/// What the kit cannot do any more, said on standard error.
void crashkit_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

// MARK: paths (paths.c)

enum place {
    PLACE_OUTSIDE,
    PLACE_INSIDE,  // beneath the root
    PLACE_IGNORED, // beneath the root, but SQLite's shared memory: faulted, not recorded
    PLACE_MARKS,   // the acknowledgement log
    PLACE_SOCKET,  // only when CRASHKIT_MARK_SOCKETS asks for them
};

struct name {
    char path[PATH_MAX]; // canonical: no symbolic link but perhaps the last component
    enum place place;    // never PLACE_SOCKET
};

/// Where a descriptor leads. Fills `*status` whenever the answer is not PLACE_OUTSIDE.
enum place place_of(int fd, struct stat *status);
/// Forgets a cached answer: the number, and perhaps the inode, now mean another file.
void forget(int fd);
bool path_of(int fd, char path[PATH_MAX]);
enum place place_of_path(const char *path);
/// Canonical form of a path whose parent exists; PLACE_OUTSIDE when it cannot be had.
enum place resolve(int directory, const char *path, struct name *name);
/// The part below the root, "" for the root itself; the whole path when it is not beneath.
const char *relative(const char *path);
void canonical_future_path(const char *path, char result[PATH_MAX]);

// MARK: trace (trace.c)

enum operation {
    OP_START = 1, OP_EXISTS, OP_CREATE, OP_WRITE, OP_TRUNCATE, OP_ALLOCATE, OP_RENAME, OP_LINK,
    OP_UNLINK, OP_MKDIR, OP_RMDIR, OP_SYMLINK, OP_SYNC_BEGIN, OP_SYNC_END, OP_MARK, OP_FAULT,
    OP_WARNING,
};

// 72 bytes, little-endian, followed by path1, path2 and the data, nothing padded.
struct record {
    uint8_t operation, call;
    uint16_t flags;
    uint32_t process, thread;
    int32_t result;
    uint64_t device, inode, a, b;
    uint32_t path1, path2;
    uint64_t bytes, unused;
};

enum { FLAG_DURABLE_WRITE = 1, FLAG_EVERYTHING = 2, FLAG_SOCKET = 4, FLAG_DIRECTORY = 8 };

void trace_open(void);
/// Enters the global order. False when nothing is recorded: then put nothing and do not leave.
bool trace_enter(void);
void trace_leave(void);
void trace_put(struct record record, const char *path1, const char *path2,
               const struct iovec *data, int count);
uint64_t trace_next_sync(void);
void trace_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
/// Records `bytes` at `offset` of an open file as they stand in it.
void trace_put_contents(enum call call, int fd, const struct stat *status, uint64_t offset,
                        uint64_t bytes);

// MARK: faults and counters (faults.c)

struct verdict {
    int error;    // 0: go on
    int64_t most; // bytes a write may still do, or -1
    bool kill;    // end the process with SIGKILL: after `most` bytes, else before the call
};

void faults_open(void);
struct verdict examine(enum call call, const char *path1, const char *path2);
struct verdict examine_fd(enum call call, int fd);
/// For calls without bytes: true when the call must fail now, with errno set.
bool fails(struct verdict verdict);
_Noreturn void die(void);
void counts_write(void);

// MARK: clock (clock.c)

void clock_open(void);
