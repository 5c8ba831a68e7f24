"""The frozen records that hooks return and plugins declare. No torch, no pluggy.

A hook never builds anything: it names an importable top-level class or function and the literal keyword arguments to
call it with. The entry module that `resolve` writes makes the call, so what runs is what was read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pgolf.errors import PgolfError
from pgolf.runtime.records import Group, Param, Phase

__all__ = [
    "FAMILIES",
    "Component",
    "Conflict",
    "Group",
    "Need",
    "Param",
    "Phase",
    "PlanFacts",
    "Plugin",
    "Setting",
    "is_literal",
]

FAMILIES = ("architecture", "optimizer", "quantizer", "compressor", "eval", "data")
NEED_KINDS = ("python", "program", "gpu")


class Component:
    """`target(**arguments)`, or `target` bound to `arguments` when it is a function.

    Args:
        target: a class or function at the top level of an importable module.
        arguments: literals (None, bool, int, finite float, str, bytes, tuples and dicts of these) or other components.

    Raises:
        PgolfError: PG105, when the target cannot be imported by name or an argument is not a literal.
    """

    __slots__ = ("arguments", "target")

    def __init__(self, target: Callable[..., Any], /, **arguments: Any):
        name = getattr(target, "__qualname__", "")
        if not callable(target) or not name.isidentifier():
            raise PgolfError(
                "PG105",
                f"a component's target is {target!r}, not a top-level class or function",
                hint="define it at the top level of the plugin's file and pass it by name",
            )
        for key, value in arguments.items():
            if not is_literal(value):
                raise PgolfError(
                    "PG105",
                    f"argument {key}={value!r} of {name} is not a literal",
                    hint="pass None, bool, int, finite float, str, bytes, or tuples and dicts of these",
                )
        self.target, self.arguments = target, dict(sorted(arguments.items()))

    @property
    def name(self) -> str:
        return self.target.__qualname__

    @property
    def module(self) -> str:
        return self.target.__module__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Component) and (self.target, self.arguments) == (other.target, other.arguments)

    def __hash__(self) -> int:
        return hash((self.module, self.name, repr(self.arguments)))

    def __repr__(self) -> str:
        inner = ", ".join(f"{key}={value!r}" for key, value in self.arguments.items())
        return f"{self.name}({inner})"


def is_literal(value: Any) -> bool:
    """Can `value` be written into the entry module so that reading it back gives the same value?"""
    if value is None or isinstance(value, (bool, int, str, bytes, Component)):
        return True
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, tuple):
        return all(is_literal(item) for item in value)
    if isinstance(value, dict):
        return all(isinstance(key, str) and is_literal(item) for key, item in value.items())
    return False


@dataclass(frozen=True)
class Setting:
    """One named, typed value that a recipe may set; it becomes a literal of the built file.

    Attributes:
        name: as in the public scripts, in lower case.
        default: gives the type.
        help: half a sentence.
        minimum: the least value.
        choices: the values of a text that are allowed.
        below: what the value must be less than, such as 1 for a momentum.
    """

    name: str
    default: bool | int | float | str
    help: str
    minimum: float | None = None
    choices: tuple[str, ...] = ()
    below: float | None = None

    @property
    def type(self) -> type:
        return type(self.default)


@dataclass(frozen=True)
class Conflict:
    """Two plugins that should not meet. `hard` stops the build; otherwise `reason` is printed as a warning."""

    name: str
    reason: str
    hard: bool = True


@dataclass(frozen=True)
class Need:
    """Something a run needs that is not on every machine; `pgolf train` looks for it before it starts.

    Attributes:
        kind: "python" for a package, "program" for a command on PATH, "gpu" for a CUDA device.
        name: the package as pip and `import` know it; the command, which is its Debian package's name too; "cuda" for
            any device, or the least compute capability, such as "sm_90".
        why: what it is for, in a few words.

    Raises:
        PgolfError: PG104, for another kind or a name that cannot be one.
    """

    kind: str
    name: str
    why: str

    def __post_init__(self) -> None:
        if self.kind not in NEED_KINDS:
            text = f"a need has the kind {self.kind!r}"
            raise PgolfError("PG104", text, hint=f"use one of {', '.join(NEED_KINDS)}")
        form = r"cuda|sm_[1-9]\d{1,2}" if self.kind == "gpu" else r"[A-Za-z0-9][A-Za-z0-9._+-]*"
        if not re.fullmatch(form, self.name):
            wanted = '"cuda" or a compute capability such as "sm_90"' if self.kind == "gpu" else "one plain name"
            raise PgolfError("PG104", f"a need of kind {self.kind!r} has the name {self.name!r}", hint=f"give {wanted}")

    @property
    def install(self) -> str:
        """What provides it, e.g. `pip install brotli`."""
        if self.kind == "gpu":
            device = self.name if self.name == "cuda" else f"{self.name} or later"
            return f"run on a machine with a CUDA device ({device})"
        return f"{'pip' if self.kind == 'python' else 'apt-get'} install {self.name}"


@dataclass(frozen=True)
class Plugin:
    """What a plugin says about itself; the module-level name is `PLUGIN`.

    Attributes:
        name: the technique's published name in snake case, equal to the file's stem.
        summary: one sentence.
        source: the pull request, record folder or paper.
        family: one of `FAMILIES`.
        effect: the measured effect as its source gives it, or "" where none was isolated.
        requires: plugins that are selected along with this one; of "a|b" a is, unless b is selected already.
        conflicts: plugins that must not, or had better not, be selected with this one.
        replaces: baseline plugins that this one stands in for where no shared slot says so.
        order: position in every chain of taps this plugin adds to; low runs first.
        before, after: plugins that this one must precede or follow in a shared chain.
        settings: what a recipe may set.
        hardware: the least hardware, or "" where any will do.
        needs: what a run needs beyond torch, numpy and sentencepiece.
        hook_version: the hooks that it was written for, such as "1.0"; others are refused. "" does not say.
    """

    name: str
    summary: str
    source: str
    family: str
    effect: str = ""
    requires: tuple[str, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    replaces: tuple[str, ...] = ()
    order: int = 50
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    settings: tuple[Setting, ...] = ()
    hardware: str = ""
    needs: tuple[Need, ...] = ()
    hook_version: str = ""


@dataclass(frozen=True)
class PlanFacts:
    """What parameter declarations may depend on: sizes of the longest layer plan over all phases.

    Attributes:
        num_steps: encoder and decoder steps together.
        num_skips: stored skips; a plan that training does without has no more.
        num_blocks: layers that have control tensors of their own; more than `num_layers` where a plan numbers its steps.
        variants: set of phases -> (encoder layers, decoder layers).
    """

    num_steps: int
    num_skips: int
    num_blocks: int
    variants: Mapping[tuple[str, ...], tuple[tuple[int, ...], tuple[int, ...]]] = field(default_factory=dict)
