"""What a packed or indirect script runs, layer by layer, read from syntax trees. Nothing is executed."""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice

from pgolf.wrappers.calls import EVALUATE, EXECUTE, RUN_FILE, executed, unseen
from pgolf.wrappers.decoders import COMPRESSED, Undecodable
from pgolf.wrappers.elsewhere import search_paths, started
from pgolf.wrappers.values import Evaluator
from pgolf.wrappers.versions import Parsed, parse

CALLS = 16
CODE_OF_WRAPPER = 4096
MIXED = b"#coding:l1\nimport zlib\ns="
DENSE = b"\nn=0\nfor b in"
"""What one with a payload of base 253 says near its start."""
PATHS = 20
LAYERS = 6
"""Most layers of packing that are taken off."""
DENSE_LIMIT = 384 * 1024
"""Most bytes of source outside long literals: a syntax tree takes a kilobyte and more for every few bytes."""
LITERALS = re.compile(
    rb"#[^\n]*+"
    rb'|[A-Za-z]{0,2}"""(?:[^"\\]++|\\.|"(?!""))*+(?P<end>""")?'
    rb"|[A-Za-z]{0,2}'''(?:[^'\\]++|\\.|'(?!''))*+(?P<end2>''')?"
    rb'|[A-Za-z]{0,2}"(?:[^"\\\n]++|\\.)*+(?P<end3>")?'
    rb"|[A-Za-z]{0,2}'(?:[^'\\\n]++|\\.)*+(?P<end4>')?",
    re.DOTALL,
)
"""Comments and strings. A string that does not end is taken to where it would have to end: the text is looked at once."""


@dataclass(frozen=True)
class Layer:
    """One step from a file to what it runs: how ("lzma-raw+b85", "sibling"), from which file, and the bytes of the text.

    `besides` names what the wrapper does besides: "" where it is imports, names of literals, and the one call.
    """

    kind: str
    file: str
    size: int
    besides: str = ""


@dataclass
class Unpacked:
    """The innermost program.

    Attributes:
        file: the file that holds it, of the submission's folder.
        text: its source; None where a file is not readable as text.
        parsed: its syntax tree and the Python versions that accept it; None where there is none.
        layers: what was taken off, outermost first.
        paths: folders outside, or not known, in which a layer looks for modules.
        trees: (file, text, tree) of every layer, the innermost last.
        opaque: why something that is executed could not be read; "" when all is known.
        problem: why there is no syntax tree.
    """

    file: str
    text: str | None = None
    parsed: Parsed | None = None
    layers: list[Layer] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    trees: list[tuple[str, str, ast.Module | None]] = field(default_factory=list)
    opaque: str = ""
    problem: str = ""

    @property
    def kind(self) -> str:
        """`plain`, or the layers' names."""
        return " > ".join(layer.kind for layer in self.layers) or "plain"


def unpack(code: bytes, name: str, read: Callable[[str], bytes]) -> Unpacked:
    """Take off layer after layer.

    Args:
        code: the file's bytes.
        name: the file's name, what `__file__` stands for.
        read: gives another file of the folder; may raise any `Exception` with the reason as its text.
    """
    found = Unpacked(name)
    data: bytes | str = code
    left = 2 * DENSE_LIMIT
    while True:
        try:
            left -= dense_bytes(data if isinstance(data, bytes) else data.encode(errors="replace"))
            if left < 0:
                raise Undecodable(
                    f"all layers together are more than {2 * DENSE_LIMIT:,} bytes of source outside literals"
                )
            found.text = data if isinstance(data, str) else as_text(data)
            found.parsed = parse(found.text)
            found.trees.append((found.file, found.text, found.parsed.tree))
        except Undecodable as error:
            found.problem = str(error)
            return found
        if found.parsed.tree is None:
            found.problem = found.parsed.error
            return found
        step = _own(found, data) or _step(found, found.parsed.tree, read)
        if step is None:
            return found
        data = step


def _own(found: Unpacked, data: bytes | str) -> str | None:
    """The program of a file that `pgolf build` wrote with a loop that decodes it: it is known, so that it need not be run."""
    if not isinstance(data, bytes) or not (data.startswith(MIXED) or DENSE in data[:60]):
        return None
    from pgolf.errors import PgolfError
    from pgolf.unpack import unpack as unpack_own

    try:
        text = unpack_own(data)
    except PgolfError:
        return None
    found.layers.append(Layer("mix" if data.startswith(MIXED) else "base253", found.file, len(text.encode())))
    return text


