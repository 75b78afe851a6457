"""The page in a real browser: nothing sticks out, no words collide, both colour schemes."""

import pytest

from lutgen.report.measured import read_measured
from lutgen.report.page import render
from tests.chromium import CHROMIUM, needs_chromium
from tests.report.records import (
    FILES,
    LEVELS,
    LEVELS_FILES,
    PREDICTIVE,
    build,
    full_page,
    load,
    none_measured,
    predictive_page,
)

pytestmark = [pytest.mark.slow, needs_chromium]
WIDTHS = (360, 768, 1280)

#: Elements that reach beyond the body's padding; what is hidden on purpose counts not.
STICKING_OUT = """() => {
  const body = document.body, style = getComputedStyle(body), box = body.getBoundingClientRect();
  const left = box.left + parseFloat(style.paddingLeft) - 3;
  const right = box.right - parseFloat(style.paddingRight) + 1;
  return [...body.querySelectorAll('*')].filter(e => {
    if (e.closest('svg') && e.tagName !== 'svg' || e.closest('.skip, .hidden')) return false;
    const r = e.getBoundingClientRect();
    return r.width && (r.left < left || r.right > right);
  }).map(e => `${e.tagName} ${e.className}: ${e.textContent.trim().slice(0, 40)}`);
}"""

#: Words of pictures that leave their picture or touch other words, and letters too small to read.
COLLIDING = """() => {
  const bad = [];
  for (const svg of document.querySelectorAll('svg.figure')) {
    const frame = svg.getBoundingClientRect();
    const all = [...svg.querySelectorAll('text')].map(t => [t, t.getBoundingClientRect()]);
    all.forEach(([t, r], i) => {
      if (r.left < frame.left - 1 || r.right > frame.right + 1 || r.top < frame.top - 1
          || r.bottom > frame.bottom + 1) bad.push(`outside: ${t.textContent}`);
      const size = parseFloat(getComputedStyle(t).fontSize) * frame.width
        / svg.viewBox.baseVal.width;
      if (size < 9) bad.push(`${size} px: ${t.textContent}`);
      for (const [u, s] of all.slice(i + 1))
        if (r.left < s.right && s.left < r.right && r.top + 2 < s.bottom && s.top + 2 < r.bottom)
          bad.push(`${t.textContent} on ${u.textContent}`);
    });
  }
  return bad;
}"""


def pages() -> dict[str, str]:
    levels = build(LEVELS)
    longest = "x" * 70
    several = {f"{longest}{k}": load(FILES["eval"])["emnist_digits"] for k in range(3)}
    record = build(folder=f"rtl_out/{longest}")
    record["model"]["profile"] = longest
    deep = build(PREDICTIVE)
    deep["parameters"] |= {"depth": 12, "strip_height": 1024, "max_width": 16384}
    deep["model"]["name"] = longest
    for core in deep["cores"].values():
        core |= {"lanes": 32, "period": 128}
        for port in core["ports"]:
            port["width"] = 16 if port["name"].endswith("video_tdata") else port["width"]
    return {
        "full": full_page(),
        "levels": render(levels, read_measured(levels, LEVELS_FILES)),
        "bare": render(build(), none_measured()),
        "predictive": predictive_page(),
        "predictive, 12 bits": render(deep, none_measured(deep)),
        "long names": render(record, none_measured() | {"eval": several}),
    }


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture(
    scope="module",
    params=["full", "levels", "bare", "predictive", "predictive, 12 bits", "long names"],
)
def path(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(pages()[request.param])
    return path


@pytest.fixture
def opened(browser, path):
    """A function that opens the page; what it asks of others and complains of is an error."""
    contexts, heard = [], []

    def open_page(width: int, scheme: str = "light"):
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda r: heard.append(r.url) if r.url != path.as_uri() else None)
        page.on("console", lambda message: heard.append(message.text))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert heard == []


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_sticks_out(opened, width):
    page = opened(width)
    for details in page.query_selector_all("summary"):
        details.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(STICKING_OUT) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_words_of_pictures_stand_clear(opened, width):
    assert opened(width).evaluate(COLLIDING) == []


def test_schemes(opened):
    """Light paper and dark ink, or the reverse, in text and in pictures."""

    def brightness(page, selector: str, style: str) -> float:
        colour = page.eval_on_selector(selector, f"e => getComputedStyle(e)['{style}']")
        return sum(map(float, colour.removeprefix("rgb(").removesuffix(")").split(","))) / 765

    for scheme, papers in (("light", (0.9, 1)), ("dark", (0, 0.15))):
        page = opened(1280, scheme)
        for selector, paper, ink in (
            ("html", "backgroundColor", "color"), (".figure .box", "fill", "stroke"),
        ):  # fmt: skip
            assert papers[0] <= brightness(page, selector, paper) <= papers[1]
            assert abs(brightness(page, selector, paper) - brightness(page, selector, ink)) > 0.6


def test_prints(opened):
    """Details are open on paper, and the paper is white."""
    page = opened(1280, "dark")
    page.emulate_media(media="print")
    paper = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert paper == "rgb(255, 255, 255)"
    rows = page.query_selector_all("details tbody tr")
    assert rows and all(row.bounding_box()["height"] > 0 for row in rows)
    assert page.pdf().startswith(b"%PDF")
