"""Every hook on one page, grouped by family: what it is for, how many may provide it, and the contract it is held to.

A hook runs once, at build time. Its docstring says what it is for; the call that the running program makes, with shapes
and units, is the docstring of the contract named beside it: a `Protocol` of `pgolf.contracts`, or a record.

Hooks that provide behaviour return `Component(target, **literals)` or None ("not with these settings"). `settings` holds
every setting of the selected plugins by name, and `settings.plugins`, the set of selected names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pluggy

from pgolf.component import Component, Group, Param, Phase, PlanFacts
from pgolf.contracts import architecture, compressor, data, optimizer, quantizer
from pgolf.contracts import evaluation as evaluations

if TYPE_CHECKING:
    from pgolf.settings import SettingsView

hookspec = pluggy.HookspecMarker("pgolf")
hookimpl = pluggy.HookimplMarker("pgolf")

# Shape of a hook -> what its providers are for each other.
SHAPES: dict[str, str] = {
    "slot": "exactly one provider; the baseline's steps back for a plugin that is selected by name",
    "optional slot": "at most one provider",
    "tap": "an ordered chain, may be empty; `order`, `before` and `after` of the plugins decide, never the command line",
    "records": "lists of all providers, joined",
    "by name": "dicts of all providers, merged; for one key a selected plugin wins over the baseline's",
    "number": "numbers of all providers, added up",
}
# Name of a hook -> (family, shape).
HOOKS: dict[str, tuple[str, str]] = {}
# Name of a hook -> the Protocol of its components, or the record that it returns.
CONTRACTS: dict[str, type] = {}


def _hook(family: str, shape: str, contract: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Mark a specification; `shape` is one of `SHAPES`."""

    def mark(function: Callable[..., Any]) -> Callable[..., Any]:
        assert shape in SHAPES
        HOOKS[function.__name__] = (family, shape)
        CONTRACTS[function.__name__] = contract
        return hookspec(function)

    return mark


# Architecture --------------------------------------------------------------------------------------------------------


@_hook("architecture", "records", Param)
def parameters(settings: SettingsView, plan: PlanFacts) -> list[Param]:
    """Tensors that this plugin creates, beyond the six matrices of each layer."""


@_hook("architecture", "slot", Param)
def parameter_layout(settings: SettingsView) -> list[Param]:
    """Where the six matrices of each layer live: one tensor each, or banks with `members`."""


@_hook("architecture", "slot", architecture.Initializer)
def initializer(settings: SettingsView) -> Component | None:
    """Start of every matrix whose record gives no `init`."""


@_hook("architecture", "records", str)
def dropped_matrices(settings: SettingsView, plan: PlanFacts) -> list[str]:
    """Canonical names of matrices, the layout's above all, that are not stored: others take their place, or none."""


@_hook("architecture", "tap", architecture.InitTap)
def init_taps(settings: SettingsView) -> Component | None:
    """Changes tensors once all have their start, such as one by layer."""


@_hook("architecture", "slot", architecture.LayerPlan)
def layer_plan(settings: SettingsView) -> Component | None:
    """Order of layers, for every set of phases; also called at build time, so it needs no torch."""


@_hook("architecture", "tap", architecture.StemTerm)
def stem_terms(settings: SettingsView) -> Component | None:
    """Added to the token embedding, such as the embedding of a hashed bigram."""


@_hook("architecture", "tap", architecture.StemMix)
def stem_raw(settings: SettingsView) -> Component | None:
    """Mixes positions of the raw embedding, before its norm."""


@_hook("architecture", "tap", architecture.StemMix)
def stem_normed(settings: SettingsView) -> Component | None:
    """Mixes positions of the normed embedding, before x0 is taken."""


@_hook("architecture", "tap", architecture.BranchInput)
def branch_inputs(settings: SettingsView) -> Component | None:
    """Changes the normed input of both branches of a layer, such as a scale that falls with depth."""


@_hook("architecture", "tap", architecture.WeightTap)
def weight_taps(settings: SettingsView, tensor_recipes: dict[str, Component]) -> Component | None:
    """View of a matrix before it is used: mix, then fake-quantize, noise, cast.

    `tensor_recipes` are the exporter's, by class.
    """


