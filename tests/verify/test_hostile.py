"""Folders made to harm a verifier: bounded time and memory, findings, no traceback, nothing executed, nothing written."""

import json
import os
import random
import resource
import shutil
import socket
import subprocess
import sys
import threading
import time
import warnings
import zlib
from pathlib import Path

import mutations
import pytest
from corpus import SPLIT
from folders import log_text, make_folder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import FIELDS, LOG, PIECES, copy_of, good_folder, mutate

from pgolf.manager import Registry
from pgolf.verify import report as reports
from pgolf.verify.folder import CODE_LIMIT, ENTRY_LIMIT, READ_BUDGET, Unreadable, View
from pgolf.verify.html import page
from pgolf.verify.outputs import markdown, render
from pgolf.verify.outputs_details import details
from pgolf.verify.registry import Check
from pgolf.verify.report import all_checks, plain, verify

SECONDS = 30


@pytest.fixture
def folder(tmp_path):
    made = make_folder(tmp_path / "toy")
    (made / "pgolf.lock").unlink()  # anybody's folder, not one that pgolf built
    return made


def state(folder):
    """Names, sizes and times of everything below."""
    return sorted((str(path), path.lstat().st_size, path.lstat().st_mtime_ns) for path in folder.rglob("*"))


def check_all(folder):
    """Every check without the guard, then every output; nothing may be raised, and nothing is written."""
    before, start = state(folder), time.monotonic()
    view = View(folder, Registry)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for item in all_checks():
            assert item.function(view).status in ("", "PASS", "FAIL", "WARN", "SKIP")
    report = verify(view)
    text = json.dumps(report, allow_nan=False) + "\n".join(render(report, True)) + markdown([report])
    text += page([report], [details(view)])
    assert len(text) < 2**23 and text.encode()
    assert not any(ord(char) < 32 and char != "\n" for char in text)
    assert state(folder) == before
    assert time.monotonic() - start < SECONDS
    return {record["id"]: record for record in report["checks"]}


def test_links_devices_pipes_and_sockets(folder, tmp_path):
    (tmp_path / "secret").write_text("SECRET")
    for name in ("README.md", LOG):
        (folder / name).unlink()
    (folder / "README.md").symlink_to(tmp_path / "secret")
    (folder / LOG).symlink_to("/dev/zero")
    (folder / "up").symlink_to("..")
    (folder / "loop").symlink_to("loop")
    os.mkfifo(folder / "logs/b.log")
    with socket.socket(socket.AF_UNIX) as made:
        place = Path.cwd()
        os.chdir(folder)
        try:
            made.bind("logs/c.log")
        finally:
            os.chdir(place)
        found = check_all(folder)
    assert found["pkg.links"]["status"] == "FAIL" and found["pkg.files"]["status"] == "FAIL"
    assert "SECRET" not in json.dumps(found)


def test_a_link_into_a_folder_outside_is_not_followed(folder, tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/train_seed1.log").write_text("SECRET " + log_text(b"x"))
    (folder / "more").symlink_to(tmp_path / "logs")
    view = View(folder, Registry)
    with pytest.raises(Unreadable, match="out of the folder"):
        view.read("more/train_seed1.log", 10**6)
    assert "SECRET" not in json.dumps(check_all(folder))


def test_a_folder_that_is_exchanged_for_a_link_between_look_and_open(folder, tmp_path, monkeypatch):
    (tmp_path / "train_seed1337.log").write_text("SECRET")
    view = View(folder, Registry)
    path = view.path(LOG)
    (folder / "logs").rename(folder / "old")
    (folder / "logs").symlink_to(tmp_path)
    monkeypatch.setattr(view, "path", lambda name: path)
    with pytest.raises(Unreadable):
        view.read(LOG, 10**6)


@pytest.mark.parametrize("name", ["train_gpt.py", "submission.json", LOG, "README.md", "pgolf.lock"])
def test_ten_gigabytes(folder, name):
    with (folder / name).open("wb") as file:
        file.truncate(10 * 2**30)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    check_all(folder)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


def test_many_large_logs_share_one_budget(folder):
    for number in range(20):
        with (folder / f"logs/train_seed{number}.log").open("wb") as file:
            file.truncate(8 * 2**20)
    view = View(folder, Registry)
    for number in range(READ_BUDGET // (8 * 2**20)):
        view.read(f"logs/train_seed{number}.log", 2**24)
    with pytest.raises(Unreadable, match="more than"):
        view.read("logs/train_seed19.log", 2**24)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 50_000,
        '{"val_bpb": NaN}',
        '{"val_bpb": 1e999, "bytes_total": -1e999}',
        '{"val_bpb": ' + "9" * 5000 + "}",
        '{"val_bpb": ' + "9" * 4000 + ', "bytes_total": ' + "9" * 4000 + "}",
        '{"val_bpb": {"a": [1, 2, {"b": null}]}, "seeds": {"a": 1}, "seed_results": [[]]}',
        '{"val_bpb": "' + "x" * 10**6 + '"}',
        '{"name": "\\u202e\\u0007<script>alert(1)</script>", "author": "`|@everyone\\n# x"}',
        '{"val_bpb": true, "seeds": [1337, [], {}], "seed_results": {"1337": {"val_bpb": "1.25"}}}',
        "{}{}",
        "\ufeff{}",
    ],
)
def test_json(folder, text):
    (folder / "submission.json").write_text(text)
    check_all(folder)


