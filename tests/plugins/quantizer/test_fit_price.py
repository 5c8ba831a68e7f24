"""One price by measured bytes: it lands under the target from both sides, and says when it cannot."""

import math

import pytest
import torch
from models import resolved

from pgolf.runtime.ledger import Ledger
from pgolf_plugins.quantizer.fit_price import PRICE, fit_by_price

CODES = 2 * 300 * 300


class Wide:
    """Tensors whose codes cost half a bit less for each doubling of the price, with a bend that the model lacks."""

    def __init__(self):
        self.asked = []

    def encode(self, name, more):
        self.asked.append(math.log2(more[PRICE].item()))
        return {"codes": torch.zeros(300, 300), "octaves": more[PRICE].log2()}


def measure(encoded):
    octaves = encoded["a"].get("octaves", torch.tensor(0.0)).item()
    return round(1000 + CODES / 8 * (3 - 0.5 * octaves + 0.02 * octaves**2))


def start():
    return {name: {"codes": torch.zeros(300, 300)} for name in "ab"} | {"c": {"kept": torch.zeros(3)}}


@pytest.mark.parametrize("target", [40000, 60000, 68000, 80000, 100000])
def test_it_lands_within_a_thousandth_below_the_target(target):
    ledger, wide = Ledger(), Wide()
    found = fit_by_price(start(), measure, wide, ledger, target, 8)
    assert 0.998 * target <= measure(found) <= target, ledger.receipt("fit_price")
    assert "c" in found and "kept" in found["c"]
    assert ledger.receipt("fit_price").startswith("fits")


def test_it_stops_at_the_last_octave_either_way():
    ledger, wide = Ledger(), Wide()
    found = fit_by_price(start(), measure, wide, ledger, 100, 6)
    assert "does not fit" in ledger.receipt("fit_price") and max(wide.asked) == pytest.approx(10)
    assert found["a"]["octaves"].item() == pytest.approx(10)
    found = fit_by_price(start(), measure, Wide(), ledger, 10**9, 6)
    assert found["a"]["octaves"].item() == pytest.approx(-10)


def test_it_packs_no_more_often_than_it_may():
    calls = []

    def counted(encoded):
        calls.append(1)
        return measure(encoded)

    fit_by_price(start(), counted, Wide(), Ledger(), 50000, 3)
    assert len(calls) <= 3


def test_without_matrices_nothing_changes():
    whole, ledger = {"c": {"kept": torch.zeros(3)}}, Ledger()
    assert fit_by_price(whole, measure, Wide(), ledger, 5, 3) is whole and "nothing changed" in ledger.receipt(
        "fit_price"
    )


def test_it_is_a_fit_on_top_of_sensitivity():
    entry = resolved("fit_price", "gptq", max_wallclock_seconds=0, fit_target_bytes=123).entry
    assert "partial(fit_by_price, probes=5, target=123)" in entry and "SensitiveSteps(" in entry
