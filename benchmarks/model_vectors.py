"""Largest deviations of whole tiny models from the public scripts' numbers, and the length of plugin files.

python benchmarks/model_vectors.py
"""

import statistics
import sys
from pathlib import Path

import torch

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from models import Case, built  # noqa: E402
from test_model_vectors import CASES, FURTHER, PACKED, TERNARY, gradient_norm, packed_fields  # noqa: E402

SAMPLES = ROOT / "tests" / "sample_plugins"


def all_cases():
    """(file, case, plugins, settings) of every whole model; packed rows and ternary models as the tests have them."""
    yield from CASES
    yield from FURTHER
    for name, plugins, settings in PACKED:
        for end in ("loop_maxdoc0", "noloop_maxdoc13"):
            yield f"model_pr1855_{name}", f"pr1855_{name}_varlen_{end}", (*plugins, "varlen_attention"), settings
    grid = ("smear_gate_v1", "bigram_hash_v1", "quantile_grid")
    yield "model_smeargate_v1", "smeargate_v1", grid, {"bigram_hash_buckets": 64, "bigram_hash_dim": 16}
    for name, (plugins, settings) in TERNARY.items():
        yield f"model_{name}", f"{name}_fp32", ("ternary", *plugins), settings


def deviations(file, name, plugins, settings):
    """(largest deviation of a token's loss, of the mean loss, largest relative one of a gradient norm)."""
    case = Case(file, name)
    model = built(*plugins, plugin_dirs=(SAMPLES,), **settings).model
    unused = () if hasattr(model, "lm_head") else ("lm_head.weight",)
    params = {key: value.float() for key, value in case.params.items() if key not in unused}
    model.load_state_dict(params, strict=True)
    phases = ("loop",) if name.endswith("_loop") or "_varlen_loop" in name or name == "pr1667_proj" else ()
    ids, targets = case.inputs["input_ids"].long(), case.inputs["target_ids"].long()
    fields = {"starts": ids < 0} if name == "pr1667_proj" else None
    if "_maxdoc" in name:
        fields = packed_fields(ids, int(name.partition("_maxdoc")[2]))
    mean = model(ids, targets, phases=phases, fields=fields)
    mean.backward()
    model.train(not model.program.auxiliary_losses)
    each = model(ids, targets, phases=phases, reduction="none", fields=fields).detach()
    tensors = dict(model.named_parameters())
    wanted = dict(zip(case.record["grad_norm_names"], case.outputs["grad_norm"].nan_to_num().tolist(), strict=True))
    norms = [abs(gradient_norm(tensors[key]) - norm) / norm for key, norm in wanted.items() if norm and key in tensors]
    return (
        (each - case.outputs["per_token_loss"]).abs().max().item(),
        (mean.detach() - case.outputs["mean_loss"]).abs().item(),
        max(norms),
    )


def main():
    """A table for each."""
    torch.set_num_threads(1)
    print("| case | token loss | mean loss | gradient norm, relative |\n| --- | --- | --- | --- |")
    for case in all_cases():
        print(f"| {case[1]} | " + " | ".join(f"{value:.1e}" for value in deviations(*case)) + " |", flush=True)
    lengths = sorted(path.read_text().count("\n") for path in ROOT.glob("plugins/*/*.py") if path.name != "__init__.py")
    print(
        f"\n{len(lengths)} plugins; lines: median {statistics.median(lengths):g}, "
        f"90th percentile {lengths[int(0.9 * len(lengths))]}, most {lengths[-1]}"
    )


if __name__ == "__main__":
    main()
