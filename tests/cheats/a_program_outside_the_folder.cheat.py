import runpy
from pathlib import Path

runpy.run_path(str(Path(__file__).parents[3] / "shared_code" / "train.py"))
