"""Binds components to contracts before anything is written: do literals and calls fit what is there?

Python would find out when the component is first called, on the GPU; a bundler that fills in arguments, never. So every
component is held to the `Protocol` of its hook here: its literals to `__init__` or to the function's last parameters, its
methods and attributes to the Protocol's.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterator
from typing import Any, NamedTuple

from pgolf.component import Component
from pgolf.errors import PgolfError

POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
# What an annotation or a default of this type lets through.
FITTING: dict[str, tuple[type, ...]] = {
    "bool": (bool,),
    "bytes": (bytes,),
    "dict": (dict,),
    "float": (float, int),
    "int": (int,),
    "str": (str,),
    "tuple": (tuple,),
}


class Call(NamedTuple):
    """One call of a contract: the method, and the names of what it is given, in order."""

    method: str
    arguments: tuple[str, ...]


def calls(contract: type) -> list[Call]:
    """Every method of a Protocol."""
    return [Call(name, tuple(list(inspect.signature(member).parameters)[1:])) for name, member in methods(contract)]


def methods(contract: type) -> list[tuple[str, Any]]:
    """(name, function) of every method of a Protocol, in the order of its text."""
    return [
        (name, member)
        for name, member in vars(contract).items()
        if inspect.isfunction(member) and (name == "__call__" or not name.startswith("_"))
    ]


def attributes(contract: type) -> list[str]:
    """Names that a Protocol asks for beside its methods."""
    return [name for name in vars(contract).get("__annotations__", {}) if not name.startswith("_")]


def check_component(hook: str, plugin: str, component: Component, contract: type) -> list[PgolfError]:
    """What does not fit; each finding names the plugin, the hook, what was seen and what was wanted."""
    signature = _signature(component.target)
    if signature is None:
        return []
    problems = [*_check_literals(component, signature)]
    if not problems:
        problems = [*_check_calls(component, signature, contract)]
    findings = [
        PgolfError("PG108", f"{hook} of {plugin}: {problem}", place(component.target, method), hint or see(hook))
        for method, problem, hint in problems
    ]
    for nested in _components_in(component.arguments):
        findings += [
            PgolfError("PG108", f"{hook} of {plugin}: {problem}", place(nested.target, method), hint or see(hook))
            for method, problem, hint in _check_literals(nested, _signature(nested.target))
        ]
    return findings


def see(hook: str) -> str:
    """Where the call is described."""
    return f"`pgolf plugins hooks {hook}` shows the call"


def place(target: Any, method: str = "") -> str:
    """file:line of a class, a function or a method."""
    found = inspect.unwrap(getattr(target, method, target) if method else target)
    code = getattr(found, "__code__", None)
    try:
        return f"{inspect.getsourcefile(target)}:{code.co_firstlineno if code else inspect.getsourcelines(target)[1]}"
    except (OSError, TypeError):
        return str(getattr(target, "__module__", ""))


Problem = tuple[str, str, str]
"""(method or "", what was seen and what was wanted, what to do)"""


def _check_literals(component: Component, signature: inspect.Signature | None) -> Iterator[Problem]:
    """Is there a parameter for every literal, and for a class a literal for every parameter?"""
    if signature is None:
        return
    known = {name: item for name, item in signature.parameters.items() if item.kind not in (item.VAR_POSITIONAL,)}
    open_ended = any(item.kind is item.VAR_KEYWORD for item in known.values())
    for name, value in component.arguments.items():
        if name not in known and not open_ended:
            close = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {close[0]}?" if close else f"it takes {', '.join(known) or 'none'}"
            yield "", f"{component.name} has no parameter for the literal {name}={value!r}", hint
        elif name in known and (wanted := _unfit(value, known[name])):
            yield "", f"the literal {name}={value!r} of {component.name} is not {wanted}", "pass one that is"
    if isinstance(component.target, type):
        missing = [item.name for item in known.values() if _required(item) and item.name not in component.arguments]
        if missing:
            text = f"{component.name} is made without its parameter{'s' * (len(missing) > 1)} {', '.join(missing)}"
            yield "", text, f"pass Component({component.name}, {missing[0]}=...)"


def _unfit(value: Any, parameter: inspect.Parameter) -> str:
    """What `value` should have been, by the parameter's annotation or else its default; "" if it fits or nobody says."""
    annotation = parameter.annotation
    wanted = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    if annotation is parameter.empty and parameter.default not in (parameter.empty, None):
        wanted = type(parameter.default).__name__
    wanted = wanted.split("[")[0].strip()
    if wanted not in FITTING or isinstance(value, Component):
        return ""
    fits = isinstance(value, FITTING[wanted]) and (wanted == "bool" or not isinstance(value, bool))
    return "" if fits else {"int": "an int"}.get(wanted, f"a {wanted}")


