// Fault rules and call counters.
#include "internal.h"
#include <fnmatch.h>
#include <stdatomic.h>

enum { RULES = 32 };

struct rule {
    uint64_t calls;
    const char *path, *after, *text;
    uint64_t nth, count; // count 0: all
    int64_t most;        // short=, or -1
    int error;
    bool kill;
    _Atomic bool armed;
    _Atomic uint64_t matched, fired;
};

static struct rule rules[RULES];
static int rule_count;
static _Atomic uint64_t counters[CALL_COUNT];
static int log_descriptor = -1;

#define BIT(name) ((uint64_t)1 << CALL_##name)
#define WRITES (BIT(write) | BIT(pwrite) | BIT(writev) | BIT(pwritev) | BIT(copy_file_range) \
                | BIT(sendfile) | BIT(splice))
#define SYNCS (BIT(fsync) | BIT(fdatasync) | BIT(syncfs))
#define NAMES (BIT(create) | BIT(rename) | BIT(link) | BIT(symlink) | BIT(unlink) | BIT(mkdir) \
               | BIT(rmdir))
#define SPACE (WRITES | BIT(fallocate) | BIT(create) | BIT(rename) | BIT(link) | BIT(symlink) \
               | BIT(mkdir))
#define ANY (WRITES | SYNCS | NAMES | BIT(ftruncate) | BIT(truncate) | BIT(fallocate))

static const struct { const char *name; uint64_t calls; } groups[] = {
    {"writes", WRITES}, {"syncs", SYNCS}, {"names", NAMES}, {"space", SPACE}, {"any", ANY},
};

#define ERROR(name) {#name, name}
static const struct { const char *name; int value; } errors[] = {
    ERROR(EIO), ERROR(ENOSPC), ERROR(EDQUOT), ERROR(EROFS), ERROR(EACCES), ERROR(EPERM),
    ERROR(EMFILE), ERROR(ENFILE), ERROR(ENOENT), ERROR(EEXIST), ERROR(EINTR), ERROR(EAGAIN),
    ERROR(ENOMEM), ERROR(EFBIG), ERROR(EINVAL), ERROR(ENODEV), ERROR(ENXIO), ERROR(ESTALE),
    ERROR(ETIMEDOUT), ERROR(EBUSY), ERROR(EBADF), ERROR(ENOTEMPTY), ERROR(EXDEV), ERROR(EMLINK),
    ERROR(EOPNOTSUPP), ERROR(ENOTCONN),
};

static const char *error_name(int error)
{
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (errors[i].value == error) return errors[i].name;
    return "error";
}

static uint64_t parse_calls(char *list, const char *rule)
{
    uint64_t calls = 0;
    char *position = NULL;
    for (char *name = strtok_r(list, "|", &position); name; name = strtok_r(NULL, "|", &position)) {
        uint64_t found = 0;
        for (int i = 0; i < CALL_COUNT; i++)
            if (strcmp(name, call_names[i]) == 0) found = (uint64_t)1 << i;
        for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
            if (strcmp(name, groups[i].name) == 0) found = groups[i].calls;
        if (!found) crashkit_refuse("no call or group '%s' in fault rule '%s'", name, rule);
        calls |= found;
    }
    return calls;
}

static int64_t parse_number(const char *value, const char *rule)
{
    char *end;
    long long number = strtoll(value, &end, 10);
    if (!*value || *end || number < 0)
        crashkit_refuse("'%s' is not a number in fault rule '%s'", value, rule);
    return number;
}

static void parse_error(const char *value, struct rule *rule)
{
    if (strcmp(value, "SIGKILL") == 0) {
        rule->kill = true;
        return;
    }
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (strcmp(value, errors[i].name) == 0) rule->error = errors[i].value;
    if (!rule->error) rule->error = (int)parse_number(value, rule->text);
    if (!rule->error) crashkit_refuse("errno 0 in fault rule '%s'", rule->text);
}

