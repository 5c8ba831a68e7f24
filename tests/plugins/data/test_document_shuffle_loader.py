"""The document shuffle against the fork's windows."""

from types import SimpleNamespace

import torch
from loaders import check_too_few_shards, check_windows, opened, write_shards

from pgolf_plugins.data.document_shuffle_loader import DocumentShuffleLoader


def seeded(seed=1337):
    loader = DocumentShuffleLoader(1)
    loader.prepare(SimpleNamespace(env=SimpleNamespace(seed=seed)))
    return loader


def test_windows_are_those_of_the_fork(tmp_path):
    check_windows(tmp_path, seeded, "D6_docshuffle_ws2")


def test_every_document_comes_once_in_a_round_and_the_seed_decides_the_order(tmp_path):
    ids = torch.tensor([9, 9, 1, 5, 1, 6, 6, 1, 1, 7])
    pattern = write_shards(tmp_path, {"fineweb_train_000000": ids})
    documents = sorted([[9, 9], [1, 5], [1, 6, 6], [1], [1, 7]])
    orders = set()
    for seed in range(8):
        loader = opened(seeded(seed), pattern)
        for _ in range(2):
            found = [loader.take().tolist() for _ in documents]
            assert sorted(found) == documents
        orders.add(str(found))
    assert len(orders) > 4


def test_more_ranks_than_shards_are_refused(tmp_path):
    check_too_few_shards(tmp_path, seeded())
