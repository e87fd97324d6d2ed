"""Teaching: networks in PyTorch, how they are trained, how they become folders that run without it (extra `learn`).

The modules here import PyTorch at their top, so whoever uses them calls `require` and imports them inside a function.
"""

from transpose.core.errors import MissingPackage

NEEDS = ("torch", "safetensors", "onnx")


def require(*more: str) -> None:
    """See that PyTorch and what else learning needs can be imported. Raises MissingPackage, which names the extra."""
    from importlib.util import find_spec

    if missing := [name for name in (*NEEDS, *more) if find_spec(name) is None]:
        raise MissingPackage(f"learning needs {' and '.join(missing)}", "pip install 'transpose-ai[learn]'")
