"""Bytes against BPB of trained models: steps by spread or by sensitivity, plain codes or a trellis, on one GPU.

    gpu_rate_distortion.py DATA OUT [--shapes loop8192,wide1024] [--seconds 110] [--tiny]

DATA holds sp1024/ and sp8192/ with shards, and tokenizers/. For each shape a model is trained for so many seconds of its own
clock, in a process that ends once the weights are on the disk; then it is quantized again and again in one session, so that
nothing is compiled twice. The entry modules are live ones: nothing is minified. One JSON line for each point, at once:

    bytes     ideal entropy of codes, tables by the row's spread (and grid), 3 bytes a row, what is kept in float16
    order0    the same with one table for each tensor: a little above what a byte coder for each group of matrices needs
    kl        mean divergence from the float model, nats per token, over the first windows of the validation stream
    tempered  nats per token over the same windows above the float model, both at the temperature that is best for them

OUT also gets the codes of one point of each kind (lzma), and with --weights the weights in bfloat16, in pieces of 15 MiB.
A point that fails is a line with "error". --tiny is a try on a CPU, with a few steps of a small model.
"""

import argparse
import importlib.util
import json
import lzma
import os
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

PLUGINS = (
    *("ema", "grad_clip", "leaky_relu2", "ln_scale", "muon_weight_decay", "ortho_init", "partial_rope"),
    *("row_normalize", "shuffled_loader", "skip_gates", "warmdown_frac", "xsa"),
    *("gptq", "sdclip", "sensitivity", "train_calibration", "hessian_all_reduce"),
)
SETTINGS = {
    **{"adam_wd": 0.02, "ema_decay": 0.95, "embed_wd": 0.085, "grad_clip_norm": 0.3},
    **{"matrix_lr": 0.02, "muon_momentum": 0.97, "muon_momentum_warmup_steps": 200, "muon_wd": 0.085, "num_layers": 11},
    **{"qk_gain_init": 4.0, "rope_dims": 16, "scalar_lr": 0.02, "tied_embed_init_std": 0.005, "tied_embed_lr": 0.03},
    **{"train_batch_tokens": 65536, "train_seq_len": 2048, "warmdown_frac": 0.667, "xsa_last_n": 11, "mlp_mult": 4.0},
    **{"matrix_bits": 8, "embed_bits": 8, "max_wallclock_seconds": 600.0, "val_loss_every": 0, "warmup_steps": 2},
    **{"gptq_calibration_batches": 12, "sensitivity_batches": 4, "train_log_every": 100, "gptq_reserve_seconds": 1.0},
}
SHAPES = {
    "deep1024": ((), {"vocab_size": 1024, "mlp_mult": 3.0}),
    "deep8192": ((), {"vocab_size": 8192}),
    "loop8192": (
        ("layer_loop",),
        {"vocab_size": 8192, "enable_looping_at": 0.5, "loop_start": 4, "loop_end": 5, "num_loops": 2},
    ),
    "wide1024": ((), {"vocab_size": 1024, "num_layers": 6, "model_dim": 768, "num_heads": 12, "num_kv_heads": 6}),
}
TINY = {
    **{"train_batch_tokens": 1024, "train_seq_len": 64, "eval_seq_len": 64, "iterations": 3, "num_layers": 2},
    **{"val_batch_size": 8192, "model_dim": 320, "num_heads": 8, "num_kv_heads": 4, "max_wallclock_seconds": 0.0},
    **{"muon_momentum_warmup_steps": 2},
}
PRICES = (1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2)
# name -> (share of sensitivity, states, clips in deviations of a 6-bit grid or nats for a million bytes, steps for columns)
CURVES = {
    "a std gptq": (0.0, 0, (9, 10.5, 12.85, 16, 20), False),
    "h half trellis8": (0.5, 8, PRICES, False),
    "b std trellis8": (0.0, 8, (9, 10.5, 12.85, 16, 20), False),
    "c half gptq": (0.5, 0, PRICES, False),
    "c sensitivity gptq": (1.0, 0, PRICES, False),
    "d sensitivity trellis8": (1.0, 8, PRICES, False),
    "s std gptq shrunk": (0.0, 0, (10.5, 12.85, 16), False),
    "b std trellis8 rate": (0.0, 8, (10.5, 12.85, 16), False),
    "h half trellis4": (0.5, 4, (4e-3,), False),
    "h half trellis32": (0.5, 32, (4e-3,), False),
    "e half columns gptq": (0.5, 0, (4e-3,), True),
    "f half columns trellis8": (0.5, 8, (4e-3,), True),
}
# Tried on the logits: an overfitted model is too sure, and codes that shrink its weights look better than they are.
TEMPERATURES = tuple(1 + 0.04 * place for place in range(-2, 9))
WINDOWS = 16


