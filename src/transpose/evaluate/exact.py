"""Transforms that have no figure, for they are right or wrong: what is exact about each, and the test that says so.

Everything else that is no reader or writer has a measured score in `scores.json`.
"""

from __future__ import annotations

EXACT: dict[str, tuple[str, str]] = {
    "highlights": (
        "each passage with its book, author and place",
        "tests/test_notes_vault.py::test_highlights_are_known_by_their_columns",
    ),
    "highlights-by-book": (
        "each passage once, below its book",
        "tests/test_notes_vault.py::test_highlights_are_set_by_book",
    ),
    "illustrate": (
        "as long as the sound, each picture at its words",
        "tests/test_illustrate.py::test_a_talk_without_pictures_gets_cards_as_long_as_the_sound",
    ),
    "join": ("every text in its order", "tests/test_join.py::test_order_is_kept_and_empty_texts_are_left_out"),
    "lecture": (
        "sound, picture and captions agree to a frame",
        "tests/test_lecture.py::test_sound_picture_and_captions_agree",
    ),
    "sheet": ("Verovio plays the notes back", "tests/test_music_sheet.py::test_verovio_hears_the_same_notes"),
    "sheet-pages": ("Verovio plays the notes back", "tests/test_music_sheet.py::test_verovio_hears_the_same_notes"),
}
