"""The chosen components, one field per hook; built once, in the entry module."""

from typing import NamedTuple


class Program(NamedTuple):
    """Slots hold one component (None where an optional slot is empty), taps a tuple in order.

    `specialize` replaces every `program.name` that holds None or () by that literal, which drops the code around it.
    """

    adapter: object
    apply_taps: tuple
    attention_kernel: object
    attention_outputs: tuple
    auxiliary_losses: tuple
    average: object
    batch_fields: tuple
    branch_inputs: tuple
    byte_counter: object
    calibration_source: object
    clock: object
    distribution_transforms: tuple
    element_optimizer: object
    entropy_coder: object
    fit: object
    gradient_taps: tuple
    groups: tuple
    head: object
    layer_plan: object
    loss: object
    matrix_optimizer: object
    mlp: object
    orthogonalizer: object
    phases: tuple
    plugins: tuple
    query_key_taps: tuple
    rotary: object
    schedules: tuple
    skip: object
    stem_normed: tuple
    stem_raw: tuple
    stem_terms: tuple
    stream_layout: object
    tensor_recipes: dict
    token_loader: object
    update_taps: tuple
    value_terms: tuple
    weight_taps: tuple
    windows: object
    wiring: object
