"""Code as text: what a program needs, and patterns with a text that fits and one that nearly does."""

import ast
import lzma
import textwrap
import zlib
from pathlib import Path

import pytest
from folders import make_folder, outcome

import pgolf.runtime
from pgolf.manager import Registry
from pgolf.verify.checks_code_rules import RULES
from pgolf.verify.code_patterns import PATTERNS, find
from pgolf.verify.code_uses import Index, uses
from pgolf.verify.report import all_checks, verify_folder

CODES = ("pkg.", "code.", "rule.", "size.accounts")


@pytest.fixture
def folder(tmp_path):
    return make_folder(tmp_path / "toy", trained=False)


def write(folder, text, name="train_gpt.py"):
    (folder / name).write_text(textwrap.dedent(text))


HITS = {
    "rule.normal": (
        """
        def key(ctx, tgt, primes, mask):
            return (ctx ^ (tgt * primes[3])) & mask
        """,
        """
        def key(t, out, mod):
            out[1:] = bitwise_xor(36313 * t[1:], 27191 * t[:-1]) % mod
            return (t[1:] * 36313) ^ (t[:-1] * 27191)
        """,
    ),
    "rule.hindsight": (
        "best = torch.minimum(nll_model, nll_cache)\n",
        "best_bpb = min(best_bpb, bpb)\nx = torch.minimum(low, high)\nseed_nll = min(3, n)\n",
    ),
    "rule.scorefirst": (
        """
        def eval_ttt(model, val_tokens, opt):
            for x, y in chunks(val_tokens):
                model(x, y).backward()
                opt.step()
                loss_sum += model(x, y).item()
        """,
        """
        def eval_ttt(model, val_tokens, opt):
            for x, y in chunks(val_tokens):
                with torch.no_grad():
                    loss_sum += model(x, y).item()
                model(x, y).backward()
                opt.step()
        """,
    ),
    "rule.onepass": ("def two_pass_eval(model, val_tokens):\n    pass\n", "def two_pass_sort(keys):\n    pass\n"),
    "rule.causal": (
        "def eval_slot(model, x, delta):\n    model(x, delta).backward()\n",
        "def slot_of(model, x):\n    return model(x)\n",
    ),
    "rule.calibval": (
        "h = collect_hessians(model, val_tokens)\n",
        "h = collect_hessians(model, train_tokens)\nloss = evaluate(model, val_tokens)\n",
    ),
    "rule.bytelut": (
        """
        def build_luts(sp):
            for i in range(sp.vocab_size()):
                piece = sp.id_to_piece(i)
                sizes[i] = len(piece.encode("utf-8")) + 1
        """,
        """
        def build_luts(sp):
            for i in range(sp.vocab_size()):
                piece = sp.id_to_piece(i)
                if piece.startswith("\\u2581"):
                    spaced[i] = True
                    piece = piece[1:]
                sizes[i] = len(piece.encode("utf-8"))
        """,
    ),
    "rule.clock": (
        "stop = os.environ.get('FORCE_STOP_STEP', 0)\n",
        "cap = os.environ.get('MAX_WALLCLOCK_SECONDS', 600)\n",
    ),
    "rule.compute": (f"SCALES = [{', '.join(f'{at}.5' for at in range(60))}]\n", f"LAYERS = {list(range(60))}\n"),
    "rule.prefix": (f"DATA = {'x' * 3000!r}\n", f"KERNEL = {'int i = 0; ' * 300!r}\n"),
    "rule.disjoint": (
        "parser.add_argument('--val-docs', type=int, default=10_000)\n",
        "parser.add_argument('--val-docs', type=int, default=50_000)\n",
    ),
}
MORE = {
    "rule.bytelut": ["bytes_per_token = 2.436\n"],
    "rule.scorefirst": ["def pre_quant_ttt(model, val_tokens):\n    pass\n"],
    "rule.hindsight": [
        "best = torch.stack([nll_a, nll_b, nll_c]).min(0).values\n",
        "best = np.minimum.reduce(nlls)\n",
    ],
}


def rules_hit(text):
    return {hit.rule for hit in find(ast.parse(textwrap.dedent(text)), textwrap.dedent(text), "train_gpt.py")}


@pytest.mark.parametrize("rule", RULES)
def test_patterns(rule):
    wrong, right = HITS[rule]
    assert rules_hit(wrong) == {rule}
    assert rule not in rules_hit(right)
    for text in MORE.get(rule, []):
        assert rules_hit(text) == {rule}


def test_every_pattern_has_a_rule_and_a_source():
    assert {item.rule for item in PATTERNS} == set(RULES)
    assert all(item.source and item.function.__doc__ for item in PATTERNS)


