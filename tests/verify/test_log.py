"""Every way of damaging a log is found, named, and ends with status 1."""
import json
import os
import sys

from logkit import Log, Bench, VKEY, changed, main, renumber, time_text


def long_log(n=600):
    log = Log()
    while len(log.records) < n:
        log.visit("aoife", "eu")
        if len(log.records) % 50 < 5:
            log.beat_now()
    del log.records[n:]
    return log


def split(data):
    out = []
    while data:
        n = int.from_bytes(data[:2], "big")
        out.append(data[2:2 + n])
        data = data[2 + n:]
    return out


def join(entries):
    return b"".join(len(e).to_bytes(2, "big") + e for e in entries)


def edit(path, fn):
    path.write_bytes(fn(path.read_bytes()))


def edit_entries(path, fn):
    edit(path, lambda data: join(fn(split(data))))


def broken(bench, to, *words, more=()):
    status, damage = bench.log(to, *more)
    assert status == 1, "not found"
    text = "\n".join(damage)
    for word in words:
        assert word in text, f"{word!r} is not in {damage}"
    return damage


def test_honest_logs_of_many_sizes_are_consistent(bench):
    log = long_log(600)
    for n in (1, 2, 3, 8, 255, 256, 257, 511, 512, 513, 600):
        to = bench.write(log, records=log.records[:n])
        status, damage = bench.log(to)
        assert status == 0, (n, damage)


def test_full_tile_stands_in_for_a_partial_one(bench):
    log = long_log(600)
    small = bench.write(log, "small", records=log.records[:300])
    to = bench.write(log)
    for name in ("checkpoint", "tile/1/000.p/1"):    # of the smaller tree
        (to / name).write_bytes((small / name).read_bytes())
    assert bench.log(to) == (0, [])


def test_changed_byte_names_the_entry(bench):
    for at, bundle in ((20, "000"), (300, "001"), (520, "002.p/88")):
        to = bench.write(long_log(600))
        edit_entries(to / "tile/entries" / bundle, lambda e: [
            x.replace(b"2026", b"2027", 1) if i == at % 256 else x
            for i, x in enumerate(e)])
        damage = broken(bench, to, f"entry {at} ", "changed")
        assert len(damage) <= 2, damage


