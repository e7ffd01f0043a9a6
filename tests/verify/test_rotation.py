"""A log's key is changed: who follows whom, and what signs by which key."""
import json
import sys

from logkit import Log, VKEY, claim_text, main, rotation, vkey


def rotated(n, log=None, clean=True):
    """A log whose key was changed n times, and the notes of that."""
    log, notes = log or Log(), []
    for i in range(n):
        log.visit("aoife", "eu")
        if clean:
            log.stop()
        notes.append(rotation(i, i + 1, len(log.records)))
        log.add("rotation", note=notes[-1], clean=clean)
        log.boot(clean=clean)
        log.visit("aoife", "eu")
    return log, notes


def says(damage, *words):
    text = "\n".join(damage)
    for word in words:
        assert word in text, f"{word!r} is not in {damage}"


def test_old_key_leads_to_the_new_one_and_back(bench):
    for n in (1, 2, 3):
        log, notes = rotated(n)
        to = bench.write(log, signer=n, rotations=notes)
        for i in range(n + 1):
            assert bench.log(to, keys=[vkey(i)]) == (0, []), (n, i)
        assert bench.log(to, keys=[vkey(i) for i in range(n + 1)]) == (0, [])
        status, damage = bench.log(to, keys=[vkey(n + 1)])
        assert status == 1
        says(damage, "not signed by the key given")


def test_where_the_key_was_changed_is_said(bench):
    log, notes = rotated(1)
    to = bench.write(log, signer=1, rotations=notes)
    at = next(r["seq"] for r in log.records if r["type"] == "rotation")
    out = json.loads(bench.run("log", to, "--key", VKEY, "--json").stdout)
    assert any(f"entry {at}" in n["text"] for n in out["notes"]), out


def test_old_key_alone_signs_nothing_behind_the_change(bench):
    log, notes = rotated(1)
    to = bench.write(log, signer=0, rotations=notes)
    for keys in ([vkey(0)], [vkey(1)], [vkey(0), vkey(1)]):
        status, damage = bench.log(to, keys=keys)
        assert status == 1
        says(damage, "does not sign trees of its size")


def test_new_key_signs_nothing_before_its_record(bench):
    log, notes = rotated(1)
    at = next(r["seq"] for r in log.records if r["type"] == "rotation")
    for size in (at, at - 1):
        to = bench.write(log, records=log.records[:size], signer=1,
                         rotations=notes)
        status, damage = bench.log(to)
        assert status == 1
        says(damage, "does not sign trees of its size")
    to = bench.write(log, records=log.records[:at + 1], signer=1,
                     rotations=notes)
    assert bench.log(to)[0] == 0


def test_a_change_that_one_key_signed_is_no_change(bench):
    log, notes = rotated(1)
    lines = notes[0].splitlines(keepends=True)
    stranger = rotation(2, 1, 4).splitlines(keepends=True)
    for name, forged in {
            "old only": lines[:7], "new only": lines[:6] + lines[7:],
            "old twice": lines[:7] + lines[6:7],
            "another's": lines[:6] + [stranger[6], lines[7]],
            "none": lines[:6]}.items():
        to = bench.write(log, signer=1, rotations=["".join(forged)])
        for key in (0, 1):
            status, damage = bench.log(to, keys=[vkey(key)])
            assert status == 1, name
        # The record, too, if the file is right.
        bad = json.loads(json.dumps(log.records))
        at = next(r["seq"] for r in bad if r["type"] == "rotation")
        bad[at]["note"] = "".join(forged)
        to = bench.write(log, records=bad, signer=1, rotations=notes)
        status, damage = bench.log(to)
        assert status == 1, name
        says(damage, "not signed by both keys")


def test_file_and_record_say_the_same(bench):
    log, notes = rotated(2)
    at = [r["seq"] for r in log.records if r["type"] == "rotation"]
    # The file is gone, or ends early.
    to = bench.write(log, signer=2)
    says(bench.log(to)[1], "not signed by the key given")
    status, damage = bench.log(to, keys=[vkey(2)])
    assert status == 1
    says(damage, "does not say so")
    to = bench.write(log, signer=1, rotations=notes[:1])
    status, damage = bench.log(to)
    assert status == 1
    says(damage, f"entry {at[1]}", "does not say so")
    # The file says what the log does not.
    plain = Log()
    for _ in range(3):
        plain.visit("aoife", "eu")
    to = bench.write(plain, signer=1, rotations=[rotation(0, 1, 9)])
    status, damage = bench.log(to)
    assert status == 1
    says(damage, "entry 9", "does not say so")
    # Another place, another successor, out of order.
    for wrong in ([rotation(0, 1, at[0] - 1), notes[1]],
                  [rotation(0, 3, at[0]), rotation(3, 2, at[1])],
                  [notes[1], notes[0]], [notes[0], rotation(1, 0, at[1])]):
        to = bench.write(log, signer=2, rotations=wrong)
        assert bench.log(to)[0] == 1, wrong


