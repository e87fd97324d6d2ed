"""reStructuredText (.rst) in, through docutils; nothing is included from other files, raw HTML is not taken over.

Roles and directives of Sphinx that docutils does not know keep their words.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from transpose.core.context import Context
from transpose.core.errors import TransformError
from transpose.core.transform import transform
from transpose.media.document import Document
from transpose.media.encoding import read_characters
from transpose.media.file import reason
from transpose.media.fragment import Album, finish, make
from transpose.media.webpage import beside, graze

SETTINGS = {
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "_disable_config": True,
    "report_level": 5,
    "halt_level": 5,
    "math_output": "LaTeX",
    "syntax_highlight": "none",
    "embed_stylesheet": False,
    "stylesheet_path": None,
    "initial_header_level": 2,
    "section_self_link": False,
    "line_length_limit": 100_000,
}
KNOWN_ROLES = frozenset(
    "abbreviation ac acronym class code emphasis index literal math pep-reference pep rfc strong sub subscript sup "
    "superscript title-reference title t raw".split()
)
ROLE = re.compile(r":([\w.+-]+(?::[\w.+-]+)?):`([^`]+)`")
DIRECTIVE = re.compile(r"^([ \t]*)\.\. ([\w-]+(?::[\w-]+)*)::[ \t]*(.*)$", re.MULTILINE)
TARGET = re.compile(r"^(.*?)\s*<([^<>]+)>$", re.DOTALL)
# words of Sphinx that have a near kin in docutils
KIN = {"versionadded": "note", "versionchanged": "note", "deprecated": "warning", "seealso": "note", "rubric": "rubric"}


@transform(".rst -> document", name="read-rst", loses=["layout"], needs=["docutils", "lxml"], extra="documents")
def read_rst(
    path: Path, ctx: Context, *, encoding: Annotated[str, "name of the encoding, where it is not found"] = ""
) -> Document:
    """Read reStructuredText; what is wrong in it is left as words.

    Raises what `media.encoding.read_characters` does, and TransformError where docutils gives up.
    """
    from docutils.core import publish_parts
    from docutils.utils import SystemMessage

    source = _plain_directives(ROLE.sub(_role, read_characters(path, ctx, encoding)))
    try:
        parts = publish_parts(source, source_path=path.name, writer="html5", settings_overrides=dict(SETTINGS))
    except (SystemMessage, RecursionError, ValueError, AttributeError, AssertionError) as error:
        raise TransformError(
            f"{path.name!r} cannot be read as reStructuredText ({reason(error)})", "Name it .txt"
        ) from None
    page = re.sub(
        r'<(tt|span|code|div|pre) class="(?:formula|math)[^"]*">(.*?)</\1>', _formula, parts["html_body"], flags=re.S
    )
    album, body = Album(), make(None, "body")
    graze(page, body, album, beside(path, ctx))
    return finish(body, album, title=parts["title"] and re.sub("<[^>]+>", "", parts["title"]))


def _role(found: re.Match[str]) -> str:
    """A role that docutils does not know, as what it shows."""
    name, words = found.groups()
    if name.lower() in KNOWN_ROLES:
        return found.group()
    shown = TARGET.match(words)
    label = shown[1] if shown and shown[1] else words.lstrip("!~")
    return label if name.rpartition(":")[2] in ("ref", "doc", "term", "numref") else f"``{label.strip()}``"


def _plain_directives(source: str) -> str:
    """Directives that docutils does not know become their kin, or paragraphs with what stands in them."""
    from docutils.parsers.rst.languages.en import directives

    def renamed(found: re.Match[str]) -> str:
        blanks, name, rest = found.groups()
        if name.lower() in directives:
            return found.group()
        if name in KIN:
            return f"{blanks}.. {KIN[name]}:: {rest}"
        if name in ("toctree", "index", "currentmodule", "highlight") or name.startswith("auto"):
            return f"{blanks}.. comment"
        if name in ("code-block", "sourcecode", "literalinclude"):
            return f"{blanks}.. code:: {rest}"
        title = f"\n\n{blanks}   **{rest}**\n" if rest else "\n"
        return f"{blanks}.. container:: words{title}"

    return DIRECTIVE.sub(renamed, source)


def _formula(found: re.Match[str]) -> str:
    inner = f'<script type="math/tex">{_unescaped(found[2])}</script>'
    return f"<div>{inner}</div>" if found[1] in ("div", "pre") else inner


def _unescaped(text: str) -> str:
    import html

    return html.unescape(text).replace("</", "< /").strip().removeprefix(r"\(").removesuffix(r"\)")
