"""`transpose models add|allow|forbid`: a model of one's own becomes transforms; which hosts may be sent data."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transpose.models.card import Card

EXAMPLES = """examples:
  transpose models add llama ~/llama-3.2-1b.gguf          then: transpose notes.md summary.md --via llama-summarize
  transpose models add ollama http://localhost:11434/v1 --model llama3.2
  transpose models add gpt https://api.example.com/v1 --model small --key-env EXAMPLE_KEY --allow
  transpose models add e5 intfloat/multilingual-e5-small         fetched from the Hugging Face hub
  transpose models add painter ~/models/stable-diffusion         a folder of diffusers: text-to-image"""


def add_actions(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `add`, `allow` and `forbid` to `transpose models`."""
    adding = actions.add_parser(
        "add",
        help="add a model of your own: a file, a folder, a repository or a server",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    adding.add_argument(
        "name", metavar="NAME", help="what to call it: its transforms are NAME-write, NAME-summarize ..."
    )
    adding.add_argument(
        "where",
        metavar="WHERE",
        help="a .gguf file, a folder, owner/name on the hub, or http://... of an OpenAI-like server",
    )
    adding.add_argument(
        "--task", default="", help="what it does, where its files leave that open: text-generation, ..."
    )
    adding.add_argument("--model", default="", metavar="NAME", help="of a server: its name for the model")
    adding.add_argument(
        "--key-env", default="", metavar="VARIABLE", help="of a server: the variable that holds the key"
    )
    adding.add_argument("--licence", default="", help="where its files do not tell, as in Apache-2.0")
    adding.add_argument(
        "--languages", default="", metavar="CODES", help="as in en,de,fr: translators are made for these"
    )
    adding.add_argument("--file", default="", help="of a repository: the one file that is wanted")
    adding.add_argument("--revision", default="", help="of a repository: branch, tag or commit")
    adding.add_argument("--convert", action="store_true", help="convert pickled weights to safetensors, once")
    adding.add_argument("--allow", action="store_true", help="of a server elsewhere: it may be sent data")
    adding.add_argument("--force", action="store_true", help="replace a model of that name")
    allowing = actions.add_parser("allow", help="let transforms send data to a host; without HOST: list them")
    allowing.add_argument("host", nargs="?", metavar="HOST")
    forbidding = actions.add_parser("forbid", help="take that back")
    forbidding.add_argument("host", metavar="HOST")


def add(args: argparse.Namespace) -> int:
    """Make the card, try it, list it; a card whose first run fails is not kept."""
    from transpose.models.adding import Wish, forget, make_card, write_card

    wish = Wish(
        args.name,
        args.where,
        args.task,
        args.model,
        args.key_env,
        args.licence,
        tuple(filter(None, args.languages.split(","))),
        args.file,
        args.revision,
        args.convert,
        args.force,
    )
    card = make_card(wish, _say)
    _permit(card, allow=args.allow)
    before = card.origin.read_bytes() if card.origin.exists() else None
    write_card(card, smoke="")
    try:
        told = _try(card)
    except BaseException:  # also Ctrl-C: what failed its first run is not kept
        forget(card) if before is None else card.origin.write_bytes(before)
        raise
    write_card(card, smoke=told)
    _tell(card, told)
    return 0


def _permit(card: Card, *, allow: bool) -> None:
    """Ask for leave to send data to another machine, where somebody can answer."""
    from transpose.consent import allow as write_down
    from transpose.consent import allowed
    from transpose.core.errors import ConsentError

    runtime = card.runtime
    if runtime is None or not runtime.remote or runtime.host in allowed():
        return
    if not allow and not ask(runtime.host):
        raise ConsentError(f"{card.name!r} sends what it is given to {runtime.host}", "If that is right, add --allow")
    write_down(runtime.host)


def ask(host: str) -> bool:
    """A question on the terminal; no, where there is none."""
    if not sys.stdin.isatty():
        return False
    return input(f"transpose: may data be sent to {host}? [y/N] ").strip().lower() in ("y", "yes")


def _try(card: Card) -> str:
    from transpose.core.catalog import missing_modules
    from transpose.core.context import Context
    from transpose.core.errors import MissingPackage
    from transpose.models.pull import weights
    from transpose.own import transforms_of
    from transpose.smoke import smoke

    for item in transforms_of(card):
        if lacking := missing_modules(item):
            extra = f"pip install 'transpose-ai[{item.extra}]'" if item.extra else f"pip install {' '.join(lacking)}"
            raise MissingPackage(f"{card.name!r} needs {', '.join(lacking)}", f"Run: {extra}")
    return smoke(card, Context(weights=lambda name: weights(name, quiet=True)), _say)


def _tell(card: Card, told: str) -> None:
    from transpose.own import transforms_of

    print(f"{card.name}: {card.title}, licence {card.licence}; first run: {told}")
    items = transforms_of(card)
    codes = [item.name.rpartition("-")[2] for item in items if item.does == "translate"]
    for item in items:
        if item.does != "translate":
            print(f"  {item.name}: {item}")
    if codes:
        print(f"  {card.name}-translate-LANG: text -> text@LANG, for {' '.join(codes)}")


def _say(line: str) -> None:
    print(f"transpose: {line}", file=sys.stderr, flush=True)


def allow(args: argparse.Namespace) -> int:
    """Allow a host, or list those that are."""
    from transpose.consent import allow as write_down
    from transpose.consent import allowed

    if args.host:
        write_down(args.host)
        print(f"data may be sent to {args.host}")
    else:
        print("\n".join(sorted(allowed())) or "data may be sent nowhere")
    return 0


def forbid(args: argparse.Namespace) -> int:
    """Take the leave for a host back."""
    from transpose.consent import forbid as take_back

    print(f"data may {'no longer ' if take_back(args.host) else 'not '}be sent to {args.host}")
    return 0
