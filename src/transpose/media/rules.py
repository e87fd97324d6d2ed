"""Tables from the lines that are drawn around their cells: rules that touch make a grid, a missing rule joins cells.

Coordinates grow to the right and down, in points.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

TOUCH = 2.5  # points between rules that count as touching
MOST = 4000  # rules of one page; more are a drawing


@dataclass(frozen=True, slots=True)
class Rule:
    """A straight line: `at` is its height (or its place from the left, if upright), `start` and `end` its reach."""

    upright: bool
    at: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Box:
    """A cell in a grid: its rows and columns (from, to; the end not counted), and its place on the page."""

    rows: tuple[int, int]
    columns: tuple[int, int]
    left: float
    top: float
    right: float
    bottom: float


def joined(rules: Iterable[Rule]) -> list[Rule]:
    """Pieces of one line as one rule."""
    found: list[Rule] = []
    for rule in sorted(rules, key=lambda rule: (rule.upright, round(rule.at / TOUCH), rule.start)):
        last = found[-1] if found else None
        same = last is not None and last.upright == rule.upright and abs(last.at - rule.at) < TOUCH
        touching = last is not None and rule.start <= last.end + TOUCH and rule.end >= last.start - TOUCH
        if last is not None and same and touching:
            found[-1] = Rule(last.upright, last.at, min(last.start, rule.start), max(last.end, rule.end))
        else:
            found.append(rule)
    return [rule for rule in found if rule.end - rule.start > 4]


def tables(rules: Sequence[Rule]) -> list[list[Box]]:
    """The cells of each grid of two cells or more."""
    found: list[list[Box]] = []
    for group in _touching(joined(rules)[:MOST]):
        across = _places(rule.at for rule in group if not rule.upright)
        upright = _places(rule.at for rule in group if rule.upright)
        if 2 <= len(across) <= 300 and 2 <= len(upright) <= 100 and len(across) + len(upright) > 4:
            boxes = _boxes(group, across, upright)
            if len(boxes) > 1:
                found.append(boxes)
    return found


def _places(values: Iterable[float]) -> list[float]:
    """Different places, in order."""
    places: list[float] = []
    for value in sorted(values):
        if not places or value > places[-1] + TOUCH:
            places.append(value)
    return places


def _touching(rules: Sequence[Rule]) -> list[list[Rule]]:
    """Groups of rules that cross or touch, directly or through others."""
    parent = list(range(len(rules)))

    def top(number: int) -> int:
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number

    uprights = [number for number, rule in enumerate(rules) if rule.upright]
    for a, flat in enumerate(rules):
        for b in uprights if not flat.upright else ():
            post = rules[b]
            inside = flat.start - TOUCH <= post.at <= flat.end + TOUCH
            if inside and post.start - TOUCH <= flat.at <= post.end + TOUCH:
                parent[top(a)] = top(b)
    groups: dict[int, list[Rule]] = {}
    for number, rule in enumerate(rules):
        groups.setdefault(top(number), []).append(rule)
    return [group for group in groups.values() if len(group) > 3]


def _boxes(rules: Sequence[Rule], across: Sequence[float], upright: Sequence[float]) -> list[Box]:
    """Cells, those without a rule between them as one, from the upper left: as wide and then as tall as they go."""

    def ruled(is_upright: bool, at: float, start: float, end: float) -> bool:
        middle = (start + end) / 2
        return any(
            rule.upright == is_upright
            and abs(rule.at - at) < 2 * TOUCH
            and rule.start - TOUCH <= middle <= rule.end + TOUCH
            for rule in rules
        )

    taken: set[tuple[int, int]] = set()
    boxes: list[Box] = []
    for row in range(len(across) - 1):
        for column in range(len(upright) - 1):
            if (row, column) in taken:
                continue
            right, below = column + 1, row + 1
            while right < len(upright) - 1 and (row, right) not in taken:
                if ruled(True, upright[right], across[row], across[row + 1]):
                    break
                right += 1
            while below < len(across) - 1 and not ruled(False, across[below], upright[column], upright[column + 1]):
                below += 1
            taken |= {(y, x) for y in range(row, below) for x in range(column, right)}
            place = (upright[column], across[row], upright[right], across[below])
            boxes.append(Box((row, below), (column, right), *place))
    return boxes
