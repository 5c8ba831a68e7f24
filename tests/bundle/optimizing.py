"""What a pass makes of a program: the text after it, once that is verified and prints what the program printed."""

import ast

from program_stages import run

from pgolf.bundle.link import Flat, Owned
from pgolf.bundle.manager import run as run_pass
from pgolf.bundle.program import Program
from pgolf.bundle.verification import verify, verify_text

MAIN = "if __name__ == '__main__':\n"
ENTRY = ("make_program", "SETTINGS", "")
"""What the entry defines; all else is of another module."""


def flat(text):
    """The flat module of a text, with the entry's statements owned by it."""
    nodes = ast.parse(text).body
    names = [getattr(node, "name", "") or _target(node) for node in nodes]
    return Flat(
        tuple(Owned("__main__" if name in ENTRY else "code", node) for name, node in zip(names, nodes, strict=True))
    )


def _target(node):
    return node.targets[0].id if isinstance(node, ast.Assign) else "imports" if isinstance(node, ast.ImportFrom) else ""


def after(text, *passes):
    """The program after these passes; it must print the same."""
    program = Program.of(flat(text))
    for one in passes:
        before = program.all_facts()
        run_pass(one, program)
        verify(one.name, before, program)
        verify_text(one.name, program.flat)
    assert run(program.flat.text) == run(text), program.flat.text
    return program.flat.text


def same(text):
    """A text as `ast` writes it."""
    return ast.unparse(ast.parse(text)) + "\n"
