"""`pgolf plugins new`: a package with one plugin that builds, installs and passes its own test."""

from __future__ import annotations

import keyword
import re
from pathlib import Path
from string import Template
from typing import NamedTuple

from pgolf.component import FAMILIES
from pgolf.errors import PgolfError
from pgolf.manager import Registry


class Body(NamedTuple):
    """A family's example: its maths, summary, imports, code, and what a test calls it with."""

    maths: str
    summary: str
    imports: str
    code: str
    check: str


BODIES: dict[str, Body] = {
    "architecture": Body(
        "y = ${NAME}_gain * x        the normed input of both branches of every layer; 1 is the identity",
        "Branch inputs times a constant.",
        "",
        '''
def ${name}_scale(x_BTD, layer, ctx, gain):
    """x_BTD -> x_BTD."""
    ctx.fired("${name}", "branches")
    return x_BTD * gain


@hookimpl
def branch_inputs(settings) -> Component:
    """Both branches of every layer."""
    return Component(${name}_scale, gain=settings.${name}_gain)
''',
        '''
    ctx = SimpleNamespace(fired=lambda plugin, unit, number=1: None)
    x = torch.ones(1, 2, 3)
    assert torch.equal(${name}.${name}_scale(x, 0, ctx, gain=2.0), 2 * x)
''',
    ),
    "optimizer": Body(
        "lr_mul <- ${NAME}_gain * lr_mul        in every step; 1 is the identity",
        "Learning rates times a constant.",
        "",
        '''
def ${name}_schedule(progress, scalars, ledger, gain):
    """Multiply the learning-rate multiplier."""
    ledger.count("${name}", "steps")
    return scalars._replace(lr_mul=scalars.lr_mul * gain)


@hookimpl
def schedules(settings) -> Component:
    """Every step."""
    return Component(${name}_schedule, gain=settings.${name}_gain)
''',
        '''
    from pgolf.runtime.ledger import Ledger
    from pgolf.runtime.progress import Scalars

    assert ${name}.${name}_schedule(None, Scalars(0.5, 1.0, 0.0), Ledger(), gain=2.0).lr_mul == 1.0
''',
    ),
    "quantizer": Body(
        "encoded <- encoded        and a note of the bytes that it packs to, times ${NAME}_gain",
        "Notes the packed size before compression is final.",
        "",
        '''
def ${name}_fit(encoded, measure, ledger, gain):
    """Leave the encoded tensors as they are."""
    ledger.note("${name}", f"{int(gain * measure(encoded))} bytes")
    return encoded


@hookimpl
def fit(settings) -> Component:
    """The last step before the artifact."""
    return Component(${name}_fit, gain=settings.${name}_gain)
''',
        '''
    from pgolf.runtime.ledger import Ledger

    ledger = Ledger()
    assert ${name}.${name}_fit({}, lambda encoded: 10, ledger, gain=2.0) == {}
    assert ledger.receipt("${name}") == "20 bytes"
''',
    ),
    "compressor": Body(
        "stored = deflate(data, level 6)        ${NAME}_gain is the growth that is refused when reading back",
        "Deflate at level 6.",
        "import zlib\n",
        '''
class ${Name}Coder:
    """Entropy coder; `name` is safe in a file name."""

    name = "${name}"

    def __init__(self, gain):
        self.gain = gain

    def compress(self, data, ledger):
        """Compressed bytes."""
        packed = zlib.compress(data, 6)
        ledger.note("${name}", f"{len(data)} -> {len(packed)} bytes")
        return packed

    def decompress(self, data, limit):
        """The original bytes; ValueError when they are more than `limit`."""
        stream = zlib.decompressobj()
        plain = stream.decompress(data, int(limit * self.gain))
        if not stream.eof:
            raise ValueError(f"the stream is cut short or holds more than {limit} bytes")
        return plain


@hookimpl
def entropy_coder(settings) -> Component:
    """Takes the place of zlib."""
    return Component(${Name}Coder, gain=settings.${name}_gain)
''',
        '''
    from pgolf.runtime.ledger import Ledger

    coder = ${name}.${Name}Coder(1.0)
    assert coder.decompress(coder.compress(b"abc" * 100, Ledger()), 1000) == b"abc" * 100
''',
    ),
    "eval": Body(
        "windows of ${NAME}_gain * T tokens, side by side        T is the sequence length",
        "Windows side by side, shorter than the sequence length where the gain is below 1.",
        "from pgolf.runtime.evaluate import Span\n",
        '''
class ${Name}Windows:
    """Every target once."""

    name = "${name}"
    label = "${name}"

    def __init__(self, gain):
        self.gain = gain

    def spans(self, num_tokens, seq_len):
        """Windows over targets 1..N-1; the last may be shorter."""
        length = max(1, min(int(seq_len * self.gain), seq_len))
        targets = num_tokens - 1
        return [Span(at, min(at + length, targets), 0) for at in range(0, targets, length)]


@hookimpl
def windows(settings) -> Component:
    """Takes the place of the baseline's windows."""
    return Component(${Name}Windows, gain=settings.${name}_gain)
''',
        '''
    spans = ${name}.${Name}Windows(0.5).spans(20, 8)
    scored = [position for start, end, first in spans for position in range(start + first, end)]
    assert scored == list(range(19))
''',
    ),
    "data": Body(
        "field[b, t] = ${NAME}_gain * t        position of each token in its sequence",
        "Positions of tokens as a batch field.",
        "import torch\n",
        '''
def ${name}_positions(ids_BT, ledger, gain):
    """ids (B,T) -> positions (B,T), float32."""
    ledger.count("${name}", "batches")
    positions = torch.arange(ids_BT.size(1), device=ids_BT.device, dtype=torch.float32)
    return (gain * positions).expand(ids_BT.shape)


@hookimpl
def batch_fields(settings):
    """One field, reachable as `ctx.fields["${name}"]`."""
    return {"${name}": Component(${name}_positions, gain=settings.${name}_gain)}
''',
        '''
    from pgolf.runtime.ledger import Ledger

    field = ${name}.${name}_positions(torch.zeros(2, 3, dtype=torch.int64), Ledger(), gain=2.0)
    assert field.tolist() == [[0.0, 2.0, 4.0]] * 2
''',
    ),
}

