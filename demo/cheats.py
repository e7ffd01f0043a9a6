"""How somebody would falsify a copy of the log, and how that shows.

Each cheat gets a copy and does what it can: first without the log's key, then
as the operator who has it and rebuilds the tree and signs it anew.
"""
import json
from dataclasses import dataclass
from typing import Callable

import tlog


@dataclass
class Cheat:
    name: str
    title: str
    named: str                  # a pattern: what the verifier must say
    do: Callable = None
    old_copy: bool = False
    needs_checkpoint: bool = False
    looks_fine: bool = False    # consistent for whoever kept no checkpoint


def of_wei(records):
    """Index of the statement by which Wei read from store us."""
    session = next(r["session"] for r in records if r["type"] == "session"
                   and r["principal"] == "wei" and r["store"] == "us")
    return next(i for i, r in enumerate(records)
                if r.get("session") == session and r["type"] == "statement")


def bundle_of(copy, index):
    size = tlog.read_checkpoint(copy).size
    for number, width in tlog.tiles(0, size):
        if number == index // tlog.WIDTH:
            path = copy / tlog.tile_path("entries", number, width)
            if not path.exists():
                path = copy / tlog.tile_path("entries", number)
            entries = tlog.split_bundle(path.read_bytes(), width)
            return path, entries, index % tlog.WIDTH
    raise tlog.Broken(f"the log has no entry {index}")


def remove_record(copy, gateway):
    path, entries, at = bundle_of(copy, of_wei(tlog.read_records(copy)))
    del entries[at]
    path.write_bytes(tlog.join_bundle(entries))


def change_byte(copy, gateway):
    path, entries, at = bundle_of(copy, of_wei(tlog.read_records(copy)))
    entries[at] = entries[at].replace(b"SELECT", b"SELECX", 1)
    path.write_bytes(tlog.join_bundle(entries))


def cut_tail(copy, gateway):
    """All but the first of the last bundle's entries, and their hashes."""
    size = tlog.read_checkpoint(copy).size
    path, entries, at = bundle_of(copy, size - 1)
    path.write_bytes(tlog.join_bundle(entries[:1]))
    width = at + 1
    tile = copy / tlog.tile_path(0, (size - 1) // tlog.WIDTH, width)
    tile.write_bytes(tile.read_bytes()[:32])


def without_wei(copy):
    """The records less the session by which Wei read store us; and that
    session's first and last index."""
    records = tlog.read_records(copy)
    session = records[of_wei(records)]["session"]
    at = [i for i, r in enumerate(records) if r.get("session") == session]
    left = [r for r in records if r.get("session") != session]
    return left, at[0], at[-1]


def resign(copy, gateway, records):
    entries = [json.dumps(r, separators=(",", ":"), ensure_ascii=False)
               .encode() for r in records]
    tlog.write_log(copy, tlog.read_checkpoint(copy).origin, entries,
                   gateway.vkey, tlog.read_seed(gateway.folder / "log.key"))


def renumber(records):
    """New places for all, and boot records that point at them."""
    moved = {r["seq"]: i for i, r in enumerate(records)}
    for i, r in enumerate(records):
        r["seq"] = i
        if r["type"] == "boot":
            r["last"] = moved[r["last"]]


def leave_out(copy, gateway):
    resign(copy, gateway, without_wei(copy)[0])


def leave_out_renumbered(copy, gateway):
    records = without_wei(copy)[0]
    renumber(records)
    resign(copy, gateway, records)


def leave_out_perfectly(copy, gateway):
    """With every counter put right: the log alone cannot show it."""
    records, first, last = without_wei(copy)
    running = True
    for r in records:
        if r["seq"] > first and r["type"] == "boot":
            running = False     # counters start anew
        if running and "opened" in r:
            r["opened"] -= r["seq"] > first
            r["closed"] -= r["seq"] > last
    renumber(records)
    resign(copy, gateway, records)


# @AT@ is the place of Wei's record, @LAST@ the honest log's last one.
CHEATS = [
    Cheat("removed", "A record removed: Wei's reading of store us",
          r"entry @AT@ was removed", remove_record),
    Cheat("changed", "One byte of that record changed",
          r"entry @AT@ in bundle \S+ is not the one", change_byte),
    Cheat("cut", "The tail cut off",
          r"entries \d+ to @LAST@ are missing", cut_tail),
    Cheat("old", "An older copy put back", r"rolled back",
          old_copy=True, needs_checkpoint=True),
    Cheat("left-out", "A session left out, the log signed anew by its operator",
          r"says that it is seq", leave_out),
    Cheat("renumbered", "The same, and the records numbered anew",
          r"1 sessions? (is|are) missing", leave_out_renumbered),
    Cheat("perfect", "The same, and every counter put right",
          r"checkpoint-act-2", leave_out_perfectly, needs_checkpoint=True,
          looks_fine=True),
]
