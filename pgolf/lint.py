"""Lint: the bundleable subset on plugin files as text, without importing them and without an entry module.

What a build would take of a plugin is found from the text: the classes and functions that `Component(...)` names, and
whatever no hook uses. `PLUGIN`, hooks and what only they use are free.
"""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from pgolf.bundle.link import reach, registered_for, same_operators, target
from pgolf.bundle.rules.subset import check
from pgolf.bundle.source import ENTRY, Module, Statement, last_name, load, parse, read
from pgolf.errors import PgolfError, PgolfErrors

BUILD_TIME_NAMES = ("PLUGIN",)
DEFEATS_RENAMING = ("eval", "exec", "globals", "locals", "vars")
ROOTS = ("pgolf_plugins", "pgolf")


@dataclass
class Linted:
    """What was found.

    Attributes:
        files: files that were looked at.
        findings: in the order of the files and their lines.
        disabled: `path:line:column: name` for each name that turns off the shortening of every name in a built file.
    """

    files: list[str] = field(default_factory=list)
    findings: list[PgolfError] = field(default_factory=list)
    disabled: list[str] = field(default_factory=list)

    def add(self, other: Linted) -> None:
        """Take over what another pass found."""
        self.files += [item for item in other.files if item not in self.files]
        known = {(item.code, item.where, item.message) for item in self.findings}
        self.findings += [item for item in other.findings if (item.code, item.where, item.message) not in known]
        self.disabled += [item for item in other.disabled if item not in self.disabled]


def lint_files(paths: Sequence[Path], folders: Sequence[Path] = ()) -> Linted:
    """Every finding in files of plugins or of the runtime.

    The rules look at calls across modules, so pgolf's own modules and all files with names of their own are seen together.

    Args:
        paths: the files.
        folders: more folders with modules that they may import.

    Raises:
        PgolfError: PG001 for a file that cannot be read, PG004 for one that has no module name.
    """
    linted, waiting = Linted([str(path) for path in paths]), []
    for path in paths:
        try:
            parse(read(path), str(path))
            waiting.append((*module_name(path), path))
        except PgolfError as error:
            if not error.code.startswith("PG3"):
                raise
            linted.findings.append(error)
    while waiting:
        named = {name: (base, path) for name, base, path in reversed(waiting)}
        _lint_together(named, folders, linted)
        waiting = [item for item in waiting if named[item[0]][1] != item[2]]
    return linted


def _lint_together(named: dict[str, tuple[Path, Path]], folders: Sequence[Path], linted: Linted) -> None:
    """Lint files whose module names differ, in one pass."""
    finder = _Finder({name: path for name, (_, path) in named.items()}, [*_bases(named), *folders])
    try:
        modules = load("".join(f"import {name}\n" for name in (*named, *_context())), finder.find)
        findings: list[PgolfError] = []
        for module in modules.values():
            findings += _marked(module, modules) if module.name != ENTRY else []
        findings += [*check(list(modules.values())), *same_operators(modules)]
    except PgolfError as error:  # a module beside them that does not parse
        if len(named) == 1:
            linted.findings += _plain(error)
        else:
            for name in named:
                _lint_together({name: named[name]}, folders, linted)
        return
    for name, (_, path) in named.items():
        linted.findings += [item for item in findings if _path_of(item) == str(path)]
        linted.disabled += defeats_renaming(modules[name])


def _marked(module: Module, modules: dict[str, Module]) -> list[PgolfError]:
    """What marking finds: an import that leads nowhere."""
    try:
        mark(module, modules)
    except PgolfError as error:
        return _plain(error)
    return []


def _bases(named: dict[str, tuple[Path, Path]]) -> list[Path]:
    return list(dict.fromkeys(base for base, _ in named.values()))


def _context() -> Iterator[str]:
    """pgolf's own bundled modules."""
    for root in ROOTS:
        folder = package_folder(root)
        for path in sorted(folder.rglob("*.py")) if folder is not None else []:
            name = module_name(path)[0]
            if path.name != "__init__.py" and (root != "pgolf" or name.startswith("pgolf.runtime.")):
                yield name


def lint_program(modules: dict[str, Module]) -> Linted:
    """Every finding in a whole program, as a build reports them; the modules come from `source.load`."""
    reach(modules)
    own = [module for module in modules.values() if module.name != ENTRY]
    linted = Linted([module.path for module in own], [*check(list(modules.values())), *same_operators(modules)])
    for module in own:
        linted.disabled += defeats_renaming(module)
    return linted


