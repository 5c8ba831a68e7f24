"""Every form of evaluation on two models that one GPU trains in a minute or two: BPB, seconds, shapes, compilation, memory.

    python benchmarks/gpu_eval_table.py prepare KIT --data SHARDS --tokenizer MODEL     here: builds, shards, tokenizer
    python KIT/gpu_eval_table.py run KIT OUT --minutes 8                                there: PyTorch alone is needed

Two models, with and without `pko`, train side by side for equally many steps, eagerly, since compiling would take longer.
Meanwhile an untrained artifact is scored on a few tokens, so that compiled code is in the cache: its seconds are "cold", those
of the timed run after it "warm". Then the trained artifact is scored by one program after the other, alone on the GPU, most of
them eager for the same reason. A scoring that fails or takes too long is a row that says so; when the minutes are over, the
rest is left out. OUT gets table.md, rows.jsonl and logs.txt.

`--tiny` prepares a kit of the same programs in small sizes, for a CPU.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

STACK = (
    "banks layer_loop leaky_relu2 ln_scale partial_rope skip_gates two_lanes xsa smear_gate_v3 sparse_attention_gate"
)
MODEL = {
    "num_layers": 11,
    "mlp_mult": 4.0,
    "vocab_size": 8192,
    "train_seq_len": 2048,
    "train_batch_tokens": 131072,
    "rope_dims": 16,
    "loop_start": 3,
    "loop_end": 5,
    "num_loops": 2,
    "enable_looping_at": 0.35,
    "parallel_start_layer": 8,
    "qk_gain_init": 5.0,
    "tied_embed_lr": 0.03,
    "warmdown_iters": 50,
    "muon_momentum_warmup_steps": 40,
    "warmup_steps": 1,
    "val_loss_every": 0,
    "train_log_every": 20,
}
# A small model and short rows, for a dry run.
TINY_MODEL = {"num_layers": 6, "model_dim": 64, "num_heads": 4, "num_kv_heads": 2, "train_seq_len": 128}
TINY_MODEL |= {"train_batch_tokens": 1024, "rope_dims": 8, "loop_start": 1, "loop_end": 2, "num_loops": 1}
TINY_MODEL |= {"parallel_start_layer": 4, "warmdown_iters": 2, "muon_momentum_warmup_steps": 2}

# Half of the usual 64 documents side by side, so that several programs can compile at once.
LORA = {"ttt_widths": 2, "ttt_batch_size": 32}
FIRST = {"ttt_lora_rank": 8, "ttt_lora_lr": 0.01, "ttt_beta1": 0.9, "ttt_beta2": 0.95, "ttt_chunk_size": 256}
FIRST |= {"ttt_eval_seq_len": 1024, "ttt_k_lora": False, "ttt_o_lora": False, "ttt_mlp_lora": False}
FIRST |= {"ttt_lora_alpha": 8.0, "ttt_warm_start_a": False, "ttt_weight_decay": 0.0, "ttt_widths": 2}
TINY = {"ttt_eval_seq_len": 128, "ttt_lora_rank": 4, "ttt_batch_size": 8, "ttt_chunk_size": 32}
TINY |= {
    "global_ttt_chunk_tokens": 512,
    "phased_ttt_prefix_docs": 10,
    "ttt_chunk_tokens": 2048,
    "eval_stride": 64,
    "ttt_epochs": 1,
}

# build: plugins, settings
BUILDS = {
    "plain": ("", {}),
    "plain_pko": ("pko", {}),
    "sliding": ("sliding_eval", {"eval_stride": 64}),
    "isolated": ("isolated_eval", {"isolated_widths": 2}),
    "u1": ("lora_ttt", FIRST),
    "u2": ("sliding_eval sgd_ttt", {"eval_stride": 64}),
    "u3": ("lora_ttt", LORA | {"ttt_warm_start_a": False}),
    "u3_u6": ("lora_ttt", LORA),
    "u3_u6_any": ("lora_ttt", LORA | {"ttt_widths": 0}),
    "u3_u6_pko": ("lora_ttt pko", LORA),
    "u3_u6_tilt": ("lora_ttt ngram_tilt", LORA),
    "u4_u6": ("lora_ttt phased_ttt", LORA | {"phased_ttt_prefix_docs": 60, "phased_ttt_num_phases": 3}),
}
EAGER = {"TORCHDYNAMO_DISABLE": "1"}
DETERMINISTIC = EAGER | {"MAX_WALLCLOCK_SECONDS": "0"}
# row of the table: program, model, environment; the most telling first, since time may run out
ROWS = {
    "U3, U6": ("u3_u6", "plain", {}),
    "U4 to U6, 3 phases": ("u4_u6", "plain", {}),
    "U3, U6, one graph for any length": ("u3_u6_any", "plain", {}),
    "U3, U6, eager": ("u3_u6", "plain", EAGER),
    "U4 to U6, 3 phases, eager": ("u4_u6", "plain", EAGER),
    "U3, U6 with pko, eager": ("u3_u6_pko", "plain_pko", EAGER),
    "U2, eager": ("u2", "plain", EAGER),
    "isolated, eager": ("isolated", "plain", EAGER),
    "sliding by 64, eager": ("sliding", "plain", EAGER),
    "U1, eager": ("u1", "plain", EAGER),
    "U3, eager": ("u3", "plain", EAGER),
    "U3, U6 deterministic, eager": ("u3_u6", "plain", DETERMINISTIC),
    "U3, U6 with n-gram tilt, eager": ("u3_u6_tilt", "plain", EAGER),
    "U3, U6 deterministic, eager, again": ("u3_u6", "plain", DETERMINISTIC),
}
# What compiles beside the trainings, in lanes of one after the other.
LANES = (("U3, U6",), ("U3, U6, one graph for any length",))


def write_shard(path, tokens):
    """The contest's format: 256 int32 of header, then uint16."""
    header = np.zeros(256, np.int32)
    header[:3] = 20240520, 1, len(tokens)
    path.write_bytes(header.tobytes() + tokens.astype(np.uint16).tobytes())


