"""`transpose learn`: teach a model a style or a subject from your own pictures, on this machine."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

    from transpose.core.context import Context
    from transpose.learn.order import Order
    from transpose.learn.terms import Measure, Outcome, Watch
    from transpose.models.card import Card

EXAMPLES = """examples:
  transpose learn style papercuts/ --name papercut        pictures, with fox.txt beside fox.png where you like
  transpose "a fox" fox.png --via papercut
  transpose learn subject a.png b.png c.png --name mycat --class-word cat
  transpose "mycat on the moon" out.png --via mycat
  transpose photo.png out.png --via mycat-repaint -p "mycat"      change a picture
  transpose learn style papercuts/ --name papercut --minutes 5 --rank 4 --force
  transpose learn style papercuts/ --name cutout --base my-diffusers-model

Ctrl-C stops and keeps what was learned; the same command goes on. Everything lies in $TRANSPOSE_HOME/learned/NAME
(else the user's configuration folder), with report.html: curve, samples, figures."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `learn` to the command line."""
    parser = subparsers.add_parser(
        "learn",
        help="teach a model a style or a subject from your own pictures",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    methods = parser.add_subparsers(dest="method", metavar="style|subject", required=True)
    style = methods.add_parser("style", help="what the pictures in a folder have in common (LoRA)")
    style.add_argument("pictures", nargs=1, type=Path, metavar="FOLDER", help="pictures, captions beside them if any")
    subject = methods.add_parser("subject", help="one thing from three pictures or more (DreamBooth)")
    subject.add_argument("pictures", nargs="+", type=Path, metavar="PICTURE", help="of the subject and nothing else")
    subject.add_argument(
        "--class-word", default="", metavar="WORD", help="what it is one of: cat; keeps other cats as they are"
    )
    subject.add_argument(
        "--prior", type=_number(0, 1000), default=64, metavar="N", help="pictures that preserve the class (default 64)"
    )
    for each in (style, subject):
        each.add_argument("--name", required=True, help="what to call it: the name that --via and prompts use")
        each.add_argument("--base", default="", metavar="CARD", help="the model to teach (default picture-diffusion)")
        each.add_argument("--steps", type=_number(1, 100_000), default=600, help="at most so many (default 600)")
        each.add_argument("--minutes", type=_number(0.01, 10_000), default=12.0, help="at most so long (default 12)")
        each.add_argument("--rank", type=_number(1, 256), default=8, help="size of the adapter (default 8)")
        each.add_argument("--rate", type=_number(1e-6, 1.0), default=1e-3, help="of learning (default 0.001)")
        each.add_argument("--seed", type=_number(0, 2**31), default=0, help="of all that is drawn (default 0)")
        each.add_argument("--force", action="store_true", help="begin anew, and replace a model of that name")
        each.add_argument("-q", "--quiet", action="store_true", help="say nothing but errors")
        each.add_argument("-v", "--verbose", action="store_true", help="show where an error arose")


class _number:  # noqa: N801  # argparse shows a type's name where a value is wrong
    """A number from `least` to `most`, whole where `least` is."""

    def __init__(self, least: float, most: float) -> None:
        self.least, self.most = least, most

    def __call__(self, text: str) -> float:
        try:
            value = int(text) if isinstance(self.least, int) else float(text)
        except ValueError:
            value = float("nan")
        if not self.least <= value <= self.most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {self.least} to {self.most}")
        return value


def run(args: argparse.Namespace) -> int:
    """Learn, or go on; try the card, list it, tell how to use it."""
    from transpose.core.context import Context
    from transpose.learn import require
    from transpose.learn.order import learn
    from transpose.models.pull import weights

    require("peft")
    order = _order(args)
    ctx = Context(threads=1, seed=order.dials.seed, weights=lambda name: weights(name, quiet=args.quiet))
    show = _Show(order, quiet=args.quiet)
    try:
        with show:
            card, outcome = learn(order, ctx, show.say, show.watch())
    except KeyboardInterrupt:
        outcome = None
    if outcome is None or outcome.why == "stopped":
        print(f"transpose: stopped; the same command goes on with {order.name!r}", file=sys.stderr)
        return 130
    _list(card, order, outcome, ctx, show)
    return 0


def _order(args: argparse.Namespace) -> Order:
    from transpose.learn.examples import read_folder, read_pictures
    from transpose.learn.order import BASE, Order, check_name
    from transpose.learn.terms import Dials

    check_name(args.name, force=args.force)
    _check_transforms(args.name)
    examples = read_folder(args.pictures[0], _say) if args.method == "style" else read_pictures(args.pictures)
    word = getattr(args, "class_word", "").strip()
    dials = Dials(args.rank, args.steps, args.minutes * 60, args.rate, seed=args.seed)
    prior = getattr(args, "prior", 0) if word else 0
    return Order(args.method, args.name, tuple(examples), dials, args.base or BASE, word, prior, args.force)


def _check_transforms(name: str) -> None:
    """What is learned becomes a transform of its name: no other may be called so."""
    from transpose.core.catalog import cache_home
    from transpose.core.errors import UsageError
    from transpose.index import load_catalog

    catalog = load_catalog(cache_home())
    known = {each for item in catalog for each in (item.name, item.does) if (("_model", name) not in item.bound)}
    if taken := known & {name, f"{name}-repaint"}:
        raise UsageError(f"{taken.pop()!r} is the name of a transform", "Choose another --name")


class _Show:
    """What is said while it learns, the page that grows, and the signals that end it."""

    def __init__(self, order: Order, *, quiet: bool) -> None:
        self.order, self.quiet = order, quiet
        self.measures: list[Measure] = []
        self.asked = self.stopping = False
        self.since = time.monotonic()

    def say(self, line: str) -> None:
        """A line on the error stream."""
        if not self.quiet:
            _say(line)

    def watch(self) -> Watch:
        """What `adapt` tells and asks."""
        from transpose.learn.terms import Watch

        return Watch(self.tell, self.stop)

    def tell(self, measure: Measure) -> None:
        """A measurement: one line, and the page anew."""
        from transpose.learn.report import spark
        from transpose.learn.terms import read_measures

        self.measures = read_measures(self.order.folder)
        best = min(each.heldout for each in self.measures) + 1e-6  # they are written with six digits
        mark = " best so far" if measure.heldout < best else ""
        losses = spark([each.heldout for each in self.measures])
        self.say(
            f"step {measure.step} of {self.order.dials.steps}, {_clock(measure.seconds)}: loss {measure.loss:.4f}, "
            f"held out {measure.heldout:.4f}{mark}  {losses}"
        )
        self.page("")

    def stop(self) -> bool:
        """Whether Ctrl-C was pressed; from the first question on, it ends learning in good order."""
        self.asked = True
        return self.stopping

    def page(self, done: str) -> None:
        """Write report.html."""
        from transpose.core.store import atomic
        from transpose.learn.order import story
        from transpose.learn.report import page

        told = story(self.order, self.measures, done)
        with atomic(self.order.folder / "report.html", force=True) as temporary:
            temporary.write_text(page(told, self.order.folder, self.order.examples), encoding="utf-8")

    def __enter__(self) -> _Show:
        self.before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
        for each in self.before:
            signal.signal(each, self._heard)
        return self

    def __exit__(self, *error: object) -> None:
        for each, handler in self.before.items():
            signal.signal(each, handler)

    def _heard(self, number: int, frame: FrameType | None) -> None:
        if not self.asked or self.stopping:
            raise KeyboardInterrupt
        self.stopping = True
        self.say("stopping after this step (once more: at once)")


def _list(card: Card, order: Order, outcome: Outcome, ctx: Context, show: _Show) -> None:
    """Try the card; list it if it works."""
    from transpose.learn.order import finish, tries
    from transpose.models.adding import forget, write_card
    from transpose.own import transforms_of
    from transpose.smoke import smoke

    before = card.origin.read_bytes() if card.origin.exists() else None
    write_card(card, smoke="")
    try:
        told = smoke(card, ctx, show.say)
    except BaseException:  # also Ctrl-C: what failed its first run is not kept
        forget(card) if before is None else card.origin.write_bytes(before)
        raise
    write_card(card, smoke=told)
    size = sum(file.size for file in card.files) / 1e6
    done = (
        f"{outcome.steps} steps in {_clock(outcome.seconds)} (ended: {outcome.why}); best at step {outcome.best_step}; "
        f"adapter {size:.2f} MB, {outcome.share:.1%} of the base's parameters; base unchanged"
    )
    show.page(done)
    finish(order, card)
    if show.quiet:
        return
    print(f"{card.name}: {done}; first run: {told}")
    for item in transforms_of(card):
        print(f"  {item.name}: {item}")
    print(f"report: {order.folder / 'report.html'}")
    print("\n".join(f"  {each}" for each in tries(order)))


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _say(line: str) -> None:
    print(f"transpose: {line}", file=sys.stderr, flush=True)
