"""Checks of the code as text: it parses, it is all there, and what it needs. Nothing is executed."""

from __future__ import annotations

import importlib
from typing import Any

from pgolf.errors import PgolfError
from pgolf.verify.code_data import HELPER_SUFFIXES
from pgolf.verify.code_program import NO_TREE
from pgolf.verify.code_uses import Use
from pgolf.verify.folder import CODE_NAME, JSON_NAME, View, printable
from pgolf.verify.registry import Outcome, check, passed, skipped, violated

SHOWN = 3


@check(
    "pkg.entry",
    "FAIL",
    "train_gpt.py, unpacked, is Python source that parses",
    "challenge README: it runs in the folder",
    example="line 812: an f-string as of 3.12 (PEP 701)",
)
def check_entry(view: View) -> Outcome:
    """Parse every layer; a program for Python 3.12 and later alone is a warning."""
    if view.code[0] is None:
        return skipped(view.code[1])
    unpacked = view.program.unpacked
    parsed = unpacked.parsed
    accepts = parsed.accepts if parsed else {}
    evidence = {
        "kind": unpacked.kind,
        "file": unpacked.file,
        "accepts": accepts,
        "layers": [*map(_layer, unpacked.layers)],
    }
    place = "" if unpacked.kind == "plain" else f" ({unpacked.kind})"
    if parsed is None or not any(value is not False for value in accepts.values()):
        return violated(
            f"{printable(unpacked.file)}{place} does not parse: {printable(unpacked.problem[:200])}", **evidence
        )
    if accepts["3.11"] is False:
        return Outcome("WARN", f"it parses from Python 3.12 on: {printable(parsed.why[:200])}", evidence)
    return passed(f"{printable(unpacked.file)}{place} parses ({view.program.size:,} bytes)", **evidence)


def _layer(layer: Any) -> dict[str, object]:
    return {"kind": layer.kind, "file": layer.file, "bytes": layer.size}


@check(
    "pkg.names",
    "WARN",
    f"the files are called {JSON_NAME} and {CODE_NAME}",
    "challenge README: submission process",
    example="train_gpt_v2.py stands for train_gpt.py",
)
def check_names(view: View) -> Outcome:
    """Another name is found, and a script that looks for the usual one does not find it."""
    if view.code[0] is None or not view.exists(view.json_name):
        return skipped(f"needs {CODE_NAME} and {JSON_NAME}")
    wrong = [name for name, wanted in ((view.code_name, CODE_NAME), (view.json_name, JSON_NAME)) if name != wanted]
    if wrong:
        return violated(f"{', '.join(map(printable, wrong))} stand for {CODE_NAME} and {JSON_NAME}")
    return passed("the usual names")


@check(
    "pkg.extra",
    "WARN",
    "all code is in the entry script, where it is counted",
    "challenge README FAQ; #1959",
    example="online_ngram_state.c, 9,041 bytes",
)
def check_extra(view: View) -> Outcome:
    """Code files beside it."""
    sizes = {
        printable(name): info.st_size
        for name, info, _ in view.walk()
        if name.lower().endswith(HELPER_SUFFIXES)
        and name != view.code_name
        and not name.startswith(("artifacts/", ".git/"))
    }
    evidence = {"files": dict(list(sizes.items())[:50]), "bytes": sum(sizes.values()), "count": len(sizes)}
    if not sizes:
        return passed("one code file", **evidence) if not view.cut else skipped(view.cut, **evidence)
    shown = ", ".join(list(sizes)[:SHOWN]) + (", ..." if len(sizes) > SHOWN else "")
    executed = {printable(name) for name in view.program.siblings} & set(sizes)
    counted = f"; size.shipped counts {', '.join(sorted(executed)[:SHOWN])}" if executed else ""
    return violated(
        f"{len(sizes)} more code files, {sum(sizes.values()):,} bytes beside the script: {shown}{counted}", **evidence
    )


@check(
    "code.unpack",
    "WARN",
    "all that is executed can be read as text",
    "challenge README: reproducible and inspectable",
    example="exec(sys.stdin.read())",
)
def check_unpack(view: View) -> Outcome:
    """`exec` of something that is worked out while running hides what runs, and so does a program that lies elsewhere."""
    if view.program.tree is None:
        return skipped(NO_TREE)
    if view.python.unread:
        return violated(printable(view.python.unread[:200]))
    return passed(f"{view.program.unpacked.kind}: nothing is hidden")