@_hook("architecture", "tap", architecture.MatrixLayer)
def matrix_layers(settings: SettingsView, plan: PlanFacts) -> Component | None:
    """Which layer's matrices a step uses, such as matrices of their own for the repeats of a layer."""


@_hook("architecture", "tap", architecture.MatrixInput)
def matrix_inputs(settings: SettingsView) -> Component | None:
    """Changes the activation that a matrix multiplies, such as activation quantization."""


@_hook("architecture", "optional slot", architecture.AttentionSwitch)
def attention_switch(settings: SettingsView) -> Component | None:
    """Leaves the attention branch out of some steps."""


@_hook("architecture", "optional slot", architecture.QkvProjection)
def qkv_projection(settings: SettingsView) -> Component | None:
    """Queries, keys and values of a layer, in place of three products with three matrices."""


@_hook("architecture", "tap", architecture.ValueTerm)
def value_terms(settings: SettingsView) -> Component | None:
    """Changes the values before heads are split off, such as a value embedding."""


@_hook("architecture", "slot", architecture.Rotary)
def rotary(settings: SettingsView) -> Component | None:
    """Position encoding of normed queries and keys."""


@_hook("architecture", "tap", architecture.QueryKeyTap)
def query_key_taps(settings: SettingsView) -> Component | None:
    """Changes queries and keys after rotation, such as a gain for each head."""


@_hook("architecture", "slot", architecture.AttentionKernel)
def attention_kernel(settings: SettingsView) -> Component | None:
    """Causal attention."""


@_hook("architecture", "optional slot", architecture.AttentionKernel)
def attention_core(settings: SettingsView) -> Component | None:
    """Stands around the attention kernel, whichever it is: rearranges heads, calls `run_kernel`, puts them back."""


@_hook("architecture", "tap", architecture.AttentionOutput)
def attention_outputs(settings: SettingsView, plan: PlanFacts) -> Component | None:
    """Changes the attention output before its projection, such as a gate for each head."""


@_hook("architecture", "slot", architecture.Mlp)
def mlp(settings: SettingsView) -> Component | None:
    """Body of the MLP branch."""


@_hook("architecture", "tap", architecture.MlpOutput)
def mlp_outputs(settings: SettingsView) -> Component | None:
    """Changes the MLP's output before its scale, such as a gate."""


@_hook("architecture", "slot", architecture.Wiring)
def wiring(settings: SettingsView) -> Component | None:
    """Residual lanes: walks the plan and joins branches and skips."""


@_hook("architecture", "slot", architecture.Skip)
def skip(settings: SettingsView) -> Component | None:
    """How a stored skip joins the stream."""


@_hook("architecture", "slot", architecture.Head)
def head(settings: SettingsView) -> Component | None:
    """Final hidden state to logits, before their taps."""


@_hook("architecture", "tap", architecture.LogitTap)
def logit_taps(settings: SettingsView) -> Component | None:
    """Changes the logits of every head, such as a cap."""


@_hook("architecture", "slot", architecture.Loss)
def loss(settings: SettingsView) -> Component | None:
    """Negative log-likelihood of the targets."""


@_hook("architecture", "tap", architecture.AuxiliaryLoss)
def auxiliary_losses(settings: SettingsView) -> Component | None:
    """Added to the training loss alone, such as a penalty on large logits."""


# Optimizer -----------------------------------------------------------------------------------------------------------


@_hook("optimizer", "records", Group)
def groups(settings: SettingsView) -> list[Group]:
    """Optimizer groups for everything but matrices, with their learning rates."""


@_hook("optimizer", "slot", optimizer.MatrixOptimizer)
def matrix_optimizer(settings: SettingsView) -> Component | None:
    """Optimizer of group "matrix"."""


@_hook("optimizer", "slot", optimizer.Orthogonalizer)
def orthogonalizer(settings: SettingsView) -> Component | None:
    """Nearest semi-orthogonal matrix of an update."""


