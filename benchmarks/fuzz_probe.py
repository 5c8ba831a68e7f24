# ruff: noqa: E501 (programs of one line)
"""Gives the loader of foreign scripts what it may get: damaged scripts, odd packers, and programs that do not want to be run.

    python benchmarks/fuzz_probe.py --count 200 --first 0 --seconds 15

Every script is read and run as `pgolf verify --probe` does it, in the sandbox, with two probes. No error of pgolf's own may come, no
script may run on beyond the limit, and what cannot be run must be SKIP for every rule. `--first` with a number makes one again.
"""

from __future__ import annotations

import argparse
import base64
import lzma
import marshal
import random
import sys
import tempfile
import time
import traceback
import zlib
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]

from running_scripts import whole  # noqa: E402
from script_families import CHEATS, family  # noqa: E402

from pgolf.probe.probing import Prober, Result  # noqa: E402
from pgolf.probe.workshop import BUDGET, Script  # noqa: E402
from pgolf.verify.code_program import read_program  # noqa: E402
from pgolf.verify.probes import in_sandbox  # noqa: E402
from pgolf.verify.sandbox import open_sandbox  # noqa: E402

ONLY = ("flip", "ledger")
HOSTILE = {
    "no end": "while True: pass",
    "no end in C": "sum(iter(int, 1))",
    "no end of sleep": "import select\nwhile True: select.select([], [], [], 9)",
    "many processes": "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass",
    "a process that stays": "import os, time\nif os.fork() == 0:\n    os.setsid()\n    while True: pass",
    "much memory": "x = []\nwhile True: x.append(bytearray(2**28))",
    "one large tensor": "import torch\nx = torch.ones(2**38)",
    "deep": "def f(n): return f(n + 1)\nimport sys\nsys.setrecursionlimit(10**9)\nf(0)",
    "deep in C": "import sys\nsys.setrecursionlimit(10**9)\nx = []\nfor _ in range(10**6): x = [x]\nrepr(x)",
    "much text": "while True: print('val_loss:1.0 ' * 10000)",
    "much text on fd 2": "import os\nwhile True: os.write(2, b'x' * 65536)",
    "large files": "f = open('big', 'wb')\nwhile True: f.write(bytes(2**24))",
    "many files": "n = 0\nwhile True:\n    open(f'f{n}', 'w').close()\n    n += 1",
    "_exit": "import os\nos._exit(0)",
    "the real _exit": "import posix\nposix._exit(3)",
    "kill -9 of itself": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
    "kill of the parent": "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)",
    "kill of all": "import os, signal\nos.kill(-1, signal.SIGKILL)",
    "stopped": "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
    "signals ignored": "import signal\nfor n in range(1, 32):\n    try: signal.signal(n, signal.SIG_IGN)\n    except OSError: pass\nwhile True: pass",
    "segfault": "import ctypes\nctypes.string_at(0)",
    "trace": "import sys\ndef t(*a): raise ValueError\nsys.settrace(t)\nimport torch\ndef f(): pass\nf()",
    "profile": "import sys, threading\nsys.setprofile(lambda *a: 1 / 0)\nprint(1)",
    "threads that stay": "import threading\ndef f():\n    while True: pass\nfor _ in range(50): threading.Thread(target=f).start()",
    "atexit": "import atexit\ndef f():\n    while True: pass\natexit.register(f)",
    "del": "class A:\n    def __del__(self):\n        while True: pass\nx = A()\ndel x",
    "no builtins": "import builtins\nfor n in list(vars(builtins)):\n    if n not in ('__import__', 'BaseException'): delattr(builtins, n)",
    "no modules": "import sys\nsys.modules.clear()\nimport torch",
    "other functions": "import json, pathlib, numpy\njson.dumps = numpy.savez = pathlib.Path.write_text = None",
    "raises its own": "class E(BaseException):\n    def __str__(self): raise self\nraise E",
    "raises without a name": "type('', (Exception,), {'__str__': lambda s: 'x' * 10**8})()\nraise type('E' * 10**6, (Exception,), {})",
    "surrogates": "print('\\ud800' * 5)\nraise ValueError('\\ud800\\x00\\x1b[2J')",
    "closed files": "import os\nos.closerange(0, 4096)\nprint(1)",
    "no folder": "import os, shutil\nshutil.rmtree(os.getcwd())\nprint('val_loss:1.0')",
    "another folder": "import os\nos.chdir('/')\nopen('x', 'w')",
    "a link for the record": "import os\nos.symlink('/etc/passwd', 'record.json')\nos.symlink('/etc/passwd', 'record.npz')\nos._exit = None",
    "a pipe for the record": "import os\nos.mkfifo('record.json')\nimport posix\nposix._exit(0)",
    "a record of its own": "import posix\nopen('record.json', 'w').write('{\"reports\": 3, \"events\": [1], \"error\": \"\"}')\nopen('record.npz', 'wb').write(b'PK')\nposix._exit(0)",
    "a deep record": "import posix\nopen('record.json', 'w').write('[' * 10**6)\nposix._exit(0)",
    "a large record": "import posix\nopen('record.json', 'w').truncate(2**33)\nposix._exit(0)",
    "the outcome": "import os, posix\nopen('outcome.json', 'w').write('{\"seconds\": \"x\", \"memory\": []}')\nposix.kill(os.getppid(), 9)",
    "limits": "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\nprint('val_loss:1.0')",
    "no frames": "import sys\nsys._getframe = None\nimport torch\ntorch.zeros(3).sum().item()",
    "torch taken apart": "import torch\ntorch.Tensor.detach = torch.log_softmax = None\ntorch.nn.functional.cross_entropy(torch.zeros(4, 320), torch.zeros(4, dtype=torch.int64))",
    "a tensor of nothing": "import torch\ntorch.nn.functional.cross_entropy(torch.zeros(0, 320), torch.zeros(0, dtype=torch.int64))",
    "nan": 'import torch\nprint(f"val_loss:{torch.nn.functional.cross_entropy(torch.zeros(4, 320) / 0, torch.arange(4)):.4f}")',
    "numbers without end": "print('val_loss:' + '9' * 5000 + '.' + '9' * 5000 + ' val_bpb:0.0')",
    "input": "input()",
    "debugger": "breakpoint()",
    "help": "import sys, argparse\nargparse.ArgumentParser().parse_args(['--help'])",
    "an async loop": "import asyncio\nasync def f():\n    while True: await asyncio.sleep(0)\nasyncio.run(f())",
    "spawned": "import multiprocessing as m\ndef f():\n    while True: pass\nif __name__ == '__main__':\n    p = m.get_context('spawn').Process(target=f)\n    p.start()\n    p.join()",
    "forked": "import multiprocessing as m\ndef f():\n    while True: pass\np = m.get_context('fork').Process(target=f)\np.start()\np.join()",
    "the network": "import socket\nsocket.create_connection(('1.1.1.1', 80))",
    "a server": "import socket\ns = socket.socket()\ns.bind(('127.0.0.1', 0))\ns.listen()\ns.accept()",
    "null": "x = 1\x00",
    "no Python": "MZ\x90\x03 def (((",
    "deep brackets": "x = " + "(" * 5000 + ")" * 5000,
    "a long sum": "x = " + " + ".join(["1"] * 50_000),
    "empty": "",
}


