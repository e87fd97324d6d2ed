"""`transpose IN... OUT`: the command itself."""

from __future__ import annotations

import argparse
import sys

from transpose import __version__

TYPE_CHECKING = False  # importing typing would take longer than all the rest
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from transpose.cli.request import Request
    from transpose.core.plan import Plan
    from transpose.session import Artifact, Session
    from transpose.wishes import Wishes

EXAMPLES = """examples:
  transpose talk.wav talk.md                     write down what is said
  transpose talk.mp4 summary.md                  ... and keep the main points (the name asks for it)
  transpose notes.txt speech.mp3 -o speed=1.2    read aloud, a little faster
  transpose page.png page.txt                    read a page
  transpose song.wav song.mid                    write down the notes
  transpose slides.pdf voice.wav talk.mp4        several inputs make one output
  transpose scan.pdf pages/ --to .png            a file for each page
  cat talk.wav | transpose - - --from .wav       from a pipe into a pipe

commands (a file of such a name is ./plan):
  transpose plan IN... OUT    show the route, its models, time and losses, without running it
  transpose list              list transforms, formats, kinds or verbs
  transpose models            list, fetch, remove and show the weights of models
  transpose history FILE      tell how a file was made
  transpose cache             show or empty the cache
  transpose doctor            check this installation
  transpose completion SHELL  print a completion script for bash, zsh or tcsh

exit codes: 0 done, 2 usage, 3 a choice is needed, 1x bad input, 2x no route or bad option, 30 package missing,
3x weights, 4x output, 50 a transform failed, 130 interrupted. All of them: docs/errors.md"""


