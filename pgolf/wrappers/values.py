"""The value of an expression made of literals, decoders and files of the folder, worked out from its syntax tree.

Nothing is called that the tree names: every operation is one that is written here, with a bound on what it gives.
"""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

from pgolf.wrappers.decoders import COMPRESSED, OBJECTS, WRITTEN, Undecodable
from pgolf.wrappers.text import above, as_data, as_path, joined, recode, small, text_method

STEPS = 20_000
"""Most expressions that are looked at in one file."""
BYTES = 256 * 2**20
"""Most bytes of text that all of them give together."""
DEPTH = 60
BINDINGS = 1000
"""Most assignments of one name among which the last one is looked for."""
NUMBER_BITS = 80
PATHS = ("pathlib.Path", "pathlib.PurePath", "Path")
SAME_PATH = ("os.path.abspath", "os.path.realpath", "os.path.normpath", "os.fspath", "str")
HERE = ("os.getcwd", "pathlib.Path.cwd", "Path.cwd")
"""The program runs in its folder."""


class Evaluator:
    """Values of one module's expressions.

    Args:
        tree: the module.
        name: what `__file__` is: a path relative to the folder.
        read: gives a file of the folder; raises `Undecodable`.
    """

    def __init__(self, tree: ast.Module, name: str, read: Callable[[str], bytes]):
        self.name, self.read = name, read
        self.aliases: dict[str, str] = {}
        self.nodes: dict[str, list[ast.expr | None]] = {}
        self.straight: set[int] = set()
        self.steps, self.bytes, self.depth = STEPS, BYTES, 0
        self.kinds: list[str] = []
        self.files: list[str] = []
        for statement in tree.body:
            if isinstance(statement, (ast.Assign, ast.Expr)):
                self.straight.update(map(id, ast.walk(statement)))
        for node in ast.walk(tree):
            self._note(node)

    def _note(self, node: ast.AST) -> None:
        """Imports and assignments."""
        if isinstance(node, ast.Import):
            for item in node.names:
                self.aliases[item.asname or item.name.split(".")[0]] = (
                    item.name if item.asname else item.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module:
            for item in node.names:
                self.aliases[item.asname or item.name] = f"{node.module}.{item.name}"
        elif isinstance(node, ast.Assign) and len(node.targets) == 1:
            self._bind(node.targets[0], node.value)
        elif isinstance(node, ast.NamedExpr):
            self._bind(node.target, node.value)
        elif isinstance(node, (ast.AugAssign, ast.For)):
            for name in ast.walk(node.target):
                if isinstance(name, ast.Name):
                    self.nodes.setdefault(name.id, []).append(None)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            for entry in node.items:
                if entry.optional_vars is not None:
                    self._bind(entry.optional_vars, entry.context_expr)

    def _bind(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self.nodes.setdefault(target.id, []).append(value)
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
            for one, other in zip(target.elts, value.elts, strict=True):
                self._bind(one, other)

    def dotted(self, node: ast.expr) -> str:
        """`L.decompress` as `lzma.decompress`; "" for what is no name of a module's member."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute) and len(parts) < DEPTH:
            parts.append(node.attr)
            node = node.value
        root = ""
        if isinstance(node, ast.Name):
            root = self.aliases.get(node.id, node.id)
        elif isinstance(node, ast.Call) and isinstance(node.func, (ast.Name, ast.Attribute)):
            root = self._imported(node)
        return ".".join([root, *reversed(parts)]) if root else ""

    def _imported(self, node: ast.Call) -> str:
        """The module that `__import__("x")` gives."""
        func = node.func
        if isinstance(func, ast.Attribute):
            name = f"{self.aliases.get(func.value.id, '')}.{func.attr}" if isinstance(func.value, ast.Name) else ""
        else:
            name = self.aliases.get(func.id, func.id) if isinstance(func, ast.Name) else ""
        if name not in ("__import__", "importlib.import_module") or not node.args:
            return ""
        return (
            node.args[0].value if isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str) else ""
        )

    def value(self, node: ast.expr) -> Any:
        """What the expression is.

        Raises:
            Undecodable: for everything that is not made of literals and known operations.
        """
        self.steps -= 1
        self.depth += 1
        try:
            if self.steps < 0 or self.depth > DEPTH:
                raise Undecodable("the expression is too long or too deep")
            try:
                found = self._value(node)
            except (ValueError, TypeError, ArithmeticError, LookupError, AttributeError) as error:
                raise Undecodable(f"{type(error).__name__}: {str(error)[:100]}") from None
            self.bytes -= len(found) if isinstance(found, (str, bytes)) else 0
            if self.bytes < 0:
                raise Undecodable(f"the literals need more than {BYTES:,} bytes of work")
            return found
        finally:
            self.depth -= 1

    def content(self, node: ast.expr, is_path: bool = False) -> bytes | str:
        """Text that is executed: the value, or for a path what the file holds."""
        found = self.value(node)
        if is_path:
            found = PurePosixPath(as_path(found))
        if isinstance(found, PurePosixPath):
            found = self._of_path(found, "read", [])
        if not isinstance(found, (str, bytes)):
            raise Undecodable("something that is not text")
        return found

    def _value(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            return self._name(node)
        if isinstance(node, ast.NamedExpr):
            return self.value(node.value)
        if isinstance(node, ast.BinOp):
            return self._binary(node)
        if isinstance(node, (ast.List, ast.Tuple)):
            return [self.value(item) for item in node.elts]
        if isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            return {str(self.value(key)): self.value(item) for key, item in pairs if key is not None}
        if isinstance(node, ast.Attribute):
            return self._attribute(node)
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
            return self._slice(self.value(node.value), node.slice)
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute) and node.value.attr == "parents":
            return above(self.value(node.value.value), self.value(node.slice))
        if isinstance(node, ast.Call):
            return self._call(node)
        raise Undecodable(f"a {type(node).__name__} expression is not a literal")

    def _name(self, use: ast.Name) -> Any:
        """The value of a name that is bound once, or of one that is only bound and used in statements one after another."""
        if use.id == "__file__":
            return self.name
        bound = self.nodes.get(use.id, [])
        if len(bound) > BINDINGS:
            raise Undecodable(f"{use.id[:40]!r} is assigned more than {BINDINGS:,} times")
        if len(bound) > 1:
            simple = id(use) in self.straight and all(id(node) in self.straight for node in bound)
            before = [node for node in bound if node is not None and _ends_before(node, use)]
            bound = [*before[-1:]] if simple else []
        if not bound or bound[0] is None:
            raise Undecodable(f"the value of {use.id[:40]!r} is not known")
        return self.value(bound[0])

    def _binary(self, node: ast.BinOp) -> Any:
        left, right = self.value(node.left), self.value(node.right)
        if isinstance(node.op, ast.Add) and type(left) is type(right) and isinstance(left, (str, bytes)):
            return small(left + right)
        if isinstance(node.op, ast.Div) and isinstance(left, PurePosixPath):
            return left / str(right)
        if type(left) is int and type(right) is int and 0 <= left < 2**64 and 0 <= right < 2**64:
            if isinstance(node.op, ast.Add):
                return left + right
            if isinstance(node.op, (ast.BitOr, ast.Mult, ast.Sub)):
                return {ast.BitOr: left | right, ast.Mult: left * right, ast.Sub: left - right}[type(node.op)]
            if isinstance(node.op, (ast.Pow, ast.LShift)) and left <= 16 and right <= NUMBER_BITS:
                return left**right if isinstance(node.op, ast.Pow) else left << right
        raise Undecodable("an operation that is not a join of literals")

    def _attribute(self, node: ast.Attribute) -> Any:
        name = self.dotted(node)
        if name.startswith("lzma."):
            import lzma

            found = getattr(lzma, name[5:], None) if name[5:].isupper() else None
            if type(found) is int:
                return found
        if name == "os.pardir":
            return ".."
        if node.attr in ("parent", "name"):
            inner = self.value(node.value)
            if isinstance(inner, PurePosixPath):
                return inner.name if node.attr == "name" else above(inner, 0)
        raise Undecodable(f"the value of {name[:40]!r} is not known")

    def _slice(self, value: Any, part: ast.Slice) -> Any:
        if not isinstance(value, (str, bytes)) or part.step is not None:
            raise Undecodable("a slice of something else than text")
        ends = [None if end is None else self.value(end) for end in (part.lower, part.upper)]
        if any(end is not None and type(end) is not int for end in ends):
            raise Undecodable("a slice without numbers")
        return value[ends[0] : ends[1]]

    def _call(self, node: ast.Call) -> Any:
        name = self.dotted(node.func)
        if any(isinstance(item, ast.Starred) for item in node.args) or any(item.arg is None for item in node.keywords):
            raise Undecodable("a call with unpacked arguments")
        if name in COMPRESSED:
            return self._decompress(name, node)
        if name in WRITTEN:
            self.kinds.append(name.rpartition(".")[2].removesuffix("decode"))
            return small(WRITTEN[name](as_data(self.value(_only(node)))))
        if name == "compile":
            return self.value(_only(node))
        if name in ("bytes", "str") and len(node.args) == 2:
            return recode(self.value(node.args[0]), str(self.value(node.args[1])))
        if name in HERE:
            return PurePosixPath()
        if name in (*PATHS, *SAME_PATH, "os.path.dirname", "os.path.join"):
            return self._path(name, [self.value(item) for item in node.args])
        if name in ("open", "io.open"):
            return PurePosixPath(as_path(self.value(_only(node))))
        if isinstance(node.func, ast.Attribute):
            return self._method(node.func, node)
        raise Undecodable(f"a call of {name[:40] or 'something'!r}")

    def _decompress(self, name: str, node: ast.Call) -> bytes:
        at = len(self.kinds)
        self.kinds.append(name.split(".")[-2])
        data, *rest = [self.value(item) for item in node.args] or [None]
        words = {str(item.arg): self.value(item.value) for item in node.keywords}
        if data is None:
            data = words.pop("data", words.pop("string", None))
        if name == "lzma.decompress":
            words = dict(zip(("format", "memlimit", "filters"), rest, strict=False)) | words
            words.pop("memlimit", None)
            if words.get("format") == 3:
                self.kinds[at] = "lzma-raw"
            rest = []
        words = {key: item for key, item in words.items() if key in ("format", "filters", "wbits")}
        try:
            return COMPRESSED[name](as_data(data), *rest[:1], **words)
        except TypeError:
            raise Undecodable(f"{name} with arguments that are not known") from None

    def _path(self, name: str, values: list[Any]) -> Any:
        parts = [as_path(item) for item in values]
        if name in PATHS:
            return PurePosixPath(*parts)
        if name == "os.path.join":
            return posixpath.join(*parts) if parts else ""
        if name == "os.path.dirname" and parts:
            return str(above(PurePosixPath(parts[0]), 0))
        return "".join(parts[:1])

    def _method(self, func: ast.Attribute, node: ast.Call) -> Any:
        if isinstance(func.value, ast.Call) and func.attr in ("decompress", "process"):
            made = OBJECTS.get(self.dotted(func.value.func))
            if made:
                arguments = [*node.args, *func.value.args]
                return self._decompress(made, ast.Call(func, arguments, [*node.keywords, *func.value.keywords]))
        inner = self.value(func.value)
        values = [self.value(item) for item in node.args]
        if isinstance(inner, PurePosixPath):
            return self._of_path(inner, func.attr, values)
        if func.attr in ("encode", "decode") and isinstance(inner, (str, bytes)):
            coding = values[0] if values else "utf-8"
            for item in node.keywords:
                coding = self.value(item.value) if item.arg == "encoding" else coding
            return recode(inner, str(coding))
        if func.attr == "join" and len(values) == 1 and isinstance(values[0], list):
            return joined(inner, values[0])
        return text_method(inner, func.attr, values)

    def _of_path(self, path: PurePosixPath, method: str, values: list[Any]) -> Any:
        if method in ("read", "read_bytes", "read_text"):
            name = posixpath.normpath(str(path))
            self.files.append(name)
            return self.read(name)
        if method in ("resolve", "absolute", "expanduser", "open"):
            return path
        try:
            if method in ("with_name", "with_suffix", "joinpath") and values:
                made: PurePosixPath = getattr(path, method)(as_path(values[0]))
                return made
        except ValueError as error:
            raise Undecodable(str(error)) from None
        raise Undecodable(f"a call of {method[:40]!r}")


def _ends_before(node: ast.expr, use: ast.Name) -> bool:
    return (node.end_lineno or 0, node.end_col_offset or 0) <= (use.lineno, use.col_offset)


def _only(node: ast.Call) -> ast.expr:
    if not node.args:
        raise Undecodable("a call without its data")
    return node.args[0]
