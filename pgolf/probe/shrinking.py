"""Makes a script small by its own hyperparameters: what it reads from the environment, and numbers with the usual names.

Widths, lengths, batches, steps and tables shrink; numbers of layers, heads and whatever they are compared with stay, since
scripts name layers by number.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

CLOCK = 0.02
"""Seconds of training where only a clock ends it."""
Rule = Callable[[float, "Sizes"], float]


@dataclass(frozen=True)
class Sizes:
    """What a script is made small to.

    Attributes:
        vocabulary: tokens.
        length: tokens of a sequence.
        head: width of a head, unless that is given.
        heads: number of heads, as the script has it.
        widths: whether widths shrink, too.
        rows: sequences of a batch of training text.
    """

    vocabulary: int = 320
    length: int = 64
    head: int = 16
    heads: int = 8
    widths: bool = True
    rows: int = 16


def at_most(limit: float) -> Rule:
    """No more than this."""
    return lambda value, sizes: min(value, limit)


def fixed(number: float) -> Rule:
    """Always this."""
    return lambda value, sizes: number


def width(share: float = 1.0) -> Rule:
    """A share of the model's width."""
    return lambda value, sizes: sizes.head * sizes.heads * share if sizes.widths else value


LENGTH: Rule = lambda value, sizes: min(value, sizes.length)  # noqa: E731
BATCH: Rule = lambda value, sizes: sizes.length * sizes.rows  # noqa: E731

