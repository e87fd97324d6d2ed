"""Formulas as TeX: from MathML (web pages, books, OpenDocument) and from Office Math (Word, PowerPoint).

Both are trees of the same few ideas (fraction, root, script, fence, matrix); what is not known gives its content.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from transpose.media.package import attribute, words_in

if TYPE_CHECKING:
    from lxml.etree import _Element

SYMBOLS = {
    "−": "-", "×": r"\times", "·": r"\cdot", "÷": r"\div", "±": r"\pm", "∓": r"\mp", "≤": r"\le", "≥": r"\ge",
    "≠": r"\ne", "≈": r"\approx", "≡": r"\equiv", "∼": r"\sim", "∝": r"\propto", "∞": r"\infty", "∂": r"\partial",
    "∇": r"\nabla", "∑": r"\sum", "∏": r"\prod", "∫": r"\int", "∮": r"\oint", "√": r"\surd", "∈": r"\in",
    "∉": r"\notin", "⊂": r"\subset", "⊆": r"\subseteq", "∪": r"\cup", "∩": r"\cap", "∅": r"\emptyset",
    "∀": r"\forall", "∃": r"\exists", "¬": r"\neg", "∧": r"\wedge", "∨": r"\vee", "→": r"\to", "←": r"\leftarrow",
    "⇒": r"\Rightarrow", "⇔": r"\Leftrightarrow", "↦": r"\mapsto", "…": r"\ldots", "⋯": r"\cdots", "°": r"^\circ",
    "′": "'", "ℝ": r"\mathbb{R}", "ℕ": r"\mathbb{N}", "ℤ": r"\mathbb{Z}", "ℚ": r"\mathbb{Q}", "ℂ": r"\mathbb{C}",
    "ℏ": r"\hbar", "ℓ": r"\ell", "⟨": r"\langle", "⟩": r"\rangle", "‖": r"\|", "⊗": r"\otimes", "⊕": r"\oplus",
    "∗": "*", "\u2061": "", "\u2062": "", "\u2063": "", "\u00a0": " ",
}  # fmt: skip
GREEK = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho varsigma sigma tau "
    "upsilon phi chi psi omega".split()
)
SYMBOLS |= {chr(0x3B1 + place): "\\" + name for place, name in enumerate(GREEK)}
SYMBOLS |= {
    chr(0x391 + GREEK.index(n)): "\\" + n.capitalize() for n in "gamma delta theta lambda xi pi phi psi".split()
}
SYMBOLS |= {"Σ": r"\Sigma", "Υ": r"\Upsilon", "Ω": r"\Omega", "ϵ": r"\epsilon", "ϕ": r"\phi", "φ": r"\varphi"}
FUNCTIONS = frozenset("sin cos tan cot sec csc sinh cosh tanh arcsin arccos arctan log ln exp lim max min det".split())
ACCENTS = {
    "\u0302": r"\hat", "^": r"\hat", "\u0303": r"\tilde", "~": r"\tilde", "\u0304": r"\bar", "¯": r"\overline",
    "\u0305": r"\overline", "‾": r"\overline", "\u0307": r"\dot", "˙": r"\dot", "\u0308": r"\ddot", "¨": r"\ddot",
    "\u20d7": r"\vec", "→": r"\vec", "\u030c": r"\check", "⏞": r"\overbrace", "_": r"\underline", "⏟": r"\underbrace",
}  # fmt: skip
BIG = frozenset("∑∏∫∮⋃⋂∐∬∭")
DEEP = 60


def _name(element: _Element) -> str:
    return str(element.tag).rpartition("}")[2].rpartition(":")[2] if isinstance(element.tag, str) else ""


def _symbols(text: str) -> str:
    """Characters as TeX, a blank after each command."""
    out = ""
    for character in text:
        tex = SYMBOLS.get(character, "\\" + character if character in "#%&_{}$" else character)
        out += tex + " " if re.search(r"\\[A-Za-z]+$", tex) else tex
    return out


def _words(text: str) -> str:
    text = text.strip()
    if text in FUNCTIONS:
        return f"\\{text} "
    if len(text) > 1 and text.isalpha() and text.isascii():
        return rf"\mathrm{{{text}}}"
    return _symbols(text)


def _tidy(tex: str) -> str:
    """No blanks where TeX needs none."""
    tex = re.sub(r"\s+", " ", tex)
    return re.sub(r" (?=[}^_)\],.])|(?<=[{(\[^_]) ", "", tex).strip()


def from_mathml(element: _Element) -> str:
    """TeX of a `math` element: its annotation, its alternative text, or built from its parts."""
    for each in element.iter():
        if _name(each) == "annotation" and "tex" in (each.get("encoding") or "").lower():
            return (each.text or "").strip()
    return (element.get("alttext") or "").strip() or _tidy(_mathml(element, 0))


def _mathml(element: _Element, depth: int) -> str:
    name = _name(element)
    if depth > DEEP or name in ("mi", "mn", "mo", "ms"):
        return _words(words_in(element))
    if name == "mtext":
        return rf"\text{{{words_in(element)}}}"
    if name in ("annotation", "annotation-xml", "mspace", ""):
        return " " if name == "mspace" else ""
    if name == "semantics":
        return _mathml(element[0], depth + 1) if len(element) else ""
    parts = [_mathml(child, depth + 1) for child in element if _name(child)]
    build = MATHML.get(name)
    try:
        return build(parts) if build else _fenced(element, parts) if name == "mfenced" else "".join(parts)
    except IndexError:  # a part is missing
        return "".join(parts)


def _fenced(element: _Element, parts: list[str]) -> str:
    return (element.get("open") or "(") + ",".join(parts) + (element.get("close") or ")")


def _over(parts: list[str]) -> str:
    accent = ACCENTS.get(parts[1].strip()) or (r"\vec" if parts[1].strip() == r"\to" else None)
    if accent:
        return f"{accent}{{{parts[0]}}}"
    return f"{parts[0].strip()}^{{{parts[1]}}}" if _is_big(parts[0]) else rf"\overset{{{parts[1]}}}{{{parts[0]}}}"


def _under(parts: list[str]) -> str:
    big = _is_big(parts[0])
    return f"{parts[0].strip()}_{{{parts[1]}}}" if big else rf"\underset{{{parts[1]}}}{{{parts[0]}}}"


def _is_big(tex: str) -> bool:
    return tex.strip() in {SYMBOLS[c] for c in "∑∏∫∮"} | {r"\lim", r"\max", r"\min"}


def _base(tex: str) -> str:
    tex = tex.strip()
    return tex if len(tex) <= 1 or re.fullmatch(r"\\[A-Za-z]+|\d+", tex) else f"{{{tex}}}"


MATHML: dict[str, Callable[[list[str]], str]] = {
    "mfrac": lambda p: rf"\frac{{{p[0]}}}{{{p[1]}}}",
    "msqrt": lambda p: rf"\sqrt{{{''.join(p)}}}",
    "mroot": lambda p: rf"\sqrt[{p[1]}]{{{p[0]}}}",
    "msup": lambda p: f"{_base(p[0])}^{{{p[1]}}}",
    "msub": lambda p: f"{_base(p[0])}_{{{p[1]}}}",
    "msubsup": lambda p: f"{_base(p[0])}_{{{p[1]}}}^{{{p[2]}}}",
    "munderover": lambda p: f"{_base(p[0])}_{{{p[1]}}}^{{{p[2]}}}",
    "mover": _over,
    "munder": _under,
    "mtr": lambda p: " & ".join(p),
    "mtable": lambda p: r"\begin{matrix}" + r" \\ ".join(p) + r"\end{matrix}",
}


def from_office(element: _Element) -> str:
    """TeX of an `m:oMath` element."""
    return _tidy(_office(element, 0))


def _office(element: _Element, depth: int) -> str:
    name = _name(element)
    if depth > DEEP:
        return _symbols(words_in(element))
    if name == "t":
        return _symbols(element.text or "")
    if name == "r":
        text = "".join(each.text or "" for each in element if _name(each) == "t")
        return _words(text) if text.strip() in FUNCTIONS else _symbols(text)
    if name.endswith("Pr"):
        return ""
    build = OFFICE.get(name)
    if build:
        return build(element, lambda part: _part(element, part, depth))
    return "".join(_office(child, depth + 1) for child in element)


def _part(element: _Element, name: str, depth: int) -> str:
    return "".join(_office(child, depth + 1) for child in element if _name(child) == name)


def _setting(element: _Element, name: str, default: str) -> str:
    """The `val` of a property such as the character of a sum or the fence."""
    for each in element:
        if _name(each).endswith("Pr"):
            for part in each:
                if _name(part) == name:
                    return attribute(part, "val")
    return default


Part = Callable[[str], str]


def _sum(element: _Element, part: Part) -> str:
    tex = _symbols(_setting(element, "chr", "∫")).strip()
    low, high = part("sub"), part("sup")
    return tex + (f"_{{{low}}}" if low else "") + (f"^{{{high}}}" if high else "") + " " + part("e")


def _fence(element: _Element, part: Part) -> str:
    begin, end = _setting(element, "begChr", "("), _setting(element, "endChr", ")")
    inner = _symbols(_setting(element, "sepChr", "|")).join(
        "".join(_office(child, 1) for child in each) for each in element if _name(each) == "e"
    )
    left, right = (_symbols(c).strip() or "." for c in (begin, end))
    return rf"\left{left}{inner}\right{right}"


def _matrix(element: _Element, part: Part) -> str:
    rows = [
        " & ".join("".join(_office(child, 1) for child in cell) for cell in row if _name(cell) == "e")
        for row in element
        if _name(row) in ("mr", "e")
    ]
    return r"\begin{matrix}" + r" \\ ".join(rows) + r"\end{matrix}"


def _stack(element: _Element, part: Part) -> str:
    rows = ["".join(_office(child, 1) for child in each) for each in element if _name(each) == "e"]
    return r"\begin{aligned}" + r" \\ ".join(rows) + r"\end{aligned}"


def _accent(element: _Element, part: Part) -> str:
    accent = ACCENTS.get(_setting(element, "chr", "\u0302"), r"\hat")
    return f"{accent}{{{part('e')}}}"


def _root(element: _Element, part: Part) -> str:
    degree = part("deg").strip()
    return rf"\sqrt{f'[{degree}]' if degree else ''}{{{part('e')}}}"


OFFICE: dict[str, Callable[[_Element, Part], str]] = {
    "f": lambda e, p: rf"\frac{{{p('num')}}}{{{p('den')}}}",
    "rad": _root,
    "sSup": lambda e, p: f"{_base(p('e'))}^{{{p('sup')}}}",
    "sSub": lambda e, p: f"{_base(p('e'))}_{{{p('sub')}}}",
    "sSubSup": lambda e, p: f"{_base(p('e'))}_{{{p('sub')}}}^{{{p('sup')}}}",
    "sPre": lambda e, p: f"{{}}_{{{p('sub')}}}^{{{p('sup')}}}{_base(p('e'))}",
    "nary": _sum,
    "d": _fence,
    "m": _matrix,
    "eqArr": _stack,
    "acc": _accent,
    "bar": lambda e, p: rf"\overline{{{p('e')}}}",
    "func": lambda e, p: f"{p('fName')} {p('e')}",
    "limLow": lambda e, p: f"{_base(p('e'))}_{{{p('lim')}}}",
    "limUpp": lambda e, p: f"{_base(p('e'))}^{{{p('lim')}}}",
}
