"""OCR: the printed text of a page, in reading order, with doubtful lines named.

PP-OCRv6 small (a detector after DB, Liao et al. 2020, and a recogniser with a CTC head, after SVTR, Du et al. 2022)
through the `rapidocr` package. That package fetches what it does not find; here it is given the paths of its networks,
so that branch is never reached, and its log is silent.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol, cast

from transpose.core.context import Context
from transpose.core.errors import EmptyInput, SilentInput
from transpose.core.transform import Range, transform
from transpose.media.image import Image, on_white
from transpose.media.page import Line, compose, tidy
from transpose.media.text import Text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Found = tuple[NDArray[np.float64], str, float]  # corners, text, score


class Detector(Protocol):
    """The part of the engine that finds lines."""

    limit_side_len: float


class Lines(Protocol):
    """What the engine answers; all None where it finds nothing."""

    boxes: NDArray[np.float32] | None
    txts: tuple[str, ...] | None
    scores: tuple[float, ...] | None


class Reader(Protocol):
    """What is used of `rapidocr.RapidOCR`, whose own annotations leave open what comes back."""

    max_side_len: float
    text_det: Detector

    def __call__(self, pixels: NDArray[np.uint8], /) -> Lines:
        """Read a BGR picture."""


LOW = 0.75  # lines below this score are named
AREA = 4_000_000  # pixels that the recogniser sees at most: A4 at 207 dpi
DETECTED = 1_700_000  # pixels that the detector sees at most: twice as fast as with all, and no worse
SMALL = 400_000  # pixels below which a picture is doubled
MEMORY_MB = 800


@transform(
    "image.page -> text.ocr",
    loses=["layout", "pixels", "colour"],
    models=["pp-ocrv6-small"],
    needs=["rapidocr"],
    extra="local",
    memory_mb=MEMORY_MB,
)
def read_page(
    image: Image, ctx: Context, *, least: Annotated[float, Range(0, 1), "score below which a line is left out"] = 0.5
) -> Text:
    """Read what is printed on a page: columns one after the other, paragraphs rebuilt, hyphenated words made whole.

    Print in Latin, Chinese and Japanese script (the model card lists the languages), not handwriting. A page may lean
    by some degrees, lie on its side or stand on its head. The mean score is noted, lines that
    score under .75 are named in a warning, lines under `least` left out. Raises SilentInput where nothing is read.
    """
    if 0 in image.pixels.shape:
        raise EmptyInput("the picture has no pixels", "Look at the step before")
    weights = ctx.model("pp-ocrv6-small")
    engine = ctx.load("pp-ocrv6-small", lambda: _open(weights, ctx.threads), MEMORY_MB)
    found = _read_upright(engine, on_white(image.pixels))
    kept = [(quad, text, score) for quad, text, score in found if score >= least]
    if not kept:
        raise SilentInput("no text was found on the page", "Give a page of print, upright, at 150 dpi or more")
    scores = [score for _, _, score in kept]
    ctx.note("lines", len(kept))
    ctx.note("mean_score", round(sum(scores) / len(scores), 3))
    _warn_of_doubt([(text, score) for _, text, score in kept], len(found) - len(kept), ctx)
    return Text(compose(_level([quad for quad, _, _ in kept], [text for _, text, _ in kept])))


def _open(weights: Path, threads: int) -> Reader:
    """Both networks from local files, silent, on the CPU."""
    import numpy as np
    import onnxruntime  # type: ignore[import-untyped]
    from rapidocr import RapidOCR

    onnxruntime.disable_telemetry_events()
    engine = RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.use_cls": False,  # its classifier turned one upright line in twenty on its head
            "Global.text_score": 0.0,  # the caller filters, and says so
            "Global.model_root_dir": str(weights),
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            "Det.limit_type": "max",
            "Det.model_path": str(weights / "PP-OCRv6_det_small.onnx"),
            "Rec.model_path": str(weights / "PP-OCRv6_rec_small.onnx"),
        }
    )
    engine(np.full((64, 64, 3), 255, np.uint8))  # loads the detector, whose limit is set for each page
    return cast(Reader, engine)


def _read_upright(engine: Reader, pixels: NDArray[np.uint8]) -> list[Found]:
    """Read; where most lines run upwards or the score is low, read the page turned as well and take the better."""
    import numpy as np

    found = _read(engine, pixels)
    if not found or (_score(found) >= LOW and not _upward(found)):
        return found
    turns = (1, 3) if _upward(found) else (2,)
    return max([found, *(_read(engine, np.rot90(pixels, turn)) for turn in turns)], key=_score)


def _score(found: list[Found]) -> float:
    """Mean score of the letters, halved where the lines do not run across the page."""
    letters = sum(len(text) for _, text, _ in found)
    mean = sum(score * len(text) for _, text, score in found) / max(1, letters)
    return mean / 2 if _upward(found) else mean


def _upward(found: list[Found]) -> bool:
    tall = [len(text) for quad, text, _ in found if abs(quad[3] - quad[0])[1] > 1.5 * abs(quad[1] - quad[0])[0]]
    return 2 * sum(tall) > sum(len(text) for _, text, _ in found)


def _read(engine: Reader, pixels: NDArray[np.uint8]) -> list[Found]:
    """Quads (4, 2: from the upper left clockwise, in pixels), texts and scores, as the engine orders them.

    Sizes are limited by area and not by length, so that a long receipt or screenshot stays legible; a small picture
    is doubled.
    """
    import numpy as np
    import PIL.Image

    height, width = pixels.shape[:2]
    if height * width < SMALL:
        larger = PIL.Image.fromarray(pixels).resize((2 * width, 2 * height), PIL.Image.Resampling.BICUBIC)
        pixels = np.asarray(larger)
        height, width = 2 * height, 2 * width
    longest, area = max(height, width), height * width
    engine.max_side_len = longest * min(1.0, (AREA / area) ** 0.5)
    engine.text_det.limit_side_len = longest * min(1.0, (DETECTED / area) ** 0.5)
    result = engine(np.ascontiguousarray(pixels[..., ::-1]))  # it takes BGR, as OpenCV does
    if result.boxes is None or result.txts is None or result.scores is None:
        return []
    quads = np.asarray(result.boxes, dtype=np.float64)
    rows = zip(quads, result.txts, result.scores, strict=True)
    return [(quad, tidy(text), float(score)) for quad, text, score in rows if text.strip()]


def _level(quads: list[NDArray[np.float64]], texts: list[str]) -> list[Line]:
    """Upright boxes after the lean of the page (the middle one of the lines' angles, long lines count more)."""
    import numpy as np

    corners = np.stack(quads)
    run = corners[:, 1] - corners[:, 0]
    length = np.hypot(run[:, 0], run[:, 1])
    angles = np.arctan2(run[:, 1], run[:, 0])
    order = np.argsort(angles)
    share = np.cumsum(length[order]) / max(float(length.sum()), 1e-9)
    lean = float(angles[order][int(np.searchsorted(share, 0.5))])
    turn = np.array([[np.cos(lean), -np.sin(lean)], [np.sin(lean), np.cos(lean)]])
    level = corners @ turn
    low, high = level.min(axis=1), level.max(axis=1)
    return [
        Line(text, float(a[0]), float(a[1]), float(b[0]), float(b[1]))
        for text, a, b in zip(texts, low, high, strict=True)
    ]


def _warn_of_doubt(lines: list[tuple[str, float]], left_out: int, ctx: Context) -> None:
    doubtful = [(text, score) for text, score in lines if score < LOW]
    if doubtful:
        shown = "; ".join(f"{text!r} ({score:.2f})" for text, score in doubtful[:5])
        more = f" and {len(doubtful) - 5} more" if len(doubtful) > 5 else ""
        ctx.warn(f"read with a low score: {shown}{more}")
    if left_out:
        ctx.warn(f"left out {left_out} {'line' if left_out == 1 else 'lines'} with a very low score")
