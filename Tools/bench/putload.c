// Many PutMedia producers at a constant rate on one thread, and what the server makes of them.
//
// Each connection sends 25 frames a second in fragments of one second: a Cluster of unknown size,
// SimpleBlocks, END_OF_FRAGMENT. Measured: END_OF_FRAGMENT handed to the socket → PERSISTED read.
// With FOLLOWERS > 0 the first so many streams are also read with GetMedia; each frame carries the
// time it was handed to its socket, and frame in → frame out is measured.
//
// Fragments of the streams end one after another, spread over SPREAD_MS: 1000 is cameras that know
// nothing of each other, 40 is all of them at once, every second.
//
// usage: putload PORT STREAMS KBIT_PER_S SECONDS FOLLOWERS [SPREAD_MS]
// (streams are made as load-0, load-1, …)
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { framesPerSecond = 25, fragmentsMax = 4096 };
static const char mark[8] = "KLFRAME!";

typedef struct {
    int fd, isReader, frame, index;
    double next;
    uint8_t *pending;
    size_t pendingLength, pendingCapacity;
    int64_t startMs;
    double ended[fragmentsMax];
    int persisted, failed;
    char tail[256];
    size_t tailLength;
} Connection;

static int port, streams, kbit, seconds, followers, spreadMs = 1000;
static double *ackTimes, *frameTimes;
static size_t ackCount, frameCount, frameCapacity;
static long stalls;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static int64_t wallMs(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int dial(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&a, sizeof a) != 0) { perror("connect"); exit(1); }
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static void call(const char *path, const char *body) {
    int fd = dial();
    char request[1024], answer[4096];
    int n = snprintf(request, sizeof request,
                     "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
                     "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
                     path, port, strlen(body), body);
    if (write(fd, request, n) != n) { perror("write"); exit(1); }
    ssize_t got, all = 0;
    while ((got = read(fd, answer + all, sizeof answer - 1 - all)) > 0) all += got;
    answer[all > 0 ? all : 0] = 0;
    if (!strstr(answer, " 200 ") && !strstr(answer, "ResourceInUse")) {
        fprintf(stderr, "%s: %s\n", path, answer);
        exit(1);
    }
    close(fd);
}

static void put(Connection *c, const void *bytes, size_t length) {
    if (c->pendingLength + length > c->pendingCapacity) {
        c->pendingCapacity = (c->pendingLength + length) * 2;
        c->pending = realloc(c->pending, c->pendingCapacity);
    }
    memcpy(c->pending + c->pendingLength, bytes, length);
    c->pendingLength += length;
}

static void flush(Connection *c) {
    while (c->pendingLength > 0) {
        ssize_t n = write(c->fd, c->pending, c->pendingLength);
        if (n < 0) {
            if (errno == EAGAIN) { stalls++; return; }
            c->failed = 1, c->pendingLength = 0;
            return;
        }
        memmove(c->pending, c->pending + n, c->pendingLength - n);
        c->pendingLength -= n;
    }
}

static void chunk(Connection *c, const void *bytes, size_t length) {
    char head[24];
    put(c, head, snprintf(head, sizeof head, "%zx\r\n", length));
    put(c, bytes, length);
    put(c, "\r\n", 2);
}

static size_t be(uint8_t *out, uint64_t value, int width) {
    for (int i = 0; i < width; i++) out[i] = value >> (8 * (width - 1 - i));
    return width;
}

static const uint8_t header[] = {
    0x1A, 0x45, 0xDF, 0xA3, 0xA3, 0x42, 0x86, 0x81, 1, 0x42, 0xF7, 0x81, 1, 0x42, 0xF2, 0x81, 4,
    0x42, 0xF3, 0x81, 8, 0x42, 0x82, 0x88, 'm', 'a', 't', 'r', 'o', 's', 'k', 'a', 0x42, 0x87,
    0x81, 2, 0x42, 0x85, 0x81, 2,
    0x18, 0x53, 0x80, 0x67, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0x15, 0x49, 0xA9, 0x66, 0x8B, 0x2A, 0xD7, 0xB1, 0x83, 0x0F, 0x42, 0x40, 0x4D, 0x80, 0x81, 'k',
    0x16, 0x54, 0xAE, 0x6B, 0xA6, 0xAE, 0xA4, 0xD7, 0x81, 1, 0x73, 0xC5, 0x81, 1, 0x83, 0x81, 1,
    0x86, 0x8E, 'V', '_', 'U', 'N', 'C', 'O', 'M', 'P', 'R', 'E', 'S', 'S', 'E', 'D',
    0xE0, 0x88, 0xB0, 0x82, 0x02, 0x80, 0xBA, 0x82, 0x01, 0x68};

