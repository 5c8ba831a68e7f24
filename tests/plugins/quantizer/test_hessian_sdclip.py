"""Hessian-aware clips: golden steps and codes, and the formula by loops."""

import pytest
import torch
from models import resolved
from pipeline_vectors import load_case

from pgolf.runtime.ledger import Ledger
from pgolf.runtime.quantize import SpreadRecipe
from pgolf_plugins.quantizer.gptq import Gptq
from pgolf_plugins.quantizer.hessian_sdclip import ImportantRows


def test_golden_steps_and_codes():
    case = load_case("Q16_hessian_sdclip_a")
    weight, statistics, params = case.inputs["W"], {"hessian": case.inputs["H"]}, case.params
    ledger = Ledger()
    tap = ImportantRows(params["hessian_clip_lambda"], 0.01)
    clip = tap(weight, params["clip_sigmas"] * weight.std(1), 31, statistics, ledger)
    step = (clip / params["clip_range"]).half()
    assert torch.equal(step, case.outputs["scale"])
    codes = Gptq(params["block_size"], 0.01)("w", weight, step, params["clip_range"], statistics, ledger)
    assert torch.equal(codes, case.outputs["q"])
    assert ledger.receipt("hessian_sdclip") == "1 matrices"


def test_the_formula_by_hand():
    weight = torch.tensor([[1.0, -2.0], [3.0, 1.0]])
    statistics = {"hessian": torch.diag(torch.tensor([1.0, 3.0]))}
    clip = ImportantRows(0.5, 0.0)(weight, torch.tensor([10.0, 20.0]), 31, statistics, Ledger())
    rows = [(1 * 0.5 + 2 * 1.5) / 2, (3 * 0.5 + 1 * 1.5) / 2]
    mean = sum(rows) / 2
    assert clip.tolist() == pytest.approx(
        [10 * (1 + 0.5 * (rows[0] / mean - 1)), 20 * (1 + 0.5 * (rows[1] / mean - 1))]
    )


def test_a_matrix_of_zeros_has_no_clips_and_no_nan():
    clip = ImportantRows(0.5, 0.01)(torch.zeros(2, 2), torch.zeros(2), 31, {"hessian": torch.eye(2)}, Ledger())
    assert clip.tolist() == [0.0, 0.0]


def test_it_acts_between_spread_and_step():
    generator = torch.Generator().manual_seed(1)
    weight = torch.randn(300, 300, generator=generator)
    statistics = {"hessian": torch.diag(torch.rand(300, generator=generator))}
    tap = ImportantRows(0.175, 0.01)
    plain = SpreadRecipe("sdclip", "int6", 31, 12.85, (), Gptq(128, 0.01)).encode("w", weight, statistics, Ledger())
    aware = SpreadRecipe("sdclip", "int6", 31, 12.85, (tap,), Gptq(128, 0.01)).encode("w", weight, statistics, Ledger())
    wanted = (tap(weight, 12.85 * weight.std(1), 31, statistics, Ledger()) / 31).half()
    assert torch.equal(aware["step"], wanted) and not torch.equal(aware["step"], plain["step"])
    assert "ImportantRows(damp=0.01, weight=0.175)" in resolved("hessian_sdclip").entry
