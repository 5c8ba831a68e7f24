"""A workshop runs a script in trials of its own, with data that it finds; what fails says why."""

import numpy as np
import pytest
from probe_server import Server
from running_scripts import whole

from pgolf.probe.shrinking import Sizes
from pgolf.probe.trials import read_trial
from pgolf.probe.workshop import Planned, Script, Workshop, reason


@pytest.fixture(scope="module")
def server():
    found = Server()
    yield found
    found.close()


def base_of(server, folder, text, **files):
    shop = Workshop(Script("train_gpt.py", text, files), Sizes(), folder / "work", server, 60.0, 1)
    return shop, shop.run([Planned("base", shop.official)])["base"]


@pytest.mark.ci
def test_the_claim_is_followed_to_every_position(tmp_path, server):
    shop, base = base_of(server, tmp_path, whole())
    assert (base.error, len(base.claim.first)) == ("", 1536) and base.artifacts
    assert np.allclose(base.claim.scores, base.births[1][base.claim.births])
    assert base.claimed == pytest.approx((base.claim.value, base.claimed[1]))
    assert sum(shop.bytes_of(shop.official)[1:]) == pytest.approx(
        1536 * base.claimed[0] / np.log(2) / base.claimed[1], abs=1
    )
    assert base.seconds > 0 and base.memory > 10**7


@pytest.mark.ci
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import a_package_that_nobody_has\n", "ModuleNotFoundError"),
        ("import sys\nsys.exit('no GPU')\n", "ended with no GPU"),
        ("raise ValueError('x' * 10_000)\n", "ValueError: xxx"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n", "no record"),
        ("import os\nos._exit(3)\n", ""),
        ("print('val_loss:1.0 val_bpb:1.0')\n", ""),
        ("def f(): f()\nf()\n", "RecursionError"),
        ("raise ValueError('\\ud800 not text')\n", "ValueError: "),
        (
            "import triton\nimport triton.language as tl\n@triton.jit\ndef it(x): tl.sort(x)\nit[(1,)](1)\n",
            "triton.language.sort has no stand-in",
        ),
        ("open('record.npz', 'wb').write(b'x'); open('record.json', 'w').write('[')\n", ""),
    ],
)
def test_scripts_that_do_not_run(tmp_path, server, text, said):
    _, base = base_of(server, tmp_path, text)
    assert base.claim is None and said in base.error and len(reason(base).encode()) <= 200


def test_a_script_that_does_not_end(tmp_path, server):
    shop = Workshop(Script("train_gpt.py", "while True: pass\n"), Sizes(), tmp_path / "work", server, 1.0, 1)
    assert "did not end in time" in shop.run([Planned("base", shop.official)])["base"].error


@pytest.mark.ci
def test_a_script_that_waits(tmp_path, server):
    """What takes no time of the processor ends by the clock."""
    text = "import select\nwhile True: select.select([], [], [], 9)\n"
    shop = Workshop(Script("train_gpt.py", text), Sizes(), tmp_path / "work", server, 1.0, 1)
    assert "did not end in time" in shop.run([Planned("base", shop.official)])["base"].error


def test_files_beside_the_script(tmp_path, server):
    text = "import beside\nprint(beside.text, open('a/table.txt').read())\n"
    _, base = base_of(
        server, tmp_path, text, **{"beside.py": b"text = 'found'\n", "a/table.txt": b"it", "../out": b"x"}
    )
    assert "found it" in base.printed and not (tmp_path / "work" / "out").exists()


def test_records_of_a_hostile_script_are_data(tmp_path):
    (tmp_path / "outcome.json").write_text('{"status": 0, "seconds": 1.0, "memory": 1}')
    assert "no record" in read_trial("base", tmp_path).error
    (tmp_path / "record.json").write_text(
        '{"error": "", "reports": [{}], "events": [], "artifacts": {}, "choices": {}}'
    )
    np.savez(tmp_path / "record.npz", births=np.zeros((5, 3)), report0=np.full((3, 2), 9.0))
    assert "cannot be read" in read_trial("base", tmp_path).error
    np.savez(tmp_path / "record.npz", births=np.zeros((4, 3)))
    assert "cannot be read" in read_trial("base", tmp_path).error


@pytest.mark.ci
def test_training_shards_vanish_in_a_second_job_as_well(tmp_path, server):
    text = whole().replace(
        "def main():", "def main():\n    global SHARD\n    SHARD = Stream(Hyperparameters.train_files).files[0]\n", 1
    )
    end = "\nprint('left', int(load_shard(Path(SHARD)).to(torch.int64).sum()))\n"
    shop = Workshop(Script("train_gpt.py", text + end), Sizes(), tmp_path / "work", server, 60.0, 1)
    for suffix in ("", "-once-more"):
        found = shop.run(
            [Planned(f"base{suffix}", shop.official), Planned(f"absence{suffix}", shop.official, hide=True)]
        )
        left = [one.printed.rpartition("left ")[2].strip() for one in found.values()]
        assert left[0] != "0" == left[1], (left, found)
