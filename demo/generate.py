#!/usr/bin/python3
"""Fill one store of the short-video platform: SQL with COPY data on stdout.

    generate.py STORE [--scale X] [--seed N] | psql -q -f - ...

The same arguments give the same bytes. Popularity is skewed as in real use:
few videos get most views, few people are most active. Everybody here is
made up: names come from invented syllables, addresses end in .example,
telephone numbers use the unassigned country code 999, network addresses are
those reserved for documentation.
"""
import argparse
import itertools
import random
import signal
import sys

# store: first id, subjects at scale 1, and for each stored country value
# its share and its cities.
STORES = {
    "us": (1_000_000, 8000, [
        ("US", 94, ["Austin", "Chicago", "Denver", "Fresno", "Miami",
                    "New York", "Omaha", "Seattle"]),
        ("USA", 6, ["Boise", "Portland", "Tulsa"])]),
    "eu": (2_000_000, 5000, [
        ("IE", 15, ["Cork", "Dublin", "Galway"]),
        ("DE", 35, ["Berlin", "Hamburg", "Leipzig", "Munich"]),
        ("FR", 28, ["Lyon", "Nantes", "Paris"]),
        ("ES", 22, ["Bilbao", "Madrid", "Seville"])]),
    "domestic": (3_000_000, 7000, [
        ("CN", 100, ["Beijing", "Chengdu", "Guangzhou", "Hangzhou",
                     "Shanghai", "Wuhan", "Xi'an"])]),
}

# Rows for each subject at scale 1.
PER_SUBJECT = {"videos": 1.5, "follows": 6, "likes": 10, "comments": 3,
               "watch_events": 32, "messages": 2}
REPORTS_MIN, REPORTS_PER_SUBJECT = 100, 0.1
FIRST_TICKET = 1000

TOPICS = ["music", "cooking", "travel", "football", "comedy", "science",
          "fashion", "gaming", "pets", "crafts", "news", "dance"]
DEVICES = ["Pebble 4", "Pebble 5 Mini", "Larch Tab", "Corvid X", "Corvid SE",
           "Desktop"]
STARTS = ["Al", "Be", "Cor", "Da", "El", "Fa", "Gri", "Ho", "Il", "Jo", "Ka",
          "Lu", "Mi", "No", "Or", "Pe", "Qui", "Ro", "Sa", "Ta", "Ul", "Ve"]
MIDDLES = ["ba", "di", "fe", "lo", "mi", "na", "ri", "so", "ta", "ve"]
ENDS = ["dor", "fin", "len", "lis", "mar", "nak", "rin", "sel", "tho", "wen"]
ADJECTIVES = ["quiet", "golden", "tiny", "loud", "lost", "perfect", "salty",
              "slow", "wild", "secret"]
THINGS = ["harbour", "kitchen", "dog", "goal", "sunset", "beat", "tower",
          "garden", "trick", "road"]
REMARKS = ["love this", "where is that?", "again please", "not sure about it",
           "my sister needs to see this", "first!", "so good", "too long",
           "what song is that?", "made my day"]
NOTES = ["are you coming on Friday?", "call me later", "saw your video",
         "do not tell anybody", "the appointment is at nine", "happy birthday",
         "can you send the address?", "I moved out", "thanks for yesterday"]
REASONS = ["spam", "harassment", "copyright", "dangerous act", "hate"]

DAY_COUNT = 365                 # of them the last is 2026-10-31
HMS = [f"{h:02}:{m:02}:{s:02}+00"
       for h in range(24) for m in range(60) for s in range(60)]


def days():
    """The last DAY_COUNT days up to 2026-10-31, as text, in order."""
    lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    every = [f"{year}-{month + 1:02}-{day + 1:02}"
             for year in (2025, 2026) for month in range(12)
             for day in range(lengths[month])]
    end = every.index("2026-10-31") + 1
    return every[end - DAY_COUNT:end]


DAYS = days()


