"""Measures the bundler on this machine: `python benchmarks/bundle.py`. Prints tables for results.md.

For each recipe in submissions/ and for the three plugins: bytes of train_gpt.py, processor seconds and peak memory of a fresh
process that builds it, and what each pass saves: the file's size when that pass alone does nothing, less the size with all of
them.
"""

import json
import resource
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parent.parent
THREE = "swa,bank_qat,pko"


def nothing(*arguments):
    """A pass that finds nothing to do."""
    return False


def as_it_is(flat, *arguments, **options):
    """A stage that hands the program on."""
    return flat


def without(module, name, stand_in=nothing):
    """Put something that does nothing in a pass's place, in every module of the bundler that imports it."""
    from importlib import import_module

    original = getattr(import_module(f"pgolf.bundle.{module}"), name)
    for found in [item for key, item in sorted(sys.modules.items()) if key.startswith("pgolf.bundle.")]:
        if getattr(found, name, None) is original:
            setattr(found, name, stand_in)
        for table in [item for item in vars(found).values() if isinstance(item, dict) and original in item.values()]:
            table.update({key: stand_in for key, item in table.items() if item is original})
    return original


def without_pass(name):
    """Take a pass out of the plan of `specialize`."""
    from pgolf.bundle import manager

    left = tuple(one for one in manager.PLAN if one.name != name)
    assert left != manager.PLAN, f"{name} is not in the plan"
    manager.specialize.__defaults__ = (left,)


def without_renamer():
    """Names stay as they are."""
    from pgolf.bundle.minify import minify

    class Kept(minify.Plan):
        def may_rename(self, owner, name):
            return False

        def members(self, alphabet, variables):
            return {}

    minify.Plan = Kept


PASSES = {
    "specialize as a whole": partial(without, "manager", "specialize", as_it_is),
    **{
        name: partial(without_pass, name)
        for name in (
            "settings-specialization",
            "tree-shaking",
            "unshadowing",
            "scalar-replacement",
            "copy-propagation",
            "constant-propagation",
            "dead-store-elimination",
            "dead-argument-elimination",
        )
    },
    "renamer": without_renamer,
    "arguments by position": partial(without, "minify.positional", "settle_arguments"),
}


def build(arguments, switched_off):
    """Build one recipe in this process; returns what it cost and gave."""
    from pgolf.cli.build import gather_recipe
    from pgolf.manager import load_registry
    from pgolf.submission import make

    path, plugins = (None, tuple(THREE.split(","))) if arguments == THREE else (ROOT / arguments, ())
    registry = load_registry(())
    recipe = gather_recipe(path, plugins, (), "")
    make_parts = PASSES.get(switched_off)
    import pgolf.bundle.pipeline

    assert pgolf.bundle.pipeline
    if make_parts is not None:
        make_parts()
    made = make(recipe, registry, switched_off if switched_off == "mix" else "auto").built
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"bytes": len(made.code), "minified": made.stages["minify"], "seconds": time.process_time(), "peak": peak}


def measured(arguments, switched_off=""):
    """The same in a fresh process, or None where a build without the pass fails."""
    command = [sys.executable, __file__, "--one", arguments, switched_off]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        print(f"without {switched_off}: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return None
    return json.loads(done.stdout.splitlines()[-1])


def recipe_tables():
    """Sizes, costs and what each pass saves."""
    recipes = {
        path.parent.name: f"submissions/{path.parent.name}" for path in sorted(ROOT.glob("submissions/*/recipe.toml"))
    }
    recipes[THREE] = THREE
    whole = {name: measured(arguments) for name, arguments in recipes.items()}
    mixed = {name: measured(arguments, "mix") for name, arguments in recipes.items()}
    head = "| recipe | bytes | with --pack mix | minified | processor seconds | with mix | peak memory |"
    print(f"{head}\n| --- | --- | --- | --- | --- | --- | --- |")
    for name, found in whole.items():
        megabytes = found["peak"] / 1024
        smallest = mixed[name]
        print(
            f"| {name} | {found['bytes']:,} | {smallest['bytes']:,} | {found['minified']:,} | {found['seconds']:.2f} s |"
            f" {smallest['seconds']:.2f} s | {megabytes:.0f} MiB |"
        )
    print(f"\n| bytes saved by | {' | '.join(recipes)} |\n| --- |{' --- |' * len(recipes)}")
    packed = {name: found["minified"] - found["bytes"] for name, found in whole.items()}
    for label in PASSES:
        found = [measured(arguments, label) for arguments in recipes.values()]
        cells = [
            f"{item['bytes'] - whole[name]['bytes']:,}" if item else "needed"
            for name, item in zip(recipes, found, strict=True)
        ]
        print(f"| {label} | {' | '.join(cells)} |", flush=True)
    print(f"| pack (of the minified text) | {' | '.join(f'{packed[name]:,}' for name in recipes)} |")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(build(*sys.argv[2:4])))
    else:
        recipe_tables()
