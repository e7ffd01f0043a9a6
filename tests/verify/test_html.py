"""The page: well-formed, escaped, asking for nothing, readable in both
colours. No browser: html.parser, and arithmetic."""
import base64
import hashlib
import html.parser
import re
import sys

from logkit import (BEGIN, CONTROL, VKEY, Log, all_of, changed, claim_text,
                    main)

VOID = {"meta", "br"}
SHAPES = {"line", "circle", "rect", "path"}
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=y>&amp;</title>"


class Page(html.parser.HTMLParser):
    """Every tag closed, in order; keeps what the tests ask about."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.text, self.heads = [], [], {}, []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs), attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert tag in SHAPES, tag
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open)
        self.open.pop()

    def handle_data(self, data):
        for tag in self.open:
            self.text.setdefault(tag, []).append(data)
        if self.open and re.fullmatch("h[1-6]", self.open[-1]):
            self.heads.append((int(self.open[-1][1]), data))

    def words(self, tag="body"):
        return " ".join(" ".join(self.text.get(tag, [])).split())


def pages(bench):
    """One page of each verdict, with gaps, services and undecided things."""
    log = Log()
    begin = log.now
    for who in ("wei", "aoife", "ethan"):
        log.visit(who, "us")
    s = log.session("hqfeed", "eu")
    log.close(s, 5, 50)
    s = log.session("wei", "mixed")
    log.read(s, all_of(["US", "IE"]))
    log.close(s)
    log.stop()
    log.now += 5000
    log.boot()
    log.now += 50000
    log.beat_now()
    end = log.now + 5
    log.wait(2000)
    to = bench.write(log)
    for name, claim in (
            ("refuted", claim_text(begin, end, whose="[US, IE]")),
            ("everybody", claim_text(begin, end, who="{}")),
            ("not shown", claim_text(begin, end, whose="[US]",
                                     who="{controlled-from: [CN], "
                                     "by: [ownership]}")),
            ("holds", claim_text(begin, begin + 40,
                                 who="{roles: [sre], is: [covered]}"))):
        yield name, page(bench, to, claim)
    broken = bench.write(log, "broken")
    (broken / "tile/0/000.p" / str(len(log.records))).write_bytes(b"x")
    yield "broken", page(bench, broken, claim_text(begin, end))


def page(bench, to, claim, *more):
    file = bench.dir / "page.html"
    p = bench.run("claim", bench.claim_file(claim), "--log", to, "--key",
                  VKEY, "--html", file, *more)
    assert p.returncode != 2, p.stderr
    return file.read_text()


def test_page_says_the_verdict_and_the_sentence(bench):
    want = {"refuted": "Refuted", "everybody": "Refuted",
            "not shown": "Not shown", "holds": "Holds",
            "broken": "Log broken"}
    for name, text in pages(bench):
        p = Page(text)
        assert want[name] in p.words("h2"), name
        assert p.words("blockquote") == "No data went there."
        assert p.words("title").startswith(want[name])
        for word in ("Who", "Whose", "Period"):
            assert word in p.words("dt")
        assert ("what the policy defines as covered" in p.words("dd")) == \
            (name == "holds")


def test_page_is_well_formed_with_headings_in_order(bench):
    for name, text in pages(bench):
        p = Page(text)
        assert text.startswith("<!DOCTYPE html>\n<html lang=\"en\">")
        levels = [level for level, _ in p.heads]
        assert levels.count(1) == 1 and levels[0] == 1, levels
        assert all(b - a <= 1 for a, b in zip(levels, levels[1:])), levels
        tags = [t for t, _ in p.tags]
        assert tags.count("main") == 1
        assert tags.count("caption") == tags.count("table") > 0
        for tag, attrs in p.tags:
            if tag == "th":
                assert attrs.get("scope") in ("col", "row")
            if tag == "svg":
                assert attrs["role"] == "img" and attrs["aria-labelledby"]
        ids = [a["id"] for _, a in p.tags if "id" in a]
        assert len(ids) == len(set(ids)), ids
        for _, attrs in p.tags:
            if "aria-labelledby" in attrs:
                assert attrs["aria-labelledby"] in ids


def test_page_asks_for_nothing_and_allows_only_its_own_style(bench):
    for name, text in pages(bench):
        p = Page(text)
        for tag, attrs in p.tags:
            assert tag not in ("script", "link", "img", "iframe", "object",
                               "embed", "form", "base", "a", "use", "image")
            for key in attrs:
                assert key not in ("src", "href", "style", "srcset",
                                   "xlink:href"), (tag, key)
                assert not key.startswith("on")
        style = text.partition("<style>")[2].partition("</style>")[0]
        assert "@import" not in style
        assert re.findall(r"url\(([^)]*)\)", style) == ["#hatch"]
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest())
        csp, = [a["content"] for t, a in p.tags if t == "meta" and
                a.get("http-equiv") == "Content-Security-Policy"]
        assert csp == ("default-src 'none'; style-src 'sha256-"
                       f"{digest.decode()}'; base-uri 'none'; "
                       "form-action 'none'")
        # The policy stands before anything that it must hold back.
        assert text.index("Content-Security-Policy") < text.index("<style>")


def test_hostile_strings_stay_text(bench):
    log = Log()
    begin = log.now
    s = log.session("wei", "us", purpose=HOSTILE, ticket=HOSTILE,
                    principal=HOSTILE, source=HOSTILE)
    bound = all_of(["US"])
    bound[0]["categories"] = [HOSTILE]
    bound[1]["table"] = "x." + HOSTILE
    log.records[-1]["control"][0].update(kinds=["location"],
                                         steps=[HOSTILE, "\u202e\x1b[2J"])
    log.read(s, bound, what=HOSTILE, rules=[HOSTILE], would=[
        {"table": HOSTILE, "rule": HOSTILE, "because": HOSTILE,
         "sqlstate": "42501"}])
    log.close(s)
    end = log.now + 5
    log.wait(2000)
    for i in range(len(log.records)):
        log.records[i]["gateway"] = "gw" + HOSTILE
    claim = claim_text(begin, end).replace(
        "title: a test", "title: " + repr("t" + HOSTILE.replace("'", "")))
    claim = claim.replace("No data went there.", HOSTILE.replace("'", "") +
                          " never").replace("sworn-by: nobody",
                                            "sworn-by: '<b>me</b>'")
    text = page(bench, bench.write(log), claim)
    p = Page(text)
    assert not {"script", "img", "b"} & {t for t, _ in p.tags}
    assert HOSTILE in " ".join(p.text["table"])
    assert HOSTILE.replace("'", "") in " ".join(p.text["blockquote"])
    assert "\x1b" not in text and "\u202e" not in text
    assert "Refuted" in p.words("h2")


def test_page_has_each_disclosure_and_the_numbers(bench):
    import json
    log = Log()
    begin = log.now
    at = [log.visit(w, "us", rows=i + 2)
          for i, w in enumerate(("wei", "ethan", "wei"))]
    end = log.now + 5
    log.wait(2000)
    to = bench.write(log)
    p = Page(page(bench, to, claim_text(begin, end)))
    rows = " ".join(p.text["tbody"])
    for i, seq in enumerate(at):
        assert re.search(rf"\b{seq}\b", rows) and f"{i + 2} rows" in rows
    # Of store us 100 residents of the US were counted, once for all three.
    assert "at most 100 persons" in " ".join(p.text["svg"])
    circles = [a for t, a in p.tags if t == "circle"
               and a["class"] == "mark"]
    titles = [int(x) for x in p.text["title"][1:] if x.isdigit()]
    assert sum(titles) == 3 and len(circles) == len(titles)
    for word in ("Wei Jun (wei)", "Ethan Cole (ethan)"):
        assert word in p.words("h3")


def test_long_lists_are_cut_and_say_so(bench):
    log = Log()
    begin = log.now
    s = log.session("wei", "us")
    for _ in range(230):
        log.read(s, all_of(["US"]))
    log.close(s)
    end = log.now + 5
    log.wait(2000)
    to = bench.write(log)
    claim = claim_text(begin, end)
    p = Page(page(bench, to, claim))
    assert "And 30 more" in p.words("p")
    assert "And 30 more" not in Page(page(bench, to, claim, "--all")).words()


# -- contrast, by WCAG 2's formula -----------------------------------------

def luminance(colour):
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
             for c in parts]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), parts))


def contrast(a, b):
    a, b = sorted((luminance(a), luminance(b)))
    return (b + 0.05) / (a + 0.05)


def test_contrast_suffices_in_light_dark_and_print(bench):
    assert round(contrast("#000000", "#ffffff"), 1) == 21.0
    text = next(iter(pages(bench)))[1]
    schemes = [dict(re.findall(r"--([a-z-]+):(#[0-9a-f]{6})", s))
               for s in re.findall(r":root\{([^}]*)\}", text)]
    assert len(schemes) == 3
    texts = [("fg", "bg"), ("fg", "card"), ("muted", "bg"),
             ("muted", "card"), ("accent", "card")]
    for word in ("bad", "good", "open"):
        texts += [(word, f"{word}-bg"), ("fg", f"{word}-bg"),
                  ("muted", f"{word}-bg")]
    shapes = [("graph", "card"), ("bad", "card"), ("open", "card")]
    for scheme in schemes:
        for pairs, least in ((texts, 4.5), (shapes, 3)):
            for a, b in pairs:
                assert contrast(scheme[a], scheme[b]) >= least, (a, b, scheme)


def test_page_that_cannot_be_written_is_status_2(bench):
    log = Log()
    to = bench.write(log)
    p = bench.run("claim", bench.claim_file(claim_text(BEGIN, log.now)),
                  "--log", to, "--key", VKEY, "--html",
                  bench.dir / "no/such/page")
    assert p.returncode == 2 and "no/such/page" in p.stderr


if __name__ == "__main__":
    sys.exit(main(globals()))
