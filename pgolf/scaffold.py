"""`pgolf plugins new`: a package with one plugin that builds, installs and passes its own test."""

from __future__ import annotations

import keyword
import re
from pathlib import Path
from string import Template

from pgolf.component import FAMILIES
from pgolf.errors import PgolfError
from pgolf.hook_version import HOOK_VERSION
from pgolf.manager import Registry
from pgolf.scaffold_bodies import BODIES, Body

MODULE = '''"""${title}: one sentence on what it does.

    ${maths}

Say here why it starts harmless, what was measured, and where it comes from.

Source: (pull request, record or paper).
"""

${imports}from pgolf import ${names}
${late_imports}
PLUGIN = Plugin(
    name="${name}",
    summary="${summary}",
    source="(pull request, record or paper)",
    family="${family}",
    settings=(Setting("${name}_gain", 1.0, "${help}", minimum=0.0),),
    hook_version="${hook_version}",
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

TEST = '''"""The formula, and what every plugin must satisfy."""

${test_imports}
from ${package} import ${name}


def test_does_what_its_formula_says(${fixtures}):
${check}

def test_keeps_what_every_plugin_promises(tmp_path):
    """Metadata, every mode of the forward, causality, gradients, compilation, a run with its receipt, live = built."""
    check_plugin("${name}", tmp_path)
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
    outside, inside = _split_imports(body.imports)
    names = [
        name
        for name in ("Component", "Param", "Plugin", "Setting", "hookimpl")
        if name != "Param" or "Param(" in body.code
    ]
    return {
        **own,
        "title": name.replace("_", " ").capitalize(),
        "dist": name.replace("_", "-"),
        "package": f"pgolf_{name}",
        "family": family,
        "hook_version": HOOK_VERSION,
        "maths": body.maths,
        "summary": body.summary,
        "help": body.help,
        "names": ", ".join(names),
        "imports": outside,
        "late_imports": inside,
        "code": body.code,
        "check": body.check.strip("\n") + "\n",
        "fixtures": ", ".join(name for name in ("monkeypatch", "tmp_path") if name in body.check),
        "test_imports": _test_imports(body.check),
    }


def _split_imports(text: str) -> tuple[str, str]:
    """(imports before that of pgolf, imports after it)."""
    lines = text.splitlines()
    outside = [line for line in lines if line and not line.startswith("from pgolf")]
    inside = [line for line in lines if line.startswith("from pgolf")]
    return "\n".join(outside) + "\n\n" * bool(outside), "\n".join(inside) + "\n" * bool(inside)


def _test_imports(check: str) -> str:
    """What the body of a test uses."""
    outside = [f"import {name}" for name in ("pytest", "torch") if f"{name}." in check]
    known = ("Ledger", "make_data", "make_model", "tiny_context", "tiny_session")
    helpers = sorted(
        ["check_plugin", *(name for name in known if f"{name}(" in check)], key=lambda name: (name.islower(), name)
    )
    inside = ["from pgolf.runtime.evaluate import run_evaluation"] * ("run_evaluation" in check)
    return "\n".join([*outside, *inside, f"from pgolf.testing import {', '.join(helpers)}"])
