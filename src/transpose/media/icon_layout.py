"""Where things stand: boxes for each copy of each thing, from how neighbours relate, fitted into the picture.

Lengths are those of things until `fit` scales them: an animal is 1 high. Boxes are (left, top, width, height), y down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

Box = tuple[float, float, float, float]
GAP = 0.14  # between neighbours
BEHIND = 0.42  # of their height by which a row on the ground stands above the one before it
WIDE = 3.2  # width over height from which on neighbours begin a new row
SIZES = {  # of kinds of icons, beside an animal
    "animal-bird": 0.8, "animal-bug": 0.6, "plant-flower": 0.75, "food-fruit": 0.65, "food-vegetable": 0.65,
    "food-sweet": 0.65, "food-prepared": 0.75, "drink": 0.7, "place-building": 1.5, "transport-ground": 1.25,
    "transport-water": 1.3, "transport-air": 1.1, "heart": 0.8, "clothing": 0.75, "household": 0.8, "sound": 0.7,
    "phone": 0.6, "money": 0.6, "writing": 0.7, "book-paper": 0.7, "light-video": 0.7, "music": 0.7, "event": 0.8,
}  # fmt: skip
SIZES_OF = {
    "tree": 1.7,
    "mountain": 1.9,
    "elephant": 1.4,
    "giraffe": 1.5,
    "mouse": 0.6,
    "whale": 1.4,
    "horse": 1.2,
    "chair": 1.3,
    "bed": 1.7,
    "couch": 1.7,
}
SEATS = {"chair": 0.52, "bed": 0.5, "couch": 0.6, "bicycle": 0.32, "motorcycle": 0.35, "horse": 0.3, "elephant": 0.2}
ROWS = {4: (2, 2), 5: (2, 3), 6: (3, 3), 7: (3, 4), 8: (4, 4), 9: (3, 3, 3)}  # copies in each row, from the back


@dataclass(frozen=True, slots=True)
class Group:
    """Copies of one thing: `aspect` is width over height, `size` the longer side."""

    aspect: float
    count: int = 1
    size: float = 1.0
    tall: bool = False  # one can stand under it: a tree, an umbrella
    seat: float = 0.1  # how far below its top things on it begin, as a share of its height


@dataclass(frozen=True, slots=True)
class Place:
    """Where one copy of a group stands; what has a higher `depth` is nearer."""

    group: int
    box: Box
    depth: int = 0


def size_of(kind: str, label: str) -> float:
    """How large a thing is beside an animal; drawings need no more than a hint of it."""
    for word, size in SIZES_OF.items():
        if word in label.split():
            return size
    return SIZES.get(kind, 1.0)


def seat_of(label: str) -> float:
    """How far below the top of a thing others sit on it, as a share of its height."""
    return next((seat for word, seat in SEATS.items() if word in label.split()), 0.1)


def lay_out(groups: Sequence[Group], relations: Sequence[str], *, standing: bool = False) -> list[Place]:
    """Places for all copies; `relations[n]` says how group n stands to group n + 1, `standing` that there is ground."""
    places = _copies(0, groups[0], standing)
    for number, relation in enumerate(relations, 1):
        places = _join(places, _copies(number, groups[number], standing), relation, groups[number], standing)
    return sorted(places, key=lambda place: place.depth)


def _copies(number: int, group: Group, standing: bool) -> list[Place]:
    """The copies of one group in rows, back row first, from (0, 0) on."""
    width, height = group.size * min(1, group.aspect), group.size * min(1, 1 / group.aspect)
    rows = ROWS.get(group.count, (group.count,))
    longest = max(rows)
    step = height * (BEHIND if standing else 1 + GAP / 2)
    places = []
    for row, length in enumerate(rows):
        indent = (longest - length) / 2 * width * (1 + GAP)
        for column in range(length):
            left, top = indent + column * width * (1 + GAP), row * step
            places.append(Place(number, (left, top, width, height), row))
    return places


def _join(places: list[Place], own: list[Place], relation: str, new: Group, standing: bool) -> list[Place]:
    """Put the copies of a new group beside what stands; `relation` is that of the old to the new."""
    old, box = extent(places), extent(own)
    centre = old[0] + old[2] / 2 - box[2] / 2
    foot = old[1] + old[3] - box[3]
    nearest = 1 + max(place.depth for place in places)
    farthest = min(place.depth for place in places) - 1 - max(place.depth for place in own)
    if relation == "under" and not new.tall:
        relation = "below"
    if relation == "beside" and (old[2] + GAP + box[2]) / max(old[3], box[3]) > WIDE:
        relation = "nearer" if standing else "above"
    left, top, depth = {
        "left": (old[0] + old[2] + GAP, foot, 0),
        "right": (old[0] - GAP - box[2], foot, 0),
        "above": (centre, old[1] + old[3] + GAP, 0),
        "below": (centre, old[1] - GAP - box[3], 0),
        "under": (centre + 0.12 * box[2], foot - 0.06 * old[3], farthest),
        "on": (centre, old[1] + old[3] - new.seat * box[3], farthest),
        "behind": (old[0] + 0.42 * old[2], foot + 0.12 * box[3], nearest),
        "before": (old[0] + 0.42 * old[2], foot - 0.1 * box[3], farthest),
        "nearer": (centre, foot + BEHIND * box[3], nearest),
        "inside": (centre, old[1] - 0.16 * box[3] if new.tall else foot + 0.1 * old[3], farthest),
        "wearing": (centre, old[1] - 0.62 * box[3], nearest),
    }.get(relation, (old[0] + old[2] + GAP, foot, 0))
    return [*places, *(_moved(place, left - box[0], top - box[1], depth) for place in own)]


def _moved(place: Place, right: float, down: float, nearer: int = 0) -> Place:
    box = place.box
    return replace(place, box=(box[0] + right, box[1] + down, box[2], box[3]), depth=place.depth + nearer)


def extent(places: Sequence[Place]) -> Box:
    """The box around all of them."""
    left, top = min(place.box[0] for place in places), min(place.box[1] for place in places)
    right = max(place.box[0] + place.box[2] for place in places)
    bottom = max(place.box[1] + place.box[3] for place in places)
    return left, top, right - left, bottom - top


def fit(places: Sequence[Place], into: Box, *, foot: bool, most: float = 1e9) -> list[Place]:
    """Scaled to fill the box, at its foot or in its middle; a thing gets no larger than `most`."""
    box = extent(places)
    largest = max(max(place.box[2], place.box[3]) for place in places)
    scale = min(into[2] / box[2], into[3] / box[3], most / largest)
    left = into[0] + (into[2] - box[2] * scale) / 2
    top = into[1] + (into[3] - box[3] * scale) * (1.0 if foot else 0.5)
    return [
        replace(
            place,
            box=(
                left + (place.box[0] - box[0]) * scale,
                top + (place.box[1] - box[1]) * scale,
                place.box[2] * scale,
                place.box[3] * scale,
            ),
        )
        for place in places
    ]
