"""Web pages out: one file that needs nothing else, pictures inside, readable on paper, on a telephone and in the dark.

The page has no scripts and forbids itself to load anything. The history goes into a `meta` element of the head.
"""

from __future__ import annotations

import base64
import html
from pathlib import Path
from xml.etree.ElementTree import Element

from transpose.core.context import Context
from transpose.core.transform import transform
from transpose.media.document import UNWRITABLE, Document, write
from transpose.media.document_flow import body, first_heading
from transpose.media.document_page import settle
from transpose.media.document_pictures import MIMES, Fitted, Pictures

STYLE = """
:root { color-scheme: light dark; --ink: #1f2933; --paper: #fdfdfc; --soft: #f1f3f5; --line: #d5dae0; --quiet: #5b6672;
  --link: #1a5fb4; --mark: #fff3a3; }
@media (prefers-color-scheme: dark) { :root { --ink: #dfe3e8; --paper: #16191d; --soft: #22272e; --line: #3a424c;
  --quiet: #9aa5b1; --link: #8ab4f8; --mark: #5c5200; } }
* { box-sizing: border-box; }
html { font-size: 106.25%; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); line-height: 1.6; overflow-wrap: break-word;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif; }
main { max-width: 44rem; margin: 0 auto; padding: 2.5rem 1.25rem 5rem; }
h1, h2, h3, h4, h5, h6 { line-height: 1.25; margin: 2em 0 .6em; text-wrap: balance; }
h1 { font-size: 2rem; margin-top: 1rem; } h2 { font-size: 1.5rem; } h3 { font-size: 1.22rem; }
h4, h5, h6 { font-size: 1rem; } h6 { color: var(--quiet); }
h2 { border-bottom: 1px solid var(--line); padding-bottom: .25em; }
p, ul, ol, pre, blockquote, figure, .table { margin: 0 0 1em; }
p, h1, h2, h3, h4, h5, h6, li, td, th, figcaption, caption { unicode-bidi: plaintext; text-align: start; }
ul, ol { padding-inline-start: 1.6em; } li { margin: .2em 0; } li > ul, li > ol { margin: 0; }
a { color: var(--link); text-underline-offset: .15em; }
img { max-width: 100%; height: auto; vertical-align: middle; }
figure { text-align: center; } figcaption, caption { color: var(--quiet); font-size: .9em; padding: .4em 0; }
figcaption { text-align: center; } caption { caption-side: top; }
.table { overflow-x: auto; }
table { border-collapse: collapse; font-size: .94em; font-variant-numeric: tabular-nums; }
th, td { border: 1px solid var(--line); padding: .4em .7em; vertical-align: top; overflow-wrap: normal; }
th { background: var(--soft); } td > :last-child, th > :last-child { margin-bottom: 0; }
code { font-family: ui-monospace, "Cascadia Code", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .9em; }
:not(pre) > code { background: var(--soft); padding: .1em .3em; border-radius: .25em; }
pre { background: var(--soft); padding: .9em 1.1em; border-radius: .5em; overflow-x: auto; line-height: 1.45; }
blockquote { margin-inline: 0; padding-inline-start: 1em; border-inline-start: .25em solid var(--line);
  color: var(--quiet); }
aside { margin: 1em 0; padding: .7em 1em; background: var(--soft); border-radius: .5em; font-size: .93em; }
aside > :last-child { margin-bottom: 0; }
hr { border: 0; border-top: 1px solid var(--line); margin: 2em 0; } mark { background: var(--mark); color: inherit; }
section + section { margin-top: 2.5em; padding-top: 1em; border-top: 1px dashed var(--line); }
.missing { color: var(--quiet); font-style: italic; }
math[display="block"] { margin: 1em 0; } sup, sub { line-height: 0; }
@media print { :root { --ink: #000; --paper: #fff; } main { max-width: none; padding: 0; }
  h1, h2, h3 { break-after: avoid; } tr, img, pre { break-inside: avoid; } pre { white-space: pre-wrap; } }
"""
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
FIELDS = ("author", "keywords", "description")


@transform("document -> .html", default_kind="document")
def write_html(document: Document, path: Path, ctx: Context) -> None:
    """Write one self-contained page: pictures as data, a quiet style sheet, wide tables that scroll."""
    root = body(document)
    pictures = Pictures(document, ctx, ("PNG", "JPEG", "GIF", "WEBP", "SVG"))
    settle(root, pictures, _address)
    for table, parent, at in [(t, p, i) for p in root.iter() for i, t in enumerate(p) if t.tag == "table"]:
        frame = Element("div", {"class": "table", "tabindex": "0"})
        frame.tail, table.tail = table.tail, None
        parent[at] = frame
        frame.append(table)
    path.write_text(page(document, write(root), path.stem, ctx.history), encoding="utf-8", newline="\n")


def page(document: Document, content: str, name: str, history: str) -> str:
    """The whole page around its content."""
    title = document.title or first_heading(document) or name
    fields = {key: document.metadata[key] for key in FIELDS if document.metadata.get(key)}
    fields |= {"generator": "Transpose", **({"transpose": history} if history else {})}
    metas = "".join(f'<meta name="{key}" content="{_attribute(value)}">\n' for key, value in fields.items())
    lang = f' lang="{_attribute(document.lang)}"' if document.lang else ""
    return (
        f'<!DOCTYPE html>\n<html{lang}>\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n{metas}'
        f"<title>{html.escape(UNWRITABLE.sub('', title), quote=False)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{content}\n</main>\n</body>\n</html>\n"
    )


def _attribute(text: str) -> str:
    return html.escape(UNWRITABLE.sub("", text))


def _address(name: str, fitted: Fitted) -> str:
    return f"data:{MIMES[fitted.suffix]};base64,{base64.b64encode(fitted.data).decode()}"
