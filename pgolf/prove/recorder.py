"""Runs a training program and writes down what equality is judged by: `recorder.py PROGRAM OUT.json LAST_RUNG ISOLATED`.

The program is not changed, and none of its own names is used, because the minifier changes them. What is seen instead is
what it does with PyTorch: calls of the outermost module, calls of `backward`, steps of optimizers, and the files it leaves.
This file imports nothing of pgolf, so that it can forbid a bundled program to do so.
"""

import hashlib
import importlib.abc
import json
import random
import runpy
import sys
from pathlib import Path
from typing import Any

import numpy
import torch
from torch.fx.experimental.proxy_tensor import make_fx
from torch.optim.optimizer import register_optimizer_step_pre_hook

INTERNAL = ("pgolf", "pgolf_plugins")
VARIANTS = 8
"""Most different training graphs that are recorded."""
GRAPH_RUNG = 4


class Enough(BaseException):
    """The lower rungs are recorded, and the higher ones are not wanted."""


class Refuse(importlib.abc.MetaPathFinder):
    """A bundled program must stand alone."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        """Refuse internal packages."""
        if name.partition(".")[0] in INTERNAL:
            raise ImportError(f"a bundled program imports {name}")


def digest(tensor: Any) -> str:
    """SHA-256 over dtype, shape and bytes of a tensor."""
    data = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
    head = f"{tensor.dtype}{tuple(tensor.shape)}".encode()
    return hashlib.sha256(head + data.tobytes()).hexdigest()


def unwrap(module: Any) -> Any:
    """The module inside a compiled one."""
    return getattr(module, "_orig_mod", module)


class Recorder:
    """Everything seen of one run; `found` is what is written."""

    def __init__(self, last_rung: int) -> None:
        self.last_rung = last_rung
        self.found: dict[str, Any] = {"state": [], "initial": {}, "graphs": {}, "groups": [], "rates": [], "steps": []}
        self.root: Any = None
        self.inside = 0
        self.call: Any = torch.nn.Module.__call__
        self.backward: Any = torch.Tensor.backward

    def install(self) -> None:
        """Put the observers in place."""

        def call(module: Any, *args: Any, **kwargs: Any) -> Any:
            return self.on_call(module, args, kwargs)

        def backward(tensor: Any, *args: Any, **kwargs: Any) -> Any:
            return self.on_backward(tensor, args, kwargs)

        setattr(torch.nn.Module, "__call__", call)  # noqa: B010
        setattr(torch.Tensor, "backward", backward)  # noqa: B010
        register_optimizer_step_pre_hook(self.on_optimizer)

    # Modules

    def on_call(self, module: Any, args: Any, kwargs: Any) -> Any:
        """The first outermost call shows the model as it was made; training calls show its graph."""
        if not self.inside:
            if self.root is None and any(True for _ in module.parameters()):
                self.see_model(unwrap(module))
            if unwrap(module) is self.root and module.training and self.last_rung >= GRAPH_RUNG:
                self.see_graph(args, kwargs)
        self.inside += 1
        try:
            return self.call(module, *args, **kwargs)
        finally:
            self.inside -= 1

    def see_model(self, module: Any) -> None:
        """Names, shapes, dtypes and order of the state, and its values."""
        self.root = module
        state = module.state_dict()
        self.found["state"] = [[name, list(value.shape), str(value.dtype)] for name, value in state.items()]
        self.found["initial"] = {name: digest(value) for name, value in state.items()}

    def see_graph(self, args: Any, kwargs: Any) -> None:
        """The operators of a forward, once for each set of arguments that are not tensors."""
        leaves, spec = torch.utils._pytree.tree_flatten((args, kwargs))
        tensors = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
        plain = [leaf for leaf in leaves if isinstance(leaf, (bool, int, float, str, type(None)))]
        key = json.dumps([plain, [[list(item.shape), str(item.dtype)] for item in tensors]])
        if key in self.found["graphs"] or len(self.found["graphs"]) >= VARIANTS:
            return
        states = torch.get_rng_state(), random.getstate(), numpy.random.get_state()
        self.inside += 1
        try:
            self.found["graphs"][key] = self.trace(leaves, tensors, spec)
        except Exception as error:  # whatever cannot be traced is left to the rungs above
            self.found["graphs"][key] = [f"not traced: {type(error).__name__}"]
        finally:
            self.inside -= 1
            torch.set_rng_state(states[0])
            random.setstate(states[1])
            numpy.random.set_state(states[2])

    def trace(self, leaves: Any, tensors: Any, spec: Any) -> list[str]:
        """Lines of the canonical graph; parameters have the names they have in the state."""
        names = {id(value): name for name, value in (*self.root.named_parameters(), *self.root.named_buffers())}

        def run(inputs: Any) -> Any:
            rest = iter(inputs)
            full = [next(rest) if isinstance(leaf, torch.Tensor) else leaf for leaf in leaves]
            args, kwargs = torch.utils._pytree.tree_unflatten(full, spec)
            return self.call(self.root, *args, **kwargs)

        with torch.no_grad():
            return canonical(make_fx(run)(tensors), names)

    # Steps

    def on_backward(self, tensor: Any, args: Any, kwargs: Any) -> Any:
        """Each loss, and the gradients after it; a step begins where there are none."""
        if self.root is None:
            return self.backward(tensor, *args, **kwargs)
        parameters = dict(self.root.named_parameters())
        steps = self.found["steps"]
        if not steps or all(value.grad is None for value in parameters.values()):
            values = {name: digest(value) for name, value in parameters.items()}
            steps.append({"parameters": values, "losses": [], "gradients": {}})
        steps[-1]["losses"].append(float(tensor.detach()).hex())
        result = self.backward(tensor, *args, **kwargs)
        if self.last_rung <= GRAPH_RUNG and self.found["groups"]:
            raise Enough
        steps[-1]["gradients"] = {
            name: digest(value.grad) for name, value in parameters.items() if value.grad is not None
        }
        return result

    def on_optimizer(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Which tensors each group of an optimizer has, and its rates at every step."""
        names = {id(value): name for name, value in self.root.named_parameters()} if self.root is not None else {}
        kind = next(base.__name__ for base in type(optimizer).__mro__ if base.__module__.startswith("torch."))
        members = [[names.get(id(value), "?") for value in group["params"]] for group in optimizer.param_groups]
        text = f"{kind} {json.dumps(members)}"
        if text not in self.found["groups"]:
            self.found["groups"].append(text)
        rates = [
            {key: shown(value) for key, value in group.items() if key != "params"} for group in optimizer.param_groups
        ]
        self.found["rates"].append(json.dumps(rates, sort_keys=True))