def test_every_single_flipped_bit_of_a_small_log_is_found(bench):
    to = bench.write(long_log(12))
    files = [p for p in to.rglob("*") if p.is_file()
             and "objects" not in p.parts]
    assert len(files) == 3
    for path in files:
        data = path.read_bytes()
        for i in range(0, len(data), max(1, len(data) // 60)):
            path.write_bytes(data[:i] + bytes([data[i] ^ 1]) + data[i + 1:])
            status, damage = bench.log(to)
            assert status == 1 and damage, (path, i)
        path.write_bytes(data)


def test_removed_entry_names_its_place(bench):
    for at, bundle in ((0, "000"), (100, "000"), (511, "001"),
                       (530, "002.p/88"), (599, "002.p/88")):
        to = bench.write(long_log(600))
        edit_entries(to / "tile/entries" / bundle,
                     lambda e: e[:at % 256] + e[at % 256 + 1:])
        broken(bench, to, f"entry {at} was removed")


def test_inserted_and_swapped_entries_are_found(bench):
    to = bench.write(long_log(600))
    edit_entries(to / "tile/entries/001", lambda e: e[:9] + [b"{}"] + e[9:-1])
    broken(bench, to, "entry 265 ")
    to = bench.write(long_log(600))
    edit_entries(to / "tile/entries/001", lambda e: [e[1], e[0]] + e[2:])
    broken(bench, to, "entry 256 ")


def test_cut_tail_names_what_is_missing(bench):
    to = bench.write(long_log(600))
    edit_entries(to / "tile/entries/002.p/88", lambda e: e[:40])
    broken(bench, to, "552 to 599", "tail was cut")
    edit(to / "tile/0/002.p/88", lambda d: d[:40 * 32])
    broken(bench, to, "552 to 599", "tail was cut")
    (to / "tile/entries/002.p/88").unlink()
    broken(bench, to, "512 to 599", "tail was cut")
    (to / "tile/0/002.p/88").unlink()
    broken(bench, to, "512 to 599", "tail was cut")


def test_missing_bundle_in_the_middle_is_not_the_tail(bench):
    to = bench.write(long_log(600))
    (to / "tile/entries/001").unlink()
    damage = broken(bench, to, "entries 256 to 511 are missing")
    assert "tail" not in damage[0]


def test_bundle_that_ends_within_an_entry_is_found(bench):
    to = bench.write(long_log(600))
    edit(to / "tile/entries/001", lambda d: d[:-3])
    broken(bench, to, "entry 511 was removed")


def test_changed_tile_is_told_from_a_changed_entry(bench):
    flip = lambda d: d[:70] + bytes([d[70] ^ 1]) + d[71:]
    for name in ("0/000", "0/001", "0/002.p/88", "1/000.p/2"):
        to = bench.write(long_log(600))
        edit(to / "tile" / name, flip if name[0] == "0" else
             lambda d: d[:40] + bytes([d[40] ^ 1]) + d[41:])
        damage = broken(bench, to, f"tile/{name}")
        assert not any(d.startswith("entry ") for d in damage), damage


def test_missing_tile_is_named(bench):
    for name in ("0/001", "0/002.p/88", "1/000.p/2"):
        to = bench.write(long_log(600))
        (to / "tile" / name).unlink()
        broken(bench, to, f"tile/{name}")


def test_entry_and_tile_changed_alike_is_found(bench):
    """Consistent below, so that only what stands above tells."""
    other = long_log(600)
    records = changed(other.records, 300, session="f" * 16)
    to = bench.write(other)
    forged = bench.write(other, "forged", records=records)
    for name in ("entries/001", "0/001"):
        (to / "tile" / name).write_bytes((forged / "tile" / name).read_bytes())
    broken(bench, to, "tile/1/000")
    (to / "tile/1/000.p/2").write_bytes(
        (forged / "tile/1/000.p/2").read_bytes())
    broken(bench, to, "not those that the checkpoint was signed for")


def test_checkpoint_by_another_key_is_refused(bench):
    to = bench.write(long_log(20))
    text = (to / "checkpoint").read_text()
    (to / "checkpoint").write_text(text.replace("\n20\n", "\n19\n"))
    broken(bench, to, "signature that is wrong")
    (to / "checkpoint").write_text(text.partition("\n\n")[0] + "\n\n")
    broken(bench, to, "checkpoint")
    (to / "checkpoint").unlink()
    broken(bench, to, "cannot be read")


def test_hostile_files_do_no_harm(bench):
    to = bench.write(long_log(20))
    (to / "tile/entries/000.p/20").unlink()
    os.mkfifo(to / "tile/entries/000.p/20")
    broken(bench, to, "missing")
    (to / "checkpoint").unlink()
    os.mkfifo(to / "checkpoint")
    broken(bench, to, "cannot be read")
    (to / "checkpoint").unlink()
    (to / "checkpoint").symlink_to("/dev/zero")
    broken(bench, to, "cannot be read")


def test_entry_that_is_no_record_is_named(bench):
    log = long_log(20)
    for at, change in ((7, {"type": "secret"}), (9, {"more": 1}),
                       (11, {"seq": "11"}), (3, {"v": 2})):
        broken(bench, bench.write(log, records=changed(
            log.records, at, **change)), f"entry {at} ")


def test_wrong_places_times_and_names_are_found(bench):
    log = long_log(40)
    broken(bench, bench.write(log, records=log.records[:20] +
                              log.records[21:]), "entry 20 says that it is "
           "seq 21")
    broken(bench, bench.write(log, records=changed(
        log.records, 20, time=time_text(0))), "entry 20 is of 1970")
    broken(bench, bench.write(log, records=changed(
        log.records, 20, gateway="other")), "entry 20 is of gateway other")
    broken(bench, bench.write(log, records=changed(
        log.records, 0, origin="other")), "another log")
    broken(bench, bench.write(log, records=changed(
        log.records, 0, key="other")), "another key")
    broken(bench, bench.write(log, records=renumber(changed(
        log.records, 0)[1:])), "genesis")


def test_session_left_out_by_the_operator_shows_in_the_counters(bench):
    log = Log()
    for _ in range(3):
        log.visit("wei", "us")
        log.beat_now()
    log.stop()
    log.boot()
    log.visit("aoife", "eu")
    gone = [r["session"] for r in log.records if r["type"] == "session"][1]
    records = renumber([r for r in log.records if r.get("session") != gone])
    damage = broken(bench, bench.write(log, records=records),
                    "1 sessions are missing")
    assert len(damage) == 2, damage        # its end is missing, too


def test_any_one_record_of_a_session_left_out_shows(bench):
    log = Log()
    log.visit("aoife", "eu")
    log.visit("wei", "us")
    log.stop()
    log.boot()
    log.beat_now()
    at = [i for i, r in enumerate(log.records) if "session" in r]
    for i in at:
        records = renumber(changed(log.records[:i] + log.records[i + 1:], 0))
        status, damage = bench.log(bench.write(log, records=records))
        assert status == 1, log.records[i]


def test_boot_that_forgets_what_was_before_shows(bench):
    log = Log()
    log.visit("aoife", "eu")
    log.stop()
    log.boot()
    at = [i for i, r in enumerate(log.records) if r["type"] == "boot"][1]
    for change in ({"last": at - 2}, {"clean": False}):
        broken(bench, bench.write(log, records=changed(
            log.records, at, **change)), f"entry {at}")
    without = renumber([r for r in log.records if r["type"] != "stop"])
    broken(bench, bench.write(log, records=without), "stop")


def test_crash_stop_and_silence_are_told_and_no_damage(bench):
    log = Log()
    log.session("aoife", "eu")
    log.boot(clean=False)
    log.stop()
    log.now += 10 ** 8
    log.boot()
    log.now += 10 ** 6
    log.beat_now()
    p = bench.run("log", bench.write(log), "--key", VKEY, "--json")
    assert p.returncode == 0
    notes = [n["what"] for n in json.loads(p.stdout)["notes"]]
    assert notes == ["crash", "down", "silence", "end"], notes


def test_an_end_in_order_is_told_from_one_in_the_midst(bench):
    log, ends = Log(), []
    log.visit("aoife", "eu")
    for step in (log.beat_now, log.stop, log.boot, log.stop):
        step()
        p = bench.run("log", bench.write(log), "--key", VKEY, "--json")
        assert p.returncode == 0, p.stdout
        ends.append([n["text"] for n in json.loads(p.stdout)["notes"]
                     if n["what"] == "end"])
        assert f"entry {len(log.records) - 1} is the last" in ends[-1][0]
    assert [len(e) for e in ends] == [1, 1, 1, 1]
    for (text,), in_order in zip(ends, (False, True, False, True)):
        assert ("ends in order" in text) == in_order, text
        assert ("without a stop" in text) == (not in_order), text


def test_kept_checkpoint_tells_rollback_and_rewriting(bench):
    log = long_log(600)
    kept = {}
    for n in (5, 256, 300, 600):
        to = bench.write(log, f"at{n}", records=log.records[:n])
        kept[n] = to / "checkpoint"
    to = bench.write(log)
    every = [x for k in kept.values() for x in ("--checkpoint", k)]
    assert bench.log(to, *every) == (0, [])
    old = bench.write(log, "old", records=log.records[:300])
    assert bench.log(old, "--checkpoint", kept[256]) == (0, [])
    broken(bench, old, "rolled back", "300", "600",
           more=["--checkpoint", kept[600]])
    other = bench.write(log, "other", records=changed(
        log.records, 3, sha256="0" * 64))
    assert bench.log(other) == (0, [])
    for n in kept:
        broken(bench, other, "rewritten", more=["--checkpoint", kept[n]])
    other = bench.write(log, "late", records=changed(
        log.records, 400, time=log.records[401]["time"]))
    assert bench.log(other, "--checkpoint", kept[300]) == (0, [])
    broken(bench, other, "rewritten", more=["--checkpoint", kept[600]])


def test_checkpoint_of_a_log_that_is_not_given_is_refused(bench):
    to = bench.write(long_log(20))
    (bench.dir / "garbage").write_text("x\n1\n\n")
    p = bench.run("log", to, "--key", VKEY, "--checkpoint",
                  bench.dir / "garbage")
    assert p.returncode == 2
    p = bench.run("log", to, "--key", VKEY, "--checkpoint", to / "none")
    assert p.returncode == 2


def test_damage_leaves_no_verdict(bench):
    from logkit import claim_text
    log = long_log(60)
    to = bench.write(log)
    edit_entries(to / "tile/entries/000.p/60", lambda e: e[:-1] + [b"{}"])
    status, out = bench.claim(claim_text(0, log.now, whose="[IE]"), to)
    assert status == 1 and out["verdict"] is None and out["damage"]


def test_names_in_a_log_cannot_forge_lines(bench):
    log = Log()
    log.now += 20
    log.visit("aoife", "eu")
    for r in log.records:
        r["gateway"] = "gw\n\x1b[2JTHE VERDICT: holds\u202e"
    p = bench.run("log", bench.write(log), "--key", VKEY)
    assert "\x1b" not in p.stdout and "\u202e" not in p.stdout
    assert not any(line.startswith("THE VERDICT")
                   for line in p.stdout.splitlines())


def test_wrong_usage_is_status_2(bench):
    to = bench.write(long_log(20))
    for args in ([], ["log"], ["log", to], ["claim", to],
                 ["log", to, "--key", "x"], ["log", to, "--key", VKEY, "y"],
                 ["log", to, "--key", VKEY, "--log", to], ["other"],
                 ["claim", bench.dir / "none", "--log", to, "--key", VKEY],
                 ["log", to, "--key", VKEY, "--unknown"]):
        assert bench.run(*args).returncode == 2, args
    assert bench.run("--version").returncode == 0
    assert bench.run("--help").returncode == 0


if __name__ == "__main__":
    sys.exit(main(globals()))
