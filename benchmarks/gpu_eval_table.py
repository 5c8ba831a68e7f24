"""Every form of evaluation on two models that one GPU trains in a minute and a half: BPB, seconds, shapes, memory.

    python benchmarks/gpu_eval_table.py prepare KIT --data SHARDS --tokenizer MODEL     here: builds, shards, byte tables
    python KIT/gpu_eval_table.py run KIT OUT --minutes 9                                there: PyTorch and NumPy are needed

Two models, with and without `pko`, train side by side for equal seconds. Then programs score an artifact, all on the same
documents, the most telling first: those of `ALONE` by themselves, the others two at a time, so that their seconds are marked
with "<" and are upper bounds. Trainings and rows are eager, since compiling one form takes longer than running it on so little
text. One lane compiles beside them, on an untrained artifact and a few tokens; when it is through, the compiled row runs from
its cache: its seconds are "cold", those of the row itself "warm". A row that would take longer than
`max_eval_seconds` stops learning and says so; one that fails or runs over is a row that says so; when the minutes are over,
the rest is left out. OUT/table.md and rows.jsonl are written after every row, logs.txt at the end.

Where sentencepiece is not installed, a module beside this one gives the programs the kit's table of pieces in its place.
`--tiny` prepares a kit of the same programs in small sizes, for a CPU.
"""

import argparse
import importlib.util
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
    "train_batch_tokens": 65536,
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
TINY_MODEL |= {"val_batch_size": 8192}

# One rank has one chain, or a warm start would begin anew with every group.
# Kernels are chosen for each length of rows, so that four lengths are quicker than 43 also where nothing is compiled.
LORA = {"ttt_batch_size": 32, "ttt_chains": 1, "max_eval_seconds": 60.0}
FIRST = {"ttt_lora_rank": 8, "ttt_lora_lr": 0.01, "ttt_beta1": 0.9, "ttt_beta2": 0.95, "ttt_chunk_size": 256}
FIRST |= {"ttt_eval_seq_len": 1024, "ttt_k_lora": False, "ttt_o_lora": False, "ttt_mlp_lora": False}
FIRST |= {"ttt_lora_alpha": 8.0, "ttt_warm_start_a": False, "ttt_weight_decay": 0.0} | LORA
# Phases on as much as there is: 4 to 15 steps each.
PHASED = {"phased_ttt_prefix_docs": 120, "phased_ttt_num_phases": 3}
PHASED |= {"global_ttt_chunk_tokens": 8192, "global_ttt_batch_seqs": 4}
WINDOWS = {"eval_stride": 64, "max_eval_seconds": 60.0}
TINY = {"ttt_eval_seq_len": 128, "ttt_lora_rank": 4, "ttt_batch_size": 8, "ttt_chunk_size": 32}
TINY |= {
    "max_eval_seconds": 600.0,
    "global_ttt_chunk_tokens": 512,
    "phased_ttt_prefix_docs": 10,
    "ttt_chunk_tokens": 2048,
    "ttt_epochs": 1,
}

