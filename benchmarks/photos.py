"""Real photographs for measuring, labelled by hand: those that scikit-image and scikit-learn bring in their packages.

Each stands for itself and for spoilt copies of it (`spoilt`). Few as they are, they tell a model that works from one
that is broken, and little about small differences.
"""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps

from transpose.core.errors import MissingPackage
from transpose.media.image import Image

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Photo:
    """A file, a caption, the ImageNet names that are right, and COCO's things with left, top, right, bottom."""

    file: str
    caption: str
    names: tuple[str, ...] = ()
    things: tuple[tuple[str, Box], ...] = ()


PHOTOS = (
    Photo("skimage/data/astronaut.png", "an astronaut in a space suit", (), (("person", (10, 12, 368, 512)),)),
    Photo(
        "skimage/data/chelsea.png", "the face of a cat", ("Egyptian cat", "tiger cat", "tabby"),
        (("cat", (0, 0, 451, 300)),),
    ),
    Photo(
        "skimage/data/coffee.png", "a cup of coffee", ("espresso", "cup", "coffee mug"),
        (("cup", (165, 15, 415, 290)), ("spoon", (340, 180, 440, 400)), ("dining table", (0, 0, 600, 400))),
    ),
    Photo(
        "skimage/data/motorcycle_left.png", "a red motorcycle in a garage", ("moped", "motor scooter"),
        (("motorcycle", (115, 75, 715, 450)),),
    ),
    Photo(
        "skimage/data/camera.png", "a man taking a photograph", ("tripod",), (("person", (0, 60, 335, 512)),)
    ),
    Photo("skimage/data/rocket.jpg", "a rocket on its launch pad", ("missile", "projectile", "space shuttle")),
    Photo("skimage/data/clock_motion.png", "a clock on a wall", ("wall clock", "analog clock")),
    Photo("skimage/data/coins.png", "old coins"),
    Photo("skimage/data/brick.png", "a brick wall"),
    Photo("skimage/data/grass.png", "grass in a meadow"),
    Photo("skimage/data/gravel.png", "small stones"),
    Photo("skimage/data/moon.png", "craters of the moon"),
    Photo("sklearn/datasets/images/china.jpg", "a Chinese temple by a lake", ("palace", "stupa", "monastery")),
    Photo("sklearn/datasets/images/flower.jpg", "a flower"),
)  # fmt: skip


def opened(photo: Photo) -> Pillow.Image:
    """The photograph as RGB; raises MissingPackage where its package is not installed."""
    package, _, rest = photo.file.partition("/")
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        name = {"skimage": "scikit-image", "sklearn": "scikit-learn"}[package]
        raise MissingPackage(f"the photographs of {name} are needed", f"pip install {name}")
    with Pillow.open(Path(spec.submodule_search_locations[0]) / rest) as picture:
        return picture.convert("RGB")


def spoilt(picture: Pillow.Image) -> Iterator[tuple[str, Pillow.Image]]:
    """The picture itself, mirrored, dark, grey, pressed hard by JPEG, and half as large."""
    yield "itself", picture
    yield "mirrored", ImageOps.mirror(picture)
    yield "dark", picture.point([round(value * 0.5) for value in range(256)] * 3)
    yield "grey", picture.convert("L").convert("RGB")
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=20)
    yield "jpeg", Pillow.open(data).convert("RGB")
    yield "half", picture.resize((picture.width // 2, picture.height // 2), Pillow.Resampling.BOX)


def image(picture: Pillow.Image) -> Image:
    """As a transform takes it."""
    return Image(np.asarray(picture.convert("RGB")))
