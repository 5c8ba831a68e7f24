"""The bundleable subset: what may be in a module that becomes part of a built file.

Whatever the later stages could get wrong is refused here, with the rule and the line. Each rule is a function, and has a
page (`pages`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator

from pgolf.bundle.rules import hidden_effects, import_time_code, looked_up_names, unknown_definitions, unknown_imports
from pgolf.bundle.rules.misused_records import misused_records
from pgolf.bundle.source import Module
from pgolf.bundle.view import View, methods_of
from pgolf.errors import PgolfError

Rule = Callable[[View], Iterator[PgolfError]]

RULES: dict[str, Rule] = {
    "PG301": import_time_code.statements_at_import,
    "PG302": unknown_imports.unlinkable_imports,
    "PG303": unknown_imports.unavailable_imports,
    "PG304": hidden_effects.shared_state,
    "PG305": looked_up_names.name_lookups,
    "PG306": unknown_definitions.unknown_decorators,
    "PG307": unknown_definitions.read_annotations,
    "PG308": hidden_effects.nested_definitions,
    "PG309": unknown_definitions.unknown_bases,
    "PG310": looked_up_names.moved_methods,
    "PG311": unknown_definitions.changing_records,
    "PG312": looked_up_names.changed_names,
    "PG313": unknown_imports.pickled_code,
    "PG314": import_time_code.changing_defaults,
    "PG315": hidden_effects.effects_in_assertions,
    "PG316": hidden_effects.order_of_sets,
    "PG317": misused_records,
    "PG318": import_time_code.future_flags,
    "PG319": looked_up_names.generated_attributes,
    "PG320": import_time_code.effects_at_import,
    "PG321": hidden_effects.texts_in_formats,
}


def check(modules: list[Module], passed: Collection[str] = ()) -> list[PgolfError]:
    """Every finding in these modules, by module, line and code.

    Rules about what happens at import look at whole modules, the others at the statements marked as reached. Those that
    `passed` names are known to pass.
    """
    table = {module.name: module for module in modules}
    methods = methods_of(modules)
    findings: list[PgolfError] = []
    for module in [module for module in modules if module.name not in passed]:
        view = View(module, table, methods)
        of_module: list[PgolfError] = []
        for rule in RULES.values():
            of_module += rule(view)
        findings += sorted(of_module, key=lambda finding: (_position(finding), finding.code))
    return findings


def _position(finding: PgolfError) -> tuple[int, int]:
    match = re.search(r":(\d+):(\d+)$", finding.where)
    return (int(match[1]), int(match[2])) if match else (0, 0)