MODULE = '''"""${title}: one sentence on what it does.

    ${maths}

Say here why it starts harmless, what was measured, and where it comes from.

Source: (pull request, record or paper).
"""

${imports}from pgolf import Component, Plugin, Setting, hookimpl
${late_imports}
PLUGIN = Plugin(
    name="${name}",
    summary="${summary}",
    source="(pull request, record or paper)",
    family="${family}",
    settings=(Setting("${name}_gain", 1.0, "strength; 1 changes nothing", minimum=0.0),),
)

${code}'''

PYPROJECT = """[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "pgolf-${dist}"
version = "0.1.0"
description = "${summary}"
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["pgolf>=0.1"]

[project.entry-points."pgolf.plugins"]
${name} = "${package}.${name}"

[tool.setuptools.packages.find]
where = ["src"]
"""

README = """# pgolf-${dist}

${summary} A ${family} plugin for [pgolf](https://pypi.org/project/pgolf/).

    pip install -e .
    pgolf plugins show ${name}
    pgolf build --plugins ${name}
    python -m pytest

The plugin is `src/${package}/${name}.py`: its docstring states the maths, `PLUGIN` describes it, and the functions marked
`@hookimpl` hand components to pgolf. Modules that end up in a built file may import torch, numpy, the standard library,
`pgolf.runtime` and each other.
"""