def parser() -> argparse.ArgumentParser:
    """The parser of `transpose IN... OUT`."""
    made = argparse.ArgumentParser(
        prog="transpose",
        usage="transpose IN... OUT [options]\n       transpose COMMAND ...",
        description="Say what you have and what you want; Transpose finds the way and runs it on this machine.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("--version", action="version", version=f"transpose {__version__}")
    add_request(made)
    running = made.add_argument_group("running")
    running.add_argument("--keep", metavar="DIR", help="keep every value on the way in DIR")
    running.add_argument("--plan", metavar="FILE", help="take the route from a saved plan")
    running.add_argument("--preview", metavar="FILE", help="a PNG that shows the picture in the making, step by step")
    running.add_argument("--force", action="store_true", help="replace OUT where it exists")
    running.add_argument("--no-cache", action="store_true", help="compute everything anew, keep nothing")
    return made


def add_request(made: argparse.ArgumentParser) -> None:
    """Arguments that `transpose` and `transpose plan` share."""
    made.add_argument("paths", nargs="+", metavar="IN... OUT", help="files, literal text in quotes, or - for a pipe")
    meaning = made.add_argument_group("what is meant")
    meaning.add_argument("--to", metavar="NODE", help="goal where OUT has no suffix: .md, text.summary, image.pages")
    meaning.add_argument("--as", dest="kind", metavar="KIND", help="what OUT means: text.summary, text@timed")
    meaning.add_argument(
        "--from", dest="source_kind", metavar="KIND", help="what IN is: audio.speech, image.page, .wav"
    )
    meaning.add_argument(
        "--do", dest="verbs", action="append", default=[], metavar="VERB", help="also do this on the way"
    )
    meaning.add_argument("-p", "--prompt", metavar="PROMPT", help="words for a transform that reads a prompt")
    meaning.add_argument(
        "--with", dest="bind", action="append", default=[], metavar="NAME=IN", help="bind an input by name"
    )
    meaning.add_argument("--text", action="store_true", help="every IN that is no file is literal text")
    meaning.add_argument("--lang", metavar="CODE", help="language of OUT: en, fr, ...")
    meaning.add_argument("--strict", action="store_true", help="take nothing from the name of OUT")
    meaning.add_argument(
        "--creative", action="store_true", help="allow ways that invent, or that carry only a name across"
    )
    way = made.add_argument_group("the way")
    way.add_argument("--via", action="append", default=[], metavar="NAME", help="use this transform")
    way.add_argument("--avoid", action="append", default=[], metavar="NAME", help="never use this transform or model")
    way.add_argument("--prefer", choices=("quality", "speed"), help="what decides between equal meanings")
    way.add_argument(
        "-o", dest="options", action="append", default=[], metavar="NAME=VALUE", help="an option of a step"
    )
    way.add_argument("--seed", type=int, help="for steps that draw at random (default 0)")
    way.add_argument("--offline", action="store_true", help="forbid every connection")
    telling = made.add_argument_group("telling")
    telling.add_argument("-v", "--verbose", action="store_true", help="say more, and show where an error arose")
    telling.add_argument("-q", "--quiet", action="store_true", help="say nothing but errors")
    telling.add_argument("--json", action="store_true", help="tell the result as JSON on stdout")


def run(args: argparse.Namespace) -> int:
    """Plan, run and place the output."""
    from transpose.cli.request import Request

    request = Request(args)
    with request.session() as session:
        if request.each:
            return _run_each(session, request)
        return _run_one(session, request, request.sources(session), request.out)


def _run_each(session: Session, request: Request) -> int:
    """An output for each input. What is wrong with one does not keep the others waiting; all are named at the end."""
    from transpose.cli import complain
    from transpose.core.errors import DiskFull, MissingPackage, TransposeError, UsageError, WeightsError

    sources, failed = request.sources(session), []
    for source in sources:
        try:
            _run_one(session, request, [source], request.out)
        except (UsageError, MissingPackage, WeightsError, DiskFull):
            raise  # so would all that follow
        except TransposeError as error:
            name = getattr(source, "name", source)
            error.message = error.message if name in error.message else f"{name[:60]}: {error.message}"
            failed.append(error)
            complain(error, verbose=request.args.verbose, as_json=request.args.json)
    if failed:
        print(f"transpose: {len(failed)} of {len(sources)} were not made", file=sys.stderr)
    return failed[0].exit_code if failed else 0


def _run_one(session: Session, request: Request, sources: list[Any], out: Path | None) -> int:
    from transpose.core.store import refuse_existing

    if out is not None and not request.folder:
        refuse_existing(out, request.args.force)
    artifact, plan = _made(session, request, sources, out)
    places = _place(session, request, artifact, sources, out)
    if request.args.json:
        _tell_json(session, plan, places)
    elif not request.args.quiet:
        _tell(session, request, plan, places)
    return 0


def _made(session: Session, request: Request, sources: list[Any], out: Path | None) -> tuple[Artifact, Plan]:
    from pathlib import Path

    from transpose.core.plan import Plan

    wishes: Wishes = request.wishes()
    pairs = session.givens(sources, wishes)
    if request.args.plan:
        from transpose.plan_file import load

        made = Plan(load(Path(request.args.plan), session.catalog))
    else:
        made = request.ask(lambda wishes: session.plan_givens(pairs, request.goal(out), 0, wishes), wishes)
    if not request.args.quiet:
        for assumption in made.assumptions:
            print(f"transpose: assuming that {assumption}", file=sys.stderr)
    ask_leave(session, made)
    return session.run_route(made.route, pairs, wishes), made


def ask_leave(session: Session, plan: Plan) -> None:
    """On a terminal, ask once whether a step may send data to its host; elsewhere the run will say that it may not."""
    from transpose.cli.models_add import ask
    from transpose.consent import allow, allowed, destination

    for item in plan.route.transforms(session.catalog):
        host = destination(item)
        if host and host not in allowed() and ask(host):
            allow(host)


def _place(session: Session, request: Request, artifact: Artifact, sources: list[Any], out: Path | None) -> list[Path]:
    """Put the output where it belongs; answers the paths (none for stdout)."""
    from pathlib import Path

    if out is None:
        _to_stdout(artifact)
        return []
    force = request.args.force
    if isinstance(artifact.value, Path):
        target = out / f"{request.stem(sources)}{artifact.value.suffix}" if request.folder else out
        if request.folder:
            out.mkdir(parents=True, exist_ok=True)
        session.place(artifact, target, force=force)
        return [target]
    return session.place_many(artifact, out, request.stem(sources), force=force)


def _to_stdout(artifact: Artifact) -> None:
    import shutil

    with artifact.value.open("rb") as file:
        shutil.copyfileobj(file, sys.stdout.buffer)
    sys.stdout.buffer.flush()


def _tell(session: Session, request: Request, plan: Plan, places: list[Path]) -> None:
    for warning in session.context.warnings:
        print(f"transpose: note: {warning}", file=sys.stderr)
    if places:
        what = str(places[0]) if len(places) == 1 else f"{places[0].parent}/ ({len(places)} files)"
        ran = session.last.ran if session.last else []
        cached = "" if ran else "  (from the cache)"
        print(f"{what}: {plan.route.chain()}{cached}", file=sys.stderr)
    if request.args.verbose and session.last:
        for name, seconds in session.last.timings.items():
            print(f"transpose: {name} took {seconds:.1f} s", file=sys.stderr)


def _tell_json(session: Session, plan: Plan, places: list[Path]) -> None:
    import json

    told = {
        "outputs": [str(place) for place in places],
        "route": plan.route.chain(),
        "steps": [step.transform for step in plan.route.steps],
        "ran": session.last.ran if session.last else [],
        "lost": plan.route.lost,
        "assumptions": plan.assumptions,
        "warnings": session.context.warnings,
    }
    print(json.dumps(told, ensure_ascii=False))
