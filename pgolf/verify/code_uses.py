"""What a syntax tree says that a program needs: imports, other programs, files, the network."""

from __future__ import annotations

import ast
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

from pgolf.verify.code_data import (
    DATA_SUFFIXES,
    DOWNLOADERS,
    HARMLESS,
    INSTALLERS,
    NETWORK_CALLS,
    PACKAGES,
    READERS,
    STANDARD,
)
from pgolf.wrappers.elsewhere import PROCESS_CALLS

MOST = 200
"""Most findings of one kind that are kept."""
TEXT = 120
VISITS = 3_000_000


class Visits:
    """How many nodes the patterns may still look at: of one folder, or of one tree."""

    def __init__(self, left: int = VISITS):
        self.left = left


Node = TypeVar("Node", bound=ast.AST)


class Index:
    """The nodes of a tree by their type, from one walk, in the order of their lines."""

    def __init__(self, tree: ast.AST, visits: Visits | None = None):
        self.visits = visits or Visits()
        self.by_type: dict[type[ast.AST], list[ast.AST]] = {}
        for node in ast.walk(tree):
            self.by_type.setdefault(type(node), []).append(node)

    def of(self, kind: type[Node]) -> list[Node]:
        """All nodes of one type."""
        found: list[Node] = self.by_type.get(kind, [])  # type: ignore[assignment]
        return sorted(found, key=lambda node: getattr(node, "lineno", 0))

    def walk(self, node: ast.AST) -> Iterator[ast.AST]:
        """`ast.walk`, until all walks of the folder have seen `VISITS` nodes: patterns walk a deep tree many times."""
        for item in ast.walk(node):
            self.visits.left -= 1
            if self.visits.left < 0:
                return
            yield item

    @property
    def functions(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        """All functions and methods."""
        return [*self.of(ast.FunctionDef), *self.of(ast.AsyncFunctionDef)]


@dataclass(frozen=True)
class Use:
    """A thing that the program needs, and the line that says so; `file` where that is not the entry script's."""

    what: str
    line: int
    file: str = ""

    @property
    def place(self) -> str:
        """`line 3`, or `helper.py line 3`."""
        return f"{self.file} line {self.line}" if self.file else f"line {self.line}"


@dataclass
class Uses:
    """Everything that one module needs.

    Attributes:
        imports: top-level package -> first line.
        relative: modules of relative imports.
        programs: other programs that it starts; "?" where the name is worked out while running.
        files: literal paths that it opens.
        network: calls that reach out, and installers.
    """

    imports: dict[str, int] = field(default_factory=dict)
    relative: list[str] = field(default_factory=list)
    programs: list[Use] = field(default_factory=list)
    files: list[Use] = field(default_factory=list)
    network: list[Use] = field(default_factory=list)

    def add(self, other: Uses, file: str = "") -> None:
        """Take over what another module needs."""
        self.imports = {**other.imports, **self.imports}
        self.relative += other.relative
        self.programs += [replace(use, file=file) for use in other.programs]
        self.files += [replace(use, file=file) for use in other.files]
        self.network += [replace(use, file=file) for use in other.network]

    @property
    def unknown(self) -> dict[str, int]:
        """Imports that are neither the standard library's nor on the list."""
        return {name: line for name, line in self.imports.items() if name not in STANDARD and name not in PACKAGES}

    @property
    def unusual_programs(self) -> list[Use]:
        """Programs other than those that only print the machine."""
        return [use for use in self.programs if use.what not in HARMLESS]


def uses(index: Index) -> Uses:
    """Look at every import and every call."""
    found, names = Uses(), dict(_aliases(index))
    for name, line in _imports(index):
        found.imports.setdefault(name[:TEXT], line)
        if name in DOWNLOADERS:
            found.network.append(Use(f"import {name}", line))
    for relative in index.of(ast.ImportFrom):
        if relative.level:
            found.relative += (
                [relative.module.split(".")[0]] if relative.module else [item.name for item in relative.names]
            )
    for node in index.of(ast.Call):
        _call(node, dotted(node.func, names), found)
    for items in (found.programs, found.files, found.network):
        items.sort(key=lambda use: use.line)
        del items[MOST:]
    return found


def _imports(index: Index) -> Iterator[tuple[str, int]]:
    """Top-level package names, also of imports that are calls; relative imports are files beside the script."""
    for call in index.of(ast.Call):
        first = call.args[0] if call.args else None
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
            if name in ("__import__", "import_module", "run_module"):
                yield first.value.split(".")[0], call.lineno
    for node in index.of(ast.Import):
        yield from ((item.name.split(".")[0], node.lineno) for item in node.names)
    for other in index.of(ast.ImportFrom):
        if other.module and not other.level:
            yield other.module.split(".")[0], other.lineno


def _aliases(index: Index) -> Iterator[tuple[str, str]]:
    for node in index.of(ast.Import):
        yield from ((item.asname, item.name) for item in node.names if item.asname)
    for other in index.of(ast.ImportFrom):
        if other.module:
            yield from ((item.asname or item.name, f"{other.module}.{item.name}") for item in other.names)


def dotted(node: ast.expr, names: dict[str, str]) -> str:
    """`F.cross_entropy` by its full name; "" for what is no plain name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([names.get(node.id, node.id), *reversed(parts)])


def _call(node: ast.Call, name: str, found: Uses) -> None:
    first = node.args[0] if node.args else None
    if name in NETWORK_CALLS:
        found.network.append(Use(name, node.lineno))
    elif name in PROCESS_CALLS:
        words = _command(first)
        program = words[0].rpartition("/")[2] if words else "?"
        found.programs.append(Use(program[:TEXT], node.lineno))
        if INSTALLERS & {word.rpartition("/")[2] for word in words[:4]}:
            found.network.append(Use(" ".join(words)[:TEXT], node.lineno))
    elif name in READERS and isinstance(first, ast.Constant) and isinstance(first.value, str) and not _writes(node):
        found.files.append(Use(first.value[:TEXT], node.lineno))
    elif name.rpartition(".")[2] in ("Path", "SentencePieceProcessor", "Load", "load"):
        values = [first, *(item.value for item in node.keywords)]
        for value in values:
            if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value.endswith(DATA_SUFFIXES):
                found.files.append(Use(value.value[:TEXT], node.lineno))


def _writes(node: ast.Call) -> bool:
    """`open(name, "w")`."""
    modes = [*node.args[1:2], *(item.value for item in node.keywords if item.arg == "mode")]
    return any(isinstance(item, ast.Constant) and set(str(item.value)) & set("wax") for item in modes)


def _command(node: ast.expr | None) -> list[str]:
    """The literal words of a command; a word that is not literal is "?"."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        try:
            return shlex.split(node.value)[:20]
        except ValueError:
            return node.value.split()[:20]
    if isinstance(node, (ast.List, ast.Tuple)):
        return [_word(item) for item in node.elts[:20]]
    return []


def _word(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    return "python" if isinstance(node, ast.Attribute) and node.attr == "executable" else "?"
