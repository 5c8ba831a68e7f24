#!/usr/bin/env bash
# Makes pgolf importable from a checkout and tokenises a corpus, on a GPU machine without an installer.
#   gpu_setup.sh CORPUS_DIR TOKENIZER OUT     CORPUS_DIR holds docs_val.jsonl.xz (validation) and docs_train.jsonl.xz
set -eu
corpus=$1 tokenizer=$2 out=$3
mkdir -p /tmp/pgolf_path
ln -sfn "$PWD/pgolf" /tmp/pgolf_path/pgolf
ln -sfn "$PWD/plugins" /tmp/pgolf_path/pgolf_plugins
export PYTHONPATH=/tmp/pgolf_path
documents=$(xz -dc "$corpus/docs_val.jsonl.xz" | wc -l)
python3 -c 'from pgolf.cli.data import data; data()' tokenize "$corpus/docs_val.jsonl.xz" "$corpus/docs_train.jsonl.xz" \
  --tokenizer "$tokenizer" -o "$out" --val-docs "$documents" --normalize --workers 8
