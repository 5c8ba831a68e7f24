"""One trained model quantized again and again: what a point of a rate-distortion curve comes to. For `gpu_rate_distortion.py`.

bytes      ideal entropy of codes, tables by the row's spread (and grid), 3 bytes a row, what is kept in float16
order0     the same with one table for each tensor: a little above what a byte coder for each group of matrices needs
kl         mean divergence from the float model, nats per token, over the first windows of the validation stream
tempered   nats per token over the same windows above the float model, both at the temperature that is best for them
gap        BPB above that of the float model, over the whole validation stream
"""

import importlib.util
import math
import os
import sys
import time
from pathlib import Path

# Tried on the logits: an overfitted model is too sure, and codes that shrink its weights look better than they are.
TEMPERATURES = tuple(1 + 0.04 * place for place in range(-2, 9))
# Clips and prices from which the first point is made: steps go with a clip, and with the root of a price.
FIRST = {0.0: 12.85, 0.5: 1e-3, 1.0: 1e-3}


def open_session(entry, data):
    """(session, its settings) of a live entry module, in this process."""
    import torch

    from pgolf.runtime.distributed import start_world
    from pgolf.runtime.environment import read_environment
    from pgolf.runtime.ledger import Ledger
    from pgolf.runtime.prepare import prepare_run
    from pgolf.runtime.session import Session

    spec = importlib.util.spec_from_file_location(f"entry_{entry.stem}", entry)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    os.environ.update(data)
    torch.manual_seed(0)
    torch.backends.cuda.matmul.allow_tf32 = True
    program = module.make_program()
    env = read_environment(module.SETTINGS)
    session = Session(
        module.SETTINGS, program, module.make_parameters(), env, start_world(), lambda text: None, Ledger()
    )
    session.phases = tuple(phase.name for phase in program.phases)
    prepare_run(session, module.prepare_components)
    session.training_data = True
    session.open_loader(Ledger())
    return session


