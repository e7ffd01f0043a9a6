#!/usr/bin/python3
"""Builds everything, runs every test, counts each of them.

    tests/run.py [-l] [PART...]     PART: part of a part's name; all without

The last line is `N passed, N failed, N skipped`; the exit status is 0 only
if nothing failed. Reports are kept in build-test/.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUT = ROOT / "build-test"
PYTHON = "/usr/bin/python3"
SANITIZERS = {"ASAN_OPTIONS": "detect_stack_use_after_return=1",
              "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1"}
# The check for leaks needs a further process, and sworn and sworn-verify
# forbid themselves any (root is not bound by that).
NO_LEAKS = {**SANITIZERS, "ASAN_OPTIONS":
            SANITIZERS["ASAN_OPTIONS"] + ":detect_leaks=0"}
MINUTES = 60

# Build folder: meson's options, and the environment to configure and build in.
BUILDS = {
    "gcc": (["--buildtype=release"], {"CC": "gcc"}),
    "asan": (["--buildtype=debug", "-Db_sanitize=address,undefined"],
             {"CC": "gcc"}),
    "clang": (["--buildtype=debugoptimized"], {"CC": "clang"}),
}


@dataclass
class Result:
    name: str
    status: str                 # "passed", "failed", "skipped"
    words: str = ""             # why


class Interrupted(Exception):
    pass


# Set by a signal: what runs is asked to end, and nothing new is begun.
STOP = threading.Event()


def command(argv, env=None, timeout=10 * MINUTES):
    """Runs a command in a session of its own; (status, what it printed).
    On a timeout or a signal it is asked to end, then made to."""
    if STOP.is_set():
        raise Interrupted()
    p = subprocess.Popen([str(a) for a in argv], cwd=ROOT, text=True,
                         errors="replace", stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         start_new_session=True, env={**os.environ,
                                                      **(env or {})})
    until = time.monotonic() + timeout
    while True:
        try:
            out = p.communicate(timeout=1)[0]
            return p.returncode, out
        except subprocess.TimeoutExpired:
            if time.monotonic() < until and not STOP.is_set():
                continue
        p.terminate()
        try:
            out = p.communicate(timeout=60)[0]
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGKILL)
            out = p.communicate()[0]
        if STOP.is_set():
            raise Interrupted()
        return 1, f"{out}\nended after {timeout} s"


def one(name, status, out):
    """A command as one test."""
    return Result(name, "passed" if status == 0 else "failed",
                  "" if status == 0 else out)


# -- builds and unit tests -------------------------------------------------

def build(name):
    folder = OUT / name
    options, env = BUILDS[name]
    if not (folder / "build.ninja").exists():
        shutil.rmtree(folder, ignore_errors=True)
        status, out = command(["meson", "setup", folder, "-Dwerror=true",
                               *options], env)
        if status != 0:
            return [Result(f"{name}: configure", "failed", out)]
    status, out = command(["ninja", "-C", folder], env, 15 * MINUTES)
    return [one(f"{name}: builds without a warning", status, out)]


def unit(name, env=None, which=()):
    """meson's tests; each TAP subtest counts."""
    folder = OUT / name
    status, out = command(
        ["meson", "test", "-C", folder, "--no-rebuild", "--num-processes",
         "2", "--timeout-multiplier", "4", *which], env)
    results = []
    logs = folder / "meson-logs"
    try:
        whole = [json.loads(line) for line in
                 (logs / "testlog.json").read_text().splitlines()]
        suites = ET.parse(logs / "testlog.junit.xml").getroot()
    except (OSError, ValueError, ET.ParseError) as e:
        return [Result(f"{name}: unit tests", "failed", f"{out}\n{e}")]
    failed = {}
    for case in suites.iter("testcase"):
        # "sworn.sworn:base / base" here is "sworn:base / base" below.
        program = case.get("classname", "").removeprefix("sworn.")
        results.append(from_junit(
            f"{name}: {program.removeprefix('sworn:')} {case.get('name')}",
            case))
        if results[-1].status == "failed":
            failed.setdefault(program, results[-1])
    for test in whole:
        if test["result"] in ("OK", "SKIP", "EXPECTEDFAIL"):
            continue
        said = test.get("stdout", "") + test.get("stderr", "")
        if test["name"] in failed:
            failed[test["name"]].words += said
        else:           # it crashed with no failed subtest to show for it
            results.append(Result(f"{name}: {test['name']} as a whole "
                                  f"({test['result']})", "failed", said))
    if status != 0 and not any(r.status == "failed" for r in results):
        results.append(Result(f"{name}: meson test", "failed", out))
    return results


def from_junit(name, case):
    for kind, status in (("failure", "failed"), ("error", "failed"),
                         ("skipped", "skipped")):
        found = case.find(kind)
        if found is not None:
            words = [found.get("message") or "", found.text or ""]
            return Result(name, status, "\n".join(w for w in words if w))
    return Result(name, "passed")


# -- tests on real servers -------------------------------------------------

def end(name, build_name, targets, env=None, timeout=15 * MINUTES):
    """pytest in a scratch folder, as a user that may run PostgreSQL."""
    if not (OUT / build_name / "src/cli/sworn").exists():
        return [Result(f"{name}: tests", "failed",
                       f"{build_name} has not been built")]
    out_dir = OUT / name
    shutil.rmtree(out_dir, ignore_errors=True)
    status, out = command(
        ["scripts/unprivileged.sh", "-o", out_dir, "-b", OUT / build_name,
         "sh", "-c", 'exec "$@" --junitxml="$SWORN_SCRATCH/out/junit.xml"',
         "sh", PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider",
         "--tb=short", *targets], env, timeout)
    try:
        cases = ET.parse(out_dir / "junit.xml").getroot().iter("testcase")
    except (OSError, ET.ParseError):
        return [Result(f"{name}: tests", "failed", out)]
    results = [from_junit(f"{name}: {c.get('classname')}/{c.get('name')}", c)
               for c in cases]
    if status != 0 and not any(r.status == "failed" for r in results):
        results.append(Result(f"{name}: pytest", "failed", out))
    return results


