"""What Word and PowerPoint files share: properties, charts and diagrams as words, nested lists from levels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from transpose.core.errors import InputError
from transpose.media.fragment import grid, make
from transpose.media.package import Package, attribute, child, find_all, local

if TYPE_CHECKING:
    from lxml.etree import _Element

PROPERTIES = {
    "creator": "author",
    "subject": "subject",
    "description": "description",
    "keywords": "keywords",
    "created": "created",
    "modified": "modified",
    "category": "category",
}


def properties(package: Package) -> tuple[str, dict[str, str]]:
    """Title and metadata of an Office file; nothing where that part is missing or broken."""
    name = package.related("", "core-properties")
    if not name:
        return "", {}
    try:
        root = package.xml(name)
    except InputError:
        return "", {}
    facts = {local(each): (each.text or "").strip() for each in root}
    return facts.get("title", ""), {ours: facts[key] for key, ours in PROPERTIES.items() if facts.get(key)}


def attach_graphic(frame: _Element, part: str, package: Package, parent: Element) -> None:
    """A chart as the table of its figures, a diagram as a list of its words; `part` is the part that holds `frame`."""
    relations = package.relations(part)
    for each in find_all(frame, "chart", "relIds"):
        relation = relations.get(attribute(each, "id" if local(each) == "chart" else "dm"))
        if relation is None or relation.outside or relation.target not in package.infos:
            continue
        root = package.xml(relation.target)
        if local(each) == "chart":
            _chart(root, parent)
        else:
            items = make(parent, "ul")
            for words in find_all(root, "t"):
                make(items, "li", "".join(run.text or "" for run in find_all(words, "t") if not len(run)))


def _chart(root: _Element, parent: Element) -> None:
    series = [_series(each) for each in find_all(root, "ser")]
    title = next(find_all(root, "title"), None)
    words = "".join(each.text or "" for each in find_all(title, "t")) if title is not None else ""
    if words.strip():
        make(parent, "p", words)
    count = max((len(values) for _, _, values in series), default=0)
    if not count:
        return
    names = max((labels for _, labels, _ in series), key=len)
    rows = [["", *(name for name, _, _ in series)]]
    for number in range(min(count, 10_000)):
        rows.append([names.get(number, str(number + 1)), *(values.get(number, "") for _, _, values in series)])
    grid(parent, rows)


def _series(element: _Element) -> tuple[str, dict[int, str], dict[int, str]]:
    """Name, labels and values of one series of a chart."""
    name = child(element, "tx")
    labels = next((each for each in element if local(each) in ("cat", "xVal")), None)
    values = next((each for each in element if local(each) in ("val", "yVal")), None)
    title = " ".join(each.text or "" for each in find_all(name, "v")) if name is not None else ""
    return title, _points(labels), _points(values)


def _points(element: _Element | None) -> dict[int, str]:
    found: dict[int, str] = {}
    for each in find_all(element, "pt") if element is not None else ():
        place = attribute(each, "idx")
        value = child(each, "v")
        if place.isdecimal() and value is not None:
            found[int(place[:9])] = value.text or ""
    return found


class Lists:
    """Nested lists from paragraphs that come one after the other, each with a level from 0."""

    def __init__(self) -> None:
        self._open: list[tuple[Element, str]] = []

    def item(self, parent: Element, level: int, ordered: bool, key: str = "", start: int = 1) -> Element:
        """A new item in the list at `level`; another `key` at a level begins another list."""
        level = min(level, 12)
        del self._open[level + 1 :]
        if len(self._open) == level + 1 and self._open[level][1] != key:
            self._open.pop()
        while len(self._open) <= level:
            holder = parent
            if self._open:
                last = self._open[-1][0]
                holder = last[-1] if len(last) else make(last, "li")
            new = make(holder, "ol" if ordered else "ul")
            if ordered and start != 1 and len(self._open) == level:
                new.set("start", str(start))
            self._open.append((new, key))
        return make(self._open[level][0], "li")

    def end(self) -> None:
        """The next item begins a new list."""
        self._open.clear()


def texts(elements: Iterable[_Element]) -> str:
    """The characters in all `t` elements."""
    return "".join(each.text or "" for element in elements for each in find_all(element, "t"))