static const uint8_t endOfFragment[] = {
    0x12, 0x54, 0xC3, 0x67, 0xAC, 0x73, 0x73, 0xA9, 0x67, 0xC8, 0xA6, 0x45, 0xA3, 0xA0,
    'A', 'W', 'S', '_', 'K', 'I', 'N', 'E', 'S', 'I', 'S', 'V', 'I', 'D', 'E', 'O', '_', 'E', 'N',
    'D', '_', 'O', 'F', '_', 'F', 'R', 'A', 'G', 'M', 'E', 'N', 'T', 0x44, 0x87, 0x80};

static void sendFrame(Connection *c) {
    static uint8_t block[1 << 20];
    size_t payload = (size_t)kbit * 1000 / 8 / framesPerSecond;
    int inFragment = c->frame % framesPerSecond;
    if (inFragment == 0) {
        int64_t timecode = c->startMs + (int64_t)(c->frame / framesPerSecond) * 1000;
        uint8_t cluster[32] = {0x1F, 0x43, 0xB6, 0x75, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                               0xFF, 0xE7, 0x88};
        be(cluster + 14, timecode, 8);
        chunk(c, cluster, 22);
    }
    size_t n = 0;
    block[n++] = 0xA3;
    block[n++] = 0x10;
    n += be(block + n, payload + 4, 3);
    block[n++] = 0x81;
    n += be(block + n, inFragment * 1000 / framesPerSecond, 2);
    block[n++] = inFragment == 0 ? 0x80 : 0;
    memcpy(block + n, mark, 8);
    double t = now();
    memcpy(block + n + 8, &t, 8);
    chunk(c, block, n + payload);
    c->frame++;
    if (c->frame % framesPerSecond == 0) {
        chunk(c, endOfFragment, sizeof endOfFragment);
        flush(c);
        int index = c->frame / framesPerSecond - 1;
        if (index < fragmentsMax) c->ended[index] = now();
    } else {
        flush(c);
    }
}

static void readAcks(Connection *c) {
    char text[16384];
    memcpy(text, c->tail, c->tailLength);
    ssize_t n = read(c->fd, text + c->tailLength, sizeof text - 1 - c->tailLength);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) { c->failed = 1; return; }
    size_t all = c->tailLength + n;
    text[all] = 0;
    double at = now();
    char *p = text, *last = text;
    while ((p = strstr(p, "\"EventType\":\"")) != NULL) {
        char *end = strchr(p, '}');
        if (!end) break;
        if (strncmp(p + 13, "PERSISTED", 9) == 0) {
            char *t = strstr(p, "FragmentTimecode\":");
            int64_t index = t ? (atoll(t + 18) - c->startMs) / 1000 : -1;
            if (index >= 0 && index < fragmentsMax && c->ended[index] > 0) {
                ackTimes[ackCount++] = at - c->ended[index];
                c->persisted++;
            }
        } else if (strncmp(p + 13, "ERROR", 5) == 0) {
            fprintf(stderr, "load-%d: %.*s\n", c->index, (int)(end - p), p);
            c->failed = 1;
        }
        p = last = end;
    }
    size_t keep = text + all - last;
    if (keep > sizeof c->tail) keep = sizeof c->tail;
    memcpy(c->tail, text + all - keep, keep);
    c->tailLength = keep;
}

static void readFrames(Connection *c) {
    static uint8_t bytes[1 << 18];
    memcpy(bytes, c->tail, c->tailLength);
    ssize_t n = read(c->fd, bytes + c->tailLength, sizeof bytes - c->tailLength);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) { c->failed = 1; return; }
    double at = now();
    size_t all = c->tailLength + n, from = 0;
    for (;;) {
        uint8_t *hit = memmem(bytes + from, all - from, mark, 8);
        if (!hit || hit + 16 > bytes + all) break;
        double t;
        memcpy(&t, hit + 8, 8);
        if (frameCount < frameCapacity) frameTimes[frameCount++] = at - t;
        from = hit + 16 - bytes;
    }
    size_t keep = all - from < 15 ? all - from : 15;
    memcpy(c->tail, bytes + all - keep, keep);
    c->tailLength = keep;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(const char *name, double *times, size_t count) {
    if (count == 0) { printf("%s: none\n", name); return; }
    qsort(times, count, sizeof(double), ascending);
    printf("%s: %zu, p50 %.2f ms, p99 %.2f ms, max %.2f ms\n", name, count, times[count / 2],
           times[count * 99 / 100], times[count - 1]);
}

