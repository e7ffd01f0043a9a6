#!/usr/bin/python3
"""Many statements on a pair of stores: every difference is a leak.

    long.py [--seed TEXT] [--statements N] [--store]

Run by scripts/unprivileged.sh. --store asks the stores themselves, around the
gateway. Prints each difference, and ends with 1 if there is any. A difference
is made again by its seed and number: --first N --statements 1.
"""
import argparse
import collections
import os
import pathlib
import sys
import tempfile
import time

import pair
import statements


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


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--seed", default=time.strftime("%Y-%m-%d"))
    p.add_argument("--statements", type=int, default=100000)
    p.add_argument("--first", type=int, default=0)
    p.add_argument("--store", action="store_true")
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
        finally:
            both.close()
    print(f"seed {a.seed}: {a.statements} statements in "
          f"{time.monotonic() - begun:.0f} s, answered {dict(seen)}; "
          f"{len(found)} differences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
