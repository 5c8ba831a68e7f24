"""One product of Newton-Schulz on a CPU in bfloat16 and in float32, and five steps of the iteration.

    python benchmarks/cpu_products.py

Prints milliseconds, the least of five.
"""

import timeit

import torch

from pgolf_plugins.optimizer.newton_schulz import iterate_newton_schulz

SHAPES = ((64, 128), (320, 640), (512, 1024))
CALLS = {"x @ x.mT": lambda x: x @ x.mT, "five steps": lambda x: iterate_newton_schulz(x, 5, True)}


def main():
    torch.set_num_threads(1)
    flags = torch.backends.cpu.get_cpu_capability()
    print(f"PyTorch {torch.__version__}, {flags}, one thread; milliseconds in bfloat16 / float32")
    for rows, columns in SHAPES:
        wide = torch.randn(rows, columns)
        for name, call in CALLS.items():
            half, whole = (
                1e3 * min(timeit.repeat("call(x)", number=1, repeat=5, globals={"call": call, "x": x}))
                for x in (wide.bfloat16(), wide)
            )
            print(f"{rows} x {columns}, {name}: {half:.2f} / {whole:.2f} ({half / whole:.0f})")


if __name__ == "__main__":
    main()
