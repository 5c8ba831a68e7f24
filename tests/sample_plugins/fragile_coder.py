"""Sample plugin for tests: deflate, but a file named "breaks" in the working directory says how it fails instead.

Source: pgolf's tests.
"""

import os
import signal
import zlib
from pathlib import Path

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="fragile_coder",
    summary="Deflate that may fail.",
    source="pgolf tests",
    family="compressor",
    replaces=("zlib",),
)


class FragileCoder:
    """Raises, ends the process at once, or hangs where "breaks" says so."""

    name = "zlib"

    def compress(self, data, ledger):
        how = Path("breaks").read_text() if Path("breaks").exists() else ""
        if how == "raise":
            raise ValueError("no room to pack")
        if how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        packed = zlib.compress(data, 9)
        ledger.note("fragile_coder", f"{len(data)} -> {len(packed)} bytes")
        return packed

    def decompress(self, data, limit):
        return zlib.decompressobj().decompress(data, limit)


@hookimpl
def entropy_coder(settings):
    return Component(FragileCoder)
