"""Programs that lie outside of the folder are named, and nothing is said to be read that is not."""

import pytest
from folders import make_folder, outcome

from pgolf.wrappers.text import above

HEAD = "import importlib, importlib.util, os, runpy, subprocess, sys\nfrom pathlib import Path\nimport torch\n"


@pytest.fixture
def folder(tmp_path):
    made = make_folder(tmp_path / "toy", trained=False)
    (made / "beside.py").write_text("import torch\n")
    return made


OUTSIDE = [
    "runpy.run_path(str(Path(__file__).resolve().parents[3] / 'records/x/train_gpt.py'))",
    "exec(open(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'x.py')).read())",
    "exec((Path.cwd().parent / 'x.py').read_text())",
    "subprocess.run([sys.executable, str(Path(__file__).parent.parent / 'sibling' / 'train_gpt.py')])",
    "cmd = ['torchrun', '--standalone', '../other/train_gpt.py']\nsubprocess.run(cmd)",
    "os.system('python ../../x/train_gpt.py')",
    "subprocess.run([sys.executable, SCRIPT])",
    "subprocess.run([sys.executable, '-c', TEXT])",
    "s = importlib.util.spec_from_file_location('x', '../x.py')",
    "sys.path.insert(0, str(Path(__file__).resolve().parents[2]))\nimport secret_model",
    "sys.path.append(os.environ['REPO'])\nimport secret_model",
]
INSIDE = [
    "runpy.run_path(str(Path(__file__).resolve().parent / 'beside.py'))",
    "subprocess.run([sys.executable, 'beside.py'])",
    "subprocess.run([sys.executable, '-m', 'torch.utils.collect_env'])",
    "subprocess.run(['nvidia-smi', QUERY])",
    "s = importlib.util.spec_from_file_location('x', 'beside.py')",
    "sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))\nimport beside",
    "sys.path.insert(0, '/opt/hopper')\nimport flash_attn_interface",
]


@pytest.mark.parametrize("text", OUTSIDE)
def test_outside(folder, text):
    (folder / "train_gpt.py").write_text(HEAD + text + "\n")
    found = outcome(folder, "code.unpack")
    assert found.status == "WARN", found.message
    assert "out" in found.message or "worked out" in found.message or "with a text" in found.message
    for check in ("code.network", "rule.normal"):
        assert outcome(folder, check).status == "SKIP"


@pytest.mark.parametrize("text", INSIDE)
def test_inside(folder, text):
    (folder / "train_gpt.py").write_text(HEAD + text + "\n")
    assert outcome(folder, "code.unpack").status == "PASS", outcome(folder, "code.unpack").message
    assert outcome(folder, "code.network").status == "PASS"


def test_folders_above():
    from pathlib import PurePosixPath

    assert str(above(PurePosixPath("a/b.py"), 0)) == "a"
    assert str(above(PurePosixPath("train_gpt.py"), 2)) == "../.."