class Bench:
    """Float weights, statistics and reference distributions of one model in a session.

    Args:
        weights: name -> tensor of the model.
        windows: of the validation stream, for divergences.
    """

    def __init__(self, session, weights, windows):
        from pgolf.runtime.parameters import canonical_state

        self.session, self.program, self.parameters = session, session.program, session.parameters
        self.state = canonical_state(session.model.state_dict(), self.parameters)
        for name, tensor in session.model.state_dict().items():
            tensor.copy_(weights[name])
        self.float = {name: tensor.detach().clone() for name, tensor in self.state.items()}
        self.weights = sum(tensor.numel() for tensor in self.float.values())
        length = session.settings.train_seq_len
        tokens = session.tokens[: windows * length].view(-1, length).to(session.world.device)
        self.windows = tokens.long().split(2)
        session.model.eval()
        self.reference = [self.distribution(window) for window in self.windows]
        self.best = self.tempered(self.reference)
        self.base = session.validate().val_bpb
        begin = time.time()
        self.collect()
        self.statistics_s = time.time() - begin
        self.bits = {}

    def load(self, state):
        """Into the model, in place."""
        import torch

        with torch.no_grad():
            for name, tensor in self.state.items():
                tensor.copy_(state[name])

    def distribution(self, ids):
        """Log-probabilities (B,T,V) after each token, float32."""
        import torch

        from pgolf.runtime.context import Context
        from pgolf.runtime.ledger import Ledger

        session, model = self.session, self.session.model
        fields = {name: field(ids, Ledger()) for name, field in session.program.batch_fields}
        with torch.no_grad():
            ctx = Context(ids, session.scoring_phases(), False, model.matrices(), {}, fields, None, None, None)
            return model.logits(model.hidden(ids, ctx), ctx).float().log_softmax(-1)

    def tempered(self, distributions):
        """(nats per token, temperature): the least mean loss of `TEMPERATURES` over the windows."""
        import torch

        losses = torch.zeros(len(TEMPERATURES), dtype=torch.float64)
        for logs, ids in zip(distributions, self.windows, strict=True):
            for place, heat in enumerate(TEMPERATURES):
                chosen = (logs[:, :-1] / heat).log_softmax(-1).gather(-1, ids[:, 1:, None])
                losses[place] -= chosen.mean().item() / len(self.windows)
        return losses.min().item(), TEMPERATURES[int(losses.argmin())]

    def divergence(self):
        """Mean of KL(float model, model), and the loss above that of the float model, each at its best temperature."""
        self.session.model.eval()
        made = [self.distribution(ids) for ids in self.windows]
        pairs = zip(self.reference, made, strict=True)
        total = sum((old.exp() * (old - new)).sum(-1).mean().item() for old, new in pairs)
        loss, heat = self.tempered(made)
        return {"kl": total / len(self.windows), "tempered": loss - self.best[0], "temperature": heat}

    def collect(self):
        """Hessians and importances, by the functions of a run."""
        from pgolf.runtime.calibrate import collect_statistics
        from pgolf.runtime.ledger import Ledger

        self.session.open_loader(Ledger())
        self.statistics, _ = collect_statistics(self.session)
        self.session.model.eval()

    def recipe(self, share, states, amount):
        """The tensor recipe of a point: 8 bits, so that no row is clipped; `amount` is a clip, or nats for a million bytes."""
        from pgolf.runtime.quantize import SpreadRecipe
        from pgolf.runtime.trellis import TrellisRecipe
        from pgolf_plugins.quantizer.gptq import Gptq
        from pgolf_plugins.quantizer.sensitivity import SensitiveSteps
        from pgolf_plugins.quantizer.trellis import Trellis

        taps = (SensitiveSteps(amount / 8e6, share, 0.01),) if share else ()
        sigmas = 127 / 31 * (FIRST[0.0] if share else amount)
        if share not in (0.0, 1.0):  # between: the recipe's own step moves with the price as well
            sigmas *= (amount / FIRST[share]) ** 0.5
        rounding = Trellis(states, 0.0, 0.01) if states else Gptq(128, 0.01)
        return (TrellisRecipe if states else SpreadRecipe)("sdclip", "int8", 127, sigmas, taps, rounding)

    def encode(self, share, states, amount):
        """(the program of a point, its encoded tensors).

        By spread the embedding has 8 bits and clips of 20 deviations, as in the records, and moves with the others.
        """
        from pgolf.runtime.export import encode_model
        from pgolf.runtime.ledger import Ledger

        self.load(self.float)
        recipe = self.recipe(share, states, amount)
        embed = recipe if share else self.recipe(share, states, amount * 20 / 127 / (FIRST[0.0] / 31))
        program = self.program._replace(
            tensor_recipes={**self.program.tensor_recipes, "attn": recipe, "mlp": recipe, "embed": embed},
            grouped=("attn", "embed", "mlp"),
            fit=None,
        )
        return program, encode_model(self.state, self.parameters, program, self.statistics, Ledger())

    def point(self, share, states, amount):
        """(what a point comes to, its encoded tensors)."""
        import torch

        from pgolf.runtime.export import decode_model

        begin = time.time()
        program, encoded = self.encode(share, states, amount)
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        encode, begin = time.time() - begin, time.time()
        decode_model(encoded, self.state, self.parameters, program)
        decode = time.time() - begin
        score = self.session.validate()
        found = {"bytes": ideal_bytes(encoded, states, True), "order0": ideal_bytes(encoded, states, False)}
        found |= {"val_bpb": score.val_bpb, "gap": score.val_bpb - self.base} | self.divergence()
        return found | {"encode_s": encode, "decode_s": decode}, encoded

    def amount_for(self, share, bits):
        """The clip or price of about so many bits a weight with plain codes, from one point that is made once."""
        if share not in self.bits:
            self.bits[share] = self.rate(share, 0, FIRST[share])
        return FIRST[share] * 2 ** ((self.bits[share] - bits) * (2 if share else 1))

    def rate(self, share, states, amount):
        """Bits a weight, all in."""
        return 8 * ideal_bytes(self.encode(share, states, amount)[1], states, True) / self.weights

    def amount_exact(self, share, states, bits, tries=3):
        """The same with these states, by a secant until it is within 0.3 % or there was the last try."""
        power = 2 if share else 1
        place, slope, before = math.log2(self.amount_for(share, bits)) / power, -1.0, None
        for _ in range(tries):
            found = self.rate(share, states, 2 ** (power * place))
            if abs(found / bits - 1) < 0.003:
                break
            if before is not None and abs(place - before[0]) > 1e-3:
                slope = min(max((found - before[1]) / (place - before[0]), -1.5), -0.4)
            before, place = (place, found), place + (bits - found) / slope
        return 2 ** (power * place)