def _step(found: Unpacked, tree: ast.Module, read: Callable[[str], bytes]) -> bytes | str | None:
    """One layer: the largest text that the module executes, or None where it executes none that is known."""
    evaluator = Evaluator(tree, found.file, _reader(read))
    hidden = next(unseen(tree, evaluator), "") or next(started(tree, evaluator), "")
    found.paths += islice(search_paths(tree, evaluator), PATHS)
    best: tuple[bytes | str, str, str] | None = None
    for call in list(executed(tree, evaluator))[:CALLS]:
        evaluator.kinds, evaluator.files = [], []
        try:
            value = evaluator.content(call.args[0], evaluator.dotted(call.func) == RUN_FILE)
        except (Undecodable, RecursionError, MemoryError) as error:
            hidden = hidden or f"line {call.lineno}: exec of {error}"
            continue
        kind = "+".join(evaluator.kinds) or ("sibling" if evaluator.files else "literal")
        if best is None or len(value) > len(best[0]):
            best = (value, kind, evaluator.files[-1] if evaluator.files else found.file)
    if best is None or (best[1] == "literal" and len(best[0]) < len(found.text or "") / 2):
        # A larger program may run small texts of its own; a layer is a file that does little else.
        best = _decoded(found, tree, evaluator)
    if best is not None and len(found.layers) >= LAYERS:
        hidden, best = f"more than {LAYERS} layers of packing", None
    found.opaque = found.opaque or hidden
    if best is None:
        return None
    value, kind, found.file = best
    size = len(value if isinstance(value, bytes) else value.encode(errors="replace"))
    found.layers.append(Layer(kind, found.file, size, besides(tree, evaluator)))
    return value


def besides(tree: ast.Module, evaluator: Evaluator) -> str:
    """The first statement of a wrapper that is no import, no name of the text and not its one call."""
    calls = 0
    used = {node.id for call in executed(tree, evaluator) for node in ast.walk(call) if isinstance(node, ast.Name)}
    for statement in tree.body:
        if isinstance(statement, (ast.Import, ast.ImportFrom)) or _names_text(statement, used):
            continue
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            call = statement.value
            runs = evaluator.dotted(call.func) in (*EXECUTE, *EVALUATE)
            calls += runs
            if runs and calls == 1 and len(call.args) == 1 and not call.keywords:
                continue
        return (
            f"line {statement.lineno}: {ast.unparse(statement)[:60]}"
            if _is_short(statement)
            else (f"line {statement.lineno}: a {type(statement).__name__} statement")
        )
    return ""


def _names_text(statement: ast.stmt, used: set[str]) -> bool:
    """`DATA = "..."` for the one call."""
    if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.Constant):
        return False
    named = all(isinstance(target, ast.Name) and target.id in used for target in statement.targets)
    return named and isinstance(statement.value.value, (str, bytes))


def _is_short(statement: ast.stmt) -> bool:
    return statement.end_lineno == statement.lineno and (statement.end_col_offset or 0) - statement.col_offset < 200


def _decoded(found: Unpacked, tree: ast.Module, evaluator: Evaluator) -> tuple[bytes | str, str, str] | None:
    """The text of a small wrapper that is decoded and then run in another way, for example from a file that it writes."""
    if (
        len(found.text or "") > CODE_OF_WRAPPER
        and dense_bytes((found.text or "").encode(errors="replace")) > CODE_OF_WRAPPER
    ):
        return None
    best: tuple[bytes | str, str, str] | None = None
    for call in [node for node in ast.walk(tree) if isinstance(node, ast.Call)][:200]:
        if evaluator.dotted(call.func) not in COMPRESSED:
            continue
        evaluator.kinds, evaluator.files = [], []
        try:
            value = evaluator.content(call)
            program = parse(as_text(value) if isinstance(value, bytes) else value).tree
        except (Undecodable, RecursionError, MemoryError):
            continue
        if program is not None and program.body and len(value) > (len(best[0]) if best else len(found.text or "") / 2):
            best = (value, "+".join(evaluator.kinds) + " (run indirectly)", found.file)
    return best


def _reader(read: Callable[[str], bytes]) -> Callable[[str], bytes]:
    def wrapped(name: str) -> bytes:
        try:
            return read(name)
        except Exception as error:
            raise Undecodable(f"{name[:80]}: {error}") from None

    return wrapped


def as_text(data: bytes) -> str:
    """Source as Python reads it: with its coding line, without a byte order mark, and not too much of it.

    Raises:
        Undecodable: for another coding, bytes that do not decode, or too much source.
    """
    dense = dense_bytes(data)
    if dense > DENSE_LIMIT:
        raise Undecodable(f"{dense:,} bytes of source outside literals; at most {DENSE_LIMIT:,} are read")
    try:
        coding, _ = tokenize.detect_encoding(io.BytesIO(data[:1024]).readline)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return data.decode(coding)
    except (SyntaxError, UnicodeError, LookupError) as error:
        raise Undecodable(f"the source is not text: {str(error)[:160]}") from None


def dense_bytes(data: bytes) -> int:
    """Bytes outside comments and string literals; f-strings count, because they hold expressions."""
    saved = 0
    for match in LITERALS.finditer(data):
        head = match[0][:2].lower()
        comment = head.startswith(b"#")
        ended = comment or match.lastgroup is not None
        if ended and (comment or not (head.startswith(b"f") or head in (b"rf", b"fr"))):
            saved += len(match[0])
    return len(data) - saved
