#!/usr/bin/python3
"""One way down: what a folder of src/ includes is in its dependency list.

    tests/layers.py BUILD

The build file links what it lists, but headers are found by everybody; this
holds includes to the same lists. And sworn-verify, which a stranger trusts,
is made of nothing of the gateway's. Prints TAP.
"""
import pathlib
import re
import subprocess
import sys

SRC = pathlib.Path(__file__).resolve().parent.parent / "src"
ROOMS = sorted(p.name for p in SRC.iterdir() if p.is_dir())
NOT_IN_VERIFY = ("gateway", "store", "enforce", "lineage", "wire", "tls",
                 "console", "cli")


def allowed(room):
    """The room's own list; what those bring along does not count."""
    text = (SRC / room / "meson.build").read_text()
    return (set(re.findall(r"\bdep_(\w+)", text)) & set(ROOMS)) | {room}


def strangers(room):
    may = allowed(room)
    for path in sorted((SRC / room).glob("*.[ch]")):
        for n, line in enumerate(path.read_text().splitlines(), 1):
            m = re.match(r'\s*#\s*include\s+"([a-z]+)/', line)
            if m and m[1] not in may:
                yield f"{path.name}:{n} includes {m[1]}/"


def main():
    tests = [(f"{room} includes only what it lists", list(strangers(room)))
             for room in ROOMS]
    inputs = subprocess.run(
        ["ninja", "-C", sys.argv[1], "-t", "inputs",
         "src/verify/sworn-verify"], capture_output=True, text=True,
        check=True).stdout
    made_of = {m[1] for m in re.finditer(r"src/([a-z]+)/", inputs)}
    tests.append(("sworn-verify is made of nothing of the gateway's",
                  sorted(made_of & set(NOT_IN_VERIFY))
                  + ([] if "verify" in made_of else ["no inputs found"])))
    print(f"1..{len(tests)}")
    for n, (name, wrong) in enumerate(tests, 1):
        print(f"{'not ok' if wrong else 'ok'} {n} - {name}")
        for w in wrong:
            print(f"# {w}")
    return any(wrong for _, wrong in tests)


if __name__ == "__main__":
    sys.exit(main())
