"""The numbers of a toy folder, changed."""

import json

LOG = "logs/train_seed1337.log"


def rewrite(folder, **changes):
    """submission.json with other values."""
    path = folder / "submission.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
