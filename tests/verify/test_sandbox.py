"""Escapes: what hostile programs try, as root and as a user, and what can be known without a sandbox."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest
from escapes import ESCAPES

from pgolf.verify import sandbox, sandbox_inside, sandbox_mounts, sandbox_probe
from pgolf.verify.sandbox import MEMORY_FOLDER_BYTES, Refused, open_sandbox, run_program, self_tested
from pgolf.verify.sandbox_limits import Limits, remove_cgroup
from pgolf.verify.sandbox_probe import ATTEMPTS

LIMITS = Limits(60.0, 2**30, processes=64, file_size=2**26, disk=2**26, files=500, output=2**20)


NO_SANDBOX = self_tested("bubblewrap")[1]


needs_bubblewrap = pytest.mark.skipif(bool(NO_SANDBOX), reason=NO_SANDBOX or "it is here")


@pytest.fixture
def work(tmp_path):
    """Removed at once: some programs leave folders that are too deep for Python."""
    (tmp_path / "work").mkdir()
    yield tmp_path / "work"
    subprocess.run(["rm", "-rf", str(tmp_path / "work")], check=True)


def run(code, work, limits=LIMITS, readonly=(), kind="bubblewrap"):
    """(result, output) of a program; names in capitals stand for places of this machine."""
    done = run_program(["-c", textwrap.dedent(code)], work, {}, limits, readonly, kind)
    output = done.output.read_text(errors="replace")
    done.output.unlink()
    return done, output


@needs_bubblewrap
def test_every_attempt_of_the_self_test_fails():
    found = open_sandbox()
    assert (found.kind, found.open, set(found.held)) == ("bubblewrap", (), {*ATTEMPTS} - {"work"})


PRELUDE = """
import ctypes, platform
SETS = ("CapEff", "CapPrm", "CapInh", "CapAmb")
SECRET, WORK, PARENT, HOST, SOCKET, NAME, PORT = {places!r}
def number(x86_64, aarch64):
    return dict(x86_64=x86_64, aarch64=aarch64)[platform.machine()]
def call(name, *arguments):
    if getattr(ctypes.CDLL(None), name)(*arguments) == -1:
        raise OSError(name)
"""


def attempt(codes, folder):
    """name -> whether it got through: programs one after another in one sandbox, each in a process of its own."""
    (folder / "secret").write_text("key")
    with socket.socket(socket.AF_UNIX) as path, socket.socket(socket.AF_UNIX) as name, socket.socket() as port:
        path.bind(str(folder / "s"))
        name.bind(f"\0pgolf-test-{os.getpid()}")
        port.bind(("127.0.0.1", 0))
        for server in (path, name, port):
            server.listen()
        places = (str(folder / "secret"), str(folder / "work"), str(folder), os.getpid(), str(folder / "s"))
        places += (f"pgolf-test-{os.getpid()}", port.getsockname()[1])
        script = "import json, subprocess, sys\nfound = {}\n"
        script += f"for name, code in {codes!r}.items():\n"
        script += f"    code = {PRELUDE.format(places=places)!r} + code\n"
        script += (
            "    found[name] = subprocess.run([sys.executable, '-c', code], capture_output=True).returncode == 0\n"
        )
        script += "print(json.dumps(found))"
        done, output = run(script, folder / "work")
    assert (done.status, done.excess) == (0, ""), output
    return json.loads(output.splitlines()[-1])


@needs_bubblewrap
def test_no_escape_gets_through(tmp_path, work, monkeypatch):
    monkeypatch.setenv("PGOLF_SECRET", "in the environment of the verifier")
    found = attempt(ESCAPES, tmp_path)
    assert [name for name, through in found.items() if through] == [] and len(found) == len(ESCAPES)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s", "secret", "work"]


@needs_bubblewrap
def test_what_a_program_needs_goes_through(tmp_path, work):
    """Otherwise the escapes would fail for another reason."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "shard").write_text("tokens")
    code = f"""
    import multiprocessing, os, subprocess, sys, tempfile, threading, zlib
    assert open({str(data / "shard")!r}).read() == "tokens" and os.listdir(os.environ["HOME"]) == []
    assert os.getuid() == os.getgid() == 65534 and "SECRET_TOKEN" not in os.environ
    open("result", "w").write("done")
    tempfile.NamedTemporaryFile().write(b"x")
    assert subprocess.run(["sh", "-c", "exit 3"]).returncode == 3
    thread = threading.Thread(target=print); thread.start(); thread.join()
    multiprocessing.Lock()
    """
    done, output = run(code, work, readonly=(data,))
    assert (done.status, done.excess) == (0, ""), output
    assert (work / "result").read_text() == "done"
    done, output = run(f"open({str(data / 'shard')!r}, 'a')", work, readonly=(data,))
    assert done.status == 1 and ("Read-only file system" in output or "Permission denied" in output)


