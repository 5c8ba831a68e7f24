"""Pages that are generated: `python -m pgolf.docs` writes them, a test keeps them true."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

from pgolf import hookspecs, reference
from pgolf.component import FAMILIES
from pgolf.hook_version import HOOK_VERSION

HEAD = """# Hooks

<!-- Generated from pgolf/hookspecs.py, pgolf/contracts, the records and pgolf/examples by `python -m pgolf.docs`. -->

A hook runs once, at build time, and returns records: `Component(target, **literals)` names an importable top-level class or
function and the literals to call it with. Nothing of pluggy is reachable from the running program. `docs/writing-a-plugin.md`
has the rules; `pgolf plugins hooks NAME` prints what this page says of a hook, with the whole file of its example.

Each example is a plugin of `pgolf/examples`; its `PLUGIN` record and the imports of `pgolf` itself are left out here. A test
builds every one, and runs all of them together, live and built.

"""
PROMISES = f"""## What will stay

A plugin may rely on the names of `pgolf.__all__`, the hooks and calls of this page, the fields of the records above, and these
functions of `pgolf.runtime`. Everything else of `pgolf.runtime` is the engine's own and changes without notice.

The hooks have a version of their own, `{HOOK_VERSION}`: its minor number rises when a hook is added, its major one when
something is changed or removed. A plugin that says `hook_version="{HOOK_VERSION}"` is refused, in one line, by a pgolf without
these; `pgolf plugins new` writes it, and `pgolf plugins index` shows it for everything that is installed.

- A patch version (0.1.0 to 0.1.1) changes nothing of it but faults.
- A minor version (0.1 to 0.2) may add hooks, fields with defaults, records, functions, and last arguments with defaults. Before
  1.0 it may also change or remove something; CHANGELOG.md then says what to write instead, under "For plugin authors".
- From 1.0 on only a major version removes or changes anything.

A build checks every component against these calls, so what no longer fits is an error with file and line. A built
`train_gpt.py` holds a copy of what it uses: no version of pgolf changes it. Pin a plugin's dependency as `pgolf>=0.1,<0.2`.

"""

SUBSET = """# The bundleable subset

<!-- Generated from pgolf/bundle/rules/explanations by `python -m pgolf.docs`. -->

What the training program may contain: `pgolf/runtime/`, the classes and functions that plugins' components
name, and whatever these use. Hooks, `PLUGIN` and everything only they use are free, except for what runs when the module is
imported. `pgolf build` and `pgolf lint` report every finding with its line; `pgolf lint --explain PG304` prints what this page
says of a rule. Every example is a test: the first is refused with the rule's code alone, the second runs live and built.

