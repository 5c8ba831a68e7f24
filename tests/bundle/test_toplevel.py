"""Imports that may fail, kernels that need them, and what is registered for operators."""

import ast
import os
import textwrap
from pathlib import Path

import pytest

from pgolf.bundle.link import reach
from pgolf.bundle.pipeline import DUMPS, build
from pgolf.bundle.rules.subset import check
from pgolf.bundle.source import load
from pgolf.bundle.toplevel import guard, operator_keys, optional_names, registration
from pgolf.errors import PgolfError
from pgolf.lint import lint_files
from pgolf.testing.warm import Job, run_jobs

TRY = "try:\n    import {}\nexcept ImportError:\n    {} = None\n"
MAIN = 'if __name__ == "__main__":\n    {}\n'
FAKE_TRITON = """
import inspect
class Kernel:
    def __init__(self, function):
        self.function, self.source = function, inspect.getsource(function)
    def __getitem__(self, grid):
        return lambda *given, **named: print(grid, self.source.count("def"), self.function(*given, **named))
    def __call__(self, *given, **named):
        return self.function(*given, **named)
def jit(function):
    return Kernel(function)
def autotune(configs, key):
    print("autotune", len(configs), key)
    return lambda kernel: kernel
class Config(dict):
    def __init__(self, meta, num_warps=4):
        self.update(meta)
"""
KERNELS = """
try:
    import triton
    import triton.language as tl
except ImportError:
    triton = tl = None

SCALE = 3
TILES = (16, 32)


def plain(x, gain):
    return x * SCALE + gain


if triton is not None:

    @triton.jit
    def phi(p, slope):
        # A helper; called by name.
        return p * slope

    @triton.autotune(configs=[triton.Config({"TILE": tile}, num_warps=8) for tile in TILES], key=["length"])
    @triton.jit
    def kernel(x, gain, length, SLOPE: tl.constexpr, UNUSED: tl.constexpr):
        offset = tl.load(x)
        other = phi(offset, SLOPE)
        return other * length + gain


def run(x):
    if triton is None:
        return plain(x, gain=2)
    kernel[(1,)](x, 2, length=5, SLOPE=7, UNUSED=1)
    return plain(x, 2)
"""


@pytest.fixture
def with_triton(tmp_path):
    folder = tmp_path / "packages/triton"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(FAKE_TRITON)
    (folder / "language.py").write_text("constexpr = int\ndef load(x): return x\n")
    return folder.parent


@pytest.mark.parametrize("choice", ["plain", "b85", "latin1", "mix"])
def test_kernels_have_their_source_in_every_pack(project, run_file, with_triton, tmp_path, choice):
    find_source = project({"a": KERNELS})
    built = build("from a import run\n" + MAIN.format("print(run(4))"), find_source, pack=choice)
    for code in (built.code, *built.dumps.values()):
        live = code == built.dumps["0_live.py"]
        assert run_file(code, path=f"{tmp_path}:{with_triton}").split() == [
            "autotune",
            "2",
            "['length']",
            "(1,)",
            "1",
            "142",
            "14",
        ]
        assert live or run_file(code, "-I") == "14\n"


def test_two_modules_with_the_same_imports_and_helpers(project, run_file, with_triton, tmp_path):
    other = KERNELS.replace("SCALE = 3", "SCALE = 4")
    entry = "from a import run\nfrom b import run as run_b\n" + MAIN.format("print(run(4), run_b(4))")
    find_source = project({"a": KERNELS, "b": other})
    modules = load(entry, find_source)
    reach(modules)
    assert check(list(modules.values())) == []
    built = build(entry, find_source)
    linked = built.dumps["1_linked.py"].decode()
    assert linked.count("import triton.language") == 1 and "def phi_2(" in linked and "phi_2(offset" in linked
    outputs = {run_file(code, path=f"{tmp_path}:{with_triton}") for code in built.dumps.values()}
    assert len(outputs) == 1 and "14 18" in outputs.pop()


def test_different_imports_of_one_name_stay_apart(project, run_file):
    find_source = project({
        "a": TRY.format("zlib as z", "z") + "def f(): return z.crc32(b'a')\n",
        "b": TRY.format("flash_attn as z", "z") + "def g(z_2=3): return z is None, z_2\n",
        "c": "import bz2 as z\ndef h(): return z.compress(b'')[:2]\n",
    })  # fmt: skip
    entry = "from a import f\nfrom b import g\nfrom c import h\n" + MAIN.format("print(f(), g(), h())")
    built = build(entry, find_source)
    for stage in DUMPS[1:]:
        assert run_file(built.dumps[stage], "-I") == "3904355907 (True, 3) b'BZ'\n", stage


