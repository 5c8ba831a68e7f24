"""Wrong stages: each changes a program as a careless pass would. The tests must see the difference."""

import ast
import copy

HELPERS = (
    "number",
    "see",
    "fail",
    "Guard",
    "print",
    "len",
    "sum",
    "map",
    "min",
    "range",
    "list",
    "tuple",
    "isinstance",
)


def _functions(tree):
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def _calls(tree):
    """Calls of the program's own functions by position alone."""
    own = set(_functions(tree)) - {*HELPERS, "work"}
    for node in ast.walk(tree):
        plain = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords
        if plain and node.func.id in own and not any(isinstance(item, ast.Starred) for item in node.args):
            yield node


def _blocks(tree):
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list) and not isinstance(node, ast.Module):
                yield block


def _acts(node):
    return any(isinstance(item, ast.Call) for item in ast.walk(node))


def arguments_in_another_order(tree):
    """An inlined call computes its last argument first."""
    for node in _calls(tree):
        if len(node.args) > 1 and _acts(node.args[-1]) and _acts(node.args[-2]):
            names = [f"given_{place}" for place in range(len(node.args))]
            turned = ast.parse(
                f"(lambda {', '.join(names[::-1])}: {node.func.id}({', '.join(names)}))()", mode="eval"
            ).body
            turned.args = node.args[::-1]
            node.func, node.args = turned.func, turned.args


def arguments_exchanged(tree):
    """An inlined call gives its parameters each other's values."""
    for node in _calls(tree):
        if len(node.args) > 1:
            node.args[-1], node.args[-2] = node.args[-2], node.args[-1]


def arguments_twice(tree):
    """An argument with an effect is written wherever its parameter is read."""
    for node in _calls(tree):
        if node.args and _acts(node.args[-1]):
            node.args[-1] = ast.Subscript(
                ast.List([copy.deepcopy(node.args[-1]), node.args[-1]], ast.Load()), ast.Constant(1), ast.Load()
            )


def one_call_decides(tree):
    """A parameter becomes the literal of one call, although another gives something else."""
    functions = _functions(tree)
    for node in list(_calls(tree)):
        for place, value in enumerate(node.args):
            if isinstance(value, ast.Constant):
                function = functions[node.func.id]
                name = function.args.args[place].arg
                function.body.insert(0, ast.Assign([ast.Name(name, ast.Store())], copy.deepcopy(value)))


def one_construction_decides(tree):
    """A record's field becomes the literal of one construction, although another gives something else."""
    records = {node.name for node in tree.body if isinstance(node, ast.ClassDef) and node.name in ("Span", "Rule")}
    given = {
        word.arg: word.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in records
        for word in node.keywords
        if isinstance(word.value, (ast.Constant, ast.Tuple)) and not _acts(word.value)
    }

    class Write(ast.NodeTransformer):
        def visit_Attribute(self, node):
            self.generic_visit(node)
            return copy.deepcopy(given[node.attr]) if node.attr in given and isinstance(node.ctx, ast.Load) else node

    Write().visit(tree)


def default_forgotten(tree):
    """An inlined function's default is lost: None in its place."""
    for function in _functions(tree).values():
        function.args.defaults = [ast.Constant(None) for _ in function.args.defaults]


def statements_exchanged(tree):
    """Two neighbours change places, as two lines of a constructor might."""
    for block in _blocks(tree):
        for place in range(len(block) - 1):
            if all(isinstance(item, (ast.Assign, ast.Expr)) and _acts(item) for item in block[place : place + 2]):
                block[place], block[place + 1] = block[place + 1], block[place]


def stores_exchanged(tree):
    """Two attributes of a constructor get each other's values."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            stores = [item for item in node.body if isinstance(item, ast.Assign)]
            if len(stores) > 1:
                stores[0].value, stores[1].value = stores[1].value, stores[0].value


def statement_dropped(tree):
    """An expression whose value nobody reads is dropped with its effect."""
    for block in _blocks(tree):
        block[:] = [item for item in block if not isinstance(item, ast.Expr) or isinstance(item.value, ast.Yield)] or [
            ast.Pass()
        ]


def store_renamed(tree):
    """An attribute is renamed where it is written, but not where it is read."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and node.attr == "tally":
            node.attr = "tallied"


def return_goes_on(tree):
    """An early return of an inlined body only computes its value."""

    class Go(ast.NodeTransformer):
        depth = 0

        def visit_If(self, node):
            self.depth += 1
            self.generic_visit(node)
            self.depth -= 1
            return node

        def visit_Return(self, node):
            return ast.Expr(node.value or ast.Constant(None)) if self.depth else node

    Go().visit(tree)


def floats_reassociated(tree):
    """(a * b) * c is computed as a * (b * c)."""

    class Turn(ast.NodeTransformer):
        def visit_BinOp(self, node):
            self.generic_visit(node)
            left = node.left
            if isinstance(node.op, ast.Mult) and isinstance(left, ast.BinOp) and isinstance(left.op, ast.Mult):
                return ast.BinOp(left.left, ast.Mult(), ast.BinOp(left.right, ast.Mult(), node.right))
            return node

    Turn().visit(tree)


def true_is_one(tree):
    """Equal literals are taken for the same."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node.value is True:
            node.value = 1


def both_sides_computed(tree):
    """`a or b` computes b in any case."""

    class Both(ast.NodeTransformer):
        def visit_BoolOp(self, node):
            self.generic_visit(node)
            values = ast.List([copy.deepcopy(node.values[-1]), node], ast.Load())
            return ast.Subscript(values, ast.Constant(1), ast.Load()) if _acts(node.values[-1]) else node

    Both().visit(tree)


def captured_late(tree):
    """A closure sees the variable's last value at once: one that is bound anew for each object is taken for one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ListComp) and isinstance(node.elt, ast.Lambda):
            node.elt.body = ast.parse(f"[*{ast.unparse(node.generators[0].iter)}][0]", mode="eval").body


def kept_object(tree):
    """One component serves where two were made."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict) and len(node.values) == 2 and ast.unparse(node.keys[0]) == "'a'":
            node.values[1] = node.values[0]


def last_tap_only(tree):
    """A loop over the chosen functions runs once."""
    for node in ast.walk(tree):
        if isinstance(node, ast.For) and ast.unparse(node.iter) == "program.taps":
            node.iter = ast.parse("program.taps[-1:]", mode="eval").body


def finally_forgotten(tree):
    """What a `finally` does is lost."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Try) and node.finalbody and node.handlers:
            node.finalbody = []


FAULTS = (
    *(arguments_in_another_order, arguments_exchanged, arguments_twice, one_call_decides, one_construction_decides),
    *(default_forgotten, statements_exchanged, stores_exchanged, statement_dropped, store_renamed, return_goes_on),
    *(floats_reassociated, true_is_one, both_sides_computed, captured_late, kept_object, last_tap_only),
    *(finally_forgotten,),
)


def spoiled(text, fault):
    """A program after a wrong stage, or an empty text where the stage found nothing to do."""
    tree = ast.parse(text)
    before = ast.dump(tree)
    fault(tree)
    after = ast.unparse(ast.fix_missing_locations(tree))
    return after if ast.dump(tree) != before else ""
