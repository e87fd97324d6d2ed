"""Notes of Obsidian and its kin: a table of them, the graph of their links, and one note as plain Markdown.

Notes come as several `.md` files. A note is called by its title: that of the front matter, else its first heading, the
name of its file, its first alias or its first words. Links are looked up among the names of files, as in Obsidian, then
among titles, aliases and the fields `id`, `slug` and `permalink`, whatever their case.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Literal

from transpose.core.context import Context, Many
from transpose.core.errors import EmptyInput, SilentInput
from transpose.core.transform import transform
from transpose.media.note import COMMENT, FRONT, WIKILINK, Link, Note, key, read_note, without_code
from transpose.media.table import Table, as_text, from_rows
from transpose.media.text import Text

COLUMNS = ("title", "tags", "aliases", "created", "words", "links")
NAMES = ("id", "slug", "permalink", "uid")
LOSSES = ["wording", "structure", "exactness", "detail", "markup", "layout"]
PICTURE = re.compile(r"\.(png|jpe?g|gif|svg|webp|bmp|avif|heic|mp[34]|wav|webm|mov|ogg|m4a|flac|pdf)$", re.IGNORECASE)
CALLOUT = re.compile(r"^([ \t]*(?:>[ \t]?)+)\[!([\w-]+)(?:\|[^\]\n]*)?\][+-]?[ \t]*(.*)$", re.MULTILINE)
BLOCK = re.compile(r"(?m)(?:^|[ \t])\^[A-Za-z0-9-]+[ \t]*$")
MARK = re.compile(r"==(?=\S)(.{1,2000}?)(?<=\S)==")


@transform("texts@markdown -> table", loses=LOSSES, needs=["pyarrow", "yaml"], extra="tables")
def notes_table(texts: Many[Text], ctx: Context) -> Table:
    """List notes, one a row: title, tags, aliases, created, words, links, then every field of their front matter.

    Several values in one cell are parted by "; ". Raises EmptyInput where there is no note.
    """
    notes = _notes(texts, ctx)
    rows = []
    for note in notes:
        row: dict[str, object] = {
            "title": note.title,
            "tags": "; ".join(note.tags) or None,
            "aliases": "; ".join(note.aliases) or None,
            "created": note.created,
            "words": note.words,
            "links": "; ".join(dict.fromkeys(_shown(link) for link in note.links)) or None,
        }
        rows.append(row | _more(note.fields))
    ctx.note("notes", len(notes))
    columns = list(dict.fromkeys([*COLUMNS, *sorted({name for row in rows for name in row} - set(COLUMNS))]))
    return from_rows(rows, "notes", columns)


@transform("texts@markdown -> table.links", loses=LOSSES, needs=["pyarrow", "yaml"], extra="tables")
def note_links(
    texts: Many[Text], ctx: Context, *, unfound: Annotated[bool, "also links to notes that are not here"] = True
) -> Table:
    """List who points to whom among notes: source, target, kind, times, found, and the first label and heading.

    Wikilinks, embedded notes and Markdown links to files count; addresses on the web and pictures do not. Raises
    SilentInput where no note has a link.
    """
    notes = _notes(texts, ctx)
    known = _known(notes)
    rows: dict[tuple[str, str, str], dict[str, object]] = {}
    missing: set[str] = set()
    for note in notes:
        for link in note.links:
            if PICTURE.search(link.target):
                continue
            target = known.get(key(link.target))
            missing |= set() if target else {key(link.target)}
            if not target and not unfound:
                continue
            name = target or _shown(link)
            fresh = {"source": note.title, "target": name, "kind": link.kind, "times": 0, "found": bool(target)}
            row = rows.setdefault((note.title, name, link.kind), fresh)
            row["times"] = int(str(row["times"])) + 1
            row["label"] = row.get("label") or link.label or None
            row["heading"] = row.get("heading") or link.heading or None
    if not rows:
        raise SilentInput("no note here links to another", "Give several notes with [[links]] or [words](other.md)")
    if missing:
        ctx.warn(f"{len(missing)} links lead to notes that are not among the {len(notes)} given (column found)")
    ctx.note("notes", len(notes))
    ctx.note("links", len(rows))
    return from_rows(rows.values(), "links", ["source", "target", "kind", "times", "found", "label", "heading"])


def _notes(texts: Many[Text], ctx: Context) -> list[Note]:
    """Every note under a title of its own."""
    found = [
        read_note(text.text.replace("\r\n", "\n"), ctx.warn, number, text.name) for number, text in enumerate(texts, 1)
    ]
    if not found:
        raise EmptyInput("there are no notes", "Give Markdown files")
    seen: Counter[str] = Counter()
    named = []
    for note in found:
        seen[note.title] += 1
        named.append(note if seen[note.title] == 1 else replace(note, title=f"{note.title} ({seen[note.title]})"))
    twice = [title for title, count in seen.items() if count > 1]
    if twice:
        ctx.warn(
            f"several notes have the title {twice[0]!r}: links lead to the first" + " and so on" * (len(twice) > 1)
        )
    return named


def _known(notes: list[Note]) -> dict[str, str]:
    """Titles by every name that a link may use; the name of a file goes before a title, a title before an alias."""
    names = {key(note.name): note.title for note in reversed(notes) if note.name}
    for note in notes:
        names.setdefault(key(note.title), note.title)
    for note in notes:
        for alias in (*note.aliases, *(str(note.fields[name]) for name in NAMES if note.fields.get(name))):
            names.setdefault(key(alias), note.title)
    return names


def _shown(link: Link) -> str:
    """The name of a note that a link names, without folder and `.md`."""
    return (
        re.sub(r"\.(md|markdown)$", "", link.target.rstrip("/").rpartition("/")[2], flags=re.IGNORECASE) or link.target
    )


def _more(fields: Mapping[str, object]) -> dict[str, object]:
    """The other fields of the front matter as cells."""
    made: dict[str, object] = {}
    for name, value in fields.items():
        column = name.strip() or "field"
        if column.lower() in ("title", "tags", "tag", "aliases", "alias", "created"):
            continue
        while column in COLUMNS or column in made:
            column += " field"
        simple = isinstance(value, list) and not any(isinstance(each, list | dict) for each in value)
        made[column] = "; ".join(as_text(each) or "" for each in value) if simple else value  # type: ignore[attr-defined]
        if isinstance(value, dict) or isinstance(value, list) and not simple:
            made[column] = as_text(value)
    return made


@transform(
    "text@markdown -> text@markdown", verb=True, keeps=["lang"], loses=["metadata"], needs=["yaml"], extra="documents"
)
def plain_notes(
    note: Text,
    ctx: Context,
    *,
    links: Annotated[Literal["link", "words"], "a wikilink becomes a link to NAME.md, or only its words"] = "link",
    matter: Annotated[Literal["keep", "drop"], "the front matter"] = "keep",
) -> Text:
    """Turn a note of Obsidian into Markdown that every program reads.

    Wikilinks become links, embedded pictures pictures, callouts quotations with a bold title, `==marked==` words
    `<mark>`, foldings and block marks go. Comments between `%%` are left out. Code is not touched.
    """
    found = FRONT.match(note.text)
    head, body = (note.text[: found.end()], note.text[found.end() :]) if found else ("", note.text)
    body, dropped = _outside(body, COMMENT, lambda match: "")
    body, _ = _outside(body, CALLOUT, _callout)
    body, changed = _outside(body, WIKILINK, lambda match: _link(match, links))
    body, _ = _outside(body, MARK, lambda match: f"<mark>{match[1]}</mark>")
    body, _ = _outside(body, BLOCK, lambda match: "")
    if dropped:
        ctx.warn(f"{dropped} comments between %% were left out")
    ctx.note("links", changed)
    return Text((head if matter == "keep" else "") + body.lstrip("\n" * (matter == "drop")), "markdown", note.lang)


def _outside(body: str, pattern: re.Pattern[str], change: Callable[[re.Match[str]], str]) -> tuple[str, int]:
    """The text with matches outside of code changed, and how many there were."""
    parts, last, count = [], 0, 0
    for match in pattern.finditer(without_code(body)):
        real = pattern.fullmatch(body, *match.span())  # with the code that is blank in the other
        whole = match if real is None else real
        parts += [body[last : match.start()], change(whole)]
        last, count = whole.end(), count + 1
    return "".join([*parts, body[last:]]), count


def _callout(match: re.Match[str]) -> str:
    title = match[3].strip() or match[2].replace("-", " ").capitalize()
    return f"{match[1]}**{title}**\n{match[1].rstrip()}"


def _link(match: re.Match[str], how: str) -> str:
    embed, target, heading, label = match[1], (match[2] or "").strip(), match[3] or "", (match[4] or "").strip()
    words = label or (f"{target} > {heading}" if target and heading else target or heading.lstrip("^"))
    words = words.replace("^", "")
    if embed and PICTURE.search(target):
        shown = target.rpartition("/")[2].rpartition(".")[0] if not label or label.replace("x", "").isdigit() else label
        return f"![{shown}](<{target}>)" if re.search(r"[\s()]", target) else f"![{shown}]({target})"
    if how == "words":
        return words
    slug = re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") if heading[:1] != "^" else ""
    anchor = f"#{slug}" if slug else ""
    file = target if not target or re.search(r"\.\w{2,5}$", target) else f"{target}.md"
    address = f"{file}{anchor}"
    if not address:
        return words
    return f"[{words}](<{address}>)" if re.search(r"[\s()]", address) else f"[{words}]({address})"
