"""Every architecture plugin under every form of evaluation: all targets scored once, on finite numbers, and an adapter that is
off is not there. The default suite takes a sample of the pairs."""

import pytest
import torch
from models import built, registry
from sessions import make_session
from test_plugin_contracts import FORWARD, sizes
from ttt import nll_of

from pgolf.errors import PgolfError
from pgolf.runtime.evaluate import score_spans
from pgolf.runtime.tally import Tally

SMALL = {"train_seq_len": 32, "ttt_lora_lr": 0.01, "ttt_lr": 0.01, "isolated_stride": 8, "eval_stride": 8}
# What the evaluation is made of, besides the plugin.
MODES = {
    "plain": (),
    "sliding": ("sliding_eval",),
    "isolated": ("isolated_eval", "document_starts"),
    "calibration": (),
    "lora": ("lora_ttt", "document_starts"),
    "sgd": ("sgd_ttt",),
}


def pairs():
    """All of them; those beyond the sample are slow."""
    for row, mode in enumerate(MODES):
        for column, name in enumerate(FORWARD):
            sampled = (column + 2 * row) % 13 == 0
            yield pytest.param(name, mode, marks=() if sampled else pytest.mark.slow, id=f"{name}-{mode}")


def stream():
    """Documents of 1 to 50 tokens; N = 193, six whole windows and one more."""
    generator = torch.Generator().manual_seed(3)
    tokens = torch.randint(3, 250, (193,), generator=generator)
    tokens[[0, 9, 10, 60, 61, 75, 120, 160, 190]] = 1
    return tokens


def make(name, mode):
    """(session, its evaluation or None), every phase of scoring on; PgolfError where the two do not go together."""
    names = (name, *MODES[mode])
    known = {setting.name for plugin in names for setting in registry().plugins[plugin].plugin.settings}
    known |= {"train_seq_len"}
    made = built(*names, **{**sizes(*names), **{key: value for key, value in SMALL.items() if key in known}})
    return make_session(made, stream(), phases=made.phases, evaluation=made.program.evaluation)


@pytest.mark.parametrize(("name", "mode"), [*pairs()])
def test_every_pair_works_or_is_a_declared_conflict(name, mode):
    try:
        session = make(name, mode)
    except PgolfError as error:
        assert declared(name, mode), error
        return
    session.model.eval()
    if mode == "calibration":
        check_observed(session)
    elif session.program.evaluation is None:
        spans = session.program.windows.spans(len(session.tokens), session.seq_len)
        score, marks = score_spans(session, spans) if mode == "sliding" else (session.validate(), None)
        assert 0 < score.val_loss < 100
        assert marks is None or (marks[1:] > 0).all()
    else:
        session.freeze()
        tally = Tally(session)
        found = nll_of(session, tally)
        assert found.isfinite().all() and int(tally.sums[1]) == len(session.tokens) - 1
        if mode != "isolated":
            assert tally.learned_at.min() < 2**31 - 1, "something is learnt"
        if mode == "lora":
            check_adapter_off(name, mode)


def declared(name, mode):
    """Whether one of the two names the other in a hard conflict."""
    plugins = [registry().plugins[plugin].plugin for plugin in (name, *MODES[mode])]
    names = {plugin.name for plugin in plugins}
    return any(conflict.hard and conflict.name in names for plugin in plugins for conflict in plugin.conflicts)


def check_observed(session):
    """Calibration sees the inputs of every matrix of the plan, and changes no bit of the scores."""
    ids = stream()[None, :-1]
    seen = set()

    def observe(role, layer, x):
        assert x.isfinite().all()
        seen.add((role, layer))

    phases, targets = session.scoring_phases(), stream()[None, 1:]
    plain = session.model(ids, targets, phases=phases, reduction="none")
    assert torch.equal(session.model(ids, targets, phases=phases, reduction="none", observe=observe), plain)
    assert len(seen) > session.settings.num_layers


def check_adapter_off(name, mode):
    """Factors that are zero give the bits of the forward without an adapter."""
    found = []
    for keep in (True, False):
        session = make(name, mode)
        session.model.eval()
        session.freeze()
        tally = Tally(session)
        score = tally.score
        tally.may_learn = lambda: False
        tally.score = lambda places, mask, adapter, score=score, keep=keep: score(
            places, mask, adapter if keep else None
        )
        found.append(nll_of(session, tally))
    assert torch.equal(*found)
