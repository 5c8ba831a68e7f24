"""BPB against bytes of five ways to quantize one trained model, and how well `pgolf forecast` knew the bytes.

    requant.py CHECKPOINT RECIPE DATA OUT

RECIPE is what the weights were trained with, without a quantizer. Every point goes through `pgolf requant`; points that OUT
keeps are not made again. Prints two tables for results.md and writes OUT/pareto.html.
"""

import json
import subprocess
import sys
from pathlib import Path

SDCLIP = ("sdclip_classes=attn,mlp",)
CURVES = {
    "int6": ("int6", (), ()),
    "largest magnitude, 4 bits": ("row_max", ("row_max_bits=attn:4,mlp:4",), ()),
    "largest magnitude, 5 bits": ("row_max", ("row_max_bits=attn:5,mlp:5",), ()),
    "largest magnitude, 6 bits": ("row_max", ("row_max_bits=attn:6,mlp:6",), ()),
    "SDClip": ("sdclip", SDCLIP, ("--sweep", "matrix_clip_sigmas=12.85,25")),
    "GPTQ": ("sdclip,gptq", (*SDCLIP, "gptq_calibration_batches=2"), ("--sweep", "matrix_clip_sigmas=12.85,25")),
    "GPTQ + LQER": (
        "sdclip,gptq,lqer",
        (*SDCLIP, "gptq_calibration_batches=2"),
        ("--sweep", "matrix_clip_sigmas=12.85,25"),
    ),
}
OTHERS = {
    "int8": ("int8", (), ()),
    "SDClip with zlib, 7 bits and 14 sigmas for the embedding": (
        "sdclip,zlib",
        ("embed_bits=7", "embed_clip_sigmas=14", "mlp_clip_sigmas=11.5", "attn_clip_sigmas=13"),
        (),
    ),
}


def pgolf(*words):
    """What a command prints with --json."""
    done = subprocess.run([sys.executable, "-m", "pgolf.cli", *map(str, words), "--json"], stdout=subprocess.PIPE)
    assert done.returncode in (0, 1), words
    return json.loads(done.stdout)


def options(plugins, settings):
    """Those that both commands take."""
    found = ["--plugins", plugins]
    for text in settings:
        found += ["--set", text]
    return found


def main(checkpoint, recipe, data, out):
    """Both tables."""
    rows = []
    for name, (plugins, settings, sweep) in {**CURVES, **OTHERS}.items():
        words = options(plugins, settings)
        made = pgolf("requant", checkpoint, recipe, *words, *sweep, "--name", name, "--data", data, "-o", out,
                     "--plot", Path(out, "pareto.html"))  # fmt: skip
        for point in made["points"]:
            first = next(iter(point["scores"].values()))
            gap, floating = first - point["float"]["val_bpb"], point["float"]["val_bpb"]
            swept = [f"{key}={value}" for key, value in point["settings"].items()]
            print(f"| {name} {' '.join(swept)} | {point['artifact_bytes']:,} | {first:.5f} | {gap:+.5f} |", flush=True)
            if not swept or "matrix_clip_sigmas=12.85" in swept:
                rows.append((name, words, point["artifact_bytes"]))
    print(f"float weights: {floating:.5f} BPB")
    for name, words, measured in rows:
        errors = []
        for like in ((), ("--like", checkpoint)):
            found = pgolf("forecast", recipe, *words, *like)["artifact_bytes"]
            errors.append(f"{found:,} | {100 * (found / measured - 1):+.2f} %")
        print(f"| {name} | {measured:,} | {errors[0]} | {errors[1]} |", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:5])
