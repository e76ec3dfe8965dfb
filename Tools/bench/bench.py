#!/usr/bin/env python3
"""Measures a release build of the server beside its peers, in one run on this machine.

usage: bench.py SERVER MEASUREMENT... [--work DIR] [--keep]

  ts-cpu      CPU seconds per GB: MPEG-TS over HTTP to durable fragments, beside
              `ffmpeg -c copy -f segment -segment_format matroska` reading the same file from a pipe
  acks        delay from a fragment's end to its acknowledgement at 300 PutMedia streams
  frames      delay from a frame's last byte sent to its bytes read by a follower (PutMedia, MPEG-TS)
  sessions    1 000 PutMedia sessions of 1 Mbit/s for a minute
  memory      resident memory per session: PutMedia and MPEG-TS, idle inside a fragment
  restart     kill -9, then time to ready, of a data directory that exists (--data)

Figures are printed; nothing is judged. Everything runs on 127.0.0.1.
"""
import argparse, json, os, shutil, signal, socket, statistics, struct, subprocess, sys, tempfile, threading, time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
MEDIA = os.path.join(HERE, "..", "..", "SampleMedia")


class Server:
    def __init__(self, binary, data, *options):
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [binary, "serve", "--data", data, "--http", "127.0.0.1:0", *options],
            stdout=subprocess.PIPE, stderr=open(data + ".log", "w"), text=True)
        line = self.process.stdout.readline()
        if "listening on" not in line:
            sys.exit(f"the server did not start; see {data}.log")
        self.ready = time.monotonic() - self.started
        self.port = int(line.strip().rsplit(":", 1)[1])
        self.url = f"http://127.0.0.1:{self.port}"

    def cpu(self):
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss(self):
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith("VmRSS"):
                return int(line.split()[1]) * 1024

    def get(self, path):
        return json.load(urllib.request.urlopen(self.url + path))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


def loop_media(path, megabytes, form):
    """The two-second-GOP sample over and over, as one continuous file."""
    source = os.path.join(MEDIA, "bunny-2s-gop.mp4")
    loops = max(1, megabytes * 1_000_000 // os.path.getsize(source))
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-stream_loop", str(loops), "-i", source, "-c",
                    "copy", "-f", form, path], check=True)


def child_cpu():
    t = os.times()
    return t.children_user + t.children_system


def ts_cpu(args):
    path = os.path.join(args.work, "long.ts")
    if not os.path.exists(path):
        loop_media(path, args.megabytes, "mpegts")
    size = os.path.getsize(path) / 1e9
    ours, peers = [], []
    for run in range(3):
        server = Server(args.server, os.path.join(args.work, f"ts-{run}"))
        before, start = server.cpu(), time.monotonic()
        answer = subprocess.run(["curl", "-sS", "-T", path, f"{server.url}/v1/streams/cam/media"],
                                capture_output=True, text=True).stdout
        took = time.monotonic() - start
        ours.append((server.cpu() - before) / size)
        print(f"  ours {run}: {ours[-1]:.2f} CPU s/GB, {took:.1f} s, {answer[:120]}")
        server.stop()
        out = os.path.join(args.work, f"peer-{run}")
        os.makedirs(out, exist_ok=True)
        before, start = child_cpu(), time.monotonic()
        with open(path, "rb") as source:
            cat = subprocess.Popen(["cat"], stdin=source, stdout=subprocess.PIPE)
            before_cat = child_cpu()
            subprocess.run(["ffmpeg", "-v", "error", "-f", "mpegts", "-i", "pipe:0", "-c", "copy", "-f",
                            "segment", "-segment_format", "matroska", "-segment_time", "1",
                            os.path.join(out, "%06d.mkv")], stdin=cat.stdout, check=True)
            peer = child_cpu() - before_cat
            cat.stdout.close()
            cat.wait()
        peers.append(peer / size)
        print(f"  ffmpeg {run}: {peers[-1]:.2f} CPU s/GB, {time.monotonic() - start:.1f} s")
        shutil.rmtree(out)
        shutil.rmtree(os.path.join(args.work, f"ts-{run}"), ignore_errors=True)
    a, b = statistics.median(ours), statistics.median(peers)
    print(f"ts-cpu: {size:.2f} GB, ours {a:.2f}, ffmpeg segment {b:.2f} CPU s/GB, ratio {a / b:.2f}")


