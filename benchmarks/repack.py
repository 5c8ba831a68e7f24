"""Measures `pgolf pack` on this machine: `python benchmarks/repack.py [SCRIPT.py ...]`. Prints the table for results.md.

Without arguments, scripts of the public kind are put together from the sources of pgolf's runtime, plugins, data preparation
and checks, whose code differs from function to function, without the hooks of plugins: one file with a table of hyperparameters
from the environment, dataclasses, Triton kernels, a look at `globals()`, and a main function that reads `__file__` as UTF-8,
logs it, and counts it for its size line. Comments stay. Docstrings are left out in most rows: python-minifier keeps them by
default, and players' scripts have few. Each is packed as it is, and by python-minifier's default with LZMA and base85. Nothing
of a script is executed.
"""

import ast
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
SIZES = (50_000, 100_000, 160_000)
LEFT_OUT = ("from pgolf", "import pgolf", "from __future__")
HEAD = '''
class Hyperparameters:
    """Everything that a run may set."""

    data_path = os.environ.get("DATA_PATH", "./data/shards")
    tokenizer_path = os.environ.get("TOKENIZER_PATH", "./data/tokenizers/tokenizer.model")
    run_id = os.environ.get("RUN_ID", "run")
    seed = int(os.environ.get("SEED", 1337))
    iterations = int(os.environ.get("ITERATIONS", 20000))
    warmdown_iters = int(os.environ.get("WARMDOWN_ITERS", 1200))
    max_wallclock_seconds = float(os.environ.get("MAX_WALLCLOCK_SECONDS", 600.0))
    vocab_size = int(os.environ.get("VOCAB_SIZE", 1024))
    num_layers = int(os.environ.get("NUM_LAYERS", 9))
    model_dim = int(os.environ.get("MODEL_DIM", 512))
    matrix_lr = float(os.environ.get("MATRIX_LR", 0.04))


@dataclass
class Schedule:
    """What the loop needs to know of time."""

    warmup_steps: int = 20
    stop_after: float = 600.0
    milestones: list[int] = field(default_factory=list)


def log0(message, console=True):
    if console:
        print(message)
    with open(f"logs/{Hyperparameters.run_id}.txt", "a", encoding="utf-8") as stream:
        print(message, file=stream)
'''
TAIL = '''

def code_size(code: str) -> tuple[int, int]:
    """Bytes and lines of this script."""
    return len(code.encode("utf-8")), len(code.splitlines())


def report_size(code: str, model_file: str) -> int:
    model_bytes = os.path.getsize(model_file)
    code_bytes, _ = code_size(code)
    log0(f"Serialized model: {model_bytes} bytes")
    log0(f"Code size: {code_bytes} bytes")
    log0(f"Total submission size: {model_bytes + code_bytes} bytes")
    return model_bytes + code_bytes


def main() -> None:
    code = Path(__file__).read_text(encoding="utf-8")
    args = Hyperparameters()
    schedule = Schedule(milestones=[args.iterations // 2])
    log0(code, console=False)
    log0("=" * 100, console=False)
    if "triton" not in globals() or globals().get("triton") is None:
        log0("no Triton: the plain forms are used")
    log0(f"seed:{args.seed} schedule:{schedule}")
    report_size(code, "final_model.bin")


if __name__ == "__main__":
    main()
'''


def compose(size, skip=0, docstrings=False):
    """A script of about `size` bytes: whole modules one after the other, imports first, the kernels among them."""
    imports, parts = {"import os": None, "import sys": None, "from pathlib import Path": None}, [HEAD]
    imports["from dataclasses import dataclass, field"] = None
    kernels = [ROOT / "plugins" / "architecture" / "fused_mlp.py"]
    paths = sorted([*ROOT.glob("pgolf/runtime/*.py"), *ROOT.glob("plugins/*/*.py")], key=lambda path: path.name)
    more = [path for part in ("data", "verify", "logs") for path in sorted(ROOT.glob(f"pgolf/{part}/*.py"))]
    for path in [*kernels, *[path for path in paths[skip:] + paths[:skip] + more if path not in kernels]]:
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        lines = text.splitlines()
        for node in tree.body:
            segment = "\n".join(lines[first_line(node) - 1 : node.end_lineno])
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                if not segment.startswith(LEFT_OUT):
                    imports[segment] = None
            elif sum(map(len, parts)) + len(TAIL) < size and not is_text(node) and not registers(node):
                parts.append(segment if docstrings else without_docstrings(segment))
    return "\n".join(["\n".join(imports), *parts]) + TAIL


def first_line(node):
    """The line of a statement, its decorators included."""
    return min([node.lineno, *[decorator.lineno for decorator in getattr(node, "decorator_list", [])]])


def registers(node):
    """What tells pgolf of a plugin: a single script has nothing like it."""
    decorators = [ast.unparse(decorator) for decorator in getattr(node, "decorator_list", [])]
    return any(text.startswith("hookimpl") for text in decorators) or ast.unparse(node).startswith("PLUGIN =")


def is_text(node):
    """A docstring of a module, or of a constant."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def without_docstrings(segment):
    """A statement's text without the docstrings in it; comments stay."""
    lines = segment.splitlines()
    for node in ast.walk(ast.parse(segment)):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None and node.body[1:]:
            first = node.body[0]
            lines[first.lineno - 1 : first.end_lineno] = [None] * (first.end_lineno - first.lineno + 1)
    return "\n".join(line for line in lines if line is not None)


def row(label, data):
    """One line of the table."""
    from pgolf.errors import PgolfError
    from pgolf.repack.repack import shrink

    cells = [label, f"{len(data):,}"]
    reference = None
    for pack in ("auto", "mix"):
        before = time.process_time()
        try:
            result = shrink(data, pack)
        except PgolfError as error:
            cells.append(str(error).splitlines()[0][:90])
            continue
        size, reference = len(result.packed.code), result.baseline or reference
        ratio = f" ({size / reference:.3f})" if reference else ""
        cells.append(f"{size:,}{ratio} in {time.process_time() - before:.0f} s")
    cells.append(f"{reference:,}" if reference else "fails")
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    print(
        "| script | bytes | `--pack auto` | `--pack mix` | python-minifier, LZMA, base85 |\n| --- | --- | --- | --- | --- |"
    )
    for name in sys.argv[1:]:
        row(Path(name).name, Path(name).read_bytes())
    for number, size in enumerate(() if sys.argv[1:] else SIZES):
        for skip in (0, 30):
            row(f"composed, from module {skip}", compose(size, skip).encode())
        if number == 0:
            row("composed, with docstrings", compose(size, docstrings=True).encode())