@pytest.mark.parametrize(
    "data", [b"\xff\xfe\x00", b"\x00" * 1000, b"\x1b[2J\x1b]0;x\x07", b"= [[" * 3000, b"[a]\n" * 5000]
)
def test_bytes_that_are_no_text(folder, data):
    for name in ("submission.json", "train_gpt.py", "README.md", LOG, "pgolf.lock", "recipe.toml"):
        (folder / name).write_bytes(data)
    check_all(folder)


def test_names_with_line_breaks_and_escapes(folder):
    for name in (
        "a\nb.log",
        "\x1b[31m.py",
        "\u202egpj.exe",
        "<img src=x onerror=alert(1)>.log",
        b"\xff\xfe.txt",
        "x" * 250,
    ):
        (folder / os.fsdecode(name)).write_text(log_text(b"x", seed=7))
    check_all(folder)


def test_thousands_of_files_and_deep_folders(folder):
    for number in range(3000):
        (folder / f"f{number}.py").touch()
    deep = folder
    for _ in range(100):
        deep = deep / "d"
    deep.mkdir(parents=True)
    assert len(View(folder, Registry).walk()) <= ENTRY_LIMIT
    found = check_all(folder)
    assert found["pkg.extra"]["evidence"]["count"] == 3000


def test_files_that_nobody_may_read(folder):
    for name in ("train_gpt.py", "submission.json", LOG):
        (folder / name).chmod(0)
    (folder / "closed").mkdir(mode=0)
    try:
        check_all(folder)
    finally:
        (folder / "closed").chmod(0o700)


def test_a_folder_that_changes_meanwhile(folder):
    stop = threading.Event()

    def change():
        while not stop.is_set():
            (folder / LOG).unlink(missing_ok=True)
            (folder / "submission.json").write_text("{")
            (folder / LOG).write_text("step:1/2 train_loss:1")
            (folder / "new").mkdir(exist_ok=True)
            (folder / "new").rmdir()

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(5):
            view = View(folder, Registry)
            for item in all_checks():
                item.function(view)
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize(
    "code",
    [
        "x = " + "-" * 100_000 + "1",
        "x = a" + ".b" * 50_000,
        "x = " + " ^ ".join(["a * tgt"] * 20_000),
        "x" + "[0]" * 50_000,
        "exec(" * 90 + "'x'" + ")" * 90,
        "\n".join(f"exec(a{at} + a{at + 1})\na{at} = a{at + 1} + a{at + 1}" for at in range(500)),
        "if x:\n" + "".join(" " * at + "if x:\n" for at in range(1, 99)) + " " * 99 + "pass\n",
        "lambda: (" * 80 + "0" + ")" * 80,
        'f"' + "{f'" * 50,
        'f"' + "{" * 10_000,
        "x = '''" + "\\" * 100_001,
        "'" * 200_001,
        "def f():\n" + "  x = 1\n" * 20_000,
        "import " + ", ".join(f"m{at}" for at in range(20_000)),
        "x = [" + "1.5, " * 60_000 + "]",
        "type x" + " " * 300_000 + "\ndef (",
        "def " + "preq" * 90_000 + "(val_tokens):\n  " + "val" * 1000 + "()\n",
        "type x[" * 50_000,
    ],
    ids=range(18),
)
def test_code_made_to_be_slow(folder, code):
    (folder / "train_gpt.py").write_text(code)
    start = time.monotonic()
    check_all(folder)
    assert time.monotonic() - start < 20


def test_bombs_inside_bombs(folder):
    data = bytes(2**26)
    for _ in range(3):
        data = b"import zlib\nexec(zlib.decompress(" + repr(zlib.compress(data)).encode() + b"))\n"
    (folder / "train_gpt.py").write_bytes(data)
    found = check_all(folder)
    assert "decodes to more than" in found["code.unpack"]["message"]


def test_gzipped_logs_that_grow(folder):
    packer = zlib.compressobj(9, wbits=31)
    data = b"".join([*(packer.compress(b"step:1/2 " * 2**18) for _ in range(60)), packer.flush()])
    for number in range(3):
        (folder / f"logs/train_seed{number}.log.gz").write_bytes(data)
    (folder / "logs/cut.log.gz").write_bytes(data[:1000])
    (folder / "logs/no.log.gz").write_bytes(b"nothing")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    check_all(folder)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


