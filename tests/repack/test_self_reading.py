"""Scripts that read their own file: the public ways are answered with the bytes of the file as it is, all others are seen."""

import pytest
from repacked import PADDING, packed_size, run_both

from pgolf.errors import PgolfError
from pgolf.repack.repack import gather, shrink
from pgolf.repack.script import parse

HEAD = "import ast, hashlib, inspect, io, os, shutil, sys\nimport __main__\nfrom pathlib import Path\n"
MEASURES = {
    "path": "code = Path(__file__).read_text(encoding='utf-8')\nsize = len(code.encode('utf-8'))",
    "path without encoding": "code = Path(__file__).read_text()\nsize = len(code.encode())",
    "resolved path": "here = Path(__file__).resolve()\nsize = len(here.read_text('utf-8', errors='replace').encode('utf-8'))",
    "open": "code = open(__file__).read()\nsize = len(code)",
    "open with a mode": "size = len(open(__file__, 'r', encoding='utf-8').read().encode(encoding='utf-8'))",
    "argument": "with open(sys.argv[0]) as f:\n    code = f.read()\nsize = len(code.encode('utf-8'))",
    "argument in a variable": "script = sys.argv[0]\nf = open(script)\nsize = len(f.read().encode())\nf.close()",
    "base name": "code = open(os.path.basename(__file__)).read()\nsize = len(code.encode())",
    "absolute path": "with open(os.path.abspath(sys.argv[0]), 'rt', encoding='utf8') as f: size = len(f.read().encode())",
    "bytes": "size = len(Path(__file__).read_bytes())",
    "open bytes": "with open(__file__, 'rb') as f:\n    data = f.read()\nsize = len(data)",
    "decoded bytes": "code = Path(__file__).read_bytes().decode()\nsize = len(code.encode('utf-8'))",
    "size": "size = os.path.getsize(__file__)",
    "stat": "size = Path(__file__).stat().st_size",
    "a method of paths": "size = len(Path(__file__).open(encoding='utf-8').read().encode('utf-8'))",
    "a function of its own": (
        "def code_bytes(code: str) -> int:\n    raw = code.encode('utf-8')\n    return len(raw)\n"
        "def read_code():\n    return Path(__file__).read_text(encoding='utf-8')\nsize = code_bytes(code=read_code())"
    ),
    "a log": (
        "def log0(message, console=True):\n    with open('log.txt', 'a', encoding='utf-8') as f:\n"
        "        print(message, file=f)\n        f.write(f'{message}\\n')\n    if console: print(message)\n"
        "class Run:\n    def log(self, *messages): print(*messages, file=open(os.devnull, 'w'))\n"
        "code = open(__file__, encoding='utf-8').read()\nlog0(code, console=False)\nRun().log('source', code)\n"
        "log0('=' * 9 + code, False)\nsize = len(code.encode('utf-8'))"
    ),
    "a text that is parsed": (
        "code = Path(__file__).read_text()\nassert ast.parse(code).body and code.count('import')\n"
        "assert code.startswith(code[:3])\nsize = len(code.encode())"
    ),
    "a walrus": "size = len(code.encode()) if (code := Path(__file__).read_text()) else 0",
    "a method": (
        "class Run:\n    def source(self): return Path(__file__).read_text('utf-8')\n"
        "    def size(self, code): return len(code.encode('utf-8'))\nrun = Run()\nsize = run.size(run.source())"
    ),
}
CHECK = "\nprint(size == os.path.getsize(sys.argv[0]), 'h\u00e9llo')\n"


@pytest.mark.parametrize("name", MEASURES)
def test_a_measured_size_is_that_of_the_packed_file(name, tmp_path):
    original, packed, result = run_both(tmp_path, HEAD + MEASURES[name] + CHECK + PADDING, "latin1")
    assert packed == (0, "True héllo\n", "") and result.packed.name.startswith("latin1")
    if name != "open":  # the number of characters of a text with others than ASCII
        assert original == packed
    assert len(result.packed.code) == packed_size(tmp_path)


@pytest.mark.ci
def test_mix_and_auto_answer_too(tmp_path):
    source = HEAD + MEASURES["path"] + CHECK + PADDING
    for choice, family in (("mix", "mix"), ("auto", "latin1"), ("b85", "b85")):
        original, packed, result = run_both(tmp_path, source, choice)
        assert original == packed == (0, "True héllo\n", "") and result.packed.name.startswith(family)
        assert result.answers == ((4,) if family != "b85" else ())
    assert ":encode=" not in result.text and "class" not in result.text  # only files in Latin-1 need an answer