def read_shard(pattern, folder):
    """Tokens of the first shard of this kind."""
    return np.fromfile(sorted(folder.glob(pattern))[0], np.uint16)[512:]


def every_document(tokens, step, longest=2048, bos_id=1):
    """The tokens of every `step`-th document, each cut off after the longest context: a long one would take a group alone."""
    first = np.flatnonzero(tokens == bos_id)
    kept = [tokens[start:end][:longest] for start, end in zip(first, [*first[1:], len(tokens)], strict=True)]
    return np.concatenate(kept[::step])


def prepare(arguments):
    """Everything that the machine with the GPU needs, in one folder."""
    kit, tiny = arguments.kit, arguments.tiny
    kit.mkdir(parents=True)
    train, val = (read_shard(f"fineweb_{part}_*.bin", arguments.data) for part in ("train", "val"))
    val = every_document(val, arguments.every)
    if tiny:
        train, val = train[:200_000], val[:4_000]
    for name, some, tokens in (("data", train, val), ("few", train[:200_000], val[:5_000])):
        folder = kit / name
        folder.mkdir()
        write_shard(folder / "fineweb_val_000000.bin", tokens)
        write_shard(folder / "fineweb_train_000000.bin", some)
    shutil.copy(arguments.tokenizer, kit / "tokenizer.model")
    shutil.copy(__file__, kit / "gpu_eval_table.py")
    for name, (plugins, settings) in BUILDS.items():
        chosen = MODEL | settings
        if tiny:
            chosen |= TINY_MODEL | {key: value for key, value in TINY.items() if key in settings or wants(plugins, key)}
        sets = [part for key, value in chosen.items() for part in ("--set", f"{key}={str(value).lower()}")]
        command = [sys.executable, "-m", "pgolf.cli", "build", *sets, "-o", str(kit / name)]
        command += ["--plugins", ",".join(f"{STACK} document_starts {plugins}".split())]
        subprocess.run(command, check=True)


def wants(plugins, setting):
    """Whether the plugins of a build have a setting of `TINY`."""
    owners = {"ttt_chunk_tokens": "sgd_ttt", "ttt_epochs": "sgd_ttt", "eval_stride": "sliding_eval"}
    owner = owners.get(setting, "phased_ttt" if "global" in setting or "phased" in setting else "lora_ttt")
    return owner in plugins.split()


