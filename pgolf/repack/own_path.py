"""What a script does with the path of its own file, and with the file that it opens."""

from __future__ import annotations

import ast

from pgolf.repack.evidence import Reading
from pgolf.repack.flow import Flow, Handler, Kind
from pgolf.repack.index import Index, last_name

SAME_FILE = {
    *(
        "str",
        "os.fspath",
        "os.path.abspath",
        "os.path.realpath",
        "os.path.normpath",
        "os.path.basename",
        "os.path.relpath",
    ),
    *(
        "os.path.expanduser",
        "pathlib.Path",
        "pathlib.PurePath",
        "pathlib.PosixPath",
        "os.path.split",
        "os.path.splitext",
    ),
}
"""Functions whose result is still the path, or a part of it."""
NO_TEXT = {
    *(
        "print",
        "len",
        "repr",
        "isinstance",
        "hash",
        "os.path.join",
        "os.path.getsize",
        "os.path.getmtime",
        "os.path.exists",
    ),
    *(
        "os.path.isfile",
        "os.path.isabs",
        "os.path.isdir",
        "os.path.samefile",
        "os.stat",
        "os.access",
        "hashlib.file_digest",
    ),
    *("shutil.copy", "shutil.copy2", "shutil.copyfile", "os.symlink", "os.link", "os.execv", "os.execl", "os.execvp"),
    *("subprocess.run", "subprocess.Popen", "subprocess.call", "subprocess.check_call", "subprocess.check_output"),
}
"""Functions that take the path and read no text of the file."""
SAME_PATH = {"resolve", "absolute", "expanduser", "as_posix", "replace", "strip", "rstrip", "lower", "split", "rsplit"}
SAME_PATH |= {"removesuffix", "removeprefix", "rpartition", "partition", "relative_to", "name"}
PATH_TESTS = {
    "stat",
    "lstat",
    "exists",
    "is_file",
    "samefile",
    "with_suffix",
    "with_name",
    "with_stem",
    "joinpath",
    "stem",
}
PATH_TESTS |= {"suffix", "suffixes", "startswith", "endswith", "parts", "find", "count", "chmod", "is_absolute"}
LOGS = {"print", "info", "debug", "warning", "error", "log", "print0", "log0", "critical", "exception"}
"""Last names of functions outside the script that write a line."""
LISTS_FILES = {"glob", "rglob", "iglob", "iterdir", "walk", "listdir", "scandir", "fwalk"}
OPENS = {"open", "io.open"}
OPEN_WORDS = {"mode", "encoding", "errors", "newline", "buffering"}


def sources(index: Index) -> list[tuple[ast.AST, Kind]]:
    """Every expression that is the path of the file, whatever the script calls it."""
    found = ((node, _source(index, node)) for node in index.nodes)
    return [(node, kind) for node, kind in found if kind is not None]


def _source(index: Index, node: ast.AST) -> Kind | None:
    if isinstance(node, ast.Name) and node.id == "__file__" and isinstance(node.ctx, ast.Load):
        return Kind.PATH
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        # `open("train_gpt.py")`: any name of a Python file may be this one's.
        stem = node.value.removesuffix(".py")
        is_script = stem not in ("", node.value) and not any(mark in stem for mark in " \n")
        return Kind.SOME_PATH if is_script and not isinstance(index.parents[node], ast.Expr) else None
    if isinstance(node, ast.Attribute) and node.attr == "__file__":
        roots = {origin.partition(".")[0] for origin in index.origins(node.value)}
        return Kind.SOME_PATH if not roots or roots & {"__main__", "sys", ""} else None
    if isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Load):
        return Kind.ARGUMENTS if index.origins(node) & {"sys.argv", "sys.orig_argv"} else None
    return None


def path(flow: Flow, node: ast.AST, parent: ast.AST) -> None:
    """The path of the file."""
    _path(flow, node, parent, Kind.PATH)


def some_path(flow: Flow, node: ast.AST, parent: ast.AST) -> None:
    """The path of the file or of another one."""
    _path(flow, node, parent, Kind.SOME_PATH)


