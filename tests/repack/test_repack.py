"""Scripts that pgolf did not build: each does the same afterwards, and what must stay is said with its line."""

import ast
import contextlib
import io
import subprocess
import sys

import pytest

from pgolf.bundle.names import copy_tree
from pgolf.errors import PgolfError
from pgolf.repack import repack, script
from pgolf.repack.check import check_same
from pgolf.repack.rename import Keep, rename
from pgolf.repack.repack import gather


def small(text):
    """(minified text, form, evidence)."""
    tree = script.parse(text)
    evidence = gather(tree)
    minified = repack.minify(text, tree, evidence)
    assert not minified.failed, minified.failed
    return minified.text, minified.form, evidence


def output(text):
    """What a script prints, with a module of its own as `__main__`."""
    module = type(sys)("__main__")
    before, sys.modules["__main__"] = sys.modules["__main__"], module
    try:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile(text, "script", "exec", dont_inherit=True), module.__dict__)
    finally:
        sys.modules["__main__"] = before
    return out.getvalue()


SAME = {
    "a class body reads a top-level name before it binds it": """
size = 4
class Box:
    size = size + 1
    def grow(self, amount=size):
        return size + amount + self.size
print(Box().grow(), size)
""",
    "global and nonlocal": """
counter_value = 0
def outer_function():
    local_value = 1
    def inner_function():
        global counter_value
        nonlocal local_value
        counter_value += local_value
        local_value += 1
    inner_function(); inner_function()
    return local_value
print(outer_function(), counter_value)
""",
    "keywords and defaults": """
def make_thing(first_item, *, second_item=2, **other_items):
    third_item = first_item + second_item
    return third_item, sorted(other_items)
print(make_thing(1, second_item=5, third_item=7), make_thing(first_item=3))
""",
    "comprehensions and the walrus": """
values = [1, 2, 3]
def squares(numbers):
    found = [last for number in numbers if (last := number * number) > 1]
    return found, last, {key: [key * inner for inner in numbers] for key in numbers}
print(squares(values), [value for value in values if (best := value)], best)
""",
    "match, except and with": """
import io
def describe(thing):
    match thing:
        case [first_part, *other_parts]:
            return first_part, other_parts
        case {"key": key_value, **remaining}:
            return key_value, remaining
        case str() as text_value:
            return text_value
    try:
        return 1 / thing
    except ZeroDivisionError as problem:
        return str(problem)
with io.StringIO("abc") as stream_value:
    print(describe([1, 2]), describe({"key": 3, "x": 4}), describe("a"), describe(0), stream_value.read())
""",
    "imports": """
import os.path
import collections.abc, json as json_module
from math import sqrt, floor as floor_function
def use_them():
    import itertools
    return list(itertools.islice(itertools.count(3), 2))
print(os.path.basename("a/b"), os.sep, collections.abc.Sized.__name__, json_module.dumps([1]))
print(sqrt(4), floor_function(2.5), use_them())
""",
    "a dataclass, its repr and its fields": """
from dataclasses import dataclass, fields
@dataclass
class Settings:
    '''Docs.'''
    width: int = 3
    height: "float" = 2.0
    def area(self) -> float:
        result: float = self.width * self.height
        return result
print(Settings(4), [item.name for item in fields(Settings)], Settings().area(), Settings.__annotations__)
""",
    "pickled classes": """
import pickle
class Holder:
    def __init__(self): self.inside = 5
def long_function_name(value): return value + 1
print(pickle.loads(pickle.dumps(Holder())).inside, pickle.loads(pickle.dumps(long_function_name))(1))
""",
    "top-level names by text": """
import sys
first_setting, second_setting = 1, 2
print(getattr(sys.modules[__name__], "first_setting"), globals()["second_setting"], eval("first_setting + 1"))
""",
    "names of functions": """
def some_function(): pass
class SomeClass: pass
print(some_function.__name__, SomeClass.__name__, type(SomeClass()).__name__, (lambda: 0).__name__)
""",
    "local variables by name": """
def listing(alpha_value):
    beta_value = alpha_value + 1
    return sorted(locals().items())
def other_function(gamma_value):
    delta_value = gamma_value
    return delta_value
print(listing(1), other_function(2), "{beta_value}".format(**{"beta_value": 3}))
""",
    "attributes of objects": """
class Bag:
    def __init__(self): self.alpha_item, self.beta_item = 1, 2
def show(bag_object):
    found_items = vars(bag_object)
    return sorted(found_items), hasattr(bag_object, "alpha_item"), dir(bag_object)[-2:]
print(show(Bag()))
""",
    "private names": """
__shared = 3
class Counter:
    def __init__(self): self.__hidden = 2; self._Counter__other = 4
    def total(self):
        __local_thing = 1
        return self.__hidden + self.__other + __local_thing
print(Counter().total())
""",
    "decorators that read names": """
table = {}
def remember(function): table[function.__name__] = function; return function
@remember
def compute_things(long_argument): return long_argument * 2
print({name: function(4) for name, function in table.items()})
""",
    "annotations that something reads": """
from functools import singledispatch
@singledispatch
def show_value(value): return "other"
@show_value.register
def _(value: int): return "int"
print(show_value(1), show_value("a"))
""",
    "docstrings that something reads": """
'''Module text.'''
def helper():
    '''Helper text.'''
print(helper.__doc__, __doc__)
""",
    "bodies of only a docstring": """
'''Text.'''
from __future__ import annotations
class Empty:
    '''Nothing.'''
def nothing():
    "nothing"
def later() -> "int":
    try:
        '''a'''
    finally:
        "b"
    if nothing:
        "c"
    else:
        "d"
    return 5
async def soon(): "e"
print(Empty() is not None, nothing(), later())
""",
    "f-strings with quotes, formats and equals signs": """
def render(name_value, width_value):
    return f"{name_value!r:>{width_value}} {'x' if width_value else 'y'} {name_value=} {{}} {f'{width_value:03d}'}"
print(render("a'b", 8), f'{"q"}' "\\n\\t\\\\")
""",
    "a builtin that is shadowed": """
print_function = print
def max(first_value, second_value): return first_value
def print(*things): print_function("mine", *things)
print(max(1, 2), min(3, 4))
for len in range(2): pass
print(len)
""",
    "del, star arguments, lambdas, closures": """
adders = [lambda value, offset=index: value + offset for index in range(3)]
def apply_all(*functions, **options):
    total_value = 0
    for function_value in functions:
        total_value += function_value(options.get("start", 1))
    temporary_value = total_value; del temporary_value
    return lambda: total_value
print(apply_all(*adders, start=4)())
""",
}


