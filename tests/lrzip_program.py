"""The real lrzip where there is one, and stand-ins that copy, fail, hang or damage."""

import shutil
import sys

import pytest

needs_lrzip = pytest.mark.skipif(shutil.which("lrzip") is None, reason="needs the program lrzip: apt-get install lrzip")

# Reads and writes the options that the plugin gives; a stream is "LRZI", version, size, data, checksum.
PROGRAM = """#!{python}
import pathlib, sys, time, zlib

arguments = sys.argv[1:]
source, target = pathlib.Path(arguments[-1]).read_bytes(), pathlib.Path(arguments[arguments.index("-o") + 1])
mode = {mode!r}
if mode == "hangs":
    time.sleep(600)
if mode == "fails":
    sys.exit("out of luck")
if "-d" in arguments:
    if source[:4] != b"LRZI" or zlib.crc32(source[14:-4]).to_bytes(4, "little") != source[-4:]:
        sys.exit("damaged")
    made = source[14:-4]
else:
    made = b"LRZI\\0\\6" + len(source).to_bytes(8, "little") + source + zlib.crc32(source).to_bytes(4, "little")
if mode == "damages" and "-d" in arguments:
    made = bytes([made[0] ^ 1]) + made[1:]
if mode == "swells" and "-d" in arguments:
    made *= 1000
if mode != "silent":
    target.write_bytes(made)
"""


def put_lrzip(folder, monkeypatch, mode="copies"):
    """A stand-in named lrzip, first on PATH."""
    folder.mkdir(exist_ok=True)
    path = folder / "lrzip"
    path.write_text(PROGRAM.format(python=sys.executable, mode=mode))
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder
