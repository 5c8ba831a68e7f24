#!/usr/bin/env bash
# The built pr1512 recipe on one GPU: 60 s of its own clock end to end, then two runs on counted time that must be equal.
#   gpu_pr1512.sh BUILT_60S BUILT_STEP DATA TOKENIZER OUT
# BUILT_60S: pgolf build submissions/pr1512 --set warmdown_iters=40 --set muon_momentum_warmup_steps=40 --set ema_decay=0.9
#            --set train_log_every=10 --set val_loss_every=0     (schedule lengths scaled to about 90 steps)
# BUILT_STEP: the same with --plugins step_clock --set warmup_steps=2 --set eval_stride=4096
set -eu
sixty=$(realpath "$1") counted=$(realpath "$2") DATA_PATH=$(realpath "$3") TOKENIZER_PATH=$(realpath "$4") out=$(realpath "$5")
export DATA_PATH TOKENIZER_PATH RUN_ID=run PYTHONUNBUFFERED=1
mkdir -p "$out/sixty" "$out/first" "$out/second"
stamp() { while IFS= read -r line; do printf '%s %s\n' "$(date +%s)" "$line"; done; }
(cd "$out/sixty" && MAX_WALLCLOCK_SECONDS=60 torchrun --standalone --nproc_per_node=1 "$sixty" 2>&1 | stamp >"$out/sixty.log")
for run in first second; do
  (cd "$out/$run" && ITERATIONS=6 MAX_WALLCLOCK_SECONDS=0 TRAIN_LOG_EVERY=1 \
    torchrun --standalone --nproc_per_node=1 "$counted" >"$out/$run.log" 2>&1)
done
grep -E 'step:|peak|exact|diagnostic|Serialized|Total|attention' "$out/sixty.log"
sha256sum "$out"/*/final_model.*.ptz
