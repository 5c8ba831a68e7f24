"""The bundleable subset: what may be in a module that becomes part of a built file.

Whatever the later stages could get wrong is refused here, with the rule and the line. Each rule is a function; the first
part of its docstring is the rule and the part after `|` is why, and `docs/subset.md` is made of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from pgolf.bundle.rules import rules_body, rules_definitions, rules_imports, rules_names, rules_top
from pgolf.bundle.rules.rules_records import pg317
from pgolf.bundle.source import Module
from pgolf.bundle.view import View, methods_of
from pgolf.errors import PgolfError

Rule = Callable[[View], Iterator[PgolfError]]

RULES: dict[str, Rule] = {
    "PG301": rules_top.pg301,
    "PG302": rules_imports.pg302,
    "PG303": rules_imports.pg303,
    "PG304": rules_body.pg304,
    "PG305": rules_names.pg305,
    "PG306": rules_definitions.pg306,
    "PG307": rules_definitions.pg307,
    "PG308": rules_body.pg308,
    "PG309": rules_definitions.pg309,
    "PG310": rules_names.pg310,
    "PG311": rules_definitions.pg311,
    "PG312": rules_names.pg312,
    "PG313": rules_imports.pg313,
    "PG314": rules_top.pg314,
    "PG315": rules_body.pg315,
    "PG316": rules_body.pg316,
    "PG317": pg317,
    "PG318": rules_top.pg318,
    "PG319": rules_names.pg319,
    "PG320": rules_top.pg320,
    "PG321": rules_body.pg321,
}


def check(modules: list[Module]) -> list[PgolfError]:
    """Every finding in these modules, by module, line and code.

    Rules about what happens at import look at whole modules, the others at the statements marked as reached.
    """
    table = {module.name: module for module in modules}
    methods = methods_of(modules)
    found: list[PgolfError] = []
    for module in modules:
        view = View(module, table, methods)
        of_module = [finding for rule in RULES.values() for finding in rule(view)]
        found += sorted(of_module, key=lambda finding: (_position(finding), finding.code))
    return found


def _position(finding: PgolfError) -> tuple[int, int]:
    match = re.search(r":(\d+):(\d+)$", finding.where)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def explain(code: str) -> tuple[str, str]:
    """A rule and its reason, from the docstring."""
    text = " ".join((RULES[code].__doc__ or "").split())
    rule, _, reason = text.partition(" | ")
    return rule.removesuffix("|").strip(), reason.strip()


def as_markdown() -> str:
    """`docs/subset.md`."""
    lines = ["# The bundleable subset", "", INTRODUCTION, "", "| code | rule | why |", "| --- | --- | --- |"]
    for code in RULES:
        rule, reason = explain(code)
        lines.append(f"| {code} | {rule} | {reason} |".replace("a|b", "a\\|b"))
    return "\n".join(lines) + "\n"


INTRODUCTION = """What the training program may contain: `pgolf/runtime/`, the classes and functions that plugins' components
name, and whatever these use. Hooks, `PLUGIN` and everything only they use are free, except for what runs when the module is
imported. `pgolf build` and `pgolf lint` report every finding with its line. This page is made from the docstrings of
the rules: `python -m pgolf.bundle.rules.subset > docs/subset.md`."""


if __name__ == "__main__":
    print(as_markdown(), end="")