def say(**line):
    """One line of JSON."""
    print(json.dumps(line), flush=True)


def write_entry(shape, tiny, path):
    """The live entry module of a shape, at its size or tiny."""
    from pgolf.manager import load_registry
    from pgolf.recipe import Recipe
    from pgolf.resolve import resolve

    plugins, settings = SHAPES[shape]
    values = {**SETTINGS, **settings, **(TINY if tiny else {})}
    if tiny:
        values |= {key: value for key, value in (("loop_start", 0), ("loop_end", 1)) if key in settings}
    made = resolve(Recipe(shape, layers=((*PLUGINS, *plugins),), settings=values), load_registry([]))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(made.entry)


def train(entry, shape, data, seconds, work):
    """The weights that a run of the entry leaves; everything after them is not waited for."""
    work.mkdir(parents=True, exist_ok=True)
    (work / "final_model.pt").unlink(missing_ok=True)
    limit = {"MAX_WALLCLOCK_SECONDS": str(seconds)} if seconds else {}
    begin = time.time()
    with (work / "train.log").open("w") as log:
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=1", str(entry)]
        process = subprocess.Popen(
            command, cwd=work, env={**os.environ, **data, **limit, "RUN_ID": shape}, stdout=log, stderr=log
        )
        while process.poll() is None and not (work / "final_model.pt").is_file():
            time.sleep(0.5)
        process.terminate()
        process.wait()
    text = (work / "train.log").read_text()
    steps = [line for line in text.splitlines() if line.startswith("step:")]
    say(shape=shape, trained=steps[-1:], wall=round(time.time() - begin, 1), tail=text.splitlines()[-3:])
    return work / "final_model.pt"


