"""What a verdict makes of a store's own log, and of the operator's word about
it, against a naive decision over random reconciliations."""
import csv
import datetime
import io
import json
import random
import sys

from logkit import BEGIN, Log, claim_text, main, time_text

HOLDS, REFUTED, NOT_SHOWN = 0, 3, 4
ROUNDS = 60
STORES = ["us", "eu"]
COUNTS = ["around", "unrecorded", "absent", "gaps", "differ"]


def quiet(gateway="gw", ms=2000):
    """A log of nothing but heartbeats, and no reconciliation."""
    log = Log(gateway)
    log.reconciling = False
    begin = log.now + 5
    log.wait(ms)
    end = log.now - 5
    return log, begin, end


def about_logs(out):
    return [d["text"] for d in out["doubts"] if d["what"] == "reconciliation"]


def judge(bench, log, begin, end, **claim):
    return bench.claim(claim_text(begin, end, **claim), bench.write(log))


def test_claim_of_acts_is_not_shown_without_reconciliation(bench):
    log, begin, end = quiet()
    status, out = judge(bench, log, begin, end)
    assert status == NOT_SHOWN
    said = about_logs(out)
    assert [d["what"] for d in out["doubts"]] == ["reconciliation"] * 3
    assert all("nobody compared" in s and "--store-log" in s and
               "sworn reconcile" in s for s in said)
    for store in log.stores:
        log.reconcile(store)
    status, out = judge(bench, log, begin, end)
    said = [r["text"] for r in out["rests_on"] if r["what"] == "logins"]
    assert status == HOLDS and len(said) == 3
    assert all("word" in s and "ops (uid 7)" in s and "entry" in s
               for s in said)


def test_evidence_refutes_whatever_is_missing(bench):
    log = Log()
    log.reconciling = False
    begin = log.now
    log.visit("wei", "us")
    end = log.now + 5
    log.wait(2000)
    assert judge(bench, log, begin, end)[0] == REFUTED


def test_what_was_found_is_said_and_later_less_hides_nothing(bench):
    log, begin, end = quiet()
    log.reconcile("us", around=1, logins=5, findings=[
        {"what": "around", "text": "user dba from 10.0.0.7"}])
    log.reconcile("us", logins=4)
    status, out = judge(bench, log, begin, end, stores="[us]")
    assert status == NOT_SHOWN and "user dba from 10.0.0.7" in \
        " ".join(about_logs(out))
    log.reconcile("us", logins=5)
    assert judge(bench, log, begin, end, stores="[us]")[0] == HOLDS


# -- a naive decision -----------------------------------------------------------

def fits(r):
    return not any(r[c] for c in COUNTS)


def replaced(r, others):
    return any(o["store"] == r["store"] and o["time"] > r["time"] and
               o["from"] <= r["from"] and o["to"] >= r["to"] and
               o["logins"] >= r["logins"] and
               (o["compared"] or not r["differ"]) and
               {g["gateway"] for g in r["gateways"]} <=
               {g["gateway"] for g in o["gateways"]} for o in others)


def holds(store, begin, end, gateways, records):
    """Every instant of the period is in one that counts, and all those that
    count are complete and fit."""
    begin, end = time_text(begin), time_text(end)
    mine = [r for r in records if r["type"] == "reconciled" and
            r["store"] == store and r["to"] >= begin and r["from"] <= end]
    mine = [r for r in mine if not replaced(r, mine)]
    if not all(fits(r) and gateways <= {g["gateway"] for g in r["gateways"]}
               for r in mine):
        return False
    edges = sorted({begin, end} | {e for r in mine for e in
                                   (r["from"], r["to"]) if begin < e < end})
    return bool(mine) and all(any(r["from"] <= a and r["to"] >= b
                                  for r in mine)
                              for a, b in zip(edges, edges[1:]))


def random_reconciliation(rng, log, begin, end):
    edges = [begin - 100, begin, begin + 500, begin + 900, end - 300, end,
             end + 4]
    first, last = sorted(rng.sample(edges, 2))
    if rng.random() < 0.5:
        first, last = begin - rng.choice([0, 9]), end + rng.choice([0, 3])
    dirty = rng.random() < 0.25
    log.reconcile(rng.choice(STORES), first, last,
                  gateways=rng.choice([["gw"], ["gw", "gx"], ["gw", "gx"],
                                       ["gx"], ["gw", "gx", "gy"]]),
                  logins=rng.randint(3, 5), compared=rng.random() < 0.5,
                  **({rng.choice(COUNTS): 1} if dirty else {}))


def test_a_second_implementation_agrees_on_random_reconciliations(bench):
    rng = random.Random(71)
    seen = set()
    for i in range(ROUNDS):
        logs = [quiet(g) for g in ("gw", "gx")]
        log, begin, end = logs[0]
        for _ in range(rng.randint(1, 7)):
            random_reconciliation(rng, rng.choice(logs)[0], begin, end)
            for l in logs:
                l[0].now = log.now = max(l[0].now, log.now)
        records = sum((l[0].records for l in logs), [])
        dirs = [bench.write(l[0], f"log-{l[0].gateway}") for l in logs]
        status, out = bench.claim(claim_text(
            begin, end, stores="[us, eu]", gateways="[gw, gx]"), *dirs)
        want = {s for s in STORES
                if not holds(s, begin, end, {"gw", "gx"}, records)}
        got = {s for s in STORES for d in about_logs(out)
               if f"store {s}" in d}
        assert got == want, (i, got, want, about_logs(out))
        assert status == (NOT_SHOWN if want else HOLDS), (i, out["doubts"])
        seen.add(len(want))
    assert seen == {0, 1, 2}


