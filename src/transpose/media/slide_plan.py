"""A document cut into slides: what stands on each, in boxes that hold it. Lengths are inches, letters are points.

A slide begins at each heading down to the third level, at each section and at each rule. Letters are as large as lets
everything stand on one slide, down to a size that can be read from the back of a room; what is too long for that goes
on over further slides of the same title. How much room words need is estimated, a little too wide, because the font
of the machine that shows them is not known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from xml.etree.ElementTree import Element

from transpose.media.document_flow import Cell, Grid, Run, blocks, code, grid, level, runs, words, wrap
from transpose.media.document_pictures import Fitted, Pictures

WIDTH, HEIGHT = 13.333, 7.5
LEFT, TOP, BOTTOM = 0.75, 1.6, 6.95
BODY_WIDTH, BODY_HEIGHT = WIDTH - 2 * LEFT, BOTTOM - TOP
SIZES = (24, 20, 18, 16)
WIDE = 0.56  # of its height: how wide a letter is counted
LEADING = 1.22
STEP = 0.38  # indent of a level
HANG = {"•": 0.6, "1": 1.15}  # steps between a mark and its words
GAP = 0.45  # of the letters' height, after each paragraph
COLUMNS = 10  # of one table


@dataclass(frozen=True, slots=True)
class Piece:
    """A paragraph: `kind` is text, code, quote or head; `mark` is "", "•" or "1"; `number` that of its item."""

    runs: tuple[Run, ...]
    kind: str = "text"
    level: int = 0
    mark: str = ""
    number: int = 0
    group: int = 0  # the list that it belongs to

    def size(self, base: float) -> float:
        """The height of its letters."""
        return base * (0.72 if self.kind == "code" else 0.9 if self.level > 1 else 1.0)

    def lines(self, base: float, width: float) -> list[int]:
        """Where each line ends, in characters."""
        share = 0.62 if self.kind == "code" else WIDE
        room = (width - 0.25 - STEP * self.indent()) * 72 / (self.size(base) * share)
        return wrap("".join(run.text for run in self.runs), max(6, room))

    def indent(self) -> float:
        """Levels that it stands in from the left."""
        return self.level + (HANG[self.mark] if self.mark else 0.8 if self.kind == "quote" else 0)

    def height(self, base: float, width: float) -> float:
        """What it takes with the gap after it."""
        return self.tall(len(self.lines(base, width)), base)

    def tall(self, lines: int, base: float) -> float:
        """What so many of its lines take."""
        gap = 0.0 if self.kind == "code" else GAP
        return (lines * LEADING + gap) * self.size(base) / 72


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture that can be shown."""

    name: str
    alt: str
    fitted: Fitted


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of a table, with the head rows first; `size` of the letters."""

    grid: Grid
    size: float
    heights: tuple[float, ...]
    widths: tuple[float, ...]


Item = Piece | Shown | Rows


@dataclass(slots=True)
class Slide:
    """One slide before it is measured."""

    title: tuple[Run, ...] = ()
    rank: int = 0
    items: list[Item] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def says(self) -> bool:
        """Whether anything is on it."""
        return bool(self.title or self.items or self.notes)


@dataclass(frozen=True, slots=True)
class Box:
    """Where something stands; several pieces share a box."""

    items: tuple[Item, ...]
    left: float
    top: float
    width: float
    height: float
    size: float = 18


def cut(root: Element, pictures: Pictures) -> list[Slide]:
    """The slides of a document, not yet measured."""
    cutter = _Cutter(pictures)
    cutter.walk(root)
    return [slide for slide in cutter.slides if slide.says()]


class _Cutter:
    """One walk over a document."""

    def __init__(self, pictures: Pictures) -> None:
        self.pictures = pictures
        self.slides = [Slide()]
        self.lists = 0

    def walk(self, parent: Element) -> None:
        """Blocks that may begin slides."""
        for block in blocks(parent):
            rank = level(block)
            if 0 < rank <= 3:
                self.slides.append(Slide(tuple(runs(block)), rank))
            elif block.tag == "section":
                self.slides.append(Slide())
                self.walk(block)
                self.slides.append(Slide())
            elif block.tag == "hr":
                self.slides.append(Slide())
            elif block.tag == "aside":
                self.slides[-1].notes += [words(each) for each in blocks(block)]
            else:
                self.slides[-1].items += self.items(block, 0)

    def items(self, block: Element, depth: int, kind: str = "text") -> Iterator[Item]:
        """What a block puts on its slide."""
        tag = str(block.tag)
        if level(block):
            yield Piece(tuple(runs(block)), "head", depth)
        elif tag in ("ul", "ol"):
            yield from self.list_of(block, depth)
        elif tag == "table":
            yield from self.table(block)
        elif tag == "pre":
            for line in code(block)[0].split("\n"):
                yield Piece((Run(line, frozenset(["code"])),), "code", depth)
        elif tag in ("blockquote", "figure", "section", "li", "aside"):
            for inner in blocks(block):
                yield from self.items(inner, depth, "quote" if tag == "blockquote" else kind)
        elif tag != "hr":
            yield from self.paragraph(runs(block), Piece((), kind, depth))

    def paragraph(self, found: list[Run], like: Piece) -> Iterator[Item]:
        """A paragraph, its pictures taken out of it."""
        said: list[Run] = []
        shown: list[Shown] = []
        for run in found:
            fitted = self.pictures.get(run.picture) if run.picture else None
            if fitted is not None:
                shown.append(Shown(run.picture, run.text, fitted))
            elif run.picture:
                said.append(Run(f"[{run.text or run.picture}]", frozenset(["em"])))
            else:
                said.append(run)
        if "".join(run.text for run in said).strip():
            yield replace(like, runs=tuple(said))
        yield from shown

    def list_of(self, block: Element, depth: int) -> Iterator[Item]:
        """A list: the first paragraph of an item has the mark."""
        self.lists += 1
        mine, ordered = self.lists, block.tag == "ol"
        start = block.get("start", "1")
        first = int(start) if start.isascii() and start.isdigit() and len(start) < 6 else 1
        for number, item in enumerate(block, first):
            like = Piece((), "text", min(depth, 6), "1" if ordered else "•", number, mine)
            for inner in blocks(item):
                if inner.tag == "p" and like.mark:
                    yield from self.paragraph(runs(inner), like)
                    like = Piece((), "text", min(depth, 6) + 1)
                elif inner.tag == "p":
                    yield from self.paragraph(runs(inner), like)
                else:
                    yield from self.items(inner, depth + 1)

    def table(self, block: Element) -> Iterator[Item]:
        """A table in pieces that are not too wide, its caption before it."""
        whole = grid(block)
        if whole.caption is not None:
            yield Piece(tuple(runs(whole.caption)), "head")
        for part in whole.pieces(COLUMNS):
            if part.cells:
                size = 16.0 if part.width <= 4 else 13.0 if part.width <= 7 else 11.0
                yield from _rows(part, size)
        for image in block.iter("img"):
            fitted = self.pictures.get(image.get("src", ""))
            if fitted is not None:
                yield Shown(image.get("src", ""), image.get("alt", ""), fitted)


def _rows(part: Grid, size: float) -> Iterator[Rows]:
    """Parts of a table that each fit on a slide."""
    letters = part.letters(4, 60)
    total = min(BODY_WIDTH, sum(letters) * size * 0.6 / 72 + 0.3 * part.width)
    widths = tuple(each / sum(letters) * total for each in letters)
    part = _without_tall_rows(part, size, widths)
    heights = [_row_height(part, row, size, widths) for row in range(part.height)]
    first = sum(heights[: part.heads])
    heads = part.heads if first < BODY_HEIGHT * 0.5 else 0
    start = heads
    while start < part.height or start == heads == part.height:
        stop, room = start, BODY_HEIGHT - sum(heights[:heads])
        while stop < part.height and (stop == start or heights[stop] <= room):
            room -= heights[stop]
            stop += 1
        cells = [cell for cell in part.cells if cell.row < heads]
        cells += [
            replace(cell, row=cell.row - start + heads, rows=min(cell.rows, stop - cell.row))
            for cell in part.cells
            if start <= cell.row < stop
        ]
        some = Grid(tuple(cells), heads + stop - start, part.width, heads)
        yield Rows(some, size, (*heights[:heads], *heights[start:stop]), widths)
        start = max(stop, start + 1)


def _row_height(part: Grid, row: int, size: float, widths: tuple[float, ...]) -> float:
    lines = [_cell_lines(cell, size, widths) for cell in part.cells if cell.row == row and cell.rows == 1]
    return max([1, *map(len, lines)]) * LEADING * size / 72 + 0.14


def _cell_lines(cell: Cell, size: float, widths: tuple[float, ...]) -> list[int]:
    room = (sum(widths[cell.column : cell.column + cell.columns]) - 0.22) * 72 / (size * WIDE)
    return wrap(words(cell.element), max(2, room))


def _without_tall_rows(part: Grid, size: float, widths: tuple[float, ...]) -> Grid:
    """The same table; a row too tall for a slide becomes several, the words of its cells going on."""
    most = int((BODY_HEIGHT * 0.45 - 0.14) / (LEADING * size / 72))
    if all(len(_cell_lines(cell, size, widths)) <= most for cell in part.cells):
        return part
    cells: list[Cell] = []
    added = 0
    for row, line in enumerate(part.rows()):
        parts = []
        for cell in line:
            text, ends = words(cell.element), _cell_lines(cell, size, widths)
            cuts = [0, *ends[most - 1 :: most]]
            cuts = cuts if cuts[-1] >= len(text) else [*cuts, len(text)]
            parts.append([text[a:b].strip() for a, b in zip(cuts, cuts[1:], strict=False)] or [""])
        depth = max(map(len, parts), default=1)
        for cell, texts in zip(line, parts, strict=True):
            for down, text in enumerate(texts):
                element = Element("td")
                element.text = text
                whole = len(texts) == 1
                kept = cell.element if whole else element
                cells.append(replace(cell, element=kept, row=row + added + down, rows=1 if depth > 1 else cell.rows))
        added += depth - 1
    # a cell over several rows that were divided keeps its first place only
    height = part.height + added
    safe = [replace(cell, rows=1) if added else cell for cell in cells]
    return Grid(tuple(safe), height, part.width, part.heads, part.caption)


def pages(slide: Slide) -> list[list[Box]]:
    """The boxes of a slide, or of several where one does not hold everything."""
    beside = _beside(slide.items)
    if beside:
        return [beside]
    for size in SIZES:
        if sum(_height(item, size) for item in slide.items) <= BODY_HEIGHT:
            return [_stack(slide.items, size)]
    return list(_flow(slide.items, 18))


def _height(item: Item, size: float) -> float:
    if isinstance(item, Piece):
        return item.height(size, BODY_WIDTH) + (0.02 if item.kind == "code" else 0)
    if isinstance(item, Rows):
        return sum(item.heights) + 0.25
    return min(item.fitted.fit(BODY_WIDTH, BODY_HEIGHT)[1], BODY_HEIGHT) + 0.2


def _beside(items: list[Item]) -> list[Box]:
    """Words at the left and one picture at the right, where they are that, and fit."""
    pictures = [item for item in items if isinstance(item, Shown)]
    pieces = [item for item in items if isinstance(item, Piece)]
    if len(pictures) != 1 or not pieces or len(pieces) + 1 != len(items):
        return []
    picture = pictures[0].fitted
    if picture.width > 2.2 * picture.height:
        return []
    half = BODY_WIDTH * 0.48
    for size in SIZES:
        tall = sum(piece.height(size, half) for piece in pieces)
        if tall <= BODY_HEIGHT:
            wide, high = picture.fit(half, BODY_HEIGHT)
            scale = min(half / wide, BODY_HEIGHT / high, 2.0)  # small pictures may grow to twice their size
            wide, high = wide * scale, high * scale
            left = LEFT + BODY_WIDTH - half + (half - wide) / 2
            words_box = Box(tuple(pieces), LEFT, TOP, half, BODY_HEIGHT, size)
            return [words_box, Box((pictures[0],), left, TOP + (BODY_HEIGHT - high) / 2, wide, high)]
    return []


def _stack(items: list[Item], size: float) -> list[Box]:
    """Boxes one under the other; neighbouring pieces share one, code has its own."""
    boxes: list[Box] = []
    top = TOP
    group: list[Piece] = []
    for item in [*items, None]:
        same = isinstance(item, Piece) and (not group or (group[-1].kind == "code") == (item.kind == "code"))
        if group and not same:
            tall = sum(piece.height(size, BODY_WIDTH) for piece in group)
            boxes.append(Box(tuple(group), LEFT, top, BODY_WIDTH, tall, size))
            top, group = top + tall + (0.1 if group[-1].kind == "code" else 0), []
        if isinstance(item, Piece):
            group.append(item)
        elif isinstance(item, Shown):
            room = max(0.5, BOTTOM - top - 0.1)
            wide, high = item.fitted.fit(BODY_WIDTH, room)
            boxes.append(Box((item,), LEFT + (BODY_WIDTH - wide) / 2, top + 0.05, wide, high))
            top += high + 0.2
        elif item is not None:
            boxes.append(Box((item,), LEFT, top + 0.05, sum(item.widths), sum(item.heights)))
            top += sum(item.heights) + 0.25
    return boxes


def _flow(items: list[Item], size: float) -> Iterator[list[Box]]:
    """Pages, each filled before the next begins; long paragraphs are divided between lines."""
    page: list[Item] = []
    used = 0.0
    queue = list(reversed(items))
    while queue:
        item = queue.pop()
        tall = _height(item, size)
        room = BODY_HEIGHT - used
        if tall <= room + 1e-6 or (isinstance(item, Shown) and room > BODY_HEIGHT * 0.45):
            page.append(item)
            used += min(tall, room)
            continue
        if isinstance(item, Piece):
            ends = item.lines(size, BODY_WIDTH)
            fits = int((room * 72 / item.size(size) - GAP) / LEADING)
            if fits >= 2 and len(ends) - fits >= 1 or not page:
                head, tail = divide(item.runs, ends[max(1, min(fits, len(ends) - 1)) - 1])
                page.append(replace(item, runs=head))
                queue.append(replace(item, runs=tail, mark="", level=item.level + bool(item.mark)))
                item = None  # type: ignore[assignment]
        if item is not None:
            if not page:  # a table or picture alone is never too tall: it was fitted
                page.append(item)
            else:
                queue.append(item)
        yield _stack(page, size)
        page, used = [], 0.0
    if page:
        yield _stack(page, size)


def divide(found: tuple[Run, ...], at: int) -> tuple[tuple[Run, ...], tuple[Run, ...]]:
    """Runs before and after a character."""
    head: list[Run] = []
    tail: list[Run] = []
    for run in found:
        if at >= len(run.text):
            head.append(run)
        elif at <= 0:
            tail.append(run)
        else:
            head.append(replace(run, text=run.text[:at]))
            tail.append(replace(run, text=run.text[at:]))
        at -= len(run.text)
    return tuple(head), tuple(tail)
