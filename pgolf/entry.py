"""Writes the entry module: imports, settings, parameter records and the program, as calls with literals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from pgolf.component import Component, Group, Param, Phase

RUNTIME_NAMES = {
    "Group": "pgolf.runtime.records",
    "Param": "pgolf.runtime.records",
    "Phase": "pgolf.runtime.records",
    "Program": "pgolf.runtime.program",
    "Settings": "pgolf.runtime.settings",
    "log_prepared": "pgolf.runtime.prepare",
    "train": "pgolf.runtime.train",
}

OWN_NAMES = ("SETTINGS", "make_parameters", "make_program", "partial", "prepare_components")


@dataclass(frozen=True)
class Call:
    """A call of a runtime name with keyword arguments, as the entry prints it."""

    name: str
    arguments: Mapping[str, Any]


def record_call(record: Param | Group | Phase) -> Call:
    """The call that makes a record; fields that hold their defaults are left out."""
    defaults, values = record._field_defaults, record._asdict()
    changed = {key: value for key, value in values.items() if key not in defaults or value != defaults[key]}
    return Call(type(record).__name__, changed)


@dataclass
class Entry:
    """What an entry module is written from.

    Attributes:
        name: the recipe's name, for the docstring.
        settings: engine settings by name.
        parameters: `Param` calls.
        program: field of `Program` -> component, tuple of components, dict or literal.
        preparations: (plugin, expression) of every component with a method `prepare`.
    """

    name: str
    settings: Mapping[str, Any]
    parameters: Sequence[Call]
    program: Mapping[str, Any]
    preparations: Sequence[tuple[str, str]] = ()


@dataclass
class EntryWriter:
    """Prints values and remembers what must be imported."""

    imports: dict[str, set[str]] = field(default_factory=dict)
    partial: bool = False
    called: dict[tuple[str, str], str] = field(default_factory=dict)

    def use(self, module: str, name: str) -> str:
        """Import `name` from `module`; returns what the entry calls it."""
        self.imports.setdefault(module, set()).add(name)
        return self.called.get((module, name), name)

    def keep_apart(self) -> None:
        """Give another name to a component that is called like another or like something of the entry's own."""
        taken = set(OWN_NAMES)
        used = [(module, name) for module, names in sorted(self.imports.items()) for name in sorted(names)]
        used.sort(key=lambda item: RUNTIME_NAMES.get(item[1]) != item[0])
        everything = {name for _, name in used} | taken
        for module, name in used:
            if name in taken:
                called = next(new for number in count(2) if (new := f"{name}_{number}") not in everything)
                self.called[module, name] = called
                everything.add(called)
            taken.add(name)

    def show(self, value: Any) -> str:
        """Python source of a literal, a component or a call."""
        if isinstance(value, Component):
            return self._component(value)
        if isinstance(value, Call):
            self.use(RUNTIME_NAMES[value.name], value.name)
            return f"{value.name}({self._keywords(value.arguments)})"
        if isinstance(value, tuple):
            inner = ", ".join(self.show(item) for item in value)
            return f"({inner},)" if len(value) == 1 else f"({inner})"
        if isinstance(value, dict):
            return "{" + ", ".join(f"{key!r}: {self.show(item)}" for key, item in sorted(value.items())) + "}"
        return repr(value)

    def _component(self, component: Component) -> str:
        name = self.use(component.module, component.name)
        arguments = self._keywords(component.arguments)
        if isinstance(component.target, type):
            return f"{name}({arguments})"
        if not arguments:
            return name
        self.partial = True
        return f"partial({name}, {arguments})"

    def _keywords(self, arguments: Mapping[str, Any]) -> str:
        return ", ".join(f"{key}={self.show(value)}" for key, value in arguments.items())

    def import_lines(self) -> list[str]:
        """Sorted import statements."""
        lines = ["from functools import partial", ""] if self.partial else []
        for module, names in sorted(self.imports.items()):
            shown = [
                f"{name} as {self.called[module, name]}" if (module, name) in self.called else name
                for name in sorted(names)
            ]
            lines.append(f"from {module} import {', '.join(shown)}")
        return lines


def write_entry(entry: Entry) -> str:
    """The entry module's source; importing it has no effect, running it trains."""
    writer = EntryWriter()
    for needed in ("Program", "Settings", "train"):
        writer.use(RUNTIME_NAMES[needed], needed)
    for value in (*entry.settings.values(), *entry.parameters, *entry.program.values()):
        writer.show(value)
    _prepare_lines(entry.preparations, writer)
    writer.keep_apart()
    settings_lines = [f"    {key}={writer.show(value)}," for key, value in sorted(entry.settings.items())]
    parameter_lines = [f"        {writer.show(record)}," for record in entry.parameters]
    program_lines = [f"        {key}={writer.show(value)}," for key, value in sorted(entry.program.items())]
    prepare_lines = _prepare_lines(entry.preparations, writer)
    # Nothing in a name may end the docstring.
    shown = "".join(char if char.isascii() and (char.isalnum() or char in " ._+-,") else "?" for char in entry.name)
    lines = [
        f'"""The training program of {shown}, written by pgolf."""',
        "",
        *writer.import_lines(),
        "",
        "SETTINGS = Settings(",
        *settings_lines,
        ")",
        "",
        "",
        "def make_parameters():",
        '    """Every tensor of the model."""',
        "    return (",
        *parameter_lines,
        "    )",
        "",
        "",
        "def make_program():",
        '    """Every chosen component."""',
        "    return Program(",
        *program_lines,
        "    )",
        "",
        "",
        "def prepare_components(session):",
        '    """Before any time is spent, each component with a `prepare` tries what it will need."""',
        *prepare_lines,
        "",
        "",
        'if __name__ == "__main__":',
        "    train(SETTINGS, make_program(), make_parameters(), prepare_components)",
    ]
    return "\n".join(lines) + "\n"


def _prepare_lines(preparations: Sequence[tuple[str, str]], writer: EntryWriter) -> list[str]:
    """Two lines for each component; the first says whose error the second may raise."""
    lines = []
    for plugin, component in preparations:
        log_prepared = writer.use(RUNTIME_NAMES["log_prepared"], "log_prepared")
        lines += [
            f"    session.preparing = {plugin!r}",
            f"    {log_prepared}(session, {component}.prepare(session))",
        ]
    return lines