def _check_calls(component: Component, signature: inspect.Signature, contract: type) -> Iterator[Problem]:
    """Does the target have all that the running program uses, with as many arguments in the same order?"""
    if isinstance(component.target, type):
        for call in calls(contract):
            yield from _check_method(component, call)
        if hasattr(component.target, "prepare"):
            yield from _check_method(component, Call("prepare", ("session",)))
        for name in attributes(contract):
            if not _has_attribute(component.target, name):
                text = f"{component.name} has no attribute {name}"
                yield "", text, f"define {name} in the class, or set it in __init__"
    else:
        yield from _check_function(component, signature, contract)


def _check_function(component: Component, signature: inspect.Signature, contract: type) -> Iterator[Problem]:
    """A function fits a contract that is one call."""
    wanted = calls(contract)
    others = [call.method for call in wanted if call.method != "__call__"] + attributes(contract)
    if others:
        text = f"{component.name} is a function; {contract.__name__} is an object with {', '.join(others)}"
        yield "", text, "make it a class"
        return
    unfilled = [item for name, item in signature.parameters.items() if name not in component.arguments]
    yield from _check_arguments(component.name, "", unfilled, wanted[0].arguments)


def _check_method(component: Component, call: Call) -> Iterator[Problem]:
    """Is there the method, and does it take what it is given?"""
    target: Any = component.target
    # Not getattr, which would find the metaclass's `__call__`.
    method = next((vars(base)[call.method] for base in target.__mro__ if call.method in vars(base)), None)
    unbound = isinstance(method, (staticmethod, classmethod))
    if not callable(method) and not unbound:
        yield "", f"{component.name} has no method {call.method}({', '.join(call.arguments)})", ""
        return
    signature = _signature(getattr(target, call.method))
    if signature is not None:
        shown = component.name if call.method == "__call__" else f"{component.name}.{call.method}"
        parameters = list(signature.parameters.values())[0 if unbound else 1 :]
        yield from _check_arguments(shown, call.method, parameters, call.arguments)


def _check_arguments(
    shown: str, method: str, parameters: list[inspect.Parameter], wanted: tuple[str, ...]
) -> Iterator[Problem]:
    """`parameters` are those that no literal fills."""
    names = [item.name for item in parameters if item.kind in POSITIONAL]
    takes = f"{shown} takes ({', '.join(names)}), wanted ({', '.join(wanted)})"
    unfilled = [item.name for item in parameters if item.kind is item.KEYWORD_ONLY and _required(item)]
    if unfilled:
        yield method, f"{shown} needs {', '.join(unfilled)} by name, and no literal gives it", ""
    elif not _takes_as_many(parameters, len(wanted)):
        models = "model" in wanted and "model" not in names
        hint = f"the model comes first, then tensors, layer, position and ctx: ({', '.join(wanted)})"
        yield method, takes, hint if models else ""
    elif any(name in wanted and name != wanted[place] for place, name in enumerate(names[: len(wanted)])):
        yield method, f"{takes}: the order differs", ""


def _takes_as_many(parameters: list[inspect.Parameter], count: int) -> bool:
    """Can they be filled by this many arguments without names?"""
    positional = [item for item in parameters if item.kind in POSITIONAL]
    open_ended = any(item.kind is item.VAR_POSITIONAL for item in parameters)
    return sum(item.default is item.empty for item in positional) <= count <= (count if open_ended else len(positional))


def _has_attribute(target: type, name: str) -> bool:
    """Is it in the class, or set by an `__init__`?"""
    if hasattr(target, name) or any(name in vars(base).get("__annotations__", {}) for base in target.__mro__):
        return True
    starts = [vars(base).get("__init__") for base in target.__mro__]
    return any(name in start.__code__.co_names for start in starts if inspect.isfunction(start))


def _required(parameter: inspect.Parameter) -> bool:
    return parameter.default is parameter.empty and parameter.kind not in (
        parameter.VAR_POSITIONAL,
        parameter.VAR_KEYWORD,
    )


def _signature(target: Any) -> inspect.Signature | None:
    """None for what says nothing about itself, such as classes of C."""
    try:
        return inspect.signature(target)
    except (TypeError, ValueError):
        return None


def _components_in(arguments: Any) -> Iterator[Component]:
    """Components among literals, at any depth."""
    for value in arguments.values() if isinstance(arguments, dict) else arguments:
        if isinstance(value, Component):
            yield value
            yield from _components_in(value.arguments)
        elif isinstance(value, (dict, tuple)):
            yield from _components_in(value)
