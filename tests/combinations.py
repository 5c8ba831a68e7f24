"""Random sets of plugins with random settings that build, the same for a seed; together they hold every plugin."""

import random
import shutil

from micro import MICRO, TUNED, micro
from models import registry
from test_plugin_contracts import NAMES, SIZES

from pgolf.errors import PgolfError

TARGETS = ("fit_target_bytes", "prune_target_bytes")
"""Bytes of the program's own file and the artifact together. A target that acts gives other codes live and built, whose files
differ in size, so that these stay where they change nothing; that they act is tested for each plugin alone."""
FIXED = {*SIZES, *TUNED, *MICRO, *TARGETS, "bos_id", "quirk_dead_layer0_weights"}
"""Settings at which every plugin has something to do in a run of a few steps on this corpus; the others may vary.

Dead weights have no statistics, which gptq refuses before training. The corpus repeats contexts of up to 8 tokens, no longer
ones: whatever stride is drawn, n-grams come down to them from a `ngram_min_order` of 4.
"""


def present(name):
    """Is every external program there that the plugin needs?"""
    needs = registry().plugins[name].plugin.needs
    return all(shutil.which(need.name) for need in needs if getattr(need, "kind", "") == "program")


def combinations(count, seed=0):
    """`count` pairs (plugins, settings), each of which resolves; what does not go with one is tried in the next."""
    names = [name for name in NAMES if present(name)]
    random.Random(seed).shuffle(names)
    found, waiting = [], names
    for place in range(count):
        first = waiting[: -(-len(waiting) // (count - place))]
        found.append(combination(first, names, random.Random(f"{seed}:{place}")))
        waiting = [name for name in waiting if name not in found[-1][0]]
    return found


def combination(first, names, rng):
    """These plugins as far as they go together, and others up to a dozen or so."""
    chosen = []
    others = rng.sample(names, len(names))
    for name in [*first, *others]:
        if name not in chosen and (name in first or len(chosen) < len(first) + rng.randint(0, 9)):
            chosen += [name] if resolves([*chosen, name], {}) else []
    settings = {}
    for name in chosen:
        for setting in registry().plugins[name].plugin.settings:
            value = varied(setting, rng)
            if setting.name not in FIXED and resolves(chosen, {**settings, setting.name: value}):
                settings[setting.name] = value
    return tuple(chosen), settings


def varied(setting, rng):
    """Another value of the setting's type, near its default."""
    if setting.choices:
        return rng.choice(setting.choices)
    if isinstance(setting.default, bool):
        return rng.random() < 0.5
    if isinstance(setting.default, int):
        return max(setting.default + rng.randint(-1, 2), int(setting.minimum or 0))
    if isinstance(setting.default, float):
        return setting.default * rng.choice((0.5, 0.9, 1.0, 1.25))
    return setting.default


def resolves(names, settings):
    """Does this set build an entry module?"""
    try:
        micro(*names, **settings)
    except PgolfError:
        return False
    return True
