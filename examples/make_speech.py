"""Makes talk.wav with its transcript, voice.wav and talk.mp4. Downloads nothing.

    python examples/make_speech.py CLIPS [FOLDER]

CLIPS is the folder /usr/share/pocketsphinx/test/data/librivox of Debian's package pocketsphinx-testdata: five sentences
of a human reading of "Sense and Sensibility" (Jane Austen, 1811), chapter 1, for LibriVox, whose volunteers dedicate
their recordings to the public domain. Debian's copyright file names no other terms for the clips than those of
pocketsphinx itself (BSD-2-Clause, Carnegie Mellon University). The clips follow one another as they are; two pieces
are missing between the third and the fourth, so that the transcript is not the book's text; `a more a amiable` stands
so in the transcription that comes with the clips.

voice.wav is synthetic: Kokoro-82M, voice af_heart, speaks the narration below (about slides.pdf); it needs the extra
`local` and pulls its weights. talk.mp4 is a title card over talk.wav.
"""

from __future__ import annotations

import sys
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from transpose.core.context import Context, Many
from transpose.core.errors import WeightsError
from transpose.formats.sound import write_sound
from transpose.formats.video_files import write_video
from transpose.media.audio import Audio
from transpose.media.image import Image
from transpose.media.text import Text
from transpose.transforms.slideshow import slideshow
from transpose.transforms.speak import speak

RATE = 16_000
CLIP = "sense_and_sensibility_01_austen_64kb-%s.wav"
SAID = {
    "0870": "And Mr. John Dashwood had then leisure to consider how much there might be prudently in his power to do "
    "for them.",
    "0880": "He was not an ill disposed young man,",
    "0890": "unless to be rather cold hearted and rather selfish is to be ill disposed.",
    "0920": "Had he married a more a amiable woman, he might have been made still more respectable than he was.",
    "0930": "He might even have been made amiable himself.",
}
NARRATION = (
    "Good evening. This is our plan for watering the roof garden with rain. The roof collects six hundred litres in an "
    "hour, and each bed needs only twenty in a dry week. Next we buy two pumps and hose, and we meet again in June."
)


def talk(clips: Path) -> Audio:
    """The five clips, one after the other: 24.7 s at 16 kHz, mono."""
    parts = []
    for number in SAID:
        with wave.open(str(clips / (CLIP % number))) as file:
            assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
            parts.append(np.frombuffer(file.readframes(file.getnframes()), "<i2"))
    meta = {"title": "Sense and Sensibility, chapter 1 (part)", "artist": "LibriVox volunteer, public domain"}
    return Audio.from_array(np.concatenate(parts).astype(np.float32) / 32768, RATE, meta)


def card() -> Image:
    """A title card of 640 x 360."""
    sheet = Pillow.new("RGB", (640, 360), "#f4efe4")
    pen = ImageDraw.Draw(sheet)
    pen.rectangle((24, 24, 615, 335), outline="#7a5c3e", width=3)
    for height, points, text in ((120, 40, "Sense and Sensibility"), (190, 24, "Jane Austen, 1811")):
        pen.text((320, height), text, fill="#3a2c1e", anchor="mm", font=ImageFont.load_default(points))
    pen.text((320, 270), "read for LibriVox", fill="#7a5c3e", anchor="mm", font=ImageFont.load_default(18))
    return Image(np.asarray(sheet))


def context() -> Context:
    """A Context whose weights come through the puller."""
    from transpose.models.pull import weights

    return Context(weights=weights, threads=1)


def main(clips: Path, folder: Path) -> None:
    """Make everything in `folder`; voice.wav only where its weights can be had."""
    ctx = context()
    said = talk(clips)
    write_sound(said, folder / "talk.wav", ctx)
    (folder / "talk.transcript.txt").write_text(" ".join(SAID.values()) + "\n", encoding="utf-8")

    def pictures() -> Iterator[Image]:
        yield card()

    film = slideshow(Many(pictures, 1), said, None, ctx, size="first")
    write_video(film, folder / "talk.mp4", ctx)
    try:
        spoken = speak(Text(NARRATION, lang="en"), ctx, voice="af_heart")
    except WeightsError as error:
        print(f"voice.wav is left as it is: {error}", file=sys.stderr)
        return
    smaller = Audio.from_array(spoken.array(rate=RATE), RATE, {"title": "Synthetic speech: Kokoro-82M, af_heart"})
    write_sound(smaller, folder / "voice.wav", ctx)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) == 3 else Path(__file__).parent)
