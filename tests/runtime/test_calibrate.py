"""Input statistics: golden sums, which tensor gets which, what is refused before training."""

from types import SimpleNamespace

import pytest
import torch
from models import built, scramble, tokens
from pipeline_vectors import load_case
from test_plugin_contracts import sizes

from pgolf.runtime.calibrate import HessianObserver, calibrated_names, check_statistics, collect_statistics, matrix_role
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.parameters import ones
from pgolf.runtime.records import Param
from pgolf.runtime.stages import Stages

NO_WORLD = SimpleNamespace(rank=0, world_size=1, device=torch.device("cpu"))


class Toy:
    """The golden toy net: attn.c_q sees X, mlp.fc sees 2X and then X + 1, the head sees the normed X."""

    def __call__(self, ids, targets, phases, observe):
        observe("attn.c_q", 0, ids)
        observe("mlp.fc", 0, 2 * ids)
        observe("mlp.fc", 0, ids + 1)
        observe("head", 0, torch.nn.functional.rms_norm(ids, (ids.shape[-1],)))

    def eval(self):
        self.training = False

    def train(self):
        self.training = True


def toy_session(batches, taps=()):
    records = (
        Param("blocks.{}.attn.c_q.weight", (64, 64), "matrix", "attn", layers=1),
        Param("blocks.{}.mlp.fc.weight", (64, 64), "matrix", "mlp", layers=1),
        Param("tok_emb.weight", (64, 64), "embed", "embed", tap="head"),
        Param("blocks.{}.attn_scale", (64,), "scalar", "control", layers=1),
    )
    program = SimpleNamespace(
        calibration_source=lambda session: batches, statistics_taps=taps, batch_fields=(), batch_statistics=()
    )
    return SimpleNamespace(
        model=Toy(),
        program=program,
        parameters=records,
        world=NO_WORLD,
        ledger=Ledger(),
        scoring_phases=lambda: (),
        stages=Stages(lambda line: None),
    )


@pytest.mark.parametrize("rank", [0, 1])
def test_golden_sums_of_each_rank(rank):
    case = load_case("C2_per_rank_a")
    session = toy_session(list(case.inputs["X"][rank]))
    statistics, batches = collect_statistics(session)
    assert batches == case.inputs["X"].shape[1] and session.model.training
    assert sorted(statistics) == ["blocks.0.attn.c_q.weight", "blocks.0.mlp.fc.weight", "tok_emb.weight"]
    for name, found in statistics.items():
        assert found["hessian"].dtype == torch.float32
        torch.testing.assert_close(found["hessian"], case.outputs[f"H_per_rank:{name}"][rank], rtol=1e-5, atol=1e-4)


def test_sums_do_not_depend_on_the_order_of_batches():
    batches = list(torch.randn(16, 2, 8, 64, generator=torch.Generator().manual_seed(1)))
    forward, _ = collect_statistics(toy_session(batches))
    backward, _ = collect_statistics(toy_session(batches[::-1]))
    assert all(torch.equal(forward[name]["hessian"], backward[name]["hessian"]) for name in forward)


def test_taps_see_doubles_and_have_the_last_word():
    seen = []

    def tap(statistics, world, ledger):
        seen.append({found["hessian"].dtype for found in statistics.values()})
        return {"tok_emb.weight": {"other": torch.ones(2, dtype=torch.float64)}}

    statistics, _ = collect_statistics(toy_session([torch.ones(1, 2, 64)], (tap,)))
    assert seen == [{torch.float64}] and statistics["tok_emb.weight"]["other"].dtype == torch.float32


def test_a_source_without_batches_is_refused():
    with pytest.raises(ValueError, match="no batch"):
        collect_statistics(toy_session([]))


def test_roles():
    assert matrix_role("blocks.11.attn.c_q.weight", "") == ("attn.c_q", 11)
    assert matrix_role("tok_emb.weight", "head") == ("head", 0)
    assert matrix_role("blocks.2.attn_scale", "") == ("", 0)


def test_large_matrices_of_calibrated_classes_need_statistics():
    records = (
        Param("bank", (4, 300, 256), "matrix", "mlp", init=(ones,), members=("blocks.{}.mlp.fc.weight",)),
        Param("small", (256, 256), "matrix", "mlp"),
        Param("vector", (100000,), "scalar", "mlp"),
        Param("dropped", (300, 300), "matrix", "mlp", export="drop"),
        Param("other", (300, 300), "matrix", "aux"),
        Param("tok_emb.weight", (300, 300), "embed", "embed"),
    )
    found = calibrated_names(records, SimpleNamespace(calibrated=("embed", "mlp")))
    assert found == [*(f"blocks.{layer}.mlp.fc.weight" for layer in range(4)), "tok_emb.weight"]