def entropy(codes):
    """Ideal bits of integers by their own counts."""
    import torch

    _, counts = torch.unique(codes, return_counts=True)
    counts = counts.double()
    return -(counts * (counts / counts.sum()).log2()).sum().item()


def ideal_bytes(encoded, states, tables):
    """Of all parts; `tables`: those of one class of tensors share tables by spread of the row and grid."""
    import torch

    from pgolf.runtime.trellis import second_grid

    bits, groups = 0.0, {}
    for name, parts in encoded.items():
        codes = parts.get("codes")
        bits += sum(8 * value.numel() * value.element_size() for key, value in parts.items() if key != "codes")
        if codes is None or codes.ndim != 2:
            bits += entropy(codes) if codes is not None else 0.0
            continue
        codes = codes.cuda() if torch.cuda.is_available() else codes
        grid = second_grid(codes, states) if states else torch.zeros_like(codes, dtype=torch.uint8)
        if not tables:
            bits += sum(entropy(codes[grid == half]) for half in (0, 1) if (grid == half).any())
            continue
        bits += 8 * len(codes)
        spread = codes.float().square().mean(1).clamp_min(1e-3).log2().round().clamp(-12, 14).long()
        key = ".".join(name.split(".")[2:4]) if name.startswith("blocks.") else name
        for one in spread.unique().tolist():
            for half in (0, 1) if states else (0,):
                rows = spread == one
                groups.setdefault((key, one, half), []).append(codes[rows][grid[rows] == half])
    return round((bits + sum(entropy(torch.cat(parts)) for parts in groups.values())) / 8)


def coded_bytes(path, states, external):
    """(bytes, seconds) of the parts in a file through a real coder: the context coder, or groups and lrzip. For a process."""
    import torch

    from pgolf.runtime.ledger import Ledger
    from pgolf.runtime.trellis import next_states
    from pgolf_plugins.compressor.context_coder import ContextCoder, ContextLayout

    torch.set_num_threads(1)
    encoded, begin = torch.load(path), time.process_time()
    if external:
        from pgolf_plugins.compressor.lrzip import LrzipCoder
        from pgolf_plugins.compressor.pergroup import PerGroup

        layout, coder = PerGroup(), LrzipCoder()
    else:
        layout = ContextLayout()
        coder = ContextCoder(tuple(map(tuple, next_states(states).tolist())) if states else ())
    size = len(coder.compress(layout.pack(encoded, Ledger()), Ledger()))
    return size, time.process_time() - begin


def find_packages(work):
    """Makes `pgolf` and `pgolf_plugins` of this checkout importable here and in child processes, installed or not."""
    links = work / "path"
    links.mkdir(parents=True, exist_ok=True)
    root = Path(__file__).resolve().parent.parent
    for name, target in (("pgolf", root / "pgolf"), ("pgolf_plugins", root / "plugins")):
        if not (links / name).exists():
            (links / name).symlink_to(target)
    # A checkout that was never installed has no metadata; nothing here depends on the version.
    metadata = links / "pgolf-0.dist-info"
    metadata.mkdir(exist_ok=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: pgolf\nVersion: 0\n")
    sys.path.insert(0, str(links.resolve()))
    os.environ["PYTHONPATH"] = str(links.resolve())
