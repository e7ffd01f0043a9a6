"""Bundles of evidence: what the program writes is checked by the formulas of
RFC 6962 here, what is made here is checked by the program, and no part of a
log refutes what the whole log does not."""
import base64
import hashlib
import json
import random
import shutil
import sys

from logkit import (BEGIN, DIRECTORY, POLICY, VKEY, Log, all_of, changed,
                    claim_text, main, sha256)
from test_naive import random_claim, random_world, text_of

HOLDS, BROKEN, USAGE, REFUTED, NOT_SHOWN = 0, 1, 2, 3, 4
ROUNDS = 50


# -- RFC 6962, a second time -----------------------------------------------

def leaf(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def split_at(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def tree(leaves):
    if len(leaves) == 1:
        return leaves[0]
    k = split_at(len(leaves))
    return node(tree(leaves[:k]), tree(leaves[k:]))


def path(m, leaves):
    """Section 2.1.1, word for word."""
    if len(leaves) == 1:
        return []
    k = split_at(len(leaves))
    if m < k:
        return path(m, leaves[:k]) + [tree(leaves[k:])]
    return path(m - k, leaves[k:]) + [tree(leaves[:k])]


def root_by(m, n, entry, hashes):
    """The root that a path leads to, from the top down."""
    if n == 1:
        assert not hashes
        return leaf(entry)
    k = split_at(n)
    if m < k:
        return node(root_by(m, k, entry, hashes[:-1]), hashes[-1])
    return node(hashes[-1], root_by(m - k, n - k, entry, hashes[:-1]))


def read_proof(text):
    head, blank, checkpoint = text.partition("\n\n")
    first, index, *hashes = head.split("\n")
    assert first == "c2sp.org/tlog-proof@v1" and blank
    assert index.startswith("index ")
    return (int(index[6:]), [base64.b64decode(h, validate=True)
                             for h in hashes], checkpoint)


# -- bundles ---------------------------------------------------------------

def lines_of(records):
    """The bytes of each entry, as logkit writes them."""
    return [json.dumps(r, separators=(",", ":"), ensure_ascii=False).encode()
            for r in records]


def manifest(to):
    """The manifest anew, from the files that are there."""
    names = ["claim.yaml"]
    for log in sorted((to / "logs").iterdir(), key=lambda p: int(p.name)):
        names += [f"logs/{log.name}/checkpoint"]
        for seq in sorted(int(p.stem) for p in log.glob("*.json")):
            names += [f"logs/{log.name}/{seq}.json",
                      f"logs/{log.name}/{seq}.tlog-proof"]
    names += sorted(f"objects/{p.name}" for p in (to / "objects").iterdir())
    text = "# sworn evidence 1\n"
    for name in names:
        data = (to / name).read_bytes()
        text += f"{hashlib.sha256(data).hexdigest()}  {name}\n"
    (to / "MANIFEST").write_text(text)


def make_bundle(bench, name, log, log_dir, claim, seqs):
    """A bundle by hand, of any entries of a log."""
    to = bench.dir / name
    shutil.rmtree(to, ignore_errors=True)
    (to / "logs/1").mkdir(parents=True)
    (to / "objects").mkdir()
    checkpoint = (log_dir / "checkpoint").read_text()
    (to / "logs/1/checkpoint").write_text(checkpoint)
    (to / "claim.yaml").write_text(claim)
    entries = lines_of(log.records)
    leaves = [leaf(e) for e in entries]
    for i in sorted(seqs):
        (to / f"logs/1/{i}.json").write_bytes(entries[i])
        hashes = "".join(base64.b64encode(h).decode() + "\n"
                         for h in path(i, leaves))
        (to / f"logs/1/{i}.tlog-proof").write_text(
            f"c2sp.org/tlog-proof@v1\nindex {i}\n{hashes}\n{checkpoint}")
    for text in log.objects.values():
        (to / "objects" / sha256(text)).write_text(text)
    manifest(to)
    return to


def check(bench, to, *more):
    """Exit status and the JSON."""
    p = bench.run("evidence", to, "--key", VKEY, "--json", *more)
    assert p.returncode != 2, p.stderr
    out = json.loads(p.stdout)
    value = {"refuted": 3, "not shown": 4, None: 1}
    assert value[out["verdict"]] == p.returncode == out["exit"]
    return p.returncode, out


def write(bench, log_dir, claim, name="evidence"):
    """The verdict on the whole log, and the bundle if it was written."""
    to = bench.dir / name
    shutil.rmtree(to, ignore_errors=True)
    p = bench.run("claim", bench.claim_file(claim), "--log", log_dir,
                  "--key", VKEY, "--json", "--evidence", to)
    out = json.loads(p.stdout)
    assert p.returncode == out["exit"], p.stderr
    return p, out, to


def world(bench):
    """A log that refutes in three ways, and much that does not decide."""
    log = Log()
    begin = log.now
    log.visit("aoife", "eu")
    at = [log.visit("wei", "us")]
    log.beat_now()
    s = log.session("ethan", "us")
    log.clearance(s, "us", all_of(["US"]), purpose="moderation")
    at += [log.read(s, all_of(["US"]))]
    log.read(s, all_of(["US"]), rows=0)
    log.close(s)
    log.visit("aoife", "us")
    s = log.session("hqfeed", "us")
    at += [len(log.records) - 1]
    log.backend(s)
    log.close(s, 5, 50)
    end = log.now + 5
    log.wait(2000)
    return log, bench.write(log), claim_text(begin, end), at


def names(to):
    return sorted(str(p.relative_to(to)) for p in to.rglob("*")
                  if p.is_file())


# -- what is written -------------------------------------------------------

def test_every_proof_leads_to_the_root_that_was_signed(bench):
    for size in (0, 300, 700):
        log, _, claim, _ = world(bench)
        while len(log.records) < size:
            log.beat_now()
        log_dir = bench.write(log)
        p, _, to = write(bench, log_dir, claim)
        assert p.returncode == REFUTED
        entries = lines_of(log.records)
        checkpoint = (log_dir / "checkpoint").read_text()
        _, n, root = checkpoint.split("\n")[:3]
        proofs = list((to / "logs/1").glob("*.tlog-proof"))
        assert len(proofs) > 10
        for proof in proofs:
            index, hashes, note = read_proof(proof.read_text())
            entry = proof.with_suffix(".json").read_bytes()
            assert entry == entries[index] and note == checkpoint
            assert str(index) == proof.stem
            assert root_by(index, int(n), entry, hashes) == \
                base64.b64decode(root)
            assert hashes == path(index, [leaf(e) for e in entries])


def test_bundle_has_what_decides_and_nothing_else(bench):
    log, log_dir, claim, at = world(bench)
    p, out, to = write(bench, log_dir, claim)
    assert [e["seq"] for e in out["evidence"]] == at
    r = log.records
    us = [i for i, x in enumerate(r) if x.get("store") == "us"
          and x["type"] == "store"]
    objects = [i for i, x in enumerate(r) if x["type"] == "object"]
    wei, ethan, feed = ([i for i, x in enumerate(r) if x.get("session") ==
                         s["session"]] for s in r if s["type"] == "session"
                        and s["principal"] in ("wei", "ethan", "hqfeed"))
    want = set(us + objects + wei[:3] + ethan[:4] + feed)
    got = {int(p.stem) for p in (to / "logs/1").glob("*.json")}
    assert got == want, (got, want)
    assert (to / "claim.yaml").read_text() == claim
    assert {p.name for p in (to / "objects").iterdir()} == set(log.objects)


def test_bundle_alone_shows_the_same_disclosures(bench):
    log, log_dir, claim, at = world(bench)
    _, whole, to = write(bench, log_dir, claim)
    shutil.rmtree(log_dir)
    status, out = check(bench, to)
    assert status == REFUTED
    assert out["evidence"] == whole["evidence"]
    assert not out["doubts"], out["doubts"]
    text = bench.run("evidence", to, "--key", VKEY).stdout
    assert "refuted by this evidence. 3 disclosures" in text


def test_bundle_carries_a_directory_of_more_than_64_mib(bench):
    log, _, claim, at = world(bench)
    line = "# " + "-" * 1020 + "\n"
    large = DIRECTORY + line * ((65 << 20) // len(line))
    old, new = sha256(DIRECTORY), sha256(large)
    records = json.loads(json.dumps(log.records).replace(old, new))
    for r in records:
        if r.get("sha256") == new:
            r["len"] = len(large)
    del log.objects[old]
    log.objects[new] = large
    log_dir = bench.write(log, records=records)
    p, whole, to = write(bench, log_dir, claim)
    assert p.returncode == REFUTED, p.stderr
    assert "object" not in {d["what"] for d in whole["doubts"]}
    assert (to / "objects" / new).stat().st_size == len(large)
    status, out = check(bench, to)
    assert status == REFUTED and not out["doubts"], out["doubts"]


def test_two_logs_make_one_bundle(bench):
    one, two, idle = Log("gw"), Log("gw2"), Log("gw3")
    begin = one.now
    one.visit("wei", "us")
    two.visit("wei", "us")
    for log in (one, two, idle):
        log.wait(5000)
    claim = claim_text(begin, one.now - 3000, gateways="[gw, gw2, gw3]")
    to = bench.dir / "evidence"
    dirs = [bench.write(log, name) for log, name in
            ((one, "a"), (idle, "b"), (two, "c"))]
    p = bench.run("claim", bench.claim_file(claim), "--key", VKEY,
                  "--evidence", to, *(x for d in dirs for x in ("--log", d)))
    assert p.returncode == REFUTED, p.stderr
    assert {p.name for p in (to / "logs").iterdir()} == {"1", "2"}
    status, out = check(bench, to)
    assert status == REFUTED
    assert [e["gateway"] for e in out["evidence"]] == ["gw", "gw2"]


def test_no_bundle_of_what_is_not_refuted(bench):
    log = Log()
    begin = log.now
    log.visit("aoife", "us")
    end = log.now + 5
    log.wait(2000)
    log_dir = bench.write(log)
    for claim, status in ((claim_text(begin, end), HOLDS),
                          (claim_text(begin - 10 ** 6, end), NOT_SHOWN)):
        p, _, to = write(bench, log_dir, claim)
        assert p.returncode == status and not to.exists()
        assert "rests on the whole log" in p.stderr


def test_no_bundle_into_a_folder_that_is_there(bench):
    _, log_dir, claim, _ = world(bench)
    to = bench.dir / "there"
    to.mkdir()
    p = bench.run("claim", bench.claim_file(claim), "--log", log_dir,
                  "--key", VKEY, "--evidence", to)
    assert p.returncode == USAGE and "there" in p.stderr
    assert not list(to.iterdir())


def test_cited_object_that_is_not_beside_the_log_is_named(bench):
    log, _, claim, _ = world(bench)
    log_dir = bench.write(log)
    (log_dir / "objects" / sha256(POLICY)).unlink()
    to = bench.dir / "evidence"
    p = bench.run("claim", bench.claim_file(claim), "--log", log_dir,
                  "--key", VKEY, "--evidence", to)
    assert p.returncode == USAGE and sha256(POLICY) in p.stderr
    assert not (to / "MANIFEST").exists()


# -- what is found ---------------------------------------------------------

def test_every_file_changed_cut_or_missing_is_found(bench):
    _, log_dir, claim, _ = world(bench)
    _, _, to = write(bench, log_dir, claim)
    for name in names(to):
        data = (to / name).read_bytes()
        i = len(data) * len(name) // 50 % len(data)
        for bad in (data[:i] + bytes([data[i] ^ 1]) + data[i + 1:],
                    data[:i]):
            (to / name).write_bytes(bad)
            status, out = check(bench, to)
            assert status == BROKEN and out["damage"], (name, i)
            assert not out.get("evidence"), name
        (to / name).unlink()
        assert check(bench, to)[0] == BROKEN, name
        (to / name).write_bytes(data)
    assert check(bench, to)[0] == REFUTED


def damage_after(bench, change):
    """With a manifest that fits, so that only what is signed can tell."""
    _, log_dir, claim, at = world(bench)
    _, _, to = write(bench, log_dir, claim)
    change(to, at[0])
    manifest(to)
    status, out = check(bench, to)
    return status, " ".join(d["what"] + ": " + d["text"]
                            for d in out["damage"])


def edit(file, old, new, count=1):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, count))


def test_changed_entry_does_not_lead_to_the_root(bench):
    status, said = damage_after(bench, lambda to, at: edit(
        to / f"logs/1/{at}.json", '"US"', '"IE"'))
    assert status == BROKEN and "does not lead to the root" in said


def test_changed_proof_does_not_lead_to_the_root(bench):
    def flip(to, at):
        file = to / f"logs/1/{at}.tlog-proof"
        lines = file.read_text().split("\n")
        hash_ = bytearray(base64.b64decode(lines[3]))
        hash_[5] ^= 1
        lines[3] = base64.b64encode(hash_).decode()
        file.write_text("\n".join(lines))
    status, said = damage_after(bench, flip)
    assert status == BROKEN and "does not lead to the root" in said
    for change, word in (
            (lambda to, at: edit(to / f"logs/1/{at}.tlog-proof",
                                 f"index {at}", f"index {at + 1}"),
             f"proof of entry"),
            (lambda to, at: edit(to / f"logs/1/{at}.tlog-proof",
                                 "tlog-proof@v1", "tlog-proof@v2"),
             "is no proof"),
            (lambda to, at: shutil.copy(to / "logs/1/2.tlog-proof",
                                        to / f"logs/1/{at}.tlog-proof"),
             "proof of entry 2")):
        status, said = damage_after(bench, change)
        assert status == BROKEN and word in said, said


def test_changed_checkpoint_is_not_signed(bench):
    def everywhere(to, at):
        size = (to / "logs/1/checkpoint").read_text().split("\n")[1]
        for file in [to / "logs/1/checkpoint",
                     *(to / "logs/1").glob("*.tlog-proof")]:
            edit(file, f"\n{size}\n", f"\n{int(size) + 1}\n")
    status, said = damage_after(bench, everywhere)
    assert status == BROKEN and "signature" in said
    status, said = damage_after(bench, lambda to, at: edit(
        to / f"logs/1/{at}.tlog-proof", "log.test.example/gw\n",
        "log.test.example/gx\n"))
    assert status == BROKEN and "another checkpoint" in said
    other = VKEY.replace("log.test", "log.best")
    _, log_dir, claim, _ = world(bench)
    _, _, to = write(bench, log_dir, claim)
    p = bench.run("evidence", to, "--key", other)
    assert p.returncode in (BROKEN, USAGE)


def test_changed_object_is_no_longer_the_one_cited(bench):
    def change(to, at):
        old = to / "objects" / sha256(DIRECTORY)
        text = old.read_text().replace("country: CN", "country: IE")
        old.unlink()
        (to / "objects" / sha256(text)).write_text(text)
    status, said = damage_after(bench, change)
    assert status == BROKEN and sha256(DIRECTORY) in said
    status, said = damage_after(bench, lambda to, at: edit(
        to / "objects" / sha256(POLICY), "moderate", "meditate"))
    assert status == BROKEN and "manifest" in said


def test_changed_claim_is_another_claim(bench):
    _, log_dir, claim, _ = world(bench)
    _, _, to = write(bench, log_dir, claim)
    sworn = bench.claim_file(claim)
    assert check(bench, to, "--claim", sworn)[0] == REFUTED
    edit(to / "claim.yaml", "whose: [US]", "whose: [IE]")
    manifest(to)
    status, out = check(bench, to)
    assert status == NOT_SHOWN      # these entries do not refute that one
    assert out["bundle"]["claim_sha256"] != sha256(claim)
    status, out = check(bench, to, "--claim", sworn)
    assert status == BROKEN and "another than" in out["damage"][0]["text"]
    (to / "claim.yaml").write_text("claim: 1\n")
    manifest(to)
    assert check(bench, to)[0] == BROKEN


def test_manifest_names_nothing_outside_its_folder(bench):
    _, log_dir, claim, _ = world(bench)
    _, _, to = write(bench, log_dir, claim)
    good = (to / "MANIFEST").read_text().split("\n")
    for at, line in ((1, "../claim.yaml"), (1, "/etc/passwd"), (2, "x"),
                     (2, "logs/0/checkpoint"), (2, "logs/1/../checkpoint"),
                     (3, "logs/1/07.json"), (3, "logs/1/-1.json"),
                     (len(good) - 2, "objects/" + "0" * 63 + "/"),
                     (3, "logs/99/1.json")):
        lines = list(good)
        lines[at] = lines[at][:66] + line
        (to / "MANIFEST").write_text("\n".join(lines))
        status, out = check(bench, to)
        assert status == BROKEN and out["damage"][0]["what"] == "manifest", \
            line
    for lines in (good[:1] + good[2:], good[1:], good[:3] + good[2:],
                  good[:4] + good[5:], good[:5], [""], good[:3] + [""]):
        (to / "MANIFEST").write_text("\n".join(lines))
        assert check(bench, to)[0] == BROKEN, lines


def test_left_out_entries_show_less_and_never_more(bench):
    log, log_dir, claim, at = world(bench)
    _, _, to = write(bench, log_dir, claim)
    every = {int(p.stem) for p in (to / "logs/1").glob("*.json")}
    assert check(bench, make_bundle(bench, "all", log, log_dir, claim,
                                    every))[0] == REFUTED
    for gone in every:
        status, out = check(bench, make_bundle(
            bench, "less", log, log_dir, claim, every - {gone}))
        assert status == REFUTED
        assert {e["seq"] for e in out["evidence"]} <= set(at)
    only = every - {i for i in every if log.records[i].get("of") is not None}
    status, out = check(bench, make_bundle(bench, "less", log, log_dir,
                                           claim, only))
    assert [e["seq"] for e in out["evidence"]] == [at[2]]
    only -= {at[2] + 1}             # a record within the service's session
    status, out = check(bench, make_bundle(bench, "less", log, log_dir,
                                           claim, only))
    assert status == NOT_SHOWN


def test_no_part_of_a_log_refutes_what_the_whole_does_not(bench):
    """Random logs, random claims, random parts of them, bundled here; and
    the program's own bundle shows all that the whole log does."""
    rng = random.Random(6962)
    refuted = less = 0
    for i in range(ROUNDS):
        log, owners = random_world(rng)
        last = log.now
        log.reconciling = False         # it is no disclosure
        log.wait(1000)
        claim = random_claim(rng, BEGIN + 100, last, owners)
        if i % 2:               # wide enough to be refuted
            claim.update(whose=["US", "IE"], kind=[], **{"from": []},
                         principals=[], stores=["us", "eu", "mixed"])
        claim = text_of(claim)
        log_dir = bench.write(log)
        p, whole, to = write(bench, log_dir, claim)
        want = {e["seq"] for e in whole["evidence"]}
        assert to.exists() == bool(want)
        if want:
            status, out = check(bench, to)
            assert status == REFUTED
            assert {e["seq"] for e in out["evidence"]} == want
            refuted += 1
        for share in (0.95, 0.8) if want else (0.9,):
            seqs = {s for s in range(len(log.records))
                    if rng.random() < share} or {0}
            status, out = check(bench, make_bundle(
                bench, "part", log, log_dir, claim, seqs))
            assert status in (REFUTED, NOT_SHOWN), out["damage"]
            got = {e["seq"] for e in out["evidence"]}
            assert got <= want, (i, share, got, want)
            less += got < want
    assert refuted > ROUNDS // 10 and less > ROUNDS // 10, (refuted, less)


def test_names_in_a_bundle_cannot_forge_lines(bench):
    log, _, claim, at = world(bench)
    records = log.records
    for i, r in enumerate(records):
        if "principal" in r:
            records = changed(records, i, principal=r["principal"] +
                              "\n\x1b[2JTHE VERDICT: holds\u202e")
    log_dir = bench.write(log, records=records)
    _, _, to = write(bench, log_dir, claim)
    p = bench.run("evidence", to, "--key", VKEY)
    assert "\x1b" not in p.stdout and "\u202e" not in p.stdout
    assert sum(line.startswith("THE VERDICT")
               for line in p.stdout.splitlines()) == 1


def test_wrong_usage_is_status_2(bench):
    _, log_dir, claim, _ = world(bench)
    file = bench.claim_file(claim)
    for args in (["evidence"], ["evidence", log_dir],
                 ["evidence", log_dir, "--key", VKEY, "--log", log_dir],
                 ["evidence", log_dir, "--key", VKEY, "--evidence", "x"],
                 ["log", log_dir, "--key", VKEY, "--evidence", "x"],
                 ["claim", file, "--log", log_dir, "--key", VKEY,
                  "--claim", file]):
        assert bench.run(*args).returncode == USAGE, args
    assert bench.run("evidence", log_dir, "--key", VKEY).returncode == BROKEN


if __name__ == "__main__":
    sys.exit(main(globals()))