@check(
    "code.imports",
    "WARN",
    "imports are on the list of usual packages",
    "challenge README FAQ: packages; #1855, #1856",
    example="import mamba_ssm",
)
def check_imports(view: View) -> Outcome:
    """The standard library, the list in code_data.py, and files beside the script."""
    if view.program.tree is None:
        return skipped(NO_TREE)
    unknown, imports = view.python.unknown_imports(), view.python.uses.imports
    evidence = {
        "imports": dict(list(imports.items())[:100]),
        "helpers": [program.unpacked.file for program in view.python.imported],
    }
    if not unknown:
        return _nothing_seen(view, f"{len(imports)} packages, all usual", **evidence)
    seen = ", ".join(f"{printable(name)} (line {line})" for name, line in list(unknown.items())[:SHOWN])
    return violated(f"unusual packages: {seen}", **evidence, unknown=unknown)


def _nothing_seen(view: View, good: str, **evidence: Any) -> Outcome:
    """A pass only where all that runs was read."""
    if view.python.unread:
        return skipped(f"nothing in what was read; not read: {printable(view.python.unread[:200])}", **evidence)
    return passed(good, **evidence)


@check(
    "code.programs",
    "WARN",
    "no other program is started",
    "challenge README: self-contained; #1856",
    example="os.system('lrzip model.bin')",
)
def check_programs(view: View) -> Outcome:
    """A compressor or compiler that is started must be there at the evaluation."""
    return _list(view, view.python.uses.unusual_programs, "no program is started", "starts")


@check(
    "code.network",
    "WARN",
    "nothing is downloaded or installed",
    "challenge README: no network calls at evaluation",
    example="snapshot_download(...)",
)
def check_network(view: View) -> Outcome:
    """Downloads before training are allowed; the text does not say when a call happens."""
    return _list(view, view.python.uses.network, "no call reaches out", "calls")


def _list(view: View, uses: list[Use], good: str, verb: str) -> Outcome:
    if view.program.tree is None:
        return skipped(NO_TREE)
    if not uses:
        return _nothing_seen(view, good)
    more = f" and {len(uses) - SHOWN} more" if len(uses) > SHOWN else ""
    return violated(f"{verb} {_places(uses)}{more}", uses=[_record(use) for use in uses])


def _places(uses: list[Use]) -> str:
    return ", ".join(f"{printable(use.what)} ({printable(use.place)})" for use in uses[:SHOWN])


def _record(use: Use) -> dict[str, object]:
    record: dict[str, object] = {"what": use.what, "line": use.line}
    return {**record, "file": use.file} if use.file else record


@check(
    "code.files",
    "WARN",
    "files of the folder that the program reads are code or model",
    "challenge README FAQ: counted bytes",
    example="numpy.load('table.npy') of the folder",
)
def check_read(view: View) -> Outcome:
    """Data beside the script that it opens by a literal name are part of the submission's size."""
    if view.program.tree is None:
        return skipped(NO_TREE)
    uses = view.python.uses.files
    evidence = {"files": [_record(use) for use in uses]}
    shipped = [
        use for use in uses if not use.what.startswith("/") and view.exists(use.what) and use.what != view.code_name
    ]
    if not shipped:
        return _nothing_seen(view, f"{len(uses)} literal paths, none in the folder", **evidence)
    return violated(f"reads files that no total counts: {_places(shipped)}", **evidence)


@check(
    "size.accounts",
    "INFO",
    "code bytes as shipped, as logged, and packed again",
    "challenge README FAQ; #1530, #1835, #1959",
    example="shipped 131,887; logged 28,410; packed again 29,002",
)
def check_accounts(view: View) -> Outcome:
    """Three numbers, because logs often count another file than the one that is shipped."""
    code = view.code[0]
    if code is None:
        return skipped(view.code[1])
    logged = sorted({record.code_bytes for record in view.logs.values() if record.code_bytes is not None})
    repacked, why = _repack(view)
    siblings = 0
    for name in view.program.siblings:
        siblings += view.path(name).stat().st_size if view.exists(name) else 0
    evidence = {
        "shipped": len(code) + siblings,
        "logged": logged,
        "unpacked": view.program.size,
        "repacked": repacked,
        "repack_note": why,
    }
    parts = [f"shipped {len(code) + siblings:,}", f"logged {', '.join(f'{size:,}' for size in logged) or 'nowhere'}"]
    parts.append(f"packed again {repacked:,}" if repacked is not None else f"packed again: {why}")
    return passed("; ".join(parts), **evidence)


def _repack(view: View) -> tuple[int | None, str]:
    """Bytes of the program minified and packed by pgolf, or why there are none."""
    if not view.run.repack:
        return None, "not measured (--repack)"
    if view.program.tree is None or view.program.unpacked.text is None:
        return None, NO_TREE
    try:
        module: Any = importlib.import_module("pgolf.repack.repack")
        packed = module.shrink(view.program.unpacked.text.encode(), allow_brotli=True).packed
    except ImportError:
        return None, "not available"
    except (PgolfError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return None, f"not possible: {printable(str(error).splitlines()[0][:120])}"
    return len(packed.code), ""
