"""Test-time training: every document has LoRA factors of its own, which learn from each chunk once it is scored.

    for each chunk of 64 documents side by side:  score it;  one AdamW step on  sum over documents of mean nll(chunk)

Sites: q, k, v and head, the whole attention branch and the whole MLP (each from its normed input), alpha / rank on the output.
Documents are grouped by length, longest first. A step is taken for all rows while any document has chunks left, so weight decay
also shrinks the A of one that has ended. Between groups B and the optimizer's state start anew.

Warm start: A goes on from group to group, along chains: group i of the queue belongs to chain i modulo `ttt_chains`, and a
rank takes whole chains, so what a group starts from never depends on ranks. Without warm start every group is a chain. A
smaller group, that of the longest documents, always is one. Each chain draws A anew.

Source: openai/parameter-golf PR #1530 (documents side by side), PR #1767 and #1787 (scale, warm start, weight decay).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.documents import (
    chunk_rows,
    count_calls,
    count_chunks,
    deal_chains,
    find_documents,
    group_documents,
    row_widths,
    split_groups,
)
from pgolf.runtime.lora import Lora

if TYPE_CHECKING:
    from pgolf.runtime.documents import Document, Group
    from pgolf.runtime.session import Session
    from pgolf.runtime.tally import Tally
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="lora_ttt",
    summary="Low-rank test-time training of every document on its own, score first.",
    source="openai/parameter-golf#1530",
    family="eval",
    effect="-0.003 BPB against strided windows, -0.0125 against plain ones; 250 to 500 s on 8 H100; a model that was trained "
    "for a minute gains twice as much at three times the rate",
    requires=("document_starts",),
    settings=(
        Setting("ttt_lora_rank", 96, "rank of the factors", minimum=1),
        Setting("ttt_lora_alpha", 144.0, "their product is multiplied by this over the rank", minimum=0),
        Setting("ttt_lora_lr", 1e-4, "learning rate of AdamW", minimum=0),
        Setting("ttt_weight_decay", 1.0, "decoupled weight decay", minimum=0),
        Setting("ttt_beta1", 0.0, "first beta of AdamW", minimum=0, below=1),
        Setting("ttt_beta2", 0.999, "second beta of AdamW", minimum=0, below=1),
        Setting("ttt_chunk_size", 48, "tokens from one update to the next", minimum=1),
        Setting("ttt_eval_seq_len", 2048, "tokens of context at most", minimum=1),
        Setting("ttt_batch_size", 64, "documents side by side", minimum=1),
        Setting("ttt_warm_start_a", True, "A goes on from group to group"),
        Setting("ttt_chains", 8, "chains of a warm start; as many ranks can work at once", minimum=1),
        Setting("ttt_widths", 4, "row lengths compiled: the context, half of it, ...; 0: one graph for any", minimum=0),
        Setting("ttt_k_lora", True, "factors at k"),
        Setting("ttt_o_lora", True, "factors at the attention branch"),
        Setting("ttt_mlp_lora", True, "factors at the MLP"),
    ),
)


class LoraTTT:
    """`lora`: rank, scale; `adam`: lr, betas, weight decay; `sizes`: chunk, group, chains, one graph for any width."""

    name = "lora_ttt"
    label = "ttt"

    def __init__(
        self,
        bos_id: int,
        sites: tuple[str, ...],
        lora: tuple[int, float],
        adam: tuple[float, ...],
        sizes: tuple[int, int, int, bool],
        widths: tuple[int, ...],
    ):
        self.bos_id, self.sites, self.lora, self.adam = bos_id, sites, lora, adam
        self.sizes, self.widths = sizes, widths

    def __call__(self, session: Session, tally: Tally) -> None:
        """Score all documents; a base update, where one is chosen, runs between groups."""
        chunk_size, batch_size, chains, dynamic = self.sizes
        documents, update = find_documents(session.tokens, self.bos_id), session.program.base_update
        boundaries = [] if update is None else update.boundaries(len(documents))
        steps = sum(len(part) for part in session.program.layer_plan(session.scoring_phases()))
        lora = Lora(session.model, self.sites, steps, batch_size, *self.lora)
        widths = self.widths[-1:] if dynamic else self.widths
        tally.rehearse([(batch_size, width) for width in widths], lora, dynamic)
        groups, ranks = group_documents(documents, batch_size), session.world.world_size
        tally.planned = count_calls(groups, chunk_size, self.widths, batch_size, ranks)
        parts = split_groups(groups, boundaries)
        done: list[Group] = []
        for number, part in enumerate(parts):
            self.run_chains(session, tally, lora, deal_chains(part, batch_size, chains))
            done += part
            if number < len(parts) - 1:
                tally.share()
                known = [document for group in sorted(done) for document in group.documents][: boundaries[number]]
                if tally.all_may_learn(4 * sum(document.length for document in known) // ranks):  # forward and backward
                    update(session, tally, known)  # type: ignore[misc]

    def run_chains(self, session: Session, tally: Tally, lora: Lora, chains: list[list[Group]]) -> None:
        """Run those chains of groups that come to this rank."""
        generator = torch.Generator(session.world.device)
        for turn in session.share_work(len(chains)):
            generator.manual_seed((session.env.seed << 20) + chains[turn][0].index)
            lora.reset(generator)
            for group in chains[turn]:
                lora.reset()
                self.run_group(session, tally, lora, group.documents)

    def run_group(self, session: Session, tally: Tally, lora: Lora, documents: list[Document]) -> None:
        """Chunk by chunk: score, then learn where something follows and time is left."""
        (lr, beta1, beta2, decay), (chunk_size, batch_size, _, _) = self.adam, self.sizes
        factors, make = lora.factors(), session.program.adapter_optimizer
        adam = torch.optim.AdamW(factors, lr, (beta1, beta2), 1e-10, decay, fused=True)
        optimizer = adam if make is None else make(factors, session.ledger)
        for chunk in range(max(count_chunks(document, chunk_size) for document in documents)):
            places, mask, weights = chunk_rows(documents, chunk, chunk_size, self.widths, batch_size)
            optimizer.zero_grad()
            found = tally.score(places, mask, lora)
            if weights.any() and tally.may_learn():
                tally.learn(found, weights)
                optimizer.step()
                session.ledger.count("lora_ttt", "updates")
        session.ledger.count("lora_ttt", "documents", len(documents))


@hookimpl
def evaluation(settings: SettingsView) -> Component:
    """Documents in place of windows."""
    size, length, group = settings.ttt_chunk_size, settings.ttt_eval_seq_len, settings.ttt_batch_size
    settings.require(size <= length, "ttt_chunk_size", f"at most ttt_eval_seq_len={length}")
    extra = {"attn.c_k": settings.ttt_k_lora, "attn": settings.ttt_o_lora, "mlp": settings.ttt_mlp_lora}
    return Component(
        LoraTTT,
        bos_id=settings.bos_id,
        sites=("attn.c_q", "attn.c_v", "head", *(site for site, chosen in extra.items() if chosen)),
        lora=(settings.ttt_lora_rank, settings.ttt_lora_alpha / settings.ttt_lora_rank),
        adam=(settings.ttt_lora_lr, settings.ttt_beta1, settings.ttt_beta2, settings.ttt_weight_decay),
        sizes=(size, group, settings.ttt_chains * settings.ttt_warm_start_a, settings.ttt_widths == 0),
        widths=tuple(row_widths(length, settings.ttt_widths, size)),
    )
