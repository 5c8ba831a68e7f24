"""Writes `pgolf/bundle/callback_keywords.txt`, the keywords with which libraries call what they are handed.

    python tests/bundle/callback_keywords.py > pgolf/bundle/callback_keywords.txt

A call says `f(x, name=y)`. Where `f` is a function or class of the library, nobody else is called. So the words are those of
calls whose function is a variable, an attribute that no class and no module of the libraries defines, an item, or a result.
"""

import ast
import warnings
from pathlib import Path

from external_names import STANDARD, source_of

from pgolf.bundle.meanings import BUILTINS

PACKAGES = ("numpy", "sentencepiece", "torch")
REFUSED = (
    "torch/testing",
    "torch/jit",
    "torch/fx",
    "torch/onnx",
    "torch/export",
    "torch/ao",
    "torch/_vendor",
    "/tests/",
)
"""What no program may use, or what calls nothing of it: rule PG305."""


def sources():
    """The text of every module of the libraries."""
    for module in STANDARD:
        path = Path(source_of(module))
        paths = sorted(path.parent.rglob("*.py")) if path.name == "__init__.py" else [path] * (path.suffix == ".py")
        yield from (one.read_text(encoding="utf-8") for one in paths if "/test" not in str(one))
    for package in PACKAGES:
        root = Path(source_of(package)).parent
        for path in sorted(root.rglob("*.py")):
            if not any(part in str(path) for part in REFUSED):
                yield path.read_text(encoding="utf-8")


class Calls(ast.NodeVisitor):
    """What one module defines, and its calls with keywords.

    Attributes:
        defined: its functions, classes and methods, those inside functions too.
        known: the names that its top level binds.
        calls: (call, names that functions around it define or import).
    """

    def __init__(self, tree):
        self.defined, self.calls, self.inside = set(), [], [set()]
        self.known = {name for node in tree.body for name in bound_by(node)}
        self.visit(tree)

    def visit_FunctionDef(self, node):
        self.defined.add(node.name)
        self.inside.append({name for line in ast.walk(node) if line is not node for name in bound_by(line)})
        self.generic_visit(node)
        self.inside.pop()

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node):
        self.defined.add(node.name)
        self.generic_visit(node)

    def visit_Call(self, node):
        if any(word.arg for word in node.keywords):
            self.calls.append((node, set().union(*self.inside)))
        self.generic_visit(node)


def bound_by(node):
    """Names that a statement defines or imports."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [alias.asname or alias.name.partition(".")[0] for alias in node.names]
    return []


def may_be_handed(call, module, inside, defined):
    """May the function of a call be one that a program has handed to the library?"""
    func = call.func
    if isinstance(func, ast.Name):
        return func.id not in (inside | module.known | BUILTINS)
    return func.attr not in defined if isinstance(func, ast.Attribute) else True


def keywords():
    """Every such keyword."""
    modules = [Calls(ast.parse(text)) for text in sources()]
    defined = set().union(*(module.defined for module in modules))
    found = set()
    for module in modules:
        for call, inside in module.calls:
            if may_be_handed(call, module, inside, defined):
                found.update(word.arg for word in call.keywords if word.arg)
    return found


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print("".join(f"{name}\n" for name in sorted(keywords())), end="")
