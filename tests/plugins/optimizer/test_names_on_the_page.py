"""The example of docs/writing-a-plugin.md that decays by name: the same for layers and banks, and it builds."""

import re
from pathlib import Path

import pytest
import torch
from simulated import ALONE, program, scalars

from pgolf import PgolfError
from pgolf.bundle.pipeline import build
from pgolf.manager import load_registry
from pgolf.recipe import Recipe
from pgolf.resolve import resolve
from pgolf.runtime.ledger import Ledger
from pgolf_plugins.optimizer.muon import Muon
from pgolf_plugins.optimizer.parallel_muon import ParallelMuon


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """Folder of the plugin, and what its file defines."""
    page = (Path(__file__).parents[3] / "docs" / "writing-a-plugin.md").read_text(encoding="utf-8")
    (text,) = [block for block in re.findall(r"```python\n(.*?)```", page, re.S) if "apply_taps" in block]
    folder, defined = tmp_path_factory.mktemp("plugins"), {}
    (folder / "depth_decay.py").write_text(text, encoding="utf-8")
    exec(compile(text, "depth_decay.py", "exec"), defined)
    return folder, defined


def decayed(example, optimizer, weights, names):
    """Weights after one step without gradients, so that nothing but the tap moves them."""
    ledger, decay = Ledger(), example[1]["decay_by_depth"]

    def tap(*arguments):
        decay(*arguments, weight_decay=0.5, num_layers=2)

    parameters = [torch.nn.Parameter(weight.clone()) for weight in weights]
    with torch.no_grad():
        optimizer.bind(parameters, names, program(apply_taps=(tap,)), ALONE)
        optimizer.launch()
        optimizer.step(scalars(lr_mul=0.5, weight_decay_mul=2.0), ledger)
    assert (
        ledger.receipt("depth_decay") == f"{sum(name.startswith('blocks') for held in names for name in held)} matrices"
    )
    return [parameter.detach() for parameter in parameters]


def test_layers_and_banks_decay_alike(example):
    weights = torch.randn(3, 4, 6, generator=torch.Generator().manual_seed(8))
    names = ("blocks.0.mlp.fc.weight", "blocks.1.mlp.fc.weight", "extra.weight")
    wanted = weights * (1 - 0.1 * 0.5 * 0.5 * torch.tensor([0.5, 1.0, 0.0]) * 2.0)[:, None, None]
    layers = decayed(example, Muon(0.1, 5), list(weights), [(name,) for name in names])
    (bank,) = decayed(example, ParallelMuon(0.1, 5), [weights], [names])
    torch.testing.assert_close(torch.stack(layers), wanted)
    torch.testing.assert_close(bank, wanted)


@pytest.mark.parametrize("layout", [(), ("banks",)])
def test_it_builds(example, layout):
    made = resolve(Recipe("test", layers=(("depth_decay", *layout),)), load_registry([example[0]]))
    compile(build(made.entry, made.find_source).code, "train_gpt.py", "exec")


def test_no_decay_is_refused(example):
    recipe = Recipe("test", layers=(("depth_decay",),), settings={"depth_decay_wd": 0.0})
    with pytest.raises(PgolfError, match=r"depth_decay_wd is 0\.0, wanted more than 0"):
        resolve(recipe, load_registry([example[0]]))
