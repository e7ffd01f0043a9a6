#!/usr/bin/python3
"""How long does `sworn apply` take for many clearances over many tables?

On one private PostgreSQL server with its defaults, but 100 connections, as
many tables as --tables says, a tenth of them public, and for each way in
which clearances can differ as many as --clearances says:

    rows      in the residences: sets of 10 labels, all tables, all columns
    columns   in the categories: sets of 10 categories, of which each table
              has 3 and the subjects' key
    tables    in the tables: a fifth of them each, at random
    all       in all three

and the times of the first apply, one that finds all as it is, one after a
clearance has gone and another come, `sworn drift`, and --remove. What a
login sees is compared with a WHERE of its own on the base, and what --remove
leaves with what was there before.
"""
import argparse
import json
import os
import pathlib
import random
import secrets
import subprocess
import sys
import tempfile
import time

import psycopg

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "demo"))
import world  # noqa: E402

LABELS = [f"L{i}" for i in range(10)]
CATEGORIES = [f"c{i}" for i in range(10)]
KINDS = ("rows", "columns", "tables", "all")


def bits(i, of):
    return [x for k, x in enumerate(of) if i >> k & 1]


class Bench:
    def __init__(self, folder, sworn, tables, clearances):
        self.folder, self.sworn = pathlib.Path(folder), sworn
        self.n, self.clearances = tables, clearances
        self.random = random.Random(4)
        names = {n: secrets.token_hex(8) for n in ("postgres", "feed",
                                                   "staff")}
        self.store = world.Store("us", self.folder, names)
        self.store.create()
        self.store.sql("ALTER SYSTEM SET max_connections = 100")
        self.store.stop()
        self.store.start()
        os.environ["PGPASSWORD"] = names["postgres"]
        self.make_tables()
        self.before = self.everything()
        self.write("users", "")
        self.write("credentials", "")

    def write(self, name, text):
        (self.folder / name).write_text(text)
        (self.folder / name).chmod(0o600)

    def make_tables(self):
        self.store.sql("REVOKE CREATE ON SCHEMA public FROM PUBLIC; "
                       "REVOKE TEMP ON DATABASE video FROM PUBLIC; "
                       "CREATE TABLE people (id int PRIMARY KEY, home text, "
                       "a text, b text, c text)")
        self.store.sql("INSERT INTO people SELECT i, 'L' || i % 10, "
                       "'a' || i, 'b' || i, 'c' || i FROM "
                       "generate_series(0, 99) i")
        lines = ["catalog: bench", f"categories: [key, {', '.join(CATEGORIES)}]",
                 "subjects: {table: public.people, key: id, residence: "
                 "{column: home, values: {" +
                 ", ".join(f"{x}: {x}" for x in LABELS) + "}}}", "tables:",
                 "  public.people: {subject: self, columns: {id: key, "
                 "home: key, a: c0, b: c1, c: c2}}"]
        public = []
        for t in range(1, self.n):
            name = f"t{t}"
            self.store.sql(f"CREATE TABLE {name} (id int PRIMARY KEY, "
                           "person_id int REFERENCES people, a text, b text, "
                           "c text); CREATE INDEX ON " f"{name} (person_id)")
            self.store.sql(f"INSERT INTO {name} SELECT i, i, 'a', 'b', 'c' "
                           "FROM generate_series(0, 99) i")
            if t % 10 == 0:
                public.append(f"public.{name}")
                continue
            a, b, c = self.random.sample(CATEGORIES, 3)
            lines.append(f"  public.{name}: {{subject: person_id, columns: "
                         f"{{id: key, person_id: key, a: {a}, b: {b}, "
                         f"c: {c}}}}}")
        lines.append(f"public: [{', '.join(public)}]")
        self.write("catalog.yaml", "\n".join(lines) + "\n")
        self.guarded = [x.split(":")[0].strip() for x in lines
                        if x.startswith("  public.")]

    def rule(self, kind, i):
        """What clearance i is permitted."""
        residences, categories, tables = LABELS, CATEGORIES, None
        i += 1
        if kind in ("rows", "all"):
            residences = bits(i % 1024 or 1023, LABELS)
        if kind in ("columns", "all"):
            categories = bits(i * (1 if kind == "columns" else 7) % 1023 + 1,
                              CATEGORIES)
        if kind in ("tables", "all"):
            tables = sorted(self.random.sample(self.guarded,
                                               len(self.guarded) // 5))
        return residences, ["key"] + categories, tables

    def configure(self, kind, first):
        people, rules = [], []
        self.rules = {}
        for i in range(first, first + self.clearances - 1):
            residences, categories, tables = self.rule(kind, i)
            self.rules[i] = residences, categories, tables
            people.append(f"  p{i}: {{name: P, employer: firm, site: here, "
                          f"manager: none, roles: [r{i}]}}")
            rules.append(
                f"  - rule: number {i}\n    permit: read\n    who: {{kind: "
                f"person, roles: [r{i}]}}\n    what: {{categories: "
                f"[{', '.join(categories)}]" +
                (f", tables: [{', '.join(tables)}]" if tables else "") +
                f"}}\n    whose: [{', '.join(residences)}]")
        self.write("directory.yaml",
                   "directory: 1\nissuer: hr.example\nsites: {here: {country: "
                   "US}}\nentities:\n  firm: {name: Firm, country: US, "
                   "owners: {}, rest: dispersed}\npeople:\n" +
                   "\n".join(people) + "\n")
        self.write("policy.yaml", 'policy: bench\nversion: "1"\nrules:\n' +
                   "\n".join(rules) + "\n")
        self.write("sworn.conf", f"""
gateway: bench
state: state
listeners: [{{address: 127.0.0.1, port: 0}}]
users: users
directory: directory.yaml
policy: policy.yaml
log: {{dir: log, key: log.key}}
stores:
  us:
    host: 127.0.0.1
    port: {self.store.port}
    database: video
    mode: enforce
    residences: [{', '.join(LABELS)}]
    catalog: catalog.yaml
    credentials: credentials
""")

    def run(self, command, *more):
        began = time.monotonic()
        p = subprocess.run([self.sworn, command, "-c",
                            self.folder / "sworn.conf", "us", "--admin",
                            self.store.admin_dsn, *more],
                           capture_output=True, text=True)
        took = time.monotonic() - began
        if p.returncode != 0:
            raise world.Failed(p.stdout[-3000:] + p.stderr[-3000:])
        return took, p.stdout

    def everything(self):
        """Roles, relations, policies, rights: what --remove must leave."""
        return self.store.sql(
            "SELECT 'role', rolname, '' FROM pg_roles UNION ALL "
            "SELECT 'table', oid::regclass::text, coalesce(relacl, "
            "acldefault('r', relowner))::text || relrowsecurity "
            "FROM pg_class WHERE relkind IN ('r', 'v') "
            "UNION ALL SELECT 'policy', polname, '' FROM pg_policy UNION ALL "
            "SELECT 'schema', nspname, nspacl::text FROM pg_namespace "
            "UNION ALL SELECT 'trigger', tgname, tgrelid::regclass::text "
            "FROM pg_trigger WHERE NOT tgisinternal UNION ALL SELECT "
            "'function', proname, proacl::text FROM pg_proc WHERE "
            "pronamespace = 'public'::regnamespace ORDER BY 1, 2, 3")

    def check(self, kind):
        """Some logins, against what their rules say."""
        logins = json.loads((self.folder / "state/applied.us.json"
                             ).read_text())["logins"]
        if len(logins) != self.clearances:
            raise world.Failed(f"{kind}: {len(logins)} clearances")
        seen = []
        for login in self.random.sample(logins, 12):
            with psycopg.connect(
                    f"host=127.0.0.1 port={self.store.port} dbname=video",
                    user=login["role"], password=login["password"]) as c:
                shown = {}
                for (t,) in c.execute(
                        "SELECT relname FROM pg_class WHERE relkind = 'v' "
                        "AND pg_table_is_visible(oid) AND relname ~ "
                        "'^(t[0-9]+|people)$'").fetchall():
                    key = "id" if t == "people" else "person_id"
                    q = c.execute(f"SELECT * FROM {t}")
                    columns = [d.name for d in q.description]
                    at = columns.index(key) if key in columns else None
                    rows = q.fetchall()
                    shown[f"public.{t}"] = (columns, sorted(
                        {r[at] % 10 for r in rows}) if at is not None
                        else None)
                seen.append(shown)
        for shown in seen:
            if not any(self.agrees(rule, shown)
                       for rule in self.rules.values()) and any(
                           t in self.guarded for t in shown):
                raise world.Failed(f"{kind}: a login sees what no rule says")

    def agrees(self, rule, shown):
        residences, _, tables = rule
        want = set(tables or self.guarded)
        have = {t for t in shown if t in self.guarded}
        return want == have and all(
            [LABELS[x] for x in shown[t][1]] == residences for t in have)

    def measure(self, kind):
        self.configure(kind, 0)
        first, said = self.run("apply")
        self.check(kind)
        again, same = self.run("apply")
        if f"(0 new, {self.clearances} kept" not in same:
            raise world.Failed(f"{kind}: not kept: {same}")
        drift, _ = self.run("drift")
        rule, self.rule = self.rule, lambda k, i: self.rules.get(
            i, None) or rule(k, i)
        self.configure(kind, 1)
        self.rule = rule
        other, _ = self.run("apply")
        remove, _ = self.run("apply", "--remove")
        left = {tuple(x) for x in self.everything()} ^ {
            tuple(x) for x in self.before}
        if left:
            raise world.Failed(f"{kind}: --remove left {list(left)[:5]}")
        panes = said.split(" panes of")[0].split()[-1] if "panes" in said \
            else "0"
        return {"kind": kind, "panes": int(panes), "first_s": first,
                "again_s": again, "one_other_s": other, "drift_s": drift,
                "remove_s": remove}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--bin", required=True)
    p.add_argument("--tables", type=int, default=200)
    p.add_argument("--clearances", type=int, default=1000)
    p.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    p.add_argument("--out")
    args = p.parse_args()
    results = []
    with tempfile.TemporaryDirectory(dir=os.environ.get(
            "SWORN_SCRATCH")) as folder:
        (pathlib.Path(folder) / "state").mkdir(mode=0o700)
        b = Bench(folder, pathlib.Path(args.bin) / "sworn", args.tables,
                  args.clearances)
        try:
            print(f"{args.clearances} clearances, {args.tables} tables; "
                  "seconds")
            print(f"{'':10}{'panes':>7}{'first':>8}{'again':>8}"
                  f"{'one other':>11}{'drift':>8}{'--remove':>10}")
            for kind in args.kinds:
                r = b.measure(kind)
                results.append(r)
                print(f"{kind:10}{r['panes']:7}{r['first_s']:8.1f}"
                      f"{r['again_s']:8.1f}{r['one_other_s']:11.1f}"
                      f"{r['drift_s']:8.1f}{r['remove_s']:10.1f}",
                      flush=True)
        finally:
            b.store.stop("immediate")
    if args.out:
        pathlib.Path(args.out).write_text(json.dumps(results, indent=1) +
                                          "\n")


if __name__ == "__main__":
    main()
