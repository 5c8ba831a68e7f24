import pytest
from models import registry
from requant.sweeps import GRID, no_build, plan, weights

from pgolf.requant import sweep as sweeps
from pgolf.requant.sweep import run_sweep


@pytest.fixture(scope="package")
def swept(tmp_path_factory, micro_data):
    """(folder, plan, reports, outcome) of a sweep over two clips."""
    folder = tmp_path_factory.mktemp("swept")
    made, lines = plan(weights(folder), micro_data, folder / "out", GRID)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweeps, "make", no_build)
        found = run_sweep(made, registry())
    return folder, made, lines, found
