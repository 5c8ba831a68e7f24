"""Live against built: the entry module and the packed file, each in a process of its own, must agree bit for bit."""

from pgolf.testing import live_and_built, run_recorded

__all__ = ["live_and_built", "run_recorded"]
