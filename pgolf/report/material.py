"""What a report says of each folder, collected: the verdict and numbers of verify, and what a build of its lock shows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pgolf.ablate.kept import is_ablation
from pgolf.byte_report import Item
from pgolf.errors import PgolfError
from pgolf.manager import Registry
from pgolf.verify.folder import CODE_NAME, JSON_NAME, View, printable
from pgolf.verify.outputs_details import Details

if TYPE_CHECKING:
    from pgolf.ablate.ablate import Ablation
    from pgolf.plan.trace import Plan
    from pgolf.submission import Made

RECIPE_NAME, LOCK_NAME = "recipe.toml", "pgolf.lock"


@dataclass
class Material:
    """One folder.

    Attributes:
        report: the document of verify; None for a folder of ablations alone.
        code: bytes of the file by module, the plugin as group; empty where not known.
        artifact: bytes of the artifact by tensor and part; empty where not known.
        drawing: the plan of the model as SVG.
        unknown: what could not be found out, and why.
    """

    folder: Path
    report: dict[str, Any] | None = None
    numbers: Details = field(default_factory=Details)
    code: list[Item] = field(default_factory=list)
    artifact: list[Item] = field(default_factory=list)
    artifact_name: str = ""
    plan: Plan | None = None
    ablations: dict[str, Ablation] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """As it was given, printable."""
        return printable(str(self.folder))


def gather(
    folders: Sequence[Path], registry: Callable[[], Registry], build: bool, say: Callable[[str], object]
) -> list[Material]:
    """Look at every folder.

    Args:
        build: whether what needs a build is wanted: bytes by plugin and tensor, the plan.
        say: progress, a line each.

    Raises:
        PgolfError: PG501 for a folder that is neither a submission, nor a recipe's, nor an ablation's.
    """
    from pgolf.verify.bounded import verify_bounded

    registry = cache(registry)
    found = {folder: Material(folder) for folder in folders}
    judged = [folder for folder in found if is_submission(folder)]
    say(f"verify: {len(judged)} folder{'s' * (len(judged) != 1)}")
    # First, while this process has no threads yet that a copy of it would wait for.
    for folder, (report, numbers) in zip(
        judged, verify_bounded(judged, lambda root: View(root, registry), 1, True), strict=True
    ):
        found[folder].report, found[folder].numbers = report, numbers or Details()
    for folder, material in found.items():
        read_ablations(material)
        if build and folder in judged:
            look_inside(material, registry(), say)
    return list(found.values())


def is_submission(folder: Path) -> bool:
    """Whether there is something for verify; PG501 for a folder that is of no use."""
    if any((folder / name).is_file() for name in (CODE_NAME, JSON_NAME, RECIPE_NAME, LOCK_NAME)):
        return True
    if not ablation_folders(folder):
        hint = "give folders of submissions, recipes, or of pgolf ablate"
        raise PgolfError("PG501", "there is no train_gpt.py, recipe, lock or ablation in it", str(folder), hint)
    return False


def ablation_folders(folder: Path) -> list[Path]:
    """The folder itself, or those in it that are called ablation..., where `pgolf ablate -o` has written there."""
    return [path for path in (folder, *sorted(folder.glob("ablat*"))) if is_ablation(path)]


def read_ablations(material: Material) -> None:
    """Those that were measured."""
    from pgolf.ablate.kept import read_kept

    for path in ablation_folders(material.folder):
        material.ablations[printable(path.name)] = read_kept(path)


def look_inside(material: Material, registry: Registry, say: Callable[[str], object]) -> None:
    """Build what the folder's lock or recipe says, and take bytes and plan from that build."""
    from pgolf.plan.trace import trace_plan

    say(f"build: {material.name}")
    try:
        made = build_again(material.folder, registry, material.unknown)
    except PgolfError as error:
        material.unknown.append(f"bytes by plugin, plan: {printable(error.message)}")
        return
    material.code = [Item(made.resolved.plugin_of(name), name, size) for name, size in made.built.modules.items()]
    try:
        material.plan = trace_plan(material.name, made.resolved)
    except Exception as error:  # it walks the model of whatever plugins there are
        said = str(error).strip().splitlines() or [repr(error)]
        material.unknown.append(f"plan: {printable(said[0])}")
    read_artifact(material, made, say)


def build_again(folder: Path, registry: Registry, unknown: list[str]) -> Made:
    """What a folder's lock, or its recipe, gives here. Remarks go to `unknown`.

    Raises:
        PgolfError: from reading and building, PG505 for a file that is not its lock's.
    """
    from pgolf.lock import read_lock
    from pgolf.recipe import load_recipe
    from pgolf.submission import make

    code, _ = View(folder, lambda: registry).code
    if not (folder / LOCK_NAME).is_file() or (code is None and (folder / RECIPE_NAME).is_file()):
        if not (folder / RECIPE_NAME).is_file():
            raise PgolfError("PG505", "there is no lock and no recipe")
        return make(load_recipe(folder), registry)
    lock = read_lock(folder)
    if code is not None and hashlib.sha256(code).hexdigest() != lock.code_sha256:
        raise PgolfError("PG505", f"{CODE_NAME} is not the file of its lock")
    made = make(lock.to_recipe(), registry, lock.pack.get("choice", "auto"), lock.smoke)
    if made.built.sha256 != lock.code_sha256:
        unknown.append(
            "whether bytes by plugin are those of the file: another version of pgolf or of a plugin built it"
        )
    return made


def read_artifact(material: Material, made: Made, say: Callable[[str], object]) -> None:
    """Of the first seed that has one."""
    artifacts = View(material.folder, Registry).artifacts
    files = [*artifacts[min(artifacts)].values()] if artifacts else []
    if not files:
        material.unknown.append("bytes of the artifact: there is none in artifacts/seed*/")
        return
    from pgolf.report.artifact import artifact_items

    material.artifact_name = printable("/".join(files[0].parts[-2:]))
    say(f"decode: {files[0]}")
    try:
        material.artifact = artifact_items(made, files[0])
    except PgolfError as error:
        material.unknown.append(f"bytes of the artifact: {printable(error.message)}")
