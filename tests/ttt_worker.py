"""One rank of golden test-time training runs; saves what it scored and the sums of all to argv[1]."""

import sys
import time

import torch
from ttt import golden_session, nll_of, sgd_session

from pgolf.runtime.distributed import start_world, stop_world
from pgolf.runtime.evaluate import score_spans
from pgolf.runtime.tally import Tally, close_marks

ETLB = {"plugin": "etlb", "etlb_lr": 3.0, "etlb_chunk_tokens": 160, "etlb_steps": 2}
DISCRIMINATIVE = {"plugin": "discriminative_ttt", "ttt_layer_decay": 0.7, "ttt_entropy_high": 9.0}
MUON = {"more": ("lora_muon",), "lora_muon_lr": 0.005}
RUNS = {
    # name: golden run, its setting, deterministic
    "ttt_unphased": ("ttt_unphased", {"ttt_warm_start_a": False}, False),
    "ttt_phased_2ph": ("ttt_phased_2ph", {"ttt_warm_start_a": True}, False),
    "ttt_sgd_u2": ("ttt_sgd_u2", {}, False),
    "muon": ("ttt_unphased", {"ttt_warm_start_a": False, **MUON}, False),
    "etlb": ("ttt_sgd_u2", ETLB, False),
    "discriminative": ("ttt_sgd_u2", DISCRIMINATIVE, False),
    "deterministic phased": ("ttt_phased_2ph", {"ttt_warm_start_a": True}, True),
    "deterministic muon": ("ttt_phased_2ph", {"ttt_warm_start_a": True, **MUON}, True),
    "deterministic sgd": ("ttt_sgd_u2", {}, True),
    "deterministic etlb": ("ttt_sgd_u2", ETLB, True),
    "deterministic discriminative": ("ttt_sgd_u2", DISCRIMINATIVE, True),
}


def main(path):
    """Ranks are slowed down by different amounts, so that they take work in different orders."""
    torch.set_num_threads(1)
    world, found = start_world(), {}
    for key, (name, settings, deterministic) in RUNS.items():
        torch.use_deterministic_algorithms(deterministic)
        session = (
            sgd_session(world, **settings)
            if name == "ttt_sgd_u2"
            else golden_session(name, world, ttt_chains=3, ttt_lora_lr=0.01, **settings)
        )
        # A run has one session; the queues of two in one group need names of their own.
        session.queues = 100 * len(found)
        turns = session.share_work

        def slowly(count, turns=turns):
            for turn in turns(count):
                time.sleep(0.1 * ((world.rank + turn) % 3))
                yield turn

        session.share_work = slowly
        session.model.eval()
        session.freeze()
        tally = Tally(session)
        nll = nll_of(session, tally)
        tally.share()
        score = close_marks(session, tally.scored_at, tally.sums, tally.begin)
        weights = torch.cat([tensor.detach().flatten() for tensor in session.model.parameters()])
        found[key] = {"nll": nll, "loss": score.val_loss, "weights": weights, "learned": tally.learned_at}
        found[key]["scored"] = tally.scored_at
        if key == "deterministic sgd":
            # On its own: the weights have changed, which walks over windows do not mind.
            spans = session.program.windows.spans(len(session.tokens), session.seq_len)
            found["windows"] = {"loss": score_spans(session, spans)[0].val_loss}
    torch.save(found, path)
    stop_world(world)


if __name__ == "__main__":
    main(sys.argv[1])
