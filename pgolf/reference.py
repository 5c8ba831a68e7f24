"""What `pgolf plugins hooks` and docs/hooks.md say of a hook: read from specifications, contracts, records and examples.

Classes are read as text, so nothing here loads torch.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
import inspect
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pgolf import hookspecs
from pgolf.settings import ENGINE_SETTINGS

EXAMPLES = Path(__file__).parent / "examples"
# Classes of the running program whose objects plugins are handed, in the order of the page.
RECORDS: tuple[tuple[str, str], ...] = (
    ("pgolf.runtime.records", "Param"),
    ("pgolf.runtime.records", "Group"),
    ("pgolf.runtime.records", "Phase"),
    ("pgolf.component", "PlanFacts"),
    ("pgolf.settings", "SettingsView"),
    ("pgolf.runtime.context", "Context"),
    ("pgolf.runtime.model", "GPT"),
    ("pgolf.runtime.session", "Session"),
    ("pgolf.runtime.environment", "Environment"),
    ("pgolf.runtime.distributed", "World"),
    ("pgolf.runtime.progress", "Progress"),
    ("pgolf.runtime.progress", "Scalars"),
    ("pgolf.runtime.ledger", "Ledger"),
    ("pgolf.runtime.evaluate", "Span"),
    ("pgolf.runtime.documents", "Document"),
    ("pgolf.runtime.documents", "Group"),
    ("pgolf.runtime.tally", "Tally"),
    ("pgolf.runtime.tally", "Scored"),
)


# Functions and classes of the running program that plugins may use; docs/hooks.md says what a new version may change.
HELPERS: dict[str, tuple[str, ...]] = {
    "pgolf.runtime.attention": ("attention_branch", "dense_attention"),
    "pgolf.runtime.byte_count": ("byte_tables", "load_tokenizer"),
    "pgolf.runtime.distributed": (
        "finish",
        "gather_over_ranks",
        "gradient_of",
        "max_over_ranks",
        "start_all_gather",
        "start_reduce_scatter",
        "sum_over_ranks",
    ),
    "pgolf.runtime.documents": (
        "chunk_rows",
        "count_chunks",
        "deal_chains",
        "find_documents",
        "group_documents",
        "split_groups",
    ),
    "pgolf.runtime.evaluate": ("Span", "chunk_spans", "span_rows"),
    "pgolf.runtime.kernels": ("attend", "find_flash", "flash_attention"),
    "pgolf.runtime.layers": ("adapt", "document_begins", "rms_norm", "rotate_halves", "shift_right", "use_matrix"),
    "pgolf.runtime.lora": ("Lora",),
    "pgolf.runtime.optimize": (
        "CompiledOrthogonalizer",
        "apply_update",
        "aspect_scale",
        "compile_on_gpu",
        "count_blocks",
        "nesterov_update",
        "orthogonalize",
    ),
    "pgolf.runtime.packing": ("PackedLayout",),
    "pgolf.runtime.parameters": (
        "canonical_names",
        "canonical_state",
        "canonical_tensors",
        "constant",
        "matrix_role",
        "normal",
        "ones",
        "zeros",
    ),
    "pgolf.runtime.programs": ("through_program",),
    "pgolf.runtime.quantize": (
        "damped_hessian",
        "dequantize",
        "int6_grid",
        "integer_codes",
        "nearest_codes",
        "per_row",
        "restore_tensor",
    ),
    "pgolf.runtime.segments": ("Segments", "find_starts", "lay_side_by_side", "run_kernel"),
    "pgolf.runtime.shards": ("load_shard", "shard_files", "shard_length", "validation_tokens"),
    "pgolf.runtime.side_files": ("SideFileBytes",),
    "pgolf.runtime.streams": (
        "add_checksum",
        "check_plain",
        "decode_in_pieces",
        "join_streams",
        "load_tensors",
        "save_tensors",
        "shuffle_bytes",
        "side_by_side",
        "split_streams",
        "unshuffle_bytes",
    ),
    "pgolf.runtime.wiring": (
        "branch_input",
        "join_first_lane",
        "residual_mix",
        "scaled_attention",
        "scaled_mlp",
        "sequential_block",
        "walk_plan",
    ),
}


@dataclass(frozen=True)
class Member:
    """A field, attribute or method: `text` is its annotation, or its arguments and result."""

    name: str
    text: str
    doc: str


@dataclass(frozen=True)
class Shape:
    """A class as its users see it: docstring without the section of attributes, attributes, public methods."""

    module: str
    name: str
    doc: str
    attributes: tuple[Member, ...]
    methods: tuple[Member, ...]


def describe_class(module: str, name: str) -> Shape:
    """Read a class from its source."""
    node = next(item for item in _tree(module).body if isinstance(item, ast.ClassDef) and item.name == name)
    doc, described = split_attributes(ast.get_docstring(node) or "")
    attributes = []
    for place, item in enumerate(node.body):
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name) and item.target.id[0] != "_":
            field = item.target.id
            after = node.body[place + 1 : place + 2]
            attributes.append(Member(field, _default(item), described.pop(field, "") or _string(after)))
    attributes += [Member(field, "", text) for field, text in described.items()]
    methods = []
    for item in node.body:
        if isinstance(item, ast.FunctionDef) and (item.name == "__call__" or not item.name.startswith("_")):
            text = ast.get_docstring(item) or ""
            if any(ast.unparse(decorator) == "property" for decorator in item.decorator_list):
                attributes.append(Member(item.name, _annotation(item.returns), text))
            else:
                methods.append(Member(item.name, signature(item), text))
    return Shape(module, name, doc, tuple(attributes), tuple(methods))


def assigned_attributes(module: str, name: str) -> set[str]:
    """Public attributes that `__init__` of a class sets; a test holds docstrings to them."""
    node = next(item for item in _tree(module).body if isinstance(item, ast.ClassDef) and item.name == name)
    starts = [item for item in node.body if isinstance(item, ast.FunctionDef) and item.name == "__init__"]
    return {
        target.attr
        for start in starts
        for item in ast.walk(start)
        if isinstance(item, (ast.Assign, ast.AnnAssign))
        for whole in (item.targets if isinstance(item, ast.Assign) else [item.target])
        for target in ast.walk(whole)
        if isinstance(target, ast.Attribute) and ast.unparse(target.value) == "self" and target.attr[0] != "_"
    }


def split_attributes(doc: str) -> tuple[str, dict[str, str]]:
    """(docstring without its section "Attributes:", name -> text)."""
    match = re.search(r"^Attributes:\n((?:    .*\n?|\n)*)", doc, re.MULTILINE)
    if match is None:
        return doc.strip(), {}
    described: dict[str, str] = {}
    for entry in re.split(r"\n(?=    \S)", match[1].rstrip()):
        names, _, text = entry.strip().partition(":")
        described |= {name.strip(): " ".join(text.split()) for name in names.split(",")}
    return (doc[: match.start()] + doc[match.end() :]).strip(), described


def describe_function(module: str, name: str) -> Member:
    """A function of the running program, or a class with the arguments of its `__init__`."""
    node = next(item for item in _tree(module).body if getattr(item, "name", "") == name)
    if isinstance(node, ast.FunctionDef):
        return Member(name, signature(node), ast.get_docstring(node) or "")
    assert isinstance(node, ast.ClassDef)
    start = [item for item in node.body if isinstance(item, ast.FunctionDef) and item.name == "__init__"]
    fields = [
        item.target.id for item in node.body if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
    ]
    return Member(name, signature(start[0]) if start else f"({', '.join(fields)})", ast.get_docstring(node) or "")


def signature(node: ast.FunctionDef) -> str:
    """`(model: GPT, layer: int) -> Tensor`, without self."""
    arguments = [argument for argument in (*node.args.posonlyargs, *node.args.args) if argument.arg != "self"]
    shown = [
        argument.arg + (f": {_annotation(argument.annotation)}" * bool(argument.annotation)) for argument in arguments
    ]
    for place, default in enumerate(reversed(node.args.defaults), 1):
        shown[-place] += f" = {ast.unparse(default)}"
    return f"({', '.join(shown)})" + f" -> {_annotation(node.returns)}" * bool(node.returns)


@dataclass(frozen=True)
class Example:
    """A plugin of `pgolf.examples`.

    Attributes:
        doc: its docstring.
        code: the whole file.
        body: what follows the `PLUGIN` record, with the imports that are not from `pgolf` itself.
        hooks: what it implements.
    """

    name: str
    doc: str
    code: str
    body: str
    hooks: tuple[str, ...]


@dataclass(frozen=True)
class HookText:
    """Everything about one hook.

    Attributes:
        arguments: of the hook function.
        purpose: the specification's docstring.
        contract: the Protocol of its components, or the record that it returns; None for numbers and names.
        example: a plugin that implements it.
    """

    name: str
    family: str
    shape: str
    arguments: str
    purpose: str
    contract: Shape | None
    example: Example | None


def describe_hook(name: str) -> HookText:
    """One hook; KeyError for a name that is none."""
    family, shape = hookspecs.HOOKS[name]
    contract, function = hookspecs.CONTRACTS[name], getattr(hookspecs, name)
    described = None if contract in (float, str) else describe_class(contract.__module__, contract.__name__)
    arguments = ", ".join(inspect.signature(function).parameters)
    return HookText(name, family, shape, arguments, inspect.getdoc(function) or "", described, example_of(name))


def as_record(hook: HookText) -> dict[str, Any]:
    """One hook for `--json`."""
    contract = hook.contract
    return {
        "name": hook.name,
        "family": hook.family,
        "shape": hook.shape,
        "arguments": hook.arguments.split(", "),
        "purpose": hook.purpose,
        "contract": contract and contract.name,
        "doc": contract.doc if contract else "",
        "calls": [{"name": item.name, "signature": item.text, "doc": item.doc} for item in calls(contract)],
        "attributes": [
            {"name": item.name, "type": item.text, "doc": item.doc}
            for item in (contract.attributes if contract else ())
        ],
        "example": hook.example.code if hook.example else "",
    }


def other_contracts() -> list[Shape]:
    """Protocols that belong to no hook: what components may have, hand over or be given."""
    held = {(contract.__module__, contract.__name__) for contract in hookspecs.CONTRACTS.values()}
    found = []
    for module in ("", ".architecture", ".optimizer", ".quantizer", ".compressor", ".evaluation", ".data"):
        for item in _tree(f"pgolf.contracts{module}").body:
            if not isinstance(item, ast.ClassDef) or "Protocol" not in [ast.unparse(base) for base in item.bases]:
                continue
            if (f"pgolf.contracts{module}", item.name) not in held:
                found.append(describe_class(f"pgolf.contracts{module}", item.name))
    return found


def calls(contract: Shape | None) -> tuple[Member, ...]:
    """The methods of a Protocol; records are not called."""
    return contract.methods if contract and contract.module.startswith("pgolf.contracts") else ()


@functools.cache
def examples() -> tuple[Example, ...]:
    """Every example, by name."""
    return tuple(_read_example(path) for path in sorted(EXAMPLES.glob("example_*.py")))


def _read_example(path: Path) -> Example:
    code = path.read_text(encoding="utf-8").rstrip()
    tree = ast.parse(code)
    record = next(
        item for item in tree.body if isinstance(item, ast.Assign) and ast.unparse(item.targets[0]) == "PLUGIN"
    )
    imports = [
        ast.unparse(item)
        for item in tree.body
        if isinstance(item, ast.Import) or (isinstance(item, ast.ImportFrom) and item.module != "pgolf")
    ]
    body = "\n".join(code.splitlines()[record.end_lineno or 0 :]).strip()
    hooks = tuple(item.name for item in tree.body if isinstance(item, ast.FunctionDef) and item.decorator_list)
    return Example(
        path.stem, ast.get_docstring(tree) or "", code, "\n".join([*imports, *["", ""] * bool(imports), body]), hooks
    )


def example_of(hook: str) -> Example | None:
    """The example that implements a hook, and as few others as possible."""
    found = [example for example in examples() if hook in example.hooks]
    return min(found, key=lambda example: len(example.hooks), default=None)


def setting_rows() -> list[Member]:
    """Settings that every recipe has, as `model.settings` and `session.settings` hold them."""
    return [Member(item.name, f"{item.type.__name__} = {item.default!r}", item.help) for item in ENGINE_SETTINGS]


@functools.cache
def _tree(module: str) -> ast.Module:
    spec = importlib.util.find_spec(module)
    assert spec is not None and spec.origin is not None, module
    return ast.parse(Path(spec.origin).read_text(encoding="utf-8"))


def _annotation(node: ast.expr | None) -> str:
    return "" if node is None else ast.unparse(node).strip("'\"")


def _default(node: ast.AnnAssign) -> str:
    return _annotation(node.annotation) + (f" = {ast.unparse(node.value)}" if node.value is not None else "")


def _string(nodes: list[ast.stmt]) -> str:
    """The text of a string that stands alone after an attribute."""
    for node in nodes:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            return " ".join(node.value.value.split())
    return ""
