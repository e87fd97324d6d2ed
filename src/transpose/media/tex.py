"""Formulas in TeX as MathML, through latex2mathml, the source kept beside it as an annotation.

None where the package is not installed or gives up: then the TeX itself stands in the page.
"""

from __future__ import annotations

from xml.etree import ElementTree
from xml.etree.ElementTree import Element

LONGEST = 5000  # characters of one formula


def mathml(tex: str, display: bool) -> Element | None:
    """A `math` element without namespace prefix, or None."""
    try:
        from latex2mathml.converter import convert
    except ModuleNotFoundError:
        return None
    if not tex or len(tex) > LONGEST:
        return None
    try:
        shown = ElementTree.fromstring(convert(tex, display="block" if display else "inline"))
    except Exception:  # the library has a dozen error classes without a common one
        return None
    for each in shown.iter():
        each.tag = str(each.tag).rpartition("}")[2]
    return _annotated(shown, tex)


def _annotated(shown: Element, tex: str) -> Element:
    """The formula with its source, for readers that want it back."""
    around = Element("math", {**shown.attrib, "xmlns": "http://www.w3.org/1998/Math/MathML"})
    semantics = ElementTree.SubElement(around, "semantics")
    row = ElementTree.SubElement(semantics, "mrow")
    row.extend(list(shown))
    note = ElementTree.SubElement(semantics, "annotation", {"encoding": "application/x-tex"})
    note.text = tex
    return around