def existing(*paths):
    return [p for p in paths if list(ROOT.glob(p + "/test_*.py"))
            or (ROOT / p).is_file()]


# -- parts -----------------------------------------------------------------

def part_gcc():
    """gcc, release flags, -Werror; unit tests"""
    first = build("gcc")
    return first + (unit("gcc") if first[0].status == "passed" else [])


def part_asan():
    """gcc, ASan and UBSan; unit tests"""
    first = build("asan")
    if first[0].status != "passed":
        return first
    return (first + unit("asan", SANITIZERS, ["--no-suite", "verify"])
            + unit("asan", NO_LEAKS, ["--suite", "verify"]))


def part_clang():
    """clang, -Werror; unit tests"""
    first = build("clang")
    return first + (unit("clang") if first[0].status == "passed" else [])


def part_end():
    """real clients and servers, the release build"""
    return end("end", "gcc", existing("tests/end", "tests/interop"))


def part_enforce():
    """clearances on a real server, the release build"""
    return end("enforce", "gcc", existing("tests/enforce",
               "tests/lineage/test_rewrite.py",
               "tests/lineage/test_corpus.py"))


def part_end_asan():
    """protocol and faults again, with the sanitizers' build"""
    return end("end-asan", "asan", existing(
        "tests/end/test_protocol.py", "tests/end/test_faults.py"), NO_LEAKS)


def part_browser():
    """the verdict's page in Chromium, looked at by axe-core"""
    return end("browser", "gcc", existing("tests/browser"))


def part_demo():
    """make demo"""
    status, out = command(["make", "demo", "BUILD=build-test/gcc"])
    OUT.mkdir(exist_ok=True)
    (OUT / "demo.txt").write_text(out)
    return [one("demo: every verdict is the expected one", status, out)]


PARTS = {"gcc": part_gcc, "asan": part_asan, "clang": part_clang,
         "end": part_end, "enforce": part_enforce,
         "end-asan": part_end_asan, "browser": part_browser,
         "demo": part_demo}
# Mostly waiting for servers, so these run after the builds, side by side:
# the longest alone, the others after one another.
LANES = [["end"], ["enforce", "end-asan", "browser", "demo"]]


def choose(wanted):
    """The parts asked for, and the builds that those need."""
    chosen = [p for p in PARTS if not wanted or
              any(p == w for w in wanted) or
              (not any(w in PARTS for w in wanted) and
               any(w in p for w in wanted))]
    needs = {"end": "gcc", "enforce": "gcc", "end-asan": "asan",
             "browser": "gcc", "demo": "gcc"}
    needed = {needs[p] for p in chosen if p in needs} - set(chosen)
    return chosen, needed


def show(result):
    if result.status == "failed":
        print(f"FAILED {result.name}")
        for line in result.words.rstrip().splitlines()[-200:]:
            print(f"    {line}")
    elif result.status == "skipped":
        print(f"skipped {result.name}: {result.words.splitlines()[0]}"
              if result.words else f"skipped {result.name}: no reason given")


def main():
    if "-l" in sys.argv[1:]:
        for name, part in PARTS.items():
            print(f"{name:<10} {part.__doc__}")
        return 0
    chosen, needed = choose(sys.argv[1:])
    if not chosen:
        print(f"no part matches {' '.join(sys.argv[1:])}; tests/run.py -l")
        return 2

    for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(s, lambda number, frame: STOP.set())

    results = []
    for name in sorted(needed):
        results += run_part(f"{name} (build only)", lambda: build(name))
    for name in chosen:
        if not any(name in lane for lane in LANES):
            results += run_part(name, PARTS[name])
    results += run_lanes([[p for p in lane if p in chosen]
                          for lane in LANES])
    if STOP.is_set():
        results.append(Result("the run", "failed", "interrupted"))
        print("interrupted")
    counts = {s: sum(r.status == s for r in results)
              for s in ("passed", "failed", "skipped")}
    print(", ".join(f"{n} {s}" for s, n in counts.items()))
    return 1 if counts["failed"] or not counts["passed"] else 0


def run_part(name, part):
    """One part; what it printed is shown in one piece when it has ended."""
    if STOP.is_set():
        return []
    begun = time.monotonic()
    print(f"== {name}", flush=True)
    try:
        results = part()
    except Interrupted:
        return []
    except Exception as e:      # a fault of this script, not of a test
        results = [Result(f"{name}: the part", "failed", repr(e))]
    with PRINTING:
        for r in results:
            show(r)
        print(f"   {name}: {sum(r.status == 'passed' for r in results)} of "
              f"{len(results)} passed, {time.monotonic() - begun:.0f} s",
              flush=True)
    return results


PRINTING = threading.Lock()


def run_lanes(lanes):
    results = []        # list.extend is atomic

    def run(lane):
        for name in lane:
            results.extend(run_part(name, PARTS[name]))
    threads = [threading.Thread(target=run, args=[lane]) for lane in lanes]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return results


if __name__ == "__main__":
    sys.exit(main())