def _plain(error: PgolfError) -> list[PgolfError]:
    return list(error.findings) if isinstance(error, PgolfErrors) else [error]


def _path_of(finding: PgolfError) -> str:
    return re.sub(r":\d+:\d+$", "", finding.where)


def module_name(path: Path) -> tuple[str, Path]:
    """The name a file is imported under, and the folder that its first part is looked up in."""
    for root in ROOTS:
        folder = package_folder(root)
        if folder is not None and path.resolve().is_relative_to(folder):
            parts = path.resolve().relative_to(folder).with_suffix("").parts
            return ".".join((root, *(part for part in parts if part != "__init__"))), folder.parent
    parts, parent = (path.stem,), path.resolve().parent
    while (parent / "__init__.py").is_file() and parent.name.isidentifier():
        parts, parent = (parent.name, *parts), parent.parent
    if not all(part.isidentifier() for part in parts):
        text = f"{path.name} cannot be imported: its name is no Python name"
        raise PgolfError("PG004", text, str(path), "rename the file")
    return ".".join(parts), parent


def package_folder(name: str) -> Path | None:
    """The folder of one of pgolf's own packages, found without importing anything else."""
    spec = importlib.util.find_spec(name)
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    return Path(places[0]).resolve() if places else None


class _Finder:
    """Finds the files of internal modules as text: pgolf's own, the linted files, and modules beside them."""

    def __init__(self, files: Mapping[str, Path], folders: Sequence[Path]):
        self.files, self.folders = files, folders

    def find(self, module: str) -> Path | None:
        """The file of a module that would be bundled, None for any other."""
        if module in self.files:
            return self.files[module]
        root, *rest = module.split(".")
        if root in ROOTS:
            folder = package_folder(root)
            if folder is None or (root == "pgolf" and rest[:1] != ["runtime"]):
                return None
            return _file_in(folder, rest)
        found = (_file_in(folder / root, rest) or _file_in(folder, [root, *rest]) for folder in self.folders)
        return next((path for path in found if path is not None), None)


def _file_in(folder: Path, parts: Sequence[str]) -> Path | None:
    base = folder.joinpath(*parts)
    choices = [base / "__init__.py"] + ([base.with_suffix(".py")] if parts else [])
    return next((path for path in choices if path.is_file()), None)


def mark(module: Module, modules: dict[str, Module]) -> None:
    """Mark as reached what a build could take of a plugin's module, and what that uses."""
    roots = [statement for statement in module.statements if _is_code(statement) and not _is_build_time(statement)]
    hooks = [statement for statement in module.statements if _is_build_time(statement)]
    named = {*chain.from_iterable(_components(statement.node) for statement in hooks)}
    helpers = {*chain.from_iterable(_without_components(statement.node) for statement in hooks)} - named
    queue = [item for item in roots if not item.declares or not set(item.declares) <= helpers]
    while queue:
        statement = queue.pop()
        if statement.reached:
            continue
        statement.reached = True
        queue += registered_for(statement)
        owner = statement.module
        for name in sorted(statement.uses):
            if name in owner.declares:
                queue.append(owner.declares[name])
            elif name in owner.imports and owner.imports[name].name and owner.imports[name].module in modules:
                queue.append(target(modules, owner, name))


def _is_code(statement: Statement) -> bool:
    return not isinstance(statement.node, (ast.Import, ast.ImportFrom, ast.Expr))


def _is_build_time(statement: Statement) -> bool:
    node = statement.node
    if isinstance(node, ast.FunctionDef):
        return any(last_name(item) == "hookimpl" for item in node.decorator_list)
    return bool(set(statement.declares) & set(BUILD_TIME_NAMES))


def _components(node: ast.AST) -> Iterator[str]:
    """Names that become part of the program: first arguments of `Component(...)`."""
    for item in ast.walk(node):
        if isinstance(item, ast.Call) and last_name(item) == "Component" and item.args:
            yield from (inner.id for inner in ast.walk(item.args[0]) if isinstance(inner, ast.Name))


def _without_components(node: ast.AST) -> Iterator[str]:
    return (item.id for item in ast.walk(node) if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Load))


def defeats_renaming(module: Module) -> Iterator[str]:
    """Places in bundled code where a name makes python-minifier give up renaming for the whole program."""
    for statement in module.reached():
        for node in ast.walk(statement.bare):
            if isinstance(node, ast.Name) and node.id in DEFEATS_RENAMING and node.id not in module.declares:
                yield f"{module.place(node)}: {node.id}"
            elif isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
                yield f"{module.place(node)}: from {node.module} import *"
