"""n-gram tilt: hints of a plain loop with dictionaries, nothing known of the future, a distribution, and whole evaluations."""

import math
from collections import Counter, defaultdict

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from models import built, resolved, scramble
from sessions import make_session
from ttt import nll_of

from pgolf.errors import PgolfError
from pgolf.runtime.evaluate import score_spans, span_rows
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.tally import Tally
from pgolf_plugins.eval.ngram_tilt import find_hints

CPU = torch.device("cpu")


def hints_of(tokens, orders):
    return find_hints(torch.tensor(tokens).to(torch.uint16), CPU, Ledger(), orders).tolist()


def plain_hints(tokens, orders):
    """One place after the other, histories of contexts extended by what has passed."""
    histories, found = defaultdict(list), []
    for place, token in enumerate(tokens):
        contexts = [tuple(tokens[place - order : place]) for order in orders if place >= order]
        known = [context for context in contexts if len(histories[context]) >= (2 if len(context) >= 10 else 3)]
        hint = -1
        if known:
            history = histories[known[0]]
            leader, count = lead(history)
            tenths = 5 if len(known[0]) >= 14 else 6 if len(known[0]) >= 10 else 7
            hint = leader if 10 * count >= tenths * len(history) else -1
        found.append(hint)
        for context in contexts:
            histories[context].append(token)
    return found


def lead(history):
    """The token that first had most, and how often it is there."""
    counts, leader, most = Counter(), -1, 0
    for token in history:
        counts[token] += 1
        if counts[token] > most:
            leader, most = token, counts[token]
    return leader, most


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(0, 2), min_size=2, max_size=150),
    st.sampled_from([(16, 14, 12, 10, 8), (3, 2), (14, 10, 1), (5,)]),
)
def test_hints_are_those_of_a_plain_loop(tokens, orders):
    assert hints_of(tokens, orders) == plain_hints(tokens, orders)


def test_each_band_has_its_threshold():
    """A phrase with followers 5, 5, 6 in turn: two thirds are enough from 10 tokens on, not for shorter contexts."""
    for order, wanted in ((14, 5), (10, 5), (9, -1)):
        phrase = list(range(100, 100 + order))
        tokens = [token for follower in (5, 5, 6, 9) for token in (*phrase, follower)]
        assert hints_of(tokens, (order,))[-1] == wanted


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 2), min_size=3, max_size=120), st.data())
def test_a_hint_does_not_know_its_token_or_what_follows(tokens, data):
    place = data.draw(st.integers(0, len(tokens) - 1))
    rest = data.draw(st.lists(st.integers(0, 2), min_size=len(tokens) - place, max_size=len(tokens) - place))
    assert hints_of(tokens[:place] + rest, (4, 3, 2))[: place + 1] == hints_of(tokens, (4, 3, 2))[: place + 1]


def test_it_is_the_tilted_distribution():
    """nll' = nll + log(1 + p(h) (e^b - 1)) - b [y = h], and every distribution sums to one."""
    made = built("ngram_tilt")
    scramble(made.model)
    made.model.eval()
    ids = torch.randint(0, 256, (1, 12), generator=torch.Generator().manual_seed(1))
    hints = torch.tensor([[-1, 5, 7, 9, -1, 3, 200, 255, 0, -1, 40, 8]], dtype=torch.int32)
    with torch.no_grad():
        every = torch.arange(256)

        def nll_of_all(fields):
            rows = [made.model(ids, token.expand(1, 12), reduction="none", fields=fields)[0] for token in every]
            return torch.stack(rows, 1)

        plain, tilted = nll_of_all({}), nll_of_all({"ngram_hints": hints})
    torch.testing.assert_close((-tilted).exp().sum(1), torch.ones(12))
    for place, hint in enumerate(hints[0].tolist()):
        wanted = plain[place].clone()
        if hint >= 0:
            wanted += math.log(1 + math.exp(-plain[place, hint].item()) * (math.exp(2) - 1))
            wanted[hint] -= 2
        torch.testing.assert_close(tilted[place], wanted, rtol=1e-5, atol=1e-5)


PHRASE = [9, 17, 40, 5, 33, 8, 12, 90]


