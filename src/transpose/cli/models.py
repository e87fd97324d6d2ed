"""`transpose models`: which models there are, which of them lie on this machine, and how to add one's own."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from transpose.cli.models_add import add_actions

if TYPE_CHECKING:
    from transpose.core.errors import WeightsError
    from transpose.models.card import Card

EXAMPLES = """examples:
  transpose models list                  every model, its size and licence, and whether it is here
  transpose models pull local            fetch the recommended set for offline work
  transpose models add llama llama.gguf  a model of your own: see transpose models add --help
  transpose models show whisper-base     files with hashes, sources, notes
  transpose models remove whisper-base   free its space"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `models` to the command line."""
    parser = subparsers.add_parser(
        "models",
        help="list, fetch, remove and show the weights of models",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", metavar="list|pull|add|remove|show|allow|forbid")
    listing = actions.add_parser("list", help="every model, its size and licence, and whether it is here")
    listing.add_argument("--json", action="store_true", help="print JSON")
    pulling = actions.add_parser("pull", help="fetch models, or all of a set such as 'local'")
    pulling.add_argument("names", nargs="+", metavar="NAME", help="a model or a set")
    pulling.add_argument("--source", action="append", metavar="KIND", help="try only these, in this order (repeatable)")
    pulling.add_argument("--folder", action="append", type=Path, metavar="DIR", help="look in DIR/NAME (repeatable)")
    # the command as a whole may have these too: no default of ours hides its value
    suppress = argparse.SUPPRESS
    pulling.add_argument("--offline", action="store_true", default=suppress, help="take only what is on this machine")
    pulling.add_argument("-q", "--quiet", action="store_true", default=suppress, help="do not say what is fetched")
    removing = actions.add_parser("remove", help="free the space of models")
    removing.add_argument("names", nargs="+", metavar="NAME", help="a model or a set")
    showing = actions.add_parser("show", help="all that is known of a model")
    showing.add_argument("name", metavar="NAME")
    showing.add_argument("--json", action="store_true", help="print JSON")
    showing.add_argument("--verify", action="store_true", help="hash the files that are here again")
    add_actions(actions)


def run(args: argparse.Namespace, plugins: Iterable[Path] = ()) -> int:
    """Do what was asked; `plugins` are folders with more cards. Raises TransposeError; returns the exit code."""
    folders = tuple(plugins)
    if args.action in ("list", None):
        return _list(args, folders)
    if args.action == "pull":
        return _pull(args, folders)
    if args.action in ("add", "allow", "forbid"):
        from transpose.cli import models_add

        return int(getattr(models_add, args.action)(args))
    if args.action == "remove":
        return _remove(args, folders)
    return _show(args, folders)


def _list(args: argparse.Namespace, plugins: Sequence[Path]) -> int:
    from transpose.models import shelf
    from transpose.models.card import all_cards
    from transpose.models.pull import megabytes

    cards = all_cards(plugins, complain=_warn)
    if getattr(args, "json", False):
        _print_json([_summary(card) for card in cards.values()])
        return 0
    rows = [("model", "size", "licence", "here", "sets", "what")]
    for card in cards.values():
        yes = "yes" if shelf.ready(card) else "no"
        rows.append((card.name, megabytes(card.size), card.licence, yes, ",".join(card.sets) or "-", card.title))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for name, size, *rest, title in rows:
        cells = [name.ljust(widths[0]), size.rjust(widths[1])]
        cells += [cell.ljust(width) for cell, width in zip(rest, widths[2:], strict=True)]
        print("  ".join([*cells, title]))
    here = [card for card in cards.values() if shelf.ready(card)]
    print(
        f"{len(here)} of {len(cards)} models are here: {megabytes(sum(card.size for card in here))} in {shelf.root()}"
    )
    return 0


def _pull(args: argparse.Namespace, plugins: Sequence[Path]) -> int:
    from transpose.cli.config import load
    from transpose.core.errors import WeightsError
    from transpose.models.pull import ORDER, weights

    failed: list[WeightsError] = []
    for card in _chosen(args.names, plugins):
        try:
            folder = weights(
                card.name,
                offline=getattr(args, "offline", False),
                sources=args.source or load().get("sources") or ORDER,
                quiet=getattr(args, "quiet", False),
                folders=args.folder,
                plugins=plugins,
            )
            print(f"{card.name}: {folder}", flush=True)
        except WeightsError as error:
            failed.append(error)
    if len(failed) > 1:
        together = "\n".join(error.message.rstrip() for error in failed)
        raise type(failed[0])(f"{len(failed)} models could not be had:\n{together}\n", failed[0].hint)
    if failed:
        raise failed[0]
    return 0


def _remove(args: argparse.Namespace, plugins: Sequence[Path]) -> int:
    from transpose.models import learned, shelf
    from transpose.models.adding import forget
    from transpose.models.pull import megabytes

    unfinished = [name for name in args.names if learned.unfinished(name)]
    for name in unfinished:
        print(f"{name}: an unfinished learning; freed {megabytes(learned.remove(name))}")
    for card in _chosen([name for name in args.names if name not in unfinished], plugins):
        freed = shelf.remove(card.name) + (learned.remove(card.name) if card.runtime else 0)
        if card.runtime:
            forget(card)
            print(f"{card.name}: forgotten; freed {megabytes(freed)}")
        else:
            print(f"{card.name}: freed {megabytes(freed)}" if freed else f"{card.name}: was not here")
    return 0


def _show(args: argparse.Namespace, plugins: Sequence[Path]) -> int:
    from transpose.models import shelf
    from transpose.models.card import find_card
    from transpose.models.pull import megabytes

    card = find_card(args.name, plugins)
    verified = _verify(card) if args.verify else None
    if args.json:
        _print_json(_details(card) | ({} if verified is None else {"verified": verified}))
        return 0
    here = f"yes, in {shelf.place(card)}" if shelf.ready(card) else f"no (transpose models pull {card.name})"
    licence = card.licence + (f" ({card.licence_note})" if card.licence_note else "")
    lines = {
        "title": card.title,
        "task": card.task,
        "licence": licence,
        "languages": ", ".join(card.languages) or "-",
        "homepage": card.homepage or "-",
        "sets": ", ".join(card.sets) or "-",
        "notes": card.notes or "-",
        "size": megabytes(card.size),
        "here": here,
        "upstream hash": card.upstream_hash,
    }
    if verified is not None:
        lines["verified"] = "every hash is right" if verified else "not here"
    print(card.name)
    for name, value in lines.items():
        print(f"  {name}: {' '.join(value.split())}")
    _print_files(card)
    return 0


def _print_files(card: Card) -> None:
    print("  files:")
    for file in card.files:
        print(f"    {file.path}  {file.size} bytes  sha256 {file.sha256 or 'made by a conversion: not fixed'}")
    print("  sources:" + ("" if card.sources else " none: name a folder in TRANSPOSE_MODELS"))
    for source in card.sources:
        print(f"    {source.kind}: " + ", ".join(f"{part.name} {part.version}" for part in source.parts))


def _verify(card: Card) -> bool:
    """Whether it is here, with every hash right; raises DamagedWeights for a wrong one."""
    from transpose.core.errors import WeightsError
    from transpose.models import shelf

    if not shelf.place(card).is_dir():
        return False
    try:
        shelf.verify(card, shelf.place(card))
    except WeightsError as error:
        raise type(error)(f"the model {card.name!r} is damaged: {error.message}", _again(card)) from None
    return True


def _warn(error: WeightsError) -> None:
    print(f"transpose: left out: {error}", file=sys.stderr)


def _again(card: Card) -> str:
    return f"Run: transpose models remove {card.name}; transpose models pull {card.name}"


def _chosen(names: Sequence[str], plugins: Sequence[Path]) -> list[Card]:
    """The cards of these names; a name that is no model may be a set."""
    from transpose.core.errors import WeightsError
    from transpose.models.card import all_cards, find_card

    cards = all_cards(plugins, complain=_warn)
    chosen: dict[str, Card] = {}
    for name in names:
        members = {card.name: card for card in cards.values() if name in card.sets}
        if name in cards or not members:
            try:
                members = {name: find_card(name, plugins)}
            except WeightsError as error:
                sets = sorted({word for card in cards.values() for word in card.sets})
                raise WeightsError(error.message, f"{error.hint}; sets: {', '.join(sets) or 'none'}") from None
        chosen |= members
    return list(chosen.values())


def _summary(card: Card) -> dict[str, object]:
    from transpose.models import shelf

    return {
        "name": card.name,
        "title": card.title,
        "task": card.task,
        "licence": card.licence,
        "licence_note": card.licence_note,
        "languages": list(card.languages),
        "sets": list(card.sets),
        "size": card.size,
        "present": shelf.ready(card),
        "folder": str(shelf.place(card)),
    }


def _details(card: Card) -> dict[str, object]:
    from dataclasses import asdict

    return _summary(card) | {
        "homepage": card.homepage,
        "notes": card.notes,
        "upstream_hash": card.upstream_hash,
        "files": [asdict(file) for file in card.files],
        "sources": [
            {"kind": source.kind, "parts": [{"name": part.name, "version": part.version} for part in source.parts]}
            for source in card.sources
        ],
    }


def _print_json(value: object) -> None:
    import json

    print(json.dumps(value, indent=2, ensure_ascii=False))
