from functools import partial
from types import SimpleNamespace

import pytest
import torch

from pgolf.runtime.distributed import World
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.optimize import (
    CompiledOrthogonalizer,
    Optimizers,
    apply_update,
    aspect_scale,
    compile_on_gpu,
    count_blocks,
    nesterov_update,
    orthogonalize,
)
from pgolf.runtime.parameters import initialize, ones, register_parameters
from pgolf.runtime.progress import Scalars
from pgolf.runtime.records import Group, Param
from pgolf_plugins.optimizer.adam import ElementAdam
from pgolf_plugins.optimizer.muon import Muon
from pgolf_plugins.optimizer.newton_schulz import iterate_newton_schulz
from pgolf_plugins.optimizer.parallel_muon import ParallelMuon

ALONE = World(0, 1, 0, torch.device("cpu"))
RECORDS = (
    Param("tok_emb.weight", (6, 4), "embed", "embed", ones, "test", dtype="activation"),
    Param("blocks.{}.attn.c_q.weight", (4, 4), "matrix", "attn", ones, "test", layers=2),
    Param("blocks.{}.attn.q_gain", (2,), "scalar", "control", ones, "test", layers=2),
)

BANK = Param("qo_bank", (4, 4, 4), "matrix", "attn", (ones, ones), members=("a.{}", "b.{}"), reduction="sharded")


class Recorder:
    """An optimizer that writes down what it was asked to do."""

    def __init__(self, name, log):
        self.name, self.log = name, log

    def bind(self, *arguments):
        self.bound = arguments

    def launch(self):
        self.log.append(f"{self.name} launch")

    def step(self, scalars, ledger):
        self.log.append(f"{self.name} step")


def make(records=RECORDS, **fields):
    """A model of `records` and a program with real optimizers, unless `fields` say otherwise."""
    torch.set_num_threads(1)
    model = torch.nn.Module()
    register_parameters(model, records, torch.device("cpu"), torch.float32)
    initialize(model, records, 1, Ledger())
    groups = (Group("embed", 0.05), Group("scalar", 0.04), Group("head", 0.008))
    defaults = {
        "matrix_optimizer": Muon(0.04, 5),
        "element_optimizer": ElementAdam(0.9, 0.95, 1e-8),
        "orthogonalizer": CompiledOrthogonalizer("newton_schulz", partial(iterate_newton_schulz, scale_first=True)),
        "row_blocks": None,
        "matrix_rate": None,
        "element_stream": None,
        "orthogonal_taps": (),
        "groups": groups,
        "gradient_taps": (),
        "mean_gradient_taps": (),
        "update_taps": (),
        "apply_taps": (),
    }
    return model, SimpleNamespace(**{**defaults, **fields})


