"""Temperature: the fit against a table of all temperatures, ranks that agree, and a run whose artifact holds the number."""

import math
import shutil

import pytest
import torch
from micro import micro, run_program
from models import built
from sessions import make_session
from thread_group import ThreadGroup

from pgolf.errors import PgolfError
from pgolf_plugins.eval.temperature import TemperatureFit, cool, search


class NoValidation:
    """Validation tokens that nobody may look at."""

    def __getattr__(self, name):
        raise AssertionError(f"validation tokens are read: {name}")


def make(seed=3, sharpness=1.7):
    """(session with four batches to fit to, their ids and targets): a model whose logits are scaled by `sharpness`."""
    made = built("temperature", "tied_head")
    with torch.no_grad():
        made.model.get_parameter("tok_emb.weight").mul_(sharpness)
    session = make_session(made, torch.arange(20))
    generator = torch.Generator().manual_seed(seed)
    batches = [torch.randint(0, 40, (2, 17), generator=generator) for _ in range(4)]
    waiting = iter(batches)

    def next_batch():
        ids = next(waiting)
        return ids[:, :-1], ids[:, 1:], {}

    session.next_batch, session.tokens = next_batch, NoValidation()
    session.model.eval()
    return session, batches


def table(session, batches):
    """Mean nll at each of many temperatures, from logits that were taken once; {T: nats}."""
    found = []
    transform, session.program = session.program, session.program._replace(distribution_transforms=(keep(found),))
    session.model.program = session.program
    for ids in batches:
        session.model(ids[:, :-1], ids[:, 1:])
    session.program = session.model.program = transform
    logits, targets = torch.cat(found), torch.cat([ids[:, 1:] for ids in batches])
    grid = [round(0.8 + 0.0005 * step, 4) for step in range(901)]
    return {t: -(logits.double() / t).log_softmax(-1).gather(-1, targets[..., None]).mean().item() for t in grid}


def keep(found):
    def transform(model, logits, ids, ctx):
        found.append(logits.detach().float())
        return logits

    return transform


@pytest.mark.parametrize("sharpness", [0.5, 1.7, 6.0])
def test_it_is_the_best_of_all_temperatures(sharpness):
    session, batches = make(sharpness=sharpness)
    wanted = table(session, batches)
    TemperatureFit(100)(session)
    found = session.model.get_parameter("temperature").item()
    best = min(wanted, key=wanted.get)
    assert abs(math.log(found) - math.log(best)) < 0.003
    # No worse than what the public script would try.
    assert (
        wanted[min(wanted, key=lambda t: abs(t - found))] <= min(wanted[t] for t in (0.9, 0.95, 1.0, 1.05, 1.1)) + 1e-6
    )
    assert session.ledger.receipt("temperature") == "128 tokens"


def test_one_minimum_is_found_wherever_it_is():
    for wanted in (-0.2231, -0.1, 0.0, 0.0371, 0.2231):
        assert search(lambda at, wanted=wanted: (at - wanted) ** 2) == pytest.approx(wanted, abs=0.0011)


def test_ranks_agree_on_the_fit_to_all_their_batches(monkeypatch):
    def work(world):
        session, _ = make(seed=world.rank, sharpness=1.3)
        session.world = world
        TemperatureFit(256)(session)
        return session.model.get_parameter("temperature").item()

    first, second = ThreadGroup(2).run(monkeypatch, work)
    alone = []
    for seed in (0, 1):
        session, batches = make(seed=seed, sharpness=1.3)
        alone.append(table(session, batches))
    best = min(alone[0], key=lambda t: alone[0][t] + alone[1][t])
    assert first == second and abs(math.log(first) - math.log(best)) < 0.003


def test_where_one_is_best_no_bit_changes():
    session, batches = make()
    ids, targets = batches[0][:, :-1], batches[0][:, 1:]
    plain = built("tied_head")
    weights = session.model.state_dict()
    weights.pop("temperature")
    plain.model.load_state_dict(weights)
    plain.model.eval()
    assert torch.equal(session.model(ids, targets), plain.model(ids, targets))
    session.model.get_parameter("temperature").data.fill_(1.2)
    scored = session.model(ids, targets, reduction="none")
    assert not torch.equal(scored, plain.model(ids, targets, reduction="none"))
    session.model.train()
    plain.model.train()
    assert torch.equal(session.model(ids, targets), plain.model(ids, targets)), "training does not see it"


def test_what_comes_out_is_a_distribution():
    session, batches = make()
    logits = torch.randn(2, 3, 50)
    ctx = type("Ctx", (), {"weights": {"temperature": torch.tensor(0.83)}})
    wanted = (logits / 0.83).softmax(-1)
    torch.testing.assert_close(cool(session.model, logits, batches[0], ctx).softmax(-1), wanted)


def test_without_time_in_reserve_it_is_refused():
    with pytest.raises(PgolfError, match="TemperatureFit reads training data, and no time is reserved") as caught:
        micro("temperature", temperature_reserve_seconds=0.0, max_wallclock_seconds=600.0)
    assert caught.value.code == "PG211"


def test_a_run_fits_on_the_clock_and_scores_without_training_data(tmp_path, micro_data):
    path = tmp_path / "entry.py"
    path.write_text(micro("temperature", "ema", temperature_tokens=512).entry)
    run = run_program(path, tmp_path / "run", micro_data)
    assert run.status == 0, run.output
    stages = [line.split()[0].removeprefix("stage:") for line in run.lines if line.startswith("stage:")]
    assert stages[:2] == ["train", "fit"]
    assert any(line.startswith("stage:fit") and line.endswith("data:train") for line in run.lines)
    fitted = next(line for line in run.lines if line.startswith("temperature: "))
    value = float(fitted.split()[1].rstrip(","))
    kept = torch.load(run.folder / "final_model.pt", weights_only=True)["temperature"].item()
    assert kept == pytest.approx(value, abs=1e-4) and value != 1.0
    assert any(line.startswith("receipt temperature: 512 tokens") for line in run.lines)
    data = tmp_path / "val"
    data.mkdir()
    shutil.copy(micro_data.data_path / "fineweb_val_000000.bin", data)
    again = run_program(path, run.folder, micro_data, "score", DATA_PATH=str(data))
    finals = [line for line in run.lines if line.startswith("final_") and "_exact" in line]
    assert again.status == 0 and [line for line in again.lines if "_exact" in line] == finals
