#!/usr/bin/env bash
# On one GPU, from a checkout without an installer: preflight as it is and with --compile, and a live run that is killed and goes on.
#   gpu_preflight.sh OUT [SETTING=VALUE...]      e.g. num_layers=4, which compiles faster than the baseline's 9
# PARTS, in one word or more (all of them if it is not set):
#   preflight   the baseline at full width; $OUT/baseline.*.json and .txt
#   record      the recipe of PR #1855, which needs lrzip and brotli; $OUT/pr1855.*.json and .txt
#   resume      a training is killed at step 20 and goes on; $OUT/equal.txt: is it the undisturbed one, bit for bit?
# Two steps of warm-up in every variant take one GPU as long as sixteen take eight. The cache of compiled code is empty before --compile;
# CARRIED=1 rehearses once more with what it holds then. TINY=1 rehearses this script at smoke size on a CPU.
# Needs torch, numpy, pluggy, click, rich, sentencepiece, brotli, python-minifier. The data are the embedded sample.
set -eu
mkdir -p "$1"
out=$(realpath "$1")
shift
root=$PWD work=$(mktemp -d)
mkdir -p "$work/path"
ln -sfn "$root/pgolf" "$work/path/pgolf"
ln -sfn "$root/plugins" "$work/path/pgolf_plugins"
# What an installer would have written.
mkdir -p "$work/path/pgolf-0.1.0.dist-info"
printf 'Metadata-Version: 2.1\nName: pgolf\nVersion: 0.1.0\n' >"$work/path/pgolf-0.1.0.dist-info/METADATA"
export PYTHONPATH="$work/path${PYTHONPATH:+:$PYTHONPATH}" TORCHINDUCTOR_CACHE_DIR="$work/compiled" TRITON_CACHE_DIR="$work/triton"
cd "$work"
pgolf() { python3 -m pgolf.cli "$@"; }
say() { echo "== $(date +%T) $*"; }
parts=" ${PARTS:-preflight record resume} "
size=()
[[ -z ${TINY:-} ]] || size=(--smoke --set model_dim=64 --set num_heads=4 --set num_kv_heads=2 --set val_batch_size=65536)
small=(--set warmup_steps=2 --set val_loss_every=0 --set train_log_every=1)
for one; do small+=(--set "$one"); done

# rehearse FOLDER DATA NAME [OPTIONS]
rehearse() {
  local name=$3 begin status=0
  say "preflight $name"
  begin=$(date +%s.%N)
  pgolf preflight "$1" --data "$2" --train-seconds 5 --quick --json "${@:4}" >"$out/$name.json" 2>"$out/$name.txt" || status=$?
  python3 - "$out/$name.json" "$begin" "$status" <<'P'
import json, sys, time
found = json.load(open(sys.argv[1]))
print(f"{time.time() - float(sys.argv[2]):.1f} s with starting pgolf, status {sys.argv[3]}")
for one in found.get("findings", found.get("errors")):
    print(f"  {one.get('check', '')}: {one.get('state', '')}: {one.get('text', one)}")
print("  stages:", {one["stage"]: one["seconds"] and round(one["seconds"], 1) for one in found.get("seconds_per_stage", [])})
P
  cat "$out/$name.txt"
}

# both FOLDER DATA NAME: nothing compiled, then compiled with an empty cache
both() {
  rehearse "$1" "$2" "$3.eager"
  rm -rf "$TORCHINDUCTOR_CACHE_DIR" "$TRITON_CACHE_DIR"
  rehearse "$1" "$2" "$3.compiled" --compile
  [[ -z ${CARRIED:-} ]] || rehearse "$1" "$2" "$3.carried" --compile
}

say data
pgolf data sample -o data
if [[ $parts == *" preflight "* ]]; then
  pgolf build --plugins zlib "${size[@]}" "${small[@]}" -o plain --name plain | grep ^code
  both plain data baseline
fi
if [[ $parts == *" record "* ]]; then
  pgolf data sample -o data8192 --vocab-size 8192 --transform caseops
  # The sample has too few documents for a prefix of 2,500.
  pgolf build "$root/submissions/pr1855" "${size[@]}" "${small[@]}" --set vocab_size=8192 --set phased_ttt_prefix_docs=16 -o record --name record |
    grep ^code
  both record data8192 pr1855
fi
[[ $parts == *" resume "* ]] || exit 0

pgolf build --plugins step_clock "${size[@]}" "${small[@]}" -o counted --name counted | grep ^code
train=(python3 -m pgolf.cli train counted --data data --seeds 7 --iterations 60 --checkpoint-every 10)
log=counted/artifacts/live/logs/train_seed7.log
seed=counted/artifacts/live/artifacts/seed7
say undisturbed
"${train[@]}" >"$out/undisturbed.txt" 2>&1 || tail -5 "$out/undisturbed.txt"
cp "$log" "$out/undisturbed.log"
mv "$seed" undisturbed
say killed
"${train[@]}" >"$out/killed.txt" 2>&1 &
parent=$!
for _ in $(seq 6000); do
  grep -qs '^checkpoint step:20' "$out/killed.txt" && break
  kill -0 "$parent" 2>/dev/null || break
  sleep 0.05
done
kill -9 "$parent" || true
wait "$parent" 2>/dev/null || true
grep -q '^step:60/60' "$out/killed.txt" && say "it was through before it was killed: give it more steps"
# The children die with their parent; whoever is left would write into the folder.
alive() { ls -l /proc/[0-9]*/cwd 2>/dev/null | grep -cF "$work/counted" || true; }
for _ in $(seq 200); do [[ $(alive) != 0 ]] || break; sleep 0.1; done
say "left of the killed run: $(alive) processes; $(ls -d "$seed"/checkpoints/* 2>/dev/null | xargs -rn1 basename | xargs)"
say resumed
"${train[@]}" --resume >"$out/resumed.txt" 2>&1 || tail -5 "$out/resumed.txt"
cp "$log" "$out/resumed.log"
grep -E '^(checkpoint|resumed)' "$out/resumed.log" || echo "nothing of a checkpoint in the log"
say equal
{
  for file in final_model.pt $(cd undisturbed && ls final_model.*.ptz); do
    if cmp -s "undisturbed/$file" "$seed/$file"; then echo "EQUAL $file"; else echo "DIFFERENT $file"; fi
  done
  for one in undisturbed resumed; do
    grep -o '^final_.*_exact.*' "$out/$one.log" >"$work/$one.scores"
    grep -o '^step:.*_loss:[^ ]*' "$out/$one.log" >"$work/$one.losses"
  done
  cat "$work/undisturbed.scores"
  if cmp -s "$work/undisturbed.scores" "$work/resumed.scores"; then echo "EQUAL scores"; else echo "DIFFERENT scores"; fi
  if cmp -s "$work/undisturbed.losses" "$work/resumed.losses"; then
    echo "EQUAL losses at $(wc -l <"$work/resumed.losses") logged steps"
  else
    echo "DIFFERENT losses"
    diff "$work/undisturbed.losses" "$work/resumed.losses" | head -4
  fi
} 2>&1 | tee "$out/equal.txt"
say end
