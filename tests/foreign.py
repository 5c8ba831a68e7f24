"""Logs and folders as other people's scripts make them, in our own words: the numbers fit each other by default."""

import json
import math
from pathlib import Path

TOKENS = 40_540_160
PER_TOKEN = 3.72663
SCRIPT = b"# a stand-in for a training script that somebody shipped as it is\nprint('hello')\n"
CODE = len(SCRIPT)
GPU_ROW = "|   0  NVIDIA H100 80GB HBM3          On  |   00000000:18:00.0 Off |                    0 |"


def loss_of(bpb):
    """The val_loss that goes with a val_bpb for the default bytes per token."""
    return bpb * math.log(2.0) * PER_TOKEN


def baseline_log(seed=1, bpb=1.08, *, model=15_000_000, code=CODE, stop=600_021, evaluation=90_000, ranks=8, **more):
    """`step:S/N train_loss:`, seed and sizes one a line, exact twins of the final lines."""
    loss, tokens = more.get("loss", loss_of(bpb)), more.get("tokens", TOKENS)
    first = more.get("first", 6.9 + seed / 1000)
    at_end = f"val_loss:{loss + 0.01:.4f} val_bpb:{(loss + 0.01) / loss * bpb:.4f}"
    return "\n".join(
        [
            "Running Python 3.12.3 (main)",
            "Running PyTorch 2.9.1+cu128",
            GPU_ROW if more.get("gpu", True) else "",
            f"val_loader:shards pattern=somewhere/fineweb_val_*.bin tokens:{tokens}",
            "model_params:35943512",
            f"world_size:{ranks} grad_accum_steps:1",
            "train_batch_tokens:786432 train_seq_len:2048 iterations:20000 warmup_steps:20 max_wallclock_seconds:600.000",
            f"seed:{seed}",
            f"step:0/20000 val_loss:6.9357 val_bpb:{6.9357 / loss * bpb:.4f} train_time:0ms step_avg:0.02ms",
            *(
                f"step:{step}/20000 train_loss:{first - step / 10:.4f} train_time:{step * 90}ms step_avg:90.00ms"
                for step in (1, 2, 3)
            ),
            f"step:6600/20000 {at_end} train_time:{stop}ms step_avg:90.9ms",
            f"stopping_early: wallclock_cap train_time:{stop}ms step:6600/20000",
            "peak memory allocated: 22846 MiB reserved: 22894 MiB",
            *more.get("calibration", ()),
            f"DIAGNOSTIC post_ema val_loss:{loss + 0.02:.4f} val_bpb:{(loss + 0.02) / loss * bpb:.4f} eval_time:2000ms",
            "Serialized model: 106000000 bytes",
            f"Code size: {code} bytes",
            f"Total submission size: {106_000_000 + code} bytes",
            f"Serialized model int6+zstd: {model} bytes",
            f"Total submission size int6+zstd: {model + code} bytes",
            f"final_int6_sliding_window val_loss:{loss:.4f} val_bpb:{bpb:.4f} stride:64 eval_time:{evaluation}ms",
            f"final_int6_sliding_window_exact val_loss:{loss:.8f} val_bpb:{bpb:.8f}",
            *more.get("after", ()),
            "",
        ]
    )


