"""How far `pgolf forecast` is off: small models of unlike recipes, lengths, widths and seeds are trained and exported.

    forecast.py train DATA TOKENIZER OUT [CASE ...]     DATA: a folder of shards of sp1024
    forecast.py compare OUT                              spreads by role, and bytes by several exporters, as Markdown

Bytes are of the artifact, from the same weights by every exporter: the baseline's, int6 with its floor, and sdclip with five
coders. "Like" takes the spreads of the trained weights.
"""

import sys
from pathlib import Path
from typing import Any

import torch

from pgolf.forecast.size import forecast_size
from pgolf.forecast.weights import SPREAD_ERROR, expected_walks, role_of, walks_like
from pgolf.manager import load_registry
from pgolf.recipe import Recipe
from pgolf.resolve import load_entry, resolve
from pgolf.runtime.distributed import World
from pgolf.runtime.environment import read_environment
from pgolf.runtime.export import encode_model, pack_artifact
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.optimize import Optimizers
from pgolf.runtime.parameters import canonical_state
from pgolf.runtime.session import Session
from pgolf.runtime.train import read_schedules, run_step

SIZES: dict[str, Any] = {
    "vocab_size": 1024,
    "num_heads": 4,
    "num_kv_heads": 2,
    "num_layers": 3,
    "train_seq_len": 128,
    "train_batch_tokens": 2048,
    "val_batch_size": 8192,
    "max_wallclock_seconds": 0,
    "warmup_steps": 0,
    "val_loss_every": 0,
}
Case = tuple[int, tuple[str, ...], dict[str, Any]]
CASES: dict[str, Case] = {
    "A": (
        1,
        ("muon_weight_decay", "leaky_relu2", "ln_scale"),
        {"model_dim": 128, "iterations": 240, "warmdown_iters": 80, "muon_momentum_warmup_steps": 20, "matrix_lr": 0.03}
        | {"muon_wd": 0.05},
    ),
    "B": (
        2,
        ("muon_weight_decay", "row_normalize", "warmdown_frac"),
        {
            "model_dim": 192,
            "iterations": 160,
            "muon_momentum": 0.99,
            "muon_momentum_warmup_start": 0.99,
            "mlp_mult": 4.0,
        }
        | {"muon_momentum_warmup_steps": 1, "matrix_lr": 0.02, "muon_wd": 0.085},
    ),
    "C": (
        3,
        ("banks", "muon_weight_decay", "ema", "leaky_relu2", "ln_scale", "ortho_init"),
        {"model_dim": 160, "iterations": 120, "warmdown_iters": 40, "muon_momentum": 0.99, "ema_decay": 0.98}
        | {"muon_momentum_warmup_start": 0.92, "muon_momentum_warmup_steps": 60, "matrix_lr": 0.025, "muon_wd": 0.04}
        | {"mlp_mult": 3.0},
    ),
    "D": (
        4,
        ("banks", "polar_express", "muon_weight_decay", "row_normalize", "leaky_relu2"),
        {
            "model_dim": 128,
            "iterations": 300,
            "warmdown_iters": 150,
            "muon_momentum_warmup_steps": 50,
            "matrix_lr": 0.04,
        }
        | {"muon_wd": 0.02, "mlp_mult": 4.0},
    ),
}
CASES["E"] = (
    1337,
    ("leaky_relu2", "ln_scale", "partial_rope"),
    {"model_dim": 320, "num_layers": 4, "num_heads": 8, "num_kv_heads": 4, "iterations": 450, "warmdown_iters": 150}
    | {"muon_momentum_warmup_steps": 20, "matrix_lr": 0.04, "rope_dims": 16},
)
# As little training as a smoke run has.
CASES["F"] = (1337, CASES["E"][1], {**CASES["E"][2], "iterations": 40, "warmdown_iters": 20})
EXPORTERS = {
    "int8, zlib": (),
    "int6 with a floor, LZMA": ("int6", "lzma"),
    **{f"SDClip, {coder}": ("sdclip", coder) for coder in ("lzma", "brotli", "zstd", "pergroup", "context_coder")},
}


