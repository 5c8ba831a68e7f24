"""The project speaks of itself alone: nothing points at pages, numbers or catalogues that a clone does not have."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PLACES = ("pgolf", "plugins", "docs", "submissions", "benchmarks")
PAGES = sorted(
    path
    for place in PLACES
    for path in (ROOT / place).rglob("*")
    if path.suffix in (".py", ".md", ".toml") and "stages" not in path.parts and path.name != "train_gpt.py"
)
PAGES += sorted(ROOT.glob("*.md"))
DANGLING = {
    r"\bdesign decision": "a numbered decision",
    r"\bthe catalogue\b": "a catalogue of techniques",
    r"\((?:technique )?[A-Z]\d{1,2}(?:, ?[A-Z]\d{1,2})*[),]": "a technique by number",
    r"\b(?:techniques|house-style|legality|feasibility|log-formats)\.md\b": "a page that is not here",
    r"(?<![\w/])(?:\.\./)*shared/(?:vectors|findings|corpus|data|weights)\b": "a folder that is not here",
    r"/work/|/root/": "a path of one machine",
}


@pytest.mark.parametrize("pattern", DANGLING)
def test_nothing_points_outside_the_project(pattern):
    found = []
    for path in PAGES:
        name = str(path.relative_to(ROOT))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if re.search(pattern, line):
                found.append(f"{name}:{number}: {line.strip()[:100]}")
    assert found == [], f"{DANGLING[pattern]}:\n" + "\n".join(found)


def test_pages_are_found():
    assert len(PAGES) > 200 and ROOT / "README.md" in PAGES
