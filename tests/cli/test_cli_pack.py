"""`pgolf pack`: scripts of real length do the same afterwards, and nothing is executed or guessed."""

import ast
import base64
import json
import lzma
import os
import py_compile
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from click.testing import CliRunner
from foreign_scripts import make_script

from pgolf.cli.main import main
from pgolf.unpack import unpack


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def pack(*arguments, status=0):
    done = CliRunner().invoke(main, ["pack", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == status, done.output
    return done


def run(*command, **variables):
    env = {"PATH": os.environ["PATH"], "ITERATIONS": "2", **variables}
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize("size", [50_000, *(pytest.param(size, marks=pytest.mark.ci) for size in (100_000, 150_000))])
def test_a_long_script_does_the_same(size, tmp_path):
    source = make_script(size)
    assert abs(len(source) - size) < 6000
    Path("train_gpt.py").write_text(source)
    Path("small").mkdir()
    record = json.loads(pack("train_gpt.py", "-o", "small/train_gpt.py", "--json").stdout)
    assert record["form"] == "renamed" and record["ratio"] < 0.8
    assert record["packed_bytes"] == Path("small/train_gpt.py").stat().st_size
    wanted = run("train_gpt.py", "a", "b")
    assert run("small/train_gpt.py", "a", "b") == wanted == run("-I", "small/train_gpt.py", "a", "b")
    assert "args=['a', 'b']" in wanted and wanted.count("\n") > 20
    py_compile.compile("small/train_gpt.py", cfile="x.pyc", doraise=True)
    minified = unpack(Path("small/train_gpt.py").read_bytes())
    ast.parse(minified, feature_version=(3, 11))
    assert "Multi-head something" not in minified and "Iterable[float]" not in minified
    # A decorator of the script's own reads the names of the functions that it is given, and only they stay.
    assert not record["reasons"] and "def quantize_rows1(" in minified and "count_up" not in minified


def test_every_form_of_a_short_script(tmp_path):
    Path("a.py").write_text(
        "def area(width, height):\n    '''Area.'''\n    result = width * height\n    return result\nprint(area(2, 3))\n"
    )
    for choice, start in (("plain", b"def "), ("b85", b"import linecache"), ("latin1", b"#coding:l1")):
        pack("a.py", "--pack", choice)
        assert Path("a.packed.py").read_bytes().startswith(start)
        assert run("a.packed.py") == "6\n"
    text = pack("a.py").stdout
    assert (
        "python-minifier, lzma and base85" in text
        and "changed: white space and comments, literals and annotations, names" in text
    )


def test_a_crash_names_the_packed_file(tmp_path):
    Path("a.py").write_text(make_script(9000).replace("def main() -> None:", "def main() -> None:\n    1 / 0", 1))
    pack("a.py")
    done = subprocess.run([sys.executable, "a.packed.py"], capture_output=True, text=True, check=False)
    assert "ZeroDivisionError" in done.stderr and "a.packed.py#" in done.stderr


def test_a_script_that_reads_its_source_stays_as_it_is(tmp_path):
    source = "import inspect\n# a comment\ndef kernel(x):\n    return x  +  1\nprint(inspect.getsource(kernel))\n" * 3
    Path("a.py").write_text(source)
    text = pack("a.py", "--pack", "b85").stdout
    assert "changed: nothing" in text and "kept: line 5: no change of the text: `getsource`" in text
    assert run("a.packed.py") == run("a.py")


def test_a_script_that_lists_its_names(tmp_path):
    Path("a.py").write_text("alpha = 1\nfor key in sorted(k for k in globals() if k[0] != '_'):\n    print(key)\n")
    for choice in ("auto", "b85", "latin1", "mix"):
        record = json.loads(pack("a.py", "--pack", choice, "--json").stdout)
        assert run("a.packed.py") == run("a.py") and record["reasons"][0]["change"] == "globals"


def test_a_script_that_reads_its_file_as_text(tmp_path):
    Path("a.py").write_text(
        "from pathlib import Path\ncode = Path(__file__).read_text()\nprint(len(code) > 10)\n"
        + "# x\n" * 99
        + "print('é' * 9, ["
        + ",".join(map(str, range(900)))
        + "][5])\n",
        encoding="utf-8",
    )
    record = json.loads(pack("a.py", "--json").stdout)
    assert record["pack"].startswith("latin1") and record["reads_itself"] == [2]
    assert run("a.packed.py", LC_ALL="C.UTF-8") == "True\nééééééééé 5\n"


def test_packed_scripts_are_recognised(tmp_path):
    source = make_script(12_000)
    data = base64.b85encode(lzma.compress(source.encode())).decode()
    Path("a.py").write_text(f'import lzma as L,base64 as B\nexec(L.decompress(B.b85decode("{data}")))\n')
    assert "packed already" in pack("a.py", status=2).stderr and not Path("a.packed.py").exists()
    record = json.loads(pack("a.py", "--unpack", "--json").stdout)
    assert record["unpacked"] and record["packed_bytes"] < record["original_bytes"]
    Path("a.py").write_text(source)
    assert run("a.packed.py").replace("a.packed.py", "a.py") == run("a.py")
    assert "packed already" in pack("a.packed.py", status=2).stderr
    pack("a.packed.py", "--unpack")


def test_unusable_scripts(tmp_path):
    Path("a.py").write_text("def f(:\n")
    done = pack("a.py", status=2)
    assert "error[PG004]: Python 3." in done.stderr and "--> a.py:1" in done.stderr
    Path("a.py").write_bytes(b"x = '\xff'\n")
    pack("a.py", status=2)
    Path("a.py").write_text("x = 1\n")
    assert "would replace the script" in pack("a.py", "-o", "a.py", status=2).stderr
    pack("a.py", "-o", "a.py/b.py", status=2)
    assert "nothing to do" in pack("a.py", "--unpack", status=2).stderr
    pack("nothing.py", status=2)


def test_the_script_is_not_executed(tmp_path):
    Path("a.py").write_text("open('touched', 'w').close()\n")
    pack("a.py")
    assert not Path("touched").exists()


@pytest.mark.slow
def test_under_torchrun(tmp_path):
    Path("train_gpt.py").write_text(make_script(20_000))
    pack("train_gpt.py", "-o", "packed.py")
    wanted = run("train_gpt.py").replace("train_gpt.py", "packed.py")
    assert run("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=1", "packed.py") == wanted


@pytest.mark.slow
def test_modules_of_the_standard_library_parse_and_keep_their_shape():
    from pgolf.repack import repack, script

    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py")):
        text = script.decode(path.read_bytes())
        tree = script.parse(text)
        evidence = repack.gather(tree)
        minified = repack.minify(text, tree, evidence)
        assert minified.form == "renamed" or evidence.forbids("text"), (path, minified.failed)
