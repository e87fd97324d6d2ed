"""What the looks of Word mean: a style as heading, listing, quotation or list; a run's properties as marks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from transpose.media.fragment import make
from transpose.media.package import attribute, child

if TYPE_CHECKING:
    from lxml.etree import _Element

LISTING = re.compile(r"\b(code|source|preformatted|verbatim|listing)\b", re.IGNORECASE)
OFF = ("0", "false", "none", "off")


@dataclass(frozen=True, slots=True)
class Style:
    """What a paragraph style means: heading level (0: none), listing or quotation, its list, and the list's family.

    The styles "List Bullet", "List Bullet 2" number apart in the file, and mean one list with levels.
    """

    level: int = 0
    role: str = ""
    number: tuple[str, int] | None = None
    family: str = ""


def whole(text: str, default: int = 0) -> int:
    return int(text[:6]) if text.isdecimal() else default


def is_on(element: _Element | None) -> bool:
    return element is not None and attribute(element, "val").lower() not in OFF


def look(setting: _Element | None, parent: Element) -> Element:
    """The innermost of the marks that a run's look stands for."""
    if setting is None:
        return parent
    for name, tag in (("b", "strong"), ("i", "em"), ("strike", "del"), ("dstrike", "del")):
        if is_on(child(setting, name)):
            parent = make(parent, tag)
    if child(setting, "highlight") is not None and attribute(child(setting, "highlight"), "val") not in OFF:
        parent = make(parent, "mark")
    raised = {"superscript": "sup", "subscript": "sub"}.get(attribute(child(setting, "vertAlign"), "val"))
    if raised:
        parent = make(parent, raised)
    style = attribute(child(setting, "rStyle"), "val")
    marks = {"Strong": "strong", "Emphasis": "em"}.get(style) or ("code" if LISTING.search(_spaced(style)) else "")
    return make(parent, marks) if marks else parent


def _spaced(name: str) -> str:
    """`VerbatimChar` as words."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)


def read_style(element: _Element) -> Style:
    name = attribute(child(element, "name"), "val").lower()
    setting = child(element, "pPr")
    heading = re.fullmatch(r"heading (\d)", name)
    outline = attribute(child(setting, "outlineLvl"), "val")
    level = 1 if name == "title" else int(heading[1]) if heading else whole(outline, 9) + 1 if outline else 0
    role = "pre" if LISTING.search(name) else "quote" if name.endswith("quote") else ""
    number = child(setting, "numPr")
    identity = attribute(child(number, "numId"), "val")
    family = re.fullmatch(r"list (bullet|number)(?: (\d))?", name)
    deep = int(family[2] or 1) - 1 if family else whole(attribute(child(number, "ilvl"), "val"))
    return Style(level if level < 10 else 0, role, (identity, deep) if identity else None, family[1] if family else "")


def inherited(identity: str, styles: dict[str, Style], bases: dict[str, str]) -> Style:
    """A style with what it has from those it is based on."""
    own = styles[identity]
    seen = {identity}
    while (base := bases.get(identity, "")) and base in styles and base not in seen:
        seen.add(base)
        parent = styles[base]
        number, family = (own.number, own.family) if own.number else (parent.number, parent.family)
        own = Style(own.level or parent.level, own.role or parent.role, number, family)
        identity = base
    return own
