"""Imports go one way: cli -> verify, prove -> run -> bundle -> recipe, resolve -> manager -> hookspecs -> component, errors.

Beside run stand repack and wrappers, above bundle.
"""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "pgolf").rglob("*.py")) + sorted((ROOT / "plugins").rglob("*.py"))

# How packed files are read, which all who write or open them know.
PACKED_FILES = ("pgolf.unpack", "pgolf.mixing", "pgolf.unmix")
# What a module of each layer may import of pgolf; the first layer whose prefix fits a module is its layer.
LAYERS = [
    ("pgolf.runtime", ("pgolf.runtime",)),
    ("pgolf_plugins", ("pgolf", "pgolf.runtime", "pgolf_plugins.none")),
    ("pgolf.cli", ("pgolf",)),
    ("pgolf.verify", ("pgolf",)),
    ("pgolf.prove", ("pgolf",)),
    ("pgolf.run", ("pgolf",)),
    ("pgolf.wrappers", ("pgolf.wrappers", *PACKED_FILES, "pgolf.errors")),
    ("pgolf.repack", ("pgolf.repack", "pgolf.bundle", *PACKED_FILES, "pgolf.errors", "pgolf.wrappers")),
    ("pgolf.bundle", ("pgolf.bundle", *PACKED_FILES, "pgolf.collector", "pgolf.errors")),
    *((name, (*PACKED_FILES, "pgolf.errors")) for name in PACKED_FILES),
    ("pgolf.data", ("pgolf.data", "pgolf.errors", "pgolf.files", "pgolf.runtime.byte_count", "pgolf.runtime.shards")),
]
NEVER = {
    "pgolf.verify": ("pgolf.cli",),
    "pgolf.prove": ("pgolf.cli", "pgolf.verify"),
    "pgolf.run": ("pgolf.cli", "pgolf.verify", "pgolf.prove"),
}
RANKS = [
    "errors",
    "component",
    "contracts",
    "binding",
    "hookspecs",
    "challenge",
    "settings",
    "manager",
    "recipe",
    "select",
    "providers",
    "entry",
    "resolve",
]


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    if parts[0] == "plugins":
        parts = ("pgolf_plugins", *parts[1:])
    return ".".join(part for part in parts if part != "__init__")


class WithoutTypes(ast.NodeTransformer):
    """Drops `if TYPE_CHECKING:` blocks, which never run."""

    def visit_If(self, node):
        only_types = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        return None if only_types else self.generic_visit(node)


def imported(path):
    """Full names of the modules a file imports when it runs, anywhere in it."""
    for node in ast.walk(WithoutTypes().visit(ast.parse(path.read_text()))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module


def within(name, prefixes):
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_imports_follow_the_layers(path):
    name = module_name(path)
    own = [other for other in imported(path) if within(other, ("pgolf", "pgolf_plugins"))]
    for prefix, allowed in LAYERS:
        if within(name, (prefix,)):
            if prefix == "pgolf_plugins":
                assert all(other == "pgolf" or within(other, ("pgolf.runtime",)) for other in own), own
            else:
                assert all(within(other, allowed) for other in own), own
            assert not any(within(other, NEVER.get(prefix, ())) for other in own), own
            return
    rank = name.removeprefix("pgolf.")
    if rank in RANKS:
        known = [other.removeprefix("pgolf.") for other in own if other.removeprefix("pgolf.") in RANKS]
        assert all(RANKS.index(other) < RANKS.index(rank) for other in known), own
        assert not any(within(other, ("pgolf.cli", "pgolf.verify", "pgolf.run", "pgolf.bundle")) for other in own)


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if within(module_name(path), ("pgolf.runtime",))], ids=module_name
)
def test_runtime_needs_torch_numpy_sentencepiece_and_the_standard_library(path):
    allowed = {
        "torch",
        "numpy",
        "sentencepiece",
        "flash_attn",
        "flash_attn_interface",
        "pgolf",
        *sys.stdlib_module_names,
    }
    assert {name.split(".")[0] for name in imported(path)} <= allowed


def test_bundling_and_verifying_never_load_torch():
    code = "import pgolf.bundle.pipeline, pgolf.cli.main, pgolf.verify, sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_package_is_installed():
    """An editable install finds folders that a wheel would leave out."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    folders = [
        path.parent.relative_to(ROOT) for name in ("pgolf", "plugins") for path in (ROOT / name).rglob("__init__.py")
    ]
    names = [
        ".".join(folder.parts).replace("plugins", "pgolf_plugins", folder.parts[0] == "plugins") for folder in folders
    ]
    assert sorted(listed) == sorted(names)
