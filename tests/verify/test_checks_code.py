"""Checks of the code as text: what it needs, and whether all of it can be read."""

import zlib

import pytest
from folders import make_folder, outcome
from written_code import write

from pgolf.verify.checks_code_rules import RULES
from pgolf.verify.report import all_checks


@pytest.mark.parametrize(
    ("check", "wrong", "right"),
    [
        ("code.imports", "import mamba_ssm\n", "import torch, triton, helper\n"),
        ("code.programs", "import os\nos.system('lrzip x')\n", "import subprocess\nsubprocess.run('nvidia-smi')\n"),
        ("code.network", "import requests\n", "import torch\n"),
        ("code.files", "open('table.bin')\n", "open('/data/table.bin')\nopen('elsewhere.bin')\n"),
        ("code.unpack", "import sys\nexec(sys.argv[1])\n", "import zlib\nx = zlib.decompress(b'')\n"),
    ],
)
def test_what_code_needs(bare, check, wrong, right):
    (bare / "table.bin").write_bytes(b"x")
    write(bare, "", "helper.py")
    write(bare, wrong)
    assert outcome(bare, check).status == "WARN"
    write(bare, right)
    assert outcome(bare, check).status == "PASS"
    write(bare, "def (")
    assert outcome(bare, check).status == "SKIP"


def test_entry_says_which_pythons_read_it(bare):
    write(bare, """x = f"{d["a"]}"\n""")
    found = outcome(bare, "pkg.entry")
    assert found.status == "WARN" and found.evidence["accepts"]["3.11"] is False
    inner = """x = f"{d["a"]}"\n"""
    write(bare, f"import zlib\nexec(zlib.decompress({zlib.compress(inner.encode())!r}))\n")
    assert outcome(bare, "pkg.entry").status == "WARN"
    write(bare, "x = 1\n")
    assert outcome(bare, "pkg.entry").status == "PASS"


def test_a_stub_without_its_file(bare):
    write(bare, 'exec(open("inner.py").read())\n')
    assert "is missing" in outcome(bare, "code.unpack").message
    write(bare, "import torch\n", "inner.py")
    assert outcome(bare, "code.unpack").status == "PASS"
    found = outcome(bare, "size.accounts")
    assert found.evidence["shipped"] == len('exec(open("inner.py").read())\n') + len("import torch\n")


def test_a_stub_is_not_followed_out_of_the_folder(bare, tmp_path):
    (tmp_path / "secret.py").write_text("SECRET = 1\n")
    write(bare, 'exec(open("../secret.py").read())\n')
    assert "out of the folder" in outcome(bare, "code.unpack").message
    (bare / "link.py").symlink_to(tmp_path / "secret.py")
    write(bare, 'exec(open("link.py").read())\n')
    assert "out of the folder" in outcome(bare, "code.unpack").message


def test_more_code_beside_the_script(bare):
    assert outcome(bare, "pkg.extra").status == "PASS"
    write(bare, "x = 1\n", "kernel.cu")
    found = outcome(bare, "pkg.extra")
    assert found.status == "WARN" and found.evidence == {"files": {"kernel.cu": 6}, "bytes": 6, "count": 1}


def test_other_names_are_found_and_said(bare):
    write(bare, "{}", "submission.json")
    assert outcome(bare, "pkg.names").status == "PASS"
    (bare / "train_gpt.py").rename(bare / "train_gpt_v2.py")
    assert outcome(bare, "pkg.names").status == "WARN"


def test_accounts_give_three_numbers(tmp_path):
    bare = make_folder(tmp_path / "toy")
    found = outcome(bare, "size.accounts")
    size = (bare / "train_gpt.py").stat().st_size
    assert (found.evidence["shipped"], found.evidence["logged"]) == (size, [size])
    assert found.status == "PASS" and found.evidence["repacked"] is None
    again = outcome(bare, "size.accounts", repack=True)
    assert again.evidence["repacked"] or again.evidence["repack_note"]


UNREAD = {
    "another name": "import torch\nrun = exec\nrun(CODE)\n",
    "text from outside": "import torch\nexec(sys.stdin.read())\n",
    "eval": "import os\neval(os.environ['X'])\n",
    "import by name": "import importlib\nimportlib.import_module(NAME)\n",
    "code object": "import marshal\nmarshal.loads(DATA)\n",
    "getattr": "import builtins\ngetattr(builtins, NAME)(TEXT)\n",
    "unknown filter": "import lzma\nexec(lzma.decompress(b'', format=lzma.FORMAT_RAW, filters=[{'id': 0x"
    + "f" * 5000
    + "}]))\n",
    "imported and unread": "import helper\n",
}


@pytest.mark.parametrize("kind", UNREAD)
def test_unread_code_passes_nothing(bare, kind):
    (bare / "helper.py").write_text("exec(open('/tmp/x').read())\n")
    write(bare, UNREAD[kind])
    found = {item.id: outcome(bare, item.id) for item in all_checks() if item.id.startswith(("code.", "rule."))}
    assert found["code.unpack"].status == "WARN"
    for name in ("code.imports", "code.programs", "code.network", "code.files", *RULES):
        assert found[name].status == "SKIP" and "not read" in found[name].message, name
