"""What is handed over keeps its name, its parameters and its annotations; what is only called does not."""

import pytest
from repacked import PADDING, run_both

from pgolf.repack.index import Index
from pgolf.repack.legality import is_program
from pgolf.repack.repack import gather, minify
from pgolf.repack.script import parse

SAME = {
    "a signature under an alias": """
from inspect import signature as look
def long_function(first: int, second: "str" = "a") -> float: return 1.0
print(look(long_function), long_function.__name__)
""",
    "type hints by another library's way": """
import typing
def reader(function): return sorted((k, str(v)) for k, v in function.__annotations__.items())
def long_function(first: int, second: typing.Optional[str] = None) -> float: return 1.0
print(reader(long_function))
""",
    "class variables in texts": """
import dataclasses
from dataclasses import dataclass, field
from typing import ClassVar
@dataclass
class Config:
    table: "ClassVar[dict]" = {}
    start: "dataclasses.InitVar[int]" = 3
    width: "int" = 4
    def __post_init__(self, start): self.width += start
print(Config(5), [each.name for each in dataclasses.fields(Config)])
""",
    "timeit": """
import timeit
state_value = []
def long_function(value=1): state_value.append(value)
timeit.timeit("long_function(2)", setup="from __main__ import long_function", number=2)
print(state_value)
""",
    "builtins.exec": """
import builtins
setting_value = 1
def main():
    local_value = 5
    builtins.exec("global setting_value; setting_value = 3")
    return local_value
print(main(), setting_value)
""",
    "the name by a text": """
import operator
def long_function(): pass
def name_of(function): return getattr(function, "__name__"), operator.attrgetter("__qualname__")(function)
def maker():
    def inner_function(): pass
    return inner_function
print(name_of(long_function), name_of(maker()))
""",
    "function names in a log": """
import logging, sys
logging.basicConfig(stream=sys.stdout, format="%(funcName)s %(message)s")
def long_function(): logging.warning("warned")
long_function()
""",
    "pickled inside an object": """
import pickle
def long_function(value): return value + 1
class Holder:
    def __init__(self, function): self.function = function
print(pickle.loads(pickle.dumps(Holder(long_function))).function(1), b"long_function" in pickle.dumps([long_function]))
""",
    "doctest": '''
import doctest
def long_function(value):
    """Adds.

    >>> long_function(1)
    2
    """
    return value + 1
print(doctest.testmod())
''',
    "frames": """
import sys, traceback
def who(): return sys._getframe(1).f_code.co_name
def long_function(): return who(), traceback.extract_stack()[-1].name
print(long_function())
""",
    "a table by name": """
table = {}
def remember(function): table[function.__name__] = function; return function
@remember
def compute_things(argument: int) -> int: return argument * 2
def loose_function(): return 3
for each in (loose_function, compute_things): print(each.__name__, each.__annotations__)
""",
    "attributes of functions": """
def long_function(value):
    return value
long_function.calls = 3
print(long_function.calls, long_function.__name__, repr(long_function).split()[1])
""",
    "methods that are handed over": """
from inspect import signature
class Model:
    def forward(self, value: int) -> float: return 1.0
    def hidden(self, value: int) -> float: return 1.0
def show(function): return str(signature(function))
print(show(Model().forward), show(getattr(Model(), "hidden")), Model().hidden(1))
""",
    "classes that are handed over": """
from inspect import signature
class Base:
    def run(self, value: int) -> float: return 1.0
class Model(Base): pass
def show(kind): return str(signature(kind.__dict__.get("run") or kind.__mro__[1].__dict__["run"]))
print(show(Model))
""",
    "a command line library": """
import argparse
def train(steps: int = 3, rate: float = 0.5) -> None: print("train", steps, rate)
def command_line(function):
    parser = argparse.ArgumentParser(prog=function.__name__)
    for name, kind in function.__annotations__.items():
        if name != "return": parser.add_argument("--" + name, type=kind, default=kind(1))
    function(**vars(parser.parse_args(["--steps", "4"])))
command_line(train)
""",
    "a conditional function": """
if __name__ == "__main__":
    def helper_function(): return 1
try:
    print(helper_function(), missing_function())
except NameError as error:
    print(error)
""",
    "global names by literal texts": """
first_setting = 4
def main():
    local_value = globals()["first_setting"] + globals().get("second_setting", 2)
    if "third_setting" in globals() or "first_setting" not in globals(): print("no")
    globals()["a"] = 7
    return local_value, a
def unrelated_function(): return 5
print(main(), unrelated_function(), unrelated_function())
""",
    "texts that are code": """
setting_value = 3
def double_value(value): return value * setting_value
print(eval("double_value(setting_value)"), eval(compile("double_value(2)", "x", "eval")))
""",
    "queries of a frame": """
import sys
class Table:
    def query(self, text): return eval(text, {}, sys._getframe(1).f_locals)
def main(table):
    limit_value = 3
    return table.query("limit_value + 1")
print(main(Table()))
""",
    "a name of the packed file's own": """
for name in ("c", "f", "g", "h", "s", "lzma", "base64", "zlib", "linecache"):
    if name in globals(): print("leaked", name)
def some_function():
    try: return s, f, c, lzma
    except NameError as error: return str(error)
print(some_function())
""",
}