class Table:
    """Runs programs of a kit in folders of their own, and keeps what their logs say."""

    def __init__(self, kit, out, minutes):
        self.kit, self.out = kit.resolve(), out.resolve()
        self.work = self.out / "work" if os.environ.get("KEEP_WORK") else Path(tempfile.gettempdir(), "eval_table")
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        self.begin = time.time()
        self.end = self.begin + 60 * minutes
        self.rows = []

    def left(self):
        """Seconds until the minutes are over."""
        return self.end - time.time()

    def run(self, folder, build, data, seconds, words=(), **changes):
        """(log, wall seconds, why it failed or ""): a program, ended when it takes longer."""
        place = self.work / folder
        place.mkdir(parents=True, exist_ok=True)
        environment = {
            **os.environ,
            "DATA_PATH": str(self.kit / data),
            "TOKENIZER_PATH": str(self.kit / "tokenizer.model"),
            "RUN_ID": "run",
            "MAX_WALLCLOCK_SECONDS": "600",
            "TORCHINDUCTOR_CACHE_DIR": str(self.work / "cache"),
            "TORCHINDUCTOR_COMPILE_THREADS": "8",
            "PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True",
            **changes,
        }
        begin = time.time()
        with (place / "output.txt").open("w") as output:
            program = [sys.executable, str(self.kit / build / "train_gpt.py"), *words]
            process = subprocess.Popen(
                program, cwd=place, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
            try:
                process.wait(max(seconds, 1))
                failed = "" if process.returncode == 0 else f"status {process.returncode}"
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                failed = f"ended after {seconds:.0f} s"
        log = (place / "output.txt").read_text(errors="replace")
        print(f"{time.time() - self.begin:6.1f} s  {folder}: {failed or 'done'}", flush=True)
        return log, time.time() - begin, failed

    def train(self, model, steps, seconds):
        """A model; its schedules count steps."""
        return self.run(model, model, "data", seconds, **DETERMINISTIC, ITERATIONS=str(steps))

    def score(self, folder, row, model, data, seconds):
        """The artifact of a model by the program of a row."""
        build, _, changes = ROWS[row]
        place = self.work / folder
        place.mkdir(parents=True, exist_ok=True)
        for artifact in (self.work / model).glob("final_model.*.ptz"):
            shutil.copy(artifact, place)
        return self.run(folder, build, data, seconds, ("score",), **changes)

    def compile_lane(self, rows, seconds):
        """{row: seconds of compilation} of scorings on a few tokens, one after the other."""
        found, end = {}, time.time() + seconds
        for row in rows:
            if end - time.time() > 20:
                log = self.score(f"cold {row}", row, "untrained", "few", end - time.time())[0]
                found[row] = compiled(log)[1]
        return found

    def side_by_side(self, steps, share):
        """Both trainings and the cold compilations at once; returns the latter's seconds by row."""
        seconds = self.left() * share
        with ThreadPoolExecutor() as pool:
            # Without them nothing can be scored, so trainings get nearly all the time.
            models = [pool.submit(self.train, model, steps, self.left() - 60) for model in ("plain", "plain_pko")]
            # On the processor, since nothing has to be compiled there.
            hidden = {"CUDA_VISIBLE_DEVICES": "", "ITERATIONS": "0"}
            end = time.time() + seconds
            self.run("untrained", "plain", "few", seconds, **hidden)
            lanes = [pool.submit(self.compile_lane, lane, end - time.time()) for lane in LANES]
            for model in models:
                model.result()
            return {row: spent for lane in lanes for row, spent in lane.result().items()}

    def add_row(self, row, cold, limit):
        """Score and print one row."""
        if self.left() < 20:
            self.rows.append({"row": row, "failed": "no time was left"})
            return
        model = ROWS[row][1]
        log, wall, failed = self.score(row, row, model, "data", min(limit, self.left()))
        found = {} if failed else read_log(log)
        self.rows.append({"row": row, "failed": failed, "wall": round(wall, 1), "cold": cold.get(row), **found})
        print(json.dumps(self.rows[-1]), flush=True)

    def write(self):
        """The table, the rows and the logs."""
        lines = ["| what | BPB | against plain | seconds | tokens/s | shapes | compiled cold / warm, s | peak MiB |"]
        lines.append("| --- " * 8 + "|")
        lines += [table_row(row) for row in self.rows]
        self.out.joinpath("table.md").write_text("\n".join(lines) + "\n")
        self.out.joinpath("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in self.rows))
        logs = sorted(self.work.glob("*/output.txt"))
        text = "".join(f"=== {log.parent.name}\n{log.read_text(errors='replace')}\n" for log in logs)
        self.out.joinpath("logs.txt").write_text(text)
        print("\n".join(lines))


def compiled(log):
    """(shapes, seconds) that a log says were compiled, None for neither."""
    found = re.search(r"eval: compiled (\d+) shapes in (\d+) seconds", log)
    return (int(found[1]), int(found[2])) if found else (None, None)


def read_log(log):
    """What a scoring's log says."""
    finals = re.findall(r"^final_(\w+) val_loss:(\S+) val_bpb:\S+ eval_time:(\d+)ms", log, re.M)
    exact = dict(re.findall(r"^final_(\w+)_exact val_loss:\S+ val_bpb:(\S+)", log, re.M))
    found = {"shapes": compiled(log)[0], "warm": compiled(log)[1]}
    tokens = re.search(r"tokens:(\d+)", log)
    if finals:
        label, loss, milliseconds = finals[-1]
        found |= {"label": label, "val_loss": float(loss), "bpb": float(exact.get(label, "nan"))}
        found |= {"plain": float(exact.get(finals[0][0], "nan")), "plain_ms": int(finals[0][2])}
        found |= {"seconds": int(milliseconds) / 1000, "tokens": int(tokens[1])}
    peak = re.search(r"eval: peak memory allocated: (\d+) MiB", log)
    found["peak_mib"] = int(peak[1]) if peak else None
    found["notes"] = re.findall(r"^(?:phased_ttt|sgd_ttt|isolated_eval|eval): .*", log, re.M)[-8:]
    return found


def table_row(row):
    """One line of the table."""
    if "bpb" not in row:
        return f"| {row['row']} | {row['failed'] or 'no score in the log'} |"
    cells = [row["row"], f"{row['bpb']:.5f}", f"{row['bpb'] - row['plain']:+.5f}", f"{row['seconds']:.1f}"]
    cells += [f"{row['tokens'] / row['seconds']:,.0f}", row["shapes"] or "-"]
    cells += [f"{row['cold'] or '-'} / {row['warm'] or '-'}", row["peak_mib"] or "-"]
    return f"| {' | '.join(map(str, cells))} |"


def run(arguments):
    """Train, compile, score; whatever happens, what is known is written."""
    arguments.out.mkdir(parents=True, exist_ok=True)
    table = Table(arguments.kit, arguments.out, arguments.minutes)
    try:
        cold = {}
        if arguments.eager:
            table.train("plain", arguments.steps, table.left())
        else:
            cold = table.side_by_side(arguments.steps, 0.55)
        for row, (_, model, changes) in ROWS.items():
            if not arguments.eager or (model == "plain" and changes):
                table.add_row(row, cold, 120)
    finally:
        table.write()


def main():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("prepare")
    command.add_argument("kit", type=Path)
    command.add_argument("--data", type=Path, required=True, help="folder of fineweb_{train,val}_*.bin, 8,192 tokens")
    command.add_argument("--tokenizer", type=Path, required=True)
    command.add_argument("--every", type=int, default=4, metavar="N", help="every N-th validation document")
    command.add_argument("--tiny", action="store_true")
    command.set_defaults(function=prepare)
    command = commands.add_parser("run")
    command.add_argument("kit", type=Path)
    command.add_argument("out", type=Path)
    command.add_argument("--minutes", type=float, default=8)
    command.add_argument("--steps", type=int, default=130)
    command.add_argument("--eager", action="store_true", help="one model, and what need not be compiled")
    command.set_defaults(function=run)
    arguments = parser.parse_args()
    arguments.function(arguments)


if __name__ == "__main__":
    main()
