"""Text as a document: Markdown and HTML with their structure, plain words in paragraphs.

Nothing is fetched: a picture on the web becomes a link, one in a `data:` address is kept. A Markdown file that is read
straight into a document (`formats/markdown_document.py`) also gets the pictures that lie beside it.
"""

from __future__ import annotations

from transpose.core.context import Context
from transpose.core.errors import EmptyInput
from transpose.core.transform import transform
from transpose.formats.text_files import paragraphs as spoken
from transpose.media.document import Document
from transpose.media.markdown_page import from_markdown, from_page, paragraphs, writable
from transpose.media.text import Text


@transform(
    "text -> document",
    name="text-document",
    keeps=["lang"],
    loses=["timing"],
    needs=["markdown_it", "mdit_py_plugins", "lxml"],
    extra="documents",
)
def text_document(text: Text, ctx: Context) -> Document:
    """Set a text as a document: headings, lists, tables and links of Markdown or HTML; else paragraphs.

    A transcript gets the paragraphs that it has as a text file. Raises EmptyInput for a text without words.
    """
    words = writable(spoken(text) if text.cues else text.text)
    if not words.strip():
        raise EmptyInput("the text is empty: there is nothing to set as a document", "Give a text with words in it")
    if text.markup == "markdown":
        return from_markdown(words, ctx, lang=text.lang or "")
    if text.markup == "html":
        return from_page(words, ctx, lang=text.lang or "")
    return Document(paragraphs(words), lang=text.lang or "")