def test_only_what_is_used_is_kept(project):
    find_source = project({"a": KERNELS + "def idle(x): return plain(x, 1)\n"})
    text = build("from a import idle\n" + MAIN.format("print(idle(4))"), find_source, pack="plain").code.decode()
    assert "triton" not in text and "try" not in text


OPERATOR = """
import torch
from torch import Tensor


@torch.library.custom_op("SPACE::twice", mutates_args=())
def twice(x: Tensor, gain: float) -> Tensor:
    return x * gain


@twice.register_fake
def twice_fake(x, gain):
    return torch.empty_like(x)


def keep(ctx, inputs, output):
    ctx.gain = inputs[1]


def back(ctx, grad):
    return grad * ctx.gain, None


twice.register_autograd(back, setup_context=keep)


def run(x):
    y = torch.compile(twice, backend="eager", fullgraph=True)(x, gain=2.0)
    y.sum().backward()
    return y.tolist(), x.grad.tolist()


def idle(x):
    return x
"""
BY_TEXT = OPERATOR.replace("@twice.register_fake", '@torch.library.register_fake("SPACE::twice")').replace(
    "twice.register_autograd(back", 'torch.library.register_autograd("SPACE::twice", back'
)
BY_FUNCTION = OPERATOR.replace("twice.register_autograd(back", "torch.library.register_autograd(twice, back")
CHANGING = """
import torch
from torch import Tensor


@torch.library.custom_op("SPACE::double_", mutates_args={"x"})
def double_(x: Tensor, unused: float) -> None:
    x.mul_(2.0)


@torch.library.custom_op("SPACE::treble_", mutates_args=["x"])
def treble_(x: Tensor) -> None:
    x.mul_(3.0)


def run(x):
    x = x.detach()
    double_(x, 1.0)
    treble_(x)
    return x.tolist()
"""
ENTRY = "import torch\nfrom a import run\n" + MAIN.format("print(run(torch.ones(2, requires_grad=True)))")


def run_torch(code, tmp_path):
    file = tmp_path / "program.py"
    file.write_bytes(code)
    (done,) = run_jobs([Job([str(file)], tmp_path, {**os.environ, "PYTHONPATH": str(tmp_path)})])
    assert done.status == 0, done.stderr
    return done.stdout


@pytest.mark.ci
@pytest.mark.parametrize(
    ("text", "printed"),
    [
        (OPERATOR, "([2.0, 2.0], [2.0, 2.0])\n"),
        (BY_TEXT, "([2.0, 2.0], [2.0, 2.0])\n"),
        (BY_FUNCTION, "([2.0, 2.0], [2.0, 2.0])\n"),
        (CHANGING, "[6.0, 6.0]\n"),
    ],
)
def test_operators_keep_what_is_registered_for_them(project, tmp_path, text, printed):
    find_source = project({"a": text.replace("SPACE", "lab")})
    modules = load(ENTRY, find_source)
    reach(modules)
    assert check(list(modules.values())) == []
    built = build(ENTRY, find_source)
    for stage in ("0_live.py", "3_shaken.py", "5_packed.py"):
        assert run_torch(built.dumps[stage], tmp_path) == printed, stage


def test_the_example_of_the_docs_builds_and_runs(project, tmp_path):
    text = (Path(__file__).parents[2] / "docs" / "writing-a-plugin.md").read_text().partition("## Kernels")[2]
    lines = text[text.index("    try:") : text.index("\nThe component")].splitlines()
    example = textwrap.dedent("\n".join(lines))
    run = "\n\ndef run(x):\n    return twice(x).tolist() if triton is not None else (2 * x).tolist()\n"
    find_source = project({"a": "import torch\nfrom torch import Tensor\n\n" + example + run})
    modules = load(ENTRY, find_source)
    reach(modules)
    assert check(list(modules.values())) == []
    built = build(ENTRY, find_source)
    kept = ("@triton.jit", "my_plugin::twice", ".register_fake", ".register_autograd(")
    assert all(part in built.dumps["4_minified.py"].decode() for part in kept)
    assert run_torch(built.code, tmp_path) == "[2.0, 2.0]\n"


