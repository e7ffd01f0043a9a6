"""Whatever is done to the files of a log or a bundle that refutes a claim, it
never comes out as holding. SWORN_CORRUPTIONS: how many ways are tried."""
import os
import random
import shutil
import sys

from logkit import VKEY, Log, all_of, claim_text, main, renumber

HOLDS, BROKEN, USAGE, REFUTED, NOT_SHOWN = range(5)
WAYS = int(os.environ.get("SWORN_CORRUPTIONS", 120))
SEED = int(os.environ.get("SWORN_SEED", 1124))


def world(bench):
    """A log in which wei reads what the claim denies, and its bundle."""
    log = Log()
    begin = log.now
    log.visit("aoife", "us")
    at = log.visit("wei", "us")
    s = log.session("feed", "mixed")
    log.backend(s)
    log.close(s, 3, 30)
    log.read(log.session("ethan", "us"), all_of(["US"]), basis="exact",
             subjects=[{"label": "US", "tags": ["t1", "t2"]}])
    end = log.now + 5
    log.wait(2000)
    claim = claim_text(begin, end)
    to = bench.write(log)
    bundle = bench.dir / "bundle"
    p = bench.run("claim", bench.claim_file(claim), "--log", to, "--key",
                  VKEY, "--evidence", bundle)
    assert p.returncode == REFUTED and bundle.exists(), p.stderr
    return log, claim, to, bundle, log.records[at]["session"]


def damaged(rng, data, others):
    """Bytes that are not these."""
    at = rng.randrange(len(data) + 1)
    n = rng.choice([1, 1, 2, 8, 60])
    ways = [data[:at] + data[at + n:], data[:at], data[at:], data + data[:n],
            data[:at] + rng.randbytes(n) + data[at + n:],
            data[:at] + data[at:at + n] + data[at:],
            data[:at] + rng.choice(others)[:n] + data[at + n:],
            rng.choice(others), b""]
    if at < len(data):
        ways += [data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) +
                 data[at + 1:]] * 6
    return rng.choice(ways)


def spoil(rng, folder):
    """Something else in one to three of its files; a way to undo it."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    before = {}
    while not before:
        for path in rng.sample(files, rng.randint(1, 3)):
            data = path.read_bytes()
            if rng.random() < 0.08:
                before[path] = data
                path.unlink()
                continue
            new = damaged(rng, data, [p.read_bytes() for p in files
                                      if p.exists() and p.stat().st_size])
            if new != data:
                before[path] = data
                path.write_bytes(new)
    return before


def test_no_corrupted_log_or_bundle_comes_out_as_holding(bench):
    rng = random.Random(SEED)
    log, claim, to, bundle, _ = world(bench)
    path = bench.claim_file(claim)
    seen = {}
    for i in range(WAYS):
        folder = rng.choice([to, bundle])
        before = spoil(rng, folder)
        args = ["claim", path, "--log", to] if folder == to else \
            ["evidence", bundle]
        p = bench.run(*args, "--key", VKEY)
        about = (i, SEED, [str(f) for f in before], p.stdout, p.stderr)
        assert p.returncode != HOLDS, about
        assert p.returncode != USAGE or not p.stdout, about
        if folder == bundle:            # all of it is under its manifest
            assert p.returncode == BROKEN, about
        seen[p.returncode] = seen.get(p.returncode, 0) + 1
        for f, data in before.items():
            f.write_bytes(data)
    assert seen.get(BROKEN, 0) > WAYS // 2, seen
    assert bench.run("claim", path, "--log", to, "--key",
                     VKEY).returncode == REFUTED
    assert bench.run("evidence", bundle, "--key", VKEY).returncode == REFUTED


def test_no_log_that_was_signed_again_with_less_holds(bench):
    """Records of the sessions that refute, and of others, are left out; the
    counts in heartbeats stay."""
    rng = random.Random(SEED + 1)
    log, claim, *_ = world(bench)
    refuting = {r["session"] for r in log.records if r["type"] == "session"
                and r["principal"] in ("wei", "ethan")}
    path = bench.claim_file(claim)
    for i in range(WAYS // 4):
        share = rng.choice([0.1, 0.5, 0.9, 1])
        gone = {r["seq"] for r in log.records if "session" in r and
                (r["session"] in refuting and rng.random() < share or
                 rng.random() < 0.05)}
        records = renumber([dict(r) for r in log.records
                            if r["seq"] not in gone])
        to = bench.write(log, "less", records=records)
        p = bench.run("claim", path, "--log", to, "--key", VKEY)
        assert p.returncode in (REFUTED, NOT_SHOWN), (i, SEED, gone)
        shutil.rmtree(to)


if __name__ == "__main__":
    sys.exit(main(globals()))
