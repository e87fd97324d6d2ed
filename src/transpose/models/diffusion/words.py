"""Prompts as conditions of a diffusion network: the states of MiniLM for each piece of a word.

The network attends to the pieces one by one, so that "a red apple on a blue background" says which is red. The states
of the last layer are taken without those of [CLS] and [SEP], and scaled so that their numbers spread by about 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.models.minilm import WIDTH, MiniLM

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MODEL = "minilm"  # name of the card
SPREAD = 0.45  # standard deviation of the states of MiniLM, measured over captions of pictures
BATCH = 64  # texts at once


class Words:
    """MiniLM, opened; prompts go in."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        self.model = MiniLM(folder, threads)

    def pieces(self, texts: Sequence[str]) -> list[list[int]]:
        """The numbers of each text's pieces, [CLS] and [SEP] included; at most 256."""
        return [windows[0] for windows in self.model.tokenize(texts)]

    def states(self, texts: Sequence[str], length: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Tokens (n, length, 384) and mask (n, length) of 0 and 1; what is longer is cut after `length` pieces.

        Each text is read alone or with others of its length, so that its numbers do not depend on the batch.
        """
        import numpy as np

        pieces = self.pieces([text.strip() for text in texts])
        tokens = np.zeros((len(pieces), length, WIDTH), np.float32)
        mask = np.zeros((len(pieces), length), np.float32)
        for rows in _alike([len(ids) for ids in pieces]):
            ids = np.array([pieces[row] for row in rows], np.int32)
            feed = {"tokens": ids, "lengths": np.full(len(rows), ids.shape[1], np.int32)}
            (found,) = self.model.session.run(None, feed)
            kept = min(length, ids.shape[1] - 2)
            tokens[rows, :kept] = found[:, 1 : 1 + kept] / SPREAD
            mask[rows, :kept] = 1
        return tokens, mask


def _alike(lengths: Sequence[int]) -> list[list[int]]:
    """Places of texts with the same number of pieces together, at most `BATCH`."""
    order = sorted(range(len(lengths)), key=lambda place: lengths[place])
    groups: list[list[int]] = []
    for place in order:
        if groups and lengths[groups[-1][0]] == lengths[place] and len(groups[-1]) < BATCH:
            groups[-1].append(place)
        else:
            groups.append([place])
    return groups
