"""One run's state: model, data, phases; shared by training, export and scoring."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from pgolf.runtime.distributed import MICRO_BATCHES, take_turns
from pgolf.runtime.evaluate import chunk_spans, score_spans
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.model import GPT
from pgolf.runtime.optimize import compile_on_gpu
from pgolf.runtime.parameters import canonical_state, initialize
from pgolf.runtime.shards import validation_tokens
from pgolf.runtime.stages import Stages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import Tensor

    from pgolf.runtime.distributed import World
    from pgolf.runtime.environment import Environment
    from pgolf.runtime.program import Program
    from pgolf.runtime.records import Param
    from pgolf.runtime.settings import Settings
    from pgolf.runtime.tally import Score


class Session:
    """Everything a run holds; validation tokens and byte counter are checked before any training.

    Args:
        settings, program, parameters: what the entry module built; `val_batch_size` is in tokens over all ranks and
            micro-steps.
        env: the run's `Environment`.
        world: rank and device.
        log: `log(line)`.
        ledger: collects receipts.

    Attributes:
        settings, program, parameters, env, world, log, ledger: the arguments.
        model: the `GPT`, uncompiled.
        forward: the model as training and scoring call it, compiled on a GPU.
        tokens: the validation stream, uint16 (N,) on the CPU; never to be written.
        seq_len: tokens of a scored window.
        rows: windows of one scored batch on this rank.
        phases: names of the phases that are on.
        preparing: the plugin whose component is being prepared.
        stages: timed lines of the log.
        failed: whether `fail` was called.
        forward_scalars: name -> value of this step, a float32 tensor (); only where the program has any.
        stream_fields: name -> value for each place of the validation stream, for its last scores; only where the program has
            any.
        training_data: whether training data may still be read.
        queues: how often work was shared.
    """

    def __init__(
        self,
        settings: Settings,
        program: Program,
        parameters: Sequence[Param],
        env: Environment,
        world: World,
        log: Callable[[str], None],
        ledger: Ledger,
    ) -> None:
        self.settings = settings
        self.program = program
        self.parameters = parameters
        self.env = env
        self.world = world
        self.log = log
        self.ledger = ledger
        self.phases: tuple[str, ...] = ()
        self.preparing = ""
        self.stages = Stages(log)
        self.failed = False
        self.training_data = not (env.score or env.export)
        self.queues = 0
        self.seq_len = settings.eval_seq_len or settings.train_seq_len
        self.rows = settings.val_batch_size // (MICRO_BATCHES * self.seq_len) or 1
        activation_dtype = torch.bfloat16 if world.device.type == "cuda" else torch.float32
        torch._dynamo.config.recompile_limit = settings.recompile_limit
        self.model = GPT(settings, program, parameters, world.device, activation_dtype)
        initialize(self.model, parameters, env.seed, ledger)
        for tap in program.init_taps:
            tap(canonical_state(self.model.state_dict(), parameters), ledger)
        self.forward = compile_on_gpu(self.model)
        if program.stream_fields:
            self.stream_fields: dict[str, Tensor] = {}
        if program.forward_scalars:
            self.forward_scalars = {name: torch.zeros((), device=world.device) for name, _ in program.forward_scalars}
        pattern = Path(env.data_path, "fineweb_val_*.bin")
        self.tokens = validation_tokens(pattern, self.seq_len, settings.vocab_size)
        program.byte_counter.open(env.tokenizer_path, env.data_path, settings.vocab_size, world.device, ledger)
        digest = hashlib.sha256(self.tokens.numpy().data).hexdigest()
        log(f"val_loader:shards pattern={pattern} tokens:{len(self.tokens) - 1}\nval_sha256:{digest}")

    def open_loader(self, ledger: Ledger) -> None:
        """Start the training stream from its first token; batches are counted in `ledger`."""
        pattern = Path(self.env.data_path, "fineweb_train_*.bin")
        world = self.world
        self.program.token_loader.open(pattern, world.rank, world.world_size, self.settings.vocab_size, ledger)

    def next_batch(self, phases: tuple[str, ...] | None = None) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """(x, y, fields) of one micro-step on the device; ValueError once training time is over.

        Its size is that of `phases`, or of those that are on.
        """
        if not self.training_data:
            raise ValueError("training data are closed: training time is over")
        settings, world = self.settings, self.world
        tokens, seq_len = settings.train_batch_tokens, settings.train_seq_len
        if self.program.batch_shape is not None:
            tokens, seq_len = self.program.batch_shape(self.phases if phases is None else phases)
        batch = self.program.token_loader.next(tokens // MICRO_BATCHES, seq_len)
        x, y = (part.to(world.device, non_blocking=True) for part in batch)
        return x, y, {name: field(x, self.ledger) for name, field in self.program.batch_fields}

    def fail(self, text: str) -> None:
        """Log an error that takes nothing from the results, but the run's success."""
        self.log(f"error: {text}")
        self.failed = True

    def scoring_phases(self) -> tuple[str, ...]:
        """The phases under which the model is scored and calibrated: permanent ones, in declaration order."""
        if not self.program.phases:
            return ()
        return tuple(spec.name for spec in self.program.phases if spec.scoring and spec.name in self.phases)

    def validate(self) -> Score:
        """Score the live weights in windows side by side."""
        return score_spans(self, chunk_spans(len(self.tokens), self.seq_len))[0]

    def freeze(self) -> None:
        """No base weight gets a gradient."""
        self.model.requires_grad_(False)

    def thaw(self) -> list[Tensor]:
        """Let the base weights that may change (`Param.adapt`) have gradients; returns them."""
        names = [name for record in self.parameters if record.adapt for name in record.stored_names()]
        return [self.model.get_parameter(name).requires_grad_(True) for name in names]

    def open_stream_fields(self) -> None:
        """Ask for the values of every place; ValueError for one that knows what it is a guess of, or what follows."""
        start = self.tokens[:4096]
        other, half = start.clone(), len(start) // 2
        other[half:] ^= 1
        for name, field in self.program.stream_fields:
            values = [field(tokens, self.world.device, Ledger())[: half + 1] for tokens in (start, other)]
            if not torch.equal(values[0], values[1]):
                raise ValueError(f"the stream field {name} depends on its own token or on later ones")
            self.stream_fields[name] = field(self.tokens, self.world.device, self.ledger)

    def share_work(self, count: int) -> Iterator[int]:
        """Numbers below `count`, each given out once over all ranks, to whichever asks next.

        Every rank must call this equally often, and gets to the end, so that what follows may be a collective.
        """
        self.queues += 1
        return take_turns(f"work {self.queues}", count, self.world)