REFUSED = {
    "lines": "for line in open(__file__): pass",
    "read lines": "lines = open(__file__).readlines()",
    "another of two files": "for path in (__file__, 'x.py'):\n    text = open(path).read()",
    "a parameter": "def read(path): return open(path).read()\nprint(read(__file__))",
    "rebound": "path = __file__\nif size: path = 'x'\ntext = open(path).read()",
    "rebound file": "f = open(__file__)\nf = open('x')\ntext = f.read()",
    "a choice": "text = open(os.environ.get('X') or __file__).read()",
    "its text in other bytes": "code = open(__file__).read()\nn = len(bytes(code, 'utf-8'))",
    "a part of its text": "code = open(__file__).read()\nn = len(code.strip().encode())",
    "a text of its text": "code = open(__file__).read()\nn = len(f'{code}x'.encode())",
    "a copy": "code = open(__file__).read()\nPath('copy').write_text(code)",
    "a written copy": "code = open(__file__).read()\nopen('copy', 'w').write(code)",
    "an attribute": "class C: pass\nc = C()\nc.code = open(__file__).read()",
    "a class": "class C:\n    code = open(__file__).read()",
    "a list": "items = [open(__file__).read()]",
    "a result that is handed on": "def f(): return open(__file__).read()\nprint(map(f, []))",
    "decoded elsewhere": "data = open(__file__, 'rb').read()\ndef f(x): return x.decode()\nf(data)",
    "text of bytes": "text = str(open(__file__, 'rb').read(), 'utf-8')",
    "wrapped bytes": "text = io.TextIOWrapper(open(__file__, 'rb')).read()",
    "its name": "text = open('train_gpt.py').read()",
    "files of the folder": "text = ''.join(p.read_text() for p in Path(__file__).parent.glob('*'))",
    "listed files": "names = os.listdir(os.path.dirname(os.path.abspath(__file__)))",
    "files by pattern": "import glob\ntexts = [open(p).read() for p in glob.glob('*.py')]",
    "main's file": "text = open(__main__.__file__).read()",
    "main's module": "text = open(sys.modules['__main__'].__file__).read()",
    "specification": "text = open(__main__.__spec__.origin).read()",
    "loader": "text = __loader__.get_source('__main__')",
    "arguments": "for name in sys.argv: text = open(name).read()",
    "an argument by number": "n = 0\ntext = open(sys.argv[n]).read()",
    "an alias of the arguments": "from sys import argv as words\ntext = open(words[0]).readline()",
    "a mode that is not known": "mode = 'r'\ntext = open(__file__, mode).read()",
    "run text": "exec(os.environ.get('X', ''))",
    "evaluated text": "import builtins\nbuiltins.eval(os.environ.get('X', '1'))",
    "exec under another name": "run = exec\nrun('1')",
    "exec by its name": "import builtins\ngetattr(builtins, 'exec')('1')",
    "imported exec": "from builtins import exec as run\nrun('1')",
    "a module by its name": "import importlib\nimportlib.import_module(os.environ.get('X', 'json'))",
    "a path that is run": "import runpy",
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_readings_forbid_latin1_and_mix(name):
    source = HEAD + "size = 0\n" + REFUSED[name] + "\nif __name__ == '__main__': print(1)\n"
    reason = gather(parse(source)).reason("latin1")
    assert reason is not None and reason.line >= 5, reason
    with pytest.raises(PgolfError, match=f"--pack mix is not safe here: line {reason.line}: no latin1 and mix form"):
        shrink(source.encode(), "mix")


HARMLESS = {
    "folder": "data = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'data')\nroot = Path(__file__).parent / 'x'",
    "listed data": "root = Path(__file__).resolve().parent / 'data'\nnames = list(root.glob('*.bin'))",
    "name": "print(Path(__file__).stem, os.path.basename(__file__), f'{__file__} starts', sys.argv)",
    "arguments": (
        "import argparse\nargparse.ArgumentParser().parse_args(sys.argv[1:])\n"
        "first = sys.argv[1] if len(sys.argv) > 1 else 0"
    ),
    "a copy": "shutil.copy(__file__, 'copy.txt')",
    "a hash": "digest = hashlib.sha256(open(__file__, 'rb').read()).hexdigest()",
    "a log's name": "log = Path(__file__).with_suffix('.txt')\nother = __file__ + '.txt'",
    "started again": "import subprocess\nif size: subprocess.run([sys.executable, __file__, *sys.argv[1:]])",
    "a library's file": "import json\nprint(len(open(json.__file__).read()) > 9)",
    "suffixes": "print('x.py'.endswith('.py'))",
    "a module by its literal name": "import importlib\nprint(importlib.import_module('json').__name__)",
    "a literal": "exec('print(3)')",
}


@pytest.mark.parametrize("name", HARMLESS)
def test_other_uses_of_the_path_do_not(name):
    evidence = gather(parse(HEAD + "size = 0\n" + HARMLESS[name] + "\nif __name__ == '__main__': print(1)\n"))
    assert evidence.reason("latin1") is None