static void parse_rule(char *text)
{
    if (rule_count == RULES) crashkit_refuse("more than %d fault rules", RULES);
    struct rule *rule = &rules[rule_count++];
    *rule = (struct rule){.path = "*", .text = strdup(text), .nth = 1, .count = 1, .most = -1};
    char *position = NULL;
    for (char *field = strtok_r(text, ",", &position); field; field = strtok_r(NULL, ",", &position)) {
        char *value = strchr(field, '=');
        if (!value) crashkit_refuse("no '=' in '%s' of fault rule '%s'", field, rule->text);
        *value++ = 0;
        while (*field == ' ') field++;
        if (strcmp(field, "call") == 0) rule->calls = parse_calls(value, rule->text);
        else if (strcmp(field, "path") == 0) rule->path = value;
        else if (strcmp(field, "after") == 0) rule->after = value;
        else if (strcmp(field, "nth") == 0) rule->nth = (uint64_t)parse_number(value, rule->text);
        else if (strcmp(field, "short") == 0) rule->most = parse_number(value, rule->text);
        else if (strcmp(field, "errno") == 0) parse_error(value, rule);
        else if (strcmp(field, "count") == 0)
            rule->count = strcmp(value, "all") ? (uint64_t)parse_number(value, rule->text) : 0;
        else crashkit_refuse("unknown field '%s' in fault rule '%s'", field, rule->text);
    }
    if (!rule->calls) crashkit_refuse("no call= in fault rule '%s'", rule->text);
    if (rule->most >= 0 && (rule->calls & ~WRITES))
        crashkit_refuse("short= is for writes only, in fault rule '%s'", rule->text);
    if (!rule->error) rule->error = rule->most >= 0 ? ENOSPC : EIO;
    if (rule->calls & (BIT(read) | BIT(pread) | BIT(close))) settings.fault_reads = true;
    if (rule->calls & BIT(open)) settings.fault_opens = true;
}

void faults_open(void)
{
    const char *text = getenv("CRASHKIT_FAULT");
    if (text && *text) {
        char *copy = strdup(text), *position = NULL; // The rules point into it for good.
        for (char *rule = strtok_r(copy, ";", &position); rule;
             rule = strtok_r(NULL, ";", &position))
            if (rule[strspn(rule, " ")]) parse_rule(rule);
        settings.faults = true;
    }
    if (!settings.fault_log) return;
    log_descriptor = real_openat(AT_FDCWD, settings.fault_log,
                                 O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log_descriptor < 0)
        crashkit_refuse("cannot open CRASHKIT_FAULT_LOG %s: %s", settings.fault_log,
                        strerror(errno));
}

static bool armed(struct rule *rule)
{
    if (!rule->after || atomic_load_explicit(&rule->armed, memory_order_relaxed)) return true;
    if (access(rule->after, F_OK) != 0) return false;
    atomic_store_explicit(&rule->armed, true, memory_order_relaxed);
    return true;
}

static bool matches(const char *pattern, const char *path)
{
    if (pattern[0] == '!') return !matches(pattern + 1, path);
    if (!path) return strcmp(pattern, "*") == 0;
    return fnmatch(pattern, pattern[0] == '/' ? path : relative(path), 0) == 0;
}

/// Whether the rule fires at its `position`-th match (counted from 1), and how.
static bool fires(const struct rule *rule, uint64_t position, struct verdict *verdict)
{
    if (rule->nth == 0 || position < rule->nth) return false;
    uint64_t since = position - rule->nth;
    bool partial = rule->most > 0 && since == 0;
    // After a short write the error comes at the following call, and `count` counts from there.
    uint64_t last = rule->count + (rule->most > 0 && !rule->kill ? 1 : 0);
    if (rule->count != 0 && since >= last) return false;
    if (rule->count == 0 && settings.fault_clear && access(settings.fault_clear, F_OK) == 0)
        return false;
    verdict->most = partial ? rule->most : -1;
    verdict->error = partial ? 0 : rule->error;
    verdict->kill = rule->kill;
    return true;
}

