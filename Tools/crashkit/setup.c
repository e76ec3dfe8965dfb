// Reads the environment and finds the real functions, once per process.
#include "internal.h"
#include <dlfcn.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>

#define DEFINE_REAL(name) __typeof__(name) *real_##name;
REAL_FUNCTIONS(DEFINE_REAL)

#define CALL_NAME(name) #name,
const char *const call_names[CALL_COUNT] = {CALLS(CALL_NAME)};

struct settings settings;

static _Atomic bool ready;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static __thread bool setting_up;

static void say(const char *format, va_list arguments)
{
    char line[PATH_MAX + 512] = "crashkit: ";
    size_t start = strlen(line);
    int length = vsnprintf(line + start, sizeof line - start - 1, format, arguments);
    size_t end = start + (length < 0 ? 0 : (size_t)length);
    if (end > sizeof line - 2) end = sizeof line - 2;
    line[end++] = '\n';
    if (real_write(STDERR_FILENO, line, end) < 0) return;
}

void crashkit_complain(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
}

void crashkit_refuse(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
    real__exit(97);
    __builtin_unreachable();
}

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static int64_t milliseconds(const char *name)
{
    const char *text = environment(name);
    if (!text) return 0;
    char *end;
    double value = strtod(text, &end);
    if (*end || !(value >= 0 && value < 1e6))
        crashkit_refuse("%s=%s is not a number of milliseconds", name, text);
    return (int64_t)(value * 1e6);
}

static uint64_t socket_bytes(void)
{
    const char *text = environment("CRASHKIT_MARK_SOCKETS");
    if (!text) return 0;
    char *end;
    unsigned long long value = strtoull(text, &end, 10);
    if (*end) crashkit_refuse("CRASHKIT_MARK_SOCKETS=%s is not a number of bytes", text);
    return value == 1 ? 64 * 1024 : value;
}

static void set_up(void)
{
    setting_up = true;
#define FIND_REAL(name) real_##name = (__typeof__(name) *)dlsym(RTLD_NEXT, #name);
    REAL_FUNCTIONS(FIND_REAL)
    int saved = errno;

    settings.clock_file = environment("CRASHKIT_CLOCK_FILE");
    clock_open();

    const char *root = environment("CRASHKIT_ROOT");
    if (root) {
        canonical_future_path(root, settings.root);
        if (environment("CRASHKIT_MARKS"))
            canonical_future_path(environment("CRASHKIT_MARKS"), settings.marks);
        settings.log = environment("CRASHKIT_LOG");
        settings.counts = environment("CRASHKIT_COUNTS");
        settings.counting = settings.counts != NULL;
        settings.fault_log = environment("CRASHKIT_FAULT_LOG");
        settings.fault_clear = environment("CRASHKIT_FAULT_CLEAR");
        settings.delay_nanoseconds = milliseconds("CRASHKIT_SYNC_DELAY_MS");
        const char *skip = environment("CRASHKIT_SYNC_SKIP");
        settings.skip_syncs = skip && strcmp(skip, "0") != 0;
        settings.socket_bytes = socket_bytes();
        faults_open();
        trace_open();
        settings.active = true;
    }
    errno = saved;
    setting_up = false;
    atomic_store_explicit(&ready, true, memory_order_release);
}

bool crashkit_ready(void)
{
    if (atomic_load_explicit(&ready, memory_order_acquire)) return true;
    if (setting_up) return false;
    pthread_once(&once, set_up);
    return true;
}

__attribute__((constructor)) static void start(void) { crashkit_ready(); }

__attribute__((destructor)) static void finish(void)
{
    if (crashkit_ready()) counts_write();
}

EXPORT void _exit(int status)
{
    if (crashkit_ready()) counts_write();
    real__exit(status);
    __builtin_unreachable();
}

EXPORT void _Exit(int status) { _exit(status); }

_Noreturn void die(void)
{
    kill(getpid(), SIGKILL);
    for (;;) pause();
}
