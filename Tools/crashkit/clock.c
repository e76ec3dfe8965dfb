// Steps the wall clock of one process: CLOCK_REALTIME as the process reads it, and the absolute
// deadlines it computes from that. Monotonic and boot-time clocks and file times are the kernel's.
#include "internal.h"
#include <stdatomic.h>

static const int64_t SECOND = 1000000000, CHECK_INTERVAL = 50 * 1000000;
enum { TIMERS = 1 << 16, COND_IS_MONOTONIC = 2 }; // glibc: bit 1 of __wrefs

static _Atomic int64_t shift, next_check;
static _Atomic bool wall_timer[TIMERS];

static int64_t nanoseconds(const struct timespec *time)
{
    return (int64_t)time->tv_sec * SECOND + time->tv_nsec;
}

static struct timespec moved(const struct timespec *time, int64_t by)
{
    struct timespec result = {time->tv_sec + by / SECOND, time->tv_nsec + by % SECOND};
    if (result.tv_nsec < 0) {
        result.tv_nsec += SECOND;
        result.tv_sec -= 1;
    } else if (result.tv_nsec >= SECOND) {
        result.tv_nsec -= SECOND;
        result.tv_sec += 1;
    }
    return result;
}

/// A missing, empty or half-written file changes nothing.
static void read_shift(void)
{
    int saved = errno;
    int fd = real_openat(AT_FDCWD, settings.clock_file, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        char text[64];
        ssize_t size = real_read(fd, text, sizeof text - 1);
        real_close(fd);
        if (size > 0) {
            text[size] = 0;
            char *end;
            errno = 0;
            long long value = strtoll(text, &end, 10);
            while (*end == '\n' || *end == ' ') end++;
            if (end != text && !*end && !errno)
                atomic_store_explicit(&shift, value * 1000000, memory_order_relaxed);
        }
    }
    errno = saved;
}

static int64_t monotonic(void)
{
    struct timespec now;
    real_clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return nanoseconds(&now);
}

static int64_t current_shift(void)
{
    if (!crashkit_ready() || !settings.clock_file) return 0;
    int64_t now = monotonic(), due = atomic_load_explicit(&next_check, memory_order_relaxed);
    if (now >= due && atomic_compare_exchange_strong(&next_check, &due, now + CHECK_INTERVAL))
        read_shift();
    return atomic_load_explicit(&shift, memory_order_relaxed);
}

void clock_open(void)
{
    if (!settings.clock_file) return;
    read_shift();
    next_check = monotonic() + CHECK_INTERVAL;
}

static bool is_wall(clockid_t clock)
{
    return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI;
}

// MARK: reading the clock

EXPORT int clock_gettime(clockid_t clock, struct timespec *time)
{
    if (!crashkit_ready()) return real_clock_gettime(clock, time);
    int result = real_clock_gettime(clock, time);
    if (result == 0 && settings.clock_file && is_wall(clock)) *time = moved(time, current_shift());
    return result;
}

EXPORT int gettimeofday(struct timeval *restrict time, void *restrict zone)
{
    if (zone) memset(zone, 0, sizeof(struct timezone));
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    *time = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
    return 0;
}

EXPORT time_t time(time_t *result)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (result) *result = now.tv_sec;
    return now.tv_sec;
}

EXPORT int timespec_get(struct timespec *time, int base)
{
    if (base != TIME_UTC) return 0;
    clock_gettime(CLOCK_REALTIME, time);
    return base;
}

// MARK: waiting for an instant of the shifted clock, given back to the kernel as one of its own

static struct timespec kernel_time(const struct timespec *time)
{
    struct timespec instant = moved(time, -current_shift());
    // Long past stays past: the kernel refuses negative times, and a timer takes 0 for "disarm".
    return instant.tv_sec < 0 ? (struct timespec){0, 1} : instant;
}

EXPORT int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                                  clockid_t clock, const struct timespec *deadline)
{
    struct timespec instant = clock == CLOCK_REALTIME ? kernel_time(deadline) : *deadline;
    crashkit_ready();
    return real_pthread_cond_clockwait(condition, mutex, clock, &instant);
}

/// Through the clockwait twin: dlsym may find the oldest version of this symbol.
EXPORT int pthread_cond_timedwait(pthread_cond_t *restrict condition,
                                  pthread_mutex_t *restrict mutex,
                                  const struct timespec *restrict deadline)
{
    bool monotonic = condition->__data.__wrefs & COND_IS_MONOTONIC;
    return pthread_cond_clockwait(condition, mutex, monotonic ? CLOCK_MONOTONIC : CLOCK_REALTIME,
                                  deadline);
}

EXPORT int pthread_mutex_timedlock(pthread_mutex_t *restrict mutex,
                                   const struct timespec *restrict deadline)
{
    struct timespec instant = kernel_time(deadline);
    return real_pthread_mutex_timedlock(mutex, &instant);
}

EXPORT int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict deadline)
{
    struct timespec instant = kernel_time(deadline);
    return real_sem_timedwait(semaphore, &instant);
}

EXPORT int sem_clockwait(sem_t *restrict semaphore, clockid_t clock,
                         const struct timespec *restrict deadline)
{
    struct timespec instant = clock == CLOCK_REALTIME ? kernel_time(deadline) : *deadline;
    crashkit_ready();
    return real_sem_clockwait(semaphore, clock, &instant);
}

EXPORT int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time,
                           struct timespec *left)
{
    bool absolute = (flags & TIMER_ABSTIME) && is_wall(clock);
    crashkit_ready();
    struct timespec instant = absolute ? kernel_time(time) : *time;
    return real_clock_nanosleep(clock, flags, &instant, left);
}

EXPORT int timerfd_create(clockid_t clock, int flags)
{
    crashkit_ready();
    int fd = real_timerfd_create(clock, flags);
    if (fd >= 0 && fd < TIMERS) atomic_store(&wall_timer[fd], is_wall(clock));
    return fd;
}

EXPORT int timerfd_settime(int fd, int flags, const struct itimerspec *new, struct itimerspec *old)
{
    crashkit_ready();
    struct itimerspec value = *new;
    bool armed = value.it_value.tv_sec || value.it_value.tv_nsec;
    if ((flags & TFD_TIMER_ABSTIME) && armed && fd >= 0 && fd < TIMERS && wall_timer[fd])
        value.it_value = kernel_time(&value.it_value);
    return real_timerfd_settime(fd, flags, &value, old);
}
