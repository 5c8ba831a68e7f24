"""The unit cases of attention gates: one attention core with its gradients."""

import torch
from models import Case, built

from pgolf.runtime.attention import attention_branch
from pgolf.runtime.context import Context


def check_core(name, *plugins, **settings):
    """Attention of one layer against the case `name`: output, and gradients of the input, the gain and the gate."""
    case = Case("unit_attention_gates", name)
    xsa = ("xsa",) if "xsa1" in name else ()
    sizes = {"num_layers": 2, "model_dim": 48, "rope_dims": 6, **settings}
    model = built("partial_rope", *xsa, *plugins, **sizes).model
    own = dict(model.blocks[0].attn.named_parameters())
    with torch.no_grad():
        for key, name in (("q_w", "c_q"), ("k_w", "c_k"), ("v_w", "c_v"), ("o_w", "proj")):
            own[f"{name}.weight"].copy_(case.inputs[key])
        for key, value in case.params.items():
            own[key].copy_(value)
    x = case.inputs["x"].requires_grad_()
    fields = {}
    if "cu_seqlens" in case.inputs:  # where documents start, padded with the row's length
        starts = case.inputs["cu_seqlens"][1:].long()
        fields["documents"] = (torch.arange(x.size(1))[:, None] >= starts).sum(1)[None]
    ctx = Context(None, (), True, model.matrices(), {}, fields, None, None, None)
    y = attention_branch(model, x, 0, 0, ctx)
    (y * case.inputs["w"]).sum().backward()
    case.check("y", y.detach())
    case.check("grad_x", x.grad)
    for key in case.params:
        case.check(f"grad_{key}", own[key].grad)
