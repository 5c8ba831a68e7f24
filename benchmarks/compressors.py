"""Bytes, seconds and memory of every compressor: `python benchmarks/compressors.py MODEL...`.

A MODEL is the folder of a finished run that pgolf built (its artifact is decoded by its own recipe), or an .npz with codes
under `NAME.q` and steps under `NAME.scale`; `PATH:A,B` takes those tensors alone whose names hold A or B. Prints tables for
results.md: the artifact's bytes by layout and coder, and beside them the entropies of the codes, by tensor and by row. Base 3,
bit planes and bits are measured on the same codes made ternary (q / mean|q| of its row, rounded) and binary (signs).

Every measurement is a forked process of its own; seconds are the processor's, memory is its peak over where it began, or an
external program's own peak.
"""

import os
import pickle
import resource
import sys
from functools import partial
from pathlib import Path

import numpy as np
import torch

from pgolf.manager import load_registry
from pgolf.recipe import load_recipe
from pgolf.resolve import load_entry, resolve
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.packing import PackedLayout
from pgolf_plugins.compressor.base3 import pack_base3, unpack_base3
from pgolf_plugins.compressor.bit_pack import pack_bits, unpack_bits
from pgolf_plugins.compressor.bitmask import pack_bitmask, unpack_bitmask
from pgolf_plugins.compressor.brotli import BrotliCoder
from pgolf_plugins.compressor.context_coder import ContextCoder, ContextLayout
from pgolf_plugins.compressor.lrzip import LrzipCoder
from pgolf_plugins.compressor.lzma import LzmaCoder
from pgolf_plugins.compressor.pergroup import PerGroup
from pgolf_plugins.compressor.torch_save import TorchSave
from pgolf_plugins.compressor.zlib import ZlibCoder
from pgolf_plugins.compressor.zstd import ZstdCoder

TERNARY, BINARY = (-1, 0, 1), (-1, 1)
BASE3 = PackedLayout("base3", TERNARY, pack_base3, unpack_base3)
BITMASK = PackedLayout("bitmask", TERNARY, pack_bitmask, unpack_bitmask)
BITS = PackedLayout("bit_pack", BINARY, pack_bits, unpack_bits)
WHOLE = (
    ("torch_save + zlib", TorchSave(), ZlibCoder()),
    ("torch_save + zstd", TorchSave(), ZstdCoder(22)),
    ("torch_save + lzma", TorchSave(), LzmaCoder()),
    ("torch_save + brotli, stride 1", TorchSave(), BrotliCoder(1)),
    ("torch_save + brotli, stride 2", TorchSave(), BrotliCoder(2)),
    ("torch_save + brotli, stride 4", TorchSave(), BrotliCoder(4)),
    ("torch_save + lrzip", TorchSave(), LrzipCoder()),
    ("pergroup + lrzip", PerGroup(), LrzipCoder()),
    ("context_coder", ContextLayout(), ContextCoder(())),
)
PACKED = {
    "ternary": (
        ("torch_save + lzma", TorchSave(), LzmaCoder()),
        ("base3 + lzma", BASE3, LzmaCoder()),
        ("bitmask + lzma", BITMASK, LzmaCoder()),
        ("context_coder", ContextLayout(), ContextCoder(())),
    ),
    "binary": (
        ("torch_save + lzma", TorchSave(), LzmaCoder()),
        ("bit_pack + lzma", BITS, LzmaCoder()),
        ("context_coder", ContextLayout(), ContextCoder(())),
    ),
}


def load(text):
    """name -> parts."""
    path, _, only = text.partition(":")
    if path.endswith(".npz"):
        encoded = {}
        with np.load(path) as arrays:
            for key in arrays.files:
                name, _, kind = key.rpartition(".")
                part = {"q": "codes", "scale": "step"}.get(kind)
                encoded.setdefault(name if part else key, {})[part or "kept"] = torch.from_numpy(arrays[key])
    else:
        recipe = load_recipe(Path(path, "recipe.toml"))
        program = load_entry(resolve(recipe, load_registry()).entry).make_program()
        artifact = max(Path(path).rglob("final_model.*.ptz"), key=lambda found: found.stat().st_mtime)
        encoded = program.stream_layout.unpack(program.entropy_coder.decompress(artifact.read_bytes(), 2**30))
    return {name: parts for name, parts in encoded.items() if any(part in name for part in only.split(","))}


