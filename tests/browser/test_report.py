"""The verdict's page in a real browser: Chromium as Debian packages it, light
and dark, on a screen, on a telephone and on paper. axe-core (Deque) looks
for what keeps people from reading it.

The same pages as tests/verify/test_html.py's, which reads their text.
"""
import os
import pathlib
import shutil
import sys

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

HERE = pathlib.Path(__file__).resolve().parent
BIN = pathlib.Path(os.environ["SWORN_BIN"])
AXE = HERE / "node_modules/axe-core/axe.min.js"
SIZES = {"screen": (1280, 900), "telephone": (360, 740)}
# What Chromium gives a page of A4 between its default margins, in CSS pixels.
PAPER = (718, 1047)


def verify_tests():
    """tests/verify's modules, which take their programs as arguments."""
    sys.path.insert(0, str(HERE.parent / "verify"))
    kept, sys.argv = sys.argv, ["", str(BIN / "make_log"),
                                str(BIN / "sworn-verify")]
    try:
        import logkit
        import test_html
    finally:
        sys.argv = kept
        sys.path.pop(0)
    return logkit, test_html


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """By verdict, each written to a file of its own."""
    logkit, test_html = verify_tests()
    folder = tmp_path_factory.mktemp("pages")
    made = {}
    with logkit.Bench() as bench:
        for name, text in test_html.pages(bench):
            made[name] = folder / f"{name.replace(' ', '-')}.html"
            made[name].write_text(text)
    return made


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for word in ("--headless=new", "--disable-gpu", "--hide-scrollbars",
                 # Its own sandbox needs what a container may forbid, and
                 # the pages are ours.
                 "--no-sandbox", "--disable-dev-shm-usage",
                 f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(word)
    driver = webdriver.Chrome(
        service=Service(shutil.which("chromedriver")), options=options)
    yield driver
    driver.quit()


def show(browser, path, colours, medium, size):
    for name, arguments in (
            ("Emulation.setDeviceMetricsOverride",
             {"width": size[0], "height": size[1], "deviceScaleFactor": 1,
              "mobile": False}),
            ("Emulation.setEmulatedMedia",
             {"media": medium, "features": [
                 {"name": "prefers-color-scheme", "value": colours}]})):
        browser.execute_cdp_cmd(name, arguments)
    browser.get_log("browser")
    browser.get(path.as_uri())


def everywhere():
    for colours in ("light", "dark"):
        for name, size in SIZES.items():
            yield f"{colours} {name}", colours, "screen", size
    yield "paper", "light", "print", PAPER


def findings(browser):
    """What axe-core calls serious or critical, with where and why."""
    browser.execute_script(AXE.read_text())
    said = browser.execute_async_script(
        "const done = arguments[arguments.length - 1];"
        "axe.run().then(done, e => done({error: String(e)}));")
    assert "error" not in said, said
    assert len(said["passes"]) > 10, "axe-core looked at next to nothing"
    return [f"{v['id']}: {n['html']}: {n['failureSummary']}"
            for v in said["violations"]
            if v["impact"] in ("serious", "critical") for n in v["nodes"]]


WIDER = """
    const clipped = e => getComputedStyle(e).overflowX == 'hidden' &&
        e.scrollWidth > e.clientWidth + 1;
    const beyond = e => e.getBoundingClientRect().right > innerWidth + 1 &&
        !(e.closest('.scroll') && getComputedStyle(
        e.closest('.scroll')).overflowX == 'auto' && e !=
        e.closest('.scroll'));
    return [...document.querySelectorAll('body *')].filter(e =>
        clipped(e) || beyond(e)).map(e => e.outerHTML.slice(0, 200));"""
# Words of a drawing that leave it, are too small, or lie on each other.
OVERLAPS = """
    const out = [];
    for (const svg of document.querySelectorAll('svg')) {
        const all = [...svg.querySelectorAll('text')].map(t =>
            [t.textContent, t.getBoundingClientRect()]);
        const f = svg.getBoundingClientRect();
        all.forEach(([a, p], i) => {
            if (p.height < 9)
                out.push(a + ' is ' + p.height + ' high');
            if (p.left < f.left - 1 || p.right > f.right + 1 ||
                p.top < f.top - 1 || p.bottom > f.bottom + 1)
                out.push(a + ' leaves its drawing');
            all.slice(i + 1).forEach(([b, q]) => {
                const x = Math.min(p.right, q.right) -
                    Math.max(p.left, q.left);
                const y = Math.min(p.bottom, q.bottom) -
                    Math.max(p.top, q.top);
                if (x > 1 && y > 0.3 * Math.min(p.height, q.height))
                    out.push(a + ' on ' + b);
            });
        });
    }
    return out;"""


@pytest.fixture(scope="module")
def looks(browser, pages):
    """Every page everywhere: what axe-core, a ruler and an eye for words
    that lie on each other find."""
    found = {"axe": {}, "wide": {}, "words": {}}
    for name, path in pages.items():
        for where, colours, medium, size in everywhere():
            show(browser, path, colours, medium, size)
            for kind, said in (
                    ("wide", browser.execute_script(WIDER)),
                    ("words", browser.execute_script(OVERLAPS)),
                    ("axe", findings(browser))):
                if said:
                    found[kind][f"{name}, {where}"] = said
    return found


def test_axe_finds_nothing_serious_wherever_the_page_is_read(looks):
    assert not looks["axe"]


def test_nothing_is_cut_off_or_wider_than_what_shows_it(looks):
    assert not looks["wide"]


def test_words_in_the_drawings_can_be_read(looks):
    assert not looks["words"]


def test_axe_finds_what_is_wrong_with_a_page(browser, pages, tmp_path):
    text = pages["refuted"].read_text()
    for bad, rule in ((text.replace('<html lang="en">', "<html>"),
                       "html-has-lang"),
                      (text.replace('role="img" aria-labelledby',
                                    'role="img" data-was'), "svg-img-alt")):
        assert bad != text
        path = tmp_path / "bad.html"
        path.write_text(bad)
        show(browser, path, "light", "screen", SIZES["screen"])
        assert any(f.startswith(rule) for f in findings(browser)), rule


def test_page_loads_without_a_complaint_or_a_request(browser, pages):
    for name, path in pages.items():
        show(browser, path, "light", "screen", SIZES["screen"])
        asked = browser.execute_script(
            "return performance.getEntriesByType('resource').map(e => e.name)")
        assert not asked, (name, asked)
        assert not browser.get_log("browser"), name


def test_page_prints_to_a_pdf_of_few_pages(browser, pages):
    for name, path in pages.items():
        show(browser, path, "dark", "", SIZES["screen"])
        pdf = browser.execute_cdp_cmd("Page.printToPDF", {})["data"]
        assert pdf.startswith("JVBERi0"), name      # "%PDF-"
