"""Random programs through the stages: the text after each, and what each prints."""

import contextlib
import io
import sys
import tempfile
import types
import warnings
from pathlib import Path

from pgolf.bundle.link import link, reach
from pgolf.bundle.manager import PLAN, shake, specialize
from pgolf.bundle.minify.minify import minify
from pgolf.bundle.rules.subset import check
from pgolf.bundle.source import load

LINES = 3000
STAGES = ("linked", "specialized", "shaken", "minified")


class TooLong(BaseException):
    """A program printed more than `LINES` pieces; nothing in it catches this."""


class Output(io.StringIO):
    """Standard output that ends a program which does not end."""

    pieces = 0

    def write(self, text):
        self.pieces += 1
        if self.pieces > 4 * LINES:
            raise TooLong
        return super().write(text)


def run(text, extra=None):
    """What a program prints as its own main module, and how it ended."""
    module = types.ModuleType("__main__")
    before = {name: sys.modules.get(name) for name in ("__main__", *(extra or {}))}
    sys.modules["__main__"] = module
    printed, end = Output(), ""
    try:
        with contextlib.redirect_stdout(printed), warnings.catch_warnings(action="ignore"):
            for name, source in (extra or {}).items():
                sys.modules[name] = types.ModuleType(name)
                exec(compile(source, name, "exec"), sys.modules[name].__dict__)
            exec(compile(text, "program", "exec"), module.__dict__)
    except TooLong:
        end = "too long"
    except Exception as error:
        end = f"ended by {type(error).__name__}"
    finally:
        for name, found in before.items():
            sys.modules.pop(name)
            if found is not None:
                sys.modules[name] = found
    return printed.getvalue() + end


def live(entry, sources):
    """What the modules print, imported as they are."""
    order = [name for name in ("records", "other", "parts", "components", "code_") if name in sources]
    return run(entry, {name: sources[name] for name in order})


def opened(entry, sources):
    """(modules, findings of the subset rules)."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for module, text in sources.items():
            (folder / f"{module}.py").write_text(text, encoding="utf-8")
        modules = load(entry, lambda module: folder / f"{module}.py" if module in sources else None)
    reach(modules)
    return modules, [str(finding) for finding in check(list(modules.values()))]


def stages(modules, plan=PLAN):
    """The program's text after each of `STAGES`."""
    linked = link(modules)
    specialized = specialize(linked, plan)
    shaken = shake(specialized)
    texts = linked.text, specialized.text, shaken.text, minify(shaken).text
    return dict(zip(STAGES, texts, strict=True))
