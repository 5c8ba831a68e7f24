"""The code of a folder: unpacked, with what it imports from beside it, and never run."""

import zlib

from folders import outcome
from written_code import write

from pgolf.verify.report import all_checks

CODES = ("pkg.", "code.", "rule.", "size.accounts")


def test_code_is_never_executed(bare, tmp_path):
    mark = tmp_path / "mark"
    text = f"open({str(mark)!r}, 'w').write('x')\n"
    write(bare, f"{text}exec({text!r})\n@(lambda f: {text.strip()})\nclass A: pass\n")
    for item in all_checks():
        if item.id.startswith(CODES):
            outcome(bare, item.id)
    assert not mark.exists()


def test_the_wrapper_is_looked_at_as_well(bare):
    inner = zlib.compress(b"import torch\n")
    write(bare, f"import zlib, mamba_ssm\nx = torch.minimum(nll_a, nll_b)\nexec(zlib.decompress({inner!r}))\n")
    assert "mamba_ssm" in outcome(bare, "code.imports").message
    assert outcome(bare, "rule.hindsight").status == "WARN"
    assert set(outcome(bare, "code.imports").evidence["imports"]) == {"zlib", "mamba_ssm", "torch"}


def test_imports_beside_the_script_are_read(bare):
    write(bare, "import helper\n")
    write(bare, "import os, more\n", "helper.py")
    write(bare, "import requests\nimport mamba_ssm\n", "more.py")
    write(bare, "import never\n", "unused.py")
    assert "more.py line 1" in outcome(bare, "code.network").message
    assert "mamba_ssm" in outcome(bare, "code.imports").message
    assert outcome(bare, "code.imports").evidence["helpers"] == ["helper.py", "more.py"]


def test_deep_chains_and_huge_numbers_break_no_check(bare):
    chain = "x = a" + ".b" * 2900
    write(bare, f"{chain}\nexec(a{'.b' * 2900}(3))\n")
    for item in all_checks():
        outcome(bare, item.id)
    write(bare, f"import zlib\nexec({{0x{'f' * 9000}: 1}})\nexec('a' * 0x{'f' * 9000})\n")
    for item in all_checks():
        outcome(bare, item.id)
