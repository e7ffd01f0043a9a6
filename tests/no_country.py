#!/usr/bin/python3
"""No country is in the code: no label or name of one stands in a string of
the C sources. Regimes are data, and their presets work mirrored.

    tests/no_country.py

Prints TAP.
"""
import pathlib
import re
import sys

SRC = pathlib.Path(__file__).resolve().parent.parent / "src"
# ISO 3166-1 alpha-2, all that are assigned, and those in use beside them.
LABELS = set("""
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL
BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV
CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD
GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM
IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK
LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW
MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR
PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS
ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY
UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW EU EEA UK USA
""".split())
NAMES = re.compile(r"\b(America|Brit(ain|ish)|Chin(a|ese)|Cuban?|Europe(an)?|"
                   r"France|French|German[ys]?|Iran(ian)?|Ireland|Irish|"
                   r"Japan(ese)?|Korean?|Russian?|United (States|Kingdom)|"
                   r"Venezuelan?)\b")
# A comment, a string or a character, whichever begins first.
TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"((?:[^"\\\n]|\\.)*)"|\'(?:[^\'\\]|'
                   r"\\.)+'", re.S)
# Words of SQL that are spelt like a label, where they are the whole string.
SQL = {"AS", "IN", "IS", "TO", "DO", "NO"}


def countries(text):
    """(line, string) of each string that names a country."""
    for m in TOKEN.finditer(text):
        s = m[1]
        if s is None:
            continue
        whole = s.strip()
        if (whole in LABELS and whole not in SQL) or NAMES.search(s):
            yield text.count("\n", 0, m.start()) + 1, s


def main():
    known = list(countries('f("IE"); /* "CN" */ g("of US", "USA"); // "DE"\n'
                           'h("not from China", "A\\"B", \'"\', "GB ");'))
    tests = [("countries in strings are found",
              [] if [s for _, s in known] == [
                  "IE", "USA", "not from China", "GB "] else [str(known)])]
    for room in sorted(p for p in SRC.iterdir() if p.is_dir()):
        tests.append((f"{room.name} names no country", [
            f"{path.name}:{n}: \"{s}\"" for path in sorted(
                room.glob("*.[ch]"))
            for n, s in countries(path.read_text())]))
    print(f"1..{len(tests)}")
    for n, (name, wrong) in enumerate(tests, 1):
        print(f"{'not ok' if wrong else 'ok'} {n} - {name}")
        for w in wrong:
            print(f"# {w}")
    return any(wrong for _, wrong in tests)


if __name__ == "__main__":
    sys.exit(main())
