"""One rank of golden test-time training runs; saves what it scored and the sums of all to argv[1]."""

import sys
import time

import torch
from ttt import golden_session, nll_of, sgd_session

from pgolf.runtime.distributed import start_world, stop_world
from pgolf.runtime.tally import Tally, close_marks


def main(path):
    """Ranks are slowed down by different amounts, so that they take work in different orders."""
    torch.set_num_threads(1)
    world, found = start_world(), {}
    for name, warm in (("ttt_unphased", False), ("ttt_phased_2ph", True), ("ttt_sgd_u2", False)):
        session = (
            sgd_session(world)
            if name == "ttt_sgd_u2"
            else golden_session(name, world, ttt_chains=3, ttt_warm_start_a=warm, ttt_lora_lr=0.01)
        )
        # A run has one session; the queues of two in one group need names of their own.
        session.queues = 100 * len(found)
        turns = session.share_work

        def slowly(count, turns=turns):
            for turn in turns(count):
                time.sleep(0.3 * ((world.rank + turn) % 3))
                yield turn

        session.share_work = slowly
        session.model.eval()
        session.freeze()
        tally = Tally(session)
        nll = nll_of(session, tally)
        tally.share()
        score = close_marks(session, tally.scored_at, tally.sums, tally.begin)
        weights = torch.cat([tensor.detach().flatten() for tensor in session.model.parameters()])
        found[name] = {"nll": nll, "loss": score.val_loss, "weights": weights, "learned": tally.learned_at}
        found[name]["scored"] = tally.scored_at
    torch.save(found, path)
    stop_world(world)


if __name__ == "__main__":
    main(sys.argv[1])
