#!/bin/sh
# The tune model of packages/transpose-weights: 14 minutes on one core (bfloat16), then its scores.
# Needs the extra `learn` and music21 (BSD-3-Clause). Seeds are fixed; a run that was stopped goes on.
set -eu
cd "$(dirname "$0")/.."
folder=${1:-build/tunes}
python -m recipes.tune_tokens "$folder" --seconds 840
sha256sum "$folder/tunes.onnx"
