"""Optimizers and calibration on a GPU, each against its plain reference in the same run; one JSON line for each figure.

    gpu_optimizers.py [PART ...]      parts: gptq, orthogonalizers, adam_stream, self_calibration; all without

gptq                seconds to solve the 66 matrices of 11 layers, and how far the codes are from those of float64
orthogonalizers     milliseconds of newton_schulz, gram_newton_schulz, and the latter by symmetric products, on banks of the
                    11 x 512 model (one rank) and on the shares of one rank of eight; errors against float64
adam_stream         milliseconds of a training step and of the optimizers alone, with and without; weights must be equal
self_calibration    seconds for 64 sequences of 2048 tokens on eight ranks (8 on this one) and on one, with kept keys and by
                    whole forwards, and for their statistics

Needs PyTorch, pluggy and, but for gptq, a GPU with Triton; pgolf need not be installed. A part that fails prints its traceback,
and the others still run; the exit status is then 1. On a CPU sizes are small: that tries the script, and measures nothing.
"""

import json
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

ROOT = Path(__file__).resolve().parents[1]
GPU = torch.cuda.is_available()
DEVICE = torch.device("cuda" if GPU else "cpu")
LENGTH = 2048 if GPU else 64
MODEL = ("banks", "parallel_muon", "leaky_relu2", "ln_scale", "partial_rope", "skip_gates", "xsa", "smear_gate_v3")
SIZES: dict[str, Any] = {
    "num_layers": 11 if GPU else 4,
    "model_dim": 512 if GPU else 64,
    "num_heads": 8 if GPU else 4,
    "num_kv_heads": 4 if GPU else 2,
    "mlp_mult": 4.0,
    "vocab_size": 8192 if GPU else 256,
    "train_seq_len": LENGTH,
    "train_batch_tokens": 786432,
}
Figures = Iterator[dict[str, Any]]


def find_pgolf() -> None:
    """Make both packages importable from this checkout, with the metadata that an installation would have."""
    links = Path(tempfile.mkdtemp())
    (links / "pgolf").symlink_to(ROOT / "pgolf")
    (links / "pgolf_plugins").symlink_to(ROOT / "plugins")
    (links / "pgolf-0.dist-info").mkdir()
    (links / "pgolf-0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: pgolf\nVersion: 0\n")
    sys.path[:0] = [str(links), str(ROOT / "benchmarks")]


def wait() -> None:
    """Until the GPU has done what it was given."""
    if GPU:
        torch.cuda.synchronize()


def seconds(function: Callable[[], Any]) -> float:
    """Of one call."""
    wait()
    begin = time.perf_counter()
    function()
    wait()
    return time.perf_counter() - begin


def in_turns(functions: dict[str, Callable[[], Any]], calls: int, turns: int = 5) -> dict[str, float]:
    """Name -> milliseconds of a call: the least mean of some turns, each of which asks all; one turn before does not count."""
    found = dict.fromkeys(functions, float("inf"))
    for turn in range(turns + 1):
        for name, function in functions.items():
            spent = seconds(lambda function=function: [function() for _ in range(calls)]) / calls
            if turn:
                found[name] = min(found[name], 1000 * spent)
    return {name: round(value, 4) for name, value in found.items()}


def relative_error(found: torch.Tensor, wanted: torch.Tensor) -> float:
    """|found - wanted| / |wanted|, Frobenius."""
    return float(f"{((found.double() - wanted).norm() / wanted.norm()).item():.3e}")


def gptq() -> Figures:
    """Two rows for each shape, and the sums."""
    import gptq as solving

    yield from solving.measure(DEVICE, 11 if GPU else 1)
    yield from solving.compare(DEVICE)