@pytest.mark.parametrize("name", SAME)
def test_a_script_prints_the_same(name):
    found, form, _ = small(SAME[name])
    assert form == "renamed" and output(found) == output(SAME[name]) != ""
    assert len(found) < len(SAME[name])


def test_only_the_function_that_lists_its_variables_keeps_them():
    found, _, _ = small(SAME["local variables by name"])
    assert "alpha_value" in found and "delta_value" not in found


def test_kernels_keep_their_names_and_annotations():
    text = """
import triton.language as tl
CONSTANT_VALUE = 3
@triton.jit
def kernel(x_ptr, BLOCK: tl.constexpr):
    '''Docs.'''
    offset_value = tl.arange(0, BLOCK) + CONSTANT_VALUE
    return range(offset_value)
def plain(first: int) -> int:
    offset_value = first
    return offset_value
print(plain(1))
"""
    found, form, _ = small(text)
    assert form == "renamed" and "Docs" not in found
    for part in ("tl.constexpr", "offset_value=tl.arange(0,BLOCK)+CONSTANT_VALUE", "def kernel(x_ptr,", "as tl"):
        assert part in found
    assert "first:" not in found and "->" not in found


def test_names_in_strings_stay():
    text = "scale_kernel = 1\nother_name = 2\nthird_name = 3\n"
    text += 'SOURCE = """\nvoid scale_kernel(int x) {\n}\n"""\nprint(SOURCE, "other_name")\n'
    found, _, _ = small(text)
    assert "scale_kernel=1" in found and "other_name=2" in found and "third_name" not in found


def test_annotations_with_effects_stay():
    found, _, _ = small("def f(x: print('seen'), y: int): return x\nvalue: print('too') = 1\nf(1, 2)\n")
    assert "print('seen')" in found and "print('too')" in found and "y:" not in found


def test_renaming_without_limits_still_passes_its_check():
    for text in SAME.values():
        old = ast.parse(text)
        check_same(old, rename(copy_tree(old), Keep()))


def test_a_failed_check_falls_back(monkeypatch):
    def broken(tree, keep):
        raise PgolfError("PG401", "broken on purpose")

    text = "def f(x):\n    '''Docs.'''\n    long_name = x\n    return long_name\n"
    tree = script.parse(text)
    monkeypatch.setattr(repack, "rename", broken)
    minified = repack.minify(text, tree, gather(tree))
    assert (
        minified.form == "stripped" and "Docs" not in minified.text and "broken on purpose" in str(minified.failed[0])
    )
    monkeypatch.setattr(repack, "strip", lambda tree, evidence: ast.parse("pass"))
    monkeypatch.setattr(repack, "printed", lambda tree: "x = (")
    minified = repack.minify(text, tree, gather(tree))
    assert (minified.text, minified.form) == (text, "verbatim")


def test_other_encodings_and_line_ends():
    assert script.decode(b"\xef\xbb\xbfx = 1\r\ny = 2\r") == "x = 1\ny = 2\n"
    assert script.decode("# coding: latin-1\nx = 'é'\n".encode("latin-1")).endswith("x = 'é'\n")
    with pytest.raises(PgolfError):
        script.decode(b"# coding: nothing\n")


def test_mix_is_a_form_that_is_refused_where_the_script_reads_itself(tmp_path):
    text = "\n".join(f"def function_{n}(first, second):\n    return [first + {n}, second * {n}]" for n in range(60))
    text += "\nprint(function_3(1, 2), __name__)\n"
    mixed = repack.shrink(text.encode(), "mix").packed
    assert mixed.name == "mix" and len(mixed.code) < len(text)
    file = tmp_path / "script.py"
    file.write_bytes(mixed.code)
    done = subprocess.run([sys.executable, str(file)], capture_output=True, text=True, check=True)
    assert done.stdout == "[4, 6] __main__\n"
    with pytest.raises(PgolfError, match="not safe here"):
        repack.shrink((text + "open(__file__).readlines()\n").encode(), "mix")
