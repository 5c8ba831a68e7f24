"""One run's state: model, data, scorer, phases; shared by training, export and scoring."""

from pathlib import Path
from typing import NamedTuple

import torch

from pgolf.runtime.evaluate import Scorer, chunk_spans
from pgolf.runtime.model import GPT
from pgolf.runtime.parameters import initialize
from pgolf.runtime.shards import validation_tokens


class PhaseSpec(NamedTuple):
    """A declared phase: `start(progress)` says when it switches on, `scoring` whether scoring runs under it."""

    name: str
    start: object
    scoring: bool
    plugin: str


class Session:
    """Everything a run holds.

    Args:
        settings, program, parameters: what the entry module built.
        env: the run's `Environment`.
        world: rank and device.
        log: `log(line)`.
        ledger: collects receipts.
    """

    def __init__(self, settings, program, parameters, env, world, log, ledger):
        self.settings = settings
        self.program = program
        self.parameters = parameters
        self.env = env
        self.world = world
        self.log = log
        self.ledger = ledger
        self.phases = ()
        self.activation_dtype = torch.bfloat16 if world.device.type == "cuda" else torch.float32
        self.seq_len = settings.eval_seq_len or settings.train_seq_len
        self.model = self.new_model()
        self.forward = self.model
        if world.device.type == "cuda":
            torch._dynamo.config.recompile_limit = settings.recompile_limit
            self.forward = torch.compile(self.model, dynamic=False, fullgraph=True)
        self.scorer = self.new_scorer()
        seq_lens = (settings.train_seq_len, self.seq_len)
        log(f"attention_kernel:{program.attention_kernel.prepare(world.device, seq_lens, self.activation_dtype)}")

    def new_model(self):
        """A model with every tensor initialised."""
        model = GPT(self.settings, self.program, self.parameters, self.world.device, self.activation_dtype)
        initialize(model, self.parameters, self.env.seed, self.ledger)
        return model

    def new_scorer(self):
        """Validation tokens and byte counter, checked before any training."""
        pattern = Path(self.env.data_path, "fineweb_val_*.bin")
        tokens = validation_tokens(pattern, self.seq_len, self.settings.vocab_size)
        counter = self.program.byte_counter
        counter.open(self.env.tokenizer_path, self.settings.vocab_size, self.world.device, self.ledger)
        self.log(f"val_loader:shards pattern={pattern} tokens:{len(tokens) - 1}")
        return Scorer(self.settings, self.program, tokens, counter, self.world, self.log, self.ledger)

    def open_loader(self, ledger):
        """Start the training stream from its first token; batches are counted in `ledger`."""
        pattern = Path(self.env.data_path, "fineweb_train_*.bin")
        world = self.world
        self.program.token_loader.open(pattern, world.rank, world.world_size, self.settings.vocab_size, ledger)

    def next_batch(self):
        """(x, y, fields) of one micro-step on the device."""
        settings, world = self.settings, self.world
        x, y = self.program.token_loader.next(settings.train_batch_tokens // 8, settings.train_seq_len)
        x, y = x.to(world.device, non_blocking=True), y.to(world.device, non_blocking=True)
        return x, y, {name: field(x, self.ledger) for name, field in self.program.batch_fields}

    def scoring_phases(self):
        """The phases under which the model is scored and calibrated: permanent ones, in declaration order."""
        return tuple(spec.name for spec in self.program.phases if spec.scoring and spec.name in self.phases)

    def validate(self):
        """Score the live weights in windows side by side."""
        self.model.eval()
        score = self.scorer.score(
            self.forward, chunk_spans(len(self.scorer.tokens), self.seq_len), self.scoring_phases()
        )
        self.model.train()
        return score
