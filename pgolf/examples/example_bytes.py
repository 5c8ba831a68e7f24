"""bytes(y | x) = size[y] + (lead[y] and not boundary[x]), from the tokenizer's pieces."""

from pgolf import Component, Plugin, hookimpl
from pgolf.runtime.byte_count import byte_tables, load_tokenizer

PLUGIN = Plugin(
    name="example_bytes",
    summary="Bytes by table.",
    source="pgolf's documentation",
    family="data",
)


class TableBytes:
    """What a score is divided by: an error here is an invalid submission."""

    def open(self, tokenizer_path, data_path, vocab_size, device, ledger):
        """`load_tokenizer` refuses tokenizers whose pieces do not tell."""
        tables = byte_tables(load_tokenizer(tokenizer_path, vocab_size), vocab_size)
        self.size, self.lead, self.boundary = tables.to(device)
        self.ledger = ledger

    def count(self, ids_BT, targets_BT, positions_BT):
        """int64 (B,T); `positions` serve counters that read files beside the shards."""
        self.ledger.count("example_bytes", "targets", targets_BT.numel())
        return self.size[targets_BT] + (self.lead[targets_BT] & ~self.boundary[ids_BT])


@hookimpl
def byte_counter(settings) -> Component:
    """In place of the baseline's."""
    return Component(TableBytes)
