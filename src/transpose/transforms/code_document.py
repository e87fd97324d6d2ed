"""A program as a document: one block of code, for paper and office programs."""

from __future__ import annotations

from html import escape
from typing import Annotated

from transpose.core.context import Context
from transpose.core.transform import transform
from transpose.media.document import UNWRITABLE, Document
from transpose.media.program import by_content
from transpose.media.text import Text


@transform("text.code -> document", name="code-document")
def code_document(
    code: Text, ctx: Context, *, language: Annotated[str, "in which the program is written, where that is known"] = ""
) -> Document:
    """Set a program as one block of code, line by line as it stands."""
    name = language or by_content(code.text)
    kind = f' class="language-{escape(name)}"' if name else ""
    words = escape(UNWRITABLE.sub("\ufffd", code.text.replace("\f", "\n")), quote=False)
    return Document(f"<pre><code{kind}>{words}</code></pre>", lang=code.lang or "")
