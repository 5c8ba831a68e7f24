"""What steps by sensitivity and trellis codes save, over the length of training; which shape spends bytes best. One GPU.

    gpu_rate_distortion.py length DATA WORK OUT [--shape deep8192|wide8192|deep1024] [--train 460] [--seconds 570] [--tiny]
    gpu_rate_distortion.py spend  DATA WORK OUT [--shapes base,deep,...] [--train 60] [--seconds 570] [--tiny]

DATA holds sp1024/ or sp8192/ with shards (.bin, or .bin.xz that are unpacked into WORK) and tokenizers/. WORK keeps checkpoints
and finished points: the same call again goes on where the last one stopped, and makes no point twice. Every point is a JSON
line on the output and in OUT/results.jsonl at once. After `--seconds` nothing is begun; training stops so that its state can
be written. The entry modules are live ones: nothing is minified.

length   one run gives three finished trainings of T/9, T/3 and T steps (`long_training.py`), T by `--train` seconds and at
         most `--epochs` of the text. Then curves at 4.0 to 2.4 bits a weight: (a) SDClip and GPTQ, (c) by sensitivity and
         by its mean with the spread ("half"), (b, d) the same with a trellis. The columns stand in `rate_distortion.py`.
         Codes also go through the context coder itself, those of (a) through lrzip too where there is one, in processes.
spend    every shape is trained for `--train` seconds of clock, and coded by "half" and a trellis at equal bytes: those that
         the first shape has at 2.2 to 4 bits a weight.
"""

import argparse
import itertools
import json
import lzma
import math
import multiprocessing
import shutil
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from long_training import LongTraining, say
from rate_distortion import Bench, coded_bytes, find_packages, open_session

PLUGINS = (
    *("grad_clip", "leaky_relu2", "ln_scale", "muon_weight_decay", "ortho_init", "partial_rope"),
    *("row_normalize", "shuffled_loader", "skip_gates", "warmdown_frac", "xsa"),
    *("gptq", "sdclip", "sensitivity", "train_calibration", "hessian_all_reduce"),
)
SETTINGS = {
    **{"adam_wd": 0.02, "embed_wd": 0.085, "grad_clip_norm": 0.3, "num_layers": 11, "model_dim": 512},
    **{"matrix_lr": 0.02, "muon_momentum": 0.97, "muon_momentum_warmup_steps": 200, "muon_wd": 0.085},
    **{"qk_gain_init": 4.0, "rope_dims": 16, "scalar_lr": 0.02, "tied_embed_init_std": 0.005, "tied_embed_lr": 0.03},
    **{"train_seq_len": 2048, "warmdown_frac": 0.0, "mlp_mult": 4.0, "vocab_size": 8192},
    **{"matrix_bits": 8, "embed_bits": 8, "max_wallclock_seconds": 600.0, "val_loss_every": 0, "warmup_steps": 2},
    **{"gptq_reserve_seconds": 1.0},
}
WIDE = {"num_layers": 5, "model_dim": 768, "num_heads": 12, "num_kv_heads": 6}
SHAPES = {"deep8192": {}, "wide8192": WIDE, "deep1024": {"vocab_size": 1024}, "wide1024": {**WIDE, "vocab_size": 1024}}
# A third of the record's size in every respect, and what its bytes could be spent on instead of the finer grid.
SMALL = {"num_layers": 8, "model_dim": 320, "num_heads": 5, "num_kv_heads": 5}
SPEND = {
    "base": SMALL,
    "flat": {**SMALL, "num_layers": 6},
    "deep": {**SMALL, "num_layers": 11},
    "wide": {**SMALL, "model_dim": 384, "num_heads": 6, "num_kv_heads": 3},
    "mlp6": {**SMALL, "mlp_mult": 6.0},
    "vocab1024": {**SMALL, "num_layers": 11, "vocab_size": 1024},
}
TINY = {
    **{"train_batch_tokens": 1024, "train_seq_len": 64, "eval_seq_len": 64, "num_layers": 2, "val_batch_size": 8192},
    **{"model_dim": 272, "num_heads": 4, "num_kv_heads": 4, "mlp_mult": 1.0, "muon_momentum_warmup_steps": 2},
}
# curve -> (share of sensitivity, states), the most telling first.
CURVES = {
    "a std gptq": (0.0, 0),
    "c half gptq": (0.5, 0),
    "d half trellis8": (0.5, 8),
    "c sensitivity gptq": (1.0, 0),
    "d sensitivity trellis8": (1.0, 8),
    "b std trellis8": (0.0, 8),
}
MAIN = 3
BITS = (3.2, 3.6, 2.8, 4.0, 2.4)
SPEND_BITS = (3.2, 2.6, 4.0, 2.2)
WINDOWS = 16
SAVING_S = 12
"""Seconds before the end at which training stops."""


