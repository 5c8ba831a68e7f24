"""Whole runs at micro size: a corpus, a recipe in which every phase begins, and a subprocess that runs it."""

import os
import subprocess
import sys
from types import SimpleNamespace

import numpy
import sentencepiece
from models import resolved
from test_plugin_contracts import sizes

from pgolf.data.writer import write_shard

MICRO = {
    "vocab_size": 300,
    "model_dim": 64,
    "num_layers": 4,
    "train_seq_len": 32,
    "train_batch_tokens": 256,
    "val_batch_size": 1024,
    "iterations": 4,
    "max_wallclock_seconds": 0,
    "warmup_steps": 1,
    "val_loss_every": 0,
    "train_log_every": 1,
}
TUNED = {
    "enable_looping_at": 0.4,
    "eval_stride": 8,
    "gptq_calibration_batches": 1,
    "global_ttt_batch_seqs": 2,
    "global_ttt_chunk_tokens": 96,
    "grad_clip_norm": 0.3,
    "late_qat_threshold": 0.6,
    "muon_momentum_warmup_steps": 2,
    "n_int6_layers": 5,
    "phased_ttt_num_phases": 2,
    "phased_ttt_prefix_docs": 30,
    "ttt_lora_lr": 0.01,
    "warmdown_iters": 4,
}


def make_corpus(root):
    """Real shards of a thousand short documents and their tokenizer, also with byte side files; a second of work."""
    text = [f"number {n} and its square {n * n} stand beside {n % 7} and {n % 13}" for n in range(2000)]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(text),
        model_prefix=str(root / "tok"),
        vocab_size=300,
        model_type="bpe",
        byte_fallback=True,
        add_dummy_prefix=False,
        pad_id=0,
        bos_id=1,
        eos_id=2,
        unk_id=3,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(root / "tok.model"))
    with_bytes = root / "side_files"
    with_bytes.mkdir()
    for name, lines in (("train", text[:1500]), ("val", text[1500:1560])):
        ids = [token for line in lines for token in [1, *tokenizer.encode(line)]]
        write_shard(root / f"fineweb_{name}_000000.bin", numpy.array(ids))
        write_shard(with_bytes / f"fineweb_{name}_000000.bin", numpy.array(ids))
    # No token but BOS is a control one, so what a token stands for does not depend on the one before it.
    sizes = [0 if token == 1 else len(tokenizer.id_to_piece(token).replace("\u2581", " ")) for token in ids]
    write_shard(with_bytes / "fineweb_val_bytes_000000.bin", numpy.array(sizes))
    side_files = SimpleNamespace(data_path=with_bytes, tokenizer_path=root / "tok.model")
    return SimpleNamespace(data_path=root, tokenizer_path=root / "tok.model", side_files=side_files)


def micro(*names, **settings):
    """A resolved recipe at micro size in which every phase begins and every plugin acts."""
    known = resolved(*names, **MICRO, **sizes(*names)).selection.settings.as_dict()
    tuned = {key: value for key, value in TUNED.items() if key in known}
    if {"gptq_damp", "lqer_rank"} & set(known):
        tuned["model_dim"] = 320  # they act on matrices of more than 65,536 elements
    return resolved(*names, **{**MICRO, **sizes(*names), **tuned, **settings})


def run_program(program, folder, data, *arguments, ranks=1, **variables):
    """Run a program file in `folder`; returns its exit status, output and log lines."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "DATA_PATH": str(data.data_path),
        "TOKENIZER_PATH": str(data.tokenizer_path),
        "RUN_ID": "run",
        "OMP_NUM_THREADS": "1",
        **variables,
    }
    launch = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={ranks}"] if ranks > 1 else []
    command = [sys.executable, *launch, str(program), *arguments]
    for _ in range(5):
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        # Now and then a rank with gloo aborts while its process ends, when Python is gone already and all is written.
        if ranks == 1 or "terminate called without an active exception" not in done.stderr:
            break
    log = folder / "logs" / "run.txt"
    lines = log.read_text().splitlines() if log.exists() else []
    return SimpleNamespace(status=done.returncode, output=done.stdout + done.stderr, lines=lines, folder=folder)
