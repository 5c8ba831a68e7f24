"""What every plugin must satisfy, one function for each promise."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from pgolf.component import FAMILIES
from pgolf.manager import Loaded
from pgolf.resolve import Resolved
from pgolf.runtime.parameters import canonical_tensors, matrix_role
from pgolf.testing.models import TinyModel, known_plugins, make_model, resolve_tiny, scramble, tiny_tokens
from pgolf.testing.runs import MICRO, Data, live_and_built, make_data


class PluginCase:
    """A plugin in a recipe on top of the baseline.

    Args:
        name: the plugin's.
        others: plugins that it is tried with.
        folder: new or empty; where runs leave their files.
        plugin_dirs: folders of plugin files, for plugins that are not installed.
        settings: at which the plugin has something to do in four layers of width 64.
    """

    def __init__(
        self, name: str, folder: Path, *others: str, plugin_dirs: Sequence[Path] = (), **settings: Any
    ) -> None:
        self.name, self.others, self.folder = name, others, folder
        self.plugin_dirs, self.settings = tuple(plugin_dirs), settings
        self.given_data: Data | None = None

    @functools.cached_property
    def loaded(self) -> Loaded:
        """The plugin's record and module; what is wrong with it where it cannot be loaded."""
        return known_plugins(self.plugin_dirs).get(self.name)

    def resolved(self, **settings: Any) -> Resolved:
        """The recipe."""
        names = (self.name, *self.others)
        return resolve_tiny(*names, plugin_dirs=self.plugin_dirs, **{**self.settings, **settings})

    def model(self) -> TinyModel:
        """A new model with random values everywhere."""
        made = make_model(entry=self.resolved().entry)
        scramble(made.model)
        return made

    @functools.cached_property
    def data(self) -> Data:
        """Shards and a tokenizer."""
        if self.given_data is not None:
            return self.given_data
        folder = self.folder / "data"
        folder.mkdir(parents=True)
        return make_data(folder)


def check_metadata(case: PluginCase) -> None:
    """The `PLUGIN` record says what people need to know, and names only plugins that exist."""
    plugin, known = case.loaded.plugin, known_plugins(case.plugin_dirs).plugins
    assert plugin.family in FAMILIES
    assert plugin.summary.endswith(".") and "\n" not in plugin.summary, "the summary is one sentence"
    doc = ast.get_docstring(ast.parse(case.loaded.path.read_text(encoding="utf-8"))) or ""
    assert "Source:" in doc, "the module's docstring names the pull request or paper after `Source:`"
    for setting in plugin.settings:
        assert setting.help and not setting.help.endswith("."), f"{setting.name}: the help is a phrase"
    required = [other for either in plugin.requires for other in either.split("|")]
    for other in (*required, *plugin.replaces, *plugin.before, *plugin.after):
        assert other in known, f"there is no plugin {other}"
    for conflict in plugin.conflicts:
        assert conflict.name in known and conflict.reason, conflict


def check_resolves(case: PluginCase) -> None:
    """It builds on top of the baseline, with every component held to its contract."""
    assert case.name in case.resolved().selection.plugins


def numbers(made: TinyModel) -> dict[str, torch.Tensor]:
    """What training hands the forward besides the batch."""
    return {name: torch.ones(()) for name, _ in made.program.forward_scalars}


def check_every_mode(case: PluginCase) -> None:
    """One forward trains, scores and calibrates, with and without phases; numbers stay finite."""
    made, seen = case.model(), set()
    ids, targets = tiny_tokens()
    for phases in ((), made.phases):
        assert made.model.train()(ids, targets, phases=phases, fields=numbers(made)).isfinite(), (
            "the training loss is finite"
        )
        made.model.eval()
        plain = made.model(ids, targets, phases=phases, reduction="none")
        assert plain.shape == ids.shape and plain.isfinite().all(), "scores are finite"
        observed = made.model(
            ids, targets, phases=phases, reduction="none", observe=lambda role, layer, x: seen.add(role)
        )
        assert torch.equal(plain, observed), "calibration runs the same forward"
    matrices = [
        (name, record.tap) for name, _, record in canonical_tensors(made.parameters) if record.group == "matrix"
    ]
    roles = {"head", *(matrix_role(*matrix)[0] for matrix in matrices)}
    assert seen >= roles, f"matrices are used through `model.project`, so that calibration sees {roles - seen}"