def packed(text: str, chance: random.Random) -> str:
    """A script that unpacks itself, in one of the ways that are known, or that nobody has seen."""
    data = text.encode()
    body = zlib.compress(data)
    ways = [
        f"import lzma,base64\nexec(lzma.decompress(base64.b85decode({base64.b85encode(lzma.compress(data))!r})))",
        f"import zlib as z,base64 as b\nexec(compile(z.decompress(b.b64decode({base64.b64encode(body)!r})),__file__,'exec'))",
        f"import zlib\nexec(zlib.decompress(bytes.fromhex({body.hex()!r})))",
        f"import zlib\nx = {[*body]!r}\nexec(zlib.decompress(bytes(x)))",
        f"import marshal\nexec(marshal.loads({marshal.dumps(compile('x = 1', 'x', 'exec'))!r}))",
        f"import codecs\nexec(codecs.decode({text[:2000]!r}, 'rot13'))",
        f"import zlib\nexec(zlib.decompress({body[: len(body) // 2]!r}))",
        f"import zlib\nexec(zlib.decompress({zlib.compress(bytes(2**24))!r}))",
        f"import zlib\nexec(zlib.decompress({body!r}[::-1][::-1]))",
        "exec(open(__file__).read())",
        "import sys\nexec(sys.stdin.read())",
        f"import zlib,types\nm=types.ModuleType('m')\nexec(zlib.decompress({body!r}),m.__dict__)",
    ]
    return chance.choice(ways)


