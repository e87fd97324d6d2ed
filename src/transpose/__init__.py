"""Transpose: say what you have and what you want; it finds the way through converters and models, and runs it here."""

from __future__ import annotations

from importlib import import_module

__version__ = "0.1.0"

_PUBLIC = {
    "Artifact": "transpose.session",
    "Context": "transpose.core.context",
    "Many": "transpose.core.context",
    "Plan": "transpose.core.plan",
    "Range": "transpose.core.transform",
    "Session": "transpose.session",
    "Transform": "transpose.core.transform",
    "TransposeError": "transpose.core.errors",
    "plan": "transpose.session",
    "run": "transpose.session",
    "transform": "transpose.core.transform",
}

__all__ = [
    "Artifact",
    "Context",
    "Many",
    "Plan",
    "Range",
    "Session",
    "Transform",
    "TransposeError",
    "__version__",
    "plan",
    "run",
    "transform",
]

TYPE_CHECKING = False  # importing typing would take longer than all the rest
if TYPE_CHECKING:
    from transpose.core.context import Context, Many
    from transpose.core.errors import TransposeError
    from transpose.core.plan import Plan
    from transpose.core.transform import Range, Transform, transform
    from transpose.session import Artifact, Session, plan, run


def __getattr__(name: str) -> object:
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