def _path(flow: Flow, node: ast.AST, parent: ast.AST, kind: Kind) -> None:
    call = flow.index.parents[parent] if isinstance(parent, ast.keyword) else parent
    if isinstance(call, ast.Call) and call.func is not node:
        return _argument(flow, node, call, kind)
    if isinstance(parent, ast.Attribute):
        return _member(flow, parent, kind)
    if isinstance(parent, ast.Subscript) and parent.value is node:
        return flow.push(parent, kind)
    if isinstance(parent, (ast.List, ast.Tuple)):
        return flow.push(parent, Kind.ARGUMENTS)
    if isinstance(parent, ast.FormattedValue):
        text = flow.index.parents[parent]
        whole = isinstance(text, ast.JoinedStr) and len(text.values) == 1
        return flow.push(text, kind) if whole else None
    if isinstance(parent, ast.BinOp):
        return None  # with more text, it is another path
    return flow.refuse(node, f"{_shown(node)} goes where it cannot be followed")


def _argument(flow: Flow, node: ast.AST, call: ast.Call, kind: Kind) -> None:
    """The path is handed to a function that is not the script's."""
    names, name = flow.index.origins(call.func), last_name(call.func)
    if names & OPENS and node is call.args[0]:
        return _open(flow, call, call.args[1:2], kind)
    if names and names <= SAME_FILE:
        return flow.push(call, kind)
    if names == {"os.path.dirname"}:
        return flow.push(call, Kind.FOLDER)
    if (names and names <= NO_TEXT) or name in LOGS or (isinstance(call.func, ast.Attribute) and name in PATH_TESTS):
        return None
    return flow.refuse(call, f"{_shown(call.func)} gets its path")


def _member(flow: Flow, member: ast.Attribute, kind: Kind) -> None:
    call = flow.index.parents[member]
    method = call if isinstance(call, ast.Call) and call.func is member else None
    if member.attr in ("parent", "parents"):
        return flow.push(member, Kind.FOLDER)
    if method and member.attr == "read_bytes":
        return flow.push(method, Kind.BYTES if kind is Kind.PATH else Kind.SOME_BYTES)
    if method and member.attr == "read_text":
        return read(flow, method, method, kind)
    if method and member.attr == "open":
        return _open(flow, method, method.args[:1], kind)
    if member.attr in PATH_TESTS:
        return None
    if member.attr in SAME_PATH:
        return flow.push(method or member, kind)
    return flow.refuse(member, f"`.{member.attr}` of its path")


def _open(flow: Flow, call: ast.Call, modes: list[ast.expr], kind: Kind) -> None:
    modes = modes + [word.value for word in call.keywords if word.arg == "mode"]
    first = modes[0] if modes else ast.Constant("r")
    mode = first.value if isinstance(first, ast.Constant) else None
    if not isinstance(mode, str) or any(word.arg not in OPEN_WORDS for word in call.keywords):
        return flow.refuse(call, "it is opened in a way that is not known")
    if "b" in mode:
        return flow.push(call, Kind.BINARY if kind is Kind.PATH else Kind.SOME_BINARY)
    if kind is not Kind.PATH or set(mode) - {"r", "t"} or len(call.args) > 2:
        return flow.refuse(call, "it may open its own file or another")
    flow.openings[call] = call
    return flow.push(call, Kind.FILE)


def read(flow: Flow, call: ast.Call, opening: ast.Call, kind: Kind) -> None:
    """A reading that a file in Latin-1 answers, if it is certainly of the script's own file."""
    if kind not in (Kind.PATH, Kind.BYTES) or any(word.arg not in OPEN_WORDS for word in opening.keywords):
        return flow.refuse(call, "it may read its own file or another")
    flow.evidence.readings.append(Reading(call, opening))
    return flow.push(call, Kind.TEXT)


def folder(flow: Flow, node: ast.AST, parent: ast.AST) -> None:
    """The folder of the file: what lists it finds the file."""
    call = flow.index.parents[parent]
    if isinstance(parent, ast.Call) and parent.func is not node:
        names = flow.index.origins(parent.func)
        if (names and names <= SAME_FILE) or names == {"os.path.dirname"}:
            return flow.push(parent, Kind.FOLDER)
        return flow.refuse(parent, "it lists its folder") if last_name(parent.func) in LISTS_FILES else None
    if isinstance(parent, ast.Attribute) and isinstance(call, ast.Call) and call.func is parent:
        if parent.attr in ("resolve", "absolute", "expanduser"):
            return flow.push(call, Kind.FOLDER)
        return flow.refuse(parent, "it lists its folder") if parent.attr in LISTS_FILES else None
    return flow.push(parent, Kind.FOLDER) if isinstance(parent, (ast.Attribute, ast.Subscript)) else None