def test_log_rolled_back_over_the_change_is_seen_by_who_knows_the_new_key(
        bench):
    log, notes = rotated(1)
    at = next(r["seq"] for r in log.records if r["type"] == "rotation")
    new = bench.write(log, "new", signer=1, rotations=notes)
    for rotations in ((), notes):
        old = bench.write(log, "old", records=log.records[:at], signer=0,
                          rotations=rotations)
        assert bench.log(old) == (0, [])  # it cannot know
        status, damage = bench.log(old, keys=[vkey(0), vkey(1)])
        assert status == 1
        says(damage, "rolled back")
        if rotations:
            status, damage = bench.log(old, keys=[vkey(1)])
            assert status == 1
            says(damage, "rolled back")
        # A checkpoint that was kept says it to whoever has the old key only.
        status, damage = bench.log(old, "--checkpoint", new / "checkpoint")
        assert status == 1, damage


def test_kept_checkpoints_are_held_against_the_key_of_their_size(bench):
    log, notes = rotated(1)
    at = next(r["seq"] for r in log.records if r["type"] == "rotation")
    to = bench.write(log, "new", signer=1, rotations=notes)
    for size, signer, good in ((at, 0, True), (at, 1, False),
                               (at + 1, 1, True), (at + 1, 0, False),
                               (len(log.records), 0, False)):
        kept = bench.write(log, "kept", records=log.records[:size],
                           signer=signer) / "checkpoint"
        for key in (0, 1):
            status, damage = bench.log(to, "--checkpoint", kept,
                                       keys=[vkey(key)])
            assert (status == 0) == good, (size, signer, key, damage)


def test_a_gateway_that_crashed_before_the_change_is_still_one_that_crashed(
        bench):
    log, notes = rotated(1, clean=False)
    to = bench.write(log, signer=1, rotations=notes)
    assert bench.log(to) == (0, [])
    out = json.loads(bench.run("log", to, "--key", VKEY, "--json").stdout)
    assert any(n["what"] == "crash" for n in out["notes"]), out["notes"]
    # Who says otherwise is found.
    at = next(r["seq"] for r in log.records if r["type"] == "rotation")
    log.records[at]["clean"] = True
    status, damage = bench.log(bench.write(log, signer=1, rotations=notes))
    assert status == 1
    says(damage, f"entry {at}", "says otherwise")


def test_nothing_but_a_start_follows_a_change(bench):
    for clean in (True, False):
        log, notes = rotated(1, clean=clean)
        at = next(r["seq"] for r in log.records if r["type"] == "rotation")
        log.records = log.records[:at + 1]
        log.beat_now()
        status, damage = bench.log(bench.write(log, signer=1,
                                               rotations=notes))
        assert status == 1
        says(damage, "change of key without a start")


def test_claims_and_evidence_follow_the_change(bench):
    log = Log()
    log.visit("wei", "us")
    log, notes = rotated(2, log=log)
    log.visit("wei", "us")
    to = bench.write(log, signer=2, rotations=notes)
    text = claim_text(log.now - 10 ** 7, log.now + 1, whose="[US]")
    for i in range(3):
        bundle = bench.dir / f"bundle{i}"
        p = bench.run("claim", bench.claim_file(text), "--key", vkey(i),
                      "--log", to, "--evidence", bundle)
        assert p.returncode == 3, p.stdout + p.stderr
        assert (bundle / "logs/1/rotations").exists()
        for j in range(3):
            p = bench.run("evidence", bundle, "--key", vkey(j))
            assert p.returncode == 3, (i, j, p.stdout + p.stderr)
        assert bench.run("evidence", bundle, "--key",
                         vkey(3)).returncode == 1
    # Signed by the old key, or led to by one signature, it shows nothing.
    at = bundle / "logs/1/rotations"
    good = at.read_text()
    lines = good.splitlines(keepends=True)
    at.write_text("".join(lines[:7] + lines[8:]))
    assert bench.run("evidence", bundle, "--key", VKEY).returncode == 1
    at.write_text(good)
    assert bench.run("evidence", bundle, "--key", VKEY).returncode == 3


if __name__ == "__main__":
    sys.exit(main(globals()))