def entropy_bytes(counts):
    """n H of histograms (..., values)."""
    total = counts.sum(-1, keepdims=True)
    share = np.where(counts > 0, counts / np.maximum(total, 1), 1.0)
    return -(counts * np.log2(share)).sum() / 8


def entropies(encoded):
    """(codes, entropy by tensor, by row, bytes of everything else)."""
    count, whole, rows, others = 0, 0.0, 0.0, 0
    for parts in encoded.values():
        for key, part in parts.items():
            if key != "codes":
                others += part.numel() * part.element_size()
                continue
            codes = part.numpy().astype(np.int64) + 128
            count += codes.size
            whole += entropy_bytes(np.bincount(codes.ravel(), minlength=256))
            rows += sum(entropy_bytes(np.bincount(row.ravel(), minlength=256)) for row in codes)
    return count, whole, rows, others


def in_child(work):
    """(result, seconds of the processor, MiB) of `work()` in a forked process, with the programs that it starts."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        result = work()
        own, programs = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = own.ru_utime + own.ru_stime + programs.ru_utime + programs.ru_stime
        peak = max(own.ru_maxrss - start, programs.ru_maxrss)
        with os.fdopen(writer, "wb") as pipe:
            pickle.dump((result, seconds, peak / 1024), pipe)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        found = pickle.load(pipe)
    os.wait()
    return found


def pack(encoded, layout, coder):
    """The artifact."""
    return coder.compress(layout.pack(encoded, Ledger()), Ledger())


def comes_back(data, encoded, layout, coder):
    """Is the artifact what it was made of?"""
    return equal(layout.unpack(coder.decompress(data, 2**30)), encoded)


def measure(encoded, forms):
    """A row of the table for each form."""
    for title, layout, coder in forms:
        data, *encoding = in_child(partial(pack, encoded, layout, coder))
        same, *decoding = in_child(partial(comes_back, data, encoded, layout, coder))
        assert same, title
        figures = [f"{value:.1f} s / {memory:.0f} MiB" for value, memory in (encoding, decoding)]
        print(f"| {title} | {len(data):,} | {' | '.join(figures)} |", flush=True)


def equal(found, encoded):
    """Are all parts the same?"""
    return list(found) == list(encoded) and all(
        torch.equal(found[name][key], part) for name, parts in encoded.items() for key, part in parts.items()
    )


def coarser(encoded, kind):
    """The codes as ternary or binary ones, nothing else."""
    made = {}
    for name, parts in encoded.items():
        if "codes" in parts and parts["codes"].ndim == 2:
            codes = parts["codes"].float()
            scale = codes.abs().mean(1, keepdim=True).clamp_min(1e-8)
            few = (codes / scale).round().clamp(-1, 1) if kind == "ternary" else torch.where(codes < 0, -1.0, 1.0)
            made[name] = {"codes": few.to(torch.int8)}
    return made


def main():
    """Two tables for each model."""
    torch.set_num_threads(1)
    for text in sys.argv[1:]:
        encoded = load(text)
        for kind, forms in (("as quantized", WHOLE), *PACKED.items()):
            shown = encoded if kind == "as quantized" else coarser(encoded, kind)
            count, whole, rows, others = entropies(shown)
            print(f"\n{text}, {kind}: {count:,} codes, {others:,} bytes beside them;", end=" ")
            print(f"entropy of the codes {whole:,.0f} bytes by tensor, {rows:,.0f} by row\n")
            print("| layout and coder | bytes | packing | unpacking |\n| --- | --- | --- | --- |")
            measure(shown, forms)


if __name__ == "__main__":
    main()
