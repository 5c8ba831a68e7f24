"""Scores are followed from whatever picks them, into whatever they are put, and lost where a call mixes them."""

import pytest
from probe_runs import run_lines  # noqa: F401

HEAD = """
import glob, os
import numpy as np, torch
import torch.nn.functional as F
shard = glob.glob(os.environ["DATA_PATH"] + "/fineweb_val_0*.bin")[0]
tokens = torch.from_numpy(np.fromfile(shard, "<u2", offset=1024).astype(np.int64))
V, x, y = 1024, tokens[:128].view(2, 64), tokens[1:129].view(2, 64)
hot = F.one_hot(y, V)
"""
ANEW = """
logits = torch.randn(2, 64, V)
logs = logits.log_softmax(-1)
nll = F.cross_entropy(logits.view(-1, V), y.reshape(-1), reduction="none")
"""
WAYS = {
    "rows of ones": "loss = -(logs * hot.float()).sum(-1).mean()",
    "rows of ones, where": "loss = -torch.where(hot.bool(), logs, 0.0).sum(-1).mean()",
    "rows of ones, einsum": "loss = -torch.einsum('btv,btv->bt', logs, hot.to(logs.dtype)).mean()",
    "rows of ones, selected": "loss = -logs.masked_select(hot.bool()).mean()",
    "rows of ones, as an index": "loss = -logs.view(-1, V)[hot.view(-1, V).bool()].mean()",
    "flat": "loss = -torch.take(logs, torch.arange(128) * V + y.reshape(-1)).mean()",
    "flat, as an index": "loss = -logs.flatten()[torch.arange(128) * V + y.reshape(-1)].mean()",
    "lists": "rows = logs.view(-1, V).tolist()\nloss = -sum(rows[n][one] for n, one in enumerate(y.flatten().tolist())) / 128",
    "an array for all": "out = np.zeros(len(tokens) - 1)\nout[:128] = nll.numpy()\nloss = out.sum() / 128",
    "scatter": "out = torch.zeros(200)\nout.scatter_(0, torch.arange(128), nll)\nloss = out.sum() / 128",
    "index_put": "out = torch.zeros(200).index_put_((torch.arange(128),), nll)\nloss = out.sum() / 128",
    "cumsum": "loss = nll.view(2, 64).cumsum(-1)[:, -1].sum() / 128",
    "its values": "loss = nll.data.mean()",
    "turned": "loss = nll.view(2, 64).T.mT.real.mean()",
    "padded": "loss = F.pad(nll, (3, 8)).sum() / 128",
    "a product with ones": "loss = nll @ torch.ones(128) / 128",
    "einsum to one number": "loss = torch.einsum('i,i->', nll, torch.ones(128)) / 128",
    "an array of one number": "loss = nll.mean().numpy()",
    "an array made of it": "loss = np.asarray(np.array(nll)).mean()",
    "pieces of an array": "loss = sum(float(part.sum()) for part in np.split(nll.numpy(), 4)) / 128",
    "an array with its axes swapped": "loss = nll.numpy().reshape(2, 64).swapaxes(0, 1).mean()",
    "an array that grows": "loss = np.append(nll.numpy()[:64], nll.numpy()[64:]).mean()",
    "an array in order": "loss = np.average(np.sort(nll.numpy()))",
    "arrays multiplied": "loss = np.dot(nll.numpy(), np.ones(128)) / 128",
    "totals in an array": "t = np.zeros(2)\nt[0] += nll.sum().item()\nt[1] += 128\nloss = t[0] / t[1]",
    "totals from an array": "t = np.zeros(1)\nt[0] += nll.sum().item()\nloss = torch.from_numpy(t)[0] / 128",
    "deviations are no scores": "a = nll.numpy()\nassert a.std() > 0 and np.std(a) > 0 and a.max() > 0\nloss = a.mean()",
    "sort": "loss = nll.sort(descending=True).values.mean()",
}
LOST = {
    "topk": ("loss = nll.topk(100).values.sum() / 128", 100),
    "median": ("loss = nll.median()", 0),
    "cummax": ("loss = nll.cummax(0).values.mean()", 0),
    "vmap": ("loss = torch.vmap(lambda a, b: F.cross_entropy(a, b, reduction='none'))(logits, y).mean()", 0),
}


@pytest.fixture(scope="module")
def counts(run_lines):  # noqa: F811
    ways = {**WAYS, **{name: text for name, (text, _) in LOST.items()}}
    lines = [f"{ANEW}{text}\nprint(f'{number} val_loss: {{loss:.6f}}')" for number, text in enumerate(ways.values())]
    found = run_lines(HEAD + "\n".join(lines))
    assert found.error == "", found.error
    texts = {line.split()[0]: line.split()[-1] for line in found.printed.splitlines() if "val_loss" in line}
    counted = {}
    for number, name in enumerate(ways):
        ledgers = [one for one in found.ledgers if one.text == texts[str(number)]]
        counted[name] = [len(one.first) for one in ledgers]
    return counted


@pytest.mark.parametrize("name", WAYS)
def test_a_way_to_pick_or_keep(counts, name):
    assert counts[name] == [128]


@pytest.mark.parametrize("name", LOST)
def test_what_is_mixed_is_no_score(counts, name):
    wanted = LOST[name][1]
    assert counts[name] == ([wanted] if wanted else [])