# The first expression that fits the whole name, in lower case, decides.
RULES: list[tuple[str, Rule]] = [
    (r"(bigram|trigram|ngram|hash)\w*_(vocab_size|buckets?|size|hash_size|table_size)|\w*buckets", at_most(512)),
    (r"vocab_?size|n_?vocab", lambda value, sizes: sizes.vocabulary),
    (r"iterations|num_iterations|max_steps|train_steps|num_steps", at_most(2)),
    (r"(warmup|cooldown)_(steps|iters)|warmup", at_most(1)),
    (r"warmdown_(iters|steps)|lr_warmup_steps|muon_momentum_warmup_steps|momentum_warmup_steps", at_most(2)),
    (r"val_loss_every|eval_every|val_every|sliding_eval_every", fixed(0)),
    (r"train_log_every|log_every", fixed(1)),
    (r"train_batch_tokens|batch_tokens|train_batch_size|total_batch_size", BATCH),
    (r"batch_seqs", at_most(16)),
    (r"val_batch_(size|tokens)|eval_batch_tokens", lambda value, sizes: sizes.length * 32),
    (r"\w*(eval_batch_seqs|batch_seqs|eval_batch_size|ttt_batch_size|sw_batch)", at_most(4)),
    (r"(eval_)?stride|\w*eval_stride|sliding_window_stride", lambda value, sizes: min(value, sizes.length // 4)),
    (r"\w*(chunk_tokens|ttt_chunk)", lambda value, sizes: min(value, 2 * sizes.length)),
    (r"\w*(chunk_len|chunk_size)", LENGTH),
    (r"\w*(seq_len|sequence_length|block_size|context_len|context_length|max_len|ctx_len|seq_length)", LENGTH),
    (r"(swa|attn|attention|sliding)_window(_size)?|window_size|window", LENGTH),
    (r"model_dim|d_model|n_embd|hidden_(dim|size)|dim|embedding_dim|embed_dim", width()),
    (r"\w*(bigram|ve|value_embed|memory|bottleneck)_dim", at_most(16)),
    (r"\w*(lora|adapter|delta|lowrank|low)_rank", at_most(4)),
    (r"\w*(ttt|slot|adapt|tta)\w*_(steps|epochs|iters)|\w*epochs", at_most(3)),
    (r"\w*calib\w*_(batches|samples|seqs|steps)|calibration_\w*|\w*gptq_batches", at_most(2)),
    (r"\w*(phases?|num_phases)", at_most(2)),
    (r"\w*prefix_docs", at_most(8)),
    (r"(grad_accum|grad_accum_steps|gradient_accumulation_steps)", at_most(2)),
    (r"head_dim", lambda value, sizes: sizes.head if sizes.widths else value),
    (r"rope_dims?|rotary_dims?", lambda value, sizes: min(value, sizes.head)),
    (r"num_loops|recur_start_step|\w*_start_step", at_most(2)),
]
SHORT = {"T": "seq_len", "B": "batch_seqs"}
"""What single letters of loaders mean."""
VAGUE = re.compile(r"dim|window|stride|warmup|hidden_dim|\w*epochs|grad_accum|num_loops|vocab|window_size|\w*rank")
"""Names that mean other things as well, where a function has them."""
ACCUMULATES = re.compile(r"(self_)?(grad|gradient)?_?accum\w*")
WALLCLOCK = re.compile(r"\w*(wallclock|wall_clock|time_limit|time_budget|train_seconds)\w*")
STEPS = re.compile(RULES[2][0])
HEADS = re.compile(r"num_heads|n_heads?|num_attention_heads")
PATTERNS = [(re.compile(pattern), rule) for pattern, rule in RULES]


@dataclass
class Small:
    """A script made small.

    Attributes:
        text: the script, with other numbers in it.
        environment: what is set for it.
        changed: name -> (what it was, what it is).
        vocabulary: tokens that it wants; 0 where it does not say.
    """

    text: str
    environment: dict[str, str] = field(default_factory=dict)
    changed: dict[str, tuple[float, float]] = field(default_factory=dict)
    vocabulary: int = 0


def shrink(text: str, sizes: Sizes) -> Small:
    """Find a script's hyperparameters and set them small.

    Raises:
        SyntaxError: when the text is no Python.
    """
    tree = ast.parse(text)
    read = dict(settings(tree))
    literals = list(named_numbers(tree))
    values = {name.lower(): value for name, value in read.items()} | {name: value for name, value, _ in literals}
    heads = next((int(value) for name, value in values.items() if HEADS.fullmatch(name) and value), sizes.heads)
    sizes = replace(sizes, heads=heads)
    small = Small(text, vocabulary=int(next((values[name] for name in values if name in ("vocab_size", "vocab")), 0)))
    for name, value in read.items():
        new = smaller(name.lower(), value, sizes)
        if new is not None:
            small.environment[name] = shown(new, value)
            small.changed[name] = (value, new)
    changes = []
    for name, value, node in literals:
        new = smaller(name, value, sizes)
        if new is not None and new != value:
            changes.append((node, shown(new, value)))
            small.changed[name] = (value, new)
    for node in shares_of_ranks(tree):
        changes.append((node, "1"))
        small.changed["ranks"] = (8, 1)
    if not any(STEPS.fullmatch(name.lower()) for name in small.changed):
        stop_by_clock(small, read, literals, changes)
    small.text = replaced(text, changes)
    if any(name in small.changed for name in ("VOCAB_SIZE", "vocab_size")):
        small.vocabulary = sizes.vocabulary
    return small


def shares_of_ranks(tree: ast.AST) -> Iterator[ast.expr]:
    """The 8 of `grad_accum_steps = 8 // world_size`: one rank stands for all of them, and need not run eight times."""
    for node in ast.walk(tree):
        for name, value in assigned(node):
            if not isinstance(value, ast.BinOp) or not isinstance(value.op, ast.FloorDiv):
                continue
            ranks = isinstance(value.left, ast.Constant) and value.left.value == 8
            if ranks and ACCUMULATES.fullmatch(name.lower()):
                yield value.left


def stop_by_clock(
    small: Small,
    read: dict[str, float],
    literals: list[tuple[str, float, ast.expr]],
    changes: list[tuple[ast.expr, str]],
) -> None:
    """A script that counts no steps ends by the clock, of which a look takes a millisecond."""
    for name, value in read.items():
        if WALLCLOCK.fullmatch(name.lower()):
            small.environment[name] = str(CLOCK)
            small.changed[name] = (value, CLOCK)
    for name, value, node in literals:
        if WALLCLOCK.fullmatch(name):
            changes.append((node, str(CLOCK)))
            small.changed[name] = (value, CLOCK)


def smaller(name: str, value: float, sizes: Sizes) -> float | None:
    """The small value of a hyperparameter, None where no rule is for it."""
    for pattern, rule in PATTERNS:
        if pattern.fullmatch(name):
            return rule(value, sizes)
    return None


def shown(value: float, like: float) -> str:
    """A number as text, whole where it was whole."""
    return str(int(value)) if isinstance(like, int) or float(value).is_integer() else str(value)


def settings(tree: ast.AST) -> Iterator[tuple[str, float]]:
    """(name, default) of numbers read from the environment, directly or through a function of the script's own."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
            continue
        default = next((word.value for word in node.keywords if word.arg == "default"), None)
        default = node.args[1] if len(node.args) > 1 else default
        name, value = node.args[0].value, None if default is None else number(default)
        if isinstance(name, str) and re.fullmatch(r"[A-Z][A-Z0-9_]{2,60}", name) and value is not None:
            yield name, value


def number(node: ast.expr) -> float | None:
    """The number of a literal, also one in a string or a simple product."""
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return float(node.value) if isinstance(node.value, float) else int(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        text = node.value.replace("_", "")
        return int(text) if re.fullmatch(r"\d{1,15}", text) else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Pow, ast.LShift)):
        left, right = number(node.left), number(node.right)
        if left is None or right is None or abs(left) > 2**40 or abs(right) > 2**40:
            return None
        if isinstance(node.op, ast.Mult):
            return left * right
        if isinstance(node.op, ast.LShift):
            return int(left) << int(right) if 0 <= right < 40 else None
        return left**right if 0 <= right < 40 and abs(left) < 1000 else None
    return None


def named_numbers(tree: ast.AST) -> Iterator[tuple[str, float, ast.expr]]:
    """(name in lower case, value, node) of numbers given to names: in classes, modules, records and command lines.

    In functions and signatures only names that can hardly mean anything else count.
    """
    for node in ast.walk(tree):
        for name, value in assigned(node):
            found = number(value)
            if found is None or isinstance(getattr(value, "value", None), str):
                continue
            low = SHORT.get(name, name.lower()) if found >= 8 else name.lower()
            if isinstance(node, (ast.ClassDef, ast.Module)) or (not VAGUE.fullmatch(low) and found >= 8):
                yield low, found, value


def assigned(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """(name, value) of what a node gives to names."""
    if isinstance(node, (ast.ClassDef, ast.Module, ast.FunctionDef)):
        for statement in node.body:
            yield from targets(statement)
    if isinstance(node, ast.FunctionDef):
        named = [*node.args.posonlyargs, *node.args.args]
        pairs = zip(named[len(named) - len(node.args.defaults) :], node.args.defaults, strict=True)
        yield from ((one.arg, value) for one, value in pairs)
        more = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
        yield from ((one.arg, value) for one, value in more if value is not None)
    if isinstance(node, ast.Dict):
        yield from constants(node)
    if isinstance(node, ast.Call):
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        given = {word.arg: word.value for word in node.keywords if word.arg}
        if name == "add_argument" and node.args and isinstance(node.args[0], ast.Constant) and "default" in given:
            yield str(node.args[0].value).strip("-").replace("-", "_"), given["default"]
        elif name == "dict" or name[:1].isupper():
            yield from given.items()


def constants(node: ast.Dict) -> Iterator[tuple[str, ast.expr]]:
    """Pairs whose key is a text."""
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            yield key.value, value


def targets(node: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    """(name, value) of an assignment to names or attributes, also of several at once."""
    value = node.value if isinstance(node, (ast.Assign, ast.AnnAssign)) else None
    given = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    if value is None or len(given) != 1:
        return
    one = given[0]
    several = isinstance(one, ast.Tuple) and isinstance(value, ast.Tuple) and len(one.elts) == len(value.elts)
    pairs = zip(one.elts, value.elts, strict=True) if several else [(one, value)]  # type: ignore[union-attr, attr-defined]
    for target, new in pairs:
        if isinstance(target, ast.Name):
            yield target.id, new
        elif isinstance(target, ast.Attribute):
            yield target.attr, new


def replaced(text: str, changes: list[tuple[ast.expr, str]]) -> str:
    """The text with other expressions; no line moves."""
    lines = text.splitlines(keepends=True)
    for node, new in sorted(changes, key=lambda change: (-change[0].lineno, -change[0].col_offset)):
        if node.end_lineno != node.lineno or node.end_col_offset is None:
            continue
        line = lines[node.lineno - 1].encode()
        lines[node.lineno - 1] = (line[: node.col_offset] + new.encode() + line[node.end_col_offset :]).decode()
    return "".join(lines)