class Results:
    """Finished points in WORK and OUT; each file is whole at any time."""

    def __init__(self, work, out):
        self.files = (work / "results.jsonl", out / "results.jsonl")
        self.lines = []
        if self.files[0].is_file():
            self.lines = [json.loads(line) for line in self.files[0].read_text().splitlines()]
            self.write()

    def write(self):
        """All lines into both."""
        text = "".join(json.dumps(line) + "\n" for line in self.lines)
        for path in self.files:
            part = path.with_suffix(".part")
            part.write_text(text)
            part.replace(path)

    def add(self, **line):
        """One more."""
        say(**line)
        self.lines.append(line)
        self.write()

    def find(self, **wanted):
        """The first line that has all that, or None."""
        for line in self.lines:
            if all(line.get(key) == value for key, value in wanted.items()):
                return line
        return None


class Coders:
    """Real coders in other processes, a job for each point."""

    def __init__(self, count, results, work):
        self.pool = multiprocessing.get_context("spawn").Pool(count) if count else None
        self.results, self.folder, self.jobs = results, work / "codes", []
        self.folder.mkdir(exist_ok=True)

    def submit(self, key, encoded, states, external):
        """Code the parts of a point; None for those that an earlier call has left, if it has."""
        import torch

        path = self.folder / ("_".join(map(str, key.values())).replace(" ", "_") + ".pt")
        if self.pool is None or (encoded is None and not path.is_file()):
            return
        if encoded is not None:
            torch.save(encoded, path)
        for program in ("context_coder", "lrzip") if external else ("context_coder",):
            if not self.results.find(**key, coder=program):
                job = self.pool.apply_async(coded_bytes, (str(path), states, program == "lrzip"))
                self.jobs.append((key | {"coder": program}, path, job))

    def collect(self, deadline=0.0):
        """Write down what is ready; with a deadline wait until then for the rest, and end it."""
        while self.jobs:
            for entry in [entry for entry in self.jobs if entry[2].ready()]:
                self.jobs.remove(entry)
                try:
                    size, seconds = entry[2].get()
                    self.results.add(**entry[0], coded=size, coded_s=seconds)
                except Exception as error:
                    say(**entry[0], error=f"{type(error).__name__}: {str(error)[:200]}")
                if all(other[1] != entry[1] for other in self.jobs):
                    entry[1].unlink()
            if time.time() >= deadline:
                break
            time.sleep(0.5)
        if deadline and self.pool is not None:
            for key, *_ in self.jobs:
                say(**key, error="no time left")
            self.pool.terminate()


def open_data(options, vocab):
    """Environment of a session; shards that are compressed are unpacked into WORK once."""
    source = options.data / f"sp{vocab}"
    folder = source
    packed = sorted(source.glob("*.bin.xz"))
    if packed:
        folder = options.work / source.name
        folder.mkdir(exist_ok=True)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda path: unpack(path, folder / path.stem), packed))
        for path in source.glob("*.bin"):
            shutil.copy(path, folder)
    tokenizers = sorted((options.data / "tokenizers").glob(f"*{vocab}_bpe.model"))
    if not tokenizers or not any(folder.glob("fineweb_train_*.bin")) or not any(folder.glob("fineweb_val_*.bin")):
        raise ValueError(
            f"{options.data}: wanted sp{vocab}/fineweb_train_*.bin and _val_*.bin, tokenizers/*{vocab}_bpe.model"
        )
    return {"DATA_PATH": str(folder.resolve()), "TOKENIZER_PATH": str(tokenizers[0].resolve())}


def unpack(path, target):
    """Whole or not at all."""
    if not target.is_file():
        part = target.with_suffix(".part")
        with lzma.open(path) as source, part.open("wb") as file:
            shutil.copyfileobj(source, file, 2**22)
        part.replace(target)


