#!/usr/bin/env python3
"""Builds a directory as a power cut may leave it, from a trace that libcrashkit recorded.

See README.md. As a module: `Trace(path, initial)`, `Cut(trace, seed, ...).write(directory)`.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from crashcut import DIRS, MODES, Cut  # noqa: E402
from crashtrace import CALLS, OPERATIONS, SYNC_END, Trace, TraceError  # noqa: E402

__all__ = ["Cut", "Trace", "TraceError", "crash_point", "differences"]


def crash_point(trace, text):
    """`end`, a record index, or `mark:TEXT`: right after the first mark that contains TEXT."""
    if text is None:
        return None
    if text == "end":
        return trace.count
    if text.startswith("mark:"):
        wanted = text[5:].encode()
        for index, _, data in trace.marks:
            if wanted in data:
                return index + 1
        raise TraceError(f"no mark contains {text[5:]!r}")
    return int(text)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trace", required=True, metavar="FILE")
    parser.add_argument("--initial", metavar="DIR", help="a copy of the root as recording began")
    parser.add_argument("--out", metavar="DIR", help="with --seeds: one directory per seed in it")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--seed", type=int, help="one cut; DIR becomes the root as it was left")
    what.add_argument("--seeds", metavar="A-B", help="many cuts: DIR/SEED, DIR/SEED.marks, DIR/SEED.json")
    what.add_argument("--serve", action="store_true",
                      help="one cut per line of standard input: a seed, or a JSON object of options")
    what.add_argument("--same-as", metavar="ROOT",
                      help="compare everything recorded with the real directory and stop")
    what.add_argument("--list", action="store_true", help="print the trace and stop")
    what.add_argument("--summary", action="store_true", help="print counts and stop")
    parser.add_argument("--mode", choices=MODES, default="random")
    parser.add_argument("--dirs", choices=DIRS, default="ordered",
                        help="unsynced names and truncations survive in order, or in any subset")
    parser.add_argument("--torn", action="store_true", help="tear some blocks at 512 bytes")
    parser.add_argument("--at", metavar="POINT", help="end, a record index, or mark:TEXT")
    parser.add_argument("--from", dest="start", metavar="POINT", default="0",
                        help="no cut before this point")
    parser.add_argument("--check", metavar="COMMAND",
                        help="run by sh for each cut with CRASHKIT_DIR and the paths "
                             "CRASHKIT_MARKS_FILE and CRASHKIT_REPORT; what passes is removed")
    parser.add_argument("--allow-warnings", action="store_true",
                        help="go on although the trace has gaps")
    arguments = parser.parse_args()
    if not (arguments.list or arguments.summary or arguments.same_as) and not arguments.out:
        parser.error("--out is missing")
    return arguments


def one(trace, arguments, out, seed, **options):
    """Builds one cut in `out`, its marks beside it, and returns its report."""
    point = crash_point(trace, options.get("at", arguments.at))
    cut = Cut(trace, seed=seed, mode=options.get("mode", arguments.mode),
              dirs=options.get("dirs", arguments.dirs), torn=options.get("torn", arguments.torn),
              at=point, start=crash_point(trace, arguments.start))
    report = cut.write(out)
    report["out"] = out
    report["marksFile"], report["reportFile"] = out + ".marks", out + ".json"
    with open(report["marksFile"], "wb") as file:
        file.write(cut.acknowledged())
    with open(report["reportFile"], "w") as file:
        json.dump(report, file)
    return report


def differences(trace, root):
    """Paths at which the whole trace and the real directory differ; none if nothing went unseen."""
    with tempfile.TemporaryDirectory(prefix="crashkit-same-") as scratch:
        replayed = os.path.join(scratch, "root")
        Cut(trace, mode="none-lost", at=trace.count).write(replayed)
        expected, found = contents(replayed), contents(root)
    return sorted(p for p in expected.keys() | found.keys() if expected.get(p) != found.get(p))


def contents(root):
    """{relative path: digest of a file, or what else stands there}, without what is not modelled."""
    found = {}
    for directory, directories, files in os.walk(root):
        for name in directories + files:
            path = os.path.join(directory, name)
            if name.endswith("-shm"):
                continue
            if os.path.islink(path):
                what = "link to " + os.readlink(path)
            elif os.path.isdir(path):
                what = "directory"
            elif os.path.isfile(path):
                with open(path, "rb") as file:
                    what = hashlib.blake2b(file.read()).digest()
            else:
                continue
            found[os.path.relpath(path, root)] = what
    return found


def check(command, report):
    environment = dict(os.environ, CRASHKIT_DIR=report["out"],
                       CRASHKIT_MARKS_FILE=report["marksFile"],
                       CRASHKIT_REPORT=report["reportFile"])
    result = subprocess.run(["sh", "-c", command], env=environment, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT)
    report["check"] = result.returncode
    if result.returncode:
        report["checkOutput"] = result.stdout.decode(errors="backslashreplace")
        return False
    shutil.rmtree(report["out"])
    os.unlink(report["marksFile"])
    os.unlink(report["reportFile"])
    return True


def summary(trace):
    counts = {}
    for record in trace.records:
        name = OPERATIONS[record[0]]
        if record[0] == SYNC_END:
            name = CALLS[record[1]] + (" failed" if record[5] else "")
        counts[name] = counts.get(name, 0) + 1
    return {"root": trace.root, "records": trace.count, "bytes": trace.length, "counts": counts,
            "marks": len(trace.marks), "warnings": trace.warnings, "faults": trace.faults}


def say(report):
    print(json.dumps(report), flush=True)


def main():
    arguments = parse_arguments()
    trace = Trace(arguments.trace, arguments.initial)
    if arguments.list:
        for index in range(trace.count):
            print(trace.describe(index))
        return 0
    if arguments.summary:
        say(summary(trace))
        return 0
    if trace.warnings and not arguments.allow_warnings:
        for warning in trace.warnings[:20]:
            print(f"replay: {warning}", file=sys.stderr)
        print(f"replay: {len(trace.warnings)} warnings: the trace proves nothing "
              "(--allow-warnings to go on)", file=sys.stderr)
        return 2
    if arguments.same_as:
        wrong = differences(trace, arguments.same_as)
        for path in wrong:
            print(f"replay: {path} is not as recorded", file=sys.stderr)
        return 2 if wrong else 0
    out = os.path.abspath(arguments.out)
    if arguments.serve:
        for line in sys.stdin:
            options = json.loads(line)
            options = options if isinstance(options, dict) else {"seed": options}
            seed = options.pop("seed", 0)
            say(one(trace, arguments, options.pop("out", out), seed, **options))
        return 0
    if arguments.seeds:
        first, _, last = arguments.seeds.partition("-")
        seeds = range(int(first), int(last or first) + 1)
        os.makedirs(out, exist_ok=True)
        outs = [os.path.join(out, str(seed)) for seed in seeds]
    else:
        seeds, outs = [arguments.seed or 0], [out]
    failures = 0
    for seed, directory in zip(seeds, outs):
        report = one(trace, arguments, directory, seed)
        if arguments.check and not check(arguments.check, report):
            failures += 1
        say(report)
    if failures:
        print(f"replay: {failures} of {len(seeds)} cuts failed the check; their directories are "
              f"kept in {out}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except TraceError as error:
        print(f"replay: {error}", file=sys.stderr)
        sys.exit(2)
