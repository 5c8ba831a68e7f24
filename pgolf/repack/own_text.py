"""What a script does with the text and the bytes of its own file."""

from __future__ import annotations

import ast

from pgolf.repack.flow import Flow, Handler, Kind
from pgolf.repack.index import last_name
from pgolf.repack.own_path import LOGS, read

TESTS = {"count", "startswith", "endswith", "find", "index", "rfind", "isascii"}
COUNTED = {"splitlines", "split", "strip", "rstrip"}
TAKES_TEXT = {"len", "ast.parse", "print", "isinstance"}
DECODERS = {"str", "codecs.decode", "io.TextIOWrapper", "codecs.getreader"}


def text(flow: Flow, node: ast.AST, parent: ast.AST) -> None:
    """The text of the file: an object whose `encode` gives the bytes of the file."""
    call = flow.index.parents[parent]
    if isinstance(parent, ast.Attribute):
        if not isinstance(call, ast.Call) or call.func is not parent:
            return flow.refuse(node, f"`.{parent.attr}` of its text")
        if parent.attr == "encode":
            return flow.push(call, Kind.SOME_BYTES)
        return None if parent.attr in TESTS else flow.push(call, Kind.DERIVED)
    call = call if isinstance(parent, ast.keyword) else parent
    if isinstance(call, ast.Call) and call.func is not node:
        names = flow.index.origins(call.func)
        if (names and names <= TAKES_TEXT) or last_name(call.func) in LOGS:
            return None
        return flow.refuse(call, f"`{ast.unparse(call.func)[:40]}` gets its text")
    return derived(flow, node, parent)


def derived(flow: Flow, node: ast.AST, parent: ast.AST) -> None:
    """A text made from that of the file: it may be logged and counted, but its bytes are not the file's."""
    if isinstance(parent, (ast.BinOp, ast.JoinedStr, ast.FormattedValue, ast.Subscript, ast.Starred)):
        return flow.push(parent, Kind.DERIVED)
    call = flow.index.parents[parent]
    if isinstance(parent, ast.Attribute) and isinstance(call, ast.Call) and parent.attr in COUNTED | TESTS:
        return flow.push(call, Kind.DERIVED)
    call = call if isinstance(parent, ast.keyword) else parent
    if isinstance(call, ast.Call) and call.func is not node:
        compares = isinstance(call.func, ast.Attribute) and call.func.attr in TESTS
        if compares or flow.index.origins(call.func) == {"len"} or last_name(call.func) in {*LOGS, "write"}:
            return None
        return flow.refuse(call, f"`{ast.unparse(call.func)[:40]}` gets a text made of its own")
    return flow.refuse(node, "a text made of its own goes where it cannot be followed")


def own_bytes(flow: Flow, node: ast.AST, parent: ast.AST) -> None:
    """The bytes of the file: they are the same in every form, until they become text."""
    call = flow.index.parents[parent]
    if isinstance(parent, ast.Attribute) and parent.attr == "decode" and isinstance(call, ast.Call):
        return read(flow, call, call, Kind.BYTES)
    return some_bytes(flow, node, parent)


def some_bytes(flow: Flow, node: ast.AST, parent: ast.AST) -> None:
    """The bytes of the file or of another one."""
    decoded = isinstance(parent, ast.Attribute) and parent.attr == "decode"
    if decoded or (isinstance(parent, ast.Call) and flow.index.origins(parent.func) & DECODERS):
        flow.refuse(node, "its bytes are decoded")


HANDLERS: dict[Kind, Handler] = {
    Kind.TEXT: text,
    Kind.DERIVED: derived,
    Kind.BYTES: own_bytes,
    Kind.SOME_BYTES: some_bytes,
}
