"""Pages in a browser: on a desktop and a phone, light and dark, nothing sticks out or complains, all text is legible."""

import shutil

import pytest
from report_samples import evil, rich

from pgolf.byte_report import Item
from pgolf.byte_report import page as byte_page
from pgolf.logs.plot import page as curves_page
from pgolf.logs.table import Curve
from pgolf.report.page import page
from pgolf.report.style import STYLE
from pgolf.verify.html import page as verify_page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CONTRAST = 4.5
# Text of drawings, which axe does not judge: ink against the box it stands in, or the nearest background behind the drawing.
DRAWN = """() => {
  const light = colour => { const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b }
  const behind = element => { for (let at = element; at; at = at.parentElement) {
    const colour = getComputedStyle(at).backgroundColor; if (!/, 0\\)$/.test(colour)) return colour }
    return 'rgb(255, 255, 255)' }
  const seen = []
  for (const text of document.querySelectorAll('svg text')) {
    const at = text.getBoundingClientRect(); if (!at.width) continue
    const over = [...text.ownerSVGElement.querySelectorAll('rect')].filter(rect => { const box = rect.getBoundingClientRect()
      return box.left <= at.left + 1 && box.right >= at.right - 1 && box.top <= at.top + 3 && box.bottom >= at.bottom - 3 })
    const back = over.length ? getComputedStyle(over.at(-1)).fill : behind(text.ownerSVGElement)
    const [a, b] = [light(getComputedStyle(text).fill), light(back)].sort((x, y) => y - x)
    seen.push([text.textContent, (a + 0.05) / (b + 0.05)])
  }
  return seen }"""
OUTSIDE = """() => [...document.querySelectorAll('body *')].filter(one => !one.closest('.scroll') && one.tagName != 'THEAD' &&
  !one.closest('thead') && one.getBoundingClientRect().right > innerWidth + 1).map(one => one.outerHTML.slice(0, 80))"""


def test_the_style_has_a_phone_and_no_address():
    assert "@media(max-width:40rem)" in STYLE and "url(" not in STYLE and "//" not in STYLE


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


def pages(tmp_path):
    """Name -> page, of all kinds there are."""
    one, other = rich(tmp_path), rich(tmp_path, "other")
    boxes = [Item(f"plugin_{at % 7}", f"x.module_{at}", 3000 // (at + 1)) for at in range(40)]
    return {
        "one": page([one]),
        "several": page([one, other, evil(tmp_path)]),
        "verify": verify_page([one.report, other.report], [one.numbers, other.numbers]),
        "curves": curves_page(
            [Curve("a", "train", [(1.0, 9.0), (40.0, 3.0)]), Curve("b<", "val", [(1.0, 9.0), (40.0, 3.5)])]
        ),
        "size": byte_page("Bytes of x", [("file", "9 bytes")], boxes),
    }


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="there is no browser")
def test_the_checks_see_what_is_wrong(browser):
    """Each of them, on a page that has it all."""
    drawing = '<svg width="99" height="20"><rect width="99" height="20" fill="#eee"/><text y="12" fill="#ccc">pale</text></svg>'
    with browser.new_context(viewport={"width": 390, "height": 900}) as context:
        opened = context.new_page()
        opened.set_content(f'<p style="width:500px">wide</p>{drawing}')
        assert opened.evaluate("document.documentElement.scrollWidth") > 390 and len(opened.evaluate(OUTSIDE)) == 1
        ((words, ratio),) = opened.evaluate(DRAWN)
        assert words == "pale" and ratio < CONTRAST


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="there is no browser")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_sticks_out_complains_or_is_hard_to_read(browser, tmp_path, width, scheme):
    from axe_playwright_python.sync_playwright import Axe

    for name, content in pages(tmp_path).items():
        file = tmp_path / f"{name}.html"
        file.write_text(content)
        with browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True
        ) as context:
            opened, said, asked = context.new_page(), [], []
            opened.on("console", lambda message, said=said: said.append(message.text))
            opened.on("pageerror", lambda error, said=said: said.append(str(error)))
            opened.on("request", lambda request, asked=asked: asked.append(request.url))
            opened.goto(file.as_uri())
            assert said == [] and asked == [file.as_uri()], name
            assert opened.evaluate("document.documentElement.scrollWidth") <= width, (name, opened.evaluate(OUTSIDE))
            opened.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
            assert opened.evaluate(OUTSIDE) == [], name
            pale = [(words, ratio) for words, ratio in opened.evaluate(DRAWN) if ratio < CONTRAST]
            assert pale == [], name
            rules = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa"]}}
            found = Axe().run(opened, options=rules)
            assert found.violations_count == 0, found.generate_report()
