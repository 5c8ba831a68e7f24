"""The one table of error codes, and the one exception that users see.

Every message says what was seen, what was wanted and what to do. The command line catches `PgolfError` alone:
any other exception is a defect of pgolf and keeps its traceback.
"""

from __future__ import annotations

CODES: dict[str, str] = {
    # PG0xx: files and values given on the command line
    "PG001": "a file or folder cannot be read or written",
    "PG002": "a recipe is not valid TOML or has unknown keys",
    "PG003": "a setting is unknown or has the wrong type",
    "PG004": "a command or an argument is not usable",
    "PG005": "a child process failed",
    # PG1xx: plugins and recipes
    "PG101": "a plugin cannot be loaded",
    "PG102": "a plugin name is unknown",
    "PG103": "two plugins have one name",
    "PG104": "a plugin's metadata is incomplete",
    "PG105": "a hook returned something other than what its specification asks for",
    "PG106": "two selected plugins exclude each other",
    "PG107": "plugins ask for an order that cannot be satisfied",
    "PG108": "a component does not fit the contract of its hook",
    "PG109": "a plugin was written for other hooks",
    # PG2xx: resolve and link
    "PG201": "two bundled operators have one name",
    "PG202": "an internal import does not lead to a top-level statement",
    "PG203": "a slot has two providers",
    "PG204": "a slot has no provider",
    "PG205": "a parameter has no optimizer group",
    "PG206": "a parameter has no quantization class with a recipe, or a recipe a class of no parameter",
    "PG207": "two parameters have one name",
    "PG208": "the phases need more compiled variants than the recompile limit",
    "PG209": "a layer plan is not consistent",
    "PG210": "a rounding or clip rule that no tensor recipe takes",
    "PG211": "input statistics without a source, a use or time",
    # PG3xx: the bundleable subset
    "PG301": "a statement is not allowed at the top level of a module",
    "PG302": "an internal import has a form that cannot be linked",
    "PG303": "an external import is not on the allow-list",
    "PG304": "a write to shared state",
    "PG305": "a name that defeats static analysis",
    "PG306": "a decorator is not on the allow-list",
    "PG307": "annotations that carry meaning are missing or would be stripped",
    "PG308": "a class or closure inside a function",
    "PG309": "a class base or metaclass is not on the allow-list",
    "PG310": "a method is moved between classes, or a private name is mangled",
    "PG311": "a dataclass or record has a form that cannot be moved",
    "PG312": "code reads a name that bundling changes",
    "PG313": "an artifact would hold classes or functions",
    "PG314": "a default argument is not a constant",
    "PG315": "an assertion with an effect",
    "PG316": "iteration over a set",
    "PG317": "settings or program are rebound or rebuilt",
    "PG318": "a __future__ import",
    "PG319": "an attribute name is generated",
    "PG320": "randomness, clock, environment, file or device access at module level",
    "PG321": "texts in the braces of an f-string's format",
    # PG4xx: stages; a defect of pgolf
    "PG401": "a stage failed its self-check (a pgolf bug, please report it)",
    "PG402": "the packed file does not decode to the minified source (a pgolf bug, please report it)",
    # PG5xx: verification and run time
    "PG501": "a submission cannot be read",
    "PG502": "a shard is damaged",
    "PG503": "tokenizer and text do not fit together",
    "PG504": "a log does not hold what is needed",
    "PG505": "a lock file does not fit this installation",
    "PG506": "a text transform loses text or miscounts it",
    "PG507": "training shards hold validation documents",
}


def printable(text: str) -> str:
    """Text with everything that is not printable escaped, so that a name cannot steer a terminal or a page."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode() for char in text
    )


class PgolfError(Exception):
    """A finding for the user: one code of `CODES`, what was seen, where, and what to do.

    `where` is a path, optionally with `:line:column` or `: key`. `frame` is a source excerpt shown under it.
    """

    def __init__(self, code: str, message: str, where: str = "", hint: str = "", frame: str = ""):
        assert code in CODES, code
        super().__init__(message)
        self.code, self.message, self.where, self.hint, self.frame = code, message, where, hint, frame

    def __str__(self) -> str:
        lines = [f"error[{self.code}]: {printable(self.message)}"]
        if self.where:
            lines.append(f"  --> {printable(self.where)}")
        if self.frame:
            lines.append(self.frame)
        if self.hint:
            lines.append(f"  help: {printable(self.hint)}")
        return "\n".join(lines)

    def as_record(self) -> dict[str, str]:
        """The same finding for `--json`."""
        return {"code": self.code, "message": self.message, "where": self.where, "help": self.hint}


class PgolfErrors(PgolfError):
    """Several findings of one pass, reported together."""

    def __init__(self, findings: list[PgolfError]):
        first = findings[0]
        super().__init__(first.code, first.message, first.where, first.hint, first.frame)
        self.findings = findings

    def __str__(self) -> str:
        return "\n".join(str(finding) for finding in self.findings)


def raise_all(findings: list[PgolfError]) -> None:
    """Raise one error for one finding, a group for several, nothing for none."""
    if len(findings) == 1:
        raise findings[0]
    if findings:
        raise PgolfErrors(findings)