def start(options, name, shape):
    """A session of a shape, its loader open."""
    from pgolf.manager import load_registry
    from pgolf.recipe import Recipe
    from pgolf.resolve import resolve

    begin = time.time()
    # The same 786,432 tokens for the Hessians and 262,144 for gradients, whatever the batch.
    many = {
        "gptq_calibration_batches": 786432 // options.batch or 1,
        "sensitivity_batches": 262144 // options.batch or 1,
    }
    values = {**SETTINGS, "train_batch_tokens": options.batch, **many, **shape}
    if options.tiny:
        values |= TINY | {"gptq_calibration_batches": 4, "sensitivity_batches": 2}
        values |= {"mlp_mult": 2.0} if "mlp_mult" in shape else {}
    made = resolve(Recipe(name, layers=(PLUGINS,), settings=values), load_registry([]))
    entry = (options.work / f"{name}.py").resolve()
    entry.write_text(made.entry)
    session = open_session(entry, open_data(options, values["vocab_size"]))
    say(shape=name, session_s=time.time() - begin, validation_tokens=len(session.tokens))
    return session


def train(options, session, folder, names, deadline):
    """Is every training of `names` finished?"""
    if all((folder / f"{name}.pt").is_file() for name in names):
        return True
    training = LongTraining(session, folder, names, options.micro)
    total = training.plan(options.train, options.steps, options.epochs)
    return training.run(total, deadline - SAVING_S)


def bench_of(options, session, folder, key):
    """A `Bench` of a finished training; says what the model is."""
    import torch

    found = torch.load(folder / f"{key['model']}.pt", session.world.device, weights_only=True)
    bench = Bench(session, found["state"], 2 if options.tiny else WINDOWS)
    loss, heat = bench.best
    told = {"steps": found["steps"], "tokens": found["tokens"], "epochs": found["tokens"] / found["text"]}
    say(
        **key,
        **told,
        float_bpb=bench.base,
        weights=bench.weights,
        nats=loss,
        heat=heat,
        statistics_s=bench.statistics_s,
    )
    return bench, told | {"float_bpb": bench.base, "weights": bench.weights, "best_temperature": heat}


def make_point(bench, results, key, states, share, amount, more):
    """One point, if it is not there yet; its encoded tensors."""
    try:
        found, encoded = bench.point(share, states, amount)
        results.add(**key, amount=amount, **found, **more)
        return encoded
    except Exception as error:
        say(**key, amount=amount, error=f"{type(error).__name__}: {str(error)[:300]}")
        traceback.print_exc()
        return None


def length(options, results, deadline):
    """Three trainings of one run, and their curves."""
    shape, names = options.shape, ("early", "middle", "late")
    session = start(options, shape, SHAPES[shape])
    folder = options.work / shape
    if not train(options, session, folder, names, deadline):
        say(shape=shape, stopped="training goes on with the same call")
        return
    order = [("late", curve, bits) for bits in BITS[:3] for curve in [*CURVES][:MAIN]]
    order += [(name, curve, bits) for name in names[:2] for bits in BITS[:3] for curve in [*CURVES][:MAIN]]
    order += [("late", curve, bits) for bits in BITS for curve in CURVES]
    benches, coders = {}, Coders(options.coders, results, options.work)
    for name, curve, bits in dict.fromkeys(order):
        key = {"shape": shape, "model": name, "curve": curve, "bits": bits}
        share, states = CURVES[curve]
        external = curve[0] == "a" and shutil.which("lrzip")
        if results.find(**key) or time.time() > deadline:
            coders.submit(key, None, states, external)
            continue
        if name not in benches:
            benches[name] = bench_of(options, session, folder, {"shape": shape, "model": name})
        bench, more = benches[name]
        encoded = make_point(bench, results, key, states, share, bench.amount_for(share, bits), more)
        coders.submit(key, encoded, states, external)
        coders.collect()
    coders.collect(deadline)
    for line in savings(results.lines):
        say(**line)


def spend(options, results, deadline):
    """Shapes at equal clock and equal bytes."""
    import torch

    sizes = []
    for name in options.shapes.split(","):
        try:
            # Nothing of one model is compiled again for another.
            torch._dynamo.reset()
            spend_shape(options, results, name, sizes, deadline)
        except Exception as error:
            say(shape=name, error=f"{type(error).__name__}: {str(error)[:300]}")
            traceback.print_exc()
        if time.time() > deadline:
            say(stopped="goes on with the same call")
            return
    for bits in SPEND_BITS:
        found = [line for line in results.lines if line.get("bits") == bits]
        for line in sorted(found, key=lambda line: line["val_bpb"]):
            say(
                base_bits=bits,
                **{key: line[key] for key in ("shape", "bytes", "val_bpb", "float_bpb", "weights", "steps")},
            )


