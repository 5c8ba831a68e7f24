"""One run's state: data, phases, freezing, fields of the stream, and work that is given out once."""

import pytest
import torch
from models import built
from sessions import make_session

from pgolf.testing import tiny_session

SMALL = {"num_layers": 2, "train_seq_len": 8}
STREAM = torch.arange(4, 45)


@pytest.fixture
def session():
    return make_session(built(**SMALL), STREAM)


def test_freezing_and_thawing(session):
    session.freeze()
    assert not any(weight.requires_grad for weight in session.model.parameters())
    thawed = session.thaw()
    adapted = [name for record in session.parameters if record.adapt for name in record.stored_names()]
    assert len(thawed) == len(adapted) > 0 and all(weight.requires_grad for weight in thawed)
    assert {name for name, weight in session.model.named_parameters() if weight.requires_grad} == set(adapted)


def test_an_error_fails_the_run_and_goes_on(session):
    lines = []
    session.log, session.failed = lines.append, False
    session.fail("too late")
    assert session.failed and lines == ["error: too late"]


def test_work_is_given_out_once(session):
    assert list(session.share_work(5)) == [0, 1, 2, 3, 4] and list(session.share_work(0)) == [] and session.queues == 2


def test_validation_scores_every_target_of_whole_windows(session):
    score = session.validate()
    assert score.tokens == 40 and session.model.training


def fields(session, field):
    session.program = session.program._replace(stream_fields=(("mark", field),))
    session.stream_fields = {}
    session.open_stream_fields()
    return session.stream_fields["mark"]


def test_a_stream_field_may_know_what_lies_before(session):
    def before(tokens, device, ledger):
        return torch.cat((torch.zeros(1), tokens[:-1].float().cumsum(0)))

    found = fields(session, before)
    assert len(found) == len(STREAM) and found[3] == 4 + 5 + 6


@pytest.mark.parametrize("shift", [0, 1])
def test_a_stream_field_may_not_know_its_own_token_or_later_ones(session, shift):
    def knows(tokens, device, ledger):
        return torch.roll(tokens.int(), -shift)

    with pytest.raises(ValueError, match="the stream field mark depends on its own token or on later ones"):
        fields(session, knows)


def test_a_session_over_shards(micro_data):
    lines = []
    session = tiny_session(micro_data, log=lines)
    assert any(line.startswith("val_loader:shards") for line in lines) and "val_sha256:" in "\n".join(lines)
    assert session.seq_len == session.settings.train_seq_len and session.rows >= 1 and session.scoring_phases() == ()
    session.open_loader(session.ledger)
    x, y, found = session.next_batch()
    assert x.shape == y.shape and torch.equal(x.flatten()[1:], y.flatten()[:-1]) and found == {}
    session.training_data = False
    with pytest.raises(ValueError, match="training data are closed"):
        session.next_batch()
