"""Who reads in the demo, with which script, and what psql said of it."""
import os
import re
import subprocess
from dataclasses import dataclass, field

import generate
from world import DEMO, fill

TICKET = "TS-1042"


@dataclass
class Reader:
    user: str
    who: str
    store: str
    office: str
    script: str
    purpose: str = None
    ticket: str = None


READERS = [
    Reader("feed-international", "Feed service, international edition",
           "us", "hosting", "feed"),
    Reader("feed-international", "Feed service, international edition",
           "eu", "hosting", "feed"),
    Reader("feed-domestic", "Feed service, domestic edition",
           "domestic", "beijing", "feed"),
    Reader("aoife", "Aoife Kelly, moderator, Dublin",
           "us", "dublin", "moderator", "moderation", TICKET),
    Reader("aoife", "Aoife Kelly, moderator, Dublin",
           "eu", "dublin", "moderator", "moderation", TICKET),
    Reader("aoife", "Aoife Kelly, stands in for a colleague in Beijing",
           "domestic", "dublin", "moderator", "moderation", TICKET),
    Reader("lina", "Li Na, moderator, Beijing",
           "domestic", "beijing", "moderator", "moderation", TICKET),
    Reader("lina", "Li Na, stands in for a colleague in Dublin",
           "us", "beijing", "moderator", "moderation", TICKET),
    Reader("ethan", "Ethan Cole, data scientist, Austin",
           "us", "austin", "analyst", "analytics"),
    Reader("ethan", "Ethan Cole, data scientist, Austin",
           "eu", "austin", "analyst", "analytics"),
    Reader("sam", "Sam Ortiz, site engineer of the hosting operator",
           "us", "hosting", "engineer", "operations"),
    Reader("sam", "Sam Ortiz, site engineer of the hosting operator",
           "eu", "hosting", "engineer", "operations"),
    Reader("wei", "Wei Jun, master admin, Beijing",
           "domestic", "beijing", "admin", "operations"),
    Reader("wei", "Wei Jun, master admin, Beijing",
           "us", "beijing", "admin", "operations"),
    Reader("wei", "Wei Jun, master admin, Beijing",
           "eu", "beijing", "admin", "operations"),
]

# Act 4 only: nothing permits it until somebody agrees.
RELIABILITY = Reader("priya", "Priya Nair, reliability engineer, Austin",
                     "us", "austin", "reliability", "operations")

# Act 2 only: he knows the feed's new password, too.
INTRUDER = Reader("feed-international",
                  "Wei Jun, with the feed service's name and password",
                  "us", "beijing", "feed")


@dataclass
class Refusal:
    message: str
    sqlstate: str = ""
    detail: str = ""
    hint: str = ""


@dataclass
class Step:
    """One titled part of a script: rows seen, rows written, refusals."""
    title: str
    rows: int = 0
    written: int = 0
    refusals: list = field(default_factory=list)


def write_script(reader, folder):
    """The reader's script with its case or user filled in."""
    first = generate.STORES[reader.store][0]
    text = fill((DEMO / "readers" / f"{reader.script}.sql").read_text(),
                {"USER": first + 7, "VIDEO": first * 10 + 3,
                 "TICKET": reader.ticket})
    folder.mkdir(exist_ok=True)
    path = folder / f"{reader.user}-{reader.store}.sql"
    path.write_text(text)
    return path


def read(gateway, reader, timeout=60):
    """Runs the reader's script by psql; its steps."""
    script = write_script(reader, gateway.folder / "readers")
    dsn = gateway.dsn(reader.user, reader.store, reader.office, reader.purpose,
                      reader.ticket)
    p = subprocess.run(
        ["psql", "-X", "-A", "-t", "-v", "VERBOSITY=verbose", "-f", script,
         dsn], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=timeout,
        env={**os.environ, "PGPASSFILE": str(gateway.world.passfile)})
    return parse(p.stdout)


TAG = re.compile(r"(BEGIN|COMMIT|ROLLBACK|PREPARE|SET|INSERT 0 (\d+)|"
                 r"COPY (\d+))$")
FAILED = re.compile(r"(?:psql:|connection to server).*?"
                    r"(?:ERROR|FATAL):  (?:([0-9A-Z]{5}): )?(.*)$")
MORE = re.compile(r"(DETAIL|HINT|LOCATION|LINE \d+|CONTEXT): +(.*)$")


def parse(output):
    """psql's output (unaligned, tuples only) as steps. What comes before
    the first title belongs to signing in."""
    steps = [Step("sign in")]
    for line in output.splitlines():
        step = steps[-1]
        if line.startswith("## "):
            steps.append(Step(line[3:]))
        elif m := FAILED.match(line):
            step.refusals.append(Refusal(m[2], m[1] or ""))
        elif step.refusals:
            if m := MORE.match(line):
                if m[1] in ("DETAIL", "HINT"):
                    setattr(step.refusals[-1], m[1].lower(), m[2])
        elif m := TAG.match(line):
            step.written += int(m[2] or m[3] or 0)
        elif line.startswith("psql:"):
            step.refusals.append(Refusal(line))
        elif line:
            step.rows += 1
    if steps[0].rows == 0 and not steps[0].refusals:
        steps.pop(0)
    return steps
