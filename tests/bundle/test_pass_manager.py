"""The pass manager: its plan, its checks, and the names in its errors."""

import ast
import dataclasses
import textwrap
from pathlib import Path

import pytest
from test_settings_specialization import flat, parts

from pgolf.bundle.link import Flat, Owned
from pgolf.bundle.manager import PLAN, specialize
from pgolf.bundle.minify.minify import minify
from pgolf.bundle.passes.contract import Pass
from pgolf.bundle.passes.settings_specialization import SETTINGS_SPECIALIZATION
from pgolf.bundle.passes.tree_shaking import TREE_SHAKING
from pgolf.errors import PgolfError


def test_every_pass_says_what_it_needs_and_what_it_gives():
    for one in PLAN:
        assert one.name and one.requires and one.ensures
    assert len({one.name for one in PLAN}) == len(set(PLAN))


def test_a_plan_stops_where_it_is_told_to():
    code = "def unused(): return 1\ndef run(settings, program):\n    return settings.depth\n"
    texts = [specialize(flat(code), stop_after=number).text for number in range(3)]
    assert "settings.depth" in texts[0] and "return 4" in texts[1] and "unused" in texts[1] and "unused" not in texts[2]
    assert specialize(flat(code), stop_after=len(PLAN)).text == specialize(flat(code)).text


def test_passes_end_when_all_that_would_follow_has_changed_nothing():
    runs = []
    quiet = Pass("quiet-pass", lambda program: runs.append(1), requires="nothing", ensures="nothing")
    busy = Pass("busy-pass", lambda program: program.changed(program.body[0]), requires="nothing", ensures="nothing")
    code = flat("def run(settings, program): return 1\n")
    specialize(code, (quiet,) * 50)
    assert len(runs) == 1
    runs.clear()
    specialize(code, (*(quiet,) * 10, busy))
    assert len(runs) == 10, "however many did nothing, one that has not run yet may"
    runs.clear()
    specialize(code, (quiet, busy) * 25)
    assert len(runs) == 25


def broken(change):
    return Pass("broken-pass", change, requires="nothing", ensures="nothing")


def capture(program):
    program.put(
        program.reads["settings"][0], ast.Name(id="value", ctx=ast.Load())
    ) if "settings" in program.reads else None
    program.remove([program.functions["helper"]])


def mistake(program):
    raise KeyError("what")


def no_python(program):
    function = program.functions["helper"]
    function.body[0].value = ast.Await(value=function.body[0].value)
    program.changed(function)


@pytest.mark.parametrize(("change", "debug"), [(capture, False), (mistake, False), (no_python, True)])
def test_an_error_names_the_pass(change, debug):
    text = flat("def helper(): return 1\ndef run(settings, program):\n    value = 3\n    return value, helper()\n")
    with pytest.raises(PgolfError) as caught:
        specialize(text, (SETTINGS_SPECIALIZATION, broken(change), TREE_SHAKING), debug=debug)
    assert caught.value.code == "PG401" and "broken-pass" in str(caught.value)


def test_debugging_comes_from_the_environment(monkeypatch):
    text = flat("def helper(): return 1\ndef run(settings, program): return helper()\n")
    monkeypatch.setenv("PGOLF_VERIFY_PASSES", "1")
    with pytest.raises(PgolfError, match="pass 1, broken-pass"):
        specialize(text, (broken(no_python),))


def test_a_pass_may_not_be_given_by_its_name():
    with pytest.raises(AttributeError):
        specialize(flat("def run(settings, program): return 1\n"), ("tree-shaking",))
    assert dataclasses.is_dataclass(PLAN[0])


def test_fields_that_nothing_reads_any_more_disappear():
    text = specialize(
        flat("def run(settings, program):\n    print(settings.depth, program.names, program.clock)\n")
    ).text
    assert "Settings" not in text and "Program" not in text and "rate" not in text and "print(4, " in text


def test_a_record_whose_fields_are_read_stays():
    code = "def helper(settings, x): return settings.depth\nclass A:\n    def f(self, x): return x(self.settings)\n"
    code += "def run(settings, program, x): return A().f(x), settings.depth is x, f'{settings.depth:{x}}', settings\n"
    assert "SETTINGS = Settings(" in specialize(parts(code)).text


def test_the_example_of_the_docs_is_what_the_stages_make():
    page = (Path(__file__).parents[2] / "docs" / "bundling.md").read_text(encoding="utf-8")
    section = page.split("### One example")[1].split("\n### ")[0]
    parts = [part for part in section.split("\n\n") if part.startswith("    ")]
    linked, *later, minified = [ast.unparse(ast.parse(textwrap.dedent(part))) for part in parts]
    before = entry_flat(linked)
    texts = [plain(specialize(before, stop_after=number).text) for number in range(len(PLAN) + 1)]
    assert len(later) == 5
    for number, part in enumerate(later):
        pieces = [plain(ast.unparse(node)) for node in ast.parse(part).body]
        assert any(all(piece in text for piece in pieces) for text in texts), (
            f"part {number + 1} of the example:\n{part}"
        )
    assert plain(minify(specialize(before)).text) == plain(minified)


def entry_flat(text):
    nodes = ast.parse(text).body
    names = [getattr(node, "name", "") or getattr(getattr(node, "targets", [None])[0], "id", "") for node in nodes]
    entry = [
        name in ("SETTINGS", "make_program") or isinstance(node, ast.If)
        for name, node in zip(names, nodes, strict=True)
    ]
    return Flat(tuple(Owned("__main__" if own else "m", node) for own, node in zip(entry, nodes, strict=True)))


def plain(text):
    return ast.unparse(ast.parse(text))
