"""The development split of real submissions, where it is found beside the checkout: read in place, never copied in."""

import gzip
import json
from pathlib import Path

SPLIT = Path(__file__).parent.parent / "../shared/corpus/folders"


def folders():
    """Names of all folders of the split; empty where there is none."""
    return sorted(path.name for path in SPLIT.iterdir()) if SPLIT.is_dir() else []


def document(name, kind):
    """facts or expected verdicts of one folder."""
    return json.loads((SPLIT / name / f"{kind}.json").read_text(encoding="utf-8"))


def materialize(name, target):
    """The folder as it was submitted, with files of the right sizes in place of those that are not in the split."""
    facts = document(name, "facts")
    root = target / facts["track"] / facts["folder"]
    for item in facts["files"]:
        path, stored = root / item["name"], SPLIT / name / "files" / (item.get("stored_as") or item["name"])
        path.parent.mkdir(parents=True, exist_ok=True)
        if stored.is_file():
            data = stored.read_bytes()
            path.write_bytes(gzip.decompress(data) if stored.suffix == ".gz" and path.suffix != ".gz" else data)
        elif (
            item["bytes"]
            and item["name"] == (facts["entry"] or {}).get("name")
            and facts["entry"]["kind"].startswith("executes")
        ):
            path.write_bytes(stub(facts, item["bytes"]))
        else:
            path.write_bytes((b"#" * (item["bytes"] - 1) + b"\n") if item["bytes"] else b"")
    return root


def stub(facts, size):
    """A script of `size` bytes that executes its sibling."""
    other = facts["other_code_files"][0]["name"]
    return f'exec(open("{other}").read())'.ljust(size - 1).encode() + b"\n"
