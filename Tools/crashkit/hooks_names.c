// Calls that create, rename and remove names.
#include "internal.h"
#include <stdarg.h>

static bool handled(enum place place) { return place == PLACE_INSIDE || place == PLACE_IGNORED; }

// MARK: open

static void put_created(int fd, enum call call)
{
    struct stat status;
    char path[PATH_MAX];
    if (fstat(fd, &status) != 0 || !path_of(fd, path)) return;
    if (place_of_path(path) != PLACE_INSIDE) return; // A link that leads out of the root.
    bool named = status.st_nlink > 0;                // O_TMPFILE makes an inode without a name.
    trace_put((struct record){.operation = OP_CREATE, .call = (uint8_t)call,
                              .device = status.st_dev, .inode = status.st_ino,
                              .b = status.st_mode},
              named ? relative(path) : NULL, NULL, NULL, 0);
}

static int open_inside(const struct name *name, int directory, const char *path, int flags,
                       mode_t mode)
{
    struct stat before;
    bool temporary = (flags & O_TMPFILE) == O_TMPFILE;
    int saved = errno;
    bool existed = !temporary && fstatat(directory, path, &before, 0) == 0;
    errno = saved;
    bool creates = temporary || ((flags & O_CREAT) && !existed);
    if (fails(examine(creates ? CALL_create : CALL_open, name->path, NULL))) return -1;

    bool entered = name->place == PLACE_INSIDE && trace_enter();
    // Again, now that no other recorded call can come between.
    existed = !temporary && fstatat(directory, path, &before, 0) == 0;
    errno = saved;
    int fd = real_openat(directory, path, flags, mode);
    int error = errno;
    forget(fd);
    if (entered) {
        if (fd >= 0 && (temporary || ((flags & O_CREAT) && !existed))) {
            put_created(fd, CALL_create);
        } else if (fd >= 0 && (flags & O_TRUNC) && S_ISREG(before.st_mode) && before.st_size > 0) {
            trace_put((struct record){.operation = OP_TRUNCATE, .call = CALL_open,
                                      .device = before.st_dev, .inode = before.st_ino},
                      NULL, NULL, NULL, 0);
        }
        trace_leave();
    }
    errno = error;
    return fd;
}

static int open_any(int directory, const char *path, int flags, mode_t mode)
{
    bool changes = (flags & (O_CREAT | O_TRUNC)) || (flags & O_TMPFILE) == O_TMPFILE;
    struct name name;
    if (crashkit_ready() && settings.active
        && (changes || settings.fault_opens || settings.counting)
        && handled(resolve(directory, path, &name)))
        return open_inside(&name, directory, path, flags, mode);
    int fd = real_openat(directory, path, flags, mode);
    forget(fd);
    return fd;
}

static mode_t mode_argument(int flags, va_list arguments)
{
    bool needed = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
    return needed ? va_arg(arguments, mode_t) : 0;
}

EXPORT int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_argument(flags, arguments);
    va_end(arguments);
    return open_any(AT_FDCWD, path, flags, mode);
}
ALIAS(open) int open64(const char *path, int flags, ...);

EXPORT int openat(int directory, const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_argument(flags, arguments);
    va_end(arguments);
    return open_any(directory, path, flags, mode);
}
ALIAS(openat) int openat64(int directory, const char *path, int flags, ...);

