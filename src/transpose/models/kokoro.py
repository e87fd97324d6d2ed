"""Kokoro-82M in ONNX Runtime: symbols to speech at 24 kHz.

StyleTTS 2 (Li et al. 2023) with an ISTFTNet vocoder; weights by hexgrad (Apache-2.0), int8 export. A voice is a table
of 510 style vectors, one for each number of symbols. The same symbols, voice and speed give the same samples.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.core.errors import DamagedWeights, MissingPackage

if TYPE_CHECKING:
    import numpy as np
    import onnxruntime  # type: ignore[import-untyped]
    from numpy.typing import NDArray

RATE = 24_000  # Hz
MOST = 400  # symbols in one go: the network takes 510, and memory grows with them
STYLES, WIDTH = 510, 256
LOUDEST = 0.99  # of full scale 1
QUIET = 0.01  # below this (of full scale 1) the ends of a sentence are trimmed
MARGIN = RATE // 40  # samples kept around what is louder


@dataclass(frozen=True, slots=True)
class Kokoro:
    """The loaded network and its table of symbols."""

    session: onnxruntime.InferenceSession
    vocabulary: Mapping[str, int]

    def say(self, symbols: str, voice: NDArray[np.float32], speed: float) -> NDArray[np.float32]:
        """Speech for at most 510 symbols: float32 (n,) in -1..1 at 24 kHz, silence at both ends trimmed.

        `voice` has shape (510, 256); `speed` 1 is the voice's own.
        """
        import numpy as np

        tokens = [self.vocabulary[symbol] for symbol in symbols if symbol in self.vocabulary][:STYLES]
        if not tokens:
            return np.zeros(0, np.float32)
        feed = {
            "tokens": np.array([[0, *tokens, 0]], np.int64),
            "style": voice[len(tokens) - 1][None],
            "speed": np.array([speed], np.float32),
        }
        return trim(below_full_scale(np.asarray(self.session.run(None, feed)[0], np.float32).ravel()))


def below_full_scale(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Softer as a whole where a loud voice would be clipped (am_puck and am_fenrir pass 1 now and then)."""
    import numpy as np

    return samples * np.float32(min(1.0, LOUDEST / max(float(np.abs(samples).max(initial=0)), 1e-9)))


def trim(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Without the silence at both ends."""
    import numpy as np

    loud = np.flatnonzero(np.abs(samples) > QUIET)
    return samples[max(0, loud[0] - MARGIN) : loud[-1] + MARGIN] if len(loud) else samples[:0]


def open_kokoro(folder: Path, threads: int) -> Kokoro:
    """Load the network of the card `kokoro` with so many threads."""
    try:
        import onnxruntime
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] != "onnxruntime":
            raise
        raise MissingPackage("speaking needs onnxruntime", "pip install onnxruntime") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
    return Kokoro(session, json.loads((folder / "vocab.json").read_text(encoding="utf-8"))["vocab"])


def read_voice(folder: Path, name: str) -> NDArray[np.float32]:
    """The style table of one voice, shape (510, 256), from NAME.bin or the shared voices_ja.npz of `folder`."""
    import numpy as np

    alone = folder / f"{name}.bin"
    if alone.exists():
        table = np.fromfile(alone, "<f4")
    else:
        with np.load(folder / "voices_ja.npz", allow_pickle=False) as tables:
            table = np.asarray(tables[name], np.float32)
    if table.size != STYLES * WIDTH:
        raise DamagedWeights(f"the voice {name!r} has {table.size} numbers, not {STYLES * WIDTH}")
    return table.reshape(STYLES, WIDTH)


def pieces(symbols: str, most: int = MOST) -> Iterator[str]:
    """Cut a sentence that is too long, at the last punctuation that fits, else at a blank, else anywhere."""
    while len(symbols) > most:
        head = symbols[:most]
        marks = [found.end() for found in re.finditer(r"[,;:.!?…)]", head)]
        blank = head.rfind(" ")
        cut = marks[-1] if marks and marks[-1] > most // 4 else blank if blank > 0 else most
        yield symbols[:cut].strip()
        symbols = symbols[cut:].strip()
    if symbols:
        yield symbols
