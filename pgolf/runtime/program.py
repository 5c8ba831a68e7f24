"""The chosen components, one field per hook; built once, in the entry module."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pgolf.contracts.architecture import (
        AttentionKernel,
        AttentionOutput,
        AttentionSwitch,
        AuxiliaryLoss,
        BranchInput,
        Head,
        InitTap,
        LayerPlan,
        LogitTap,
        Loss,
        MatrixInput,
        MatrixLayer,
        Mlp,
        MlpOutput,
        QkvProjection,
        QueryKeyTap,
        Rotary,
        Skip,
        StemMix,
        StemTerm,
        ValueTerm,
        WeightTap,
        Wiring,
    )
    from pgolf.contracts.compressor import EntropyCoder, StreamLayout
    from pgolf.contracts.data import BatchField, BatchShape, ByteCounter, TokenLoader
    from pgolf.contracts.evaluation import (
        AdapterOptimizer,
        BaseUpdate,
        DistributionTransform,
        Evaluation,
        StreamField,
        TrainFit,
        Windows,
    )
    from pgolf.contracts.optimizer import (
        ApplyTap,
        Average,
        Checkpoints,
        Clock,
        ElementOptimizer,
        ElementStream,
        ForwardScalar,
        GradientTap,
        MatrixOptimizer,
        MatrixRate,
        MeanGradientTap,
        Orthogonalizer,
        OrthogonalTap,
        RowBlocks,
        Schedule,
        UpdateTap,
    )
    from pgolf.contracts.quantizer import (
        BatchStatistics,
        CalibrationSource,
        Correction,
        Fit,
        Fold,
        QuantizationPlan,
        StatisticsTap,
        TensorRecipe,
        TensorTransform,
    )
    from pgolf.runtime.records import Group, Phase


class Program(NamedTuple):
    """Slots hold one component (None where an optional slot is empty), taps a tuple in order.

    `phases_after_training` names the phases that training does without; `skip_rows` is how many skips there are parameters
    for, where such a phase has more, and the later ones are left out. `fallbacks` are plugins of the baseline that have what
    chosen ones leave, which may be nothing.

    `specialize` replaces every `program.name` that holds None or () by that literal, which drops the code around it.
    """

    fallbacks: tuple[str, ...]
    plugins: tuple[str, ...]

    # Architecture
    attention_core: AttentionKernel | None
    attention_kernel: AttentionKernel
    attention_outputs: tuple[AttentionOutput, ...]
    attention_switch: AttentionSwitch | None
    auxiliary_losses: tuple[AuxiliaryLoss, ...]
    branch_inputs: tuple[BranchInput, ...]
    head: Head
    init_taps: tuple[InitTap, ...]
    layer_plan: LayerPlan
    logit_taps: tuple[LogitTap, ...]
    loss: Loss
    matrix_inputs: tuple[MatrixInput, ...]
    matrix_layers: tuple[MatrixLayer, ...]
    mlp: Mlp
    mlp_outputs: tuple[MlpOutput, ...]
    qkv_projection: QkvProjection | None
    query_key_taps: tuple[QueryKeyTap, ...]
    rotary: Rotary
    skip: Skip
    skip_rows: int | None
    stem_normed: tuple[StemMix, ...]
    stem_raw: tuple[StemMix, ...]
    stem_terms: tuple[StemTerm, ...]
    value_terms: tuple[ValueTerm, ...]
    weight_taps: tuple[WeightTap, ...]
    wiring: Wiring

    # Optimizer
    apply_taps: tuple[ApplyTap, ...]
    average: Average
    checkpoints: Checkpoints | None
    clock: Clock
    element_optimizer: ElementOptimizer
    element_stream: ElementStream | None
    forward_scalars: tuple[tuple[str, ForwardScalar], ...]
    gradient_taps: tuple[GradientTap, ...]
    groups: tuple[Group, ...]
    matrix_optimizer: MatrixOptimizer
    matrix_rate: MatrixRate | None
    mean_gradient_taps: tuple[MeanGradientTap, ...]
    orthogonal_taps: tuple[OrthogonalTap, ...]
    orthogonalizer: Orthogonalizer
    phases: tuple[Phase, ...]
    phases_after_training: tuple[str, ...]
    row_blocks: RowBlocks | None
    schedules: tuple[Schedule, ...]
    update_taps: tuple[UpdateTap, ...]

    # Quantizer
    batch_statistics: tuple[BatchStatistics, ...]
    calibrated: tuple[str, ...]
    calibration_source: CalibrationSource | None
    corrections: tuple[Correction, ...]
    fit: Fit | None
    folds: tuple[Fold, ...]
    grouped: tuple[str, ...]
    quantization_plan: tuple[QuantizationPlan, ...]
    reserve: float | None
    statistics_taps: tuple[StatisticsTap, ...]
    tensor_recipes: dict[str, TensorRecipe]
    tensor_transforms: tuple[TensorTransform, ...]

    # Compressor
    entropy_coder: EntropyCoder
    stream_layout: StreamLayout

    # Eval
    adapter_optimizer: AdapterOptimizer | None
    base_update: BaseUpdate | None
    distribution_transforms: tuple[DistributionTransform, ...]
    evaluation: Evaluation | None
    stream_fields: tuple[tuple[str, StreamField], ...]
    train_fits: tuple[TrainFit, ...]
    windows: Windows

    # Data
    batch_fields: tuple[tuple[str, BatchField], ...]
    batch_shape: BatchShape | None
    byte_counter: ByteCounter
    token_loader: TokenLoader
