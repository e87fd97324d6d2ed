"""IPA by eSpeak NG, through the library in the espeakng-loader package: GPL-3, so never installed by Transpose."""

from __future__ import annotations

import ctypes
from functools import lru_cache
from importlib import import_module

from transpose.core.errors import MissingPackage, TransformError

RETRIEVE_ONLY = 1  # AUDIO_OUTPUT_RETRIEVAL: no sound device is opened
UTF8 = 1  # espeakCHARS_UTF8
TIED_IPA = 0x02 | 0x80 | (0x361 << 8)  # IPA with U+0361 tying the letters of one sound


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL:
    try:
        espeakng_loader = import_module("espeakng_loader")
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] != "espeakng_loader":
            raise
        hint = "pip install espeakng-loader (GPL-3), or leave phonemizer=gruut"
        raise MissingPackage("phonemizer=espeak needs eSpeak NG", hint) from None
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    library.espeak_TextToPhonemes.argtypes = [ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_int]
    if library.espeak_Initialize(RETRIEVE_ONLY, 0, espeakng_loader.get_data_path().encode(), 0) < 0:
        raise TransformError("eSpeak NG does not start", "Leave phonemizer=gruut")
    return library


def ipa(text: str, voice: str = "en-us") -> str:
    """`text` without punctuation in IPA; words divided by blanks, stress before the vowel.

    `voice` is one of eSpeak NG's languages (en-us, es, it, pt-br); TransformError where it has none of that name.
    """
    if _library().espeak_SetVoiceByName(voice.encode()):
        raise TransformError(f"eSpeak NG has no voice {voice!r}", "Leave phonemizer=gruut")
    rest = ctypes.c_char_p(text.replace("\0", " ").encode())
    clauses = []
    while rest.value:
        clauses.append((_library().espeak_TextToPhonemes(ctypes.byref(rest), UTF8, TIED_IPA) or b"").decode())
    return " ".join(clauses)
