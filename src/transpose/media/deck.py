"""A document as slides: what stands on each, and what is said to it.

Every heading begins a slide; so does a rule, and so does each slide of a presentation, whose speaker notes are then
said instead of its words. Under the one heading of the first level, which names the whole, the paragraphs go on the
cover. A paragraph is spoken; on the slide stands its first sentence, where nothing else does. Code is not spoken, and
of a table it is said what it holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal
from xml.etree.ElementTree import Element

from transpose.media.document import HEADINGS, INLINE, Document
from transpose.media.slides import Piece, Run, Slide
from transpose.media.typeface import PLAIN, Style

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ORDINALS = (
    "First Second Third Fourth Fifth Sixth Seventh Eighth Ninth Tenth Eleventh Twelfth".split()
)  # how the items of a numbered list are announced
NAMES = 6  # columns of a table that are named; more are counted
STRONG = {"strong": {"bold": True}, "code": {"code": True}, "a": {"link": True}, "math": {"code": True}}
Keep = Literal["lead", "full", "none"]


@dataclass(frozen=True, slots=True)
class Deck:
    """Slides in their order, and the title of the whole ("" where there is none)."""

    title: str
    slides: tuple[Slide, ...]

    def words(self) -> Iterator[str]:
        """All that will be drawn."""
        for slide in self.slides:
            yield from (slide.title, slide.over)
            for piece in slide.pieces:
                yield from (run.words for run in piece.runs)
                yield from (cell for row in piece.rows for cell in row)


@dataclass
class _Section:
    """A heading and the blocks under it; level 0 is what stands before the first heading."""

    level: int
    title: str
    blocks: list[Element] = field(default_factory=list)
    over: str = ""
    opened: bool = False  # a heading of its own, not the rest after a rule


@dataclass(frozen=True, slots=True)
class Reader:
    """What it takes to read blocks: sentences of a text, pictures by their name, what to keep of paragraphs."""

    sentences: Callable[[str], list[str]]
    picture: Callable[[str], NDArray[np.uint8] | None]
    keep: Keep


def read_deck(document: Document, reader: Reader) -> Deck:
    """The slides of a document; none where it is empty."""
    presentation = "slides" in document.metadata
    sections = list(_sections(document.tree(), presentation))
    tops = [each for each in sections if each.level == 1]
    single = len(tops) == 1 and not presentation and all(each.level == 0 and not each.blocks for each in
                                                         sections[: sections.index(tops[0])])  # fmt: skip
    named = "" if any(each.title == document.title for each in sections) else document.title
    title = tops[0].title if single else named
    slides: list[Slide] = []
    if title and not single:
        slides.append(_cover(title, [], document, reader))
    for section in sections:
        if single and section is tops[0]:
            slides += _opening(section, document, reader)
        else:
            section.over = "" if section.over == title else section.over
            for part in [section] if section.title else _loose(section):
                slides += _slides(part, reader, presentation)
    return Deck(title, tuple(slides))


def _sections(root: Element, presentation: bool) -> Iterator[_Section]:
    """The document cut at its headings, rules and slides, each with the heading that it belongs to."""
    current = _Section(0, "")
    above: list[_Section] = []
    for block, fresh in _flat(root, presentation):
        if fresh and (current.blocks or current.opened):
            yield current
            current = _Section(0, "")
        if block is None:
            continue
        if block.tag in HEADINGS and not (presentation and (current.opened or current.blocks)):
            if current.blocks or current.opened:
                yield current
            level = int(str(block.tag)[1])
            above = [each for each in above if each.level < level]
            over = above[-1].title if above else ""
            current = _Section(level, _words(block), over=over, opened=True)
            above.append(current)
        elif block.tag == "hr":
            if current.blocks:
                yield current
                current = _Section(current.level, current.title, over=current.over)
        else:
            current.blocks.append(block)
    if current.blocks or current.opened:
        yield current


def _flat(root: Element, presentation: bool) -> Iterator[tuple[Element | None, bool]]:
    """Blocks in their order and whether a slide begins there; pages and chapters are looked through."""
    for child in root:
        if child.tag == "section":
            if presentation:
                yield None, True
            yield from _flat(child, presentation)
        elif child.tag in INLINE:  # loose words
            loose = Element("p")
            loose.append(child)
            yield loose, False
        else:
            yield child, False


def _cover(title: str, under: Sequence[Piece], document: Document, reader: Reader) -> Slide:
    """The first page: the title, the first words under it, else who wrote it and when."""
    facts = [document.metadata[key] for key in ("subtitle", "author", "date") if document.metadata.get(key)]
    by = (Piece("text", (Run(" · ".join(facts)),)),) if facts else ()
    return Slide(title, (*under, *by), cover=True, spoken=(_full_stop(title),))


def _opening(section: _Section, document: Document, reader: Reader) -> list[Slide]:
    """Cover with the paragraphs that open the whole; what else stands under the title follows on a slide."""
    count = next((n for n, block in enumerate(section.blocks) if block.tag != "p" or _pictures(block)),
                 len(section.blocks))  # fmt: skip
    under = [piece for block in section.blocks[:count] for piece in _paragraph(block, reader)]
    shown = [replace(piece, kind="hidden") if number else piece for number, piece in enumerate(under)]
    rest = _Section(2, section.title, section.blocks[count:])
    slides = [_cover(section.title, shown, document, reader)]
    if rest.blocks:
        slides += [replace(slide, spoken=()) for slide in _slides(rest, reader, False)]
    return slides


def _loose(section: _Section) -> Iterator[_Section]:
    """What stands under no heading: a slide for each paragraph, and for lists and the like between them."""
    held: list[Element] = []
    for block in section.blocks:
        if held and "p" in (block.tag, held[-1].tag):
            yield _Section(0, "", held)
            held = []
        held.append(block)
    if held:
        yield _Section(0, "", held)


def _slides(section: _Section, reader: Reader, presentation: bool) -> list[Slide]:
    """One slide for a section; its pictures beyond the first get pages of their own when it is paged."""
    notes = [block for block in section.blocks if block.tag == "aside"] if presentation else []
    pieces = [piece for block in section.blocks for piece in _pieces(block, reader, 0)]
    busy = any(piece.kind not in ("text", "quote", "hidden") for piece in pieces)
    if (busy and reader.keep == "lead") or reader.keep == "none":
        pieces = [replace(piece, kind="hidden") if piece.kind == "text" else piece for piece in pieces]
    if notes:
        said = [piece.spoken for block in notes for piece in _all_pieces(block, reader)]
        pieces = [replace(piece, spoken=()) for piece in pieces]
        pieces += [Piece("hidden", spoken=each) for each in said]
    spoken = (_full_stop(section.title),) if section.title and section.opened and not notes else ()
    empty = not any(piece.kind != "hidden" for piece in pieces)
    if empty and not section.title and not any(piece.spoken for piece in pieces):
        return []
    return [Slide(section.title, tuple(pieces), section.over, cover=empty, spoken=spoken)]


# -- blocks ------------------------------------------------------------------------------------------------------------


def _all_pieces(block: Element, reader: Reader) -> Iterator[Piece]:
    for child in block:
        yield from _pieces(child, reader, 0)


def _pieces(block: Element, reader: Reader, level: int) -> Iterator[Piece]:
    tag = str(block.tag)
    if tag == "p" or tag in HEADINGS or tag in ("figcaption", "caption"):
        yield from _paragraph(block, reader)
    elif tag in ("ul", "ol"):
        yield from _list(block, reader, level)
    elif tag == "pre":
        lines = "".join(block.itertext()).expandtabs(4).strip("\n").split("\n")
        yield Piece("code", rows=tuple((line.rstrip(),) for line in lines))
    elif tag == "table":
        yield from _table(block)
    elif tag == "math":
        yield Piece("quote", (Run(" ".join("".join(block.itertext()).split()), Style(code=True)),))
    elif tag == "blockquote":
        for piece in _all_pieces(block, reader):
            yield replace(piece, kind="quote") if piece.kind in ("text", "hidden") else piece
    elif tag not in ("aside", "hr"):
        yield from _all_pieces(block, reader)


def _paragraph(block: Element, reader: Reader) -> Iterator[Piece]:
    """A paragraph as what is kept of it, with all of it spoken; its pictures after it."""
    runs = _runs(block)
    said = tuple(reader.sentences(_spoken(block)))
    if runs and reader.keep == "full":
        yield Piece("text", runs, spoken=said)
    elif runs:
        yield Piece("text", _first_sentence(runs, reader), spoken=said)
    yield from _pictured(block, reader)


def _pictured(block: Element, reader: Reader) -> Iterator[Piece]:
    for image in _pictures(block):
        pixels = reader.picture(image.get("src") or "")
        alt = " ".join((image.get("alt") or "").split())
        if pixels is not None:
            yield Piece("picture", (Run(alt),) if alt else (), picture=pixels)


def _first_sentence(runs: tuple[Run, ...], reader: Reader) -> tuple[Run, ...]:
    """The runs as far as the first sentence goes."""
    sentences = reader.sentences("".join(run.words for run in runs))
    rest = len(sentences[0]) if sentences else 0
    kept: list[Run] = []
    for run in runs:
        if rest > 0:
            kept.append(Run(run.words[:rest], run.style))
        rest -= len(run.words)
    return tuple(kept)


def _list(block: Element, reader: Reader, level: int) -> Iterator[Piece]:
    number = int(block.get("start") or 1)
    for item in block:
        loose = Element("p")  # words and marks that stand in the item itself, and its first paragraph
        loose.text = item.text
        loose.extend(child for child in item if child.tag in INLINE)
        inner = [child for child in item if child.tag not in INLINE]
        if not _runs(loose) and inner and inner[0].tag == "p":
            loose = inner.pop(0)
        marker = f"{number}." if block.tag == "ol" else "•"
        said = _spoken(loose)
        if said and block.tag == "ol":
            said = f"{ORDINALS[number - 1] if 0 < number <= len(ORDINALS) else f'Number {number}'}: {said}"
        more = [sentence for each in inner if each.tag == "p" for sentence in reader.sentences(_spoken(each))]
        spoken = (*reader.sentences(_full_stop(said)), *more) if said else tuple(more)
        yield Piece("point", _runs(loose), marker, min(level, 3), spoken=spoken)
        yield from _pictured(loose, reader)
        for child in inner:
            yield from _pictured(child, reader) if child.tag == "p" else _pieces(child, reader, level + 1)
        number += 1


def _table(block: Element) -> Iterator[Piece]:
    """Its cells in full rows; said is how many rows there are, and what the columns are called."""
    rows = [[_words(cell) for cell in row] for row in block.iter("tr")]
    rows = [row for row in rows if row]
    if not rows:
        return
    wide = max(map(len, rows))
    full = tuple(tuple(row + [""] * (wide - len(row))) for row in rows)
    head = [cell for cell in full[0] if cell] if any(cell.tag == "th" for cell in block.iter()) else []
    count = len(full) - bool(head)
    size = f"{count} row{'s' * (count != 1)}"
    if head and len(head) <= NAMES:
        names = f"{', '.join(head[:-1])} and {head[-1]}" if len(head) > 1 else head[0]
        said = f"Here is a table with {size}: {names}."
    else:
        said = f"Here is a table with {wide} column{'s' * (wide != 1)} and {size}."
    yield Piece("table", rows=full if head else (("",) * wide, *full), spoken=(said,))


# -- words -------------------------------------------------------------------------------------------------------------


def _pictures(block: Element) -> list[Element]:
    return list(block.iter("img"))


def _runs(block: Element) -> tuple[Run, ...]:
    """The words of a block with their styles; blanks as one, none at the ends."""
    made: list[Run] = []
    for words, style in _styled(block, PLAIN):
        words = re.sub(r"\s+", " ", words)
        if made and made[-1].words.endswith(" "):
            words = words.lstrip(" ")
        if words and made and made[-1].style == style:
            made[-1] = Run(made[-1].words + words, style)
        elif words:
            made.append(Run(words, style))
    if made:
        made[0] = Run(made[0].words.lstrip(), made[0].style)
        made[-1] = Run(made[-1].words.rstrip(), made[-1].style)
    return tuple(run for run in made if run.words)


def _styled(block: Element, style: Style) -> Iterator[tuple[str, Style]]:
    yield block.text or "", style
    for child in block:
        if child.tag == "br":
            yield " ", style
        elif child.tag != "img":
            yield from _styled(child, style._replace(**STRONG.get(str(child.tag), {})))
        yield child.tail or "", style


def _words(block: Element) -> str:
    return "".join(run.words for run in _runs(block))


def _spoken(block: Element) -> str:
    """The words of a block as they are said: a formula with TeX in it is called one."""
    parts = []
    for words, style in _styled(block, PLAIN):
        parts.append("the formula" if style.code and "\\" in words else words)
    return " ".join("".join(parts).split())


def _full_stop(words: str) -> str:
    """Words as a sentence."""
    words = words.rstrip()
    return words if not words or words[-1] in ".!?…:。！？" else f"{words.rstrip(',;')}."
