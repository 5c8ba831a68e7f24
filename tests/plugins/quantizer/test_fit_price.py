"""One price by measured bytes: it lands under the target from both sides, and says when it cannot."""

import math

import pytest
import torch
from models import resolved

from pgolf.runtime.ledger import Ledger
from pgolf_plugins.quantizer.fit_price import PRICE, fit_by_price

CODES = 2 * 300 * 300
NORMAL = torch.randn(300, 300, generator=torch.Generator().manual_seed(1))


def coded(octaves):
    """Codes of normal rows with 3 bits at no octaves."""
    return {"codes": (NORMAL * 2 ** (0.95 - octaves / 2)).round(), "octaves": torch.tensor(float(octaves))}


class Wide:
    """Tensors whose steps go with the root of the price."""

    def __init__(self):
        self.asked = []

    def encode(self, name, more):
        self.asked.append(math.log2(more[PRICE].item()))
        return coded(self.asked[-1])


def measure(encoded):
    """Half a bit less for each doubling of the price, with a bend that the model lacks."""
    octaves = encoded["a"]["octaves"].item()
    return round(1000 + CODES / 8 * (3 - 0.5 * octaves + 0.02 * octaves**2))


def entropies(encoded):
    """What a coder of single tensors comes to: it finds what the model does not know."""
    bits = 0.0
    for name in "ab":
        counts = encoded[name]["codes"].unique(return_counts=True)[1].double()
        bits -= (counts * (counts / counts.sum()).log2()).sum().item()
    return round(5000 + 0.97 * bits / 8)


def start():
    return {name: coded(0.0) for name in "ab"} | {"c": {"kept": torch.zeros(3)}}


@pytest.mark.parametrize("target", [40000, 60000, 68000, 80000, 100000])
def test_it_lands_within_a_thousandth_below_the_target(target):
    ledger, wide = Ledger(), Wide()
    found = fit_by_price(start(), measure, wide, ledger, target, 8, 1.0)
    assert 0.998 * target <= measure(found) <= target, ledger.receipt("fit_price")
    assert "c" in found and "kept" in found["c"]
    assert ledger.receipt("fit_price").startswith("fits")


@pytest.mark.parametrize(("share", "part"), [(1.0, 0.7), (1.0, 0.85), (1.0, 1.3), (0.5, 0.8), (0.5, 1.1)])
def test_two_packings_more_are_enough_for_normal_rows(share, part):
    """The line of old took three and more, and knew nothing of the share."""
    calls, whole = [], start()
    target = round(part * entropies(whole))

    def counted(encoded):
        calls.append(1)
        return entropies(encoded)

    class Shared(Wide):
        def encode(self, name, more):
            return coded(share * math.log2(more[PRICE].item()))

    found = fit_by_price(whole, counted, Shared(), Ledger(), target, 9, share)
    assert 0.999 * target <= entropies(found) <= target and len(calls) <= 3


def test_it_stops_at_the_last_octave_either_way():
    ledger, wide = Ledger(), Wide()
    found = fit_by_price(start(), measure, wide, ledger, 100, 6, 1.0)
    assert "does not fit" in ledger.receipt("fit_price") and max(wide.asked) == pytest.approx(10)
    assert found["a"]["octaves"].item() == pytest.approx(10)
    found = fit_by_price(start(), measure, Wide(), ledger, 10**9, 6, 1.0)
    assert found["a"]["octaves"].item() == pytest.approx(-10)


def test_it_packs_no_more_often_than_it_may():
    calls = []

    def counted(encoded):
        calls.append(1)
        return measure(encoded)

    fit_by_price(start(), counted, Wide(), Ledger(), 50000, 3, 1.0)
    assert len(calls) <= 3


def test_without_matrices_nothing_changes():
    whole, ledger = {"c": {"kept": torch.zeros(3)}}, Ledger()
    assert fit_by_price(whole, measure, Wide(), ledger, 5, 3, 1.0) is whole and "nothing changed" in ledger.receipt(
        "fit_price"
    )


def test_it_is_a_fit_on_top_of_sensitivity():
    entry = resolved("fit_price", "gptq", max_wallclock_seconds=0, fit_target_bytes=123).entry
    assert "partial(fit_by_price, probes=5, share=1.0, target=123)" in entry and "SensitiveSteps(" in entry