def test_an_operator_that_is_not_used_is_gone_with_what_it_got(project):
    find_source = project({"a": OPERATOR.replace("SPACE", "lab")})
    text = build("from a import idle\n" + MAIN.format("print(idle(4))"), find_source, pack="plain").code.decode()
    assert "torch" not in text
    # Here only specialize finds out that nobody needs it.
    sample = OPERATOR.replace("SPACE", "lab") + "def maybe(x, on):\n    return run(x) if on else x\n"
    text = build(
        "from a import maybe\n" + MAIN.format("print(maybe(4, False))"), project({"a": sample}), pack="plain"
    ).code.decode()
    assert "torch" not in text


@pytest.mark.ci
def test_two_operators_of_one_name_are_refused(project):
    find_source = project(dict.fromkeys("ab", OPERATOR.replace("SPACE", "lab")))
    with pytest.raises(PgolfError) as caught:
        build(
            ENTRY.replace("from a", "from b import run as other\nfrom a").replace("run(torch", "other(1), run(torch"),
            find_source,
        )
    assert caught.value.code == "PG201" and "a.py" in str(caught.value) and "b.py" in str(caught.value)
    files = [find_source(name) for name in "ab"]
    assert [finding.code for finding in lint_files(files).findings] == ["PG201"] and not lint_files(files[:1]).findings


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("PG301", "try:\n    import triton\nexcept ImportError:\n    pass\n"),
        ("PG301", "try:\n    import triton\nexcept ImportError:\n    tl = None\n"),
        ("PG301", "try:\n    import triton\nexcept ImportError as error:\n    triton = None\n"),
        ("PG301", "try:\n    import triton\n    print(1)\nexcept ImportError:\n    triton = None\n"),
        ("PG301", "try:\n    import triton\nexcept ImportError:\n    triton = None\nelse:\n    X = 1\n"),
        ("PG301", "try:\n    import triton\nexcept ImportError:\n    triton = False\n"),
        ("PG303", TRY.format("json", "json") + "def run(): return json\n"),
        ("PG303", TRY.format("triton.language", "triton") + "def run(): return triton\n"),
        ("PG304", TRY.format("triton", "triton") + "import triton\n"),
        ("PG304", TRY.format("triton", "triton") + "triton = 3\n"),
        ("PG301", "if triton is not None:\n    def f(): return 1\n" + TRY.format("triton", "triton")),
        ("PG301", "import triton\nif triton is not None:\n    @triton.jit\n    def f(): return 1\n"),
        ("PG301", TRY.format("triton", "triton") + "if triton is not None:\n    def f(): return 1\n"),
        ("PG301", TRY.format("triton", "triton") + "if triton is not None:\n    X = 1\n"),
        ("PG301", TRY.format("triton", "triton") + "if triton:\n    @triton.jit\n    def f(): return 1\n"),
        ("PG306", "from triton import jit as fast\n@fast\ndef run(): return 1\n"),
        ("PG306", "import triton\n@triton.autotune(configs=[print()], key=[])\n@triton.jit\ndef run(): return 1\n"),
        ("PG306", "class Op:\n    def register_fake(self, f): return f\n@Op.register_fake\ndef run(): return 1\n"),
        ("PG301", "def run(): return 1\nrun.register_autograd(run)\n"),
        ("PG301", OPERATOR + "twice.register_autograd(print())\n"),
        ("PG301", 'import torch\ntorch.library.register_autograd("x::gone", print)\n'),
    ],
)
def test_what_is_almost_like_them_is_refused(project, code, text):
    text = text if "def run" in text else text + "def run(): return 1\n"
    modules = load("from a import run\n" + MAIN.format("run()"), project({"a": text}))
    reach(modules)
    assert code in [finding.code for finding in check(list(modules.values()))]


def test_readings():
    statements = ast.parse(KERNELS + OPERATOR).body
    assert [optional_names(node) for node in statements if optional_names(node)] == [("triton", "tl")]
    assert [guard(node) for node in statements if guard(node)] == ["triton"]
    assert [operator_keys(node) for node in statements if operator_keys(node)] == [("twice", "SPACE::twice")]
    assert [registration(node)[0] for node in statements if registration(node)[0]] == ["twice", "twice"]