def table_log(
    seed=1, bpb=1.07, *, model=15_900_000, packed=28_000, code=CODE, stop=596_100, evaluation=480_000, **more
):
    """`S/N train_loss: .. train_time: ..m`, hyperparameters two spaces in, both code sizes, a timer of all evaluation."""
    loss = loss_of(bpb)
    late = f"val_loss:{loss + 0.02:.8f} val_bpb:{(loss + 0.02) / loss * bpb:.8f}"
    lines = [
        "Hyperparameters:",
        "  max_wallclock_seconds: 600.0",
        f"  seed: {seed}",
        "  world_size: 8",
        "train_shards: 80",
        f"val_tokens: {TOKENS}",
        "model_params:35945671",
        "gptq:reserving 4s, effective=596000ms",
        f"1/20000 train_loss: {9 + seed / 1000:.4f} train_time: 0.0m tok/s: 8000000",
        f"2/20000 train_loss: {12 + seed / 1000:.4f} train_time: 0.0m tok/s: 8000000",
        f"3/20000 train_loss: {10 + seed / 1000:.4f} train_time: 0.0m tok/s: 8000000",
        f"4900/20000 train_loss: {loss:.4f} train_time: 9.9m tok/s: 6000000",
        f"4921/20000 val_loss: {loss + 0.01:.4f} val_bpb: {(loss + 0.01) / loss * bpb:.4f}",
        f"stopping_early: wallclock_cap train_time: {stop}ms step: 4921/20000",
        f"diagnostic pre-quantization post-ema {late} eval_time:7000ms",
        "GPTQ:collecting Hessians from calibration data...",
        "GPTQ:collected 67 Hessians in 3.4s",
        "Serialized model: 135000000 bytes",
        f"Code size (uncompressed): {code} bytes",
        f"Code size (compressed): {packed} bytes",
        f"Serialized model quantized+brotli: {model} bytes",
        f"Total submission size quantized+brotli: {model + packed} bytes",
        "ttt_chunk [1/3] bpb=1.0712 time=3.1s",
        f"quantized_ttt_phased val_loss:{loss:.8f} val_bpb:{bpb:.8f} eval_time:{evaluation}ms",
        f"total_eval_time:{evaluation / 1000:.1f}s",
    ]
    prefix = more.get("prefix", "")
    return "\n".join(prefix + line for line in lines) + "\n"


def compact_log(seed=1, bpb=1.1565, *, total=15_993_853, code=70_853):
    """`step:S/N loss:.. t:..ms`, one line of settings, a budget line, four digits at the end."""
    loss = loss_of(bpb)
    return "\n".join(
        [
            f"activation_type=relu2 adam_lr=0.05 model_dim=768 seed={seed} vocab_size=8192",
            f"params:73685840 L:10 d:768 h:8 kv:4 ws:8 ga:1 s:{seed}",
            "step:1000/10000 loss:3.3120 t:91478ms avg:91.5ms",
            "step:6530/10000 val_loss:3.0517 val_bpb:1.1816 train_time:599652ms zero_frac:0.336",
            "stopping_early: wallclock_cap train_time:599652ms step:6530/10000",
            f"artifact:15.92MB parts:64880640(14239486B) code:{code}",
            f"budget:{total}/16000000 (15.99/16.00MB) FITS",
            "final_ternary_roundtrip val_loss:3.0570 val_bpb:1.1837",
            f"final_sliding val_loss:{loss:.4f} val_bpb:{bpb:.4f} (stride=16, T=0.90) eval_time:429311ms",
            "",
        ]
    )


def foreign_folder(folder: Path, logs=None, claim=None, *, track="track_10min_16mb", script=SCRIPT, files=()):
    """A folder without anything of pgolf's: three logs of three seeds and a claim that is their mean."""
    scores = {1: 1.0801, 2: 1.0803, 3: 1.0805}
    if logs is None:
        logs = {f"train_seed{seed}.log": baseline_log(seed, bpb) for seed, bpb in scores.items()}
    root = folder / track / "2026-04-01_Somebody"
    root.mkdir(parents=True, exist_ok=True)
    document = {"author": "A", "github_id": "a", "name": "n", "date": "2026-04-01", "val_bpb": 1.0803}
    document |= {"val_loss": round(loss_of(1.0803), 4), "bytes_total": 15_000_000 + len(script), **(claim or {})}
    (root / "README.md").write_text("# words\n")
    (root / "train_gpt.py").write_bytes(script)
    (root / "submission.json").write_text(json.dumps(document))
    for name, text in {**logs, **dict(files)}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return root
