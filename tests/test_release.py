"""A release: the wheel works without the checkout, and the sdist is the checkout."""

import email
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from fresh import Fresh

from pgolf import __version__

ROOT = Path(__file__).parent.parent


def tracked():
    """Files of the checkout, by git."""
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("this is no checkout")
    return {name for name in done.stdout.split("\n") if name}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with the sdist, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "-o", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return folder


@pytest.mark.ci
def test_the_sdist_holds_the_checkout(made):
    with tarfile.open(made / f"pgolf-{__version__}.tar.gz") as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
        readme = archive.extractfile(f"pgolf-{__version__}/README.md").read().decode()
    assert tracked() - names == set(), "MANIFEST.in leaves files out"
    extra = {name for name in names - tracked() if not re.match(r"(PKG-INFO|setup\.cfg|pgolf\.egg-info)|$", name)}
    assert not [name for name in extra if re.search(r"\.pyc$|^runs/|^data/|/artifacts/|/train_gpt\.py$", name)]
    assert readme.count("\npython3 -m venv ") == 2


@pytest.mark.ci
def test_the_commands_of_the_readme_run_from_the_sdist(made, tmp_path):
    """Literally, but for what takes minutes: pip has nothing to fetch, a folder is verified without running it, mypy is left
    out, pytest only finds its tests.
    """
    with tarfile.open(made / f"pgolf-{__version__}.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    (checkout,) = tmp_path.iterdir()
    job, tests = re.findall(r"^python3 -m venv .*$", (checkout / "README.md").read_text(), re.MULTILINE)
    fresh = Fresh(checkout / ".venv")
    assert job.endswith("verify runs/first --run")
    said = fresh.run(job.removesuffix(" --run"), checkout)
    assert "PASS: runs/first" in said and (checkout / "runs/first/submission.json").is_file()
    assert tests.endswith(".venv/bin/pytest -q -n 2")
    (fresh.folder / "bin/ruff").symlink_to(Path(sys.executable).with_name("ruff"))
    fresh.script("pytest", "import sys, pytest; sys.exit(pytest.console_main())")
    found = fresh.run(
        f"{tests.replace('.venv/bin/mypy && ', '')} --collect-only", checkout, PYTEST_ADDOPTS="-p no:cacheprovider"
    )
    assert re.search(r"\d{4,}/?\d* tests collected", found), found[-500:]


@pytest.mark.ci
def test_the_wheel_works_where_there_is_no_checkout(made, tmp_path):
    (wheel,) = made.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        facts = email.message_from_bytes(archive.read(f"pgolf-{__version__}.dist-info/METADATA"))
    assert "pgolf/py.typed" in names and not [name for name in names if name.startswith(("tests/", "docs/"))]
    assert facts["License-Expression"] == "MIT" and {"dev", "docs", "plot", "gpu"} <= {*facts.get_all("Provides-Extra")}
    fresh, work = Fresh(tmp_path / "venv"), tmp_path / "work"
    work.mkdir()
    fresh.run(f"pip install -q {wheel}", work)
    where = fresh.run("python -c 'import pgolf, pgolf_plugins; print(pgolf.__file__, *pgolf_plugins.__path__)'", work)
    assert all(path.startswith(str(tmp_path / "venv")) for path in where.split())
    plugins = fresh.run("pgolf plugins --json", work)
    assert plugins.count('"name": "swa"') >= 1
    built = fresh.run("pgolf build --smoke --plugins swa,bank_qat,pko -o runs/first", work)
    assert "left for the model" in built and (work / "runs/first/train_gpt.py").is_file()
    fresh.run("pgolf explain PG304 && pgolf explain --schema > schema.json && pgolf doctor || true", work)
    assert "swa" in (work / "schema.json").read_text()