static void report(const struct rule *rule, uint64_t position, enum call call, const char *path,
                   bool fired, struct verdict verdict)
{
    char outcome[64] = "";
    if (fired && verdict.most >= 0)
        snprintf(outcome, sizeof outcome, " short=%lld", (long long)verdict.most);
    else if (fired)
        snprintf(outcome, sizeof outcome, " %s", verdict.kill ? "" : error_name(verdict.error));
    if (fired && verdict.kill) strcat(outcome, verdict.most >= 0 ? " SIGKILL" : "SIGKILL");
    if (log_descriptor >= 0) {
        char line[PATH_MAX + 128];
        int length = snprintf(line, sizeof line, "%d %llu %s %s%s\n", (int)(rule - rules),
                              (unsigned long long)position, call_names[call],
                              path ? relative(path) : "-", outcome);
        if (length > 0 && real_write(log_descriptor, line, (size_t)length) < 0)
            crashkit_complain("cannot write the fault log");
    }
    if (fired && trace_enter()) {
        struct iovec data = {outcome, strlen(outcome)};
        trace_put((struct record){.operation = OP_FAULT, .call = (uint8_t)call,
                                  .result = verdict.error, .a = (uint64_t)(rule - rules),
                                  .b = position, .bytes = data.iov_len},
                  path ? relative(path) : NULL, NULL, &data, 1);
        trace_leave();
    }
}

struct verdict examine(enum call call, const char *path1, const char *path2)
{
    struct verdict verdict = {.error = 0, .most = -1, .kill = false};
    atomic_fetch_add_explicit(&counters[call], 1, memory_order_relaxed);
    if (!settings.faults) return verdict;
    bool decided = false;
    for (int i = 0; i < rule_count; i++) {
        struct rule *rule = &rules[i];
        if (!(rule->calls >> call & 1)) continue;
        if (!matches(rule->path, path1) && !(path2 && matches(rule->path, path2))) continue;
        if (!armed(rule)) continue;
        uint64_t position = atomic_fetch_add(&rule->matched, 1) + 1;
        struct verdict mine = verdict;
        bool fired = !decided && fires(rule, position, &mine);
        if (fired) {
            atomic_fetch_add(&rule->fired, 1);
            verdict = mine;
            decided = true;
        }
        report(rule, position, call, path1, fired, mine);
    }
    return verdict;
}

struct verdict examine_fd(enum call call, int fd)
{
    char path[PATH_MAX];
    bool known = settings.faults && path_of(fd, path);
    return examine(call, known ? path : NULL, NULL);
}

bool fails(struct verdict verdict)
{
    if (verdict.kill) die();
    if (!verdict.error) return false;
    errno = verdict.error;
    return true;
}

static void quoted(FILE *file, const char *text)
{
    fputc('"', file);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') fputc('\\', file);
        if ((unsigned char)*text >= ' ') fputc(*text, file);
    }
    fputc('"', file);
}

void counts_write(void)
{
    static _Atomic int written;
    if (!settings.counting || atomic_exchange(&written, getpid()) == getpid()) return;
    bool used = false; // Not a line for every child that a script starts.
    for (int i = 0; i < CALL_COUNT; i++) used = used || atomic_load(&counters[i]);
    if (!used) return;
    char *text = NULL;
    size_t length = 0;
    FILE *file = open_memstream(&text, &length);
    if (!file) return;
    fprintf(file, "{\"process\":%d,\"program\":", (int)getpid());
    quoted(file, program_invocation_short_name);
    fputs(",\"calls\":{", file);
    bool first = true;
    for (int i = 0; i < CALL_COUNT; i++) {
        uint64_t count = atomic_load(&counters[i]);
        if (!count) continue;
        fprintf(file, "%s\"%s\":%llu", first ? "" : ",", call_names[i], (unsigned long long)count);
        first = false;
    }
    fputs("},\"rules\":[", file);
    for (int i = 0; i < rule_count; i++) {
        fprintf(file, "%s{\"rule\":", i ? "," : "");
        quoted(file, rules[i].text);
        fprintf(file, ",\"matched\":%llu,\"fired\":%llu}",
                (unsigned long long)atomic_load(&rules[i].matched),
                (unsigned long long)atomic_load(&rules[i].fired));
    }
    fputs("]}\n", file);
    fclose(file);
    int fd = real_openat(AT_FDCWD, settings.counts, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || real_write(fd, text, length) != (ssize_t)length)
        crashkit_complain("cannot write CRASHKIT_COUNTS %s: %s", settings.counts, strerror(errno));
    if (fd >= 0) real_close(fd);
    free(text);
}
