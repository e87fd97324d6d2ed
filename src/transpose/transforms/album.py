"""Pictures as a document: each by itself, in their order."""

from __future__ import annotations

from transpose.core.context import Context, Many
from transpose.core.errors import EmptyInput
from transpose.core.transform import transform
from transpose.media.document import Document
from transpose.media.image import Image


@transform("images -> document.album", loses=["wording", "structure", "metadata"])
def album(images: Many[Image], ctx: Context) -> Document:
    """Put pictures into a document, a section each; what they say is not read (for that: `--via read-page`).

    They are kept without loss. Raises EmptyInput for no picture.
    """
    import io

    from PIL import Image as Pictures

    pictures: dict[str, bytes] = {}
    for number, image in enumerate(images, 1):
        out = io.BytesIO()
        pixels = image.pixels[..., 0] if image.pixels.shape[2] == 1 else image.pixels
        Pictures.fromarray(pixels).save(out, "PNG")
        pictures[f"picture-{number}.png"] = out.getvalue()
        ctx.progress(number, images.length, "pictures")
    if not pictures:
        raise EmptyInput("there is no picture for the document", "Give at least one")
    parts = (f'<section><figure><img src="{name}" alt=""/></figure></section>' for name in pictures)
    return Document("".join(parts), pictures)
