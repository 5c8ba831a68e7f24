"""The record's stack against ours on one GPU: pairs of runs of one seed, side by side for the same time on the clock.

    python benchmarks/gpu_quality.py prepare KIT --data SHARDS --tokenizer MODEL      here: builds and shards
    python KIT/gpu_quality.py run KIT OUT --minutes 9 [--seeds 1337,42,2025]          there

Both are the recipe of PR #1855 at the proxy's size: batches of 65,536 tokens, an average that fits some hundred steps, the
default byte coder, the plain tokenizer. `BEST` names what ours has besides. A pair trains for `--train-seconds` of its own
clock, compiled, warm-up and compilation outside; it shares the GPU, so that neither has more of it than the other. When all
pairs are trained, each artifact is scored by the test-time training of its stack, eager, while time is left: scored beside the
next pair, it took half of the GPU from it. One JSON line for each run, at once; at the end the mean difference over seeds, its
standard error and the p-value of a paired t-test.

Seeds that do not fit one call go into another one: TORCHINDUCTOR_CACHE_DIR names a folder that keeps what was compiled.

`--tiny` prepares small models for a CPU.
"""

import argparse
import json
import math
import re
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from gpu_eval_table import EAGER, Table, every_document, read_log, read_shard, write_pieces, write_shard

STACKS = ("record", "best")
BEST = ("pko",)
# What ours sets otherwise.
BEST_SETTINGS = {"ttt_lora_lr": 0.0003}
LEFT_OUT = ("caseops", "pergroup")
ADAPT = ("lora_ttt", "phased_ttt")
PROXY = {
    "ema_decay": 0.98,
    "gptq_reserve_seconds": 12.0,
    "muon_momentum_warmup_steps": 200,
    "train_batch_tokens": 65536,
    "train_log_every": 50,
    "val_loss_every": 0,
    "vocab_size": 8192,
    "warmup_steps": 2,
}
SCORING = {
    "global_ttt_batch_seqs": 4,
    "global_ttt_chunk_tokens": 8192,
    "max_eval_seconds": 90.0,
    "phased_ttt_prefix_docs": 60,
    "ttt_batch_size": 32,
    "ttt_chains": 1,
}
TINY = {
    "num_layers": 6,
    "model_dim": 64,
    "num_heads": 4,
    "num_kv_heads": 2,
    "train_seq_len": 64,
    "eval_seq_len": 64,
    "train_batch_tokens": 512,
    "rope_dims": 8,
    "loop_start": 1,
    "loop_end": 2,
    "num_loops": 1,
    "parallel_start_layer": 4,
    "muon_momentum_warmup_steps": 2,
    "gptq_calibration_batches": 1,
    "val_batch_size": 8192,
}
TINY_SCORING = {"ttt_eval_seq_len": 128, "ttt_lora_rank": 4, "ttt_batch_size": 8, "ttt_chunk_size": 32}
TINY_SCORING |= {"global_ttt_chunk_tokens": 512, "phased_ttt_prefix_docs": 10}


def stacks(tiny, registry):
    """Build -> its recipe: of each stack what trains, and what scores."""
    from pgolf.ablate.variants import with_known_settings, without
    from pgolf.recipe import load_recipe

    record = without(load_recipe(Path(__file__).resolve().parent.parent / "submissions" / "pr1855"), LEFT_OUT)
    small, small_scoring = (TINY, TINY_SCORING) if tiny else ({}, {})
    made = {}
    for stack, plugins, settings in (("record", (), {}), ("best", BEST, BEST_SETTINGS)):
        whole = record.override(plugins, PROXY | small)
        made[f"{stack}_train"] = with_known_settings(without(whole, ADAPT), registry)
        made[f"{stack}_score"] = with_known_settings(
            whole.override(settings=SCORING | small_scoring | settings), registry
        )
    return made


def prepare(arguments):
    """Everything that the machine with the GPU needs, in one folder."""
    from pgolf.manager import load_registry
    from pgolf.submission import make, write_submission

    kit, registry = arguments.kit, load_registry()
    train, val = (read_shard(f"fineweb_{part}_*.bin", arguments.data) for part in ("train", "val"))
    val = every_document(val, arguments.every)
    if arguments.tiny:
        train, val = train[:200_000], val[:4_000]
    (kit / "data").mkdir(parents=True)
    write_shard(kit / "data" / "fineweb_val_000000.bin", val)
    write_shard(kit / "data" / "fineweb_train_000000.bin", train)
    write_pieces(arguments.tokenizer, kit)
    for name in ("gpu_quality.py", "gpu_eval_table.py"):
        shutil.copy(Path(__file__).parent / name, kit)
    for name, recipe in stacks(arguments.tiny, registry).items():
        write_submission(make(recipe.override(name=name), registry), kit / name)
    print(f"{kit}: {len(val):,} validation tokens, {len(train):,} training tokens")


