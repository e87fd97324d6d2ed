"""Words under marks in a flat row: how a line of a fragment is put in good order and nested again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import takewhile
from xml.etree.ElementTree import Element, SubElement

BLANKS = re.compile(r"[\s\u200b\ufeff]+")  # \s has the fixed space too


@dataclass(slots=True)
class Run:
    """Words, or one element that stands in a line (`atom`), under marks of (tag, href)."""

    text: str
    marks: tuple[tuple[str, str], ...] = ()
    atom: Element | None = field(default=None)


def straight(runs: Iterable[Run]) -> list[Run]:
    """Single blanks inside, none at the ends or beside a line break, none at the inner edge of a mark."""
    out: list[Run] = []
    blank = False  # whether a blank is due before the next word
    for run in runs:
        if run.atom is not None and run.atom.tag == "br":
            blank = False
            if out:
                out.append(run)
            continue
        text = BLANKS.sub(" ", run.text)
        if run.atom is None and not text.strip():
            blank = blank or bool(text)
            continue
        blank = (blank or text.startswith(" ")) and bool(out) and not is_break(out[-1])
        if blank:
            shared = [a for a, b in zip(out[-1].marks, run.marks, strict=False) if a == b]
            out.append(Run(" ", tuple(mark for mark in shared if mark[0] != "code")))
        out.append(Run(text.strip(), run.marks, run.atom))
        blank = text.endswith(" ")
    while out and is_break(out[-1]):
        out.pop()
    return out


def is_break(run: Run) -> bool:
    return run.atom is not None and run.atom.tag == "br"


def rebuild(parent: Element, runs: list[Run]) -> None:
    """Runs as nested elements, neighbours with equal marks in one."""
    stack: list[tuple[tuple[str, str], Element]] = []
    for run in runs:
        keep = sum(1 for _ in takewhile(lambda pair: pair[0][0] == pair[1], zip(stack, run.marks, strict=False)))
        del stack[keep:]
        for mark in run.marks[keep:]:
            holder = stack[-1][1] if stack else parent
            stack.append((mark, SubElement(holder, mark[0], {"href": mark[1]} if mark[1] else {})))
        target = stack[-1][1] if stack else parent
        if run.atom is not None:
            target.append(run.atom)
        else:
            add_words(target, run.text)


def add_words(parent: Element, text: str) -> None:
    """Words after all that `parent` holds."""
    if len(parent):
        parent[-1].tail = (parent[-1].tail or "") + text
    else:
        parent.text = (parent.text or "") + text