def test_the_environment_is_bare(work, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "x")
    code = "import os; print(os.environ.get('SECRET_TOKEN'), os.listdir(os.environ['HOME']))"
    kind = "none" if NO_SANDBOX else "bubblewrap"
    assert run(code, work, kind=kind)[1].strip() == "None []"


LEAVERS = {
    "a session of its own": "os.setsid(); time.sleep(600)",
    "a child of nobody": "os.fork() and os._exit(0); os.setsid(); os.fork() and os._exit(0); time.sleep(600)",
    "one that hears no signal": "[signal.signal(n, signal.SIG_IGN) for n in (1, 2, 3, 13, 14, 15, 18)]; time.sleep(600)",
}


@needs_bubblewrap
@pytest.mark.parametrize("leaver", LEAVERS)
def test_nothing_outlives_a_run(leaver, work):
    """The program ends at once and leaves a child; its name is looked for on this machine."""
    mark = f"pgolf-leaver-{os.getpid()}-{abs(hash(leaver))}"
    child = f"import os, signal, time; {LEAVERS[leaver]} # {mark}"
    code = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {child!r}]); time.sleep(0.5); print('left')"
    assert run(code, work)[1].strip() == "left"
    left = [path for path in Path("/proc").glob("[0-9]*/cmdline") if mark.encode() in read(path)]
    assert left == []


def read(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


EXCESSES = {
    "time": ("while True: pass", "did not end", {"seconds": 1.0}),
    "printing": ("while True: print('x' * 4096)", "printed more", {}),
    "disk": (
        "f = [open(str(n), 'wb') for n in range(99)]\nfor x in f: x.write(bytes(2**23))\ntime.sleep(60)",
        "wrote more",
        {},
    ),
    "deleted files": (
        "f = [open(str(n), 'wb') for n in range(99)]\n[os.remove(str(n)) for n in range(99)]\n"
        "for x in f: x.write(bytes(2**23)); x.flush()\ntime.sleep(60)",
        "wrote more",
        {},
    ),
    "disk, and it ends at once": ("for n in range(9): open(str(n), 'wb').write(bytes(2**23))", "wrote more", {}),
    "files, and it ends at once": ("for n in range(501): open(str(n), 'w')", "made more than 500 files", {}),
    "printing, and it ends at once": ("print('x' * 2**20)", "printed more", {}),
    "files": ("for n in range(10**5): open(str(n), 'w')\ntime.sleep(60)", "made more than 500 files", {}),
    "deep folders": (
        "for n in range(2000): os.mkdir('d' * 200); os.chdir('d' * 200)\ntime.sleep(60)",
        "paths that are too long",
        {},
    ),
    "memory of many": (
        "for n in range(8): os.fork() or (x := bytearray(2**25), [x.__setitem__(k, 1) for k in range(0, 2**25, 4096)], "
        "time.sleep(60))\ntime.sleep(60)",
        "of memory",
        {"memory": 2**27},
    ),
}


@needs_bubblewrap
@pytest.mark.parametrize("name", EXCESSES)
def test_a_limit_of_all_processes_ends_a_run(name, work):
    code, said, changes = EXCESSES[name]
    done, output = run("import os, time\n" + code, work, replace(LIMITS, **changes))
    assert said in done.excess, (done, output[-500:])


@needs_bubblewrap
def test_the_kernel_keeps_the_limits_of_one_process(work):
    fork = "import os, time\nn = 0\ntry:\n    while n < 5000:\n        os.fork() or time.sleep(600); n += 1\n"
    done, output = run(fork + "except OSError: print(n)", work)
    assert done.excess == "" and int(output) <= LIMITS.processes
    done, output = run("open('x', 'wb').truncate(2**27)", work)
    assert done.status != 0 and "File too large" in output
    done, output = run("bytearray(2**31)", work, replace(LIMITS, addresses=2**30))
    assert done.status == 1 and "MemoryError" in output
    assert MEMORY_FOLDER_BYTES == 2**31
    done, output = run("import os; s = os.statvfs('/tmp'); print(s.f_blocks * s.f_frsize)", work)
    assert int(output) == MEMORY_FOLDER_BYTES


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs root and setpriv")
@pytest.mark.skipif(shutil.which("bwrap") is None, reason="needs bubblewrap")
def test_the_same_as_a_user_who_is_not_root(tmp_path):
    """These tests again, by a Python that this user may read."""
    base = next((path for path in ("/usr/bin/python3", "/usr/local/bin/python3") if Path(path).exists()), "")
    check = "import sys; assert sys.version_info >= (3, 11); import pytest, numpy, pgolf"
    paths = [
        str(Path(sandbox.__file__).parents[2]),
        str(Path(__file__).parent),
        *(path for path in sys.path if path.endswith("site-packages")),
    ]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(paths), "HOME": "/nonexistent"}
    env |= {"PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": "/tmp"}
    user = ["setpriv", "--reuid=1234", "--regid=1234", "--clear-groups", base or "/nowhere"]
    if subprocess.run([*user, "-c", check], env=env, cwd="/", capture_output=True, check=False).returncode:
        pytest.skip("there is no Python here that another user may run")
    command = [
        *user,
        "-m",
        "pytest",
        "-q",
        "--noconftest",
        "-p",
        "no:cacheprovider",
        f"--basetemp=/tmp/pgolf-user-{os.getpid()}",
    ]
    done = subprocess.run([*command, "-rs", __file__], env=env, cwd="/", capture_output=True, text=True, check=False)
    subprocess.run(["rm", "-rf", f"/tmp/pgolf-user-{os.getpid()}"], check=True)
    assert done.returncode == 0 and " passed" in done.stdout, done.stdout[-3000:] + done.stderr[-1000:]
    skipped = [line for line in done.stdout.splitlines() if line.startswith("SKIPPED")]
    assert all("no cgroup can be made" in line or "needs root" in line for line in skipped), done.stdout[-3000:]