class Pairs(Table):
    """Trains and scores both stacks of a seed at once."""

    def train_stack(self, stack, seed, seconds):
        """What is known of a run after its training."""
        folder = f"{stack}{seed}"
        changes = {"SEED": str(seed), "MAX_WALLCLOCK_SECONDS": str(seconds)}
        log, wall, failed = self.run(folder, f"{stack}_train", "data", self.left() - 60, **changes)
        steps = re.findall(r"^step:(\d+)/", log, re.M)
        row = {"row": folder, "stack": stack, "seed": seed, "train_wall": round(wall, 1), "failed": failed}
        row["steps"] = int(steps[-1]) if steps else 0
        row["scores"] = re.findall(r"^(final_\w+_exact) val_loss:\S+ val_bpb:(\S+)", log, re.M)
        artifacts = list((self.work / folder).glob("final_model.*.ptz"))
        row["bytes"] = artifacts[0].stat().st_size if artifacts else None
        row |= {"plain": float(row["scores"][-1][1])} if row["scores"] else {}
        self.add(row)
        return row

    def score_stack(self, row):
        """The rest of the run."""
        if row["bytes"] and not row["failed"]:
            changes = EAGER | {"SEED": str(row["seed"])}
            log, wall, failed = self.run(
                row["row"], f"{row['stack']}_score", "data", self.left(), ("score",), **changes
            )
            row |= {"failed": failed, "score_wall": round(wall, 1)} | ({} if failed else read_log(log))
            print(json.dumps(row), flush=True)
            self.write()

    def write(self):
        """The rows so far."""
        self.out.joinpath("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in self.rows))
        self.out.joinpath("table.md").write_text(json.dumps(differences(self.rows)) + "\n")


def differences(rows):
    """Of each score, ours less the record's: by seed, mean, standard error, p of a paired t-test (two-sided)."""
    found = {}
    for key in ("plain", "bpb"):
        by = {(row["stack"], row["seed"]): row[key] for row in rows if key in row}
        each = [
            by["best", seed] - by["record", seed] for stack, seed in by if stack == "record" and ("best", seed) in by
        ]
        found[key] = {"seeds": len(each), "each": each, **paired_test(each)}
    return found


def paired_test(each):
    """Mean, standard error and p-value of a mean that is zero; exact for two and three pairs, which is what fits a lease."""
    count = len(each)
    if count < 2:
        return {"mean": each[0] if each else None}
    mean = sum(each) / count
    error = math.sqrt(sum((one - mean) ** 2 for one in each) / (count - 1) / count)
    t = abs(mean) / error if error else math.inf
    tail = {1: 1 - 2 / math.pi * math.atan(t), 2: 1 - t / math.sqrt(2 + t * t)}
    return {"mean": mean, "error": error, "t": t, "p": tail.get(count - 1)}


def run(arguments):
    """Pair after pair, while time is left."""
    arguments.out.mkdir(parents=True, exist_ok=True)
    table = Pairs(arguments.kit, arguments.out, arguments.minutes)
    try:
        with ThreadPoolExecutor() as pool:
            trained, pair = [], 0.0
            for seed in map(int, arguments.seeds.split(",")):
                if table.left() < pair:
                    print(f"seed {seed}: {table.left():.0f} s are left, training takes {pair:.0f}", flush=True)
                    break
                begin = time.time()
                trained += pool.map(partial(table.train_stack, seed=seed, seconds=arguments.train_seconds), STACKS)
                pair = arguments.train_seconds + 20 if pair == 0 else time.time() - begin
            list(pool.map(table.score_stack, trained))
    finally:
        table.close()


def main():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("prepare", help="builds and shards, in one folder")
    command.add_argument("kit", type=Path)
    command.add_argument("--data", type=Path, required=True, help="folder of fineweb_{train,val}_*.bin, 8,192 tokens")
    command.add_argument("--tokenizer", type=Path, required=True)
    command.add_argument("--every", type=int, default=4, metavar="N", help="every N-th validation document")
    command.add_argument("--tiny", action="store_true", help="small models on little text, for a CPU")
    command.set_defaults(function=prepare)
    command = commands.add_parser("run", help="train and score pairs")
    command.add_argument("kit", type=Path)
    command.add_argument("out", type=Path)
    command.add_argument("--minutes", type=float, default=9, help="for everything together")
    command.add_argument("--train-seconds", type=float, default=100, help="training time of each run")
    command.add_argument("--seeds", default="1337,42,2025")
    command.set_defaults(function=run)
    arguments = parser.parse_args()
    arguments.function(arguments)


if __name__ == "__main__":
    main()