def putload(args, streams, kbit, seconds, followers, server, spread=1000):
    binary = os.path.join(args.work, "putload")
    subprocess.run(["cc", "-O2", "-o", binary, os.path.join(HERE, "putload.c")], check=True)
    before = server.cpu()
    run = subprocess.run([binary, str(server.port), str(streams), str(kbit), str(seconds),
                          str(followers), str(spread)], capture_output=True, text=True)
    print(run.stdout, run.stderr, sep="", end="")
    print(f"  server cpu {server.cpu() - before:.1f} s, rss {server.rss() / 1e6:.0f} MB")


def acks(args):
    for spread, what in [(1000, "fragments end all over the second"), (40, "all within 40 ms")]:
        print(f"acks: {what}")
        server = Server(args.server, os.path.join(args.work, f"acks-{spread}"))
        putload(args, 300, 1000, 20, 0, server, spread)
        server.stop()


def sessions(args):
    server = Server(args.server, os.path.join(args.work, "sessions"))
    putload(args, 1000, 1000, 60, 0, server)
    server.stop()


def frames(args):
    server = Server(args.server, os.path.join(args.work, "frames"))
    putload(args, 100, 1000, 15, 100, server)
    ts_frames(args, server)
    server.stop()


def ts_frames(args, server):
    """Sends one video frame's TS packets every 40 ms and notes when a follower has its block."""
    path = os.path.join(args.work, "short.ts")
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-stream_loop", "1", "-i",
                    os.path.join(MEDIA, "bunny-2s-gop.mp4"), "-an", "-c", "copy", "-f", "mpegts", path],
                   check=True)
    data = open(path, "rb").read()
    groups, current = [], bytearray()
    for at in range(0, len(data), 188):
        packet = data[at:at + 188]
        pid = (packet[1] & 0x1F) << 8 | packet[2]
        if pid == 0x100 and packet[1] & 0x40 and current and any(
                (current[i + 1] & 0x1F) << 8 | current[i + 2] == 0x100
                for i in range(0, len(current), 188)):
            groups.append(bytes(current))
            current = bytearray()
        current += packet
    groups.append(bytes(current))
    sent, seen = [], []

    def follow():
        reader = socket.create_connection(("127.0.0.1", server.port))
        reader.sendall(b"GET /v1/streams/lag/media HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        buffer, body, started = b"", bytearray(), False
        while True:
            piece = reader.recv(1 << 16)
            if not piece:
                return
            at = time.monotonic()
            buffer += piece
            if not started:
                if b"\r\n\r\n" not in buffer:
                    continue
                buffer = buffer.split(b"\r\n\r\n", 1)[1]
                started = True
            while b"\r\n" in buffer:
                line, rest = buffer.split(b"\r\n", 1)
                size = int(line or b"0", 16)
                if size == 0 or len(rest) < size + 2:
                    break
                body += rest[:size]
                buffer = rest[size + 2:]
            blocks = parse(body)
            while len(seen) < blocks:
                seen.append(at)

    state = {"offset": 0, "blocks": 0}

    def parse(body):
        offset = state["offset"]
        while True:
            if offset + 12 > len(body):
                break
            first = body[offset]
            width = 1 if first & 0x80 else 2 if first & 0x40 else 3 if first & 0x20 else 4
            identity = int.from_bytes(body[offset:offset + width], "big")
            lead = body[offset + width]
            n = 1
            while n <= 8 and not lead & (0x80 >> (n - 1)):
                n += 1
            if offset + width + n > len(body):
                break
            size = int.from_bytes(body[offset + width:offset + width + n], "big") & ((1 << 7 * n) - 1)
            unknown = size == (1 << 7 * n) - 1
            start = offset + width + n
            if identity in (0x18538067, 0x1F43B675):
                offset = start
                continue
            if unknown or start + size > len(body):
                break
            if identity == 0xA3:
                state["blocks"] += 1
            offset = start + size
        state["offset"] = offset
        return state["blocks"]

    subprocess.run(["curl", "-sS", "-X", "POST", "-H", "Content-Type: application/json", "-d",
                    '{"name":"lag"}', f"{server.url}/v1/streams"], capture_output=True)
    producer = socket.create_connection(("127.0.0.1", server.port))
    producer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    producer.sendall(b"PUT /v1/streams/lag/media HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                     b"Content-Type: video/mp2t\r\nTransfer-Encoding: chunked\r\n\r\n")
    follower = threading.Thread(target=follow, daemon=True)
    begin = time.monotonic()
    for index, group in enumerate(groups):
        if index == 5:
            follower.start()
        time.sleep(max(0, begin + index / 25 - time.monotonic()))
        producer.sendall(b"%x\r\n%s\r\n" % (len(group), group))
        sent.append(time.monotonic())
    time.sleep(1)
    # The frame after tells a TS demuxer that a frame has ended, so one period is the protocol's.
    count = min(len(sent), len(seen))
    delays = sorted((seen[i] - sent[i]) * 1e3 for i in range(60, count))
    if delays:
        print(f"MPEG-TS frame's last byte in -> block out: {len(delays)}, p50 "
              f"{delays[len(delays) // 2]:.1f} ms, p99 {delays[len(delays) * 99 // 100]:.1f} ms "
              f"(a TS demuxer knows a frame's end by the next frame: 40 ms of it)")
    producer.close()


def memory(args):
    server = Server(args.server, os.path.join(args.work, "memory"))
    base = server.rss()
    binary = os.path.join(args.work, "putload")
    subprocess.run(["cc", "-O2", "-o", binary, os.path.join(HERE, "putload.c")], check=True)
    load = subprocess.Popen([binary, str(server.port), "500", "50", "12", "0"],
                            stdout=subprocess.DEVNULL)
    time.sleep(9)
    print(f"memory: {(server.rss() - base) / 500 / 1e3:.0f} KB per PutMedia session "
          f"(500 of 50 kbit/s, open fragments of up to 6 KB)")
    load.wait()
    base = server.rss()
    path = os.path.join(args.work, "memory.ts")
    loop_media(path, 4, "mpegts")
    pushes = []
    for index in range(200):
        pushes.append(subprocess.Popen(
            ["curl", "-sS", "--limit-rate", "60k", "-T", path,
             f"{server.url}/v1/streams/mem-{index}/media"], stdout=subprocess.DEVNULL))
    time.sleep(15)
    open_bytes = server.get("/v1/status")["openFragmentBytes"]
    print(f"memory: {(server.rss() - base - open_bytes) / 200 / 1e3:.0f} KB per MPEG-TS session beyond "
          f"its open fragment (200 sessions, {open_bytes / 200 / 1e3:.0f} KB open each)")
    for push in pushes:
        push.kill()
        push.wait()
    server.stop()


def restart(args):
    if not args.data:
        sys.exit("restart needs --data")
    for run in range(3):
        server = Server(args.server, args.data)
        start = time.monotonic()
        urllib.request.urlopen(server.url + "/readyz")
        print(f"restart {run}: listening after {server.ready:.3f} s, ready after "
              f"{time.monotonic() - server.started:.3f} s, rss {server.rss() / 1e6:.0f} MB")
        server.process.kill()
        server.process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server")
    parser.add_argument("measurements", nargs="+",
                        choices=["ts-cpu", "acks", "frames", "sessions", "memory", "restart"])
    parser.add_argument("--megabytes", type=int, default=1000, help="size of the file of ts-cpu")
    parser.add_argument("--work")
    parser.add_argument("--data")
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    temporary = args.work is None
    args.work = args.work or tempfile.mkdtemp(prefix="kinelog-bench-")
    os.makedirs(args.work, exist_ok=True)
    print(f"load average {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
    try:
        for name in args.measurements:
            {"ts-cpu": ts_cpu, "acks": acks, "frames": frames, "sessions": sessions,
             "memory": memory, "restart": restart}[name](args)
    finally:
        if temporary and not args.keep:
            shutil.rmtree(args.work, ignore_errors=True)


if __name__ == "__main__":
    main()