def test_a_sandbox_that_does_not_hold_is_refused(monkeypatch):
    """Also one that only has the name: a `bwrap` that runs the command as it is."""
    monkeypatch.setattr(sandbox, "bubblewrap", lambda command, *rest: list(command))
    monkeypatch.setattr(sandbox, "self_tested", self_tested.__wrapped__)
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: "/usr/bin/" + name)
    monkeypatch.setattr(sandbox_mounts, "NOBODY", 0)
    with pytest.raises(Refused, match=r"bubblewrap does not (hold|work) here"):
        open_sandbox()
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    with pytest.raises(Refused, match="there is no bubblewrap here; install bubblewrap"):
        open_sandbox()


@needs_bubblewrap
@pytest.mark.parametrize("name", ["mounts", "work"])
def test_a_refusal_has_the_error_of_an_attempt_that_breaks(name, monkeypatch, tmp_path):
    """Such as a list of accounts that a sandbox does not have."""
    text = Path(sandbox_probe.__file__).read_text(encoding="utf-8")
    function = sandbox_probe.ATTEMPTS[name].__name__
    signature = f"def {function}(targets: Targets) -> bool:\n"
    assert signature in text
    (tmp_path / "sandbox_probe.py").write_text(text.replace(signature, signature + "    raise KeyError('no name')\n"))
    (tmp_path / "sandbox_inside.py").write_text(Path(sandbox_inside.__file__).read_text())
    monkeypatch.setattr(sandbox, "__file__", str(tmp_path / "sandbox.py"))
    monkeypatch.setattr(sandbox, "self_tested", self_tested.__wrapped__)
    with pytest.raises(Refused, match=r"KeyError\('no name'\)"):
        open_sandbox()


@pytest.fixture
def real_group():
    """A cgroup of version 2 that the kernel made, without limits: not every machine hands memory and pids to it."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    group = Path(next((part[1] for part in mounts if part[2] == "cgroup2"), "/none"), f"pgolf-test-{os.getpid()}")
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"no cgroup can be made here: {error}")
    yield group
    remove_cgroup(group)


def test_a_program_starts_in_its_cgroup(real_group, work, monkeypatch):
    monkeypatch.setattr(sandbox, "own_cgroup", lambda limits: contextlib.nullcontext(real_group))
    done, output = run("print(open('/proc/self/cgroup').read())", work, kind="none")
    assert f"0::/{real_group.name}\n" in output and done.limits == "cgroup and watcher"
    assert (real_group / "cgroup.procs").read_text() == ""


def test_what_is_left_in_a_cgroup_is_killed_with_it(real_group):
    # In one write each: two processes print into one pipe.
    code = "import os, sys, time; sys.stdin.readline(); os.write(1, b'%d\\n' % os.fork()); os.setsid(); time.sleep(600)"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe, text=True) as child:
        (real_group / "cgroup.procs").write_text(str(child.pid))
        child.stdin.write("\n")
        child.stdin.flush()
        numbers = {child.stdout.readline().strip(), child.stdout.readline().strip()}
        remove_cgroup(real_group)
        assert child.wait(10) == -9 and not real_group.exists()
    (other,) = numbers - {"0"}
    assert not Path("/proc", other, "exe").exists()
