"""Seconds and peak memory for the hints of `ngram_tilt` over a stream of random phrases; prints a table row for each length."""

import resource
import time

import torch

from pgolf.runtime.ledger import Ledger
from pgolf_plugins.eval.ngram_tilt import find_hints

generator = torch.Generator().manual_seed(1)
phrases = torch.randint(0, 8192, (20_000, 20), generator=generator)
for count in (100_000, 1_000_000, 4_000_000):
    tokens = phrases[torch.randint(0, len(phrases), (count // 20,), generator=generator)].flatten().to(torch.uint16)
    begin = time.perf_counter()
    hints = find_hints(tokens, torch.device("cpu"), Ledger(), (16, 14, 12, 10, 8))
    seconds = time.perf_counter() - begin
    hinted, right = (hints >= 0).float().mean(), (hints == tokens.to(torch.int32)).float().mean()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| {count:,} | {seconds:.2f} | {count / seconds:,.0f} | {peak:,.0f} | {hinted:.3f} | {right:.3f} |")