def shown(value: Any) -> Any:
    """Numbers exactly."""
    if isinstance(value, torch.Tensor):
        value = value.item()
    if isinstance(value, (tuple, list)):
        return [shown(item) for item in value]
    return value.hex() if isinstance(value, float) else repr(value)


def canonical(traced: Any, names: dict[int, str]) -> list[str]:
    """One line per node: operators and arguments, with nodes numbered by their place."""
    nodes = list(traced.graph.nodes)
    numbers = {node: f"%{number}" for number, node in enumerate(nodes)}

    def show(value: Any) -> str:
        if isinstance(value, torch.fx.Node):
            return numbers[value]
        if isinstance(value, (tuple, list)):
            return "[" + ",".join(show(item) for item in value) + "]"
        if isinstance(value, dict):
            return "{" + ",".join(f"{key}:{show(item)}" for key, item in sorted(value.items())) + "}"
        return value.hex() if isinstance(value, float) else str(value)

    def target(node: Any) -> str:
        if node.op == "get_attr":
            value = getattr(traced, node.target)
            known = names.get(id(value), "constant")
            return known if known != "constant" or not isinstance(value, torch.Tensor) else f"constant {digest(value)}"
        return "" if node.op in ("placeholder", "output") else str(node.target)

    return [f"{node.op} {target(node)} {show(node.args)} {show(node.kwargs)}" for node in nodes]


def leftovers() -> dict[str, Any]:
    """The artifact, and the last scores of the log, which are those of what was decoded from it."""
    found: dict[str, Any] = {"artifact": "", "artifact_bytes": 0, "scores": [], "trained": {}}
    for path in sorted(Path().glob("final_model.*.ptz")):
        found["artifact"] = f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}"
        found["artifact_bytes"] = path.stat().st_size
    if Path("final_model.pt").exists():
        state = torch.load("final_model.pt", weights_only=True)
        found["trained"] = {name: digest(value) for name, value in state.items()}
    for path in sorted(Path("logs").glob("*.txt")):
        for line in path.read_text().splitlines():
            if "_exact " in line or line.startswith("diagnostic"):
                found["scores"].append(exact(line))
    return found


def exact(line: str) -> str:
    """A score line with its numbers as hexadecimal text and without its times."""
    words = []
    for word in line.split(" eval_time")[0].split():
        key, colon, value = word.partition(":")
        try:
            words.append(f"{key}{colon}{float(value).hex()}" if colon else word)
        except ValueError:
            words.append(word)
    return " ".join(words)


def main(program: str, out: str, last_rung: str, isolated: str) -> None:
    """Record one run."""
    recorder, problem = Recorder(int(last_rung)), ""
    status: Any = 0
    if isolated == "1":
        sys.meta_path.insert(0, Refuse())
    torch.set_num_threads(1)
    recorder.install()
    sys.argv = [program]
    try:
        runpy.run_path(program, run_name="__main__")
    except SystemExit as stop:
        status = stop.code or 0
    except Enough:
        pass
    except Exception as error:  # a wrong stage may fail anywhere, and what it did until then says where it differs
        problem = f"{type(error).__name__}: {error}"
    found = {**recorder.found, **leftovers(), "status": status, "problem": problem}
    Path(out).write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:5])