class Bench:
    """One model in a session: float weights, statistics, reference distributions."""

    def __init__(self, entry, weights, data, windows):
        import torch

        from pgolf.runtime.distributed import start_world
        from pgolf.runtime.environment import read_environment
        from pgolf.runtime.ledger import Ledger
        from pgolf.runtime.parameters import canonical_state
        from pgolf.runtime.session import Session

        spec = importlib.util.spec_from_file_location("entry", entry)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        os.environ.update(data)
        torch.manual_seed(0)
        torch.backends.cuda.matmul.allow_tf32 = True
        self.parameters, self.program = module.make_parameters(), module.make_program()
        env = read_environment(module.SETTINGS)
        self.session = Session(module.SETTINGS, self.program, self.parameters, env, start_world(), print, Ledger())
        self.session.phases = tuple(phase.name for phase in self.program.phases)
        self.state = canonical_state(self.session.model.state_dict(), self.parameters)
        saved = torch.load(weights, self.session.world.device, weights_only=True)
        self.load(saved)
        self.float = {name: tensor.clone() for name, tensor in self.state.items()}
        length = module.SETTINGS.train_seq_len
        tokens = self.session.tokens[: windows * length].view(-1, length).to(self.session.world.device)
        self.windows = tokens.long().split(2)
        self.session.model.eval()
        self.reference = [self.distribution(window) for window in self.windows]
        self.best = self.tempered(self.reference)

    def load(self, state):
        """Into the model, in place."""
        import torch

        with torch.no_grad():
            for name, tensor in self.state.items():
                tensor.copy_(state[name])

    def distribution(self, ids):
        """Log-probabilities (B,T,V) after each token, float32."""
        import torch

        from pgolf.runtime.context import Context
        from pgolf.runtime.ledger import Ledger

        session, model = self.session, self.session.model
        fields = {name: field(ids, Ledger()) for name, field in session.program.batch_fields}
        with torch.no_grad():
            ctx = Context(ids, session.scoring_phases(), False, model.matrices(), {}, fields, None, None, None)
            return model.logits(model.hidden(ids, ctx), ctx).float().log_softmax(-1)

    def tempered(self, distributions):
        """(nats per token, temperature): the least mean loss of `TEMPERATURES` over the windows."""
        import torch

        losses = torch.zeros(len(TEMPERATURES), dtype=torch.float64)
        for logs, ids in zip(distributions, self.windows, strict=True):
            for place, heat in enumerate(TEMPERATURES):
                chosen = (logs[:, :-1] / heat).log_softmax(-1).gather(-1, ids[:, 1:, None])
                losses[place] -= chosen.mean().item() / len(self.windows)
        return losses.min().item(), TEMPERATURES[int(losses.argmin())]

    def divergence(self):
        """Mean of KL(float model, model), and the loss above that of the float model, each at its best temperature."""
        made = [self.distribution(ids) for ids in self.windows]
        pairs = zip(self.reference, made, strict=True)
        total = sum((old.exp() * (old - new)).sum(-1).mean().item() for old, new in pairs)
        loss, heat = self.tempered(made)
        return {"kl": total / len(self.windows), "tempered": loss - self.best[0], "temperature": heat}

    def collect(self):
        """Hessians and importances, by the functions of a run."""
        from pgolf.runtime.calibrate import collect_statistics
        from pgolf.runtime.ledger import Ledger

        self.session.training_data = True
        self.session.open_loader(Ledger())
        self.statistics, _ = collect_statistics(self.session)
        self.session.training_data = False
        self.session.model.eval()

    def recipe(self, share, states, amount, rate=0.0, columns=False):
        """The tensor recipe of a point: 8 bits, so that no row is clipped."""
        from pgolf.runtime.column_steps import ColumnRecipe
        from pgolf.runtime.quantize import SpreadRecipe
        from pgolf.runtime.trellis import TrellisRecipe
        from pgolf_plugins.quantizer.gptq import Gptq
        from pgolf_plugins.quantizer.sensitivity import SensitiveSteps
        from pgolf_plugins.quantizer.trellis import Trellis

        price = amount / 8e6
        taps = (SensitiveSteps(price, share, 0.01),) if share else ()
        sigmas = 127 / 31 * (12.85 if share else amount)
        if share not in (0.0, 1.0):  # between: the recipe's own step moves with the price as well
            sigmas *= (amount / 1e-3) ** 0.5
        rounding = Trellis(states, rate, 0.01) if states else Gptq(128, 0.01)
        made = (TrellisRecipe if states else SpreadRecipe)("sdclip", "int8", 127, sigmas, taps, rounding)
        return ColumnRecipe(made, 0.01) if columns else made

    def point(self, share, states, amount, rate=0.0, columns=False, shrunk=False):
        """What a point comes to, and its encoded tensors; shrunk: by 1 - step^2 / (12 variance), for the least error."""
        import torch

        from pgolf.runtime.export import decode_model, encode_model
        from pgolf.runtime.ledger import Ledger

        self.load(self.float)
        begin = time.time()
        recipe = self.recipe(share, states, amount, rate, columns)
        # By spread the embedding has 8 bits and clips of 20 deviations, as in the records, and moves with the others.
        embed = recipe if share else self.recipe(share, states, amount * 20 / 127 / (12.85 / 31), rate, columns)
        program = self.program._replace(
            tensor_recipes={**self.program.tensor_recipes, "attn": recipe, "mlp": recipe, "embed": embed},
            grouped=("attn", "embed", "mlp"),
            fit=None,
        )
        encoded = encode_model(self.state, self.parameters, program, self.statistics, Ledger())
        for name, parts in encoded.items() if shrunk else ():
            if "step" in parts and parts["codes"].ndim == 2:
                variance = self.float[name].float().var(1).to(parts["step"].device)
                share_lost = (parts["step"].float() ** 2 / 12 / variance).clamp_max(0.5)
                parts["step"] = (parts["step"].float() * (1 - share_lost)).half()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        encode = time.time() - begin
        begin = time.time()
        decode_model(encoded, self.state, self.parameters, program)
        decode = time.time() - begin
        score = self.session.validate()
        found = {"bytes": ideal_bytes(encoded, states, True), "order0": ideal_bytes(encoded, states, False)}
        found |= {"val_bpb": score.val_bpb} | self.divergence()
        return found | {"encode_s": round(encode, 2), "decode_s": round(decode, 2)}, encoded