"""


def hooks_page() -> str:
    """docs/hooks.md: every hook by family, then the records of the running program, then what will stay."""
    parts: list[str] = [HEAD, _introduction("pgolf.contracts"), "\n"]
    for shape, text in hookspecs.SHAPES.items():
        parts.append(f"- *{shape}*: {text}.\n")
    for family in FAMILIES:
        names = [name for name, (owner, _) in hookspecs.HOOKS.items() if owner == family]
        module = "evaluation" if family == "eval" else family
        parts.append(f"\n## {family}\n\n{_introduction(f'pgolf.contracts.{module}')}\n")
        parts += [hook_section(reference.describe_hook(name)) for name in names]
    parts.append("\n## Other contracts\n\nWhat components may have, hand over, or are given.\n\n")
    parts += [contract_text(contract) + "\n" for contract in reference.other_contracts()]
    parts.append("## Records\n\nWhat hooks return, and what components are handed.\n")
    for where in reference.RECORDS:
        parts.append(class_section(reference.describe_class(*where)))
    parts.append("\n### Settings of every recipe\n\n" + _table(reference.setting_rows(), "setting") + "\n" + PROMISES)
    for helpers, known in reference.HELPERS.items():
        for name in known:
            helper = reference.describe_function(helpers, name)
            parts.append(f"- `{helpers}.{helper.name}{helper.text}`: {_first_paragraph(helper.doc)}\n")
    return "".join(parts)


def hook_section(hook: reference.HookText) -> str:
    """One hook."""
    lines = [f"\n### {hook.name}({hook.arguments})\n", f"*{hook.shape}*. {hook.purpose}\n"]
    contract = hook.contract
    if contract and reference.calls(contract):
        lines.append(contract_text(contract))
    elif contract:
        lines.append(f"Returns records `{contract.name}`, see below.\n")
    if hook.example:
        lines.append(example_text(hook, hook.example))
    return "\n".join(lines)


def contract_text(contract: reference.Shape) -> str:
    """A Protocol: what it stands for, its calls, its attributes."""
    lines = [f"`{contract.name}`: {contract.doc}\n"]
    for item in reference.calls(contract):
        method = "component" if item.name == "__call__" else f"component.{item.name}"
        lines.append(f"- `{method}{item.text}`: {_indented(item.doc)}")
    lines += [f"- `component.{item.name}: {item.text}`: {item.doc}" for item in contract.attributes]
    return "\n".join(lines) + "\n"


def example_text(hook: reference.HookText, example: reference.Example) -> str:
    """An example where its first hook stands, a pointer to it elsewhere."""
    first = next(name for name in hookspecs.HOOKS if reference.describe_hook(name).example == example)
    about = f"Example, `{example.name}.py`: {example.doc}\n"
    if first != hook.name:
        return f"{about.rstrip()} See [{first}](#{anchor(first)}).\n"
    return f"{about}\n```python\n{example.body}\n```\n"


def anchor(hook: str) -> str:
    """What links call a hook's heading: its text without punctuation, with dashes for spaces."""
    return hook + reference.describe_hook(hook).arguments.replace(",", "").replace(" ", "-")


def class_section(shape: reference.Shape) -> str:
    """One record: fields and public methods."""
    text = f"\n### {shape.name}\n\n`{shape.module}.{shape.name}`: {shape.doc}\n\n"
    if shape.attributes:
        text += _table(list(shape.attributes), "field")
    if shape.methods:
        text += "\n" + "".join(f"- `{item.name}{item.text}`: {_indented(item.doc)}\n" for item in shape.methods)
    return text


def _table(members: list[reference.Member], what: str) -> str:
    rows = [
        f"| `{item.name}` | {f'`{_escaped(item.text)}`' if item.text else ''} | {_escaped(item.doc)} |"
        for item in members
    ]
    return "\n".join([f"| {what} | type | meaning |", "| --- | --- | --- |", *rows]) + "\n"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def _introduction(module: str) -> str:
    return (inspect.getdoc(importlib.import_module(module)) or "") + "\n"


def _indented(doc: str) -> str:
    """A docstring as the text of a list item."""
    return doc.replace("\n", "\n  ").replace("\n  \n", "\n\n")


def _first_paragraph(doc: str) -> str:
    return " ".join(doc.split("\n\n")[0].split())


def rules() -> str:
    """docs/rules.md: every check of `pgolf verify`."""
    from pgolf.verify.rules_page import rules_page

    return rules_page()


def subset_page() -> str:
    """docs/subset.md: a table of the rules of what can be bundled, then the page of each."""
    from pgolf.bundle.rules.subset import RULES
    from pgolf.rule_pages import EXPLANATIONS, explain

    table = "| code | what is refused |\n| --- | --- |\n"
    sections = ""
    for code in RULES:
        table += f"| [{code}](#{code.lower()}) | {explain(code).title} |\n"
        sections += f"\n## {code}\n\n" + (EXPLANATIONS / f"{code}.md").read_text(encoding="utf-8")
    return SUBSET + table + sections


def lineage() -> str:
    """docs/lineage.md: what each record added, and the bytes of its recipe."""
    from pgolf.lineage_page import lineage_page

    return lineage_page(Path(__file__).resolve().parent.parent / "submissions")


PAGES = {"hooks.md": hooks_page, "lineage.md": lineage, "rules.md": rules, "subset.md": subset_page}


def main() -> None:
    """Write every generated page into docs/ of the checkout."""
    folder = Path(__file__).resolve().parent.parent / "docs"
    for name, page in PAGES.items():
        (folder / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