def set_gradients(model, seed):
    """Random gradients, except for the last parameter, which gets none."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in list(model.parameters())[:-1]:
        parameter.grad = torch.randn(parameter.shape, generator=generator)


def test_order_of_a_step():
    log = []
    model, program = make(
        matrix_optimizer=Recorder("matrix", log),
        element_optimizer=Recorder("element", log),
        gradient_taps=(lambda tensors, names, ledger: log.append(f"tap {len(tensors)}"),),
    )
    optimizers = Optimizers(program, model, RECORDS, ALONE)
    set_gradients(model, 1)
    optimizers.step(Scalars(1.0, 1.0, 0.9), Ledger())
    assert log == ["tap 5", "matrix launch", "element step", "matrix step"]
    assert all(parameter.grad is None for parameter in model.parameters())


def test_every_tensor_goes_where_its_record_says():
    matrix, element = Recorder("matrix", []), Recorder("element", [])
    model, program = make(matrix_optimizer=matrix, element_optimizer=element)
    optimizers = Optimizers(program, model, RECORDS, ALONE)
    tensors = dict(model.named_parameters())
    held, names = matrix.bound[:2]
    assert names == [("blocks.0.attn.c_q.weight",), ("blocks.1.attn.c_q.weight",)]
    assert [tensor is tensors[name] for tensor, (name,) in zip(held, names, strict=True)] == [True] * 2
    assert [(spec.name, len(held), names) for spec, held, names in element.bound[0]] == [
        ("embed", 1, [("tok_emb.weight",)]),
        ("scalar", 2, [("blocks.0.attn.q_gain",), ("blocks.1.attn.q_gain",)]),
        ("head", 0, []),
    ]
    assert len(optimizers.replicated) == 5


def test_sharded_tensors_are_left_to_the_matrix_optimizer():
    records = (RECORDS[0], BANK)
    model, program = make(records, matrix_optimizer=ParallelMuon(0.04, 5))
    optimizers = Optimizers(program, model, records, ALONE)
    assert [tensor.ndim for tensor in optimizers.replicated] == [2]
    for parameter in model.parameters():
        parameter.grad = torch.eye(*parameter.shape[-2:]).expand(parameter.shape).clone()
    optimizers.step(Scalars(1.0, 1.0, 0.9), Ledger())
    assert not torch.equal(dict(model.named_parameters())["qo_bank"].detach(), torch.ones(4, 4, 4))


def test_every_parameter_moves_but_the_one_without_a_gradient():
    model, program = make()
    set_gradients(model, 1)
    Optimizers(program, model, RECORDS, ALONE).step(Scalars(1.0, 1.0, 0.9), Ledger())
    *moved, last = model.parameters()
    assert all((parameter != 1).any() for parameter in moved)
    assert torch.equal(last, torch.ones_like(last))


def test_a_second_set_of_optimizers_starts_afresh():
    results = []
    model, program = make()
    for _ in range(2):
        initialize(model, RECORDS, 1, Ledger())
        optimizers = Optimizers(program, model, RECORDS, ALONE)
        for step in range(3):
            set_gradients(model, step)
            optimizers.step(Scalars(1.0, 1.0, 0.9), Ledger())
        results.append([parameter.detach().clone() for parameter in model.parameters()])
    assert all(torch.equal(first, second) for first, second in zip(*results, strict=True))


def test_nesterov_by_hand():
    buffer = torch.tensor([1.0])
    assert nesterov_update(torch.tensor([2.0]), buffer, 0.5).item() == 2.0 + 0.5 * 2.5
    assert buffer.item() == 2.5


@pytest.mark.parametrize(("shape", "scale"), [((4, 4), 1.0), ((8, 2), 2.0), ((2, 8), 1.0), ((3, 16, 4), 2.0)])
def test_tall_matrices_take_larger_steps(shape, scale):
    assert aspect_scale(torch.zeros(shape)) == scale


def test_functions_are_compiled_on_a_gpu_only(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    function = iterate_newton_schulz
    assert compile_on_gpu(function) is function
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    compiled = compile_on_gpu(function)
    assert compiled is not function and callable(compiled)


def test_on_a_cpu_matrices_are_orthogonalized_in_float32():
    """Products in bfloat16 may take 60 times as long there; what comes back is bfloat16 on every device."""
    seen = []

    def iterate(x, steps):
        seen.append((x.dtype, steps))
        return x / 3

    update = torch.arange(6.0).view(2, 3)
    for given in (update, update.bfloat16()):
        found = CompiledOrthogonalizer("it", iterate)(given, ("w",), 5)
        assert found.dtype == torch.bfloat16 and torch.equal(found, (given.float() / 3).bfloat16())
    assert seen == [(torch.float32, 5)] * 2


def test_weight_averaging_takes_every_layer_of_a_record_or_none():
    records = (RECORDS[0], RECORDS[1]._replace(average=False), RECORDS[2])
    model, program = make(records)
    optimizers = Optimizers(program, model, records, ALONE)
    assert [tensor.shape for tensor in optimizers.averaged] == [(6, 4), (2,), (2,)]
    names = [("tok_emb.weight",), ("blocks.0.attn.q_gain",), ("blocks.1.attn.q_gain",)]
    assert optimizers.averaged_names == names


def test_the_names_of_a_bank_are_its_members():
    """Members along the first axis, in the order in which they are stacked: all layers of one, then of the next."""
    matrix = Recorder("matrix", [])
    model, program = make((BANK,), matrix_optimizer=matrix)
    optimizers = Optimizers(program, model, (BANK,), ALONE)
    assert matrix.bound[1] == optimizers.names == [("a.0", "a.1", "b.0", "b.1")]


class Halves:
    """Cuts every matrix into `count` blocks of rows."""

    name = "halves"

    def __init__(self, count):
        self.count = count

    def __call__(self, name, rows):
        return self.count


@pytest.mark.parametrize(
    ("count", "message"),
    [
        (3, "halves cuts the 4 rows of w into 3 blocks"),
        (0, "halves cuts the 4 rows of w into 0 blocks"),
        (1, r"halves cuts none of the matrices \['w'\]"),
    ],
)
def test_blocks_of_rows_that_cannot_be(count, message):
    with pytest.raises(ValueError, match=message):
        count_blocks(SimpleNamespace(row_blocks=Halves(count)), [torch.zeros(4, 2)], [("w",)])


def slots(row_blocks, orthogonalizer, *orthogonal_taps):
    """What `orthogonalize` reads of a program."""
    return SimpleNamespace(row_blocks=row_blocks, orthogonalizer=orthogonalizer, orthogonal_taps=orthogonal_taps)


def test_an_empty_slot_leaves_every_call_as_it_is():
    calls, update = [], torch.zeros(4, 2)
    program = slots(None, lambda *arguments: calls.append(arguments) or update)
    assert count_blocks(program, [update], [("w",)]) == {}
    assert orthogonalize(program, update, ("w",), 5, {}, Ledger()) is update
    assert calls == [(update, ("w",), 5)]


def test_whole_matrices_are_handed_on_as_they_are_though_others_are_cut():
    """Rank 0 may hold none of the matrices that are cut; its receipt still says how many there are."""
    calls, update, ledger = [], torch.zeros(4, 2), Ledger()
    program = slots(Halves(2), lambda *arguments: calls.append(arguments) or update)
    orthogonalize(program, update, ("w",), 5, {"v": 2}, ledger)
    assert calls == [(update, ("w",), 5)]
    assert ledger.receipt("halves") == "1 matrices in blocks of rows"


class Counting:
    """An orthogonal tap that counts the calls for each tuple of names."""

    def restart(self):
        self.calls = {}

    def __call__(self, update, names, ledger):
        self.calls[names] = self.calls.get(names, 0) + 1
        return update


@pytest.mark.parametrize("count", [1, 2])
def test_orthogonal_taps_see_whole_matrices_and_no_share_that_is_padding(count):
    """Cut into blocks or not: (batch, rows, columns) as it came, and "" alone would be the key of several shares."""
    tap, seen = Counting(), []
    program = slots(Halves(count), lambda update, names, steps: update, tap)
    tap.restart()
    for names in (("w", ""), ("", ""), ("", "v")):
        update = torch.randn(2, 4, 3)
        seen.append(orthogonalize(program, update, names, 5, {"w": count, "v": count}, Ledger()))
        assert torch.equal(seen[-1], update)
    assert tap.calls == {("w", ""): 1, ("", "v"): 1}


def test_orthogonal_taps_start_afresh_with_the_optimizers():
    tap = Counting()
    model, program = make(orthogonal_taps=(tap,))
    for _ in range(2):
        optimizers = Optimizers(program, model, RECORDS, ALONE)
        for step in range(3):
            set_gradients(model, step)
            optimizers.step(Scalars(1.0, 1.0, 0.9), Ledger())
        assert tap.calls == {("blocks.0.attn.c_q.weight",): 3, ("blocks.1.attn.c_q.weight",): 3}


@pytest.mark.parametrize("shape", [(4, 3), (1, 4, 3), (5, 4, 3)])
def test_each_matrix_has_its_rate_and_taps_see_it(shape):
    """Neighbours with one rate go together: W - lr_i mul scale U for each, and taps get lr_i mul."""
    seen = []
    rates = {"a": 0.5, "b": 0.5, "c": 0.25, "d": 0.5, "e": 0.125}
    program = SimpleNamespace(
        matrix_rate=lambda name, lr, ledger: lr * rates[name],
        apply_taps=(lambda tensor, update, names, lr, scalars, ledger: seen.append((names, lr, tensor.shape)),),
    )
    weight, update = torch.randn(shape), torch.randn(shape)
    names = tuple(rates)[: 1 if len(shape) == 2 else shape[0]]
    expected = [
        matrix - 0.125 * rates[name] * 4 * change
        for name, matrix, change in zip(names, weight.clone().view(-1, 4, 3), update.view(-1, 4, 3), strict=True)
    ]
    apply_update(program, weight, update, names, 0.25, 4.0, Scalars(0.5, 1.0, 0.9), Ledger())
    assert torch.equal(weight.view(-1, 4, 3), torch.stack(expected))
    groups = [("a", "b"), ("c",), ("d",), ("e",)] if len(names) == 5 else [names]
    assert [(held, lr) for held, lr, _ in seen] == [(held, 0.125 * rates[held[0]]) for held in groups]


def test_an_element_stream_surrounds_the_matrix_step():
    log = []
    model, program = make(
        matrix_optimizer=Recorder("matrix", log),
        element_optimizer=Recorder("element", log),
        element_stream=SimpleNamespace(
            start=lambda optimizer, scalars, ledger: log.append(f"start {optimizer.name} {scalars.lr_mul}"),
            finish=lambda: log.append(f"finish {all(p.grad is not None for p in model.parameters())}"),
        ),
    )
    optimizers = Optimizers(program, model, RECORDS, ALONE)
    set_gradients(model, 1)
    optimizers.step(Scalars(0.5, 1.0, 0.9), Ledger())
    assert log == ["matrix launch", "start element 0.5", "matrix step", "finish True"]
