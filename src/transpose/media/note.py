"""Notes as Obsidian and its kin write them: Markdown with front matter, `[[wikilinks]]`, `#tags`, callouts, comments.

Code is left alone everywhere: what stands between backticks or fences is neither link nor tag.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from urllib.parse import unquote

from transpose.core.errors import DamagedInput

FRONT = re.compile(r"\A---[ \t]*\n(?:(.*?)\n)?(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
LARGEST_FRONT = 64 * 1024  # characters of front matter
DEEPEST = 12  # levels of it
FENCE = re.compile(r"^[ \t>]{0,12}(`{3,}|~{3,})")
SPAN = re.compile(r"(`+)(?!`)(?:.{1,2000}?)(?<!`)\1(?!`)")
WIKILINK = re.compile(r"(!?)\[\[([^\[\]|#^\n]{0,500})(?:#([^\[\]|\n]{0,500}))?(?:\\?\|([^\[\]\n]{0,500}))?\]\]")
LINK = re.compile(
    r"(!?)\[((?:[^\[\]\\\n]|\\.){0,1000})\]\(\s*(<[^<>\n]{1,1000}>|[^\s()<>]{1,1000})(?:\s+\"[^\"\n]*\")?\s*\)"
)
TAG = re.compile(r"(?<![\w/#&\[(=\"'])#([\w][\w/-]{0,200})")
HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*$")
COMMENT = re.compile(r"%%.{0,20000}?%%", re.DOTALL)
CREATED = ("created", "date created", "created_at", "creation date", "date", "created-at", "created at")
WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Link:
    """A link out of a note: what it points to as written, the heading there, its words, and how it is written."""

    target: str
    heading: str
    label: str
    kind: str  # wikilink, embed or markdown


@dataclass(frozen=True, slots=True)
class Note:
    """What is known of one note. `fields` is the front matter as it stands, `body` the rest."""

    title: str
    body: str
    fields: Mapping[str, object] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    created: object = None
    words: int = 0
    name: str = ""  # of its file, without the suffix


def read_note(source: str, warn: Callable[[str], None], number: int = 1, name: str = "") -> Note:
    """A note from its Markdown and the name of its file.

    Its title is that of the front matter, else the first heading, the name, the first alias or the first words.
    Broken front matter is said and stays in the body. Never raises.
    """
    try:
        fields, body = front_matter(source)
    except DamagedInput as error:
        warn(f"note {number}: {error.message}")
        fields, body = {}, source
    prose = without_code(body)
    text = COMMENT.sub(" ", prose)
    tags = dict.fromkeys(_listed(fields.get("tags", fields.get("tag"))))
    tags |= dict.fromkeys(tag.rstrip("/-") for tag in TAG.findall(_without_links(text)) if not tag.isdigit())
    aliases = _listed(fields.get("aliases", fields.get("alias")), whole=True)
    created = next((value for name, value in fields.items() if name.lower() in CREATED and value), None)
    return Note(
        _title(fields, body, prose, (name, *aliases) if name else aliases) or f"note {number}",
        body,
        fields,
        tuple(tag.lstrip("#") for tag in tags if tag.strip("#")),
        aliases,
        (*_links(source[: len(source) - len(body)]), *_links(text)),
        _moment(created),
        len(WORD.findall(_readable(text))),
        name,
    )


def front_matter(source: str) -> tuple[dict[str, object], str]:
    """The fields between the `---` lines at the top, and the rest; DamagedInput where they are no safe YAML."""
    found = FRONT.match(source)
    if not found:
        return {}, source
    block = found[1] or ""
    if len(block) > LARGEST_FRONT:
        raise DamagedInput(f"its front matter has over {LARGEST_FRONT:,} characters", "Is the second --- missing?")
    fields = _yaml(block)
    if fields is None:
        return {}, source[found.end() :]
    if not isinstance(fields, dict):
        if isinstance(fields, str) and ":" not in block:  # two rules with prose between them
            return {}, source
        raise DamagedInput("its front matter holds no fields", "Each line has to be NAME: VALUE")
    return {str(name): value for name, value in fields.items()}, source[found.end() :]


def _yaml(block: str) -> object:
    """YAML without references to other parts of it (which can blow up) and not too deep."""
    import yaml  # type: ignore[import-untyped]

    try:
        depth = 0
        for event in yaml.parse(block, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                raise DamagedInput("its front matter refers to parts of itself", "Write them out")
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                raise DamagedInput("its front matter is nested too deep", f"At most {DEEPEST} levels are read")
        return yaml.safe_load(block)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 2}" if mark else ""
        problem = getattr(error, "problem", None) or type(error).__name__
        hint = "Values with a colon need quotes"
        raise DamagedInput(f"its front matter is not YAML{where}: {problem}", hint) from None


def without_code(body: str) -> str:
    """The same characters with those of code as blanks, so that places stay the same."""
    out: list[str] = []
    fence = ""
    for line in body.split("\n"):
        found = FENCE.match(line)
        if fence:
            closed = found and found[1].startswith(fence) and not line.strip().strip("> `~")
            fence = "" if closed else fence
            out.append(" " * len(line))
        elif found and not (found[1][0] == "`" and "`" in line[found.end() :]):
            fence = found[1]
            out.append(" " * len(line))
        else:
            out.append(SPAN.sub(lambda span: " " * len(span.group()), line) if "`" in line else line)
    return "\n".join(out)


def _links(text: str) -> Iterable[Link]:
    """Links to other notes in the order in which they stand."""
    found: list[tuple[int, Link]] = []
    for match in WIKILINK.finditer(text):
        embed, target, heading, label = match.groups()
        if (target or "").strip():
            kind = "embed" if embed else "wikilink"
            found.append((match.start(), Link(target.strip(), heading or "", (label or "").strip(), kind)))
    for match in LINK.finditer(text):
        address = match[3].strip("<>")
        if not re.match(r"[a-zA-Z][\w+.-]*:|//|#|mailto", address):
            path, _, heading = address.partition("#")
            kind = "embed" if match[1] else "markdown"
            found.append((match.start(), Link(unquote(path), unquote(heading), match[2].strip(), kind)))
    return [link for _, link in sorted(found, key=lambda pair: pair[0])]


def _without_links(text: str) -> str:
    return LINK.sub(" ", WIKILINK.sub(" ", text))


def _readable(text: str) -> str:
    """Words that a reader sees: of a link its label."""
    text = WIKILINK.sub(lambda found: " " if found[1] else found[4] or found[2] or found[3] or "", text)
    return LINK.sub(lambda found: found[2], text)


def _title(fields: Mapping[str, object], body: str, prose: str, aliases: tuple[str, ...]) -> str:
    said = fields.get("title")
    if isinstance(said, str | int | float) and str(said).strip():
        return str(said).strip()
    real = body.split("\n")
    where = [number for number, line in enumerate(prose.split("\n")) if HEADING.match(line)]
    heads = [(len(found[1]), found[2]) for found in (HEADING.match(real[number]) for number in where) if found]
    top = next((words for depth, words in heads if depth == 1), "")
    if not top and aliases:
        return aliases[0]
    words = top or (heads[0][1] if heads else "") or next((line for line in real if re.search(r"\w", line)), "")
    shown = " ".join(re.sub(r"[*_`]{1,3}(?=\S)|(?<=\S)[*_`]{1,3}|^\W+(?=\w)", "", _readable(words)).split())
    return shown if len(shown) <= 100 else shown[:99].rstrip() + "…"


def _listed(value: object, whole: bool = False) -> tuple[str, ...]:
    """Words of a field: a list, or one text with commas (or blanks, unless each is `whole`)."""
    if value is None:
        return ()
    if isinstance(value, list | tuple):
        return tuple(str(each).strip() for each in value if each is not None and str(each).strip())
    parts = re.split(r"," if whole else r"[,\s]+", str(value))
    return tuple(part.strip() for part in parts if part.strip())


def _moment(value: object) -> object:
    """A date where the field is one, also as text; else None."""
    if isinstance(value, date):
        return value
    text = str(value).strip() if isinstance(value, str) else ""
    try:
        return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def key(name: str) -> str:
    """By what two names of a note are the same: without folder, `.md`, case, and with blanks for `-` and `_`."""
    last = name.strip().replace("\\", "/").rstrip("/").rpartition("/")[2]
    return " ".join(
        re.sub(r"[-_\s]+", " ", re.sub(r"\.(md|markdown)$", "", last, flags=re.IGNORECASE)).casefold().split()
    )
