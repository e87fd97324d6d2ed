#!/bin/sh
# All picture models from nothing, in about four hours on one core: data, the pair, the judge, the diffusion network.
# usage: recipes/picture_models.sh FOLDER MINILM      (MINILM: the folder of the card minilm, as `transpose models path` says)
# Seeds are in the recipes (7 for the pairs, 20 for the network); the archives' hashes are in picture_data.py. A run that
# was killed goes on where it was. The shipped diffusion network had three runs of 70 minutes: 153 core things first, with
# SHARES of .60, .17, .11, .04 and .08, then all 328 plain things with .46, .22, .14, .06 and .12, then all 1,392 icons,
# each from the averaged weights of the one before, with --start. The shipped pair had 1200 s, and then 2700 s more.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
export OMP_NUM_THREADS=1 PYTHONPATH="$here:$here/.."
[ -e "$1/concepts.json" ] || "$here/picture_data.sh" "$1"
python "$here/picture_contrastive.py" "$1" "$1/picture-text" "$2" 3900 --sets flat noto noto1 fluent --unseen twemoji
python "$here/picture_contrastive.py" "$1" "$1/picture-judge" "$2" 1100 --sets twemoji noto1 fluent --unseen flat noto
[ -e "$1/table/scenes.json" ] || python "$here/picture_generate.py" prepare "$1" "$1/table" "$2"
python "$here/picture_generate.py" train "$1/table" "$1/run" 8640
python "$here/picture_generate.py" export "$1/run" "$1/picture-diffusion"
python "$here/picture_captions.py" "$1" "$here/../benchmarks/picture_captions.json"
