r"""LaTeX (.tex) in: sections, lists, tables, figures, formulas, links and listings; no other file is read.

pylatexenc parses; formulas stay as they are written. Macros that the file defines without arguments are put in place;
what is not known gives its words. `\input` and `\include` are named in a warning and left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from xml.etree.ElementTree import Element

from transpose.core.context import Context
from transpose.core.errors import TransformError
from transpose.core.transform import transform
from transpose.media.document import Document
from transpose.media.encoding import read_characters
from transpose.media.file import reason
from transpose.media.fragment import Album, finish, formula, make, picture, program, say
from transpose.media.webpage import Fetch, beside

if TYPE_CHECKING:
    from pylatexenc.latexwalker import LatexNode  # type: ignore[import-untyped]

LEVELS = {"part": 1, "chapter": 1, "section": 2, "subsection": 3, "subsubsection": 4, "paragraph": 5, "subparagraph": 6}
MARKS = {
    "textbf": "strong", "emph": "em", "textit": "em", "textsl": "em", "texttt": "code", "sout": "del", "st": "del",
    "textsuperscript": "sup", "textsubscript": "sub", "hl": "mark", "code": "code", "file": "code", "lstinline": "code",
}  # fmt: skip
SILENT = frozenset(
    "label index nocite usepackage documentclass newcommand renewcommand providecommand DeclareMathOperator setlength "
    "addtolength vspace hspace vskip hskip pagestyle thispagestyle bibliographystyle graphicspath hypersetup "
    "pagenumbering "
    "setcounter addtocounter newtheorem definecolor geometry newenvironment renewenvironment includeonly date author "
    "title thanks tableofcontents listoffigures listoftables maketitle newpage clearpage pagebreak cleardoublepage "
    "centering raggedright raggedleft noindent indent small large Large LARGE huge Huge footnotesize scriptsize tiny "
    "normalsize bfseries itshape ttfamily rmfamily sffamily toprule midrule bottomrule hline cline cmidrule linewidth "
    "selectlanguage columnwidth textwidth appendix frontmatter mainmatter backmatter hfill vfill phantomsection "
    "bigskip medskip smallskip par protect sloppy fontsize selectfont color rule bibitem multicolumn multirow "
    "arraystretch "
    "lstset theoremstyle addcontentsline markboth numberwithin allowdisplaybreaks".split()
)
FORMULAS = frozenset("equation align gather multline eqnarray displaymath math flalign alignat split dmath".split())
INNER = frozenset("align gather multline eqnarray flalign alignat".split())  # these keep their alignment in TeX
LISTINGS = frozenset("verbatim lstlisting minted Verbatim alltt listing filecontents".split())
TABLES = frozenset("tabular tabularx tabulary longtable array supertabular tabu".split())
WORDS = {
    "LaTeX": "LaTeX", "TeX": "TeX", "ldots": "…", "dots": "…", "textbackslash": "\\", "&": "&", "%": "%", "$": "$",
    "#": "#",
    "_": "_", "{": "{", "}": "}", "quad": " ", "qquad": " ", ",": " ", ";": " ", ":": " ", " ": " ", "/": "",
    "-": "", "@": "",
    "!": "", "textasciitilde": "~", "textasciicircum": "^", "today": "", "copyright": "©", "S": "§", "P": "¶",
    "pounds": "£",
    "euro": "€", "textgreater": ">", "textless": "<", "textbar": "|", "slash": "/", "newline": "\n", "item": "",
    "textquotedblleft": "“", "textquotedblright": "”", "textendash": "–", "textemdash": "—", "texttrademark": "™",
}  # fmt: skip
# arguments that the parser has to know of: [ optional, { needed
SPECS = (
    ("href", "{{"), ("url", "{"), ("nolinkurl", "{"), ("multicolumn", "{{{"), ("multirow", "[{[{{"), ("caption", "*[{"),
    ("includegraphics", "*[{"), ("footnote", "[{"), ("thanks", "{"), ("cite", "*[[{"), ("citep", "*[[{"), ("citet",
    "*[[{"),
    ("autoref", "{"), ("cref", "{"), ("Cref", "{"), ("eqref", "{"), ("textsuperscript", "{"), ("textsubscript", "{"),
    ("sout", "{"), ("st", "{"), ("hl", "{"), ("code", "{"), ("file", "{"), ("subfile", "{"), ("bibliography", "{"),
    ("textcolor", "[{{"), ("colorbox", "{{"), ("cmidrule", "{"), ("bibitem", "[{"), ("setlength", "{{"), ("vspace",
    "*{"),
    ("hspace", "*{"), ("label", "{"), ("fontsize", "{{"), ("addcontentsline", "{{{"), ("raisebox", "{{"), ("cline",
    "{"),
)  # fmt: skip
MACRO = re.compile(r"\\(?:re|provide)?newcommand\*?\s*\{?\\([A-Za-z]+)\}?\s*\{|\\def\\([A-Za-z]+)\s*\{")
ACCENTS = frozenset([*"'`^~=.", '"', *"cvuHkrbdt"])
LONGEST = 20_000_000  # characters
DEEPEST = 100


@transform(".tex -> document", name="read-tex", loses=["layout"], needs=["pylatexenc"], extra="documents")
def read_tex(
    path: Path, ctx: Context, *, encoding: Annotated[str, "name of the encoding, where it is not found"] = ""
) -> Document:
    """Read LaTeX as far as it marks structure; bibliographies as a list, citations by their keys.

    Raises what `media.encoding.read_characters` does, and TransformError where the parser gives up.
    """
    source = read_characters(path, ctx, encoding)
    title, author = _argument(source, "title"), _argument(source, "author")
    reader = _Reader(beside(path, ctx))
    begin = source.find(r"\begin{document}")
    macros = _macros(source[:begin] if begin >= 0 else source)
    inner = source[begin + 16 :].partition(r"\end{document}")[0] if begin >= 0 else source
    inner = _expand(inner, macros)
    body = make(None, "body")
    try:
        if title:
            reader.nodes(_parse(title), make(body, "h1"), 0)
        reader.nodes(_parse(inner), body, 0)
    except (RecursionError, ValueError, IndexError, AttributeError, TypeError) as error:
        raise TransformError(f"{path.name!r} cannot be read as LaTeX ({reason(error)})", "Name it .txt") from None
    if reader.notes:
        aside = make(body, "aside")
        for number, note in enumerate(reader.notes, 1):
            line = make(aside, "p")
            make(line, "sup", str(number))
            say(line, " ")
            line.append(note)
    if reader.files:
        ctx.warn(f"{path.name!r}: not read, give them by name: {', '.join(reader.files[:5])}")
    plain = make(None, "p")
    reader.nodes(_parse(title), plain, 0)
    who = re.sub(r"\\[A-Za-z]+\*?(?:\[[^\]]*\])?|[{}]|\\\\", " ", author)
    return finish(body, reader.album, title="".join(plain.itertext()), metadata={"author": who})


def _parse(source: str) -> Sequence[LatexNode]:
    from pylatexenc.latexwalker import LatexWalker, LatexWalkerError, get_default_latex_context_db
    from pylatexenc.macrospec import MacroSpec  # type: ignore[import-untyped]

    try:
        known = get_default_latex_context_db()
        known.add_context_category("ours", macros=[MacroSpec(*each) for each in SPECS], prepend=True)
        walker = LatexWalker(source, tolerant_parsing=True, latex_context=known)
        return walker.get_latex_nodes()[0] or []
    except LatexWalkerError as error:
        raise ValueError(str(error)) from None


def _argument(source: str, name: str) -> str:
    """What stands in the braces after `\\name`."""
    found = re.search(rf"\\{name}\s*(?:\[[^\]]*\])?\s*\{{", source)
    return _braced(source, found.end()) if found else ""


def _braced(source: str, start: int) -> str:
    """From after an opening brace to its closing one."""
    depth = 1
    for place in range(start, min(len(source), start + 20_000)):
        character = source[place]
        if source[place - 1] != "\\":
            depth += (character == "{") - (character == "}")
        if depth == 0:
            return source[start:place]
    return ""


def _macros(head: str) -> dict[str, str]:
    found = {}
    for match in MACRO.finditer(head):
        name, inner = match[1] or match[2], _braced(head, match.end())
        if "#" not in inner and len(inner) < 500 and f"\\{name}" not in inner:
            found[name] = inner
    return found


def _expand(source: str, macros: dict[str, str]) -> str:
    """Macros without arguments put in place, twice: one may use another. Growth is limited."""
    if not macros:
        return source
    names = re.compile(
        r"\\(" + "|".join(map(re.escape, sorted(macros, key=len, reverse=True))) + r")(?![A-Za-z])(?:\{\})?"
    )
    for _ in range(2):
        grown = names.sub(lambda match: macros[match[1]], source)
        if len(grown) > LONGEST:
            return source
        source = grown
    return source


@dataclass
class _Reader:
    """One walk over a file."""

    fetch: Fetch
    album: Album = field(default_factory=Album)
    notes: list[Element] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    def nodes(self, nodes: Sequence[LatexNode | None], parent: Element, depth: int) -> None:
        """Nodes in their order; a blank line parts paragraphs."""
        for node in nodes:
            if node is not None and depth < DEEPEST:
                self.node(node, parent, depth + 1)

    def node(self, node: LatexNode, parent: Element, depth: int) -> None:
        """One node as what it means."""
        kind = type(node).__name__
        if kind == "LatexCharsNode":
            _say_words(parent, node.chars)
        elif kind == "LatexGroupNode":
            self.nodes(node.nodelist, parent, depth)
        elif kind == "LatexMathNode":
            tex = "".join(each.latex_verbatim() for each in node.nodelist)
            formula(make(parent, "p") if node.displaytype == "display" else parent, tex)
        elif kind == "LatexSpecialsNode":
            self.special(node.specials_chars, parent)
        elif kind == "LatexEnvironmentNode":
            self.environment(node, parent, depth)
        elif kind == "LatexMacroNode":
            self.macro(node, parent, depth)

    def special(self, characters: str, parent: Element) -> None:
        """Quotes, dashes, ties and the blank line."""
        known = {"~": " ", "``": "“", "''": "”", "--": "–", "---": "—", "&": " ", "!`": "¡", "?`": "¿", "#": "#"}
        if "\n" in characters:
            make(parent, "div")
        else:
            say(parent, known.get(characters, characters))

    def macro(self, node: LatexNode, parent: Element, depth: int) -> None:
        """A command: its mark, its words, or what stands in its braces."""
        name = node.macroname.rstrip("*")
        arguments = [each for each in (node.nodeargd.argnlist if node.nodeargd else []) if each is not None]
        special: Callable[[list[LatexNode], Element, int], None] | None = {
            "href": self._link, "url": self._url, "nolinkurl": self._url, "footnote": self._note, "thanks": self._note,
            "includegraphics": self._graphic, "cite": self._cite, "citep": self._cite, "citet": self._cite,
            "ref": self._cite,
            "eqref": self._cite, "autoref": self._cite, "cref": self._cite, "Cref": self._cite,
        }.get(name)  # fmt: skip
        if name in LEVELS:
            self.nodes(arguments[-1:], make(parent, f"h{LEVELS[name]}"), depth)
        elif name in ("input", "include", "subfile", "bibliography"):
            self.files += [_plain(each) for each in arguments[-1:]]
        elif special:
            special(arguments, parent, depth)
        elif name in MARKS:
            self.nodes(arguments[-1:], make(parent, MARKS[name]), depth)
        elif name == "\\":
            make(parent, "br")
        elif name in WORDS:
            say(parent, WORDS[name])
        elif name == "caption":
            self.nodes(arguments[-1:], make(parent, "p"), depth)
        elif name not in SILENT:
            self._other(node, arguments, parent, depth)

    def _other(self, node: LatexNode, arguments: list[LatexNode], parent: Element, depth: int) -> None:
        """Accents and symbols as Unicode; what is not known gives its words."""
        from pylatexenc.latex2text import LatexNodes2Text  # type: ignore[import-untyped]

        words = LatexNodes2Text(keep_comments=False).nodelist_to_text([node]) if len(node.latex_verbatim()) < 40 else ""
        if (words.strip() and not arguments) or node.macroname in ACCENTS:
            say(parent, words)
        else:
            self.nodes([each for each in arguments if _is_braced(each)], parent, depth)

    def _link(self, arguments: list[LatexNode], parent: Element, depth: int) -> None:
        address = _plain(arguments[0]) if arguments else ""
        self.nodes(arguments[1:], make(parent, "a", href=address.replace("\\", "") if "://" in address else ""), depth)

    def _url(self, arguments: list[LatexNode], parent: Element, depth: int) -> None:
        address = _plain(arguments[-1]).replace("\\", "") if arguments else ""
        make(parent, "a", address, href=address if "://" in address else "")

    def _note(self, arguments: list[LatexNode], parent: Element, depth: int) -> None:
        note = make(None, "span")
        self.nodes(arguments[-1:], note, depth)
        self.notes.append(note)
        make(parent, "sup", str(len(self.notes)))

    def _cite(self, arguments: list[LatexNode], parent: Element, depth: int) -> None:
        say(parent, f"[{_plain(arguments[-1])}]" if arguments else "")

    def _graphic(self, arguments: list[LatexNode], parent: Element, depth: int) -> None:
        name = _plain(arguments[-1]).strip() if arguments else ""
        for suffix in ("", ".png", ".jpg", ".jpeg", ".svg", ".gif"):
            data = self.fetch(name + suffix) if name else None
            if data:
                picture(make(parent, "p"), self.album.add(data, name + suffix), "")
                return
        say(make(parent, "p"), f"[{name}]" if name else "")

    def environment(self, node: LatexNode, parent: Element, depth: int) -> None:
        """What stands between begin and end."""
        name = node.environmentname.rstrip("*")
        if name in ("itemize", "enumerate", "description", "thebibliography"):
            self._list(node, name, parent, depth)
        elif name in FORMULAS:
            inner = re.sub(r"\\label\{[^}]*\}", "", "".join(each.latex_verbatim() for each in node.nodelist))
            wrapped = (
                rf"\begin{{aligned}}{inner}\end{{aligned}}"
                if name in INNER and ("&" in inner or r"\\" in inner)
                else inner
            )
            formula(make(parent, "p"), wrapped)
        elif name in LISTINGS:
            source = node.latex_verbatim()
            inner = re.sub(r"\A\\begin\{[^}]*\}(?:\[[^\]]*\])?(?:\{(\w+)\})?", "", source).rpartition("\\end{")[0]
            language = re.search(
                r"language=(?:\[[^\]]*\])?\{?(\w+)|\\begin\{minted\}(?:\[[^\]]*\])?\{(\w+)\}", source[:200]
            )
            program(parent, inner, (language[1] or language[2] or "") if language else "")
        elif name in TABLES:
            self._table(node, parent, depth)
        elif name in ("quote", "quotation", "verse", "displayquote"):
            self.nodes(node.nodelist, make(parent, "blockquote"), depth)
        elif name == "abstract":
            make(parent, "h2", "Abstract")
            self.nodes(node.nodelist, make(parent, "div"), depth)
        elif name not in ("comment", "tikzpicture", "pgfpicture"):
            self.nodes(node.nodelist, make(parent, "div"), depth)

    def _list(self, node: LatexNode, name: str, parent: Element, depth: int) -> None:
        holder = make(parent, "ol" if name == "enumerate" else "ul")
        item: Element | None = None
        for each in node.nodelist:
            if type(each).__name__ == "LatexMacroNode" and each.macroname in ("item", "bibitem"):
                item = make(holder, "li")
                arguments = [a for a in (each.nodeargd.argnlist if each.nodeargd else []) if a is not None]
                if arguments and each.macroname == "item":
                    self.nodes(arguments[:1], make(item, "strong"), depth)
                    say(item, " ")
                elif arguments:
                    say(item, f"[{_plain(arguments[-1])}] ")
            elif item is not None:
                self.node(each, item, depth + 1)

    def _table(self, node: LatexNode, parent: Element, depth: int) -> None:
        """Rows end at a double backslash, cells at an ampersand; rules are left out."""
        table = make(parent, "table")
        row = make(table, "tr")
        cell = make(row, "td")
        for each in node.nodelist:
            kind = type(each).__name__
            if kind == "LatexSpecialsNode" and each.specials_chars == "&":
                cell = make(row, "td")
            elif kind == "LatexMacroNode" and each.macroname in ("\\", "tabularnewline"):
                row = make(table, "tr")
                cell = make(row, "td")
            elif kind == "LatexMacroNode" and each.macroname in ("multicolumn", "multirow"):
                self._spanned(each, cell, depth)
            elif not _is_setting(each):
                self.node(each, cell, depth + 1)
        if not "".join(row.itertext()).strip() and len(row) == 1:
            table.remove(row)

    def _spanned(self, node: LatexNode, cell: Element, depth: int) -> None:
        arguments = [each for each in (node.nodeargd.argnlist if node.nodeargd else []) if each is not None]
        count = _plain(arguments[0]) if arguments else ""
        if count.isdecimal() and int(count) > 1:
            cell.set("colspan" if node.macroname == "multicolumn" else "rowspan", count)
        self.nodes(arguments[-1:], cell, depth)


def _say_words(parent: Element, characters: str) -> None:
    """Words; a blank line in them parts paragraphs."""
    for number, part in enumerate(re.split(r"\n[ \t]*\n\s*", characters)):
        if number:
            make(parent, "div")
        say(parent, part.replace("``", "“").replace("''", "”").replace("---", "—").replace("--", "–"))


def _is_braced(node: LatexNode) -> bool:
    return type(node).__name__ == "LatexGroupNode" and node.delimiters[0] == "{"


def _is_setting(node: LatexNode) -> bool:
    """The column letters of a table, which come first in braces of their own in some environments."""
    return type(node).__name__ == "LatexGroupNode" and bool(
        re.fullmatch(r"\{[\s|lcrpmbX@{}!.><*\d\\a-z=]*\}", node.latex_verbatim())
    )


def _plain(node: LatexNode) -> str:
    """The characters in an argument as they stand."""
    text: str = node.latex_verbatim()
    return text[1:-1] if text[:1] in "{[" and len(text) > 1 else text