def arguments(flow: Flow, node: ast.AST, parent: ast.AST) -> None:
    """A list with the path in it, such as `sys.argv`."""
    if isinstance(parent, ast.Subscript) and parent.value is node:
        return _one_argument(flow, parent)
    if isinstance(parent, (ast.List, ast.Tuple, ast.Starred, ast.BinOp)):
        return flow.push(parent, Kind.ARGUMENTS)
    if isinstance(parent, ast.FormattedValue):
        return None
    call = flow.index.parents[parent] if isinstance(parent, ast.keyword) else parent
    if isinstance(call, ast.Call) and call.func is not node:
        names = flow.index.origins(call.func)
        if (names and names <= NO_TEXT) or last_name(call.func) in {*LOGS, "join"}:
            return None
        return flow.refuse(call, f"{_shown(call.func)} gets its path")
    return flow.refuse(node, f"{_shown(node)} goes where it cannot be followed")


def _one_argument(flow: Flow, parent: ast.Subscript) -> None:
    """`sys.argv[0]` is the path; `sys.argv[1:]` is what the user gave."""
    first = parent.slice.lower if isinstance(parent.slice, ast.Slice) else parent.slice
    place = first.value if isinstance(first, ast.Constant) else None
    if isinstance(first, ast.UnaryOp) or (isinstance(place, int) and place > 0):
        return
    certain = place == 0 and not isinstance(parent.slice, ast.Slice)
    flow.push(
        parent, Kind.ARGUMENTS if isinstance(parent.slice, ast.Slice) else Kind.PATH if certain else Kind.SOME_PATH
    )


def file(flow: Flow, node: ast.AST, parent: ast.AST) -> None:
    """The file, opened as text."""
    if isinstance(parent, ast.withitem):
        return _enter(flow, node, parent)
    call = flow.index.parents[parent]
    if isinstance(parent, ast.Attribute) and isinstance(call, ast.Call) and call.func is parent:
        if parent.attr == "read" and not call.args:
            return read(flow, call, flow.openings[node], Kind.PATH)
        if parent.attr == "close":
            return None
    return flow.refuse(node, "its open file is used in another way than `.read()`")


def _enter(flow: Flow, node: ast.AST, entry: ast.withitem) -> None:
    """`with open(...) as file`: what reads `file` in the body, where nothing else binds it."""
    block, target = flow.index.parents[entry], entry.optional_vars
    if not isinstance(target, ast.Name) or not isinstance(block, (ast.With, ast.AsyncWith)):
        return flow.refuse(node, "its open file goes where it cannot be followed")
    variable = flow.index.variable(target, target.id)
    body = {each for statement in block.body for each in ast.walk(statement)}
    if len(block.items) > 1 or any(binder in body for binder in flow.index.binders(variable)):
        return flow.refuse(node, f"{target.id!r} may be another file")
    for load in flow.index.loads.get(variable, ()):
        if load in body:
            flow.openings[load] = flow.openings[node]
            flow.push(load, Kind.FILE)
    return None


def binary(flow: Flow, node: ast.AST, parent: ast.AST) -> None:
    """The file, opened as bytes."""
    _binary(flow, node, parent, Kind.BINARY)


def some_binary(flow: Flow, node: ast.AST, parent: ast.AST) -> None:
    """The file or another one, opened as bytes."""
    _binary(flow, node, parent, Kind.SOME_BINARY)


def _binary(flow: Flow, node: ast.AST, parent: ast.AST, kind: Kind) -> None:
    call = flow.index.parents[parent]
    if isinstance(parent, ast.withitem):
        if parent.optional_vars is not None:
            flow.bind(parent.optional_vars, kind, node)
    elif isinstance(parent, ast.Attribute) and isinstance(call, ast.Call):
        if parent.attr == "read":
            flow.push(call, Kind.BYTES if kind is Kind.BINARY else Kind.SOME_BYTES)
        elif parent.attr not in ("close", "seek", "tell"):
            flow.refuse(node, f"`.{parent.attr}` of its open file")
    elif not (isinstance(parent, ast.Call) and flow.index.origins(parent.func) <= NO_TEXT):
        flow.refuse(node, "its open file goes where it cannot be followed")


def _shown(node: ast.AST) -> str:
    return f"`{ast.unparse(node)[:40]}`"


HANDLERS: dict[Kind, Handler] = {
    Kind.PATH: path,
    Kind.SOME_PATH: some_path,
    Kind.FOLDER: folder,
    Kind.ARGUMENTS: arguments,
    Kind.FILE: file,
    Kind.BINARY: binary,
    Kind.SOME_BINARY: some_binary,
}
