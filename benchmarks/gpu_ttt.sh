#!/usr/bin/env bash
# Test-time training on GPUs: a short training, the evaluation, and the artifact scored again on one rank and on NPROC ranks.
#   gpu_ttt.sh BUILT DATA TOKENIZER OUT NPROC
# BUILT: pgolf build --plugins phased_ttt,banks,layer_loop,leaky_relu2,ln_scale,partial_rope,skip_gates,two_lanes,xsa \
#          --plugins smear_gate_v3,sparse_attention_gate --set num_layers=11 --set train_seq_len=2048 --set warmup_steps=1 \
#          --set train_batch_tokens=131072 --set enable_looping_at=0.5 --set phased_ttt_prefix_docs=200 --set val_loss_every=0
# Look at: `eval: compiled 4 shapes in N seconds`, `eval: lora_ttt ran M shapes` (M <= 4, or a shape was not rehearsed), the eval_time
# of final_int8_ttt, and final_int8_ttt_exact, which must agree between the runs to about 1e-4.
set -eu
built=$(realpath "$1") DATA_PATH=$(realpath "$2") TOKENIZER_PATH=$(realpath "$3") nproc=$5
mkdir -p "$4" && out=$(realpath "$4")
export DATA_PATH TOKENIZER_PATH RUN_ID=run PYTHONUNBUFFERED=1
mkdir -p "$out/train" "$out/one" "$out/all"
(cd "$out/train" && ITERATIONS=8 torchrun --standalone --nproc_per_node=1 "$built" >"$out/train.log" 2>&1)
for folder in one all; do cp "$out/train"/final_model.*.ptz "$out/$folder"; done
(cd "$out/one" && TORCH_LOGS=recompiles torchrun --standalone --nproc_per_node=1 "$built" score >"$out/one.log" 2>&1)
(cd "$out/all" && torchrun --standalone --nproc_per_node="$nproc" "$built" score >"$out/all.log" 2>&1)
grep -E 'prepared|eval:|phased_ttt|stage:|exact|peak' "$out/train.log" "$out/one.log" "$out/all.log"
grep -c 'Recompiling function forward' "$out/one.log" || true
