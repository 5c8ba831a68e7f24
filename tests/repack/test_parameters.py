"""Parameters: renamed where no call names them."""

import pytest
from repacked import PADDING, run_both

from pgolf.repack.repack import gather, minify
from pgolf.repack.script import parse

SAME = {
    "positions, defaults, stars": """
def join(first_value, second_value=2, *other_values, last_value=9, **more_values):
    first_value += 1
    return first_value, second_value, other_values, last_value, sorted(more_values.items())
print(join(1), join(1, 5, 6, last_value=7), join(1, a=3, b=4), join(second_value=1, first_value=2))
""",
    "closures over parameters": """
def adder(amount_value):
    def add(number_value):
        nonlocal amount_value
        amount_value += number_value
        return amount_value
    return add
print(adder(1)(2))
""",
    "unpacked dictionaries": """
def area(width_value, height_value): return width_value * height_value
def total(width_value): return width_value
options = {"width_" + "value": 3, "height_" + "value": 4}
class Box:
    def __init__(self, depth_value): self.depth = depth_value
    def __call__(self, scale_value=1): return self.depth * scale_value
make = [Box][0]
print(area(**options), total(2), make(**{"depth_" + "value": 5})(**{"scale_" + "value": 2}))
""",
    "a module's call": """
class Module:
    def __call__(self, *args, **kwargs): return self.forward(*args, **kwargs)
class Model(Module):
    def __init__(self, width_value, *, height_value=2):
        super().__init__()
        self.size = width_value * height_value
    def forward(self, input_value, mask_value=None): return self.size, input_value, mask_value
print(Model(3)(1, mask_value=2), Model(3, height_value=4)(5))
""",
    "variables by name": """
def listing(alpha_value, beta_value=2): return sorted(locals().items())
def calling(text_value, gamma_value): return eval(text_value)
print(listing(1), calling("gamma_value", 3))
""",
    "self": """
class Counter:
    count_value = 0
    def add(self, amount_value):
        self.count_value += amount_value
        return self
    @classmethod
    def make(cls): return cls()
    @staticmethod
    def plain(self): return self
    @property
    def total(self): return self.count_value
print(Counter.make().add(3).total, Counter.plain(self=4), Counter.add(Counter(), 2).total)
""",
}


@pytest.mark.parametrize("name", SAME)
def test_the_packed_script_does_the_same(name, tmp_path):
    original, packed, result = run_both(tmp_path, SAME[name] + PADDING)
    assert original == packed and original[0] == 0 and result.form == "renamed", (packed, result.text[:700])


def small(text):
    text += "\nif __name__ == '__main__': pass\n"
    tree = parse(text)
    return minify(text, tree, gather(tree)).text


@pytest.mark.parametrize(
    ("text", "renamed"),
    [
        ("def f(long_value): return long_value\nf(1)", True),
        ("def f(long_value): return long_value\nf(long_value=1)", False),
        ("def f(long_value): return long_value\ng(long_value=1)", False),
        ("def f(long_value): return long_value\ng(f)", False),
        ("def f(long_value): return long_value\nf(**g)", False),
        ("def f(long_value): return long_value\nprint('long_value')", False),
        ("f = lambda long_value: long_value\nf(1)", False),
        ("@g\ndef f(long_value): return long_value", False),
        ("import inspect\ndef f(long_value): return long_value\ninspect.signature(g)", False),
        ("class C:\n    def run(self, long_value): return long_value\nC().run(1)", False),  # torch has a `run`
        ("class C:\n    def own_way(self, long_value): return long_value\nC().own_way(1)", True),
        ("import unknown\nclass C:\n    def own_way(self, long_value): return long_value\nC().own_way(1)", False),
        ("class C:\n    def __init__(self, long_value): self.x = long_value\nC(1)", True),
        ("class C:\n    def __init__(self, long_value): self.x = long_value\nmake(**g)", False),
        ("class C:\n    def __post_init__(self, long_value): self.x = long_value\nC(1)", False),
    ],
)
def test_which_parameters_are_renamed(text, renamed):
    assert ("long_value" not in small(text)) is renamed


def test_no_parameter_gets_the_name_of_a_keyword():
    found = small("def f(long_value, **more): return long_value, more\nf(1, a=2)\nf(1, b=3)")
    assert "def" in found and "(a," not in found and "(b," not in found and "long_value" not in found
