"""The command line. Only argparse is imported at start; every command imports what it needs when it runs."""

from __future__ import annotations

import argparse
import os
import sys

TYPE_CHECKING = False  # importing typing would take longer than all the rest
if TYPE_CHECKING:
    from collections.abc import Sequence

    from transpose.core.errors import TransposeError

COMMANDS = {
    "plan": "show the route, its models, time and losses, without running it",
    "list": "list transforms, formats, kinds or verbs",
    "models": "list, fetch, remove and show the weights of models",
    "learn": "teach a model a style or a subject from your own pictures",
    "eval": "tell how good each transform is, and measure it here",
    "bench": "measure speed and memory on this machine",
    "history": "tell how a file was made",
    "cache": "show or empty the cache",
    "doctor": "check this installation",
    "completion": "print a completion script for a shell",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; answers the exit code."""
    # two threads of OpenMP were far slower than one on small models and small machines
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 2) - 1)))
    arguments = [*(sys.argv[1:] if argv is None else argv)]  # `list` is a command of this package
    try:
        return _dispatch(arguments)
    except KeyboardInterrupt:
        print("transpose: interrupted; no output was written", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def _dispatch(arguments: list[str]) -> int:
    if arguments and arguments[0] in COMMANDS:
        from importlib import import_module

        command = import_module(f"transpose.cli.{arguments[0]}")
        parser = command_parser(arguments[0])
    else:
        from transpose.cli import convert as command

        parser = command.parser()
    args = parser.parse_args(arguments)
    stop_on_terminate()
    from transpose.core.errors import TransposeError

    try:
        return int(command.run(args))
    except TransposeError as error:
        return complain(error, verbose=getattr(args, "verbose", False), as_json=getattr(args, "json", False))
    except (BrokenPipeError, EOFError):
        raise
    except Exception as error:  # a fault of ours: one line all the same, and the traceback on request
        told = TransposeError(f"{type(error).__name__}: {error}", "This is a fault of Transpose; -v shows where")
        told.__cause__ = error
        return complain(told, verbose=getattr(args, "verbose", False), as_json=getattr(args, "json", False))


def command_parser(name: str) -> argparse.ArgumentParser:
    """The parser of one command, and of nothing else, so that no other command is imported."""
    from importlib import import_module

    whole = argparse.ArgumentParser(prog="transpose")
    import_module(f"transpose.cli.{name}").add_parser(whole.add_subparsers(required=True))
    return whole


def complain(error: TransposeError, *, verbose: bool, as_json: bool) -> int:
    """Say what went wrong in one line on stderr (and as JSON on stdout); answers the exit code."""
    if verbose:
        import traceback

        traceback.print_exception(error)
    print(f"transpose: {error}", file=sys.stderr)
    if as_json:
        import json

        from transpose.core.errors import AmbiguousError

        told: dict[str, object] = {"type": type(error).__name__, "message": error.message, "hint": error.hint}
        told |= {"exit_code": error.exit_code, "retryable": error.retryable}
        if isinstance(error, AmbiguousError):
            told["choices"] = error.choices
        print(json.dumps({"error": told}, ensure_ascii=False))
    return error.exit_code


def stop_on_terminate() -> None:
    """Let SIGTERM unwind the stack, so that temporaries are removed."""
    import signal

    def stop(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, stop)
