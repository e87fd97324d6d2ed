"""Making the fragment of a Document: loose elements become the closed set in good order, pictures get their names.

Readers build elements (`make`, `say`) as they meet them, with two more tags: `div` parts what is before it from what is
inside, `span` means nothing. `tidy` then does what all of them need: blanks collapsed and moved out of marks, equal
neighbours joined, empty elements dropped, loose words put into paragraphs, tables made regular.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, takewhile
from pathlib import PurePosixPath
from xml.etree.ElementTree import Element, SubElement

from transpose.media.document import HEADINGS, Document, write
from transpose.media.picture_file import suffix_of
from transpose.media.runs import Run, add_words, rebuild, straight

# from the outermost in: how marks nest whatever order they came in
MARKS = ("a", "mark", "strong", "em", "del", "sup", "sub", "code")
CONTAINERS = frozenset("section blockquote aside figure li td th".split())
PHRASES = frozenset(["p", "caption", "figcaption", *HEADINGS])
LOOSE = frozenset("div caption tr thead tbody tfoot td th li".split())
SPAN = 200  # columns or rows that one cell may cover
DEEPEST = 150  # nested elements; what is deeper keeps its words only


class Album:
    """The pictures of a document by name; the same bytes are kept once."""

    def __init__(self) -> None:
        self.pictures: dict[str, bytes] = {}
        self._names: dict[bytes, str] = {}

    def add(self, data: bytes, name: str = "") -> str:
        """Keep a picture file; gives its name, which is `name` without folders where that is free."""
        if data not in self._names:
            stem = re.sub(r"[^\w.-]+", "-", PurePosixPath(name.replace("\\", "/")).stem).strip("-.") or "picture"
            suffix = suffix_of(data) or re.sub(r"[^.\w]", "", PurePosixPath(name).suffix.lower()) or ".bin"
            number, free = 1, stem + suffix
            while free in self.pictures:
                number, free = number + 1, f"{stem}-{number + 1}{suffix}"
            self.pictures[free] = data
            self._names[data] = free
        return self._names[data]


def make(parent: Element | None, tag: str, text: str = "", **attributes: str) -> Element:
    """A new element with some text, the last child of `parent` where there is one."""
    new = Element(tag, attributes) if parent is None else SubElement(parent, tag, attributes)
    new.text = text or None
    return new


def say(parent: Element, text: str) -> None:
    """Add words after all that `parent` holds."""
    add_words(parent, text)


def picture(parent: Element, name: str, alt: str = "") -> None:
    """Show a picture of the album."""
    make(parent, "img", src=name, alt=" ".join(alt.split()))


def formula(parent: Element, tex: str) -> None:
    """Add TeX, without dollars around it."""
    if tex.strip():
        code = make(make(parent, "math"), "code", tex.strip())
        code.set("class", "language-math")


def program(parent: Element, source: str, language: str = "") -> None:
    """Add a listing as it stands; `language` as in a fence of Markdown."""
    code = make(make(parent, "pre"), "code", source)
    if re.fullmatch(r"[\w+#.-]{1,30}", language):
        code.set("class", f"language-{language.lower()}")


def grid(parent: Element, rows: Iterable[Sequence[str]], header: bool = True) -> None:
    """Add a table of plain words; its first row is the header where `header` is true."""
    table = make(parent, "table")
    for number, row in enumerate(rows):
        line = make(table, "tr")
        for cell in row:
            make(line, "th" if header and number == 0 else "td", cell)


def prose(parent: Element, text: str) -> None:
    """Add plain words: a blank line parts paragraphs, line breaks stay, lines after `>` are a quotation."""
    for block in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n").replace("\r", "\n")):
        for quoted, lines in groupby(block.strip("\n").split("\n"), key=lambda line: line.startswith(">")):
            holder = make(make(parent, "blockquote") if quoted else parent, "p")
            for number, line in enumerate(lines):
                if number:
                    make(holder, "br")
                say(holder, line.lstrip("> ") if quoted else line)


def insert(parent: Element, document: Document, album: Album) -> None:
    """Add all of another document, its pictures under names that are free here."""
    names = {name: album.add(data, name) for name, data in document.pictures.items()}
    root = document.tree()
    for each in root.iter("img"):
        each.set("src", names.get(each.get("src", ""), ""))
    say(parent, root.text or "")
    parent.extend(list(root))


def finish(
    root: Element,
    album: Album | None = None,
    *,
    title: str = "",
    lang: str = "",
    metadata: dict[str, str] | None = None,
) -> Document:
    """The Document that a tree of loose elements becomes; only pictures that it shows are kept."""
    body = tidy(root)
    shown = {each.get("src") for each in body.iter("img")}
    pictures = {name: data for name, data in (album.pictures if album else {}).items() if name in shown}
    code = re.match(r"[A-Za-z]{2}(?![A-Za-z])", lang or "")
    facts = {key: " ".join(value.split()) for key, value in (metadata or {}).items() if value and value.strip()}
    return Document(write(body), pictures, " ".join(title.split()), code[0].lower() if code else "", facts)


def tidy(root: Element) -> Element:
    """The content of `root` in the closed set, as children of a new `body`."""
    body = Element("body")
    _fill(body, list(_items(root, (), 0)))
    return body


_Item = Run | Element | None  # None parts what is before it from what comes


def _items(element: Element, marks: tuple[tuple[str, str], ...], depth: int) -> Iterator[_Item]:
    """What an element holds as runs and finished blocks."""
    if element.text:
        yield Run(element.text, marks)
    for child in element:
        tag = child.tag
        if depth > DEEPEST:
            yield Run(" ".join(child.itertext()), marks)
        elif tag in ("br", "img", "math"):
            yield Run("", tuple(mark for mark in marks if mark[0] == "a"), _bare(child))
        elif tag in MARKS:
            yield from _items(child, _marked(marks, str(tag), child.get("href") or ""), depth + 1)
        elif tag == "span":
            yield from _items(child, marks, depth + 1)
        elif tag in LOOSE:  # cells are met only outside of tables here, items outside of lists
            yield None
            yield from _items(child, marks, depth + 1)
            yield None
        else:
            yield from _block(child, marks, depth + 1)
        if child.tail:
            yield Run(child.tail, marks)


def _bare(element: Element) -> Element:
    """An atom without what follows it; a formula with its code."""
    new = Element(str(element.tag), dict(element.attrib))
    for child in element:
        make(new, str(child.tag), child.text or "", **child.attrib)
    return new


def _marked(marks: tuple[tuple[str, str], ...], tag: str, href: str) -> tuple[tuple[str, str], ...]:
    if any(mark[0] == tag for mark in marks) or (tag == "a" and not href):
        return marks
    return tuple(sorted([*marks, (tag, href)], key=lambda mark: MARKS.index(mark[0])))


def _block(element: Element, marks: tuple[tuple[str, str], ...], depth: int) -> Iterator[_Item]:
    tag = str(element.tag)
    if tag == "pre":
        yield from _listing(element)
    elif tag == "hr":
        yield Element("hr")
    elif tag == "table":
        yield from _table(element, marks, depth)
    elif tag in ("ul", "ol"):
        yield from _list(element, marks, depth)
    elif tag in HEADINGS or tag in ("caption", "figcaption"):
        runs = [item for item in _flat(_items(element, marks, depth)) if item.atom is None or item.atom.tag != "br"]
        yield from _filled(Element(tag), straight(runs))
    elif tag == "p":
        for item in _grouped(_items(element, marks, depth)):
            yield from [item] if isinstance(item, Element) else _filled(Element("p"), item)
    else:
        new = Element(tag, {name: value for name, value in element.attrib.items() if name == "data-page"})
        _fill(new, list(_items(element, marks, depth)))
        if len(new) or new.text or new.get("data-page"):
            yield new


def _flat(items: Iterable[_Item]) -> Iterator[Run]:
    """Runs only: blocks inside a heading give their words."""
    for item in items:
        if isinstance(item, Run):
            yield item
        else:
            yield Run(" " if item is None else f" {' '.join(item.itertext())} ")


def _listing(element: Element) -> Iterator[Element]:
    code = next(element.iter("code"), None)
    words = "".join(element.itertext()).replace("\r\n", "\n").expandtabs(4).strip("\n").rstrip()
    if words:
        new = Element("pre")
        inner = make(new, "code", words)
        if code is not None and code.get("class"):
            inner.set("class", code.get("class", ""))
        yield new


def _list(element: Element, marks: tuple[tuple[str, str], ...], depth: int) -> Iterator[_Item]:
    """A list whose children are items only; a list that stands between items belongs to the one before."""
    new = Element(str(element.tag))
    start = element.get("start", "")
    if element.tag == "ol" and start.isdecimal() and start != "1":
        new.set("start", start[:9])
    for child in _with_words(element):
        nested = child.tag in ("ul", "ol")
        holder = Element("li") if not nested or not len(new) else new[-1]
        if nested:
            for item in _list(child, marks, depth + 1):
                if isinstance(item, Element):
                    holder.append(item)
        else:
            wrapped = child if child.tag == "li" else make(None, "li")
            if child.tag != "li":
                wrapped.append(_untailed(child))
            _fill(holder, list(_items(wrapped, marks, depth + 1)))
        if len(holder) or holder.text:
            new.extend([holder] if not len(new) or new[-1] is not holder else [])
    if len(new):
        yield new


def _with_words(element: Element) -> Iterator[Element]:
    """The children of a list, and the words between them as items."""
    for words in (element.text, None, *(part for child in element for part in (child, child.tail))):
        if isinstance(words, Element):
            yield words
        elif words and words.strip():
            yield make(None, "li", words)


def _stray(element: Element, marks: tuple[tuple[str, str], ...], depth: int) -> Iterator[_Item]:
    """What stands in a table and in none of its cells: browsers put it before the table."""
    yield Run(element.text or "", marks)
    for child in element:
        if child.tag in ("thead", "tbody", "tfoot", "tr"):
            yield from _stray(child, marks, depth)
        elif child.tag not in ("td", "th", "caption"):
            holder = Element("div")
            holder.append(_untailed(child))
            yield from _items(holder, marks, depth)
        yield Run(child.tail or "", marks)


def _untailed(element: Element) -> Element:
    """The same element without the words after it."""
    new = Element(str(element.tag), dict(element.attrib))
    new.text = element.text
    new.extend(list(element))
    return new


def _table(element: Element, marks: tuple[tuple[str, str], ...], depth: int) -> Iterator[_Item]:
    """Caption, head, body; spans kept inside the table. A table of one cell is only a frame: what it holds is given."""
    yield None
    yield from _stray(element, marks, depth)
    yield None
    found = list(_found_rows(element, False))
    in_head = {id(row) for row, heads in found if heads}
    filled = [(row, [_cell(cell, marks, depth) for cell in row if cell.tag in ("td", "th")]) for row, _ in found]
    while filled and not any(len(cell) or cell.text for cell in filled[-1][1]):
        filled.pop()
    captions = [item for each in element if each.tag == "caption" for item in _block(each, marks, depth)]
    if sum(len(cells) for _, cells in filled) == 1:
        only = filled[0][1][0]
        yield from captions
        yield from _items(only, (), depth)
        yield None
        return
    if not filled:
        yield from captions
        return
    heads = len(list(takewhile(lambda row: id(row[0]) in in_head or _heads(row[1]), filled)))
    heads = _reached(filled, heads if heads < len(filled) else 1)
    head = filled[:heads]
    table = Element("table")
    table.extend(item for item in captions if isinstance(item, Element))
    for name, part in (("thead", head), ("tbody", filled[heads:])):
        if part:
            _rows(SubElement(table, name), [cells for _, cells in part], name == "thead")
    yield table


def _found_rows(element: Element, heads: bool) -> Iterator[tuple[Element, bool]]:
    """Rows of a table, and whether they stand in its head; cells without a row make one."""
    for is_cell, run in groupby(element, key=lambda child: child.tag in ("td", "th")):
        if is_cell:
            row = Element("tr")
            row.extend(run)
            yield row, heads
            continue
        for child in run:
            if child.tag == "tr":
                yield child, heads
            elif child.tag in ("thead", "tbody", "tfoot"):
                yield from _found_rows(child, child.tag == "thead")


def _reached(rows: list[tuple[Element, list[Element]]], heads: int) -> int:
    """Rows of the header with those that its cells reach down into; a header that reaches to the end is cut."""
    number = 0
    while number < heads:
        heads = max([heads, *(number + int(cell.get("rowspan", "1")) for cell in rows[number][1])])
        number += 1
    return heads if heads < len(rows) else min(number, 1)


def _heads(cells: list[Element]) -> bool:
    return bool(cells) and all(cell.tag == "th" for cell in cells)


def _cell(element: Element, marks: tuple[tuple[str, str], ...], depth: int) -> Element:
    new = Element(str(element.tag))
    for name in ("colspan", "rowspan"):
        value = element.get(name, "")
        if value.isdecimal() and int(value[:4]) > 1:
            new.set(name, str(min(int(value[:4]), SPAN)))
    _fill(new, list(_items(element, marks, depth)))
    return new


def _rows(parent: Element, rows: list[list[Element]], heads: bool) -> None:
    for number, cells in enumerate(rows):
        row = SubElement(parent, "tr")
        for cell in cells:
            reach = min(int(cell.get("rowspan", "1")), len(rows) - number)
            if reach > 1:
                cell.set("rowspan", str(reach))
            else:
                cell.attrib.pop("rowspan", None)
            cell.tag = "th" if heads else cell.tag
            row.append(cell)


def _grouped(items: Iterable[_Item]) -> Iterator[list[Run] | Element]:
    """Neighbouring runs together, between blocks; groups of nothing but blanks are left out."""
    group: list[Run] = []
    for item in [*items, None]:
        if isinstance(item, Run):
            group.append(item)
            continue
        runs = straight(group)
        if runs:
            yield runs
        group = []
        if item is not None:
            yield item


def _fill(parent: Element, items: list[_Item]) -> None:
    """Put runs and blocks into an element; words stand alone in a cell or list item, else in paragraphs."""
    groups = list(_grouped(items))
    lists = all(isinstance(group, Element) and group.tag in ("ul", "ol") for group in groups[1:])
    direct = parent.tag in ("li", "td", "th") and lists
    for number, group in enumerate(groups):
        if not isinstance(group, Element):
            rebuild(parent if direct and number == 0 else SubElement(parent, "p"), group)
        elif direct and number == 0 and group.tag == "p":
            parent.text = group.text
            parent.extend(list(group))
        else:
            parent.append(group)


def _filled(element: Element, runs: list[Run]) -> Iterator[Element]:
    if runs:
        rebuild(element, runs)
        yield element
