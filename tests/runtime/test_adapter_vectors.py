"""Per-document LoRA at matrices and branches, on two lanes and in a loop, against the public script's test-time forward."""

import math

import pytest
import torch
from models import Case, built
from test_model_vectors import OUTGATE, PR1855, gradient_norm

SITES = {
    "q_loras": "attn.c_q",
    "k_loras": "attn.c_k",
    "v_loras": "attn.c_v",
    "o_loras": "attn",
    "mlp_loras": "mlp",
    "lm_head_lora": "head",
}
CASES = {
    "6L_sparse": (
        (*PR1855, "smear_gate_v3", "sparse_attention_gate"),
        {"num_layers": 6, "num_loops": 2, "loop_start": 2, "loop_end": 3}
        | {"parallel_start_layer": 4, "sparse_attn_gate_scale": 0.5},
    ),
    "4L_dense_nosmear": (
        (*PR1855, "dense_attention_gate"),
        {"num_kv_heads": 4, "num_loops": 1, "loop_start": 1, "loop_end": 1, "parallel_start_layer": 2},
    ),
    "5L_outgate_q": (
        OUTGATE,
        {"num_layers": 5, "num_loops": 2, "loop_start": 1, "loop_end": 2, "gate_window": 10}
        | {"parallel_start_layer": 4, "parallel_final_lane": "mlp", "attn_out_gate_src": "q"},
    ),
}


class DocumentLora:
    """delta = alpha/r x A^T B^T with factors for every row of the batch; `factors` is name -> tensor, all trained."""

    def __init__(self, params, scale):
        self.scale = scale
        self.factors = {key: value.float().requires_grad_() for key, value in params.items()}
        self.sites = frozenset(SITES.values())

    def delta(self, x, site, position):
        (module,) = [key for key, value in SITES.items() if value == site]
        name = f"lora.{module}" if site == "head" else f"lora.{module}.{position}"
        return self.scale * (x @ self.factors[f"{name}.A"].mT) @ self.factors[f"{name}.B"].mT


@pytest.mark.parametrize("name", CASES)
def test_the_test_time_forward_matches_the_public_script(name):
    case = Case(f"model_pr1855_{name}_ttt", f"pr1855_{name}_forward_ttt")
    base = Case(f"model_pr1855_{name}", f"pr1855_{name}_noloop")
    plugins, settings = CASES[name]
    model = built(*plugins, rope_dims=8, **settings).model.eval()
    model.load_state_dict({key: value.float() for key, value in base.params.items()}, strict=True)
    lora = DocumentLora(Case.part(case.arrays, case.record["case"], "param"), 144 / 4)
    ids, targets = case.inputs["input_ids"].long(), case.inputs["target_ids"].long()
    loss = model(ids, targets, phases=("loop",), reduction="none", adapter=lora)
    case.check("per_token_loss", loss.detach())
    loss.mean().backward()
    case.check("mean_loss", loss.mean().detach())
    names, want = case.record["grad_norm_names"], case.outputs["lora_grad_norm"].tolist()
    for key, wanted in zip(names, want, strict=True):
        assert math.isclose(gradient_norm(lora.factors[f"lora.{key}"]), wanted, rel_tol=5e-4, abs_tol=1e-7), key
    assert torch.isfinite(loss).all() and len(names) == len(lora.factors)