@torch.no_grad()
def check_causality(case: PluginCase) -> None:
    """A score depends on the past alone."""
    made = case.model()
    made.model.eval()
    ids, targets = tiny_tokens()
    plain = made.model(ids, targets, phases=made.phases, reduction="none")
    for cut in (1, 7, 16, 31):
        changed = ids.clone()
        changed[:, cut:] = (changed[:, cut:] + 17) % 256
        scores = made.model(changed, targets, phases=made.phases, reduction="none")
        same = torch.allclose(scores[:, :cut], plain[:, :cut], rtol=1e-5, atol=1e-5)
        assert same, f"scores before position {cut} change with the tokens from there on"
        assert not torch.equal(scores[:, cut:], plain[:, cut:])


def check_gradients(case: PluginCase) -> None:
    """A gradient reaches every tensor that the plugin declares."""
    made = case.model()
    ids, targets = tiny_tokens()
    made.model(ids, targets, phases=made.phases, fields=numbers(made)).backward()
    own = [name for record in made.parameters if record.plugin == case.name for name in record.stored_names()]
    idle = [name for name in own if not _has_gradient(made.model.get_parameter(name))]
    assert not idle, f"no gradient reaches {', '.join(idle)}"


def _has_gradient(tensor: torch.Tensor) -> bool:
    return tensor.grad is not None and bool(tensor.grad.any())


def check_compiles(case: PluginCase) -> None:
    """torch.compile makes one graph of the model, and the same numbers."""
    made = case.model()
    ids, targets = tiny_tokens()
    torch._dynamo.reset()
    compiled = torch.compile(made.model, backend="eager", dynamic=False, fullgraph=True)
    counters = torch._dynamo.utils.counters
    counters.clear()
    for _ in range(2):
        live = made.model(ids, targets, phases=made.phases, fields=numbers(made))
        assert torch.equal(compiled(ids, targets, phases=made.phases, fields=numbers(made)), live)
    assert counters["stats"]["unique_graphs"] == 1 and not counters["graph_break"]


def check_live_equals_built(case: PluginCase) -> None:
    """A whole run ends well and leaves a receipt, and the packed file does the same, bit for bit."""
    folder = case.folder / "runs"
    folder.mkdir(parents=True)
    resolved = case.resolved(**{**MICRO, **case.settings})
    live, built = live_and_built(resolved, folder, case.data, case.plugin_dirs)
    assert live["losses"] and live["final"]
    for key in ("losses", "state", "artifact", "final"):
        assert live[key] == built[key], f"{key} of the live program and of the built file differ"
    assert case.name in live["receipts"] and live["receipts"].keys() == built["receipts"].keys()


CHECKS: tuple[Callable[[PluginCase], None], ...] = (
    check_metadata,
    check_resolves,
    check_every_mode,
    check_causality,
    check_gradients,
    check_compiles,
    check_live_equals_built,
)


def check_plugin(
    name: str, folder: Path, *others: str, plugin_dirs: Sequence[Path] = (), **settings: Any
) -> PluginCase:
    """All of `CHECKS` for a plugin; see `PluginCase` for the arguments.

    Raises:
        AssertionError: for the first promise that is broken.
        PgolfError: when the plugin cannot be loaded, resolved or built.
    """
    case = PluginCase(name, folder, *others, plugin_dirs=plugin_dirs, **settings)
    for check in CHECKS:
        check(case)
    return case
