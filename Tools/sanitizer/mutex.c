/* Tells the thread sanitizer what Swift's Mutex does out of its sight; loaded with LD_PRELOAD.
 *
 * On Linux a Mutex is one word. Taking and giving it back without contention is compiled into the
 * code that uses it, where the sanitizer sees both. Under contention three functions of
 * libswiftSynchronization.so ask the kernel instead, and that library is not instrumented: the
 * sanitizer misses who waited for whom and calls what the mutex orders a race. The functions here
 * stand before those three, call them, and say what they did. Nothing else is said: a value that is
 * touched without the mutex, or with another one, is still a race.
 *
 * In a process without the sanitizer (the programs that tests start) they only pass the call on.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

extern void __tsan_acquire(void *address) __attribute__((weak));
extern void __tsan_release(void *address) __attribute__((weak));

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *
#define EXPORT __attribute__((visibility("default")))

/* Methods of Synchronization._MutexHandle; the handle lies at the address of the Mutex. */
#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY_LOCK_SLOW "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

typedef SWIFT void lock_function(uint32_t thread, SELF);
typedef SWIFT bool try_lock_function(SELF);
typedef SWIFT void unlock_function(SELF);

/* The function of that name in the library after this one. */
static void *next(_Atomic(void *) *known, const char *name) {
    void *function = atomic_load_explicit(known, memory_order_relaxed);
    if (function) return function;
    function = dlsym(RTLD_NEXT, name);
    if (!function) {
        fprintf(stderr, "Tools/sanitizer/mutex.c: there is no %s\n", name);
        abort();
    }
    atomic_store_explicit(known, function, memory_order_relaxed);
    return function;
}

EXPORT SWIFT void lock_slow(uint32_t thread, SELF self) __asm__(LOCK_SLOW);
EXPORT SWIFT bool try_lock_slow(SELF self) __asm__(TRY_LOCK_SLOW);
EXPORT SWIFT void unlock_slow(SELF self) __asm__(UNLOCK_SLOW);

SWIFT void lock_slow(uint32_t thread, SELF self) {
    static _Atomic(void *) real;
    ((lock_function *)next(&real, LOCK_SLOW))(thread, self);
    if (__tsan_acquire) __tsan_acquire(self);
}

SWIFT bool try_lock_slow(SELF self) {
    static _Atomic(void *) real;
    bool taken = ((try_lock_function *)next(&real, TRY_LOCK_SLOW))(self);
    if (taken && __tsan_acquire) __tsan_acquire(self);
    return taken;
}

SWIFT void unlock_slow(SELF self) {
    static _Atomic(void *) real;
    if (__tsan_release) __tsan_release(self);
    ((unlock_function *)next(&real, UNLOCK_SLOW))(self);
}