@_hook("optimizer", "optional slot", optimizer.RowBlocks)
def row_blocks(settings: SettingsView) -> Component | None:
    """Which matrices are orthogonalized in blocks of rows, such as pairs of attention heads."""


@_hook("optimizer", "optional slot", optimizer.MatrixRate)
def matrix_rate(settings: SettingsView) -> Component | None:
    """A learning rate for each matrix, such as one by depth."""


@_hook("optimizer", "slot", optimizer.ElementOptimizer)
def element_optimizer(settings: SettingsView) -> Component | None:
    """Optimizer of every group but "matrix"."""


@_hook("optimizer", "optional slot", optimizer.ElementStream)
def element_stream(settings: SettingsView) -> Component | None:
    """Where the element optimizer's step runs, such as beside the matrix optimizer's."""


@_hook("optimizer", "slot", optimizer.Clock)
def clock(settings: SettingsView) -> Component | None:
    """Training time."""


@_hook("optimizer", "slot", optimizer.Average)
def average(settings: SettingsView) -> Component | None:
    """Weight averaging."""


@_hook("optimizer", "tap", optimizer.GradientTap)
def gradient_taps(settings: SettingsView) -> Component | None:
    """Changes this rank's own gradients before they are reduced, such as clipping."""


@_hook("optimizer", "tap", optimizer.MeanGradientTap)
def mean_gradient_taps(settings: SettingsView) -> Component | None:
    """Changes gradients after they are averaged over ranks, such as clipping by the norm of the whole batch's gradient."""


@_hook("optimizer", "tap", optimizer.UpdateTap)
def update_taps(settings: SettingsView) -> Component | None:
    """Changes a matrix update before it is orthogonalized, such as row normalization."""


@_hook("optimizer", "tap", optimizer.OrthogonalTap)
def orthogonal_taps(settings: SettingsView) -> Component | None:
    """Changes a matrix update after it is orthogonalized; may keep state, such as a moment of every row."""


@_hook("optimizer", "tap", optimizer.ApplyTap)
def apply_taps(settings: SettingsView) -> Component | None:
    """Changes a matrix just before its update is applied, such as weight decay."""


@_hook("optimizer", "tap", optimizer.Schedule)
def schedules(settings: SettingsView) -> Component | None:
    """Sets the step's scalars: multipliers of learning rate and weight decay, momentum."""


@_hook("optimizer", "records", Phase)
def phases(settings: SettingsView) -> list[Phase]:
    """Run-time variants that switch on during training, such as fake-quantization."""


@_hook("optimizer", "by name", optimizer.ForwardScalar)
def forward_scalars(settings: SettingsView) -> dict[str, Component]:
    """Numbers that change from step to step and reach the forward as tensors `ctx.fields[name]`, such as a sharpness."""


# Quantizer -----------------------------------------------------------------------------------------------------------


@_hook("quantizer", "optional slot", quantizer.CalibrationSource)
def calibration_source(settings: SettingsView) -> Component | None:
    """Token batches for input statistics; without it no recipe gets any. One that reads training data needs a `reserve`."""


@_hook("quantizer", "number", float)
def reserve(settings: SettingsView) -> float:
    """Seconds by which training stops before its budget, for what else has to happen on the clock."""


@_hook("quantizer", "tap", quantizer.BatchStatistics)
def batch_statistics(settings: SettingsView) -> Component | None:
    """More statistics from the batches of the calibration source, such as gradients at the outputs of matrices."""


@_hook("quantizer", "tap", quantizer.StatisticsTap)
def statistics_taps(settings: SettingsView) -> Component | None:
    """Changes input statistics on every rank, such as a sum over ranks."""


@_hook("quantizer", "optional slot", quantizer.Rounding)
def rounding(settings: SettingsView) -> Component | None:
    """Codes of matrices whose steps are known; the component reaches `tensor_recipes` as argument `rounding`, or None."""


@_hook("quantizer", "tap", quantizer.ClipTap)
def clip_taps(settings: SettingsView) -> Component | None:
    """Changes where rows are clipped; the tuple of components reaches `tensor_recipes` as argument `clip_taps`."""


