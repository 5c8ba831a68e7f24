"""The GitHub Action: its file, the folders it finds, and the packages it installs."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from folders import make_folder

yaml = pytest.importorskip("yaml")
ACTION = Path(__file__).parents[2] / "action.yml"
STEPS = {step.get("id"): step for step in yaml.safe_load(ACTION.read_text())["runs"]["steps"]}
needs_git = pytest.mark.skipif(not (shutil.which("git") and shutil.which("bash")), reason="needs git and bash")


def script(step, cwd, temp, **environment):
    """Run one step's script as a runner would."""
    temp.mkdir(exist_ok=True)
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        (temp / name).touch()
    known = {
        "RUNNER_TEMP": temp,
        "GITHUB_OUTPUT": temp / "GITHUB_OUTPUT",
        "GITHUB_STEP_SUMMARY": temp / "GITHUB_STEP_SUMMARY",
    }
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", STEPS[step]["run"]],
        cwd=cwd,
        env={**os.environ, **{key: str(value) for key, value in known.items()}, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return dict(line.split("=", 1) for line in (temp / "GITHUB_OUTPUT").read_text().splitlines())


def git(folder, *arguments):
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    return subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def repository(tmp_path):
    root = tmp_path / "repository"
    make_folder(root / "records/track/old")
    (root / "records/track/gone").mkdir()
    (root / "records/track/gone/train_gpt.py").write_text("x\n")
    git(root.parent, "init", "-q", root)
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "base")
    base = git(root, "rev-parse", "HEAD")
    return root, base


def test_the_file_is_a_composite_action():
    document = yaml.safe_load(ACTION.read_text())
    assert document["runs"]["using"] == "composite"
    for step in document["runs"]["steps"]:
        assert "uses" in step or step["shell"] == "bash"
        # Expressions are substituted into scripts as text: values of a pull request go through the environment.
        assert "${{" not in step.get("run", "")
    assert set(STEPS) >= {"install", "folders", "verify", "comment", "result"}


@needs_git
def test_changed_record_folders_are_found(repository, tmp_path):
    root, base = repository
    odd = "two words\n$(touch mark) `x`"
    for name in ("new", odd, "-f"):
        (root / "records/track" / name / "logs").mkdir(parents=True)
        (root / "records/track" / name / "logs/train.log").write_text("x\n")
    shutil.rmtree(root / "records/track/gone")
    (root / "README.md").write_text("x\n")
    (root / "records/note.md").write_text("x\n")
    (root / "records/track/link").symlink_to("old")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "change")
    found = script("folders", root, tmp_path / "temp", BASE=base, ROOT="records")
    names = (tmp_path / "temp/pgolf-folders").read_bytes().decode().split("\0")[:-1]
    assert set(names) == {"records/track/new", f"records/track/{odd}", "records/track/-f"}
    assert found["count"] == "3" and not list(root.rglob("mark"))


@needs_git
def test_no_changed_folder_is_no_work(repository, tmp_path):
    root, base = repository
    (root / "README.md").write_text("x\n")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "change")
    assert script("folders", root, tmp_path / "temp", BASE=base, ROOT="records")["count"] == "0"


def installed(temp):
    """pgolf where the install step would put it."""
    (temp / "pgolf/bin").mkdir(parents=True)
    (temp / "pgolf/bin/pgolf").write_text(f'#!/bin/sh\nexec {sys.executable} -m pgolf.cli "$@"\n')
    (temp / "pgolf/bin/pgolf").chmod(0o755)


@pytest.mark.ci
@needs_git
@pytest.mark.parametrize("clean", [True, False])
def test_the_steps_of_a_pull_request(repository, tmp_path, clean):
    """All steps but installing and commenting, as a runner has them: the diff reaches pkg.form, findings the SARIF file."""
    root, base = repository
    make_folder(root / "records/track/new")
    (root / "records/track/new/README.md").write_text("New.\n")
    if not clean:
        (root / "records/track/old/train_gpt.py").write_text("x = 1\n")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "change")
    temp = tmp_path / "temp"
    installed(temp)
    assert script("folders", root, temp, BASE=base, ROOT="records")["count"] == ("1" if clean else "2")
    found = script("verify", root, temp, ARGUMENTS="--jobs 1 -v", ROOT="records")
    report, sarif = Path(found["report"]).read_text(), json.loads(Path(found["sarif"]).read_text())
    said = {result["ruleId"] for result in sarif["runs"][0]["results"]}
    assert found["status"] == ("0" if clean else "1") and report.startswith("###" if clean else "| folder |"), report
    assert ("pkg.form" in said) == (not clean), report
    for result in sarif["runs"][0]["results"]:
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].startswith("records/track/")
    script("result", root, temp, STATUS="0")
    with pytest.raises(AssertionError):
        script("result", root, temp, STATUS="1")


@needs_git
def test_records_elsewhere_are_not_asked_for_the_form(repository, tmp_path):
    root, _ = repository
    temp = tmp_path / "temp"
    installed(temp)
    (temp / "pgolf-folders").write_bytes(b"records/track/old\0")
    found = script("verify", root, temp, ARGUMENTS="--jobs 1", ROOT="records/track")
    said = {result["ruleId"] for result in json.loads(Path(found["sarif"]).read_text())["runs"][0]["results"]}
    assert found["status"] == "0" and "pkg.form" not in said


@pytest.mark.ci
@needs_git
def test_the_report_and_the_status_are_handed_on(repository, tmp_path):
    root, _ = repository
    temp = tmp_path / "temp"
    installed(temp)
    (temp / "pgolf.diff").write_text("diff --git a/x b/x\n")
    (temp / "pgolf-folders").write_bytes(b"records/track/old\0records/track/gone\0")
    found = script("verify", root, temp, ARGUMENTS="--jobs 1", ROOT="records")
    text = Path(found["report"]).read_text()
    assert found["status"] == "1" and text.count("### pgolf verify: ") == 2
    assert (temp / "GITHUB_STEP_SUMMARY").read_text() == text


def test_the_installed_packages_suffice(tmp_path):
    """Verifying must import nothing else than the standard library, pgolf and what the action installs."""
    words = re.search(r"pip\" install --quiet (brotli.*)", STEPS["install"]["run"])[1].split()
    allowed = {word.split("==")[0].replace("-", "_").lower() for word in words} | {"pgolf", "pgolf_plugins"}
    folder = make_folder(tmp_path / "toy")
    known = {"_brotli", "_distutils_hack", "python_minifier", "markdown_it", "mdurl", "pygments", "typing_extensions"}
    code = f"""
import importlib.metadata, sys
class Wall:
    def find_spec(self, name, path=None, target=None):
        if name in {{"torch", "sentencepiece", "huggingface_hub", "hypothesis", "pytest"}}:
            raise ImportError(name + " is not installed by the action")
sys.meta_path.insert(0, Wall())
from pgolf.cli.main import main
try:
    main(["verify", {str(folder)!r}, "--html", {str(tmp_path / "page.html")!r}], standalone_mode=False)
except SystemExit as error:
    assert error.code == 1, error.code
top = {{name.split(".")[0].lower() for name in sys.modules}} - set(sys.stdlib_module_names)
owners = importlib.metadata.packages_distributions()
print(*sorted(name for name in top if name in owners))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "ImportError" not in done.stdout
    assert set(done.stdout.splitlines()[-1].split()) <= allowed | known
