"""Weights of a run, of pgolf or of a public script, under the canonical names of a recipe's tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from pgolf.errors import PgolfError
from pgolf.lock import file_hash
from pgolf.runtime.finish import CHECKPOINT, EXPORT_STATE
from pgolf.runtime.parameters import canonical_names, canonical_tensors
from pgolf.settings import UnknownSetting

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.manager import Registry
    from pgolf.runtime.records import Param
    from pgolf.settings import SettingsView

PREFIXES = ("module.", "_orig_mod.", "model.")
"""What wrappers of a model put before the names of its tensors."""
HOLDERS = ("model", "state_dict", "model_state_dict", "weights")
"""Under which names checkpoints hold their tensors, where they hold more than these."""
SHOWN = 3


@dataclass(frozen=True)
class Checkpoint:
    """A file of weights.

    Attributes:
        tensors: name in the file -> tensor, on the CPU.
        run: what the run has saved for `export` besides its weights, if that is there: (statistics, phases).
    """

    path: Path
    sha256: str
    tensors: Mapping[str, Tensor]
    run: tuple[dict[str, dict[str, Tensor]], tuple[str, ...]] | None


def find_checkpoint(path: Path) -> Path:
    """The weights: `path` itself, the ones in that folder, or those of the only run in a submission's folder.

    Raises:
        PgolfError: PG001 where there are none, or several.
    """
    if path.is_file():
        return path
    here = [path / CHECKPOINT] if (path / CHECKPOINT).is_file() else []
    found = here or sorted(path.glob(f"artifacts/seed*/{CHECKPOINT}"))
    found = [one for one in found if not one.parent.name.endswith(".previous")]
    if len(found) != 1:
        seen = ", ".join(str(one.relative_to(path)) for one in found[:SHOWN]) or "none"
        hint = "give a file, or the folder of one run; a run of pgolf train leaves its weights in artifacts/seed<SEED>"
        raise PgolfError("PG001", f"which {CHECKPOINT}? there is {seen}", str(path), hint)
    return found[0]


def read_checkpoint(path: Path) -> Checkpoint:
    """Read tensors, without running anything that the file may hold.

    Raises:
        PgolfError: PG001 for a file that cannot be read or holds no named tensors.
    """
    path = find_checkpoint(path)
    tensors = unwrap(load_file(path), path)
    beside = path.parent / EXPORT_STATE
    run = None
    if path.name == CHECKPOINT and beside.is_file():
        found = load_file(beside)
        if not isinstance(found, tuple) or len(found) < 3 or not isinstance(found[0], dict):
            raise PgolfError("PG001", "it is not what a run saves for export", str(beside), "move it away")
        run = (found[0], tuple(map(str, found[2])))
    return Checkpoint(path, file_hash(path), tensors, run)


def load_file(path: Path) -> Any:
    """Tensors and plain values; PG001 for a file that holds anything else."""
    try:
        return torch.load(path, "cpu", weights_only=True)
    except Exception as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        hint = "wanted what torch.save makes of a state dict"
        raise PgolfError("PG001", f"the weights cannot be read: {reason[0][:120]}", str(path), hint) from None


def unwrap(found: Any, path: Path) -> dict[str, Tensor]:
    """The named tensors of a state dict or of what holds one, without the prefixes of wrappers."""
    while isinstance(found, dict) and (inner := [found[key] for key in HOLDERS if isinstance(found.get(key), dict)]):
        found = inner[0]
    if not isinstance(found, dict) or not found or not all(isinstance(key, str) for key in found):
        raise PgolfError("PG001", "the file holds no named tensors", str(path), "wanted a state dict")
    tensors = {key: value for key, value in found.items() if isinstance(value, torch.Tensor)}
    for prefix in PREFIXES * 2:
        if tensors and all(key.startswith(prefix) for key in tensors):
            tensors = {key.removeprefix(prefix): value for key, value in tensors.items()}
    if not tensors:
        raise PgolfError("PG001", "the file holds no named tensors", str(path), "wanted a state dict")
    return tensors


def other_layouts(registry: Registry, settings: SettingsView) -> list[Param]:
    """Banks of every layout that there is: how public scripts may have stacked the matrices of this recipe's shape."""
    found: list[Param] = []
    for loaded in registry.plugins.values():
        layout = loaded.hooks.get("parameter_layout")
        try:
            found += [record for record in (layout(settings) if layout else ()) if record.members]
        except (UnknownSetting, TypeError):
            continue  # it needs more than a shape
    return found


def canonical_weights(
    tensors: Mapping[str, Tensor], parameters: Sequence[Param], layouts: Sequence[Param], where: str
) -> dict[str, Tensor]:
    """canonical name -> tensor of the recipe's shape, for all that an artifact holds, and what else is known.

    Args:
        tensors: by canonical name, or stored as banks of the recipe or of one of `layouts`. Axes of length one do not count.

    Raises:
        PgolfError: PG004 for a tensor that is missing, has another shape or belongs to another model.
    """
    banks: dict[str, Param] = {}
    for bank in (*parameters, *layouts):
        if bank.members:
            banks |= dict.fromkeys(bank.stored_names(), bank)
    loose: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        record = banks.get(name)
        if record is None:
            loose[name] = tensor
        elif tuple(tensor.shape) == tuple(record.shape):
            loose |= dict(zip(canonical_names(record, name), tensor.unbind(), strict=True))
        else:
            raise other_model(f"{name} has the shape {[*tensor.shape]}, wanted {[*record.shape]}", where)
    found = {}
    missing = []
    for name, _, record in canonical_tensors(parameters):
        shape = record.shape[1:] if record.members else record.shape
        if name in loose:
            found[name] = shaped(name, loose[name], shape, where)
        elif record.export != "drop":
            missing.append(name)
    strange = [name for name in loose if name not in found]
    for names, fault in ((missing, "the weights lack"), (strange, "the recipe has no tensor")):
        if names:
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            raise other_model(f"{fault} {', '.join(names[:SHOWN])}{more}", where)
    return found


def shaped(name: str, tensor: Tensor, shape: tuple[int, ...], where: str) -> Tensor:
    """The tensor with the record's axes of length one."""
    if [size for size in tensor.shape if size != 1] != [size for size in shape if size != 1]:
        raise other_model(f"{name} has the shape {[*tensor.shape]}, wanted {[*shape]}", where)
    return tensor.reshape(shape)


def other_model(text: str, where: str) -> PgolfError:
    """These are not the weights of the recipe."""
    return PgolfError(
        "PG004", text, where, "give the recipe, with plugins and sizes, that the weights were trained with"
    )
