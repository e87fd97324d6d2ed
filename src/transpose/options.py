"""Options of a request, given to the steps that have them."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from transpose.core.errors import OptionError
from transpose.core.transform import Scalar, Transform


def check_options(options: dict[str, Scalar], transforms: Sequence[Transform]) -> dict[str, dict[str, Scalar]]:
    """Give each option to every transform that has it; raises OptionError naming the nearest for a typo."""
    known = {option.name: option for item in transforms for option in item.options}
    for name in options:
        if name not in known:
            near = get_close_matches(name, known, 1)
            where = ", ".join(sorted(known)) or "none"
            hint = f"Did you mean {near[0]!r}?" if near else f"Options on this route: {where}"
            raise OptionError(f"no step of this route has an option {name!r}", hint)
    return {
        item.name: {o.name: o.parse(options[o.name]) for o in item.options if o.name in options} for item in transforms
    }
