"""The value Document: its store loses nothing, its fragment is written and parsed alike, faults are named."""

from __future__ import annotations

import tempfile
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transpose.media.document import INLINE, VOID, Document, faults, load, parse, save, write

anything = st.text(st.characters(exclude_categories=[]), max_size=20)  # lone surrogates and control characters too
documents = st.builds(
    Document,
    html=anything,
    pictures=st.dictionaries(anything, st.binary(max_size=40), max_size=4),
    title=anything,
    lang=anything,
    metadata=st.dictionaries(anything, anything, max_size=4),
)
writable = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=12).map(
    lambda text: "".join(c for c in text if c in "\t\n" or (c >= " " and c not in "\ufffe\uffff"))
)


@given(documents)
@settings(max_examples=60, deadline=None)
def test_the_store_loses_nothing(value: Document) -> None:
    with tempfile.TemporaryDirectory() as folder:
        save(value, Path(folder) / "a.zip")
        save(value, Path(folder) / "b.zip")
        assert load(Path(folder) / "a.zip") == value
        assert (Path(folder) / "a.zip").read_bytes() == (Path(folder) / "b.zip").read_bytes()


@st.composite
def trees(draw: st.DrawFn) -> Element:
    """A body with some elements of the closed set, nested by chance."""
    root = Element("body")
    places = [root]
    for _ in range(draw(st.integers(0, 8))):
        tag = draw(st.sampled_from(["p", "ul", "li", "td", *sorted(INLINE)]))
        new = SubElement(draw(st.sampled_from(places)), tag)
        new.tail = draw(writable)
        if tag == "a":
            new.set("href", draw(writable.filter(lambda text: "\t" not in text and "\n" not in text)))
        if tag not in VOID:
            new.text = draw(writable)
            places.append(new)
    return root


@given(trees())
def test_what_is_written_is_parsed_alike(root: Element) -> None:
    assert write(parse(write(root))) == write(root)
    assert [each.attrib for each in parse(write(root)).iter()] == [each.attrib for each in root.iter()]
    assert "".join(parse(write(root)).itertext()) == "".join(root.itertext())


def test_faults_are_named() -> None:
    assert list(faults(Document('<p>a<br/><img src="a.png" alt=""/></p>', {"a.png": b"1"}))) == []
    bad = Document('<p style="x">a<script>1</script><img src="b.png" alt=""/></p>')
    assert [fault.split()[0] for fault in faults(bad)] == ["<p>", "<script>", "img"]
    assert "not well-formed" in next(faults(Document("<p>a")))
    with pytest.raises(ValueError, match="not well-formed"):
        parse("<p>&nbsp;</p>")


def test_what_xml_cannot_hold_is_left_out() -> None:
    root = Element("body")
    SubElement(root, "p").text = 'a\x00b\x0c"<&\ud800'
    assert write(root) == '<p>ab"&lt;&amp;</p>'
