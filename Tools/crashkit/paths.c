// Decides what lies beneath the root.
//
// There is no table of descriptors to keep right: a descriptor's answer is cached under its device
// and inode and asked again whenever fstat says that it leads elsewhere. So closes and opens that
// glibc makes without calling a hook (opendir, fclose), inherited and duplicated descriptors need
// no care. Opens and closes that are hooked forget the answer, because file systems are quick to
// give a new file the number of a deleted one.
#include "internal.h"
#include <stdatomic.h>

enum { CACHED_DESCRIPTORS = 1 << 16 };
static _Atomic uint64_t cache[CACHED_DESCRIPTORS];

static bool beneath(const char *path, const char *root)
{
    size_t length = strlen(root);
    return strncmp(path, root, length) == 0 && (path[length] == '/' || path[length] == 0);
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), wanted = strlen(end);
    return length >= wanted && memcmp(text + length - wanted, end, wanted) == 0;
}

enum place place_of_path(const char *path)
{
    if (settings.marks[0] && strcmp(path, settings.marks) == 0) return PLACE_MARKS;
    if (!beneath(path, settings.root)) return PLACE_OUTSIDE;
    return ends_with(path, "-shm") ? PLACE_IGNORED : PLACE_INSIDE;
}

const char *relative(const char *path)
{
    if (!beneath(path, settings.root)) return path;
    path += strlen(settings.root);
    return *path == '/' ? path + 1 : path;
}

static bool link_target(const char *link, char path[PATH_MAX])
{
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length <= 0) return false;
    path[length] = 0;
    return path[0] == '/';
}

bool path_of(int fd, char path[PATH_MAX])
{
    char link[32] = "/proc/self/fd/", digits[12];
    size_t end = strlen(link), count = 0;
    for (unsigned value = (unsigned)fd; count == 0 || value; value /= 10)
        digits[count++] = (char)('0' + value % 10);
    while (count) link[end++] = digits[--count];
    link[end] = 0;
    if (!link_target(link, path)) return false;
    static const char deleted[] = " (deleted)";
    struct stat status;
    if (ends_with(path, deleted) && fstat(fd, &status) == 0 && status.st_nlink == 0)
        path[strlen(path) - strlen(deleted)] = 0;
    return true;
}

enum place place_of(int fd, struct stat *status)
{
    if (!crashkit_ready() || !settings.active || fd < 0) return PLACE_OUTSIDE;
    int saved = errno;
    enum place place = PLACE_OUTSIDE;
    if (fstat(fd, status) != 0) goto done;
    if (S_ISSOCK(status->st_mode)) {
        if (settings.socket_bytes) place = PLACE_SOCKET;
        goto done;
    }
    if (!S_ISREG(status->st_mode) && !S_ISDIR(status->st_mode)) goto done;

    uint64_t key = (uint64_t)status->st_dev * 0x9E3779B97F4A7C15u ^ (uint64_t)status->st_ino;
    key = (key << 4) | 8; // Three bits for the place, one that is never zero.
    _Atomic uint64_t *slot = fd < CACHED_DESCRIPTORS ? &cache[fd] : NULL;
    if (slot) {
        uint64_t known = atomic_load_explicit(slot, memory_order_relaxed);
        if ((known & ~(uint64_t)7) == key) {
            place = (enum place)(known & 7);
            goto done;
        }
    }
    char path[PATH_MAX];
    if (path_of(fd, path)) place = place_of_path(path);
    if (slot) atomic_store_explicit(slot, key | (uint64_t)place, memory_order_relaxed);
done:
    errno = saved;
    return place;
}

void forget(int fd)
{
    if (fd >= 0 && fd < CACHED_DESCRIPTORS)
        atomic_store_explicit(&cache[fd], 0, memory_order_relaxed);
}

enum place resolve(int directory, const char *path, struct name *name)
{
    name->place = PLACE_OUTSIDE;
    name->path[0] = 0;
    if (!crashkit_ready() || !settings.active || !path || !*path) return PLACE_OUTSIDE;
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') length--;
    if (length >= PATH_MAX) return PLACE_OUTSIDE;
    int saved = errno;

    size_t start = length;
    while (start > 0 && path[start - 1] != '/') start--;
    const char *last = path + start;
    size_t last_length = length - start;
    bool whole = last_length == 0 || (last_length == 1 && last[0] == '.')
        || (last_length == 2 && last[0] == '.' && last[1] == '.');

    char parent[PATH_MAX];
    if (whole) {
        memcpy(parent, path, length);
        parent[length] = 0;
    } else if (start == 0) {
        strcpy(parent, ".");
    } else {
        memcpy(parent, path, start);
        parent[start] = 0;
    }
    int fd = real_openat(directory, parent, O_PATH | O_CLOEXEC);
    if (fd >= 0) {
        if (path_of(fd, name->path)) {
            size_t end = strlen(name->path);
            if (!whole && end + 1 + last_length < PATH_MAX) {
                if (end > 1) name->path[end++] = '/';
                memcpy(name->path + end, last, last_length);
                name->path[end + last_length] = 0;
            }
            name->place = place_of_path(name->path);
        }
        real_close(fd);
    }
    errno = saved;
    return name->place;
}

void canonical_future_path(const char *path, char result[PATH_MAX])
{
    // The root may not exist yet: resolve the longest part that does, keep the rest as written.
    char work[PATH_MAX];
    if (strlen(path) >= sizeof work) crashkit_refuse("path too long: %s", path);
    strcpy(work, path);
    size_t length = strlen(work);
    while (length > 1 && work[length - 1] == '/') work[--length] = 0;
    size_t end = length;
    for (;;) {
        char kept = work[end];
        work[end] = 0;
        const char *head = end ? work : (path[0] == '/' ? "/" : ".");
        bool found = realpath(head, result) != NULL;
        work[end] = kept;
        if (found) break;
        if (end == 0) crashkit_refuse("cannot resolve %s", path);
        while (end > 0 && work[end - 1] != '/') end--;
        while (end > 0 && work[end - 1] == '/') end--;
    }
    const char *rest = work + end;
    while (*rest == '/') rest++;
    size_t known = strlen(result);
    if (*rest) {
        if (known + 1 + strlen(rest) >= PATH_MAX) crashkit_refuse("path too long: %s", path);
        if (known > 1) result[known++] = '/';
        strcpy(result + known, rest);
    }
}
