"""The codes that a module yields under the rules of the subset."""

from pgolf.bundle.link import reach
from pgolf.bundle.rules.subset import check
from pgolf.bundle.source import load

ENTRY = 'from sample import run\nif __name__ == "__main__":\n    run()\n'
RECORD_ENTRY = """from typing import NamedTuple
from sample import run
class Settings(NamedTuple):
    depth: int
class Program(NamedTuple):
    taps: tuple
SETTINGS = Settings(depth=3)
def make_program():
    return Program(taps=())
if __name__ == "__main__":
    run(SETTINGS, make_program())
"""


def findings(project, text, entry=ENTRY, **others):
    """What the rules say of a module called `sample`."""
    modules = load(entry, project({"sample": text, **others}))
    reach(modules)
    return check(list(modules.values()))


def codes(project, text, entry=ENTRY, **others):
    """Codes that a module called `sample` yields."""
    return [finding.code for finding in findings(project, text, entry, **others)]