class Store:
    def __init__(self, name, scale, seed):
        self.rng = random.Random(f"{seed}/{name}/{scale}")
        self.first, subjects, countries = STORES[name]
        self.n = max(40, int(subjects * scale))
        self.countries = countries
        self.users = list(range(self.first, self.first + self.n))
        self.n_videos = int(self.n * PER_SUBJECT["videos"])
        self.videos = list(range(self.first * 10,
                                 self.first * 10 + self.n_videos))
        # Ranks are dealt out at random, so that ids say nothing of fame.
        self.by_activity = self.shuffled(self.users)
        self.by_fame = self.shuffled(self.videos)
        self.activity = zipf(self.n, 0.8)
        self.fame = zipf(self.n_videos, 0.95)

    def shuffled(self, items):
        copy = list(items)
        self.rng.shuffle(copy)
        return copy

    def count(self, table):
        return int(self.n * PER_SUBJECT[table])

    def active(self, k):
        """k users, the active ones more often."""
        return self.rng.choices(self.by_activity, cum_weights=self.activity,
                                k=k)

    def popular(self, k):
        return self.rng.choices(self.by_fame, cum_weights=self.fame, k=k)

    def times(self, k):
        """k instants; later days are busier, as the platform grows."""
        rng = self.rng.random
        for _ in range(k):
            yield (DAYS[int(DAY_COUNT * rng() ** 0.6)] + " "
                   + HMS[int(86400 * rng())])

    def topics(self):
        for i, name in enumerate(TOPICS, 1):
            yield f"{i}\t{name}"

    def people(self):
        """users and profiles come from the same draws: both lists."""
        rng = self.rng
        users, profiles = [], []
        values = rng.choices(self.countries,
                             weights=[c[1] for c in self.countries], k=self.n)
        self.city_of = {}
        for i, (country, _, cities) in zip(self.users, values):
            first = rng.choice(STARTS) + rng.choice(ENDS)
            last = rng.choice(STARTS) + rng.choice(MIDDLES) + rng.choice(ENDS)
            handle = f"{first.lower()}.{last.lower()}.{i % 1_000_000}"
            self.city_of[i] = rng.choice(cities)
            born = f"{rng.randrange(1960, 2011)}-{rng.randrange(1, 13):02}" \
                   f"-{rng.randrange(1, 29):02}"
            users.append(f"{i}\t{handle}\t{country}\t{born}\t"
                         f"{DAYS[rng.randrange(DAY_COUNT)]} "
                         f"{HMS[rng.randrange(86400)]}")
            a, b = rng.sample(TOPICS, 2)
            profiles.append(
                f"{i}\t{first} {last}\t{handle}@mail.example\t"
                f"+999 {rng.randrange(10**8, 10**9)}\t"
                f"{rng.choice(ADJECTIVES)} {rng.choice(THINGS)} person\t"
                f"{a},{b}")
        return users, profiles

    def video_rows(self):
        rng = self.rng
        owners = self.active(self.n_videos)
        self.owner_of = dict(zip(self.videos, owners))
        for v, owner, when in zip(self.videos, owners,
                                  self.times(self.n_videos)):
            a, t = rng.choice(ADJECTIVES), rng.choice(THINGS)
            hidden = "t" if rng.random() < 0.01 else "f"
            yield f"{v}\t{owner}\tThe {a} {t}\t#{t} #{a}\t{hidden}\t{when}"

    def pairs(self, left, right):
        """Distinct pairs of unequal members, in order of first drawing."""
        return [p for p in dict.fromkeys(zip(left, right)) if p[0] != p[1]]

    def follows(self):
        k = self.count("follows")
        # As many again, since drawing the famous twice gives doubles.
        self.follow_pairs = self.pairs(self.active(k * 2),
                                       self.active(k * 2))[:k]
        for (a, b), when in zip(self.follow_pairs,
                                self.times(len(self.follow_pairs))):
            yield f"{a}\t{b}\t{when}"

    def likes(self):
        k = self.count("likes")
        found = self.pairs(self.active(k * 2), self.popular(k * 2))[:k]
        for (u, v), when in zip(found, self.times(len(found))):
            yield f"{u}\t{v}\t{when}"

    def comments(self):
        k = self.count("comments")
        rows = zip(self.popular(k), self.active(k),
                   self.rng.choices(REMARKS, k=k), self.times(k))
        for i, (v, u, body, when) in enumerate(rows, 1):
            yield f"{i}\t{v}\t{u}\t{body}\t{when}"

    def watch_events(self):
        k = self.count("watch_events")
        rng, city_of = self.rng.random, self.city_of
        nets = ["192.0.2.", "198.51.100.", "203.0.113."]
        everywhere = sorted({c for _, _, cs in self.countries for c in cs})
        rows = zip(self.active(k), self.popular(k), self.times(k),
                   self.rng.choices(DEVICES, k=k))
        for i, (u, v, when, device) in enumerate(rows, 1):
            r = rng()
            # One in twenty is away from home.
            city = (everywhere[int(r * 20 * len(everywhere))]
                    if r < 0.05 else city_of[u])
            ip = nets[u % 3] + str(1 + (u * 7 + v) % 254)
            yield (f"{i}\t{u}\t{v}\t{when}\t{int(2 + 180 * r * r)}\t"
                   f"{device}\t{ip}\t{city}")

    def messages(self):
        k = self.count("messages")
        rows = zip(self.rng.choices(self.follow_pairs, k=k),
                   self.rng.choices(NOTES, k=k), self.times(k))
        for i, ((a, b), body, when) in enumerate(rows, 1):
            yield f"{i}\t{a}\t{b}\t{body}\t{when}"

    def reports(self):
        k = max(REPORTS_MIN, int(self.n * REPORTS_PER_SUBJECT))
        rows = zip(self.popular(k), self.active(k),
                   self.rng.choices(REASONS, k=k), self.times(k))
        for i, (v, u, reason, when) in enumerate(rows):
            state = "open" if self.rng.random() < 0.3 else "closed"
            yield (f"{i + 1}\t{v}\t{u}\t{reason}\tTS-{FIRST_TICKET + i}\t"
                   f"{state}\t{when}")

    def tables(self):
        """(table and columns, rows) in an order that foreign keys accept."""
        users, profiles = self.people()
        yield "topics", self.topics()
        yield "users", users
        yield "profiles", profiles
        yield "videos", self.video_rows()
        yield "follows", self.follows()
        yield "likes", self.likes()
        yield "comments", self.comments()
        yield "watch_events", self.watch_events()
        yield "messages", self.messages()
        yield "reports", self.reports()


def zipf(n, s):
    """Cumulative weights of ranks 1..n, weight 1/(rank + 2)^s."""
    return list(itertools.accumulate(1 / (i + 3) ** s for i in range(n)))


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("store", choices=STORES)
    p.add_argument("--scale", type=float, default=1.0)
    p.add_argument("--seed", default="clipwave")
    a = p.parse_args()
    # Whoever reads the stream may end it; no word is needed then.
    for s in (signal.SIGINT, signal.SIGPIPE):
        signal.signal(s, signal.SIG_DFL)
    out = sys.stdout
    out.write("BEGIN;\n")
    for table, rows in Store(a.store, a.scale, a.seed).tables():
        out.write(f"COPY public.{table} FROM stdin;\n")
        rows = iter(rows)
        while chunk := list(itertools.islice(rows, 5000)):
            out.write("\n".join(chunk) + "\n")
        out.write("\\.\n")
    out.write("COMMIT;\n")


if __name__ == "__main__":
    main()
