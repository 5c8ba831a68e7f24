"""pgolf: assemble, verify and share Parameter Golf submissions.

The public names are the records that plugins declare and the marker for hook implementations. The training program
lives in `pgolf.runtime`; the command line in `pgolf.cli`.
"""

from pgolf.component import Component, Conflict, Group, Need, Param, Phase, PlanFacts, Plugin, Setting
from pgolf.errors import PgolfError
from pgolf.hookspecs import hookimpl

__all__ = [
    "Component",
    "Conflict",
    "Group",
    "Need",
    "Param",
    "PgolfError",
    "Phase",
    "PlanFacts",
    "Plugin",
    "Setting",
    "hookimpl",
]
__version__ = "0.1.0"