int main(int argc, char **argv) {
    if (argc != 6 && argc != 7) {
        fprintf(stderr, "usage: putload PORT STREAMS KBIT_PER_S SECONDS FOLLOWERS [SPREAD_MS]\n");
        return 2;
    }
    port = atoi(argv[1]), streams = atoi(argv[2]), kbit = atoi(argv[3]), seconds = atoi(argv[4]);
    followers = atoi(argv[5]);
    if (argc == 7) spreadMs = atoi(argv[6]);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    int all = streams + followers;
    Connection *connections = calloc(all, sizeof(Connection));
    ackTimes = calloc((size_t)streams * (seconds + 2), sizeof(double));
    frameCapacity = (size_t)followers * framesPerSecond * (seconds + 4);
    frameTimes = calloc(frameCapacity + 1, sizeof(double));
    char text[1024];
    for (int i = 0; i < streams; i++) {
        snprintf(text, sizeof text, "{\"StreamName\":\"load-%d\",\"DataRetentionInHours\":24}", i);
        call("/createStream", text);
    }
    int poll = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < all; i++) {
        Connection *c = &connections[i];
        c->fd = dial(), c->isReader = i >= streams, c->index = i % streams;
        int64_t wall = wallMs();
        int n;
        if (c->isReader) {
            const char *format = "{\"StreamName\":\"load-%d\",\"StartSelector\":{\"StartSelectorType\":\"NOW\"}}";
            char body[256];
            int length = snprintf(body, sizeof body, format, i - streams);
            n = snprintf(text, sizeof text,
                         "POST /getMedia HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
                         "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                         port, length, body);
        } else {
            n = snprintf(text, sizeof text,
                         "POST /putMedia HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
                         "Transfer-Encoding: chunked\r\nx-amzn-stream-name: load-%d\r\n"
                         "x-amzn-fragment-timecode-type: ABSOLUTE\r\n"
                         "x-amzn-fragment-acknowledgment-required: 1\r\n"
                         "x-amzn-producer-start-timestamp: %lld.%03d\r\n\r\n",
                         port, i, (long long)(wall / 1000), (int)(wall % 1000));
        }
        put(c, text, n);
        if (!c->isReader) chunk(c, header, sizeof header);
        fcntl(c->fd, F_SETFL, O_NONBLOCK);
        flush(c);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        epoll_ctl(poll, EPOLL_CTL_ADD, c->fd, &event);
        c->startMs = wall;
    }
    double start = now() + 500, step = 1000.0 / framesPerSecond;
    for (int i = 0; i < streams; i++) connections[i].next = start + (double)spreadMs * i / streams;
    double end = start + seconds * 1000.0;
    int done = 0;
    while (now() < end + spreadMs + 3000) {
        struct epoll_event events[256];
        int n = epoll_wait(poll, events, 256, 1);
        for (int i = 0; i < n; i++) {
            Connection *c = events[i].data.ptr;
            if (c->failed) { epoll_ctl(poll, EPOLL_CTL_DEL, c->fd, NULL); continue; }
            if (c->isReader) readFrames(c); else readAcks(c);
        }
        double at = now();
        done = 0;
        for (int i = 0; i < streams; i++) {
            Connection *c = &connections[i];
            if (c->pendingLength > 0) flush(c);
            while (!c->failed && c->next <= at && c->frame < seconds * framesPerSecond) {
                sendFrame(c);
                c->next += step;
            }
            if (c->failed || c->persisted >= seconds) done++;
        }
        if (done == streams && at > end + spreadMs) break;
    }
    long persisted = 0, failed = 0;
    for (int i = 0; i < streams; i++) persisted += connections[i].persisted, failed += connections[i].failed;
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    printf("%d streams of %d kbit/s for %d s: %ld of %ld fragments persisted, %ld connections failed, %ld stalls, client cpu %.1f s\n",
           streams, kbit, seconds, persisted, (long)streams * seconds, failed, stalls,
           use.ru_utime.tv_sec + use.ru_stime.tv_sec
               + (use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6);
    report("fragment end -> PERSISTED", ackTimes, ackCount);
    if (followers) report("frame in -> frame out (GetMedia)", frameTimes, frameCount);
    return persisted == (long)streams * seconds && failed == 0 ? 0 : 1;
}