@pytest.mark.parametrize("name", SAME)
def test_the_packed_script_does_the_same(name, tmp_path):
    original, packed, result = run_both(tmp_path, SAME[name] + PADDING)
    assert original == packed and original[0] == 0 and original[1].strip(), (packed, result.text[:800])
    assert result.form == "renamed" and result.packed.name.startswith(("latin1", "b85"))


def test_no_name_leaks_in_any_form(tmp_path):
    for choice in ("b85", "mix"):
        original, packed, _ = run_both(tmp_path, SAME["a name of the packed file's own"] + PADDING, choice)
        assert original == packed and original[0] == 0


def small(text):
    tree = parse(text + "\nif __name__ == '__main__': pass\n")
    return minify(text, tree, gather(tree)).text


def test_what_is_only_called_keeps_nothing():
    text = """
import torch
from functools import lru_cache
def called_function(value: int) -> int: return value
@lru_cache
def cached_function(value: int) -> int: return value
@torch.no_grad()
def quiet_function(value: int) -> int: return value
class Model:
    def method(self, value: int) -> int: return called_function(value) + cached_function(1) + quiet_function(2)
    @property
    def total(self) -> int: return 3
print(Model().method(1), isinstance(1, Model))
"""
    found = small(text)
    assert "int" not in found.replace("print", "").replace("isinstance", "")
    assert "_function" not in found


@pytest.mark.parametrize(
    "use",
    [
        "t.library.custom_op('n::f', long_function, mutates_args=())",
        "table = {'f': long_function}",
        "other = long_function",
        "class C:\n    run = long_function",
        "def g(x=long_function): return x",
        "register(callback=long_function)",
        "print(long_function)",
        "x = long_function.__wrapped__",
        "y = lambda: long_function",
        "z = long_function if y else None",
    ],
)
def test_any_other_use_keeps_name_and_annotations(use):
    text = f"import torch as t\ndef long_function(value: t.Tensor, n: int) -> t.Tensor: return value\n{use}\n"
    assert "def long_function(value:t.Tensor,n:int)->t.Tensor" in small(text)


def test_kernels_by_decorator_and_by_call_keep_their_names():
    text = """
import triton
import triton.language as tl
def kernel_one(x_ptr, BLOCK: tl.constexpr):
    offset_value = tl.arange(0, BLOCK)
@triton.jit
def kernel_two(x_ptr, BLOCK: tl.constexpr):
    offset_value = tl.arange(0, BLOCK)
fast = triton.jit(kernel_one)
def plain():
    offset_value = 1
    return offset_value
fast[(1,)](plain(), 3)
"""
    found = small(text)
    assert found.count("offset_value=tl.arange(0,BLOCK)") == 2 and found.count("BLOCK:tl.constexpr") == 2
    assert "as tl" in found


@pytest.mark.parametrize(
    "text",
    [
        "import torch\nf = torch.jit.script(model)",
        "from torch.jit import script as ts\nts(model)",
        "import torch.jit as j\nj.script(model)",
        "import torch\ncompile_it = torch.jit.script\ncompile_it(model)",
    ],
)
def test_torch_script_keeps_the_text(text):
    evidence = gather(parse(text + "\nif __name__ == '__main__': pass"))
    assert {reason.what for reason in evidence.reasons} == {"annotations", "locals", "globals", "literals"}


MODULE = '''"""Tools."""
import math
LIMIT = 3
_hidden_table = {}
def public_function(value: int) -> int: return _hidden_function(value)
def _hidden_function(value: int) -> int:
    result_value = value + len(_hidden_table)
    return result_value
class Tool:
    def use(self, value: float) -> float: return math.floor(value)
    def _inside(self, value: float) -> float: return value
'''


def test_a_module_that_others_import_keeps_its_public_names():
    tree = parse(MODULE)
    evidence = gather(tree)
    found = minify(MODULE, tree, evidence).text
    assert (
        "LIMIT=3" in found
        and "def public_function(value:int)->int" in found
        and "def use(self,value:float)->float" in found
    )
    assert "_hidden_function" not in found and "_hidden_table" not in found and "result_value" not in found
    assert "no renaming public names" in str(evidence.reason("public names"))


@pytest.mark.parametrize(
    ("text", "program"),
    [
        ("def f(): pass\nif __name__ == '__main__': f()", True),
        ("def f(): pass\nif '__main__' == __name__: f()", True),
        ("def f(): pass\nf()", True),
        ("for x in range(3): y = x", True),
        ("print(1)", True),
        ("if 1:\n    with open('x') as f: pass", True),
        ("def f(): pass", False),
        ("import torch\ntorch.manual_seed(1)\ndef f(): pass\nvalue = f()", False),
        ("try:\n    import x\nexcept ImportError: x = None", False),
    ],
)
def test_programs_and_modules(text, program):
    assert is_program(Index(parse(text))) is program
