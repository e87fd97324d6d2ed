"""`transpose completion bash|zsh|tcsh`: a completion script for a shell, made by shtab.

bash: `transpose completion bash > ~/.local/share/bash-completion/completions/transpose`
"""

from __future__ import annotations

import argparse


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `completion` to the command line."""
    parser = subparsers.add_parser(
        "completion", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("shell", choices=("bash", "zsh", "tcsh"))


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    import shtab

    print(shtab.complete(whole_parser(), shell=args.shell))
    return 0


def whole_parser() -> argparse.ArgumentParser:
    """Every option of `transpose IN... OUT`, its files, and every command with its own."""
    from importlib import import_module

    import shtab

    from transpose.cli import COMMANDS
    from transpose.cli.convert import parser

    whole = parser()
    for action in whole._actions:
        if action.dest == "paths":
            whole._remove_action(action)
    subparsers = whole.add_subparsers()
    for name in COMMANDS:
        import_module(f"transpose.cli.{name}").add_parser(subparsers)
    for each in (whole, *subparsers.choices.values()):
        for action in each._actions:
            if action.dest in ("paths", "file", "plan", "save", "keep"):
                action.complete = shtab.FILE  # type: ignore[attr-defined]
    return whole