# build: plugins, settings
BUILDS = {
    "plain": ("", {}),
    "plain_pko": ("pko", {}),
    "sliding": ("sliding_eval", WINDOWS),
    "isolated": ("isolated_eval", {"isolated_widths": 2}),
    "u1": ("lora_ttt", FIRST),
    "u1_pko": ("lora_ttt pko", FIRST),
    "u2": ("sliding_eval sgd_ttt", WINDOWS),
    "u3": ("lora_ttt", LORA | {"ttt_warm_start_a": False}),
    "u3_u6": ("lora_ttt", LORA),
    "u3_u6_two": ("lora_ttt", LORA | {"ttt_widths": 2}),
    "u3_u6_pko": ("lora_ttt pko", LORA),
    "u3_u6_fast": ("lora_ttt", LORA | {"ttt_lora_lr": 0.0003}),
    "muon": ("lora_ttt lora_muon", LORA | {"lora_muon_lr": 0.0003}),
    "muon_fast": ("lora_ttt lora_muon", LORA | {"lora_muon_lr": 0.001}),
    "u3_u6_tilt": ("lora_ttt ngram_tilt", LORA),
    "u4_u6": ("lora_ttt phased_ttt", LORA | PHASED),
}
EAGER = {"TORCHDYNAMO_DISABLE": "1"}
COMPILED = "U3, U6, compiled"
# row of the table: program, model, environment; the most telling first, since time may run out
ROWS = {
    "U3, U6": ("u3_u6", "plain", EAGER),
    "U3, U6, Muon, rate 3e-4": ("muon", "plain", EAGER),
    "U3, U6, Muon, rate 1e-3": ("muon_fast", "plain", EAGER),
    "U3, U6, rate 3e-4": ("u3_u6_fast", "plain", EAGER),
    "U3, U6 with pko": ("u3_u6_pko", "plain_pko", EAGER),
    "U4 to U6, 3 phases": ("u4_u6", "plain", EAGER),
    "U1": ("u1", "plain", EAGER),
    "isolated": ("isolated", "plain", EAGER),
    "U1 with pko": ("u1_pko", "plain_pko", EAGER),
    "U3": ("u3", "plain", EAGER),
    COMPILED: ("u3_u6_two", "plain", {}),
    "U2, which slides by 64": ("u2", "plain", EAGER),
    "sliding by 64": ("sliding", "plain", EAGER),
    "U3, U6, deterministic": ("u3_u6", "plain", EAGER | {"MAX_WALLCLOCK_SECONDS": "0"}),
    "U3, U6 with n-gram tilt": ("u3_u6_tilt", "plain", EAGER),
}
# Rows whose seconds count, so that nothing else of the table runs beside them.
ALONE = ("U3, U6", COMPILED)
# Stands in for sentencepiece where a program only counts bytes.
PIECES = '''
import json
from pathlib import Path


class SentencePieceProcessor:
    """Answers what byte counting asks, from a table that the real module gave."""

    def __init__(self, path):
        self.found = json.loads(Path(path).with_name("pieces.json").read_text())

    def __len__(self):
        return len(self.found["pieces"])

    def piece_to_id(self, piece):
        pieces = self.found["pieces"]
        return pieces.index(piece) if piece in pieces else self.found["unknown"]

    def unk_id(self):
        return self.found["unknown"]

    def id_to_piece(self, token):
        return self.found["pieces"][token]

    def is_byte(self, token):
        return token in self.found["bytes"]

    def is_control(self, token):
        return token in self.found["without_text"]

    is_unknown = is_unused = is_control
'''


def write_pieces(tokenizer, folder):
    """The tokenizer, a table of its pieces, and the module that reads it."""
    from sentencepiece import SentencePieceProcessor

    shutil.copy(tokenizer, folder / "tokenizer.model")
    model = SentencePieceProcessor(str(tokenizer))
    ids = range(len(model))
    found = {"pieces": [model.id_to_piece(token) for token in ids], "unknown": model.unk_id()}
    found["bytes"] = [token for token in ids if model.is_byte(token)]
    silent = [model.is_control, model.is_unknown, model.is_unused]
    found["without_text"] = [token for token in ids if any(test(token) for test in silent)]
    (folder / "pieces.json").write_text(json.dumps(found))
    (folder / "stand_in").mkdir()
    (folder / "stand_in" / "sentencepiece.py").write_text(PIECES.lstrip())


def write_shard(path, tokens):
    """The contest's format: 256 int32 of header, then uint16."""
    header = np.zeros(256, np.int32)
    header[:3] = 20240520, 1, len(tokens)
    path.write_bytes(header.tobytes() + tokens.astype(np.uint16).tobytes())


def read_shard(pattern, folder):
    """Tokens of the first shard of this kind."""
    found = sorted(folder.glob(pattern))
    if not found:
        sys.exit(f"error: {folder} has no {pattern}: give --data a folder of shards")
    return np.fromfile(found[0], np.uint16)[512:]


def every_document(tokens, step, longest=2048, bos_id=1):
    """The tokens of every `step`-th document, each cut off after the longest context: a long one would take a group alone."""
    first = np.flatnonzero(tokens == bos_id)
    kept = [tokens[start:end][:longest] for start, end in zip(first, [*first[1:], len(tokens)], strict=True)]
    return np.concatenate(kept[::step])


def prepare(arguments):
    """Everything that the machine with the GPU needs, in one folder."""
    kit, tiny = arguments.kit, arguments.tiny
    train, val = (read_shard(f"fineweb_{part}_*.bin", arguments.data) for part in ("train", "val"))
    val = every_document(val, arguments.every)
    if tiny:
        train, val = train[: 50 * arguments.tiny_tokens], val[: arguments.tiny_tokens]
    kit.mkdir(parents=True)
    for name, some, tokens in (("data", train, val), ("few", train[:200_000], val[:5_000])):
        folder = kit / name
        folder.mkdir()
        write_shard(folder / "fineweb_val_000000.bin", tokens)
        write_shard(folder / "fineweb_train_000000.bin", some)
    write_pieces(arguments.tokenizer, kit)
    shutil.copy(__file__, kit / "gpu_eval_table.py")
    for name, (plugins, settings) in BUILDS.items():
        chosen = MODEL | settings
        if tiny:
            chosen |= TINY_MODEL | {key: value for key, value in TINY.items() if key in settings or wants(plugins, key)}
        sets = [part for key, value in chosen.items() for part in ("--set", f"{key}={str(value).lower()}")]
        command = [sys.executable, "-m", "pgolf.cli", "build", *sets, "-o", str(kit / name)]
        command += ["--plugins", ",".join(f"{STACK} document_starts {plugins}".split())]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    size = sum(path.stat().st_size for path in kit.rglob("*") if path.is_file())
    print(f"{kit}: {size / 2**20:.1f} MiB, {len(val):,} validation tokens, {len(train):,} training tokens")


