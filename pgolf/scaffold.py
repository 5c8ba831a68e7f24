"""`pgolf plugins new`: a package with one plugin that builds, installs and passes its own test."""

from __future__ import annotations

import keyword
import re
from pathlib import Path
from string import Template

from pgolf.component import FAMILIES
from pgolf.errors import PgolfError
from pgolf.manager import Registry
from pgolf.scaffold_bodies import BODIES, Body

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
