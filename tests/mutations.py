"""Good folders of every kind, and changes that damage them: for the hostile tests and for `benchmarks/fuzz_verify.py`."""

import gzip
import json
import random
import shutil
import zlib
from base64 import b85encode
from pathlib import Path

from folders import PROGRAM, make_folder
from foreign import baseline_log, compact_log, foreign_folder, table_log

LOG = "logs/train_seed1337.log"
KINDS = ("plain", "packed", "gzip", "built", "foreign", "one file")
PIECES = (
    b"",
    b"nan",
    b"inf",
    b"9" * 30,
    b"-",
    b"\n",
    b"\xff",
    b"1e400",
    b"val_bpb:",
    b"[" * 50,
    b"step:1/2 ",
    b"\x00",
    b'"',
)
"""Bytes that mean something to a reader."""
LONG_PIECES = (
    *(b'"""', b"exec(", b"'''", b"{", b"seed:2\n", b"step 10 | loss 9.85\n", b"(" * 60, b"\xff\xfe"),
    *(b" ws:1 " * 600, b"final " * 600),
)
FIELDS = (
    *("val_bpb", "val_loss", "seeds", "seed_results", "bytes_total", "author", "github_id", "date", "val_bpb_std"),
    "track",
)


def good_folder(folder, kind):
    """A good folder: as pgolf builds it, of anybody, with a packed script, with a gzipped log, of other scripts."""
    if kind in ("foreign", "one file"):
        texts = {
            f"train_seed{seed}.log": log(seed) for seed, log in enumerate((baseline_log, table_log, compact_log), 1)
        }
        return foreign_folder(folder, texts if kind == "foreign" else {"train.log": "".join(texts.values())})
    code = PROGRAM.encode()
    if kind == "packed":
        packed = b85encode(zlib.compress(code))
        code = b"import zlib,base64\nexec(zlib.decompress(base64.b85decode(%r)))\n" % packed
    make_folder(folder, code, seeds=(1337, 42))
    if kind != "built":
        (folder / "pgolf.lock").unlink()
    if kind == "gzip":
        log = folder / "logs/train_seed42.log"
        (folder / "logs/train_seed42.log.gz").write_bytes(gzip.compress(log.read_bytes()))
        log.unlink()
    return folder


def copy_of(source, folder):
    """A copy of somebody's folder that may be written."""
    shutil.copytree(source, folder, copy_function=shutil.copyfile)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755)
    return Path(folder)


def mutate(folder, step):
    """One change, (kind, its arguments); those that find nothing to change do nothing."""
    kind, *rest = step
    if kind in ("json", "field"):
        path = folder / "submission.json"
        try:
            document = rest[0] if kind == "json" else {**json.loads(path.read_text()), rest[0]: rest[1]}
        except (OSError, ValueError, TypeError):
            return
        path.write_text(json.dumps(document), errors="replace")
        return
    path = folder / (LOG if kind == "number" else rest[0])
    if not path.exists():
        return
    if kind == "drop":
        path.unlink()
    elif kind == "swap":
        other = folder / rest[1]
        if other.exists():
            data, found = path.read_bytes(), other.read_bytes()
            other.write_bytes(data)
            path.write_bytes(found)
    else:
        path.write_bytes(changed(kind, path.read_bytes(), *rest[0 if kind == "number" else 1 :]))


def changed(kind, data, *rest):
    """The bytes of one file after flip (place, bits), cut, twice, insert (place, piece), gzip or number (text, which)."""
    if kind == "flip" and data:
        at = rest[0] % len(data)
        return data[:at] + bytes([data[at] ^ rest[1]]) + data[at + 1 :]
    if kind == "cut":
        return data[: rest[0]]
    if kind == "twice":
        return data[: rest[0]] + data
    if kind == "insert":
        at = rest[0] % (len(data) + 1)
        return data[:at] + rest[1] + data[at:]
    if kind == "gzip":
        return gzip.compress(data, 1)
    if kind == "number":
        words = data.split(b":")
        at = 1 + rest[1] % max(1, len(words) - 1)
        words[at : at + 1] = [rest[0].encode() + b" " + words[at]] if at < len(words) else []
        return b":".join(words)
    return data


def random_step(chance: random.Random, folder):
    """A change of one of its files."""
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    if not names:
        return ("json", {})
    name = chance.choice(names)
    at = chance.randrange((folder / name).stat().st_size + 1)
    piece = chance.choice(PIECES + LONG_PIECES) * chance.choice((1, 1, 3, 400))
    value = chance.choice((None, True, 0, -1, 1e300, "", "x", [], {}, [1337, [], {}], {"1337": {"val_bpb": "1.25"}}))
    return chance.choice(
        (
            ("flip", name, at, chance.randrange(1, 256)),
            ("cut", name, at),
            ("twice", name, at),
            ("swap", name, chance.choice(names)),
            ("drop", name),
            ("gzip", name),
            ("insert", name, at, piece),
            ("insert", name, at, piece),
            ("field", chance.choice(FIELDS), value),
            ("number", chance.choice(("nan", "inf", "1e400", "-1", "0", "9" * 400)), chance.randrange(60)),
        )
    )
