"""The docs site is built strictly: every page is in it, no link leads nowhere, nothing is fetched from elsewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pgolf.docs import PAGES
from pgolf.site import LINK, OUTSIDE, site_link

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(folder)]
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_page_is_in_the_site(site):
    pages = {path.relative_to(ROOT / "docs").with_suffix("").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    pages |= {name.removesuffix(".md") for name in OUTSIDE}
    for name in pages:
        assert (site / ("index.html" if name == "index" else f"{name}/index.html")).is_file(), name
    assert {name.removesuffix(".md") for name in PAGES} <= pages


def test_nothing_is_fetched(site):
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        fetched = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(https?:[^"]+)"', text)
        assert not [address for address in fetched if "canonical" not in address], path


@pytest.mark.parametrize(
    ("page", "link", "made"),
    [
        ("index.md", "[hooks](hooks.md#a)", "[hooks](hooks.md#a)"),
        ("index.md", "[c](../CONTRIBUTING.md)", "[c](CONTRIBUTING.md)"),
        ("CONTRIBUTING.md", "[h](docs/hooks.md)", "[h](hooks.md)"),
        ("benchmarks/results.md", "[h](../docs/hooks.md)", "[h](../hooks.md)"),
        ("lineage.md", "[PR](../submissions/baseline/recipe.toml)", "PR (`submissions/baseline/recipe.toml`)"),
        ("index.md", "[x](../nowhere.md)", "[x](../nowhere.md)"),
        ("index.md", "[x](https://example.org/a.md)", "[x](https://example.org/a.md)"),
        ("index.md", "[x](#here)", "[x](#here)"),
    ],
)
def test_links(page, link, made):
    assert site_link(LINK.fullmatch(link), page) == made
