#!/usr/bin/env bash
# The linked stage of a build against its packed file on one GPU: same losses, weights and artifact, bit for bit.
#   gpu_equal.sh FOLDER DATA TOKENIZER OUT
# FOLDER: pgolf build RECIPE --plugins step_clock --set warmup_steps=2 --set val_loss_every=0 --pack mix --keep-stages -o FOLDER
set -eu
folder=$(realpath "$1") DATA_PATH=$(realpath "$2") TOKENIZER_PATH=$(realpath "$3") out=$(realpath "$4")
export DATA_PATH TOKENIZER_PATH RUN_ID=run MAX_WALLCLOCK_SECONDS=0 ITERATIONS=6 TRAIN_LOG_EVERY=1
for program in stages/1_linked.py train_gpt.py; do
  place="$out/$(basename "$program" .py)"
  mkdir -p "$place"
  (cd "$place" && torchrun --standalone --nproc_per_node=1 "$folder/$program" >log.txt 2>&1)
  grep -E 'step:|peak|exact' "$place/log.txt"
  (cd "$place" && sha256sum final_model.*)
done