def wants(plugins, setting):
    """Whether the plugins of a build have a setting of `TINY`."""
    owners = {"ttt_chunk_tokens": "sgd_ttt", "ttt_epochs": "sgd_ttt"}
    owner = owners.get(setting, "phased_ttt" if "global" in setting or "phased" in setting else "lora_ttt")
    return (setting == "max_eval_seconds" and plugins != "pko") or owner in plugins.split()


class Table:
    """Runs programs of a kit in folders of their own, and keeps what their logs say."""

    def __init__(self, kit, out, minutes, limit=110):
        self.kit, self.out, self.limit = kit.resolve(), out.resolve(), limit
        self.work = Path(tempfile.mkdtemp(prefix="eval_table_"))
        self.begin = time.time()
        self.end = self.begin + 60 * minutes
        self.rows = []
        self.running = set()
        self.cold = None
        present = importlib.util.find_spec("sentencepiece") is not None
        self.path = {} if present else {"PYTHONPATH": str(self.kit / "stand_in")}

    def left(self):
        """Seconds until the minutes are over."""
        return self.end - time.time()

    def run(self, folder, build, data, seconds, words=(), **changes):
        """(log, wall seconds, why it failed or ""): a program, ended when it takes longer."""
        place = self.work / folder
        place.mkdir(parents=True, exist_ok=True)
        environment = {
            "TORCHINDUCTOR_CACHE_DIR": str(self.work / "cache"),
            **os.environ,
            "DATA_PATH": str(self.kit / data),
            "TOKENIZER_PATH": str(self.kit / "tokenizer.model"),
            "RUN_ID": "run",
            "MAX_WALLCLOCK_SECONDS": "600",
            "TORCHINDUCTOR_COMPILE_THREADS": "8",
            "PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True",
            **self.path,
            **changes,
        }
        begin = time.time()
        with (place / "output.txt").open("w") as output:
            program = [sys.executable, str(self.kit / build / "train_gpt.py"), *words]
            process = subprocess.Popen(
                program, cwd=place, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
            self.running.add(process)
            try:
                process.wait(max(seconds, 1))
                failed = "" if process.returncode == 0 else f"status {process.returncode}"
            except subprocess.TimeoutExpired:
                end_program(process)
                failed = f"ended after {seconds:.0f} s"
            self.running.discard(process)
        log = (place / "output.txt").read_text(errors="replace")
        print(f"{time.time() - self.begin:6.1f} s  {folder}: {failed or 'done'}", flush=True)
        if failed:
            print("    " + "\n    ".join(log.splitlines()[-4:]), flush=True)
        return log, time.time() - begin, failed

    def train(self, model, seconds):
        """A model; its schedules count seconds. A long way to the end of the first step shortens nothing."""
        changes = EAGER | {"MAX_WALLCLOCK_SECONDS": str(seconds)}
        log, _, failed = self.run(model, model, "data", self.left() - 60, **changes)
        steps = re.findall(r"^step:(\d+)/", log, re.M)
        self.add({"row": f"training of {model}", "failed": failed, "steps": int(steps[-1]) if steps else 0})

    def score(self, folder, row, model, data, seconds):
        """The artifact of a model by the program of a row."""
        build, _, changes = ROWS[row]
        place = self.work / folder
        place.mkdir(parents=True, exist_ok=True)
        for artifact in (self.work / model).glob("final_model.*.ptz"):
            shutil.copy(artifact, place)
        return self.run(folder, build, data, seconds, ("score",), **changes)

    def compile_beside(self):
        """Fill the compiler's cache, from an untrained artifact."""
        # It fails, because plugins did nothing in no step, with an artifact.
        self.run("untrained", "plain", "few", self.left() - 120, **EAGER, ITERATIONS="0")
        if list((self.work / "untrained").glob("final_model.*.ptz")):
            log, _, failed = self.score("cold", COMPILED, "untrained", "few", self.left() - 60)
            self.cold = None if failed else compiled(log)[1]

    def add_row(self, row, limit):
        """Score one row, if it was not scored yet and there is time."""
        if any(known["row"] == row for known in self.rows):
            return
        if self.left() < 20:
            self.add({"row": row, "failed": "no time was left"})
            return
        log, wall, failed = self.score(row, row, ROWS[row][1], "data", min(limit, self.left()))
        found = {"alone": row in ALONE} | ({} if failed else read_log(log))
        if row == COMPILED:
            found["cold"] = self.cold
        self.add({"row": row, "failed": failed, "wall": round(wall, 1), **found})

    def add_pairs(self, rows):
        """Score rows two at a time."""
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda row: self.add_row(row, self.limit), rows))

    def add(self, row):
        """Keep, print and write a row."""
        self.rows.append(row)
        print(json.dumps(row), flush=True)
        self.write()

    def write(self):
        """The table and the rows so far."""
        lines = ["| what | BPB | against plain | seconds | tokens/s | shapes | compiled cold / warm, s | peak MiB |"]
        lines.append("| --- " * 8 + "|")
        lines += [table_row(row) for row in self.rows if "steps" not in row]
        self.out.joinpath("table.md").write_text("\n".join(lines) + "\n")
        self.out.joinpath("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in self.rows))

    def close(self):
        """End what still runs; keep all logs."""
        for process in list(self.running):
            end_program(process)
        logs = sorted(self.work.glob("*/output.txt"))
        text = "".join(f"=== {log.parent.name}\n{log.read_text(errors='replace')}\n" for log in logs)
        self.out.joinpath("logs.txt").write_text(text)
        print(self.out.joinpath("table.md").read_text())
        shutil.rmtree(self.work, ignore_errors=True)


def end_program(process):
    """With all that it has started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()


def compiled(log):
    """(shapes, seconds) that a log says were compiled, None for neither."""
    found = re.search(r"eval: compiled (\d+) shapes in (\d+) seconds", log)
    return (int(found[1]), int(found[2])) if found else (None, None)


def read_log(log):
    """What a scoring's log says."""
    finals = re.findall(r"^final_(\w+) val_loss:(\S+) val_bpb:\S+ eval_time:(\d+)ms", log, re.M)
    exact = dict(re.findall(r"^final_(\w+)_exact val_loss:\S+ val_bpb:(\S+)", log, re.M))
    shapes = re.search(r"ran (\d+) shapes", log)
    found = {"shapes": int(shapes[1]) if shapes else None, "warm": compiled(log)[1]}
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
    cut = any("no more learning" in note for note in row["notes"])
    cells = [row["row"] + " (cut short)" * cut, f"{row['bpb']:.5f}", f"{row['bpb'] - row['plain']:+.5f}"]
    bound, rate = ("", "") if row["alone"] else ("< ", "> ")
    cells += [f"{bound}{row['seconds']:.1f}", f"{rate}{row['tokens'] / row['seconds']:,.0f}", row["shapes"] or "-"]
    cells += [f"{row['cold'] or '-'} / {row['warm'] or '-'}" if "cold" in row else "-", row["peak_mib"] or "-"]
    return f"| {' | '.join(map(str, cells))} |"


def run(arguments):
    """Train, compile beside, score; whatever happens, what is known is written."""
    arguments.out.mkdir(parents=True, exist_ok=True)
    table = Table(arguments.kit, arguments.out, arguments.minutes, arguments.row_seconds)
    try:
        with ThreadPoolExecutor() as pool:
            models = [pool.submit(table.train, model, arguments.train_seconds) for model in ("plain", "plain_pko")]
            lane = None if arguments.eager else pool.submit(table.compile_beside)
            for model in models:
                model.result()
            first, *later = [row for row in ROWS if row != COMPILED]
            table.add_row(first, table.limit)
            table.add_pairs(later[:6])
            if lane is not None:
                lane.result()
                table.add_row(COMPILED, 120)
            table.add_pairs(later[6:])
    finally:
        table.close()


def main():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("prepare", help="builds, shards and byte tables, in one folder")
    command.add_argument("kit", type=Path)
    command.add_argument("--data", type=Path, required=True, help="folder of fineweb_{train,val}_*.bin, 8,192 tokens")
    command.add_argument("--tokenizer", type=Path, required=True)
    command.add_argument("--every", type=int, default=2, metavar="N", help="every N-th validation document")
    command.add_argument("--tiny", action="store_true", help="small models on little text, for a CPU")
    command.add_argument("--tiny-tokens", type=int, default=4_000, metavar="N", help="validation tokens of --tiny")
    command.set_defaults(function=prepare)
    command = commands.add_parser("run", help="train, score, and write the table")
    command.add_argument("kit", type=Path)
    command.add_argument("out", type=Path)
    command.add_argument("--minutes", type=float, default=9, help="for everything together")
    command.add_argument("--train-seconds", type=float, default=85, help="training time of each model")
    command.add_argument("--row-seconds", type=float, default=110, help="after which a row is ended")
    command.add_argument("--eager", action="store_true", help="compile nothing")
    command.set_defaults(function=run)
    arguments = parser.parse_args()
    arguments.function(arguments)


if __name__ == "__main__":
    main()
