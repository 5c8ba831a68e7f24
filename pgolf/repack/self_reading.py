"""Where a script reads its own file, and how a file in Latin-1 answers.

The path of the file (`__file__`, `sys.argv[0]`, `__main__.__file__`) is followed through the script: into variables, parameters
and results, to the calls that open it, to the text, and to what is done with that. Reading bytes is the same in every file.
Reading text as UTF-8 is not: a packed file may hold bytes that are no UTF-8. A reading that is seen whole is *answered*: it
reads Latin-1, and gives a text whose `encode` gives the bytes of the file, so that `len(code.encode("utf-8"))` is the file's
size. Whatever else may become of path or text forbids the forms in Latin-1, with the line.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from pgolf.repack import own_path, own_text
from pgolf.repack.evidence import Evidence, Reading
from pgolf.repack.flow import Flow
from pgolf.repack.index import Index, last_name

ANSWER = 'class {name}(str):encode=lambda self,*_,**__:str.encode(self,"l1")'
"""The text of a file in Latin-1: `encode`, whatever the encoding, gives the file's bytes."""


def look(index: Index, evidence: Evidence) -> None:
    """Note the readings that can be answered, and what forbids the forms in Latin-1."""
    flow = Flow(index, evidence, own_path.HANDLERS | own_text.HANDLERS)
    for node, kind in own_path.sources(index):
        flow.push(node, kind)
    flow.run()


def answered(tree: ast.Module, readings: Iterable[Reading], name: str) -> ast.Module:
    """Write the answers into a tree: each reading takes Latin-1 and gives an object of the class `name` (changes the tree)."""
    calls = {reading.call for reading in readings}
    for reading in readings:
        _read_latin1(reading.opening)
    for node in list(ast.walk(tree)):
        for field, value in ast.iter_fields(node):
            if isinstance(value, list):
                value[:] = [_wrapped(each, calls, name) for each in value]
            else:
                setattr(node, field, _wrapped(value, calls, name))
    at = next(number for number, statement in enumerate([*tree.body, None]) if not _goes_first(statement))
    tree.body[at:at] = ast.parse(ANSWER.format(name=name)).body
    return ast.fix_missing_locations(tree)


def _wrapped(value: object, calls: set[ast.Call], name: str) -> object:
    if isinstance(value, ast.Call) and value in calls:
        return ast.Call(ast.Name(name, ast.Load()), [value], [])
    return value


def _goes_first(statement: ast.stmt | None) -> bool:
    """Must a statement stand in front of all others: a docstring or a `__future__` import?"""
    future = isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
    return future or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))


def _read_latin1(call: ast.Call) -> None:
    call.keywords = [word for word in call.keywords if word.arg not in ("encoding", "errors")]
    if last_name(call.func) == "open":
        call.keywords.append(ast.keyword("encoding", ast.Constant("l1")))
    else:
        call.args = [ast.Constant("l1")]
