"""The 128 instruments of General MIDI, in the order of their programs."""

from __future__ import annotations

NAMES = tuple(
    """Acoustic Grand Piano|Bright Acoustic Piano|Electric Grand Piano|Honky-tonk Piano|Electric Piano 1
Electric Piano 2|Harpsichord|Clavinet|Celesta|Glockenspiel|Music Box|Vibraphone|Marimba|Xylophone|Tubular Bells|Dulcimer
Drawbar Organ|Percussive Organ|Rock Organ|Church Organ|Reed Organ|Accordion|Harmonica|Tango Accordion|Nylon Guitar|Steel Guitar
Jazz Guitar|Clean Guitar|Muted Guitar|Overdriven Guitar|Distortion Guitar|Guitar Harmonics|Acoustic Bass|Finger Bass
Pick Bass|Fretless Bass|Slap Bass 1|Slap Bass 2|Synth Bass 1|Synth Bass 2|Violin|Viola|Cello|Contrabass
Tremolo Strings|Pizzicato Strings|Orchestral Harp|Timpani|String Ensemble 1|String Ensemble 2|Synth Strings 1
Synth Strings 2|Choir|Voice|Synth Voice|Orchestra Hit|Trumpet|Trombone|Tuba|Muted Trumpet|French Horn|Brass Section
Synth Brass 1|Synth Brass 2|Soprano Sax|Alto Sax|Tenor Sax|Baritone Sax|Oboe|English Horn|Bassoon|Clarinet|Piccolo
Flute|Recorder|Pan Flute|Blown Bottle|Shakuhachi|Whistle|Ocarina|Square Lead|Sawtooth Lead|Calliope Lead|Chiff Lead
Charang Lead|Voice Lead|Fifths Lead|Bass and Lead|New Age Pad|Warm Pad|Polysynth Pad|Choir Pad|Bowed Pad|Metallic Pad
Halo Pad|Sweep Pad|Rain|Soundtrack|Crystal|Atmosphere|Brightness|Goblins|Echoes|Sci-fi|Sitar|Banjo|Shamisen|Koto
Kalimba|Bagpipe|Fiddle|Shanai|Tinkle Bell|Agogo|Steel Drums|Woodblock|Taiko Drum|Melodic Tom|Synth Drum
Reverse Cymbal|Guitar Fret Noise|Breath Noise|Seashore|Bird Tweet|Telephone Ring|Helicopter|Applause|Gunshot""".replace(  # noqa: E501
        "\n", "|"
    ).split("|")
)
# what scores call the same, where it is not in the name above; the longest word that fits counts
ALIASES = {
    "piano": 0, "klavier": 0, "keyboard": 0, "organ": 19, "orgel": 19, "guitar": 24, "gitarre": 24, "electric bass": 33,
    "bass guitar": 33, "double bass": 43, "violoncello": 42, "violine": 40, "harp": 46, "strings": 48, "soprano": 52,
    "alto": 52, "tenor": 52, "bass": 52, "baritone": 52, "vocals": 52, "horn": 60, "horn in": 60, "sax": 65,
    "cor anglais": 69, "fagott": 70, "posaune": 57, "trompete": 56, "flöte": 73, "flauto": 73, "klarinette": 71,
    "ukulele": 24, "mandolin": 25, "cembalo": 6,
}  # fmt: skip


def name(program: int, channel: int = 0) -> str:
    """What an instrument is called."""
    return "Drums" if channel == 9 else NAMES[program] if program else "Piano"


def program(name: str) -> int | None:
    """The program that the name of a part means ("Clarinet in Bb 2"), or None."""
    known = {each.lower(): number for number, each in enumerate(NAMES)} | ALIASES
    held = name.lower()
    fitting = [each for each in known if each in held]
    return known[max(fitting, key=len)] if fitting else None
