"""Make a mesh of fewer faces that looks the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from transpose.core.context import Context
from transpose.core.errors import TransformError
from transpose.core.transform import Range, transform
from transpose.media.mesh import Mesh, merged

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@transform("mesh -> mesh", verb=True, loses=["detail"], needs=["fast_simplification"], extra="science")
def simplify(
    mesh: Mesh,
    ctx: Context,
    *,
    share: Annotated[float, Range(0.001, 1), "of the faces to keep"] = 0.25,
    faces: Annotated[int, Range(0, 20_000_000), "to keep, instead of a share; 0: use the share"] = 0,
) -> Mesh:
    """Take edges away where the surface changes least, until so many faces are left.

    Quadric error metrics (Garland and Heckbert 1997), in Sven Forstmann's fast form. A point takes the mean colour of
    those that fell together in it; lines between colours stay. Raises TransformError where nothing would be left.
    """
    import fast_simplification  # type: ignore[import-untyped]
    import numpy as np

    whole = merged(mesh)
    wanted = min(len(whole.faces), faces or max(4, round(len(mesh.faces) * share)))
    points, left, collapses = fast_simplification.simplify(
        whole.vertices.astype(np.float64),
        whole.faces,
        target_count=wanted,
        agg=5.0,
        preserve_border=mesh.colours is not None,
        return_collapses=True,
    )
    if not len(left):
        raise TransformError(f"no surface is left with {wanted} faces", "Keep more: -o share=0.5")
    if len(left) > 1.2 * wanted + 4:
        ctx.warn(f"{len(left):,} faces are left, not {wanted:,}: the surface could not be made simpler")
    ctx.note("faces", len(left))
    colours = None
    if whole.colours is not None:
        mapped = fast_simplification.replay_simplification(whole.vertices.astype(np.float64), whole.faces, collapses)[2]
        colours = _means(whole.colours, mapped, len(points))
    made = points.astype(np.float32 if mesh.vertices.dtype == np.float32 else np.float64)
    return Mesh(made, np.ascontiguousarray(left, np.int32), colours, mesh.up, mesh.name)


def _means(colours: NDArray[np.uint8], mapped: NDArray[np.int64], count: int) -> NDArray[np.uint8]:
    """Mean colour (count, 4) of all old points (n, 4) that became each new one."""
    import numpy as np

    sums = np.stack([np.bincount(mapped, colours[:, each], minlength=count)[:count] for each in range(4)], 1)
    many = np.maximum(np.bincount(mapped, minlength=count)[:count], 1)
    return np.round(sums / many[:, None]).astype(np.uint8)