def entropy(codes):
    """Ideal bits of integers by their own counts."""
    import torch

    _, counts = torch.unique(codes, return_counts=True)
    counts = counts.double()
    return -(counts * (counts / counts.sum()).log2()).sum().item()


def ideal_bytes(encoded, states, tables):
    """Of all parts; `tables`: those of one class of tensors share tables by spread of the row and grid."""
    import torch

    from pgolf.runtime.trellis import second_grid

    bits, groups = 0.0, {}
    for name, parts in encoded.items():
        codes = parts.get("codes")
        bits += sum(8 * value.numel() * value.element_size() for key, value in parts.items() if key != "codes")
        if codes is None or codes.ndim != 2:
            bits += entropy(codes) if codes is not None else 0.0
            continue
        codes = codes.cuda() if torch.cuda.is_available() else codes
        grid = second_grid(codes, states) if states else torch.zeros_like(codes, dtype=torch.uint8)
        if not tables:
            bits += sum(entropy(codes[grid == half]) for half in (0, 1) if (grid == half).any())
            continue
        bits += 8 * len(codes)
        # Spread of row and column together, in half octaves.
        rows = codes.float().square().mean(1).clamp_min(1e-3).log2()
        scaled = parts["columns"].to(codes.device).float() / -4 if "columns" in parts else torch.zeros(codes.shape[1])
        columns = 2 * (scaled.to(codes.device) - scaled.mean())
        spread = (rows[:, None] + columns).round().clamp(-12, 14).long()
        key = ".".join(name.split(".")[2:4]) if name.startswith("blocks.") else name
        for one in spread.unique().tolist():
            for half in (0, 1) if states else (0,):
                groups.setdefault((key, one, half), []).append(codes[(spread == one) & (grid == half)])
    return round((bits + sum(entropy(torch.cat(parts)) for parts in groups.values())) / 8)


def pivots(statistics):
    """dB between the arithmetic and the geometric mean of 1 / U_tt^2, by role: columns in order, and by descending diagonal."""
    import torch

    from pgolf.runtime.quantize import damped_hessian

    found = {}
    for name, known in statistics.items():
        if "hessian" not in known:
            continue
        damped = damped_hessian(known["hessian"].double(), 0.01)[0]
        row = []
        for order in (torch.arange(len(damped), device=damped.device).flip(0), damped.diagonal().argsort()):
            pivot = torch.linalg.cholesky(damped[order][:, order]).diagonal().square()
            row.append(10 * (pivot.mean().log10() - pivot.log10().mean()).item())
        row.append(10 * (damped.diagonal().mean().log10() - pivot.mean().log10()).item())
        found.setdefault(".".join(name.split(".")[2:4]) if name.startswith("blocks.") else name, []).append(row)
    return {
        key: [round(sum(column) / len(column), 2) for column in zip(*rows, strict=True)] for key, rows in found.items()
    }


def keep(encoded, path):
    """The parts of a point, small enough to bring back."""
    import io

    import torch

    buffer = io.BytesIO()
    torch.save(encoded, buffer)
    path.write_bytes(lzma.compress(buffer.getvalue(), preset=0))


def keep_weights(state, path):
    """bfloat16, in pieces that a transfer takes: join them by name and read them with torch.load."""
    import io

    import torch

    buffer = io.BytesIO()
    torch.save({name: tensor.detach().bfloat16().cpu() for name, tensor in state.items()}, buffer)
    whole, size = buffer.getvalue(), 15 * 2**20
    for number in range(0, len(whole), size):
        Path(f"{path}.{number // size:02d}").write_bytes(whole[number : number + size])


