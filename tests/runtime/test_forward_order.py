"""The order in which the parts of a forward meet, heard from the parts themselves; and that packed documents stay apart."""

import pytest
import torch
from lora import Lora
from models import built, scramble, tokens
from test_plugin_contracts import sizes

from pgolf.runtime.attention import attention_branch
from pgolf.runtime.context import Context
from pgolf.runtime.layers import document_begins

PLUGINS = ("bigram_hash", "smear_gate_v3", "iha", "bank_qat", "value_embedding", "pko", "xsa", "sparse_attention_gate")
TAPS = (
    "stem_terms",
    "stem_raw",
    "stem_normed",
    "branch_inputs",
    "weight_taps",
    "value_terms",
    "query_key_taps",
    "attention_outputs",
    "mlp_outputs",
)
SLOTS = ("rotary", "attention_kernel", "mlp", "wiring", "head", "loss")


class Heard:
    """A component that notes its name and its tensor's shape before it does what it does."""

    def __init__(self, part, notes, name):
        self.part, self.notes, self.label = part, notes, name

    def __call__(self, *given):
        self.notes.append((self.label, tuple(given[1].shape)))
        return self.part(*given)


def name_of(part):
    return getattr(part, "__name__", None) or getattr(getattr(part, "func", type(part)), "__name__", "")


def listened(*plugins, **settings):
    """(model, notes): every tap under its own name, every slot under that of its hook."""
    made, notes = built(*plugins, **{**sizes(*plugins), **settings}), []
    program = made.program
    heard = {tap: tuple(Heard(part, notes, name_of(part)) for part in getattr(program, tap)) for tap in TAPS}
    heard |= {slot: Heard(getattr(program, slot), notes, slot) for slot in SLOTS}
    object.__setattr__(made.model, "program", program._replace(**heard))
    return scramble(made.model), notes


@pytest.fixture(scope="module")
def notes():
    """One layer's worth of a forward with everything on."""
    model, notes = listened(*PLUGINS, num_layers=2, ve_layers="1", xsa_last_n=2)
    ids, targets = tokens()
    model(ids, targets, phases=("bank_qat",))
    return notes


def test_stem_terms_come_before_raw_mixes_and_both_before_the_stream(notes):
    names = [name for name, _ in notes]
    assert names[: names.index("wiring")][:2] == ["BigramHash", "smear_raw"]


def test_normed_mixes_see_the_norm_and_their_result_is_x0():
    model, _ = listened("smear_gate", "bigram_hash")
    ids, targets = tokens()
    seen = {}
    (mix,) = model.program.stem_normed
    part, wiring = mix.part, model.program.wiring.part
    mix.part = lambda owner, x, *rest: seen.setdefault("mixed", part(owner, seen.setdefault("normed", x), *rest))
    model.program.wiring.part = lambda owner, x, x0, ctx: wiring(owner, x, seen.setdefault("x0", x0), ctx)
    model(ids, targets)
    torch.testing.assert_close(seen["normed"].square().mean(-1), torch.ones(2, 32), rtol=1e-3, atol=1e-3)
    assert seen["x0"] is seen["mixed"]


def test_mixtures_of_matrices_come_before_fake_quantization(notes):
    names = [name for name, _ in notes]
    taps = [name for name in names if name in ("HeadMixer", "fake_quantize")]
    assert taps[:2] == ["HeadMixer", "fake_quantize"] and taps[::2] == ["HeadMixer"] * (len(taps) // 2)


def test_values_are_changed_before_heads_and_keys_after_rotation(notes):
    shapes = dict(notes)
    assert len(shapes["ValueEmbedding"]) == 3 and len(shapes["rotary"]) == 4
    names = [name for name, _ in notes]
    layer = names[names.index("wiring") :]
    order = [
        "ValueEmbedding",
        "rotary",
        "PartialKeyOffset",
        "apply_qk_gain",
        "attention_kernel",
        "Xsa",
        "gate_sparsely",
    ]
    places = [layer.index(name) for name in order]
    assert places == sorted(places) and places[-1] < layer.index("mlp") < layer.index("head") < layer.index("loss")


@torch.no_grad()
def test_gates_and_adapters_read_the_branch_input():
    """The tensor that the taps of the branch input give is what q, k, v, the gate and the branch's adapter read."""
    made = built("sparse_attention_gate", "ln_scale")
    model, seen = scramble(made.model), []
    lora = Lora(model, made.program.layer_plan(()), 2, zero=False)
    delta = lora.delta
    lora.delta = lambda x, site, position: seen.append((site, x)) or delta(x, site, position)
    (gate,) = made.program.attention_outputs

    def reading(owner, y, v, n, *rest):
        seen.append(("gate", n))
        return gate(owner, y, v, n, *rest)

    object.__setattr__(model, "program", made.program._replace(attention_outputs=(reading,)))
    n = torch.randn(2, 5, 64)
    attention_branch(model, n, 1, 1, Context(None, (), False, model.matrices(), {}, {}, lora, None, None))
    assert {site for site, x in seen if x is n} == {"attn.c_q", "attn.c_k", "attn.c_v", "gate", "attn"}


# Everything that mixes positions, or stands where they are mixed.
MIXING = (
    "smear_gate",
    "smear_gate_v1",
    "smear_gate_v3",
    "bigram_hash",
    "bigram_hash_v1",
    "pko",
    "yarn_rope",
    "partial_rope",
    "xsa",
    "value_residual",
    "differential_attention",
    "paired_head_attention",
    "fused_qkv",
    "iha",
)


@pytest.mark.parametrize("name", MIXING)
@torch.no_grad()
def test_other_documents_of_a_row_change_no_score(name):
    """Documents in another order have the scores that they had; the last target of each is another's, and left out."""
    model = scramble(built(name, "document_numbers", **sizes(name), **TRIGRAM.get(name, {})).model).eval()
    ids, _ = tokens(1, 30)
    documents = [torch.cat((torch.ones(1, dtype=torch.long), part)) for part in ids[0].split((6, 11, 13))]
    kept = []
    for order in ((0, 1, 2), (2, 0, 1)):
        row = torch.cat([documents[place] for place in order])[None]
        scores = model(row, row.roll(-1, 1), reduction="none")[0]
        parts = dict(zip(order, scores.split([len(documents[place]) for place in order]), strict=True))
        kept.append(torch.cat([parts[place][:-1] for place in range(3)]))
    torch.testing.assert_close(*kept, rtol=1e-4, atol=1e-4)


TRIGRAM = {"bigram_hash": {"trigram": True}}


def test_where_documents_begin():
    ctx = Context(None, (), True, {}, {}, {}, None, None, None)
    assert document_begins(ctx) is None
    numbers = torch.tensor([[0, 0, 1, 1, 3]])
    begins = document_begins(ctx._replace(fields={"documents": numbers}))
    assert begins.tolist() == [[False, False, True, False, True]]
    starts = torch.tensor([[True, False, False, False, False]])
    assert document_begins(ctx._replace(fields={"documents": numbers, "starts": starts})) is starts
