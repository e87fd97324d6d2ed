"""What tests need and users may want: fakes with predictable arithmetic, and toy worlds with exact ground truth.

`shapes` draws coloured forms and reads them back, `tones` plays simple sounds and hears them; both are seeded.
"""

from transpose.testing.fakes import FAKES, caption, first_word, french, label, paint, restyle, shout, transcribe, write

__all__ = ["FAKES", "caption", "first_word", "french", "label", "paint", "restyle", "shout", "transcribe", "write"]