def open_case(name: str, *more: str) -> tuple[Any, Any, dict[str, Any]]:
    """The entry module of a case, its program and its settings."""
    _, plugins, settings = CASES[name]
    recipe = Recipe("forecast", layers=((*plugins, *more),), settings={**SIZES, **settings})
    resolved = resolve(recipe, load_registry())
    module = load_entry(resolved.entry)
    return module, module.make_program(), resolved.selection.settings.as_dict()


def train(name: str, data: str, tokenizer: str, out: Path) -> None:
    """The weights that a run would export."""
    module, program, _ = open_case(name)
    env = read_environment(module.SETTINGS)._replace(data_path=data, tokenizer_path=tokenizer, seed=CASES[name][0])
    parameters = module.make_parameters()
    world = World(0, 1, 0, torch.device("cpu"))
    session = Session(module.SETTINGS, program, parameters, env, world, lambda text: None, Ledger())
    module.prepare_components(session)
    session.open_loader(Ledger())
    optimizers = Optimizers(program, session.model, parameters, world)
    program.average.start(optimizers.averaged, optimizers.averaged_names)
    for step in range(module.SETTINGS.iterations):
        scalars = read_schedules(session, step, 0.0, 0.0)
        loss = run_step(session, optimizers, session.phases, scalars, session.ledger)
        program.average.update(optimizers.averaged, step + 1, scalars)
        if step % 20 == 19:
            print(f"{name} step {step + 1} loss {loss:.3f}", file=sys.stderr, flush=True)
    program.average.apply(optimizers.averaged, session.ledger)
    torch.save(canonical_state(session.model.state_dict(), parameters), out / f"{name}.pt")


def compare(out: Path) -> None:
    """Two tables."""
    rows, spreads = [], []
    for path in sorted(out.glob("*.pt")):
        state = torch.load(path)
        for exporter, plugins in EXPORTERS.items():
            module, program, values = open_case(path.stem, *plugins)
            parameters = module.make_parameters()
            walks = expected_walks(program, parameters, values, values["iterations"], 0.0)
            like = walks | {role: walk for role, walk in walks_like(state).items() if role in walks}
            measured = len(pack_artifact(encode_model(state, parameters, program, {}, Ledger()), program, Ledger()))
            found = forecast_size(program, parameters, walks, SPREAD_ERROR)
            known = forecast_size(program, parameters, like, SPREAD_ERROR)
            off, off_like = (f"{100 * (one.packed / measured - 1):+.2f} %" for one in (found, known))
            rows.append(
                (path.stem, exporter, f"{measured:,}", off, f"+-{100 * found.uncertainty / measured:.1f} %", off_like)
            )
        spreads.append((path.stem, spread_errors(state, module, walks)))
    print("| case | exporter | bytes | forecast | said | like |\n| --- | --- | --- | --- | --- | --- |")
    print("\n".join(f"| {' | '.join(row)} |" for row in rows))
    for name, errors in spreads:
        print(name, " ".join(f"{role} {100 * error:+.0f} %" for role, error in errors.items()))


def spread_errors(state: dict[str, torch.Tensor], module: Any, walks: Any) -> dict[str, float]:
    """Role -> forecast over measured standard deviation of rows, less one."""
    from pgolf.forecast.weights import stand_in
    from pgolf.runtime.parameters import canonical_tensors

    found: dict[str, list[tuple[float, float]]] = {}
    for name, init, record in canonical_tensors(module.make_parameters()):
        tensor, role = state[name], role_of(name)
        if tensor.ndim == 2 and min(tensor.shape) > 2:
            shape = record.shape[1:] if record.members else record.shape
            made = stand_in(name, init, shape, walks[role]).var(1).mean().item()
            found.setdefault(role, []).append((made, tensor.float().var(1).mean().item()))
    return {role: (sum(a for a, _ in both) / sum(b for _, b in both)) ** 0.5 - 1 for role, both in found.items()}


def main() -> None:
    """See above."""
    command, *words = sys.argv[1:]
    if command == "compare":
        compare(Path(words[0]))
    else:
        data, tokenizer, out, *names = words
        Path(out).mkdir(parents=True, exist_ok=True)
        for name in names or CASES:
            train(name, data, tokenizer, Path(out))


if __name__ == "__main__":
    main()
