"""Settings with which a plugin would do nothing, or fail in the run, are build errors that name setting and plugin."""

import pytest
from models import resolved

from pgolf.errors import PgolfError

# Four layers, 64 channels, four heads of 16, two key/value heads, sequences of 64.
REFUSED = [
    ((), {"num_heads": 3}, "num_heads is 3, wanted a divisor of model_dim=64"),
    ((), {"num_kv_heads": 3}, "num_kv_heads is 3, wanted a divisor of num_heads=4"),
    ((), {"num_kv_heads": 8}, "num_kv_heads is 8, wanted a divisor of num_heads=4"),
    (("rope",), {"model_dim": 60}, "num_heads is 4, wanted heads of an even width"),
    ((), {"logit_softcap": 0}, "logit_softcap is 0.0, wanted more than 0"),
    ((), {"tied_embed_init_std": 0}, "tied_embed_init_std is 0.0, wanted more than 0"),
    (("ortho_init",), {"model_dim": 32}, "model_dim is 32, wanted at least 64"),
    (("partial_rope",), {"rope_dims": 15}, "rope_dims is 15, wanted an even number"),
    (("partial_rope",), {"rope_dims": 18}, "rope_dims is 18, wanted at most 16, the width of a head"),
    (("partial_rope",), {"rope_dims": 0}, "rope_dims is 0, wanted at least 2"),
    (("layer_loop",), {"loop_start": 4, "loop_end": 5}, "loop_end is 5, wanted at most 3, the last layer"),
    (("layer_loop",), {"loop_start": 3, "loop_end": 2}, "loop_start is 3, wanted at most loop_end=2"),
    (("layer_loop",), {"loop_end": 2, "loop_start": 1, "num_loops": 0}, "num_loops is 0, wanted at least 1"),
    (
        ("layer_loop",),
        {"loop_end": 2, "loop_start": 1, "enable_looping_at": 1.0},
        "enable_looping_at is 1.0, wanted less",
    ),
    (("parallel_residual",), {"parallel_residual_start": 4}, "parallel_residual_start is 4, wanted at most 3"),
    (("parallel_residual",), {"parallel_residual_start": -1}, "parallel_residual_start is -1, wanted at least 0"),
    (("xsa",), {"xsa_last_n": 0}, "xsa_last_n is 0, wanted at least 1"),
    (
        ("swa",),
        {"swa_full_attn_layers": 4, "swa_window": 4},
        "swa_full_attn_layers is 4, wanted less than num_layers=4",
    ),
    (("swa",), {"swa_full_attn_layers": 2, "swa_window": 63}, "swa_window is 63, wanted less than 63"),
    (
        ("swa", "pko"),
        {"swa_full_attn_layers": 0, "swa_window": 4, "rope_dims": 8},
        "swa_full_attn_layers is 0, wanted at",
    ),
    (("value_embedding",), {"ve_layers": "2,2"}, "ve_layers is '2,2', wanted different layer numbers below 4"),
    (("value_embedding",), {"ve_layers": "2,4"}, "ve_layers is '2,4', wanted different layer numbers below 4"),
    (("value_embedding",), {"ve_layers": "2,,3"}, "ve_layers is '2,,3', wanted different layer numbers below 4"),
]


@pytest.mark.parametrize(("plugins", "settings", "text"), REFUSED, ids=[text.split(",")[0] for _, _, text in REFUSED])
def test_it_is_refused(plugins, settings, text):
    with pytest.raises(PgolfError) as caught:
        resolved(*plugins, **settings)
    assert caught.value.code == "PG003" and caught.value.message.startswith(text) and caught.value.where


ACCEPTED = [
    (("partial_rope",), {"rope_dims": 16}),
    (("pko",), {"rope_dims": 16}),
    (("layer_loop",), {"loop_start": 0, "loop_end": 3, "num_loops": 1, "enable_looping_at": 0}),
    (("parallel_residual",), {"parallel_residual_start": 0}),
    (("xsa",), {"xsa_last_n": 11}),
    (("swa",), {"swa_full_attn_layers": 0, "swa_window": 62}),
    (("swa",), {"swa_full_attn_layers": 3, "swa_window": 64, "eval_seq_len": 128}),
    (("value_embedding",), {"ve_layers": "3, 2"}),
]


@pytest.mark.parametrize(("plugins", "settings"), ACCEPTED)
def test_the_limit_itself_works(plugins, settings):
    assert resolved(*plugins, **settings)