def session_over(tokens, *plugins, **settings):
    made = built("ngram_tilt", *plugins, train_seq_len=16, ngram_max_order=6, ngram_min_order=4, **settings)
    scramble(made.model)
    session = make_session(made, torch.tensor(tokens), evaluation=made.program.evaluation)
    session.stream_fields = {}
    session.open_stream_fields()
    session.model.eval()
    return session


@pytest.mark.parametrize("plugins", [("isolated_eval",), ("sgd_ttt", "sliding_eval")])
def test_earlier_scores_do_not_move_and_hints_are_worth_something(plugins):
    """A stream that repeats itself, then a token of it is another."""
    tokens = [1, *(PHRASE * 8), 3, 4]
    tuned = {"ttt_chunk_tokens": 16, "eval_stride": 4} if "sgd_ttt" in plugins else {}
    other = [*tokens[:50], 77, *tokens[51:]]

    def scores(stream, **more):
        session = session_over(stream, *plugins, **tuned, **more)
        session.freeze()
        return nll_of(session, Tally(session))

    plain, moved, without = scores(tokens), scores(other), scores(tokens, ngram_base_beta=0.0)
    assert ((plain != moved).nonzero().flatten() + 1).min() == 50
    # The third time a context comes it has been seen twice, or three times where it is short.
    assert (plain[35:64] < without[35:64] - 1).all()


class HeadBias:
    """An adapter with one number for each token."""

    def __init__(self):
        self.sites = frozenset(["head"])
        self.bias = torch.zeros(256, requires_grad=True)

    def delta(self, x, site, position):
        return self.bias.expand(*x.shape[:2], -1)


def test_adaptation_learns_through_the_tilt():
    """Its gradient is that of nll + log(1 + p(h) (e^b - 1)) - b [y = h], written out."""
    session = session_over([1, *(PHRASE * 8)])
    session.freeze()
    places, scored = span_rows([(32, 48, 0)], 1, 16)
    ids = session.tokens[places].long()
    hints = session.stream_fields["ngram_hints"][places[:, 1:]].long()
    found, wanted, plain = HeadBias(), HeadBias(), HeadBias()
    tally = Tally(session)
    tally.learn(tally.score(places, scored, found), scored.float())
    nll = [
        session.model(ids[:, :-1], targets, reduction="none", fields={}, adapter=adapter)
        for targets, adapter in ((ids[:, 1:], wanted), (hints.clamp(min=0), wanted), (ids[:, 1:], plain))
    ]
    tilt = (1 + (-nll[1]).exp() * (math.exp(2) - 1)).log() - 2.0 * (hints == ids[:, 1:])
    torch.where(hints >= 0, nll[0] + tilt, nll[0]).sum().backward()
    nll[2].sum().backward()
    torch.testing.assert_close(found.bias.grad, wanted.bias.grad, rtol=1e-4, atol=1e-5)
    assert (found.bias.grad - plain.bias.grad).abs().max() > 0.1 and (hints >= 0).sum() > 8


def test_windows_see_the_hints_of_their_targets():
    session = session_over([1, *(PHRASE * 8)])
    hints = session.stream_fields["ngram_hints"]
    spans = session.program.windows.spans(65, 16)
    score, _ = score_spans(session, spans)
    places, scored = span_rows(spans, 4, 16)
    ids = session.tokens[places].long()
    session.model.eval()
    with torch.no_grad():
        nll = session.model(ids[:, :-1], ids[:, 1:], reduction="none", fields={"ngram_hints": hints[places[:, 1:]]})
    assert score.val_loss == pytest.approx(nll[scored].mean().item(), rel=1e-6)
    assert (hints[places[:, 1:]] == ids[:, 1:]).sum() > 20


def test_a_field_that_knows_its_target_ends_the_run():
    session = session_over([1, *(PHRASE * 8)])
    session.program = session.program._replace(stream_fields=(("oracle", lambda tokens, device, ledger: tokens),))
    with pytest.raises(ValueError, match="the stream field oracle depends on its own token or on later ones"):
        session.open_stream_fields()


def test_orders_that_cannot_be():
    with pytest.raises(PgolfError) as caught:
        resolved("ngram_tilt", ngram_min_order=17)
    assert caught.value.code == "PG003"
