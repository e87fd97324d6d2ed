"""A document in memory: headings, paragraphs, lists, tables and pictures in their order, as a small closed set of HTML.

`html` is a fragment of HTML5 that is also well-formed XML: every element is closed, only `&amp;` `&lt;` `&gt;` `&quot;`
stand for characters. So any HTML parser reads it, and `Document.tree` needs only the standard library. `TAGS` lists
every element with the attributes that it may have; there are no scripts, styles, comments, ids or remote pictures.

    h1-h6 p ul ol li table caption thead tbody tr th td pre code blockquote hr br a img figure figcaption
    strong em sup sub del mark
    section             a slide, a page, a chapter or a sheet; a page or slide has its number in `data-page`
    aside               speaker notes of a slide; notes at the foot of a page
    math                TeX: `<math><code class="language-math">x^2</code></math>` alone in a block is displayed,
                        inside a paragraph it runs with the words
    code                a program's language in `class="language-python"`
    ol                  `start` where it does not begin with 1
    th, td              `colspan`, `rowspan`, each 2 or more
    img                 `src` is a key of `pictures`; `alt` is always there, and may be empty
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

SUFFIX = ".zip"  # the store's lossless format

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
BLOCKS = frozenset(
    [
        *HEADINGS,
        *"p ul ol li table caption thead tbody tr th td pre blockquote hr figure figcaption section aside".split(),
    ]
)
INLINE = frozenset("a img code br strong em sup sub del mark math".split())
VOID = frozenset(["br", "hr", "img"])
TAGS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(sorted(BLOCKS | INLINE), ()),
    "a": ("href",),
    "code": ("class",),
    "img": ("src", "alt"),
    "ol": ("start",),
    "section": ("data-page",),
    "td": ("colspan", "rowspan"),
    "th": ("colspan", "rowspan"),
}
# what XML 1.0 cannot hold; lone surrogates too
UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Document:
    """`html` in the closed set above; `pictures` maps each name that an `img` uses to the bytes of a picture file.

    `lang` is an ISO 639-1 code or ""; `metadata` holds what the file says of itself (author, created, subject, ...).
    """

    html: str
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    title: str = ""
    lang: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)

    def facets(self) -> dict[str, str]:
        """What is known of this value, as facets of its node."""
        return {"lang": self.lang} if self.lang else {}

    def tree(self) -> Element:
        """The fragment as children of a new `body` element; raises ValueError where it is not well-formed."""
        return parse(self.html)


def parse(html: str) -> Element:
    """A fragment as children of a `body` element; raises ValueError where it is not well-formed XML."""
    try:
        return ElementTree.fromstring(f"<body>{html}</body>")
    except ElementTree.ParseError as error:
        raise ValueError(f"the fragment is not well-formed: {error}") from None


def write(root: Element) -> str:
    """The content of `root` as a fragment (`root` itself is left out); the opposite of `parse`."""
    parts = [_escape(root.text)]
    for child in root:
        _write(child, parts)
    return "".join(parts)


def _write(element: Element, parts: list[str]) -> None:
    attributes = "".join(f' {name}="{_escape(value, True)}"' for name, value in element.attrib.items())
    if element.tag in VOID:
        parts.append(f"<{element.tag}{attributes}/>")
    else:
        parts.append(f"<{element.tag}{attributes}>{_escape(element.text)}")
        for child in element:
            _write(child, parts)
        parts.append(f"</{element.tag}>")
    parts.append(_escape(element.tail))


def _escape(text: str | None, quoted: bool = False) -> str:
    """Text as it stands in a fragment; what XML cannot hold is left out."""
    if not text:
        return ""
    text = UNWRITABLE.sub("", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace('"', "&quot;") if quoted else text


def faults(document: Document) -> Iterator[str]:
    """Where a document breaks the rules of this file, each in a few words; none for a good one."""
    try:
        root = document.tree()
    except ValueError as error:
        yield str(error)
        return
    for element in root.iter():
        if element is root:
            continue
        tag = str(element.tag)
        if tag not in TAGS:
            yield f"<{tag}> is not in the closed set"
            continue
        yield from (f"<{tag}> cannot have {name}" for name in element.attrib if name not in TAGS[tag])
        if tag == "img" and (element.get("src") not in document.pictures or element.get("alt") is None):
            yield f"img {element.get('src')!r} is not among the pictures, or has no alt"


def save(value: Document, path: Path) -> None:
    """Write a ZIP of `document.json` and the pictures by number; the same bytes for the same document."""
    fields = {
        "html": value.html,
        "pictures": list(value.pictures),
        "title": value.title,
        "lang": value.lang,
        "metadata": dict(value.metadata),
    }
    with zipfile.ZipFile(path, "w") as file:
        note = zipfile.ZipInfo("document.json")
        note.compress_type = zipfile.ZIP_DEFLATED
        file.writestr(note, json.dumps(fields))
        for number, data in enumerate(value.pictures.values()):
            file.writestr(zipfile.ZipInfo(str(number)), data)


def load(path: Path) -> Document:
    """Read what `save` wrote."""
    with zipfile.ZipFile(path) as file:
        raw = json.loads(file.read("document.json"))
        pictures = {name: file.read(str(number)) for number, name in enumerate(raw["pictures"])}
    return Document(raw["html"], pictures, raw["title"], raw["lang"], raw["metadata"])