TEST = '''"""The plugin alone, in a recipe, in a model, and in a built file."""

${test_imports}import torch
from pgolf.bundle.pipeline import build
from pgolf.manager import load_registry
from pgolf.recipe import Recipe
from pgolf.resolve import load_entry, resolve
from pgolf.runtime.ledger import Ledger as RunLedger
from pgolf.runtime.model import GPT
from pgolf.runtime.parameters import initialize

from ${package} import ${name}

TINY = {"vocab_size": 256, "model_dim": 64, "num_heads": 4, "num_kv_heads": 2, "num_layers": 4, "train_seq_len": 64}


def resolved():
    registry = load_registry()
    assert "${name}" in registry.plugins, "install the package first: pip install -e ."
    return resolve(Recipe("test", layers=(("${name}",),), settings=TINY), registry)


def test_does_what_its_formula_says():
${check}

def test_a_model_with_it_runs_forward_and_backward():
    entry = load_entry(resolved().entry)
    program, parameters = entry.make_program(), entry.make_parameters()
    model = GPT(entry.SETTINGS, program, parameters, torch.device("cpu"), torch.float32)
    ledger = RunLedger()
    initialize(model, parameters, 1, ledger)
    ids = torch.randint(0, 256, (2, 16))
    fields = {name: field(ids, ledger) for name, field in program.batch_fields}
    loss = model(ids, ids, ledger=ledger, fields=fields)
    loss.backward()
    assert torch.isfinite(loss)


def test_it_can_be_bundled():
    found = resolved()
    built = build(found.entry, found.find_source)
    compile(built.code, "train_gpt.py", "exec")
    assert "${package}.${name}" in built.modules
'''


def write_package(name: str, folder: Path, family: str, registry: Registry) -> list[Path]:
    """Write the package; returns the files.

    Args:
        name: the plugin's, in snake case.
        folder: new or empty.
        family: one of `FAMILIES`; decides which hook the example implements.
        registry: names that are taken.

    Raises:
        PgolfError: PG004 for a name or folder that cannot be used, PG103 for a name that is taken.
    """
    assert family in FAMILIES
    check_name(name, registry)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise PgolfError("PG004", f"{folder} is not empty", "-o", "give a new folder")
    values = _values(name, family)
    package = f"src/{values['package']}"
    files = {
        "pyproject.toml": PYPROJECT,
        "README.md": README,
        f"{package}/__init__.py": '"""Plugins of pgolf-${dist}."""\n',
        f"{package}/{name}.py": MODULE,
        f"tests/test_{name}.py": TEST,
    }
    written = []
    try:
        for path, text in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(Template(text).substitute(values), encoding="utf-8")
            written.append(target)
    except OSError as error:
        raise PgolfError("PG001", f"cannot write: {error.strerror or error}", str(folder)) from None
    return written


def check_name(name: str, registry: Registry) -> None:
    """Refuse a name that cannot be a module, a setting's prefix and a command-line name, or that is taken."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) or keyword.iskeyword(name) or len(name) > 60:
        hint = "use the technique's published name in snake case, e.g. smear_gate"
        raise PgolfError("PG004", f"{name!r} is no plugin name", "command line", hint)
    if name in registry.plugins:
        other = registry.plugins[name].path
        raise PgolfError("PG103", f"the plugin name {name!r} is taken by {other}", "command line", "choose another")


def _values(name: str, family: str) -> dict[str, str]:
    """What the templates are filled with; a body's own placeholders are filled first."""
    camel = "".join(part.capitalize() for part in name.split("_"))
    own = {"name": name, "Name": camel, "NAME": name.upper()}
    body = Body(*(Template(text).substitute(own) for text in BODIES[family]))
    runtime = body.imports.startswith("from pgolf")
    return {
        **own,
        "title": name.replace("_", " ").capitalize(),
        "dist": name.replace("_", "-"),
        "package": f"pgolf_{name}",
        "family": family,
        "maths": body.maths,
        "summary": body.summary,
        "imports": "" if runtime else body.imports.replace("import zlib\n", "import zlib\n\n"),
        "late_imports": body.imports if runtime else "",
        "code": body.code,
        "check": body.check.strip("\n") + "\n",
        "test_imports": "from types import SimpleNamespace\n\n" if "SimpleNamespace" in body.check else "",
    }