def test_a_hit_is_a_warning_with_line_and_excerpt(folder):
    write(folder, "import torch\nx = torch.minimum(nll_a, nll_b)\n")
    found = outcome(folder, "rule.hindsight")
    assert found.status == "WARN" and "train_gpt.py:2" in found.message
    assert found.evidence["findings"][0]["excerpt"] == "x = torch.minimum(nll_a, nll_b)"


def test_patterns_are_found_in_packed_code_and_in_scripts_beside(folder):
    inner = "h = collect_hessians(model, val_tokens)\n"
    write(folder, f"import zlib\nexec(zlib.decompress({zlib.compress(inner.encode())!r}))\n")
    assert outcome(folder, "rule.calibval").status == "WARN"
    write(folder, HITS["rule.disjoint"][0], "prepare_data.py")
    assert "prepare_data.py:1" in outcome(folder, "rule.disjoint").message


def test_static_rules_never_fail():
    for item in all_checks():
        if item.id.startswith(("rule.", "code.")) and item.function.__module__.startswith("pgolf.verify.checks_code"):
            assert item.severity == "WARN"


def test_pgolf_itself_has_no_hits():
    for path in sorted(Path(pgolf.runtime.__path__[0]).rglob("*.py")):
        text = path.read_text()
        assert find(ast.parse(text), text, path.name) == []


def test_uses_of_one_program():
    text = """
    import os, subprocess as sp, urllib.request, torch.nn.functional as F
    from huggingface_hub import snapshot_download as get
    import lrzip, sentencepiece
    from . import beside
    sp.run(["nvidia-smi"])
    sp.check_call([sys.executable, "-m", "pip", "install", "brotli"])
    os.system("apt-get install -y lrzip")
    sp.run(command)
    get("x/y")
    sentencepiece.SentencePieceProcessor(model_file="./tok/fineweb.model")
    open("data.bin", "rb"); open("out.bin", "wb"); open(name)
    """
    found = uses(Index(ast.parse(textwrap.dedent(text))))
    assert set(found.unknown) == {"huggingface_hub", "lrzip"}
    assert [use.what for use in found.programs] == ["nvidia-smi", "python", "apt-get", "?"]
    assert [use.what for use in found.unusual_programs] == ["python", "apt-get", "?"]
    assert {use.what.split()[0] for use in found.network} == {
        "import",
        "python",
        "apt-get",
        "huggingface_hub.snapshot_download",
    }
    assert [use.what for use in found.files] == ["./tok/fineweb.model", "data.bin"]


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
def test_what_code_needs(folder, check, wrong, right):
    (folder / "table.bin").write_bytes(b"x")
    write(folder, "", "helper.py")
    write(folder, wrong)
    assert outcome(folder, check).status == "WARN"
    write(folder, right)
    assert outcome(folder, check).status == "PASS"
    write(folder, "def (")
    assert outcome(folder, check).status == "SKIP"


def test_entry_says_which_pythons_read_it(folder):
    write(folder, """x = f"{d["a"]}"\n""")
    found = outcome(folder, "pkg.entry")
    assert found.status == "WARN" and found.evidence["accepts"]["3.11"] is False
    inner = """x = f"{d["a"]}"\n"""
    write(folder, f"import zlib\nexec(zlib.decompress({zlib.compress(inner.encode())!r}))\n")
    assert outcome(folder, "pkg.entry").status == "WARN"
    write(folder, "x = 1\n")
    assert outcome(folder, "pkg.entry").status == "PASS"


def test_a_stub_without_its_file(folder):
    write(folder, 'exec(open("inner.py").read())\n')
    assert "is missing" in outcome(folder, "code.unpack").message
    write(folder, "import torch\n", "inner.py")
    assert outcome(folder, "code.unpack").status == "PASS"
    found = outcome(folder, "size.accounts")
    assert found.evidence["shipped"] == len('exec(open("inner.py").read())\n') + len("import torch\n")


def test_a_stub_is_not_followed_out_of_the_folder(folder, tmp_path):
    (tmp_path / "secret.py").write_text("SECRET = 1\n")
    write(folder, 'exec(open("../secret.py").read())\n')
    assert "out of the folder" in outcome(folder, "code.unpack").message
    (folder / "link.py").symlink_to(tmp_path / "secret.py")
    write(folder, 'exec(open("link.py").read())\n')
    assert "out of the folder" in outcome(folder, "code.unpack").message


def test_more_code_beside_the_script(folder):
    assert outcome(folder, "pkg.extra").status == "PASS"
    write(folder, "x = 1\n", "kernel.cu")
    found = outcome(folder, "pkg.extra")
    assert found.status == "WARN" and found.evidence == {"files": {"kernel.cu": 6}, "bytes": 6, "count": 1}


