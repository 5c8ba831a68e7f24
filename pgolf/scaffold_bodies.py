"""One example of each hook family for `pgolf plugins new`: templates with ${name}, ${Name} and ${NAME}."""

from __future__ import annotations

from typing import NamedTuple


class Body(NamedTuple):
    """A family's example: its maths, summary, what its setting `NAME_gain` is, imports, code, and a test's body."""

    maths: str
    summary: str
    help: str
    imports: str
    code: str
    check: str


BODIES: dict[str, Body] = {
    "architecture": Body(
        "n <- g_i * n        the normed input of both branches of layer i; g_i is learned and starts at ${name}_gain",
        "A learned gain on the input of both branches of every layer.",
        "start of the gains; 1 is the identity",
        "from pgolf.runtime.parameters import constant\n",
        '''
def ${name}_scale(model, n_BTD, layer, position, ctx):
    """n_BTD -> n_BTD."""
    ctx.fired("${name}", "branches")
    return n_BTD * ctx.weights[f"blocks.{layer}.${name}_gain"].to(n_BTD.dtype)


@hookimpl
def parameters(settings) -> list[Param]:
    """One number for each layer; Adam trains the group "scalar", and the class "control" is stored in float32."""
    init = Component(constant, value=settings.${name}_gain)
    return [Param("blocks.{}.${name}_gain", (1,), "scalar", "control", init=init, layers=settings.num_layers)]


@hookimpl
def branch_inputs(settings) -> Component:
    """Both branches of every layer."""
    return Component(${name}_scale)
''',
        """
    made = make_model("${name}", ${name}_gain=2.0)
    x = torch.randn(1, 8, 64)
    assert torch.equal(${name}.${name}_scale(made.model, x, 0, 0, tiny_context(made.model)), 2 * x)
""",
    ),
    "optimizer": Body(
        "E <- (1 - g) E + g W after every step, W <- E at the end        g is ${name}_gain; 1 is the identity",
        "Exponential average of the weights.",
        "share of each step's weights; 1 keeps the last ones",
        "",
        '''
class ${Name}Average:
    """Weight averaging, in float32 whatever the dtype of the weights."""

    def __init__(self, gain):
        self.gain = gain

    def start(self, tensors, names):
        """Begin at the present weights."""
        self.steps = 0
        self.shadow = [tensor.detach().float().clone() for tensor in tensors]

    def update(self, tensors, steps, scalars):
        """Add the weights of a finished step."""
        self.steps += 1
        for shadow, tensor in zip(self.shadow, tensors, strict=True):
            shadow.lerp_(tensor.detach().float(), self.gain)

    def apply(self, tensors, ledger):
        """Copy the average into the live tensors."""
        for shadow, tensor in zip(self.shadow, tensors, strict=True):
            tensor.data.copy_(shadow)
        ledger.count("${name}", "steps", self.steps)


@hookimpl
def average(settings) -> Component:
    """Takes the place of the last weights."""
    return Component(${Name}Average, gain=settings.${name}_gain)
''',
        """
    weight, average = torch.nn.Parameter(torch.zeros(2)), ${name}.${Name}Average(0.25)
    average.start([weight], [("weight",)])
    weight.data.fill_(4.0)
    average.update([weight], 1, None)
    average.apply([weight], Ledger())
    assert weight.tolist() == [1.0, 1.0]
""",
    ),
    "quantizer": Body(
        "W' = W_decoded + r        r: ${name}_gain times the mean error of each row, stored in float16",
        "Stores the mean error of rows of the output projections.",
        "share of the mean error that is mended; 0 changes nothing",
        "",
        '''
class ${Name}Correction:
    """A second set of parts for some tensors; `name` is their prefix in the artifact."""

    name = "${name}"

    def __init__(self, gain):
        self.gain = gain

    def encode(self, state, decoded, statistics, ledger):
        """canonical name -> parts."""
        names = [name for name in state if name.endswith("proj.weight")]
        ledger.count("${name}", "matrices", len(names))
        return {name: {"row": self.gain * (state[name].float() - decoded[name]).mean(1).half()} for name in names}

    def decode(self, name, parts, tensor):
        """The tensor with its correction."""
        return tensor + parts["row"].to(tensor.device).float()[:, None]


@hookimpl
def corrections(settings) -> Component:
    """After everything is encoded and fitted."""
    return Component(${Name}Correction, gain=settings.${name}_gain)
''',
        """
    correction, name = ${name}.${Name}Correction(0.5), "blocks.0.mlp.proj.weight"
    decoded = torch.zeros(2, 3)
    parts = correction.encode({name: torch.ones(2, 3)}, {name: decoded}, {}, Ledger())
    assert torch.equal(correction.decode(name, parts[name], decoded), torch.full((2, 3), 0.5))
""",
    ),
    "compressor": Body(
        "stored = deflate(data, level 6)        ${name}_gain is the growth that is refused when reading back",
        "Deflate at level 6.",
        "most growth when reading back, as a multiple of the model's size",
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
    coder = ${name}.${Name}Coder(1.0)
    assert coder.decompress(coder.compress(b"abc" * 100, Ledger()), 1000) == b"abc" * 100
""",
    ),
    "eval": Body(
        "b <- b - ${name}_gain * grad, from the first half of each window; logits + b for its second half",
        "A bias of the logits, learned within each window.",
        "learning rate of the bias; 0 changes nothing",
        "import torch\n\nfrom pgolf.runtime.evaluate import chunk_spans, span_rows\n",
        '''
class ${Name}Bias:
    """An adapter: `delta` is added to the output of every site that it names."""

    def __init__(self, vocab_size, device):
        self.sites = frozenset(["head"])
        self.bias = torch.zeros(vocab_size, device=device, requires_grad=True)

    def delta(self, x, site, position):
        return self.bias.to(x.dtype).expand(*x.shape[:2], -1)


class ${Name}Evaluation:
    """Scores, learns from what is scored, scores the rest; windows do not know of each other."""

    name = "${name}"
    label = "${name}"

    def __init__(self, gain):
        self.gain = gain

    def __call__(self, session, tally):
        """Numbers come from the tally; `share_work` hands windows to whichever rank is free."""
        spans, length = chunk_spans(len(session.tokens), session.seq_len), session.seq_len
        for number in session.share_work(len(spans)):
            adapter = ${Name}Bias(session.settings.vocab_size, session.world.device)
            places, targets = span_rows([spans[number]], 1, length)
            half = length // 2
            scored = tally.score(places[:, : half + 1], targets[:, :half], adapter)
            tally.learn(scored, targets[:, :half] / half)
            with torch.no_grad():
                adapter.bias -= self.gain * adapter.bias.grad
                targets[:, :half] = False  # context from here on
                tally.score(places, targets, adapter)


@hookimpl
def evaluation(settings) -> Component:
    """Takes the place of windows for the final score."""
    return Component(${Name}Evaluation, gain=settings.${name}_gain)
''',
        """
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    session = tiny_session(make_data(tmp_path), "${name}", ${name}_gain=0.0)
    assert run_evaluation(session).val_loss == pytest.approx(session.validate().val_loss, rel=1e-5)
""",
    ),
    "data": Body(
        "field[b, t] = ${name}_gain * t        position of each token in its sequence",
        "Positions of tokens as a batch field.",
        "factor of the positions",
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
    field = ${name}.${name}_positions(torch.zeros(2, 3, dtype=torch.int64), Ledger(), gain=2.0)
    assert field.tolist() == [[0.0, 2.0, 4.0]] * 2
""",
    ),
}
