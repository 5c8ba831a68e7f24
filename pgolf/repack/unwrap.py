"""Takes a script out of the wrapper that unpacks and runs it, where nothing is lost by that.

A wrapper is a small program around large literals that executes what they hold. Its program is read from syntax trees, with
bounds on what it decodes to. It may stand for the wrapper only if the wrapper is imports, literals and the one `exec`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

from pgolf.bundle.names import bound_name
from pgolf.errors import PgolfError
from pgolf.repack.index import Index
from pgolf.unpack import unpack as unpack_own
from pgolf.wrappers.layers import CODE_OF_WRAPPER, dense_bytes, unpack

RUNS = {"exec", "eval", "compile", "runpy.run_path", "runpy.run_module", "marshal.loads", "types.FunctionType"}
TEXT_RUNS = {"exec", "eval", "compile"}
"""Those of them whose argument is a text: a literal one is in front of the reader."""
STARTS = ("subprocess.", "os.exec", "os.spawn", "os.system", "importlib.", "zipimport.", "tempfile.")


def unwrap(data: bytes, name: str) -> tuple[str, bytes]:
    """How a script is packed and what it holds; "" and the script itself for an ordinary one.

    Args:
        data: the file.
        name: its name, which a wrapper may open.

    Raises:
        PgolfError: PG004 for a wrapper that cannot be read.
    """
    unpacked = unpack(data, name, _only(name, data))
    innermost = unpacked.text or ""
    tree = unpacked.parsed.tree if unpacked.parsed else None
    if tree is not None and _is_wrapper(innermost, tree):
        reason = unpacked.opaque or "what it runs is not among its literals"
        hint = "unpack it by other means, and pack what comes out"
        raise PgolfError("PG004", f"the script is packed in a way that cannot be read: {reason}", hint=hint)
    if not unpacked.layers:
        return "", data
    if tree is None:
        problem = unpacked.problem or unpacked.opaque
        raise PgolfError("PG004", f"the program in the script cannot be read: {problem}")
    return unpacked.kind, innermost.encode()


def check_plain(data: bytes, name: str) -> None:
    """Every layer of a wrapper does nothing but run the next one.

    Raises:
        PgolfError: PG004, with the line of what would be lost.
    """
    unpacked = unpack(data, name, _only(name, data))
    for number, layer in enumerate(unpacked.layers):
        tree, inner = unpacked.trees[number][2], unpacked.trees[number + 1][2]
        if tree is None or inner is None or (number == 0 and _is_own(data)):
            continue
        loss = layer.besides or _shared(tree, inner)
        if loss:
            where, _, what = loss.partition(": ")
            hint = "take the program out by hand, with what the wrapper does besides"
            raise PgolfError("PG004", f"--unpack would lose what the wrapper does: {what}", where, hint)


def _only(name: str, data: bytes) -> Callable[[str], bytes]:
    """Reads this script and no other file."""

    def read(other: str) -> bytes:
        if other == name:
            return data
        raise ValueError("other files are not read")

    return read


def _is_own(data: bytes) -> bool:
    """Is this a file that pgolf packed?"""
    try:
        return unpack_own(data).encode() != data
    except (PgolfError, UnicodeError):
        return False


def _is_wrapper(text: str, tree: ast.Module) -> bool:
    """Is a program little code around large literals, and does it run something that is not in its text?"""
    size = len(text.encode(errors="replace"))
    code = dense_bytes(text.encode(errors="replace"))
    if code > CODE_OF_WRAPPER or 2 * code > size:
        return False
    index = Index(tree)
    for node in index.nodes:
        if isinstance(node, ast.Call):
            literal = bool(node.args) and isinstance(node.args[0], ast.Constant)
            names = index.origins(node.func) - (TEXT_RUNS if literal else set())
            if names & RUNS or any(name.startswith(STARTS) for name in names):
                return True
        elif isinstance(node, (ast.Name, ast.Attribute)) and index.origins(node) & {"exec", "eval"}:
            parent = index.parents[node]
            if not (isinstance(parent, ast.Call) and parent.func is node):
                return True
    return False


def _shared(tree: ast.Module, inner: ast.Module) -> str:
    """The first import or name of a wrapper that its program lives on, with the line; "" where there is none."""
    program = Index(inner)
    free = {name for scope in program.top.walk() for name in scope.reads if scope.resolve(name) is program.top}
    free -= program.top.bound.keys()
    for statement in tree.body:
        line = f"line {statement.lineno}"
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            return f"{line}: a `__future__` import holds for the program too"
        names = {name for node in ast.walk(statement) if (name := bound_name(node))}
        if names & free:
            return f"{line}: the program uses its {min(names & free)!r}"
    return ""