def spend_shape(options, results, name, sizes, deadline):
    """One shape; the first one's bytes become those of all."""
    asked = SPEND_BITS[:1] if options.tiny else SPEND_BITS
    keys = [{"shape": name, "curve": "d half trellis8", "bits": bits} for bits in asked]
    if sizes and all(results.find(**key) for key in keys):
        return
    session = start(options, name, SPEND[name])
    folder = options.work / f"spend_{name}"
    if not train(options, session, folder, ("late",), deadline):
        return
    count = sum(tensor.numel() for tensor in session.model.parameters())
    if not sizes:
        sizes += [bits * count / 8 for bits in asked]
    bench = None
    for key, size in zip(keys, sizes, strict=True):
        own = 8 * size / count
        if not 1.8 < own < 6:
            say(**key, own_bits=own, error="wanted between 1.8 and 6 bits for each of its weights")
        if results.find(**key) or time.time() > deadline or not 1.8 < own < 6:
            continue
        if bench is None:
            bench, more = bench_of(options, session, folder, {"shape": name, "model": "late"})
        amount = bench.amount_exact(0.5, 8, own, 1 if options.tiny else 3)
        make_point(bench, results, key, 8, 0.5, amount, more | {"own_bits": own})


def savings(lines):
    """Bytes at an equal divergence and gap, and both at equal bytes, of every curve against (a), by its middle point."""
    curves = {}
    for line in lines:
        if "kl" in line:
            curves.setdefault((line["shape"], line["model"]), {}).setdefault(line["curve"], []).append(line)
    for (shape, model), found in curves.items():
        reference = [line for line in found.get("a std gptq", ()) if line["bits"] == BITS[0]]
        for curve, points in found.items():
            if not reference or len(points) < 2 or curve.startswith("a "):
                continue
            told = {"shape": shape, "model": model, "saving": curve, "steps": points[0]["steps"]}
            for column in ("kl", "gap"):
                size, value = reference[0]["bytes"], reference[0][column]
                told[f"bytes_at_equal_{column}"] = at(points, column, "bytes", value)
                told[f"{column}_at_equal_bytes"] = at(points, "bytes", column, size)
                for key, own in ((f"bytes_at_equal_{column}", size), (f"{column}_at_equal_bytes", value)):
                    told[key] = told[key] and told[key] / own
            yield told


def at(points, given, wanted, value):
    """`wanted` where `given` is `value`, between two points on logarithmic axes; None outside of them or without one."""
    known = sorted((line[given], line[wanted]) for line in points if line[given] > 0 and line[wanted] > 0)
    for (low, first), (high, last) in itertools.pairwise(known):
        if 0 < low <= value <= high and low < high:
            share = math.log(value / low) / math.log(high / low)
            return first * (last / first) ** share
    return None


def main():
    """See above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=("length", "spend"))
    for name in ("data", "work", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--shape", choices=SHAPES, default="deep8192")
    parser.add_argument(
        "--shapes", default=",".join(SPEND), help="of spend: some of them, the one to compare with first"
    )
    parser.add_argument(
        "--train", type=float, default=460, help="seconds of training, over all calls; of spend: each shape"
    )
    parser.add_argument("--seconds", type=float, default=570, help="after which nothing is begun")
    parser.add_argument("--steps", type=int, default=0, help="of the longest training, instead of --train")
    parser.add_argument("--epochs", type=float, default=4, help="how often the text is seen at most")
    parser.add_argument("--batch", type=int, default=65536, help="tokens of a step")
    parser.add_argument("--micro", type=int, default=65536, help="tokens of a forward at most")
    parser.add_argument("--coders", type=int, default=8, help="processes of real coders, 0 for ideal entropies alone")
    parser.add_argument("--tiny", action="store_true", help="a try on a CPU with a small model; give --steps")
    options = parser.parse_args()
    deadline = time.time() + options.seconds
    for folder in (options.work, options.out):
        folder.mkdir(parents=True, exist_ok=True)
    find_packages(options.work)
    results = Results(options.work, options.out)
    {"length": length, "spend": spend}[options.mode](options, results, deadline)
    say(done=options.mode, points=len(results.lines))


if __name__ == "__main__":
    main()