def test_other_names_are_found_and_said(folder):
    write(folder, "{}", "submission.json")
    assert outcome(folder, "pkg.names").status == "PASS"
    (folder / "train_gpt.py").rename(folder / "train_gpt_v2.py")
    assert outcome(folder, "pkg.names").status == "WARN"


def test_accounts_give_three_numbers(tmp_path):
    folder = make_folder(tmp_path / "toy")
    found = outcome(folder, "size.accounts")
    size = (folder / "train_gpt.py").stat().st_size
    assert (found.evidence["shipped"], found.evidence["logged"]) == (size, [size])
    assert found.status == "PASS" and found.evidence["repacked"] is None
    again = outcome(folder, "size.accounts", repack=True)
    assert again.evidence["repacked"] or again.evidence["repack_note"]


def test_code_is_never_executed(folder, tmp_path):
    mark = tmp_path / "mark"
    text = f"open({str(mark)!r}, 'w').write('x')\n"
    write(folder, f"{text}exec({text!r})\n@(lambda f: {text.strip()})\nclass A: pass\n")
    for item in all_checks():
        if item.id.startswith(CODES):
            outcome(folder, item.id)
    assert not mark.exists()


def test_the_wrapper_is_looked_at_as_well(folder):
    inner = zlib.compress(b"import torch\n")
    write(folder, f"import zlib, mamba_ssm\nx = torch.minimum(nll_a, nll_b)\nexec(zlib.decompress({inner!r}))\n")
    assert "mamba_ssm" in outcome(folder, "code.imports").message
    assert outcome(folder, "rule.hindsight").status == "WARN"
    assert set(outcome(folder, "code.imports").evidence["imports"]) == {"zlib", "mamba_ssm", "torch"}


def test_nothing_is_said_about_code_that_is_not_there(tmp_path):
    """A pass would claim that a script was read."""
    (tmp_path / "submission.json").write_text("{}")
    checks = verify_folder(tmp_path, Registry)["checks"]
    passed = [item["id"] for item in checks if item["status"] == "PASS"]
    assert not [name for name in passed if name.startswith(("rule.", "code."))]


XZ = lzma.compress(b"import torch\nprint('inner')\n" * 20, preset=9)
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
def test_unread_code_passes_nothing(folder, kind):
    (folder / "helper.py").write_text("exec(open('/tmp/x').read())\n")
    write(folder, UNREAD[kind])
    found = {item.id: outcome(folder, item.id) for item in all_checks() if item.id.startswith(("code.", "rule."))}
    assert found["code.unpack"].status == "WARN"
    for name in ("code.imports", "code.programs", "code.network", "code.files", *RULES):
        assert found[name].status == "SKIP" and "not read" in found[name].message, name


def test_what_is_seen_in_unread_code_is_still_said(folder):
    write(folder, "import requests\nx = torch.minimum(nll_a, nll_b)\nexec(TEXT)\n")
    assert outcome(folder, "code.network").status == outcome(folder, "rule.hindsight").status == "WARN"


def test_code_that_is_read_shows_no_rule(folder):
    for text in ("import torch\n", f"import lzma\nexec(lzma.decompress({XZ!r}))\n"):
        write(folder, text)
        assert outcome(folder, "code.unpack").status == outcome(folder, "code.imports").status == "PASS"
        for rule in RULES:
            found = outcome(folder, rule)
            assert found.status == "SKIP" and "nothing seen" in found.message


def test_imports_beside_the_script_are_read(folder):
    write(folder, "import helper\n")
    write(folder, "import os, more\n", "helper.py")
    write(folder, "import requests\nimport mamba_ssm\n", "more.py")
    write(folder, "import never\n", "unused.py")
    assert "more.py line 1" in outcome(folder, "code.network").message
    assert "mamba_ssm" in outcome(folder, "code.imports").message
    assert outcome(folder, "code.imports").evidence["helpers"] == ["helper.py", "more.py"]


def test_deep_chains_and_huge_numbers_break_no_check(folder):
    chain = "x = a" + ".b" * 2900
    write(folder, f"{chain}\nexec(a{'.b' * 2900}(3))\n")
    for item in all_checks():
        outcome(folder, item.id)
    write(folder, f"import zlib\nexec({{0x{'f' * 9000}: 1}})\nexec('a' * 0x{'f' * 9000})\n")
    for item in all_checks():
        outcome(folder, item.id)


def test_patterns_that_stop_are_said(folder, monkeypatch):
    monkeypatch.setattr("pgolf.verify.code_uses.Visits.__init__", lambda self: setattr(self, "left", 5))
    write(folder, HITS["rule.scorefirst"][1])
    assert "too much for the patterns" in outcome(folder, "rule.scorefirst").message
