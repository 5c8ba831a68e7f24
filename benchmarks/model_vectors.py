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
from test_model_vectors import CASES, gradient_norm  # noqa: E402


def deviations(file, name, plugins, settings):
    """(largest deviation of a token's loss, of the mean loss, largest relative one of a gradient norm)."""
    case = Case(file, name)
    model = built(*plugins, **settings).model
    model.load_state_dict({key: value.float() for key, value in case.params.items()}, strict=True)
    phases = ("loop",) if name.endswith("_loop") else ()
    ids, targets = case.inputs["input_ids"].long(), case.inputs["target_ids"].long()
    mean = model(ids, targets, phases=phases)
    mean.backward()
    each = model(ids, targets, phases=phases, reduction="none").detach()
    tensors = dict(model.named_parameters())
    wanted = dict(zip(case.record["grad_norm_names"], case.outputs["grad_norm"].nan_to_num().tolist(), strict=True))
    norms = [abs(gradient_norm(tensors[key]) - norm) / norm for key, norm in wanted.items() if norm]
    return (
        (each - case.outputs["per_token_loss"]).abs().max().item(),
        (mean.detach() - case.outputs["mean_loss"]).abs().item(),
        max(norms),
    )


def main():
    """A table for each."""
    torch.set_num_threads(1)
    print("| case | token loss | mean loss | gradient norm, relative |\n| --- | --- | --- | --- |")
    for case in CASES:
        print(f"| {case[1]} | " + " | ".join(f"{value:.1e}" for value in deviations(*case)) + " |", flush=True)
    lengths = sorted(path.read_text().count("\n") for path in ROOT.glob("plugins/*/*.py") if path.name != "__init__.py")
    print(
        f"\n{len(lengths)} plugins; lines: median {statistics.median(lengths):g}, "
        f"90th percentile {lengths[int(0.9 * len(lengths))]}, most {lengths[-1]}"
    )


if __name__ == "__main__":
    main()
