"""Every layer once, in order, the first half before the second."""

import pytest

from pgolf_plugins.architecture.unet_plan import UnetPlan


@pytest.mark.parametrize("layers", [1, 2, 3, 9, 12])
def test_every_layer_once_and_a_skip_for_each_encoder_step(layers):
    encoder, decoder = UnetPlan(layers)(())
    assert (*encoder, *decoder) == tuple(range(layers))
    assert len(encoder) == layers // 2 and len(decoder) - len(encoder) in (0, 1)


def test_phases_change_nothing():
    assert UnetPlan(5)(("loop",)) == UnetPlan(5)(())