def measure(shape, options, left):
    """One shape: train, collect, all curves."""
    folder = options.data / f"sp{'8192' if '8192' in shape else '1024'}"
    tokenizer = sorted((options.data / "tokenizers").glob(f"*{folder.name[2:]}_bpe.model"))[0]
    data = {"DATA_PATH": str(folder.resolve()), "TOKENIZER_PATH": str(tokenizer.resolve()), "PYTHONUNBUFFERED": "1"}
    name = f"{shape}_tiny" if options.tiny else shape
    entry = (options.work / f"{name}.py").resolve()
    write_entry(shape, options.tiny, entry)
    weights = (
        options.weights_file.resolve()
        if options.weights_file
        else train(entry, shape, data, 0 if options.tiny else options.seconds, options.work / name)
    )
    bench = Bench(entry, weights, data, 2 if options.tiny else WINDOWS)
    if options.weights:
        keep_weights(bench.float, options.out / f"{shape}.pt")
    base = bench.session.validate().val_bpb
    size = sum(tensor.numel() for tensor in bench.float.values())
    say(shape=shape, float_bpb=base, weights=size, tokens=len(bench.session.tokens), best=bench.best)
    begin = time.time()
    bench.collect()
    say(shape=shape, statistics_s=round(time.time() - begin, 2), pivot_db=pivots(bench.statistics))
    # The middle of every curve first, so that little time still compares them all.
    points = [
        (abs(place - len(amounts) // 2), curve, place)
        for curve, (_, _, amounts, _) in CURVES.items()
        for place in range(len(amounts))
    ]
    for _, curve, place in sorted(points, key=lambda point: point[0]):
        share, states, amounts, columns = CURVES[curve]
        amount = amounts[place]
        if time.time() > left:
            say(shape=shape, curve=curve, amount=amount, error="no time left")
            continue
        try:
            found, encoded = bench.point(
                share, states, amount, 0.07 if "rate" in curve else 0.0, columns, "shrunk" in curve
            )
            say(shape=shape, curve=curve, amount=amount, **found, gap=found["val_bpb"] - base)
            if place == 2 and curve[0] in "acef" and "half" not in curve and options.codes:
                keep(encoded, options.out / f"{shape}_{curve.replace(' ', '_')}.xz")
        except Exception as error:
            say(shape=shape, curve=curve, amount=amount, error=f"{type(error).__name__}: {str(error)[:300]}")
            traceback.print_exc()


def run(options):
    """All shapes; one that fails leaves the others their time."""
    links = options.work / "path"
    links.mkdir(parents=True, exist_ok=True)
    root = Path(__file__).resolve().parent.parent
    for name, target in (("pgolf", root / "pgolf"), ("pgolf_plugins", root / "plugins")):
        if not (links / name).exists():
            (links / name).symlink_to(target)
    sys.path.insert(0, str(links.resolve()))
    os.environ["PYTHONPATH"] = str(links.resolve())
    options.out.mkdir(parents=True, exist_ok=True)
    # A checkout that was never installed has no metadata; nothing here depends on the version.
    metadata = links / "pgolf-0.dist-info"
    metadata.mkdir(exist_ok=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: pgolf\nVersion: 0\n")
    begin, shapes = time.time(), options.shapes.split(",")
    for number, shape in enumerate(shapes):
        try:
            measure(shape, options, begin + options.limit * (number + 1) / len(shapes))
        except Exception as error:
            say(shape=shape, error=f"{type(error).__name__}: {str(error)[:500]}")
            traceback.print_exc()
    say(seconds=round(time.time() - begin, 1))


def main():
    """See above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("data", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--shapes", default="loop8192,wide1024")
    parser.add_argument("--seconds", type=float, default=110, help="of training, for each shape")
    parser.add_argument("--limit", type=float, default=540, help="seconds after which no point is begun")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir(), "pgolf_rd"))
    parser.add_argument("--weights-file", type=Path, help="take these weights instead of training")
    parser.add_argument("--weights", action="store_true", help="also bring the weights back")
    parser.add_argument("--codes", action="store_true", help="also bring codes back")
    parser.add_argument("--tiny", action="store_true")
    run(parser.parse_args())


if __name__ == "__main__":
    main()