# -- a store's own log --------------------------------------------------------

class Server:
    """Writes lines as PostgreSQL does: each process counts its own."""

    def __init__(self, begin):
        self.lines, self.begin = [], begin
        self.n = {}
        self.say(begin - 60000, 77, "database system is ready")

    def say(self, ms, pid, message, user="", database="", host=""):
        start = self.n.setdefault(pid, [ms // 1000, 0])
        start[1] += 1
        self.lines.append(dict(
            at=ms, user=user, database=database, pid=pid, host=host,
            session=f"{start[0]:x}.{pid:x}", number=start[1],
            message=message))

    def login(self, ms, pid, user="staff"):
        self.say(ms - 1, pid, "connection received: host=127.0.0.1 port=9")
        self.say(ms, pid, f"connection authorized: user={user} database=v",
                 user, "v", "127.0.0.1")
        self.say(ms + 1, pid, 'a "quoted", message\non two lines', user, "v",
                 "127.0.0.1")

    def stamp(self, line):
        t = datetime.datetime.fromtimestamp(line["at"] // 1000,
                                            datetime.timezone.utc)
        return f"{t:%Y-%m-%d %H:%M:%S}.{line['at'] % 1000:03} UTC"

    def csv(self, lines=None):
        out = io.StringIO()
        w = csv.writer(out, lineterminator="\n")
        for l in self.lines if lines is None else lines:
            w.writerow([self.stamp(l), l["user"], l["database"], l["pid"],
                        l["host"] and l["host"] + ":9", l["session"],
                        l["number"], "", "", "", "0", "LOG", "00000",
                        l["message"], "", "", "", "", "", "", "", "", "",
                        "client backend", "", "0"])
        return out.getvalue()

    def json(self, lines=None):
        every = []
        for l in self.lines if lines is None else lines:
            line = {"timestamp": self.stamp(l), "pid": l["pid"],
                    "session_id": l["session"], "line_num": l["number"],
                    "error_severity": "LOG", "message": l["message"]}
            if l["user"]:
                line.update(user=l["user"], dbname=l["database"],
                            remote_host=l["host"], remote_port=9)
            every.append(json.dumps(line))
        return "\n".join(every) + "\n"


def world():
    log = Log()
    log.reconciling = False
    begin = log.now
    server = Server(begin)
    for pid in (100, 101, 102):
        s = log.session("aoife", "us")
        log.backend(s, pid=pid)
        server.login(log.now + 2, pid)
        log.close(s)
    end = log.now + 5
    log.wait(2000)
    return log, begin, end, server


def with_log(bench, world, text):
    log, begin, end, _ = world
    path = bench.dir / "us.log"
    path.write_text(text)
    status, out = bench.claim(claim_text(begin, end, stores="[us]"),
                              bench.write(log),
                              more=["--store-log", f"us={path}"])
    return status, sorted(d["text"].replace(str(path), "LOG")
                          for d in out["doubts"])


def test_jsonlog_says_what_csvlog_says(bench):
    w = world()
    server = w[3]
    assert with_log(bench, w, server.csv())[0] == HOLDS
    assert with_log(bench, w, server.json())[0] == HOLDS
    server.login(server.begin + 20, 200, "dba")
    for keep in ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [0, 4, 5, 6, 12],
                 [10, 11, 12], range(1, 13)):
        lines = [server.lines[i] for i in keep]
        one = with_log(bench, w, server.csv(lines))
        assert one == with_log(bench, w, server.json(lines))
        assert one[0] == NOT_SHOWN
    for text in ('{"timestamp": 1}\n', '{"a": 1,\n', '[]\n',
                 server.json()[:-1], server.json() + "{}\n"):
        status, said = with_log(bench, w, text)
        assert status == NOT_SHOWN, text
        assert any("not understood" in s or "begins at" in s for s in said)


def test_no_line_of_a_store_log_can_be_left_out_unnoticed(bench):
    """But its last ones of a process, and what a process wrote without a
    login, since nothing counts those."""
    w = world()
    server = w[3]
    last = {l["pid"]: i for i, l in enumerate(server.lines)}
    for i, line in enumerate(server.lines):
        less = server.lines[:i] + server.lines[i + 1:]
        status, said = with_log(bench, w, server.csv(less))
        unseen = i == last[line["pid"]] and "auth" not in line["message"]
        assert status == (HOLDS if unseen and i > 0 else NOT_SHOWN), (i, said)


def test_files_may_come_in_any_order(bench):
    w = world()
    server = w[3]
    rng = random.Random(5)
    for _ in range(6):
        cut = rng.randint(1, len(server.lines) - 1)
        parts = [server.csv(server.lines[:cut]), server.json(
            server.lines[cut:])]
        rng.shuffle(parts)
        more = []
        for i, text in enumerate(parts):
            path = bench.dir / f"us.{i}"
            path.write_text(text)
            more += ["--store-log", f"us={path}"]
        status, out = bench.claim(claim_text(w[1], w[2], stores="[us]"),
                                  bench.write(w[0]), more=more)
        assert status == HOLDS, out["doubts"]


if __name__ == "__main__":
    sys.exit(main(globals()))
