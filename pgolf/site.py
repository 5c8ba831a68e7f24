"""What mkdocs calls while it builds the docs site: pages outside docs/ are in it, and links to files that are none are names.

`mkdocs.yml` names this file under `hooks`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
OUTSIDE = ("CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/results.md")
"""Pages of the checkout that the site has as well."""
LINK = re.compile(r"\[([^\]\n]+)\]\(([^)\s]+)\)")


def on_files(files: Any, config: Any) -> Any:
    """Add the pages outside docs/."""
    from mkdocs.structure.files import File

    for name in OUTSIDE:
        files.append(File.generated(config, name, abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Links as the site needs them."""
    return LINK.sub(lambda match: site_link(match, page.file.src_uri), markdown)


def site_link(match: re.Match[str], page: str) -> str:
    """A link of a page: to another page as it is, to a page outside docs/ by its place in the site, to a file as its name."""
    words, target = match[1], match[2]
    path, hash_mark, anchor = target.partition("#")
    if "://" in target or not path:
        return match[0]
    source = ROOT / page if page in OUTSIDE else ROOT / "docs" / page
    found = (source.parent / path).resolve()
    if not found.is_relative_to(ROOT):
        return match[0]
    name = found.relative_to(ROOT).as_posix()
    if name in OUTSIDE or found.is_relative_to(ROOT / "docs"):
        up = "../" * page.count("/")
        return f"[{words}]({up}{name.removeprefix('docs/')}{hash_mark}{anchor})"
    if not found.exists():
        return match[0]  # mkdocs says that it leads nowhere
    return words if words.strip("`") == name else f"{words} (`{name}`)"
