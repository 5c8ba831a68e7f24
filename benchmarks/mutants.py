"""Random mutants of the bundler's passes, and how many of them the test file named like the module kills.

    python benchmarks/mutants.py [COUNT] [SEED] [SECONDS]

A mutant differs in one place: a comparison is turned, a constant changed, a condition negated, a statement dropped, `and` made
`or`, a return value lost. Everything happens in a copy of the project; SECONDS is the limit of one test run (default 120).
Prints each survivor as a diff, and a count for each module last.
"""

import ast
import difflib
import itertools
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDERS = ("pgolf/bundle/passes", "pgolf/bundle/minify")
FILES = tuple(f"pgolf/bundle/{name}.py" for name in ("effects", "facts", "handlers", "program", "visibility"))
COPIED = ("pgolf", "plugins", "tests", "submissions", "pyproject.toml")
TURNED = {ast.Eq: "!=", ast.NotEq: "==", ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.In: "not in"}
TURNED |= {ast.NotIn: "in", ast.Is: "is not", ast.IsNot: "is"}
DROPPED = (ast.Expr, ast.AugAssign, ast.Continue, ast.Break, ast.Raise)


def text_of(source: str, node: ast.AST) -> str:
    """A node's own text."""
    return ast.get_source_segment(source, node) or ""


def changes(source: str, node: ast.AST) -> list[tuple[ast.AST, str]]:
    """What may stand in the place of a node's parts: (part, other text)."""
    found = []
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        left, right = text_of(source, node.left), text_of(source, node.comparators[0])
        found.append((node, f"{left} {TURNED[type(node.ops[0])]} {right}"))
    if isinstance(node, ast.BoolOp):
        other = " or " if isinstance(node.op, ast.And) else " and "
        found.append((node, "(" + other.join(f"({text_of(source, value)})" for value in node.values) + ")"))
    if isinstance(node, (ast.If, ast.IfExp, ast.While)):
        found.append((node.test, f"(not ({text_of(source, node.test)}))"))
    if isinstance(node, ast.Constant) and isinstance(node.value, (bool, int)):
        found.append((node, repr(not node.value if isinstance(node.value, bool) else node.value + 1)))
    if isinstance(node, DROPPED) and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
        found.append((node, "pass"))
    if isinstance(node, ast.Return) and node.value is not None:
        found.append((node, "return None"))
    return found


def mutants(path: Path) -> list[tuple[Path, int, str]]:
    """(file, line, whole text) of every mutant of a module; some are no Python, or the same."""
    source = path.read_text(encoding="utf-8")
    starts = [0]
    for line in source.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found = []
    for node in ast.walk(ast.parse(source)):
        for part, other in changes(source, node):
            begin = starts[part.lineno - 1] + part.col_offset
            end = starts[part.end_lineno - 1] + part.end_col_offset
            found.append(
                (path, part.lineno, (source.encode()[:begin] + other.encode() + source.encode()[end:]).decode())
            )
    return found


def is_another(path: Path, text: str) -> bool:
    """Is this Python, and not what the module says?"""
    try:
        return ast.dump(ast.parse(text)) != ast.dump(ast.parse(path.read_text(encoding="utf-8")))
    except SyntaxError:
        return False


def test_file(path: Path) -> Path | None:
    """The test file named like a module; other packages have files of the same name."""
    found = ROOT / "tests/bundle" / f"test_{path.stem}.py"
    return found if found.exists() else None


def is_killed(copy: Path, path: Path, tests: Path, text: str | None, seconds: int) -> bool:
    """Do the module's tests fail, or not end, with this text in its place?"""
    target = copy / path.relative_to(ROOT)
    before = target.read_text(encoding="utf-8")
    target.write_text(before if text is None else text, encoding="utf-8")
    command = [sys.executable, "-B", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", str(tests.relative_to(ROOT))]
    # The configuration of the folder above loads torch, which these tests do without.
    command += ["--confcutdir", str(tests.parent.relative_to(ROOT))]
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    try:
        done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, timeout=seconds)
        return done.returncode != 0
    except subprocess.TimeoutExpired:
        return True
    finally:
        target.write_text(before, encoding="utf-8")


def difference(path: Path, text: str) -> str:
    """What a mutant changes."""
    lines = path.read_text(encoding="utf-8").splitlines(), text.splitlines()
    return "\n".join(line for line in list(difflib.unified_diff(*lines, lineterm="", n=0))[3:])


def drawn(count: int, seed: int) -> tuple[list[tuple[Path, int, str]], int]:
    """Mutants at random, and how many there are."""
    paths = [path for folder in FOLDERS for path in sorted((ROOT / folder).glob("*.py"))]
    every = list(itertools.chain.from_iterable(map(mutants, [*paths, *(ROOT / name for name in FILES)])))
    random.Random(seed).shuffle(every)
    return list(itertools.islice((one for one in every if is_another(one[0], one[2])), count)), len(every)


class Trials:
    """Tries mutants in a copy of the project, and counts."""

    def __init__(self, copy: Path, seconds: int):
        self.copy, self.seconds = copy, seconds
        self.killed, self.tried, self.untested = Counter(), Counter(), Counter()
        self.sound: dict[Path, bool] = {}
        for name in COPIED:
            (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, copy / name)

    def run(self, path: Path, line: int, text: str) -> None:
        """Try one."""
        name, tests = path.relative_to(ROOT).as_posix(), test_file(path)
        if tests is None:
            self.untested[name] += 1
        elif self.is_sound(path, tests):
            self.tried[name] += 1
            if is_killed(self.copy, path, tests, text, self.seconds):
                self.killed[name] += 1
            else:
                print(f"SURVIVED {name}:{line}\n{difference(path, text)}", flush=True)

    def is_sound(self, path: Path, tests: Path) -> bool:
        """Do a module's tests pass, in time, without a mutant?"""
        if path not in self.sound:
            self.sound[path] = not is_killed(self.copy, path, tests, None, self.seconds)
            if not self.sound[path]:
                print(
                    f"{path.name}: its tests fail, or take longer than {self.seconds} s, without a mutant", flush=True
                )
        return self.sound[path]


def main() -> int:
    """Draw them, try them, count them."""
    count, seed, seconds = (int(value) for value in [*sys.argv[1:], *("100", "0", "120")[len(sys.argv) - 1 :]])
    chosen, number = drawn(count, seed)
    with tempfile.TemporaryDirectory() as folder:
        trials = Trials(Path(folder), seconds)
        for mutant in chosen:
            trials.run(*mutant)
    killed, tried, untested = trials.killed, trials.tried, trials.untested
    for name in sorted(tried):
        print(f"{killed[name]:4d} of {tried[name]:4d} killed  {name}")
    for name in sorted(untested):
        print(f"{untested[name]:4d} not tried, no test file  {name}")
    print(
        f"{killed.total()} of {tried.total()} mutants killed, {untested.total()} without tests; {number} to draw from"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
