"""The settings every recipe has, their values for one build, and how text becomes a value."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from pgolf.component import Setting
from pgolf.errors import PgolfError

ENGINE_SETTINGS: tuple[Setting, ...] = (
    Setting("adam_eps", 1e-8, "epsilon of Adam", minimum=0),
    Setting("beta1", 0.9, "first Adam beta", minimum=0, below=1),
    Setting("beta2", 0.95, "second Adam beta", minimum=0, below=1),
    Setting("data_path", "./data/datasets/fineweb10B_sp1024", "folder of shards (DATA_PATH overrides it at run time)"),
    Setting("eval_seq_len", 0, "tokens of a scored window; 0 takes train_seq_len", minimum=0),
    Setting("iterations", 20000, "the most steps (ITERATIONS overrides it at run time)", minimum=0),
    Setting("max_eval_seconds", 600.0, "budget of an evaluation that adapts, seen by it; 0 means none", minimum=0),
    Setting("max_wallclock_seconds", 600.0, "training budget; 0 means none (MAX_WALLCLOCK_SECONDS)", minimum=0),
    Setting("model_dim", 512, "width of the stream", minimum=1),
    Setting("num_heads", 8, "query heads", minimum=1),
    Setting("num_kv_heads", 4, "key/value heads", minimum=1),
    Setting("num_layers", 9, "physical layers", minimum=1),
    Setting("recompile_limit", 16, "compiled variants allowed before the build fails", minimum=1),
    Setting("seed", 1337, "seed of initialisation (SEED overrides it at run time)"),
    Setting("tokenizer_path", "./data/tokenizers/fineweb_1024_bpe.model", "SentencePiece model (TOKENIZER_PATH)"),
    Setting("train_batch_tokens", 524288, "tokens of one step over all ranks and micro-steps", minimum=8),
    Setting("train_log_every", 200, "steps between training lines (TRAIN_LOG_EVERY)", minimum=0),
    Setting("train_seq_len", 1024, "tokens of a training sequence", minimum=1),
    Setting("val_batch_size", 524288, "tokens of one validation batch over all ranks and micro-steps", minimum=1),
    Setting("val_loss_every", 1000, "steps between validations; 0 means only at the end (VAL_LOSS_EVERY)", minimum=0),
    Setting("vocab_size", 1024, "rows of the embedding", minimum=1, below=65537),
    Setting("warmup_steps", 20, "steps of compile warm-up in every variant, undone before training", minimum=0),
)
# Shape of the MLP: read by parameter layouts, not by the running program.
SHAPE_SETTINGS: tuple[Setting, ...] = (
    Setting("mlp_hidden", 0, "hidden width of the MLP; 0 takes mlp_mult * model_dim", minimum=0),
    Setting("mlp_mult", 2.0, "hidden width of the MLP as a multiple of model_dim", minimum=0),
)
# As many as `pgolf.runtime.distributed` says, which is not imported where settings are checked: it needs torch.
MICRO_BATCHES = 8
CORE_SETTINGS = ENGINE_SETTINGS + SHAPE_SETTINGS

# A model that trains in seconds on one CPU core; every technique keeps its own settings except for sizes named here.
SMOKE_SETTINGS: dict[str, Any] = {
    "eval_seq_len": 0,
    "iterations": 40,
    "max_wallclock_seconds": 0.0,
    "mlp_hidden": 0,
    # Even numbers of heads can be paired; square matrices are just large enough for quantizers not to keep them.
    "model_dim": 320,
    "num_heads": 8,
    "num_kv_heads": 4,
    "num_layers": 4,
    "train_batch_tokens": 2048,
    "train_log_every": 10,
    "train_seq_len": 128,
    "val_batch_size": 32768,
    "val_loss_every": 0,
    "warmup_steps": 1,
    # plugin settings, used where the plugin is selected
    "bank_split": 2,
    "bigram_dim": 32,
    "bigram_vocab_size": 512,
    # Another number than sdclip's, or the plugin has nothing to do.
    "clip_mult_late": 1.1,
    "embed_dim": 64,
    "embedding_dim": 64,
    "eval_stride": 64,
    "fp16_keep_name_patterns": "tok_emb",
    "gptq_calib_samples": 8,
    "gptq_calibration_batches": 2,
    "global_ttt_chunk_tokens": 512,
    "int4_layers": "1,2",
    "int6_layers": "1,2",
    "lawa_freq": 4,
    "loop_end": 2,
    "loop_start": 1,
    "muon_momentum_warmup_steps": 20,
    "n_int6_layers": 8,
    "parallel_residual_start": 2,
    "parallel_start_layer": 2,
    "phased_ttt_prefix_docs": 16,
    "recur_layers": "1,2",
    "recur_start_step": 20,
    "rope_dims": 16,
    # Below train_seq_len, so that there is a longer forward.
    "quirk_stretched_training": True,
    "rope_train_seq_len": 64,
    "soft_round_min_step": 0,
    "soft_round_ramp_steps": 10,
    "seq_len_start": 32,
    "swa_every": 4,
    "swa_full_attn_layers": 2,
    "swa_window": 32,
    "ttt_batch_size": 8,
    "ttt_chunk_size": 48,
    "ttt_chunk_tokens": 1024,
    "ttt_eval_seq_len": 128,
    "ttt_lora_rank": 4,
    "ttt_widths": 2,
    "ve_dim": 32,
    "ve_layers": "2,3",
    "warmdown_iters": 20,
    "xsa_last_n": 6,
}


class UnknownSetting(AttributeError):
    """A hook has asked for a setting that no selected plugin declares; `close` is the nearest one that is, or ""."""

    def __init__(self, name: str, known: Iterable[str]):
        super().__init__(f"no selected plugin declares the setting {name!r}")
        self.close = next(iter(difflib.get_close_matches(name, sorted(known), 1)), "")


class SettingsView:
    """Settings of one build by attribute, as hooks read them.

    Attributes:
        plugins: names of the selected plugins, a frozenset.
    """

    def __init__(self, values: Mapping[str, Any], plugins: Iterable[str]):
        self._values = dict(values)
        self.plugins = frozenset(plugins)

    def __getattr__(self, name: str) -> Any:
        try:
            return self._values[name]
        except KeyError:
            if name.startswith("__"):
                raise AttributeError(name) from None
            raise UnknownSetting(name, [*self._values, "plugins", "head_dim", "kv_dim", "hidden_dim"]) from None

    @property
    def head_dim(self) -> int:
        """Width of one head."""
        return int(self.model_dim // self.num_heads)

    @property
    def kv_dim(self) -> int:
        """Width of keys and values, all heads together."""
        return self.head_dim * int(self.num_kv_heads)

    @property
    def hidden_dim(self) -> int:
        """Hidden width of the MLP."""
        return int(self.mlp_hidden or self.mlp_mult * self.model_dim)

    def layer_numbers(self, name: str) -> tuple[int, ...]:
        """The layers that a setting lists with commas, in order; PgolfError where one does not exist or comes twice."""
        parts = [part.strip() for part in getattr(self, name).split(",")]
        layers = tuple(sorted({int(part) for part in parts if part.isdecimal()}))
        count = self.num_layers
        wanted = f"different layer numbers below {count}, such as 4,5"
        self.require(len(layers) == len(parts) and layers[-1] < count, name, wanted)
        return layers

    def require(self, works: bool, name: str, wanted: str, hint: str = "", where: str = "") -> None:
        """Refuse the value of `name` unless it `works`; for what `Setting.minimum` and `choices` cannot say.

        Args:
            wanted: what would work, such as "at most 64, the width of a head".
            hint: what to do, such as "--set rope_dims=16".
            where: where the value comes from; left out in a hook, whose plugin the build names.

        Raises:
            PgolfError: PG003.
        """
        if not works:
            raise PgolfError("PG003", f"{name} is {self._values[name]!r}, wanted {wanted}", where, hint)

    def as_dict(self) -> dict[str, Any]:
        """All values by name."""
        return dict(self._values)


def check_sizes(settings: SettingsView, where: str) -> None:
    """Refuse sizes that attention cannot split into heads, or a step into sequences, with PgolfError PG003."""
    dim, heads, kv_heads = settings.model_dim, settings.num_heads, settings.num_kv_heads
    settings.require(dim % heads == 0, "num_heads", f"a divisor of model_dim={dim}", where=where)
    settings.require(heads % kv_heads == 0, "num_kv_heads", f"a divisor of num_heads={heads}", where=where)
    whole = MICRO_BATCHES * settings.train_seq_len
    tokens = f"a multiple of {whole}, {MICRO_BATCHES} micro-batches of whole sequences"
    settings.require(settings.train_batch_tokens % whole == 0, "train_batch_tokens", tokens, where=where)


def parse_value(setting: Setting, value: Any, where: str) -> Any:
    """`value` (text from the command line, or a TOML value) as the setting's type.

    Raises:
        PgolfError: PG003, saying what was seen and what was wanted.
    """
    wanted = setting.type
    try:
        parsed = _convert(wanted, value)
    except (KeyError, TypeError, ValueError, OverflowError):
        raise PgolfError(
            "PG003",
            f"{setting.name} is {value!r}, wanted {_article(wanted)}",
            where,
            f"{setting.help}; default {setting.default!r}",
        ) from None
    if setting.minimum is not None and parsed < setting.minimum:
        raise PgolfError(
            "PG003", f"{setting.name} is {parsed}, wanted at least {setting.minimum:g}", where, setting.help
        )
    if setting.below is not None and parsed >= setting.below:
        raise PgolfError(
            "PG003", f"{setting.name} is {parsed}, wanted less than {setting.below:g}", where, setting.help
        )
    if setting.choices and parsed not in setting.choices:
        choices = ", ".join(setting.choices)
        raise PgolfError("PG003", f"{setting.name} is {parsed!r}, wanted one of {choices}", where, setting.help)
    return parsed


def _convert(wanted: type, value: Any) -> Any:
    if wanted is bool:
        if isinstance(value, bool):
            return value
        return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[_text(value).lower()]
    if isinstance(value, bool):
        raise TypeError
    if wanted is int:
        return value if isinstance(value, int) else int(_text(value))
    if wanted is float:
        number = float(value if isinstance(value, (int, float)) else _text(value))
        if number != number or number in (float("inf"), float("-inf")):
            raise ValueError
        return number
    return _text(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _article(wanted: type) -> str:
    return {bool: "true or false", int: "a whole number", float: "a finite number", str: "text"}[wanted]


def unknown_setting(name: str, known: Iterable[str], owner: str, where: str) -> PgolfError:
    """PG003 for a name that no selected plugin declares; `owner` is an unselected plugin that does, or ""."""
    if owner:
        hint = f"select the plugin {owner}, or leave the setting out"
        return PgolfError("PG003", f"the setting {name!r} belongs to the plugin {owner}, not selected", where, hint)
    close = difflib.get_close_matches(name.lower(), sorted(known), 1)
    hint = f"did you mean {close[0]}?" if close else "pgolf plugins show NAME lists the settings of a plugin"
    return PgolfError("PG003", f"there is no setting {name!r}", where, hint)
