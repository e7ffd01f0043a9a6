#!/usr/bin/python3
"""Many statements on a pair of stores: every difference is a leak.

    long.py [--seed TEXT] [--statements N] [--store] [--sqlsmith N]

Run by scripts/unprivileged.sh. --store asks the stores themselves, around the
gateway. Of sqlsmith's statements a fifth as many are asked as well, or N.
Prints each difference, and ends with 1 if there is any. A difference
is made again by its seed and number: --first N --statements 1.
"""
import argparse
import collections
import os
import pathlib
import sys
import tempfile
import time
import zlib

import pair
import sqlsmith
import statements

BATCH = 1000            # of sqlsmith's statements, by one run of it


def compare(readers, seed, first, count, kinds=None, say=lambda text: None):
    """The differences, and what the reader was answered: kind -> times."""
    found, seen = [], collections.Counter()
    for n in range(first, first + count):
        s = statements.statement(seed, n, kinds)
        told = readers.differ(s.sql, s.ordered, s.extended)
        parts = readers.last.parts
        seen[parts[-1][0] if parts else "nothing"] += 1
        seen["rows"] += sum(len(p[-1]) for p in parts)
        if told:
            found.append(f"{seed}/{n}: {told}")
            say(found[-1])
    return found, seen


def compare_smith(readers, smith, first, count, say=lambda text: None):
    """The same of statements by sqlsmith, seeds from first on. Without its
    LIMIT a subquery may be one of too many rows, and whether it is looked at
    at all is for the planner to say: such a difference is `unsettled`."""
    found, seen, asked = [], collections.Counter(), 0
    for seed in range(first, first + 1000000):
        texts = [t for t in smith.texts(seed, min(BATCH, 2 * count + 20))
                 if smith.steady(t)][:count - asked]
        for n, text in enumerate(texts):
            told = readers.differ(text, ordered=False)
            status = readers.last.parts[-1][0] if readers.last.parts \
                else "nothing"
            if told and any(dict(p[1]).get("SQLSTATE") == b"21000"
                            for x in readers.answers for p in x.parts
                            if p[0] == "FATAL_ERROR"):
                seen["unsettled"] += 1
                continue
            seen[status] += 1
            if told:
                found.append(f"sqlsmith {seed}/{n}: {told}")
                say(found[-1])
        asked += len(texts)
        if asked >= count:
            return found, seen
    raise AssertionError("sqlsmith made too little")


def by_sqlsmith(both, readers, a):
    count = a.statements // 5 if a.sqlsmith is None else a.sqlsmith
    if count == 0:
        return [], {}
    side = both.sides[0]
    smith = sqlsmith.Smith(side.stores["us"], side.role())
    return compare_smith(readers, smith, zlib.crc32(a.seed.encode()) % 10**6,
                         count, lambda text: print(text[:4000], flush=True))


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--seed", default=time.strftime("%Y-%m-%d"))
    p.add_argument("--statements", type=int, default=100000)
    p.add_argument("--first", type=int, default=0)
    p.add_argument("--store", action="store_true")
    p.add_argument("--sqlsmith", type=int)
    a = p.parse_args()
    with tempfile.TemporaryDirectory(
            dir=os.environ.get("SWORN_SCRATCH")) as folder:
        both = pair.Pair(folder, pathlib.Path(os.environ["SWORN_BIN"]))
        try:
            both.build()
            begun = time.monotonic()
            with both.logins() if a.store else both.readers() as readers:
                found, seen = compare(
                    readers, a.seed, a.first, a.statements,
                    statements.STORE_KINDS if a.store else None,
                    lambda text: print(text[:4000], flush=True))
                more, made = by_sqlsmith(both, readers, a)
        finally:
            both.close()
    print(f"seed {a.seed}: {a.statements} statements in "
          f"{time.monotonic() - begun:.0f} s, answered {dict(seen)}; "
          f"{len(found)} differences; by sqlsmith {dict(made)}; "
          f"{len(more)} differences")
    return 1 if found or more else 0


if __name__ == "__main__":
    sys.exit(main())
