"""What a code means: of errors (PG205), of the bundleable subset (PG304), of the checks of verify (size.claim)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Any

from pgolf.errors import CODES, PgolfError

# code -> (what leads to it, what to do). The rules of the subset, PG301 to PG321, have pages of their own.
CAUSES: dict[str, tuple[str, str]] = {
    "PG001": (
        "A path that is wrong, a disk that is full, a folder that you may not write, or a download that was broken off.",
        "The message names the file and what the system says of it. Make room, give another path, or run it again.",
    ),
    "PG002": (
        "A recipe that is no TOML, a key that recipes do not have, a circle of `extends`, or a rule set without a key.",
        "docs/recipes.md lists every key; `pgolf explain --schema` prints the JSON schema that editors use.",
    ),
    "PG003": (
        "A setting that no selected plugin declares, or a value of another type or out of range.",
        "`pgolf plugins show NAME` lists the settings of a plugin with their ranges; select the plugin that has the setting.",
    ),
    "PG004": (
        "An option that does not exist or does not go with another, or a command that would lose a file.",
        "The command with --help has every option and an example.",
    ),
    "PG005": (
        "The training program, git or another child process ended with an error.",
        "The message has its last error, and the log that it names has the whole of it; --export, --score and --resume "
        "go on where a run ended.",
    ),
    "PG101": (
        "A plugin file that raises while it is imported, or that has no PLUGIN.",
        "Import the file with Python alone to see the traceback; `pgolf lint FILE` checks it.",
    ),
    "PG102": (
        "A name that no plugin has, perhaps one letter off.",
        "`pgolf plugins --search WORD` finds names; --plugin-dir adds a folder.",
    ),
    "PG103": (
        "Two installed distributions, or a folder and a built-in, have a plugin of the same name.",
        "Rename one of them, or leave one folder or distribution out.",
    ),
    "PG104": (
        "A PLUGIN without summary, source or family, or with a name that is no plain word.",
        "`pgolf plugins new NAME` writes one that is complete.",
    ),
    "PG105": (
        "A hook gave None, a tuple in place of a list, or something that is no component.",
        "docs/hooks.md has each hook with what it must return and an example that runs.",
    ),
    "PG106": (
        "Two plugins that cannot both be right, such as two forms of one gate; one of them names the other in `conflicts`.",
        "Keep one, with `remove` in the recipe where the other comes from a base recipe.",
    ),
    "PG107": (
        "What plugins say of who comes before and after whom forms a circle.",
        "Drop one of the plugins, or one of the two wishes.",
    ),
    "PG108": (
        "A component's __call__ or method takes other arguments than its hook calls it with.",
        "The message has the wanted signature; it is in `pgolf/contracts/` with shapes and units.",
    ),
    "PG109": (
        "A plugin whose `hook_version` is newer than the hooks of this pgolf, or of an older major version.",
        "Install the pgolf or the release of the plugin that the message asks for; `pgolf plugins index` lists both versions.",
    ),
    "PG201": (
        "Two modules register a torch custom operator under one name.",
        "Give one of them another name; operators are global to the process.",
    ),
    "PG202": (
        "A plugin imports a name of the engine that is made by code, not by a statement.",
        "Import the function or class where it is defined.",
    ),
    "PG203": (
        "Two plugins fill one slot, such as two attention kernels.",
        "Keep one. A plugin that changes what another does is a tap, not a slot: docs/writing-a-plugin.md.",
    ),
    "PG204": (
        "A baseline plugin was removed and nothing takes its place.",
        "Take it off `remove`, or select another provider: docs/hooks.md names them.",
    ),
    "PG205": (
        "A plugin declares a tensor whose `group` no optimizer plugin knows.",
        'Use "matrix", "scalar", "embed" or "head", or declare the group in the plugin with the hook `groups`.',
    ),
    "PG206": (
        "A tensor's `quant` class has no recipe, or a recipe is for a class that no tensor has.",
        'Use "attn", "mlp", "embed" or "control", or provide `tensor_recipes` for the class; `pgolf plan` lists tensors.',
    ),
    "PG207": (
        "Two plugins declare a tensor of one name.",
        "Leave one plugin out, or give the tensor the name of its plugin.",
    ),
    "PG208": (
        "Every set of phases that can be on together is compiled; n phases are 2^n sets.",
        "Select fewer plugins with phases, or raise recompile_limit and the warm-up that comes with it.",
    ),
    "PG209": (
        "A layer plan names a layer that is not there, or skips that do not match.",
        "`pgolf plan` draws it; check loop_start, loop_end and num_layers.",
    ),
    "PG210": (
        "A rounding such as gptq, or a clip rule, is selected, and no recipe of a quantizer asks for it.",
        "Add a quantizer that does, such as sdclip.",
    ),
    "PG211": (
        "A quantizer wants input statistics that nothing collects, or they are collected for nobody or without reserved time.",
        "Add train_calibration or self_calibration, and a reserve where training data are read on the clock.",
    ),
    "PG401": (
        "A pass of the bundler made a program that fails its own check: a defect of pgolf.",
        "Report it with the recipe; `pgolf prove` finds the stage.",
    ),
    "PG402": (
        "The packed file does not unpack to what was packed: a defect of pgolf.",
        "Report it; `pgolf build --pack plain` goes around it.",
    ),
    "PG501": (
        "A folder without files, a link that leads out of it, or files that are too large to judge.",
        "docs/verification.md says what a folder must hold.",
    ),
    "PG502": (
        "A shard whose header, length or side file does not fit.",
        "`pgolf data check FOLDER` looks at all of them; `pgolf data fetch` gets a damaged one again.",
    ),
    "PG503": (
        "Text that the tokenizer cannot give back, or another tokenizer than the shards were made with.",
        "Give the right one with --tokenizer; `pgolf preflight` tries it on documents.",
    ),
    "PG504": (
        "A log without its last score, or a claim that the logs do not carry.",
        "`pgolf logs FOLDER` shows what each log says; end the run, or claim the mean.",
    ),
    "PG505": (
        "The pgolf.lock is missing, damaged, of another format, or of another train_gpt.py.",
        "`pgolf build FOLDER` makes both again. Never edit a built file: verify compares it with its lock.",
    ),
    "PG506": (
        "A text transform does not give a document back, or its byte counts do not sum to the document's.",
        "Fix the transform; the message has the document.",
    ),
    "PG507": (
        "A training document is a validation document too.",
        "Split by document, as `pgolf data tokenize` does; a model that has seen its validation text proves nothing.",
    ),
}


@dataclass(frozen=True)
class Page:
    """One code: `source` is who says so, for checks of verify."""

    code: str
    title: str
    causes: str
    mend: str
    source: str = ""

    def as_record(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def explain(code: str) -> Page:
    """The page of a code.

    Raises:
        PgolfError: PG004 for one that there is not.
    """
    from pgolf.bundle.rules.subset import RULES

    upper = code.upper()
    if upper in RULES:
        from pgolf.rule_pages import explain as rule

        page = rule(upper)
        return Page(upper, page.title, f"{page.rule} {page.reason}", f"Instead:\n\n{page.instead}")
    if upper in CAUSES:
        return Page(upper, CODES[upper], *CAUSES[upper])
    from pgolf.verify.report import all_checks

    checks = {check.id: check for check in all_checks()}
    if code.lower() in checks:
        found = checks[code.lower()]
        mend = f"{found.severity} where it does not hold; docs/verification.md says how it is judged."
        return Page(
            found.id, found.statement, f"For example: {found.example}" if found.example else "", mend, found.source
        )
    known = [*CODES, *checks]
    close = get_close_matches(upper, known, 1, 0.6) or get_close_matches(code.lower(), known, 1, 0.6)
    hint = f"did you mean {close[0]}?" if close else "`pgolf explain` alone lists all codes"
    raise PgolfError("PG004", f"{code[:60]!r} is no code of an error, a rule or a check", hint=hint)


def listing() -> dict[str, str]:
    """code -> title, of everything."""
    from pgolf.verify.report import all_checks

    return CODES | {check.id: check.statement for check in all_checks()}


def recipe_schema() -> dict[str, Any]:
    """The JSON schema of recipe.toml, with every built-in plugin and setting, for editors."""
    from pgolf.challenge import CHALLENGES
    from pgolf.manager import load_registry
    from pgolf.settings import CORE_SETTINGS

    plugins = load_registry(()).plugins
    declared = {setting.name: setting for setting in CORE_SETTINGS}
    for loaded in plugins.values():
        declared |= {setting.name: setting for setting in loaded.plugin.settings if setting.name not in declared}
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string"}
    settings = {}
    for name, setting in sorted(declared.items()):
        entry: dict[str, Any] = {
            "type": kinds[setting.type],
            "description": f"{setting.help}; default {setting.default!r}",
        }
        entry |= {"minimum": setting.minimum} if setting.minimum is not None else {}
        entry |= {"exclusiveMaximum": setting.below} if setting.below is not None else {}
        entry |= {"enum": list(setting.choices)} if setting.choices else {}
        settings[name] = entry
    names = {"type": "array", "items": {"anyOf": [{"enum": sorted(plugins)}, {"type": "string"}]}, "uniqueItems": True}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "recipe.toml of pgolf",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "name": {"type": "string", "description": "of the submission and its folder"},
            "extends": {
                "type": "string",
                "description": "path of the recipe that this one adds to, relative to this file",
            },
            "plugins": {**names, "description": "techniques, by name"},
            "remove": {**names, "description": "plugins of the base or the baseline that are left out"},
            "settings": {
                "type": "object",
                "properties": settings,
                "description": "values that differ from the defaults",
            },
            "challenge": {"enum": sorted(CHALLENGES), "description": "the dated rule set"},
            "notes": {"type": "string", "description": "one paragraph for people"},
        },
    }
