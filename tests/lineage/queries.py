"""Random SELECTs over four small tables, of the shapes that analysts,
dashboards and mappers write, and of those that no list of subjects covers."""

TABLES = {"people": ["id", "name", "town", "age"],
          "posts": ["id", "owner", "topic", "score"],
          "likes": ["who", "post", "n"],
          "notes": ["id", "sender", "receiver", "body"]}
OPEN = {"topics": ["id", "label"]}
NUMBERS = {"people": ["id", "age"], "posts": ["id", "owner", "topic", "score"],
           "likes": ["who", "post", "n"], "notes": ["id", "sender", "receiver"],
           "topics": ["id"]}
LINKS = [("people", "id", "posts", "owner"), ("people", "id", "likes", "who"),
         ("posts", "id", "likes", "post"), ("people", "id", "notes", "sender"),
         ("people", "id", "notes", "receiver"), ("topics", "id", "posts", "topic"),
         ("posts", "owner", "likes", "who"), ("people", "id", "people", "age")]


class Queries:
    def __init__(self, rng, tables=TABLES, numbers=NUMBERS,
                 constants=range(7)):
        """numbers: of each table, and of those of OPEN; constants: what
        columns are compared with."""
        self.rng = rng
        self.names = 0
        self.tables = tables
        self.numbers = numbers
        self.constants = list(constants)

    def alias(self):
        self.names += 1
        return f"t{self.names}"

    def chance(self, p):
        return self.rng.random() < p

    def constant(self):
        return self.rng.choice(self.constants)

    # A source is (alias, columns, numbers).
    def table(self, name=None):
        name = name or self.rng.choice([*self.tables, *self.tables, "topics"])
        a = self.alias()
        columns = {**self.tables, **OPEN}[name]
        return f"{name} {a}", (a, columns, self.numbers[name])

    def sub(self, depth, outer):
        text, columns = self.select(depth - 1, outer, named=True)
        a = self.alias()
        return f"({text}) {a}", (a, columns, columns)

    def one(self, depth, outer):
        if depth > 0 and self.chance(0.2):
            return self.sub(depth, outer)
        return self.table()

    def source(self, depth, outer):
        kind = self.rng.random()
        text, first = self.one(depth, outer)
        sources = [first]
        if kind < 0.35:
            return text, sources
        for _ in range(self.rng.choice([1, 1, 1, 2])):
            more, s = self.one(depth, outer)
            how = self.rng.choice(["JOIN", "JOIN", "JOIN", "LEFT JOIN",
                                   "LEFT JOIN", "RIGHT JOIN", "FULL JOIN",
                                   ","])
            if how == ",":
                if "JOIN" in text:
                    how = "CROSS JOIN"
                text = f"{text}{'' if how == ',' else ' '}{how} {more}"
            else:
                left = self.rng.choice(sources)
                text = (f"{text} {how} {more} ON "
                        f"{self.column(left)} = {self.column(s)}")
                if self.chance(0.25):
                    text += f" AND {self.condition([*sources, s], 0, [])}"
            sources.append(s)
        if depth > 0 and self.chance(0.12):
            a = self.alias()
            inner, columns = self.select(0, [*outer, *sources], named=True)
            text = f"{text} {self.rng.choice(['CROSS JOIN', 'LEFT JOIN'])} " \
                   f"LATERAL ({inner}) {a}"
            if "LEFT JOIN LATERAL" in text:
                text += " ON true"
            sources.append((a, columns, columns))
        elif self.chance(0.05):
            a = self.alias()
            text = f"{text} CROSS JOIN LATERAL generate_series(1, " \
                   f"{self.column(self.rng.choice(sources))} % 3) {a}(x)"
            sources.append((a, ["x"], ["x"]))
        return text, sources

    def column(self, s):
        return f"{s[0]}.{self.rng.choice(s[2] or s[1])}"

    def number(self, sources):
        c = self.column(self.rng.choice(sources))
        kind = self.rng.random()
        if kind < 0.75:
            return c
        if kind < 0.85:
            return f"({c} + {self.rng.randint(0, 3)})"
        if kind < 0.93:
            return f"coalesce({c}, {self.rng.randint(0, 3)})"
        return f"CASE WHEN {c} > 2 THEN {c} ELSE 0 END"

    def condition(self, sources, depth, outer):
        kind = self.rng.random()
        every = [*sources, *outer]
        n = self.number(every)
        if kind < 0.42:
            return f"{n} {self.rng.choice(['=', '<', '>', '<>', '>='])} " \
                   f"{self.rng.choice([self.constant(), self.number(every)])}"
        if kind < 0.50:
            return f"{n} IN ({self.constant()}, {self.constant()}, " \
                   f"{self.constant()})"
        if kind < 0.58:
            return f"{n} IS {self.rng.choice(['', 'NOT '])}NULL"
        if kind < 0.64:
            return f"NOT ({self.condition(sources, depth, outer)})"
        if kind < 0.72:
            return f"({self.condition(sources, depth, outer)} OR " \
                   f"{self.condition(sources, depth, outer)})"
        if kind < 0.76:
            return f"{n} IS DISTINCT FROM {self.number(every)}"
        if depth <= 0:
            return f"{n} BETWEEN 1 AND 4"
        text, columns = self.select(depth - 1, every, named=True, width=1)
        if kind < 0.79:
            one, s = self.table()
            return f"{self.column(self.rng.choice(every))} = (SELECT " \
                   f"{self.column(s)} FROM {one} WHERE " \
                   f"{self.column(s)} = {self.constant()}" \
                   f"{self.rng.choice(['', ' LIMIT 1'])})"
        if kind < 0.84:
            return f"{self.column(self.rng.choice(every))} IN ({text})"
        if kind < 0.94:
            return f"EXISTS ({text})"
        if kind < 0.96:
            return f"{n} NOT IN ({text})"
        return f"{n} > (SELECT avg(x.c1) FROM ({text}) x)"

    def where(self, sources, depth, outer):
        parts = [self.condition(sources, depth, outer)
                 for _ in range(self.rng.choice([0, 1, 1, 2]))]
        if outer and self.chance(0.8):
            parts.append(f"{self.column(self.rng.choice(sources))} = "
                         f"{self.column(self.rng.choice(outer))}")
        return " WHERE " + " AND ".join(parts) if parts else ""

    def target(self, sources, depth, outer):
        if depth > 0 and self.chance(0.08):
            text, _ = self.select(depth - 1, [*sources, *outer], named=True,
                                  width=1)
            return f"(SELECT count(*) FROM ({text}) x)"
        return self.number(sources)

    def aggregate(self, sources):
        n = self.number(sources)
        return self.rng.choice(["count(*)", "count(*)", f"count({n})",
                                f"count(DISTINCT {n})", f"sum({n})",
                                f"max({n})", f"min({n})", f"avg({n})",
                                f"bool_or({n} > 2)::int",
                                f"count(*) FILTER (WHERE {n} > 2)"])

    def having(self, sources):
        n = self.number(sources)
        return " HAVING " + self.rng.choice(
            ["count(*) > 1", "count(*) >= 2", "2 < count(*)", "count(*) < 3",
             f"max({n}) > 3", f"min({n}) < 2", f"sum({n}) > 3",
             f"min({n}) > 1", "count(*) = 2", f"avg({n}) > 2"])

    def select(self, depth, outer=(), named=False, width=None):
        """The text, and the names of its columns (c1, c2, ... if named)."""
        kind = self.rng.random()
        if depth > 0 and kind < 0.07 and not outer:
            return self.union(depth, width)
        if depth > 0 and kind < 0.17 and not outer and not named:
            return self.with_query(depth)
        text, sources = self.source(depth, list(outer))
        where = self.where(sources, depth, list(outer))
        n = width or self.rng.choice([1, 2, 2, 3])
        if self.chance(0.35):
            return self.grouped(text, sources, where, n)
        if self.chance(0.08):
            return self.windowed(text, sources, where, n, named)
        targets = [self.target(sources, depth, list(outer))
                   for _ in range(n)]
        names = [f"c{i + 1}" for i in range(n)]
        out = ", ".join(f"{t} AS {c}" for t, c in zip(targets, names))
        if not named and self.chance(0.08):
            return f"SELECT * FROM {text}{where}", None
        how = self.rng.random()
        if how < 0.15:
            return (f"SELECT DISTINCT {out} FROM {text}{where}"
                    + self.tail(n, 0.2), names)
        if how < 0.20:
            order = ", ".join(str(i + 1) for i in range(n))
            return (f"SELECT DISTINCT ON (1) {out} FROM {text}{where} "
                    f"ORDER BY {order}", names)
        return f"SELECT {out} FROM {text}{where}" + self.tail(n, 0.3), names

    def window(self, sources):
        part = self.rng.choice(["", "", f"PARTITION BY {self.number(sources)}"
                                " "])
        order = f"ORDER BY {self.number(sources)}" \
                f"{self.rng.choice(['', ' DESC', ' DESC NULLS LAST'])}"
        # All columns, so that row_number is defined.
        order += "".join(f", {s[0]}.{c}" for s in sources for c in s[1] or [])
        frame = self.rng.choice(["", "", " ROWS BETWEEN 1 PRECEDING AND "
                                 "CURRENT ROW", " ROWS BETWEEN 3 PRECEDING "
                                 "AND 2 PRECEDING"])
        return part, order, frame

    def rare(self):
        """Of shapes that only come now and then otherwise, on one table."""
        if self.chance(0.4):
            return self.union(1, None)
        if "people" in self.tables and self.chance(0.5):
            return self.by_subject()
        text, s = self.table()
        return self.windowed(text, [s], self.where([s], 0, []),
                             self.rng.choice([1, 2]), False)

    def by_subject(self):
        """Groups by a table's first columns, often one subject's each."""
        text, s = self.table("people")
        sources, key = [s], f"{s[0]}.id"
        for _ in range(self.rng.choice([0, 1, 1, 2])):
            t = self.rng.choice([t for t in self.tables if t != "people"])
            more, o = self.table(t)
            link = self.rng.choice([c for a, b, t2, c in LINKS if t2 == t]
                                   or [o[1][0]])
            how = self.rng.choice(["JOIN", "JOIN", "JOIN", "LEFT JOIN"])
            text += f" {how} {more} ON {o[0]}.{link} = {s[0]}.id"
            if self.chance(0.2):
                text += f" OR {self.condition([s, o], 0, [])}"
            sources.append(o)
        if self.chance(0.15):
            key = f"{s[0]}.town"
        f = [self.aggregate(sources) for _ in range(2)]
        having = self.having(sources) if self.chance(0.5) else ""
        return (f"SELECT {key} AS c1, {f[0]} AS c2, {f[1]} AS c3 FROM {text}"
                + self.where(sources, 1 if self.chance(0.2) else 0, [])
                + f" GROUP BY {self.rng.choice(['1', key])}{having}"
                + self.tail(3, 0.6), ["c1", "c2", "c3"])

    def windowed(self, text, sources, where, n, named):
        part, order, frame = self.window(sources)
        c = self.number(sources)
        rank = self.rng.choice(["rank()", "row_number()", "dense_rank()"])
        f = self.rng.choice([rank, rank, rank, f"sum({c})", "count(*)",
                             f"lag({c})", f"first_value({c})", f"max({c})"])
        targets = [f"{f} OVER ({part}{order}{frame if f != rank else ''})"]
        targets += [self.number(sources) for _ in range(n - 1)]
        if self.chance(0.15):
            targets.append(f"count(*) OVER (PARTITION BY "
                           f"{self.number(sources)})")
        names = [f"c{i + 1}" for i in range(len(targets))]
        out = ", ".join(f"{t} AS {c}" for t, c in zip(targets, names))
        query = f"SELECT {out} FROM {text}{where}"
        if named and len(names) != n:
            names = names[:n]
        kind = self.rng.random()
        if kind < 0.25:
            order = ", ".join(str(i + 1) for i in range(len(targets)))
            query += f" ORDER BY {order} LIMIT {self.rng.randint(1, 4)}"
        if kind < 0.3 or len(targets) != n:
            return query, names
        a = self.alias()
        how = self.rng.choice(["c1 <= 2", "c1 <= 1", "c1 < 3", "c1 = 1",
                               "c1 = 2", "c1 > 1", "c1 <= 2 AND c1 IS NOT "
                               "NULL", ""])
        if self.chance(0.2) and n > 1:
            how = self.rng.choice(["c2 > 1", "c1 = 1 AND c2 = 2",
                                   "c1 <= 2 AND c2 IS NOT NULL"])
        where = f" WHERE {how}" if how else ""
        if self.chance(0.3):
            s = (a, names, names)
            return (f"SELECT {self.number([s])} AS c1"
                    + "".join(f", {self.aggregate([s])} AS c{i}"
                              for i in range(2, n + 1))
                    + f" FROM ({query}) {a}{where}"
                    + (" GROUP BY 1" if n > 1 else ""), names)
        return f"SELECT {a}.* FROM ({query}) {a}{where}", names

    def grouped(self, text, sources, where, n):
        names = [f"c{i + 1}" for i in range(n)]
        keys = self.rng.randint(0, n - 1) if n > 1 else self.rng.randint(0, 1)
        targets = [self.number(sources) for _ in range(keys)]
        targets += [self.aggregate(sources) for _ in range(n - keys)]
        out = ", ".join(f"{t} AS {c}" for t, c in zip(targets, names))
        group = " GROUP BY " + ", ".join(
            str(i + 1) for i in range(keys)) if keys else ""
        if self.chance(0.3):
            group += self.having(sources)
        return (f"SELECT {out} FROM {text}{where}{group}"
                + self.tail(n, 0.3), names)

    def tail(self, n, limited):
        """An order of all columns, so that what comes first is defined."""
        if not self.chance(limited):
            return ""
        order = [f"{i + 1}{self.rng.choice(['', ' DESC', ' DESC NULLS LAST'])}"
                 for i in range(n)]
        self.rng.shuffle(order)
        text = f" ORDER BY {', '.join(order)}"
        if self.chance(0.7):
            text += f" LIMIT {self.rng.randint(1, 4)}"
            if self.chance(0.1):
                text += " OFFSET 1"
        return text

    def union(self, depth, width):
        n = width or self.rng.choice([1, 2])
        names = [f"c{i + 1}" for i in range(n)]
        text = self.arm(n)
        for _ in range(self.rng.choice([1, 1, 2])):
            how = self.rng.choice(["UNION ALL", "UNION ALL", "UNION", "UNION",
                                   "UNION DISTINCT", "EXCEPT", "INTERSECT",
                                   "INTERSECT", "INTERSECT ALL"])
            text = f"{text} {how} {self.arm(n)}"
            if self.chance(0.1):
                text = f"({text})"
        return text + self.tail(n, 0.3), names

    def arm(self, n):
        kind = self.rng.random()
        if kind < 0.1:
            text = ", ".join(f"{self.rng.randint(0, 4)} AS c{i + 1}"
                             for i in range(n))
            return f"SELECT {text} FROM topics" if kind < 0.05 else \
                f"SELECT {text}"
        if kind < 0.25:
            text, _ = self.select(0, named=True, width=n)
            return f"({text})"
        text, sources = self.source(0, [])
        out = ", ".join(f"{self.number(sources)} AS c{i + 1}"
                        for i in range(n))
        return f"SELECT {out} FROM {text}" + self.where(sources, 0, [])

    def with_query(self, depth):
        name = self.alias()
        inner, columns = self.select(depth - 1, (), named=True)
        self.names += 1
        s = (name, columns, columns)
        other, o = self.table()
        rest = self.rng.choice([
            f"SELECT {name}.* FROM {name}",
            f"SELECT {self.number([s])} AS c1, {self.aggregate([s])} AS c2 "
            f"FROM {name} GROUP BY 1",
            f"SELECT {self.number([s, o])} AS c1, {self.number([s])} AS c2 "
            f"FROM {name} JOIN {other} ON {self.column(s)} = "
            f"{self.column(o)}" + self.where([s, o], 0, []),
            f"SELECT {self.number([o])} AS c1 FROM {other} WHERE "
            f"{self.column(o)} IN (SELECT {self.column(s)} FROM {name})",
            f"SELECT {self.aggregate([s])} AS c1 FROM {name}"
            + self.where([s], 0, []),
        ])
        return f"WITH {name} AS ({inner}) {rest}", None
