"""A document inside a page of HTML or a book: pictures with addresses, formulas as MathML, no unsafe links."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree.ElementTree import Element

from transpose.media.document_flow import safe_link
from transpose.media.document_pictures import Fitted, Pictures
from transpose.media.tex import mathml


def settle(root: Element, pictures: Pictures, address: Callable[[str, Fitted], str]) -> None:
    """Change the tree in place: each picture gets the address that `address(name, picture)` gives and its size, one
    that cannot be shown gives way to its description; addresses that must not be followed are taken off links."""
    for parent in list(root.iter()):
        if parent.tag == "a" and not safe_link(parent.get("href", "")):
            parent.tag = "span"
            parent.attrib.clear()
        for place, child in enumerate(list(parent)):
            if child.tag == "img":
                parent[place] = _picture(child, pictures, address)
            elif child.tag == "math":
                alone = parent.tag not in ("li", "td", "th") and len(parent) == 1 or parent is root
                display = alone and not (parent.text or "").strip() and not (child.tail or "").strip()
                parent[place] = _formula(child, display)


def _picture(image: Element, pictures: Pictures, address: Callable[[str, Fitted], str]) -> Element:
    name = image.get("src", "")
    fitted = pictures.get(name)
    new = Element("span", {"class": "missing"})
    if fitted is None:
        new.text = f"[{image.get('alt') or name}]"
    else:
        size = {"width": str(fitted.width), "height": str(fitted.height)}
        new = Element("img", {"src": address(name, fitted), "alt": image.get("alt", ""), **size})
    new.tail = image.tail
    return new


def _formula(math: Element, display: bool) -> Element:
    tex = "".join(math.itertext()).strip()
    new = mathml(tex, display)
    if new is None:
        new = Element("code", {"class": "language-math"})
        new.text = tex
    new.tail = math.tail
    return new
