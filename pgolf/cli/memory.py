"""What a build of `--watch` made, and whether everything that decided it is still the same."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pgolf.errors import PgolfError

if TYPE_CHECKING:
    from pgolf.bundle.pipeline import Built
    from pgolf.bundle.source import Module


@dataclass(frozen=True)
class Kept:
    """A finished build and everything that decided it.

    Attributes:
        sources: (file, hash of it, `tree_hash`) by module.
        passed: `states` of the modules, none of which breaks a rule.
    """

    entry: str
    options: tuple[Any, ...]
    sources: Mapping[str, tuple[Path, str, str]]
    built: Built
    passed: Mapping[str, str] = field(default_factory=dict)


class Memory:
    """`pipeline.build` that gives the last result again where nothing that decides it has changed.

    The stages see syntax trees alone, so a module counts as unchanged while its tree without docstrings is the same.

    Attributes:
        kept: the last build, from here on this one.
        modules: what `read_again` made of the last build's modules.
        reused: the last result was given again.
        passed: as in `Kept`, of this build.
        sources: as in `Kept`, of this build.
    """

    def __init__(self, build: Callable[..., Built], kept: Kept | None, modules: Mapping[str, Module]):
        self.make, self.kept, self.modules = build, kept, modules
        self.reused = False
        self.passed: dict[str, str] = {}
        self.sources: dict[str, tuple[Path, str, str]] = {}

    def build(self, entry: str, find_source: Callable[[str], Path | None], **options: Any) -> Built:
        """The stages, or their last result."""
        key = tuple(sorted(options.items()))
        before = self.kept.sources if self.kept is not None else {}
        known = {path: (data, tree) for path, data, tree in before.values()}
        if self.kept is not None and (self.kept.entry, self.kept.options) == (entry, key):
            self.sources = {name: hashes(path, known) for name, (path, _, _) in before.items()}
            same = all(self.sources[name][2] == tree for name, (_, _, tree) in before.items())
            if same and all(find_source(name) == path for name, (path, _, _) in before.items()):
                self.reused, self.kept = True, replace(self.kept, sources=dict(self.sources))
                return self.kept.built
        self.sources = {}

        def find(module: str) -> Path | None:
            path = find_source(module)
            if path is not None and module not in self.sources:
                self.sources[module] = hashes(path, known)
            return path

        built = self.make(entry, find, known=self.modules, check=self.check, **options)
        self.kept = Kept(entry, key, dict(self.sources), built, self.passed)
        return built

    def check(self, modules: list[Module]) -> list[PgolfError]:
        """What breaks the rules, in modules of which something that the rules look at has changed."""
        from pgolf.bundle.rules.subset import check

        self.passed = states(modules)
        before = self.kept.passed if self.kept is not None else {}
        return check(modules, [name for name, state in self.passed.items() if before.get(name) == state])


def states(modules: list[Module]) -> dict[str, str]:
    """Hash of all that the rules look at in a module: its text and what of it is reached, the same of every module that it
    leads to, the names of all modules, and the parameters of all methods.
    """
    from pgolf.bundle.view import methods_of

    methods = {name: sorted(ast.unparse(one.args) for one in several) for name, several in methods_of(modules).items()}
    common = repr((sorted(module.name for module in modules), sorted(methods.items())))
    table = {module.name: module for module in modules}
    found = {}
    for module in modules:
        near = {module.name: module}
        waiting = [module]
        while waiting:
            for name in waiting.pop().internal & table.keys() - near.keys():
                near[name] = table[name]
                waiting.append(table[name])
        parts = [(one.name, one.text, [line.index for line in one.reached()]) for _, one in sorted(near.items())]
        found[module.name] = hashlib.sha256(repr((common, parts)).encode()).hexdigest()
    return found


def read_again(modules: Mapping[str, Module], kept: Kept | None) -> dict[str, Module]:
    """The modules of the last build as they are now, ready for the next; those that have not changed are used again.

    A module that cannot be read is left out: whoever builds with it says so.
    """
    from pgolf.bundle.source import parsed, read

    found: dict[str, Module] = {}
    for name, (path, _, _) in kept.sources.items() if kept is not None else ():
        try:
            text, old = read(path), modules.get(name)
            if old is not None and (old.path, old.text) == (str(path), text):
                found[name] = old
            else:
                found[name] = parsed(name, path, text)
                found[name].prepare()
        except PgolfError:
            continue
    return found


def hashes(path: Path, known: Mapping[Path, tuple[str, str]]) -> tuple[Path, str, str]:
    """A file, its hash, and that of its tree, which is not made where `known` has a file of the same hash."""
    try:
        data = path.read_bytes()
    except OSError:
        return path, "unreadable", "unreadable"
    digest = hashlib.sha256(data).hexdigest()
    before, tree = known.get(path, ("", ""))
    return path, digest, tree if before == digest else tree_hash(data)


def tree_hash(data: bytes) -> str:
    """Hash of a module's syntax tree without docstrings and without places; of its bytes where it does not parse."""
    try:
        tree = ast.parse(data)
    except (SyntaxError, ValueError):
        return hashlib.sha256(data).hexdigest()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                first.value.value = ""
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()
