"""A line feed and U+E010 change places, so that a line feed can be a symbol that is never merged."""

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_transform",
    summary="Line feeds as a symbol.",
    source="pgolf's documentation",
    family="data",
)


MARK = "\ue010"


class LineSymbol:
    """A bijection: twice is the identity."""

    symbols = (MARK,)

    def encode(self, text):
        """The transformed document."""
        return text.translate({ord(MARK): "\n", ord("\n"): MARK})

    def decode(self, text):
        """The original."""
        return self.encode(text)

    def byte_counts(self, text):
        """UTF-8 bytes of the original that each character stands for."""
        return [len(character.encode()) for character in self.decode(text)]


@hookimpl
def text_transform(settings) -> Component:
    """For `pgolf data tokenize --transform example_transform`."""
    return Component(LineSymbol)
