"""The libraries that run a user's own models, one file each.

Every file offers those of these functions that its tasks need, each called with the card and the folder of its
files: `open_chat`, `open_transcriber`, `open_speaker`, `open_embedder`, `open_classifier`, `open_painter`,
`open_film`, `open_composer`. What they return is described in `transpose.models.protocols`.
"""
