#!/usr/bin/env bash
# preflight of the baseline at full width on one GPU, and a live run that is killed and goes on, from a checkout without an installer.
#   gpu_preflight.sh OUT [SETTING=VALUE...]      e.g. num_layers=4, which compiles faster than the baseline's 9
# OUT gets preflight.json, the logs of the three runs, and equal.txt: are the run that was killed and the undisturbed one the same?
# PARTS=preflight or PARTS=resume does one of both.
# Needs torch, numpy, pluggy, click, rich, sentencepiece, brotli, python-minifier. The data are the embedded sample.
set -eu
out=$(realpath "$1")
shift
root=$PWD work=$(mktemp -d)
mkdir -p "$work/path"
ln -sfn "$root/pgolf" "$work/path/pgolf"
ln -sfn "$root/plugins" "$work/path/pgolf_plugins"
# What an installer would have written.
mkdir -p "$work/path/pgolf-0.1.0.dist-info"
printf 'Metadata-Version: 2.1\nName: pgolf\nVersion: 0.1.0\n' >"$work/path/pgolf-0.1.0.dist-info/METADATA"
export PYTHONPATH="$work/path${PYTHONPATH:+:$PYTHONPATH}" TORCHINDUCTOR_CACHE_DIR="$work/compiled"
cd "$work"
pgolf() { python3 -m pgolf.cli "$@"; }
say() { echo "== $(date +%T) $*"; }

say data
pgolf data sample -o data
small=(--set warmup_steps=2 --set val_loss_every=0)
for one; do small+=(--set "$one"); done
say build
pgolf build --plugins zlib "${small[@]}" -o plain --name plain >/dev/null
pgolf build --plugins step_clock "${small[@]}" -o counted --name counted >/dev/null
if [[ ${PARTS:-preflight} == preflight ]]; then
say preflight
begin=$(date +%s)
pgolf preflight plain --data data --train-seconds 5 --quick --json >"$out/preflight.json" 2>"$out/preflight.txt" || echo "preflight: status $?"
echo "preflight: $(($(date +%s) - begin)) s"
python3 - "$out/preflight.json" <<'P'
import json, sys
found = json.load(open(sys.argv[1]))
for one in found.get("findings", found.get("errors")):
    print(f"{one.get('check', '')}: {one.get('state', '')}: {one.get('text', one)}")
print(found.get("seconds_per_stage"))
P
cat "$out/preflight.txt"
fi
[[ ${PARTS:-resume} == resume ]] || exit 0

train=(python3 -m pgolf.cli train counted --data data --seeds 7 --iterations 60 --checkpoint-every 10)
run() { "${train[@]}" "$@"; }
log=counted/artifacts/live/logs/train_seed7.log
say undisturbed
run >"$out/undisturbed.txt" 2>&1 || tail -5 "$out/undisturbed.txt"
cp "$log" "$out/undisturbed.log"
mv counted/artifacts/live/artifacts/seed7 undisturbed
say killed
"${train[@]}" >"$out/killed.txt" 2>&1 & parent=$!
for _ in $(seq 2400); do grep -qs '^checkpoint step:20' "$out/killed.txt" && break; sleep 0.05; done
kill -9 "$parent" || true
grep -q '^step:60/60' "$out/killed.txt" && say "it was through before it was killed: give it more steps"
wait "$parent" 2>/dev/null || true
say resumed
run --resume >"$out/resumed.txt" 2>&1 || tail -5 "$out/resumed.txt"
cp "$log" "$out/resumed.log"
grep -E '^(checkpoint|resumed)' "$out/resumed.log"
say equal
{
  sha256sum undisturbed/final_model.*ptz counted/artifacts/live/artifacts/seed7/final_model.*ptz
  grep -h '_exact' "$out/undisturbed.log" "$out/resumed.log"
  for one in undisturbed resumed; do grep -o '^step:.*train_loss:[^ ]*' "$out/$one.log" >"$work/$one.losses"; done
  # The resumed log begins at its checkpoint.
  grep -vxFf "$work/undisturbed.losses" "$work/resumed.losses" || echo "equal losses at $(wc -l <"$work/resumed.losses") logged steps"
} 2>&1 | tee "$out/equal.txt"
say end