EXPORT int creat(const char *path, mode_t mode)
{
    return open_any(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}
ALIAS(creat) int creat64(const char *path, mode_t mode);

// What _FORTIFY_SOURCE calls for opens without a mode.
int __open_2(const char *path, int flags);
int __openat_2(int directory, const char *path, int flags);
EXPORT int __open_2(const char *path, int flags) { return open_any(AT_FDCWD, path, flags, 0); }
EXPORT int __openat_2(int directory, const char *path, int flags)
{
    return open_any(directory, path, flags, 0);
}
ALIAS(__open_2) int __open64_2(const char *path, int flags);
ALIAS(__openat_2) int __openat64_2(int directory, const char *path, int flags);

EXPORT int mkostemps(char *template, int suffix, int flags)
{
    struct name name;
    if (!handled(resolve(AT_FDCWD, template, &name))) return real_mkostemps(template, suffix, flags);
    if (fails(examine(CALL_create, name.path, NULL))) return -1;
    bool entered = trace_enter();
    int fd = real_mkostemps(template, suffix, flags), error = errno;
    forget(fd);
    if (entered) {
        if (fd >= 0) put_created(fd, CALL_create);
        trace_leave();
    }
    errno = error;
    return fd;
}
ALIAS(mkostemps) int mkostemps64(char *template, int suffix, int flags);
EXPORT int mkstemp(char *template) { return mkostemps(template, 0, 0); }
ALIAS(mkstemp) int mkstemp64(char *template);
EXPORT int mkostemp(char *template, int flags) { return mkostemps(template, 0, flags); }
ALIAS(mkostemp) int mkostemp64(char *template, int flags);
EXPORT int mkstemps(char *template, int suffix) { return mkostemps(template, suffix, 0); }
ALIAS(mkstemps) int mkstemps64(char *template, int suffix);

// MARK: stdio, whose writes bypass every hook

static void warn_stdio(const char *path, const char *mode)
{
    struct name name;
    if (!path || !mode || !strpbrk(mode, "wa+") || !crashkit_ready() || !settings.recording) return;
    if (resolve(AT_FDCWD, path, &name) != PLACE_INSIDE || !trace_enter()) return;
    trace_warn("fopen of %s for writing: what stdio does is not seen", relative(name.path));
    trace_leave();
}

EXPORT FILE *fopen(const char *path, const char *mode)
{
    warn_stdio(path, mode);
    if (!real_fopen) crashkit_ready();
    return real_fopen(path, mode);
}
ALIAS(fopen) FILE *fopen64(const char *path, const char *mode);

EXPORT FILE *freopen(const char *path, const char *mode, FILE *file)
{
    warn_stdio(path, mode);
    if (!real_freopen) crashkit_ready();
    return real_freopen(path, mode, file);
}
ALIAS(freopen) FILE *freopen64(const char *path, const char *mode, FILE *file);

EXPORT FILE *fdopen(int fd, const char *mode)
{
    char path[PATH_MAX];
    if (path_of(fd, path)) warn_stdio(path, mode);
    if (!real_fdopen) crashkit_ready();
    return real_fdopen(fd, mode);
}

// MARK: names

static bool identify(const char *path, struct stat *status)
{
    int saved = errno;
    bool known = lstat(path, status) == 0;
    errno = saved;
    if (!known) memset(status, 0, sizeof *status);
    return known;
}

static struct record named(enum operation operation, enum call call, const struct stat *status)
{
    return (struct record){.operation = (uint8_t)operation, .call = (uint8_t)call,
                           .device = status->st_dev, .inode = status->st_ino,
                           .b = status->st_mode,
                           .flags = S_ISDIR(status->st_mode) ? FLAG_DIRECTORY : 0};
}

static int real_rename_any(int from, const char *old, int to, const char *new, unsigned flags)
{
    return flags ? real_renameat2(from, old, to, new, flags) : real_renameat(from, old, to, new);
}

static void put_rename(const struct name *old, const struct name *new, const struct stat *moved,
                       unsigned flags)
{
    struct record record = named(OP_RENAME, CALL_rename, moved);
    record.a = flags;
    if (old->place == PLACE_INSIDE && new->place == PLACE_INSIDE) {
        trace_put(record, relative(old->path), relative(new->path), NULL, 0);
    } else if (old->place == PLACE_INSIDE) {
        record.operation = S_ISDIR(moved->st_mode) ? OP_RMDIR : OP_UNLINK;
        trace_put(record, relative(old->path), NULL, NULL, 0);
    } else if (new->place == PLACE_INSIDE) {
        trace_warn("rename from outside the root to %s: its contents are not seen",
                   relative(new->path));
    }
}

EXPORT int renameat2(int from, const char *old, int to, const char *new, unsigned flags)
{
    struct name source, target;
    bool inside = handled(resolve(from, old, &source));
    inside = handled(resolve(to, new, &target)) || inside;
    if (!inside) return real_rename_any(from, old, to, new, flags);
    if (fails(examine(CALL_rename, source.path, target.path))) return -1;
    bool entered = trace_enter();
    struct stat moved;
    identify(source.path, &moved);
    int result = real_rename_any(from, old, to, new, flags), error = errno;
    if (entered) {
        if (result == 0) put_rename(&source, &target, &moved, flags);
        trace_leave();
    }
    errno = error;
    return result;
}
EXPORT int renameat(int from, const char *old, int to, const char *new)
{
    return renameat2(from, old, to, new, 0);
}
EXPORT int rename(const char *old, const char *new)
{
    return renameat2(AT_FDCWD, old, AT_FDCWD, new, 0);
}

EXPORT int linkat(int from, const char *old, int to, const char *new, int flags)
{
    struct name target;
    if (!handled(resolve(to, new, &target))) return real_linkat(from, old, to, new, flags);
    if (fails(examine(CALL_link, target.path, NULL))) return -1;
    bool entered = target.place == PLACE_INSIDE && trace_enter();
    int result = real_linkat(from, old, to, new, flags), error = errno;
    if (entered) {
        struct stat status;
        // The inode says what was linked, also for /proc/self/fd/N and AT_EMPTY_PATH.
        if (result == 0 && identify(target.path, &status))
            trace_put(named(OP_LINK, CALL_link, &status), relative(target.path), NULL, NULL, 0);
        trace_leave();
    }
    errno = error;
    return result;
}
EXPORT int link(const char *old, const char *new)
{
    return linkat(AT_FDCWD, old, AT_FDCWD, new, 0);
}

EXPORT int symlinkat(const char *text, int to, const char *new)
{
    struct name target;
    if (!handled(resolve(to, new, &target))) return real_symlinkat(text, to, new);
    if (fails(examine(CALL_symlink, target.path, NULL))) return -1;
    bool entered = target.place == PLACE_INSIDE && trace_enter();
    int result = real_symlinkat(text, to, new), error = errno;
    if (entered) {
        struct stat status;
        if (result == 0 && identify(target.path, &status)) {
            struct record record = named(OP_SYMLINK, CALL_symlink, &status);
            struct iovec data = {(void *)text, strlen(text)};
            record.bytes = data.iov_len;
            trace_put(record, relative(target.path), NULL, &data, 1);
        }
        trace_leave();
    }
    errno = error;
    return result;
}
EXPORT int symlink(const char *text, const char *new) { return symlinkat(text, AT_FDCWD, new); }

EXPORT int unlinkat(int directory, const char *path, int flags)
{
    struct name name;
    if (!handled(resolve(directory, path, &name))) return real_unlinkat(directory, path, flags);
    bool removes_directory = flags & AT_REMOVEDIR;
    enum call call = removes_directory ? CALL_rmdir : CALL_unlink;
    if (fails(examine(call, name.path, NULL))) return -1;
    bool entered = name.place == PLACE_INSIDE && trace_enter();
    struct stat status;
    identify(name.path, &status);
    int result = real_unlinkat(directory, path, flags), error = errno;
    if (entered) {
        if (result == 0)
            trace_put(named(removes_directory ? OP_RMDIR : OP_UNLINK, call, &status),
                      relative(name.path), NULL, NULL, 0);
        trace_leave();
    }
    errno = error;
    return result;
}
EXPORT int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
EXPORT int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }
EXPORT int remove(const char *path)
{
    struct stat status;
    bool directory = lstat(path, &status) == 0 && S_ISDIR(status.st_mode);
    return unlinkat(AT_FDCWD, path, directory ? AT_REMOVEDIR : 0);
}

EXPORT int mkdirat(int directory, const char *path, mode_t mode)
{
    struct name name;
    if (!handled(resolve(directory, path, &name))) return real_mkdirat(directory, path, mode);
    if (fails(examine(CALL_mkdir, name.path, NULL))) return -1;
    bool entered = name.place == PLACE_INSIDE && trace_enter();
    int result = real_mkdirat(directory, path, mode), error = errno;
    if (entered) {
        struct stat status;
        if (result == 0 && identify(name.path, &status))
            trace_put(named(OP_MKDIR, CALL_mkdir, &status), relative(name.path), NULL, NULL, 0);
        trace_leave();
    }
    errno = error;
    return result;
}
EXPORT int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }
