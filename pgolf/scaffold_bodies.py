"""One example of each hook family for `pgolf plugins new`: templates with ${name}, ${Name} and ${NAME}."""

from __future__ import annotations

from typing import NamedTuple


class Body(NamedTuple):
    """A family's example: its maths, summary, imports, code, and what a test calls it with."""

    maths: str
    summary: str
    imports: str
    code: str
    check: str


BODIES: dict[str, Body] = {
    "architecture": Body(
        "y = ${NAME}_gain * x        the normed input of both branches of every layer; 1 is the identity",
        "Branch inputs times a constant.",
        "",
        '''
def ${name}_scale(model, n_BTD, layer, position, ctx, gain):
    """n_BTD -> n_BTD."""
    ctx.fired("${name}", "branches")
    return n_BTD * gain


@hookimpl
def branch_inputs(settings) -> Component:
    """Both branches of every layer."""
    return Component(${name}_scale, gain=settings.${name}_gain)
''',
        """
    ctx = SimpleNamespace(fired=lambda plugin, unit, number=1: None)
    x = torch.ones(1, 2, 3)
    assert torch.equal(${name}.${name}_scale(None, x, 0, 0, ctx, gain=2.0), 2 * x)
""",
    ),
    "optimizer": Body(
        "lr_mul <- ${NAME}_gain * lr_mul        in every step; 1 is the identity",
        "Learning rates times a constant.",
        "",
        '''
def ${name}_schedule(progress, scalars, ledger, gain):
    """Multiply the learning-rate multiplier."""
    ledger.count("${name}", "steps")
    return scalars._replace(lr_mul=scalars.lr_mul * gain)


@hookimpl
def schedules(settings) -> Component:
    """Every step."""
    return Component(${name}_schedule, gain=settings.${name}_gain)
''',
        """
    from pgolf.runtime.ledger import Ledger
    from pgolf.runtime.progress import Scalars

    assert ${name}.${name}_schedule(None, Scalars(0.5, 1.0, 0.0), Ledger(), gain=2.0).lr_mul == 1.0
""",
    ),
    "quantizer": Body(
        "encoded <- encoded        and a note of the bytes that it packs to, times ${NAME}_gain",
        "Notes the packed size before compression is final.",
        "",
        '''
def ${name}_fit(encoded, measure, ledger, gain):
    """Leave the encoded tensors as they are."""
    ledger.note("${name}", f"{int(gain * measure(encoded))} bytes")
    return encoded


@hookimpl
def fit(settings) -> Component:
    """The last step before the artifact."""
    return Component(${name}_fit, gain=settings.${name}_gain)
''',
        """
    from pgolf.runtime.ledger import Ledger

    ledger = Ledger()
    assert ${name}.${name}_fit({}, lambda encoded: 10, ledger, gain=2.0) == {}
    assert ledger.receipt("${name}") == "20 bytes"
""",
    ),
    "compressor": Body(
        "stored = deflate(data, level 6)        ${NAME}_gain is the growth that is refused when reading back",
        "Deflate at level 6.",
        "import zlib\n",
        '''
class ${Name}Coder:
    """Entropy coder; `name` is safe in a file name."""

    name = "${name}"

    def __init__(self, gain):
        self.gain = gain

    def compress(self, data, ledger):
        """Compressed bytes."""
        packed = zlib.compress(data, 6)
        ledger.note("${name}", f"{len(data)} -> {len(packed)} bytes")
        return packed

    def decompress(self, data, limit):
        """The original bytes; ValueError when they are more than `limit`."""
        stream = zlib.decompressobj()
        plain = stream.decompress(data, int(limit * self.gain))
        if not stream.eof:
            raise ValueError(f"the stream is cut short or holds more than {limit} bytes")
        return plain


@hookimpl
def entropy_coder(settings) -> Component:
    """Takes the place of zlib."""
    return Component(${Name}Coder, gain=settings.${name}_gain)
''',
        """
    from pgolf.runtime.ledger import Ledger

    coder = ${name}.${Name}Coder(1.0)
    assert coder.decompress(coder.compress(b"abc" * 100, Ledger()), 1000) == b"abc" * 100
""",
    ),
    "eval": Body(
        "windows of ${NAME}_gain * T tokens, side by side        T is the sequence length",
        "Windows side by side, shorter than the sequence length where the gain is below 1.",
        "from pgolf.runtime.evaluate import Span\n",
        '''
class ${Name}Windows:
    """Every target once."""

    name = "${name}"
    label = "${name}"

    def __init__(self, gain):
        self.gain = gain

    def spans(self, num_tokens, seq_len):
        """Windows over targets 1..N-1; the last may be shorter."""
        length = max(1, min(int(seq_len * self.gain), seq_len))
        targets = num_tokens - 1
        return [Span(at, min(at + length, targets), 0) for at in range(0, targets, length)]


@hookimpl
def windows(settings) -> Component:
    """Takes the place of the baseline's windows."""
    return Component(${Name}Windows, gain=settings.${name}_gain)
''',
        """
    spans = ${name}.${Name}Windows(0.5).spans(20, 8)
    scored = [position for start, end, first in spans for position in range(start + first, end)]
    assert scored == list(range(19))
""",
    ),
    "data": Body(
        "field[b, t] = ${NAME}_gain * t        position of each token in its sequence",
        "Positions of tokens as a batch field.",
        "import torch\n",
        '''
def ${name}_positions(ids_BT, ledger, gain):
    """ids (B,T) -> positions (B,T), float32."""
    ledger.count("${name}", "batches")
    positions = torch.arange(ids_BT.size(1), device=ids_BT.device, dtype=torch.float32)
    return (gain * positions).expand(ids_BT.shape)


@hookimpl
def batch_fields(settings):
    """One field, reachable as `ctx.fields["${name}"]`."""
    return {"${name}": Component(${name}_positions, gain=settings.${name}_gain)}
''',
        """
    from pgolf.runtime.ledger import Ledger

    field = ${name}.${name}_positions(torch.zeros(2, 3, dtype=torch.int64), Ledger(), gain=2.0)
    assert field.tolist() == [[0.0, 2.0, 4.0]] * 2
""",
    ),
}
