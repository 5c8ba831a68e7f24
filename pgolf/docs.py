"""Pages that are generated: `python -m pgolf.docs` writes them, a test keeps them true."""

from __future__ import annotations

import inspect
from pathlib import Path

from pgolf import hookspecs
from pgolf.component import FAMILIES

HEAD = """# Hooks

<!-- Generated from pgolf/hookspecs.py by `python -m pgolf.docs`; edit there. -->

A hook runs once, at build time, and returns records: `Component(target, **literals)` names an importable top-level class or
function and the literals to call it with. Nothing of pluggy is reachable from the running program. `docs/writing-a-plugin.md`
shows a whole plugin; `pgolf plugins show NAME` shows which hooks a plugin implements.

Shapes in the calls: B batch, T sequence, D model width, H query heads, K key/value heads, C head width, E = K*C,
V vocabulary. `ctx` is `pgolf.runtime.context.Context`, `ledger` collects receipts.
"""


def hooks_page() -> str:
    """docs/hooks.md: every hook by family, with its signature, shape and the call the running program makes."""
    parts = [HEAD]
    for family in FAMILIES:
        names = [name for name, (owner, _) in hookspecs.HOOKS.items() if owner == family]
        if not names:
            continue
        parts.append(f"## {family}\n")
        for name in names:
            function = getattr(hookspecs, name)
            arguments = ", ".join(inspect.signature(function).parameters)
            shape = hookspecs.HOOKS[name][1]
            doc = inspect.getdoc(function) or ""
            parts.append(f"### {name}({arguments})\n\n*{shape}*: {hookspecs.SHAPES[shape]}. {doc}\n")
            parts.append(contract_text(hookspecs.CONTRACTS[name]))
    return "\n".join(parts)


def contract_text(contract: type) -> str:
    """The calls of a Protocol with what they take and give; one line for a record."""
    if contract is float:
        return "A number, at least 0.\n"
    if not getattr(contract, "_is_protocol", False):
        return f"Record `{contract.__name__}`.\n"
    lines = [f"`{contract.__name__}`: {inspect.getdoc(contract)}\n"]
    for name, member in vars(contract).items():
        if inspect.isfunction(member) and (not name.startswith("_") or name == "__call__") and member.__doc__:
            taken = ", ".join(list(inspect.signature(member).parameters)[1:])
            shown = "" if name == "__call__" else f".{name}"
            lines.append(f"- `{contract.__name__}{shown}({taken})`: {inspect.getdoc(member)}")
    return "\n".join(lines) + "\n"


def rules() -> str:
    """docs/rules.md: every check of `pgolf verify`."""
    from pgolf.verify.rules_page import rules_page

    return rules_page()


PAGES = {"hooks.md": hooks_page, "rules.md": rules}


def main() -> None:
    """Write every generated page into docs/ of the checkout."""
    folder = Path(__file__).resolve().parent.parent / "docs"
    for name, page in PAGES.items():
        (folder / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