@_hook("quantizer", "tap", quantizer.TensorTransform)
def tensor_transforms(settings: SettingsView) -> Component | None:
    """Changes a tensor before its recipe sees it, and gives it back after decoding, such as a rotation."""


@_hook("quantizer", "by name", quantizer.TensorRecipe)
def tensor_recipes(
    settings: SettingsView, rounding: Component | None, clip_taps: tuple[Component, ...]
) -> dict[str, Component]:
    """How tensors of each quantization class (`Param.quant`) are stored."""


@_hook("quantizer", "tap", quantizer.Fold)
def folds(settings: SettingsView) -> Component | None:
    """Bakes tensors into others once training is over, before anything is saved, calibrated or quantized."""


@_hook("quantizer", "tap", quantizer.QuantizationPlan)
def quantization_plan(settings: SettingsView) -> Component | None:
    """Chooses classes across tensors, once their statistics are known; of several that name a tensor the last wins."""


@_hook("quantizer", "optional slot", quantizer.Fit)
def fit(settings: SettingsView) -> Component | None:
    """Fits encoded tensors to the byte budget."""


@_hook("quantizer", "tap", quantizer.Correction)
def corrections(settings: SettingsView) -> Component | None:
    """A second set of parts for some tensors, from what their fitted codes miss."""


# Compressor ----------------------------------------------------------------------------------------------------------


@_hook("compressor", "slot", compressor.StreamLayout)
def stream_layout(settings: SettingsView) -> Component | None:
    """Encoded tensors to one byte string and back."""


@_hook("compressor", "slot", compressor.EntropyCoder)
def entropy_coder(settings: SettingsView) -> Component | None:
    """Lossless compression of that byte string."""


# Eval ----------------------------------------------------------------------------------------------------------------


@_hook("eval", "slot", evaluations.Windows)
def windows(settings: SettingsView) -> Component | None:
    """Which targets are scored with which context."""


@_hook("eval", "optional slot", evaluations.Evaluation)
def evaluation(settings: SettingsView) -> Component | None:
    """A whole evaluation in place of windows: test-time training, documents on their own, anything with an order."""


@_hook("eval", "optional slot", evaluations.BaseUpdate)
def base_update(settings: SettingsView) -> Component | None:
    """Trains base weights in the middle of an evaluation of documents, on those that are scored."""


@_hook("eval", "optional slot", evaluations.AdapterOptimizer)
def adapter_optimizer(settings: SettingsView) -> Component | None:
    """How the low-rank factors of an adapter learn, in place of the evaluation's own optimizer."""


@_hook("eval", "tap", evaluations.DistributionTransform)
def distribution_transforms(settings: SettingsView) -> Component | None:
    """Changes logits when scoring, such as a mixture with an n-gram model of the past."""


@_hook("eval", "tap", evaluations.TrainFit)
def train_fits(settings: SettingsView) -> Component | None:
    """Sets a tensor of its own from training text when training is over, such as a temperature. It needs a `reserve`."""


@_hook("eval", "by name", evaluations.StreamField)
def stream_fields(settings: SettingsView) -> dict[str, Component]:
    """What is known of each target from the stream before it, for scoring forwards, such as a guess of an n-gram model."""


# Data ----------------------------------------------------------------------------------------------------------------


@_hook("data", "slot", data.TokenLoader)
def token_loader(settings: SettingsView) -> Component | None:
    """Training batches."""


@_hook("data", "optional slot", data.BatchShape)
def batch_shape(settings: SettingsView) -> Component | None:
    """Size of training batches where it changes with the phases; without it, what the settings say."""


@_hook("data", "slot", data.ByteCounter)
def byte_counter(settings: SettingsView) -> Component | None:
    """UTF-8 bytes that each target stands for."""


@_hook("data", "optional slot", data.TextTransform)
def text_transform(settings: SettingsView) -> Component | None:
    """Changes documents before they are tokenized, for `pgolf data tokenize --transform NAME`; never in a built file."""


@_hook("data", "by name", data.BatchField)
def batch_fields(settings: SettingsView) -> dict[str, Component]:
    """Extra tensors for each batch, by name."""