def damaged(text: str, chance: random.Random) -> str:
    """With one to four changes: lines gone, doubled, exchanged, characters flipped, numbers and names changed."""
    lines = text.split("\n")
    for _ in range(chance.randrange(1, 5)):
        at = chance.randrange(len(lines))
        kind = chance.randrange(7)
        if kind == 0:
            del lines[at : at + chance.randrange(1, 6)]
        elif kind == 1:
            lines.insert(chance.randrange(len(lines)), lines[at])
        elif kind == 2:
            other = chance.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        elif kind == 3 and lines[at]:
            place = chance.randrange(len(lines[at]))
            lines[at] = lines[at][:place] + chance.choice("0()[]:.,=x \x00\u2581") + lines[at][place + 1 :]
        elif kind == 4:
            lines[at] = "".join(str(chance.randrange(-3, 10**6)) if part.isdigit() else part for part in lines[at])
        elif kind == 5:
            del lines[at:]
            lines.append("")
        else:
            lines.insert(
                at, " " * (len(lines[at]) - len(lines[at].lstrip())) + chance.choice([*HOSTILE.values()]).split("\n")[0]
            )
    return "\n".join(lines)


def script(number: int) -> tuple[str, str]:
    """(what it is, its text) of a number: all hostile ones come first."""
    if number < len(HOSTILE):
        name = [*HOSTILE][number]
        return name, HOSTILE[name] + "\n"
    chance = random.Random(number)
    text = chance.choice([whole(), *(family(name) for name in CHEATS)])
    if chance.random() < 0.3:
        return "packed", packed(text, chance)
    return "damaged", damaged(text, chance)


def problem_of(name: str, result: Result | str, took: float, limit: float) -> str:
    """What is wrong with the answer, or ""."""
    if isinstance(result, str):
        return "" if result else "no reason"
    statuses = {one.status for one in result.verdicts.values()}
    if result.loaded and statuses != {"SKIP"}:
        return f"could not be run, and is {sorted(statuses)}"
    if name in HOSTILE and "FAIL" in statuses:
        return "fails, and shows no score"
    return f"took {took:.0f} s" if took > limit else ""


def judge(text: str, work: Path, seconds: float) -> Result | str:
    """As verify does: read, then run; why it cannot be read."""
    source = read_program(text.encode("utf-8", errors="replace"), lambda other: b"").unpacked
    if source.text is None:
        return f"cannot be read: {source.problem or 'no program'}"
    return Prober(
        Script("train_gpt.py", source.text), work, in_sandbox(open_sandbox(False)), 3, ONLY, seconds=seconds
    ).run()


def main() -> None:
    """Make, run, report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=15.0)
    options = parser.parse_args()
    kinds, problems, worst = Counter[str](), 0, (0.0, "")
    for number in range(options.first, options.first + options.count):
        name, text = script(number)
        started, said = time.monotonic(), ""
        with tempfile.TemporaryDirectory() as folder:
            try:
                result = judge(text, Path(folder) / "work", options.seconds)
                took = time.monotonic() - started
                said = problem_of(name, result, took, BUDGET + 4 * options.seconds + 120)
                loaded = result if isinstance(result, str) else result.loaded
                kinds["not read" if isinstance(result, str) else "not run" if loaded else "run"] += 1
            except Exception:
                took, loaded, said = time.monotonic() - started, "", traceback.format_exc(limit=-2)
        worst = max(worst, (took, name))
        problems += bool(said)
        print(
            f"{number} {name}: {took:.1f} s, {str(loaded)[:90] or 'runs'}{f' PROBLEM {said}' if said else ''}",
            flush=True,
        )
    print(f"{options.count} scripts ({dict(kinds)}), at most {worst[0]:.0f} s ({worst[1]}), {problems} problems")


if __name__ == "__main__":
    main()
