"""Fabricated submission folders: a stand-in for the training program that needs no torch, its logs, and a lock."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy

from pgolf.lock import Lock
from pgolf.manager import Registry
from pgolf.verify.folder import RunPlan, View
from pgolf.verify.registry import Outcome
from pgolf.verify.report import all_checks

# Trains and scores like the real program as far as anybody outside can tell: the score is a function of the artifact.
PROGRAM = """
import hashlib, os, pathlib, sys

def bpb(data):
    return 1.0 + int(hashlib.sha256(data).hexdigest()[:6], 16) / 2**26

name, seed = os.environ["RUN_ID"], os.environ["SEED"]
data = pathlib.Path(os.environ["DATA_PATH"])
tokens = sum(path.stat().st_size for path in data.glob("fineweb_val_*.bin"))
code = pathlib.Path(sys.argv[0]).read_bytes()
pathlib.Path("logs").mkdir(exist_ok=True)
log = open(f"logs/{name}.txt", "w")

def say(line):
    print(line, flush=True)
    log.write(line + chr(10))
    log.flush()

def final(data):
    value = bpb(data)
    say(f"final_int8_zlib_roundtrip val_loss:{2 * value:.4f} val_bpb:{value:.4f} eval_time:12ms")
    say(f"final_int8_zlib_roundtrip_exact val_loss:{2 * value:.8f} val_bpb:{value:.8f}")

say("Running PyTorch 2.9.0")
say("code_sha256:" + hashlib.sha256(code).hexdigest())
say("hardware:toy CPU, " + os.environ.get("OMP_NUM_THREADS", "1") + " threads")
say("plugins:alpha beta")
say(f"val_loader:shards pattern=x tokens:{tokens}")
say("seed:" + seed)
path = pathlib.Path("final_model.int8.ptz")
if sys.argv[1:] == ["score"]:
    assert not list(data.glob("fineweb_train_*.bin")), "training data are in sight"
    final(path.read_bytes())
else:
    assert list(data.glob("fineweb_train_*.bin"))
    say("train_batch_tokens:8 train_seq_len:8 iterations:2 warmup_steps:0 max_wallclock_seconds:0.000")
    for step in (1, 2):
        say(f"step:{step}/2 train_loss:3.0000 train_time:{step}ms step_avg:1.00ms")
    model = b"model" * int(seed)
    path.write_bytes(model)
    say(f"Code size: {len(code)} bytes")
    say(f"Serialized model int8+zlib: {len(model)} bytes")
    say(f"Total submission size int8+zlib: {len(model) + len(code)} bytes")
    say("artifact_sha256:" + hashlib.sha256(model).hexdigest())
    final(model)
    say("receipt alpha: 2 steps")
    say("receipt beta: 1 layers")
