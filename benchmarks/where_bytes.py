"""Where the bytes of a built file are: `python benchmarks/where_bytes.py submissions/pr1855 [...]`; tables for results.md.

The minified program is compressed (brotli where the recipe may use it, else LZMA) with and without

- the modules of one job together, which is less blurred by what modules share than one module alone;
- one kind of statement: what refuses, messages, receipts, log lines. These are taken out of the text as `ast` writes it.
"""

import ast
import re
import sys
from pathlib import Path

from pgolf.bundle.pack.pack import coders
from pgolf.manager import load_registry
from pgolf.recipe import load_recipe
from pgolf.submission import make

JOBS = {
    "evaluation, its ledger and time budget": r"runtime\.(tally|documents|segments|lora|chunks|evaluate)$|plugins\.eval\.",
    "quantizers and calibration": r"runtime\.(quantize|calibrate|decode)$|plugins\.quantizer\.",
    "artifact: packing, reading, checks": r"runtime\.(export|streams|packing)$|plugins\.compressor\.",
    "kernels and attention": r"runtime\.(kernels|attention)$|architecture\.(fused_|varlen_|causal_|swa)",
    "other architecture": r"runtime\.(model|layers|wiring|context|rotary)$|plugins\.architecture\.",
    "optimizers and schedules": r"runtime\.(optimize|progress)$|plugins\.optimizer\.",
    "parameters and their records": r"runtime\.(parameters|records)$",
    "data": r"runtime\.(shards|side_files)$|plugins\.data\.",
    "ranks": r"runtime\.distributed$",
    "the run: training, finish, session, logs, environment": r"runtime\.",
    "what the recipe says": r"^__main__$",
}


class Bare(ast.NodeTransformer):
    """Takes one kind of statement out."""

    def __init__(self, kind):
        self.kind = kind

    def visit_If(self, node):
        self.generic_visit(node)
        refuses = (
            self.kind == "refusals" and len(node.body) == 1 and isinstance(node.body[0], ast.Raise) and not node.orelse
        )
        return ast.Pass() if refuses else node

    def visit_Raise(self, node):
        if self.kind == "messages" and isinstance(node.exc, ast.Call) and node.exc.args:
            node.exc.args = [ast.Constant(1)]
        return node

    def visit_Expr(self, node):
        call = node.value
        texts = isinstance(call, ast.Call) and call.args and isinstance(call.args[0], (ast.Constant, ast.JoinedStr))
        method = texts and isinstance(call.func, ast.Attribute)
        counts = method and len(call.args) > 1 and isinstance(call.args[0], ast.Constant)
        is_log = texts and isinstance(call.func, ast.Name)
        gone = (self.kind == "receipts" and counts) or (self.kind == "log lines" and is_log)
        return ast.Pass() if gone else node


def measure(path):
    """Both tables of one recipe."""
    built = make(load_recipe(Path(path) / "recipe.toml"), load_registry(()), "auto", smoke=False).built
    text = built.dumps["4_minified.py"].decode()
    allowed = "brotli" in built.needs

    def size(program):
        return min(len(coder.data) for coder in coders(program.encode(), allowed))

    whole, segments = size(text), built.minified.segments
    print(f"\n{path}: file {len(built.code):,}, compressed {whole:,}, minified {len(text):,}\n")
    print("| without | compressed | minified |")
    left = {owner for owner, _ in segments}
    for job, pattern in JOBS.items():
        own = {owner for owner in left if re.search(pattern, owner)}
        left -= own
        rest = "".join(part for owner, part in segments if owner not in own)
        if own:
            print(f"| {job} | {whole - size(rest):,} | {len(text) - len(rest):,} |")
    plain = ast.unparse(ast.parse(text))
    for kind in ("refusals", "messages", "receipts", "log lines"):
        rest = ast.unparse(Bare(kind).visit(ast.parse(text)))
        print(f"| {kind} | {size(plain) - size(rest):,} | {len(plain) - len(rest):,} |")


for one in sys.argv[1:]:
    measure(one)
