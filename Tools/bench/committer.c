// How should a volume with many open log segments make its appends durable?
//
// N files each get an append of BYTES once a second, spread evenly over the second. Measured is the
// time from handing an append in to its being durable, for each strategy in the same run:
//
//   pool T    T threads; each takes one file that has appends waiting, writes them, fdatasync
//   syncfs    one thread; takes everything that waits, writes it, one syncfs for the volume
//
// usage: committer DIRECTORY FILES BYTES SECONDS SYNC_DELAY_MS STRATEGY   (pool:8, pool:16, syncfs)
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

typedef struct {
    int fd;
    int64_t length;
    double waiting[64];
    int count;
    int busy;
    int queued;
} File;

static File *files;
static int fileCount, bytes, seconds, delayMs;
static char *block;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static int *queue, queueHead, queueTail, done;
static double *latencies;
static int latencyCount;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void sleepMs(double ms) {
    if (ms <= 0) return;
    struct timespec t = {(time_t)(ms / 1e3), (long)((ms - (int64_t)(ms / 1e3) * 1e3) * 1e6)};
    nanosleep(&t, NULL);
}

static void enqueue(int index) {
    queue[queueTail++ % (fileCount + 1)] = index;
    files[index].queued = 1;
}

static void appendAll(File *file, int count) {
    for (int i = 0; i < count; i++) {
        if (pwrite(file->fd, block, bytes, file->length) != bytes) { perror("pwrite"); exit(1); }
        file->length += bytes;
    }
}

static void settle(const double *times, int count, double at) {
    for (int i = 0; i < count; i++) latencies[latencyCount++] = at - times[i];
}

static void *poolThread(void *unused) {
    (void)unused;
    pthread_mutex_lock(&lock);
    for (;;) {
        while (queueHead == queueTail && !done) pthread_cond_wait(&wake, &lock);
        if (queueHead == queueTail && done) break;
        File *file = &files[queue[queueHead++ % (fileCount + 1)]];
        double times[64];
        int count = file->count;
        memcpy(times, file->waiting, sizeof(double) * count);
        file->count = 0, file->busy = 1, file->queued = 0;
        pthread_mutex_unlock(&lock);
        appendAll(file, count);
        fdatasync(file->fd);
        sleepMs(delayMs);
        double at = now();
        pthread_mutex_lock(&lock);
        settle(times, count, at);
        file->busy = 0;
        if (file->count > 0) { enqueue(file - files); pthread_cond_signal(&wake); }
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void *syncfsThread(void *unused) {
    (void)unused;
    double *times = malloc(sizeof(double) * fileCount * 64);
    pthread_mutex_lock(&lock);
    for (;;) {
        while (queueHead == queueTail && !done) pthread_cond_wait(&wake, &lock);
        if (queueHead == queueTail && done) break;
        int count = 0;
        while (queueHead != queueTail) {
            File *file = &files[queue[queueHead++ % (fileCount + 1)]];
            int n = file->count;
            memcpy(times + count, file->waiting, sizeof(double) * n);
            file->count = 0, file->queued = 0;
            pthread_mutex_unlock(&lock);
            appendAll(file, n);
            pthread_mutex_lock(&lock);
            count += n;
        }
        pthread_mutex_unlock(&lock);
        syncfs(files[0].fd);
        sleepMs(delayMs);
        double at = now();
        pthread_mutex_lock(&lock);
        settle(times, count, at);
    }
    pthread_mutex_unlock(&lock);
    free(times);
    return NULL;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    if (argc != 7) {
        fprintf(stderr, "usage: committer DIRECTORY FILES BYTES SECONDS SYNC_DELAY_MS STRATEGY\n");
        return 2;
    }
    fileCount = atoi(argv[2]), bytes = atoi(argv[3]), seconds = atoi(argv[4]);
    delayMs = atoi(argv[5]);
    int isSyncfs = strcmp(argv[6], "syncfs") == 0;
    int threads = isSyncfs ? 1 : atoi(strchr(argv[6], ':') ? strchr(argv[6], ':') + 1 : "8");
    files = calloc(fileCount, sizeof(File));
    queue = calloc(fileCount + 1, sizeof(int));
    latencies = calloc((size_t)fileCount * (seconds + 1), sizeof(double));
    block = malloc(bytes);
    memset(block, 7, bytes);
    for (int i = 0; i < fileCount; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/bench-%d.mkv", argv[1], i);
        files[i].fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
        if (files[i].fd < 0) { perror(path); return 1; }
    }
    sync();
    pthread_t handles[256];
    for (int i = 0; i < threads; i++)
        pthread_create(&handles[i], NULL, isSyncfs ? syncfsThread : poolThread, NULL);
    double start = now(), step = 1000.0 / fileCount;
    for (int64_t i = 0; i < (int64_t)fileCount * seconds; i++) {
        sleepMs(start + step * i - now());
        pthread_mutex_lock(&lock);
        File *file = &files[i % fileCount];
        if (file->count < 64) file->waiting[file->count++] = now();
        if (!file->busy && !file->queued) { enqueue(file - files); pthread_cond_signal(&wake); }
        pthread_mutex_unlock(&lock);
    }
    pthread_mutex_lock(&lock);
    done = 1;
    pthread_cond_broadcast(&wake);
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < threads; i++) pthread_join(handles[i], NULL);
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    double cpu = use.ru_utime.tv_sec + use.ru_stime.tv_sec
                 + (use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
    qsort(latencies, latencyCount, sizeof(double), ascending);
    printf("%-8s files %4d delay %2d ms: %6d appends, durable after p50 %7.2f  p99 %7.2f  max %7.2f ms, cpu %.2f s\n",
           argv[6], fileCount, delayMs, latencyCount, latencies[latencyCount / 2],
           latencies[(int)(latencyCount * 0.99)], latencies[latencyCount - 1], cpu);
    for (int i = 0; i < fileCount; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/bench-%d.mkv", argv[1], i);
        unlink(path);
    }
    return 0;
}