"""
SETTINGS = {"seed": 1337, "vocab_size": 16, "data_path": "./nowhere", "tokenizer_path": "./nowhere.model"}


def fake_lock(code: bytes, recipe_text: bytes, **changes) -> Lock:
    """A lock for a stand-in program."""
    lock = Lock(
        recipe={
            "name": "toy",
            "plugins": ["alpha"],
            "remove": [],
            "settings": {**SETTINGS, "max_wallclock_seconds": 0.0},
            "challenge": "2026-04",
            "notes": "",
        },
        recipe_sha256=hashlib.sha256(recipe_text).hexdigest(),
        smoke=True,
        plugins={name: {"version": "1", "origin": "toys", "sha256": "0" * 64} for name in ("alpha", "beta")},
        modules={},
        needs=(),
        tools={"pgolf": "0.1.0"},
        python="3.11.0",
        pack={"choice": "plain", "name": "plain"},
        stages={"pack": len(code)},
        code_bytes=len(code),
        code_sha256=hashlib.sha256(code).hexdigest(),
    )
    return replace(lock, **changes)


def log_text(
    code: bytes, seed=1337, bpb=1.25, loss=2.5, model_bytes=1000, plugins=("alpha", "beta"), wallclock="0.000"
) -> str:
    """A finished log of `code`."""
    return "\n".join(
        [
            "Running Python 3.11.0 (main) [GCC]",
            "Running PyTorch 2.9.0",
            f"code_sha256:{hashlib.sha256(code).hexdigest()}",
            "hardware:toy CPU, 2 threads",
            f"plugins:{' '.join(plugins)}",
            "val_loader:shards pattern=x tokens:64",
            "world_size:1 grad_accum_steps:8",
            f"seed:{seed}",
            f"train_batch_tokens:8 train_seq_len:8 iterations:2 warmup_steps:0 max_wallclock_seconds:{wallclock}",
            "step:1/2 train_loss:3.0000 train_time:10ms step_avg:10.00ms",
            f"step:2/2 val_loss:{loss:.4f} val_bpb:{bpb:.4f} train_time:20ms step_avg:10.00ms",
            f"diagnostic pre-quantization post-ema val_loss:{loss:.8f} val_bpb:{bpb:.8f} eval_time:3ms",
            "Serialized model: 4000 bytes",
            f"Code size: {len(code)} bytes",
            f"Serialized model int8+zlib: {model_bytes} bytes",
            f"Total submission size int8+zlib: {model_bytes + len(code)} bytes",
            f"final_int8_zlib_roundtrip val_loss:{loss:.4f} val_bpb:{bpb:.4f} eval_time:12ms",
            f"final_int8_zlib_roundtrip_exact val_loss:{loss:.8f} val_bpb:{bpb:.8f}",
            *(f"receipt {name}: 2 steps" for name in plugins),
            "",
        ]
    )


def claim(code: bytes, bpb=1.25, loss=2.5, model_bytes=1000, seeds=(1337,), **changes) -> dict:
    """A submission.json that fits `log_text`."""
    result = {"val_bpb": bpb, "val_loss": loss, "artifact_bytes": model_bytes + len(code)}
    document = {
        "author": "A",
        "github_id": "a",
        "name": "toy",
        "date": "2026-05-01",
        "val_bpb": bpb,
        "val_loss": loss,
        "seeds": list(seeds),
        "seed_results": {str(seed): result for seed in seeds},
        "bytes_total": model_bytes + len(code),
    }
    return {**document, **changes}


def make_folder(folder: Path, code: bytes = PROGRAM.encode(), seeds=(1337,), trained=True) -> Path:
    """A complete folder; with `trained=False` only what a build writes."""
    recipe = b'name = "toy"\n'
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train_gpt.py").write_bytes(code)
    (folder / "recipe.toml").write_bytes(recipe)
    (folder / "pgolf.lock").write_text(fake_lock(code, recipe).dump())
    if trained:
        (folder / "README.md").write_text("# toy\n")
        (folder / "submission.json").write_text(json.dumps(claim(code, seeds=seeds)))
        for seed in seeds:
            (folder / "logs").mkdir(exist_ok=True)
            (folder / "logs" / f"train_seed{seed}.log").write_text(log_text(code, seed))
            (folder / "artifacts" / f"seed{seed}").mkdir(parents=True)
            (folder / "artifacts" / f"seed{seed}" / "final_model.int8.ptz").write_bytes(bytes(1000))
    return folder


def make_data(folder: Path, tokens: int = 64) -> Path:
    """A data folder with one training and one validation shard, and something that stands for a tokenizer."""
    shards = folder / "datasets" / "toy_sp16"
    shards.mkdir(parents=True)
    header = numpy.zeros(256, dtype="<i4")
    header[:3] = 20240520, 1, tokens
    for split in ("train", "val"):
        content = header.tobytes() + numpy.arange(tokens, dtype="<u2").tobytes()
        (shards / f"fineweb_{split}_000000.bin").write_bytes(content)
    (folder / "tokenizers").mkdir()
    (folder / "tokenizers" / "toy_16_bpe.model").write_bytes(b"toy")
    return folder


def edit(path: Path, old: str, new: str) -> None:
    """Replace text that must be there."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def outcome(folder: Path, check: str, registry=None, **plan) -> Outcome:
    """One check's outcome, with its severity filled in."""
    item = next(item for item in all_checks() if item.id == check)
    found = item.function(View(folder, lambda: registry or Registry(), RunPlan(**plan)))
    return Outcome(found.status or item.violation, found.message, found.evidence)
