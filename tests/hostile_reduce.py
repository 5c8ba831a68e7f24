"""Makes a program that shows a fault smaller, statement by statement and expression by expression."""

import ast
import copy

from hostile_stages import outcome

BLOCKS = ("body", "orelse", "finalbody", "handlers")


def places(node):
    """(node, field, index) of every statement and argument of a call, from the end: what calls others goes before these."""
    for field in BLOCKS:
        block = getattr(node, field, None)
        for index in range(len(block) - 1, -1, -1) if isinstance(block, list) else ():
            yield node, field, index
            yield from places(block[index])
    if isinstance(node, ast.stmt):
        calls = [part for part in ast.walk(node) if isinstance(part, ast.Call)]
        yield from ((call, "args", index) for call in calls for index in range(len(call.args) - 1, -1, -1))


def without(tree, number):
    """A copy without the statement or argument of this number, or None where there is no more."""
    tree = copy.deepcopy(tree)
    for place, (node, field, index) in enumerate(places(tree)):
        if place == number:
            del getattr(node, field)[index]
            if field == "body" and not node.body and not isinstance(node, ast.Module):
                node.body.append(ast.Pass())
            return tree
    return None


def simpler(tree, number):
    """A copy in which the expression of this number is a part of itself or a literal; None where there is no more."""
    tree = copy.deepcopy(tree)
    count = 0
    for node in ast.walk(tree):
        for field, value in list(ast.iter_fields(node)):
            values = value if isinstance(value, list) else [value]
            for place, part in enumerate(values):
                if not isinstance(part, ast.expr) or isinstance(part, (ast.Constant, ast.Name)):
                    continue
                choices = [child for child in ast.iter_child_nodes(part) if isinstance(child, ast.expr)]
                for choice in [ast.Constant(1), *choices]:
                    if count == number:
                        if isinstance(value, list):
                            value[place] = choice
                        else:
                            setattr(node, field, choice)
                        return tree
                    count += 1
    return None


def unwrapped(tree, number):
    """A copy in which what stands in a compound statement stands in its place."""
    tree = copy.deepcopy(tree)
    count = 0
    for node in ast.walk(tree):
        for field in BLOCKS:
            block = getattr(node, field, None)
            for place, part in enumerate(block if isinstance(block, list) else ()):
                if isinstance(part, (ast.If, ast.For, ast.While, ast.With, ast.Try)):
                    if count == number:
                        block[place : place + 1] = part.body
                        return tree
                    count += 1
    return None


def reduced(entry, sources, wanted, limit=900):
    """The sources with a smaller `code_`, in which the same goes wrong at the same stage."""
    tree = ast.parse(sources["code_"])
    tries = 0

    def shows(candidate):
        nonlocal tries
        tries += 1
        try:
            text = ast.unparse(ast.fix_missing_locations(candidate))
            found = outcome(entry, {**sources, "code_": text})
        except (SyntaxError, ValueError):
            return False
        return (found.kind, found.stage) == (wanted.kind, wanted.stage)

    for change in (without, unwrapped, without, simpler, without):
        number = 0
        while tries < limit and (candidate := change(tree, number)) is not None:
            if shows(candidate):
                tree = candidate
            else:
                number += 1
    return {**sources, "code_": ast.unparse(tree) + "\n"}
