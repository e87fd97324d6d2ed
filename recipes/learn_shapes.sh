#!/usr/bin/env bash
# The figures of docs on `transpose learn`: base, style, full fine-tuning, subject with and without preservation, ranks.
# About five minutes of one core. Needs the extra `learn`.
set -euo pipefail
folder="${1:-build/learn_shapes}"
OMP_NUM_THREADS=1 python "$(dirname "$0")/learn_shapes.py" "$folder"
