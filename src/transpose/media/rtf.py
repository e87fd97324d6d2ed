"""Rich Text Format: control words and groups, read into loose elements or into the HTML that Outlook packs into them.

After the specification of RTF 1.9.1, and [MS-OXRTFEX] for mails: each tag of a page stands in a group
`{\\*\\htmltag}`, and what stands there for readers of RTF between `\\htmlrtf` and `\\htmlrtf0`.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field, replace
from xml.etree.ElementTree import Element

from transpose.media.fragment import Album, make, picture, say
from transpose.media.picture_file import is_picture
from transpose.media.rtf_flow import Flow, Merge

TOKEN = re.compile(
    r"\\(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,10})? ?|\\'(?P<hex>[0-9a-fA-F]{2})|\\(?P<sign>[^a-zA-Z])"
    r"|(?P<brace>[{}])|(?P<text>[^\\{}\r\n]+)|[\r\n]+|\\"
)
NEXT = re.compile(r"\s*\\([a-zA-Z]+)")
HYPERLINK = re.compile(r'HYPERLINK\s+(\\l\s+)?(?:"([^"]+)"|(\S+))')
CHARSETS = {
    77: "mac_roman", 128: "cp932", 129: "cp949", 130: "johab", 134: "gbk", 136: "big5", 161: "cp1253", 162: "cp1254",
    163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250",
}  # fmt: skip
CHARACTERS = {
    "tab": "\t", "emdash": "—", "endash": "–", "bullet": "•", "lquote": "‘", "rquote": "’", "ldblquote": "“",
    "rdblquote": "”", "emspace": "\u2003", "enspace": "\u2002", "qmspace": "\u2005", "zwj": "\u200d", "zwnj": "\u200c",
}  # fmt: skip
SIGNS = {"~": "\u00a0", "_": "\u2011", "-": "\u00ad", "{": "{", "}": "}", "\\": "\\"}
MARKS = {"b": "strong", "i": "em", "strike": "del", "striked": "del", "super": "sup", "sub": "sub", "highlight": "mark"}
FACTS = frozenset(["title", "author", "subject"])
SHOWN = frozenset(["body", "fldrslt", "footnote"])  # destinations whose words are the document's
KEPT = SHOWN | FACTS | frozenset("fonttbl stylesheet pict fldinst listtext pntext htmltag".split())
PASSED = frozenset(["shppict"])  # groups that hold what is wanted
DROPPED = frozenset(
    "colortbl info nonshppict header headerl headerr headerf footer footerl footerr footerf object xe tc template "
    "atnid atnauthor annotation nonesttables filetbl private bkmkstart bkmkend listtable revtbl generator".split()
)
DEEPEST = 1000  # groups in groups
PICTURES = 500


@dataclass(slots=True)
class _State:
    """What holds until its group ends. `where` is the destination of its words, "" for none."""

    where: str = "body"
    font: int = -1
    skip: int = 1  # characters after each \\u that stand for it
    marks: tuple[str, ...] = ()
    href: str = ""
    hidden: bool = False
    plain: bool = False  # between \\htmlrtf and \\htmlrtf0


@dataclass
class Rich:
    """What an RTF file says: loose elements and their pictures, or packed `html`, which most have not.

    `whole` tells whether all its groups were closed.
    """

    body: Element
    album: Album
    html: str
    facts: dict[str, str]
    whole: bool


def read_rtf(data: bytes) -> Rich:
    """Read RTF, as far as it goes where it was cut short. Raises ValueError where it is none."""
    if not data.lstrip().startswith(b"{\\rtf"):
        raise ValueError("it does not begin like RTF")
    return _Reader().read(data.decode("latin-1"))


@dataclass
class _Reader:
    """One walk over a file."""

    state: _State = field(default_factory=_State)
    stack: list[_State] = field(default_factory=list)
    encoding: str = "cp1252"
    fonts: dict[int, str] = field(default_factory=dict)  # encodings
    levels: dict[int, int] = field(default_factory=dict)  # of headings, by style
    style: int = 0  # the one that is being defined
    written: dict[str, str] = field(default_factory=dict)  # words of destinations outside of the document
    bytes: bytearray = field(default_factory=bytearray)  # of words in the font's encoding, not yet said
    units: bytearray = field(default_factory=bytearray)  # of words in UTF-16, not yet said
    drop: int = 0  # characters that stand for one already said
    href: str = ""  # of the field at hand
    html: list[str] | None = None
    merge: Merge = field(default_factory=Merge)
    flow: Flow = field(default_factory=Flow)
    album: Album = field(default_factory=Album)
    facts: dict[str, str] = field(default_factory=dict)

    def read(self, source: str) -> Rich:
        at = 0
        while at < len(source) and (found := TOKEN.match(source, at)):
            at = found.end()
            if found["text"] or found["hex"]:
                self.characters(found)
                continue
            if found["word"] != "u":
                self.flush()
            if found["word"] == "bin":  # bytes as they are
                size = max(int(found["number"] or 0), 0)
                if self.state.where == "pict":
                    self.written["pict"] = source[at : at + size].encode("latin-1").hex()
                at += size
            elif found["brace"] == "{":
                self.begin()
            elif found["brace"]:
                self.end()
                if not self.stack:
                    break
            elif found["word"]:
                self.word(found["word"], int(found["number"]) if found["number"] else None)
            elif found["sign"] == "*":
                known = NEXT.match(source, at)
                self.state.where = self.state.where if known and known[1] in KEPT | PASSED else ""
            elif found["sign"]:
                self.sign(found["sign"])
        self.flush()
        body = self.flow.finish()
        return Rich(body, self.album, "".join(self.html or ()), self.facts, not self.stack)

    # -- characters ------------------------------------------------------------------------------------------------

    def characters(self, found: re.Match[str]) -> None:
        """Bytes of words, but for those that stand for a character already said."""
        data = bytes([int(found["hex"], 16)]) if found["hex"] else found["text"].encode("latin-1")
        dropped = min(self.drop, len(data))
        self.drop -= dropped
        if data[dropped:]:
            self.flush_units()
            self.bytes += data[dropped:]

    def unit(self, number: int) -> None:
        """A unit of UTF-16; halves of a pair come one after the other."""
        if self.bytes:
            self.flush()
        self.units += (number & 0xFFFF).to_bytes(2, "little")
        self.drop = self.state.skip

    def flush(self) -> None:
        """Say all words that were gathered."""
        self.drop = 0
        self.flush_units()
        if self.bytes:
            data = bytes(self.bytes)
            self.bytes.clear()
            self.say(data.decode(self.fonts.get(self.state.font, self.encoding), "replace"))

    def flush_units(self) -> None:
        if self.units:
            data = bytes(self.units)
            self.units.clear()
            self.say(data.decode("utf-16-le", "replace"))

    def say(self, words: str) -> None:
        where = self.state.where
        if where == "stylesheet":
            if named := re.match(r"heading (\d)", words, re.IGNORECASE):
                self.levels[self.style] = int(named[1])
        elif self.html is not None and (where == "htmltag" or where in SHOWN):
            if where == "htmltag" or not self.state.plain:
                self.html.append(words)
        elif where in SHOWN:
            if not self.state.hidden:
                say(self.flow.inner(self.state.marks, self.state.href), words)
        elif where and where != "htmltag":
            self.written[where] = self.written.get(where, "") + words

    def sign(self, sign: str) -> None:
        if sign in "\r\n":
            self.word("par", None)
        else:
            self.say(SIGNS.get(sign, ""))

    # -- groups ----------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        if len(self.stack) >= DEEPEST:
            raise ValueError(f"its groups are nested deeper than {DEEPEST}")
        self.stack.append(replace(self.state))

    def end(self) -> None:
        if not self.stack:
            return
        where, self.state = self.state.where, self.stack.pop()
        if where == self.state.where:
            return
        words = self.written.pop(where, "")
        if where == "fldinst":
            found = HYPERLINK.search(words)
            self.href = (found[2] or found[3]) if found and not found[1] else ""
        elif where == "pict":
            self.picture(words)
        elif where in ("listtext", "pntext"):
            self.flow.item = words.strip() or "•"
        elif where in FACTS:
            self.facts[where] = words.strip()
        elif where == "footnote":
            self.flow.end_note()

    def picture(self, digits: str) -> None:
        try:
            data = bytes.fromhex("".join(digits.split()))
        except ValueError:
            return
        if is_picture(data) and len(self.album.pictures) < PICTURES and self.html is None:
            picture(self.flow.inner((), self.state.href), self.album.add(data, "picture"))

    # -- control words ---------------------------------------------------------------------------------------------

    def word(self, word: str, number: int | None) -> None:
        """One control word; those of no account are passed over."""
        state = self.state
        if word == "u" and number is not None:
            self.unit(number)
        elif word in KEPT and (state.where or word in FACTS):
            state.where = word
            state.href = self.href if word == "fldrslt" else state.href
            if word == "footnote" and self.html is None:
                self.flow.begin_note()
        elif word in DROPPED:
            state.where = ""
        elif word in CHARACTERS:
            self.say(CHARACTERS[word])
        elif word in MARKS:
            rest = tuple(mark for mark in state.marks if mark != MARKS[word])
            state.marks = rest if number == 0 else (*rest, MARKS[word])
        elif state.where in SHOWN and self.html is None:
            self.layout(word, number or 0)
        elif word in ("par", "line", "sect", "page"):
            self.say("\n")
        self.setting(word, number)

    def setting(self, word: str, number: int | None) -> None:
        """Words that count everywhere: fonts, encodings, styles, what is shown."""
        state = self.state
        if word == "f":
            state.font = number or 0
        elif word in ("fcharset", "ansicpg", "cpg"):
            name = CHARSETS.get(number or 0, "") if word == "fcharset" else f"cp{number}"
            if _known(name) and word == "ansicpg":
                self.encoding = name
            elif _known(name):
                self.fonts[state.font] = name
        elif word == "mac":
            self.encoding = "mac_roman"
        elif word == "uc":
            state.skip = min(max(number or 0, 0), 10)
        elif word == "plain":
            state.marks, state.hidden = (), False
        elif word == "nosupersub":
            state.marks = tuple(mark for mark in state.marks if mark not in ("sup", "sub"))
        elif word in ("v", "deleted"):
            state.hidden = number != 0
        elif word == "htmlrtf":
            state.plain = number != 0
        elif word == "fromhtml":
            self.html = []
        elif word == "s" and state.where == "stylesheet":
            self.style = number or 0
        elif word == "outlinelevel" and state.where == "stylesheet":
            self.levels[self.style] = max(number or 0, 0) + 1

    def layout(self, word: str, number: int) -> None:
        """Words that make paragraphs, lists and tables."""
        flow = self.flow
        if word in ("par", "sect", "page", "nestcell", "nestrow"):
            flow.end_paragraph()
        elif word == "line":
            make(flow.inner((), ""), "br")
        elif word == "pard":
            flow.level, flow.depth, flow.in_table = 0, 0, False
        elif word == "s":
            flow.level = self.levels.get(number, 0)
        elif word == "outlinelevel":
            flow.level = number + 1 if 0 <= number < 6 else 0
        elif word == "ilvl":
            flow.depth = min(max(number, 0), 8)
        elif word == "intbl":
            flow.in_table = True
        elif word == "cell":
            flow.end_cell()
        elif word == "row":
            flow.end_row()
        elif word == "trowd":
            flow.merges, flow.heads, self.merge = [], False, Merge()
        elif word == "trhdr":
            flow.heads = True
        elif word in ("clmrg", "clvmrg"):
            self.merge = Merge(self.merge.across or word == "clmrg", self.merge.down or word == "clvmrg")
        elif word == "cellx" and len(flow.merges) < 500:
            flow.merges.append(self.merge)
            self.merge = Merge()


def _known(name: str) -> bool:
    try:
        return bool(name) and bool(codecs.lookup(name))
    except LookupError:
        return False
