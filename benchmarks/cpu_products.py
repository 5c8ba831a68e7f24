"""Seconds of one product of Newton-Schulz on a CPU in bfloat16 and in float32, and of five steps of the iteration.

python benchmarks/cpu_products.py
"""

import time

import torch

from pgolf_plugins.optimizer.newton_schulz import iterate_newton_schulz

SHAPES = ((64, 128), (320, 640), (512, 1024))


def milliseconds(call):
    """Of one call, the least of five."""
    found = []
    for _ in range(5):
        begin = time.perf_counter()
        call()
        found.append(1e3 * (time.perf_counter() - begin))
    return min(found)


def main():
    torch.set_num_threads(1)
    flags = torch.backends.cpu.get_cpu_capability()
    print(f"PyTorch {torch.__version__}, {flags}, one thread; milliseconds in bfloat16 / float32")
    for rows, columns in SHAPES:
        wide = torch.randn(rows, columns)
        pairs = []
        for call in (lambda x: x @ x.mT, lambda x: iterate_newton_schulz(x, 5, True)):
            half, whole = (milliseconds(lambda x=x, call=call: call(x)) for x in (wide.bfloat16(), wide))
            pairs.append(f"{half:.2f} / {whole:.2f} ({half / whole:.0f})")
        print(f"{rows} x {columns}: x @ x.mT {pairs[0]}, five steps {pairs[1]}")


if __name__ == "__main__":
    main()