WIRINGS = [
    (),
    ("banks",),
    ("banks", "layer_loop"),
    ("parallel_residual",),
    ("two_lanes",),
    ("two_lanes_v1",),
    ("lane_merge", "banks"),
    ("two_lanes", "layer_loop", "skip_gates"),
    ("untied_head",),
    ("smear_gate", "document_starts"),
]


def session_of(*names, **settings):
    """A model with GPTQ, wide enough for it, and what the checks read of a session."""
    wide = {"model_dim": 320, "num_heads": 8, "num_kv_heads": 4, "num_layers": 4, "max_wallclock_seconds": 0}
    made = built("gptq", *names, **{**wide, **sizes(*names), **settings})
    scramble(made.model)
    ids, targets = tokens(4, 64)
    return SimpleNamespace(
        model=made.model,
        program=made.program,
        parameters=made.parameters,
        world=NO_WORLD,
        ledger=Ledger(),
        next_batch=lambda: (ids, targets, {}),
        scoring_phases=lambda: tuple(spec.name for spec in made.program.phases if spec.scoring),
        stages=Stages(lambda line: None),
    )


@pytest.mark.parametrize("names", WIRINGS)
def test_every_matrix_of_every_wiring_has_statistics_of_its_own(names):
    classes = {"sdclip_classes": "attn,mlp,head"} if "untied_head" in names else {}
    session = session_of(*names, **classes)
    check_statistics(session)
    wanted = calibrated_names(session.parameters, session.program)
    assert len(wanted) >= 4 * 4
    session.program = session.program._replace(
        calibration_source=lambda session: [tokens(2, 64)[0]], statistics_taps=()
    )
    statistics, _ = collect_statistics(session)
    matrices = session.model.matrices()
    for name in wanted:
        hessian = statistics[name]["hessian"]
        assert hessian.shape == (matrices[name].shape[1],) * 2 and hessian.diagonal().sum() > 0


def test_repeats_of_a_looped_layer_add_up():
    """The sum over all steps of the plan that use a layer, seen by an observer of one's own."""
    session = session_of("layer_loop")
    ids, sums, seen = tokens(2, 64)[0], {}, []

    def observe(role, layer, x):
        if role == "mlp.fc":
            rows = x.flatten(0, -2).double()
            sums[layer] = sums.get(layer, 0) + rows.T @ rows
            seen.append(layer)

    with torch.no_grad():
        session.model.eval()(ids, ids, phases=session.scoring_phases(), observe=observe)
    assert seen.count(1) > 1 and seen.count(0) == 1
    session.program = session.program._replace(calibration_source=lambda session: [ids], statistics_taps=())
    statistics, _ = collect_statistics(session)
    for layer, wanted in sums.items():
        found = statistics[f"blocks.{layer}.mlp.fc.weight"]["hessian"]
        torch.testing.assert_close(found.double(), wanted, rtol=1e-5, atol=1e-3)


def test_a_matrix_that_the_forward_does_not_show_is_refused():
    session = session_of()
    extra = Param("lost.weight", (300, 300), "matrix", "mlp", tap="nowhere")
    session.parameters = (*session.parameters, extra)
    with pytest.raises(
        ValueError, match=r"lost.weight needs input statistics, and the forward uses no matrix .*'nowhere'"
    ):
        check_statistics(session)


def test_two_matrices_with_one_role_are_refused():
    session = session_of()
    session.parameters = (*session.parameters, Param("twin.weight", (300, 300), "matrix", "mlp", tap="head"))
    with pytest.raises(ValueError, match=r"twin.weight and tok_emb.weight have the same role 'head'"):
        check_statistics(session)


def test_products_of_half_precision_inputs_are_summed_in_double():
    observer = HessianObserver()
    for _ in range(3):
        observer("mlp.fc", 0, torch.full((1, 1000, 2), 1.001, dtype=torch.bfloat16))
    assert observer.sums["mlp.fc", 0].dtype == torch.float64
    assert observer.sums["mlp.fc", 0][0, 1].item() == 3 * 1000 * 1.0