def orthogonalizers() -> Figures:
    """Compiled, as a run has them."""
    from pgolf.runtime.optimize import compile_on_gpu
    from pgolf_plugins.optimizer import gram_newton_schulz as gram
    from pgolf_plugins.optimizer.newton_schulz import iterate_newton_schulz

    plain = partial(iterate_newton_schulz, scale_first=False)
    forms = {
        "newton_schulz": plain,
        "gram_newton_schulz": partial(gram.iterate_gram, symmetric=False),
        "gram_symmetric": partial(gram.iterate_gram, symmetric=True),
    }
    banks = {"qo": (22, 512, 512), "kv": (22, 256, 512), "up": (11, 2048, 512), "down": (11, 512, 2048)}
    shares = {"qo of 8 ranks": (3, 512, 512), "up of 8 ranks": (2, 2048, 512)}
    for name, shape in (banks | shares).items():
        shape = shape if GPU else (2, shape[1] // 16, shape[2] // 16)
        torch._dynamo.reset()  # variants of all shapes count against one limit
        x = torch.randn(shape, device=DEVICE, generator=torch.Generator(DEVICE).manual_seed(1)).bfloat16()
        wanted = plain(x.double(), 5)
        compiled = {form: compile_on_gpu(function) for form, function in forms.items()}
        errors = {form: relative_error(function(x, 5), wanted) for form, function in compiled.items()}
        spent = in_turns({form: partial(function, x, 5) for form, function in compiled.items()}, 20 if GPU else 2)
        yield {
            "what": name,
            "shape": shape,
            "ms": spent,
            "error": errors,
            "bound": 0.1,
            "ok": max(errors.values()) <= 0.1,
        }
    yield from products(gram)


def products(gram: Any) -> Figures:
    """The kernel alone against cuBLAS, with the addend in the epilogue of both."""
    for batch, n in ((22, 512), (11, 512), (2, 512)):
        n = n if GPU else n // 16
        r = torch.randn(batch, n, n, device=DEVICE, generator=torch.Generator(DEVICE).manual_seed(1))
        r = (r @ r.mT / n).bfloat16()
        calls = {
            "baddbmm": lambda r=r: torch.baddbmm(r, r, r, beta=-4.775, alpha=2.0315),
            "symmetric_product": lambda r=r: gram.symmetric_product(r, r, r, 2.0315, -4.775),
        }
        wanted = 2.0315 * (r.double() @ r.double()) - 4.775 * r.double()
        errors = {name: relative_error(call(), wanted) for name, call in calls.items()}
        whole = torch.equal(calls["symmetric_product"](), calls["symmetric_product"]().mT)
        ok = whole and max(errors.values()) < (2**-8 if GPU else 2**-6)
        yield {
            "what": "product",
            "shape": (batch, n, n),
            "ms": in_turns(calls, 50 if GPU else 2),
            "error": errors,
            "ok": ok,
        }


def open_model(*plugins: str, **settings: Any) -> SimpleNamespace:
    """What the parts need of a session: a model of random weights, its program, and a rank of its own."""
    from pgolf.manager import load_registry
    from pgolf.recipe import Recipe
    from pgolf.resolve import load_entry, resolve
    from pgolf.runtime.distributed import World
    from pgolf.runtime.ledger import Ledger
    from pgolf.runtime.model import GPT
    from pgolf.runtime.parameters import initialize

    recipe = Recipe("gpu", layers=((*MODEL, *plugins),), settings={**SIZES, **settings})
    module = load_entry(resolve(recipe, load_registry()).entry)
    program, parameters = module.make_program(), module.make_parameters()
    model = GPT(module.SETTINGS, program, parameters, DEVICE, torch.bfloat16 if GPU else torch.float32)
    initialize(model, parameters, 1, Ledger())
    phases = tuple(spec.name for spec in program.phases if spec.scoring)
    made = SimpleNamespace(
        model=model, program=program, parameters=parameters, settings=module.SETTINGS, ledger=Ledger()
    )
    made.world, made.env = World(0, 1, 0, DEVICE), SimpleNamespace(seed=1)
    made.log, made.preparing, made.phases, made.scoring_phases = print_note, "", phases, lambda: phases
    made.stages = SimpleNamespace(say=lambda text: None)
    module.prepare_components(made)
    return made


def print_note(text: str) -> None:
    """Beside the figures."""
    print(text, file=sys.stderr, flush=True)


def adam_stream() -> Figures:
    """One micro-batch of a rank of eight, uncompiled; gradients of the comparison are the same numbers."""
    from pgolf.runtime.optimize import Optimizers
    from pgolf.runtime.progress import Scalars

    session = open_model("adam_stream")
    model, program, scalars = session.model, session.program, Scalars(1.0, 1.0, 0.95)
    begin = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    programs = {"plain": program._replace(element_stream=None), "adam_stream": program}
    rows = SIZES["train_batch_tokens"] // 8 // LENGTH if GPU else 2
    ids = torch.randint(4, SIZES["vocab_size"], (rows, LENGTH), device=DEVICE)

    def backward() -> None:
        model(ids, ids, phases=session.phases).backward()

    backward()
    gradients = {tensor: tensor.grad.clone() for tensor in model.parameters() if tensor.grad is not None}

    def update(optimizers: Any) -> None:
        for tensor, gradient in gradients.items():
            tensor.grad = gradient.clone()
        optimizers.step(scalars, session.ledger)

    ended = {}
    made = {}
    for name, one in programs.items():
        model.load_state_dict(begin)
        made[name] = optimizers = Optimizers(one, model, session.parameters, session.world)
        for _ in range(3):
            update(optimizers)
        ended[name] = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    moved = sum(not torch.equal(tensor, begin[key]) for key, tensor in ended["plain"].items())
    equal = all(torch.equal(tensor, ended["plain"][key]) for key, tensor in ended["adam_stream"].items())
    yield {
        "what": "weights after 3 steps with the same gradients",
        "tensors": moved,
        "equal": equal,
        "ok": equal and moved > 5,
    }
    model.load_state_dict(begin)
    alone = {name: partial(update, optimizers) for name, optimizers in made.items()}
    yield {"what": "optimizers alone", "ms": in_turns(alone, 10 if GPU else 1)}

    def whole(optimizers: Any) -> None:
        backward()
        optimizers.step(scalars, session.ledger)

    steps = {name: partial(whole, optimizers) for name, optimizers in made.items()}
    yield {"what": f"step of {ids.numel()} tokens, uncompiled", "ms": in_turns(steps, 2 if GPU else 1, 4)}


@torch.no_grad()
def self_calibration() -> Figures:
    """A rank of eight and one rank, whole; a step without a CUDA graph, and whole forwards, from samples."""
    from pgolf.runtime.calibrate import HessianObserver, observe_batch
    from pgolf.runtime.decode import Decoder
    from pgolf_plugins.quantizer.self_calibration import next_logits, pick, sequence_noise

    session = open_model("gptq", "self_calibration", "sdclip")
    session.model.eval()
    generator = torch.Generator(DEVICE).manual_seed(1)
    for tensor in session.model.parameters():  # logits of a deviation of one, and no gate is shut
        tensor.normal_(0, tensor.shape[-1] ** -0.5 if tensor.dim() > 1 else 0.3, generator=generator)
    noise = torch.stack([sequence_noise(1, number, LENGTH) for number in range(64)]).to(DEVICE)
    spent = seconds(lambda: Decoder(session, noise[:8, :16], 0.8).write())
    yield {"what": "8 sequences of 16 tokens, kernels are chosen", "seconds": round(spent, 2)}
    ids = noise.long()
    for rows in (8, 64) if GPU else (8,):
        made: list[Any] = []
        open_one = seconds(lambda rows=rows, made=made: made.append(Decoder(session, noise[:rows], 0.8)))
        decoder = made[0]
        written = seconds(decoder.write)
        start = time.perf_counter()
        deviation = decoder.deviation(8)
        ids[:rows] = decoder.ids
        yield {
            "what": f"{rows} sequences of {LENGTH} with kept keys",
            "seconds": {"open": round(open_one, 2), "write": round(written, 2)}
            | {"compare": round(time.perf_counter() - start, 2)},
            "deviation": round(deviation, 4),
            "ok": deviation < 0.1,
        }
        # In the middle, so that rows are as long as in the mean.
        decoder.place.fill_(LENGTH // 2)
        steps = 64 if GPU else 16
        spent = seconds(lambda decoder=decoder, steps=steps: [decoder.step() for _ in range(steps)])
        yield {"what": f"{rows} sequences, all by steps without a graph", "seconds": round(spent / steps * LENGTH, 2)}
        places = range(LENGTH // 2, LENGTH // 2 + (8 if GPU else 4))

        def whole(rows: int = rows, places: range = places) -> None:
            for place in places:
                pick(next_logits(session, ids[:rows], place), noise[:rows, :1])

        whole()
        spent = seconds(whole) / len(places) * LENGTH
        yield {"what": f"{rows} sequences, all by whole forwards", "seconds": round(spent, 2)}
    observer = HessianObserver()
    observe_batch(session, ids[:8], session.phases, observer)
    spent = seconds(lambda: observe_batch(session, ids[:8], session.phases, observer))
    yield {"what": "statistics of 8 sequences", "seconds": round(spent, 3), "matrices": len(observer.sums)}


def main(wanted: list[str]) -> int:
    """Every part, or those that are wanted."""
    find_pgolf()
    # As a run has it.
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    name = torch.cuda.get_device_name() if GPU else "CPU"
    print(json.dumps({"device": name, "torch": torch.__version__}), flush=True)
    failed = 0
    for part in (gptq, orthogonalizers, adam_stream, self_calibration):
        if wanted and part.__name__ not in wanted:
            continue
        begin = time.perf_counter()
        try:
            for figure in part():
                print(json.dumps({"part": part.__name__, **figure}), flush=True)
        except Exception as error:
            traceback.print_exc()
            failed = 1
            print(
                json.dumps({"part": part.__name__, "failed": f"{type(error).__name__}: {str(error)[:300]}"}), flush=True
            )
        print(json.dumps({"part": part.__name__, "took": round(time.perf_counter() - begin, 1)}), flush=True)
        if GPU:
            torch.cuda.empty_cache()
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
