import torch
from tiny_training import ALONE, TinySession

from pgolf.runtime.ledger import Ledger
from pgolf.runtime.progress import Scalars
from pgolf.runtime.records import Phase
from pgolf.runtime.train import run_step
from pgolf.runtime.warmup import phase_variants, warm_up


def test_every_set_of_phases_is_a_variant():
    phases = (Phase("a", None), Phase("b", None), Phase("c", None))
    assert phase_variants(phases) == [
        (),
        ("a",),
        ("b",),
        ("a", "b"),
        ("c",),
        ("a", "c"),
        ("b", "c"),
        ("a", "b", "c"),
    ]
    assert phase_variants(()) == [()]


def test_every_variant_is_run_and_logged():
    session, seen = TinySession("layers", ALONE, warmup_steps=2), []

    def step(session, optimizers, phases, scalars, ledger):
        assert isinstance(scalars, Scalars) and ledger is not session.ledger
        seen.append(phases)
        return run_step(session, optimizers, phases, scalars, ledger)

    warm_up(session, step)
    assert seen == [(), (), ("turned",), ("turned",)]
    assert session.lines == [
        "warmup_step:1/2",
        "warmup_step:2/2",
        "warmup_step:1/2 turned",
        "warmup_step:2/2 turned",
    ]


def test_nothing_is_left_behind():
    """Weights in place, gradients, receipts, the data stream and the random stream are as without a warm-up."""
    session = TinySession("banks", ALONE, warmup_steps=2, noise=True)
    before = {name: (tensor.data_ptr(), tensor.clone()) for name, tensor in session.model.state_dict().items()}
    warm_up(session, run_step)
    for name, tensor in session.model.state_dict().items():
        place, value = before[name]
        assert tensor.data_ptr() == place and torch.equal(tensor, value), name
    assert all(parameter.grad is None for parameter in session.model.parameters())
    assert session.position == 0 and session.ledger.done == Ledger().done


def test_training_draws_the_same_noise_however_long_the_warm_up():
    for layout in ("layers", "banks"):
        plain, warm = (TinySession(layout, ALONE, warmup_steps=steps, noise=True).train(2) for steps in (0, 2))
        assert all(torch.equal(tensor, warm[name]) for name, tensor in plain.items())