def test_a_large_script_of_one_literal(folder):
    (folder / "train_gpt.py").write_bytes(b"x = '" + b"y" * (CODE_LIMIT - 100) + b"'\n")
    found = check_all(folder)
    assert found["rule.prefix"]["status"] == "WARN" and found["size.shipped"]["status"] in ("FAIL", "WARN")


def test_a_check_that_breaks_is_a_failure_and_no_traceback(folder):
    def broken(view):
        raise ZeroDivisionError("x\x1b")

    found = reports.guarded(Check("a.b", "WARN", "s", "t", broken), View(folder, Registry))
    assert found.status == "FAIL" and "\\x1b" in found.message


def test_checks_that_come_too_late_are_not_judged_and_the_folder_has_not_passed(folder, monkeypatch):
    monkeypatch.setattr(reports, "SECONDS", -1.0)
    document = verify(View(folder, Registry))
    assert {record["status"] for record in document["checks"][:-1]} == {"SKIP"}
    assert document["checks"][-1]["id"] == "pkg.limits" and document["checks"][-1]["status"] == "FAIL"
    assert document["verdict"] == "fail"


def test_evidence_is_bounded():
    deep = []
    for _ in range(5000):
        deep = [deep]
    found = plain({"a": deep, "b": "x" * 10**6, "c": list(range(10**5)), 3: {1, 2}, "d": float("nan")})
    assert len(json.dumps(found, allow_nan=False)) < 50_000


def test_a_whole_run_leaves_no_trace_and_needs_no_torch(folder):
    (folder / "train_gpt.py").write_text("raise SystemExit(open('mark', 'w').write('x'))\n")
    before = state(folder)
    code = (
        "import sys\nfrom pgolf.cli.main import main\n"
        "try: main(sys.argv[1:], standalone_mode=False)\n"
        "except SystemExit as error: status = error.code\n"
        "assert 'torch' not in sys.modules and status == 1, status\n"
    )
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code, "verify", folder], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr and state(folder) == before


NAMES = ("train_gpt.py", "submission.json", LOG, "README.md", "recipe.toml")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["val_bpb", "seeds", "a"]), inner, max_size=4)
    ),
    max_leaves=12,
)
CORPUS = sorted(SPLIT.glob("*"))
MUTATIONS = st.one_of(
    st.tuples(st.just("flip"), st.sampled_from(NAMES), st.integers(0, 10**6), st.integers(1, 255)),
    st.tuples(st.just("cut"), st.sampled_from(NAMES), st.integers(0, 3000)),
    st.tuples(st.just("swap"), st.sampled_from(NAMES), st.sampled_from(NAMES)),
    st.tuples(st.just("drop"), st.sampled_from(NAMES)),
    st.tuples(st.just("field"), st.sampled_from(FIELDS), JSON),
    st.tuples(st.just("json"), JSON),
    st.tuples(
        st.just("number"), st.sampled_from(["nan", "inf", "1e400", "-1", "0", "9" * 400, "x"]), st.integers(0, 60)
    ),
    st.tuples(st.just("twice"), st.sampled_from(NAMES), st.integers(0, 3000)),
)


def fuzz(tmp_path_factory, kind, steps):
    folder = good_folder(tmp_path_factory.mktemp("fuzz") / "toy", kind)
    for step in steps:
        mutate(folder, step)
    check_all(folder)
    shutil.rmtree(folder)


QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
KINDS = st.sampled_from(mutations.KINDS)


@pytest.mark.ci
@settings(max_examples=100, deadline=None, suppress_health_check=QUIET)
@given(kind=KINDS, steps=st.lists(MUTATIONS, min_size=1, max_size=4))
def test_mutated_folders(tmp_path_factory, kind, steps):
    fuzz(tmp_path_factory, kind, steps)


@pytest.mark.slow
@settings(max_examples=3000, deadline=None, suppress_health_check=QUIET)
@given(kind=KINDS, steps=st.lists(MUTATIONS, min_size=1, max_size=6))
def test_many_mutated_folders(tmp_path_factory, kind, steps):
    fuzz(tmp_path_factory, kind, steps)


@pytest.mark.slow
@pytest.mark.skipif(not CORPUS, reason="the development split is not here")
@pytest.mark.parametrize("seed", range(200))
def test_mutated_logs_of_others(tmp_path, seed):
    chance = random.Random(seed)
    folder = copy_of(chance.choice(CORPUS) / "files", tmp_path / "toy")
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        data = bytearray(path.read_bytes())
        for _ in range(chance.randrange(40)):
            at = chance.randrange(len(data) + 1)
            data[at : at + chance.choice((0, 1, 1, 5))] = chance.choice(PIECES)
        path.write_bytes(data)
    (folder / "README.md").write_text("x")
    (folder / "train_gpt.py").write_text("import torch\n")
    check_all(folder)
