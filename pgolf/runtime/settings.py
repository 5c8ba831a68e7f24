"""The engine's settings: one frozen record, built once, in the entry module, out of literals."""

from typing import NamedTuple


class Settings(NamedTuple):
    """Sizes in tokens, times in seconds, names as in the public scripts.

    `specialize` replaces every `settings.name` by its literal, so the record is never rebound or rebuilt.
    """

    adam_eps: float
    beta1: float
    beta2: float
    data_path: str
    eval_seq_len: int
    iterations: int
    max_eval_seconds: float
    max_wallclock_seconds: float
    model_dim: int
    num_heads: int
    num_kv_heads: int
    num_layers: int
    recompile_limit: int
    seed: int
    tokenizer_path: str
    train_batch_tokens: int
    train_log_every: int
    train_seq_len: int
    val_batch_size: int
    val_loss_every: int
    vocab_size: int
    warmup_steps: int
