"""Bad input for every reader of the catalog: a value that can be used or one clear line, and never anything else.

Each suffix of each reader gets files that are empty, random, of another format, cut short, or a good one with flipped
bytes. What lies in a value is drained to its end, because much is read when it is asked for. Then the writers: no
folder, no leave to write. A new leaf is covered as soon as it is in the catalog.
"""

from __future__ import annotations

import gzip
import io
import os
import random
import re
import sys
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest

from transpose.cli import main
from transpose.core.catalog import missing_modules
from transpose.core.context import Context, Many
from transpose.core.errors import DamagedInput, InputError, SilentInput, TransposeError
from transpose.core.kind import Node
from transpose.core.route import Route
from transpose.core.run import Run, Source
from transpose.core.store import load_value, save_value
from transpose.core.transform import Transform, transform
from transpose.evaluate.samples import FILES, SAMPLES, timed
from transpose.index import load_catalog
from transpose.media.audio import Audio
from transpose.media.document import Document, faults
from transpose.media.mesh import Mesh
from transpose.media.molecule import Molecule
from transpose.media.mux import Codecs, Film, encode
from transpose.media.score import Score
from transpose.media.table import Table
from transpose.media.text import Text
from transpose.media.video import Video

SEEDS = int(os.environ.get("TRANSPOSE_TEST_SEEDS", "8"))  # flipped files of each suffix; more of them dig deeper
MOST_SECONDS = 20 * max(1, SEEDS // 8)  # for the few files of one test
MOST_MB = 500  # by which one file may raise the peak of the process
MOST_LINES = 5  # of warnings and of what libraries say on stderr, for one small file

with TemporaryDirectory() as home:
    CATALOG = load_catalog(Path(home))
READERS = [item for item in CATALOG if item.reads and not missing_modules(item)]
WRITERS = [item for item in CATALOG if item.writes and not missing_modules(item) and len(item.slots) == 1]
PLACES = [(item, node.name) for item in READERS for node in item.slots[0].nodes]

# -- good files ----------------------------------------------------------------------------------------------------

# a suffix that is written as another is
ALIKE = {".htm": ".html", ".xhtml": ".html", ".docm": ".docx", ".pptm": ".pptx", ".ppsx": ".pptx", ".xlsm": ".xlsx"}
ALIKE |= {".odp": ".odt", ".ott": ".odt", ".arrow": ".feather", ".m4v": ".mp4"}
ALIKE |= {".mpeg": ".mpg", ".mts": ".ts", ".m2ts": ".ts", ".asf": ".wmv"}
FILMS = {
    ".avi": Codecs("avi", "mpeg4", "yuv420p", "mp2"),
    ".mpg": Codecs("mpeg", "mpeg2video", "yuv420p", "mp2"),
    ".ts": Codecs("mpegts", "libx264", "yuv420p", "aac"),
    ".flv": Codecs("flv", "flv", "yuv420p", "aac"),
    ".wmv": Codecs("asf", "wmv2", "yuv420p", "wmav2"),
    ".3gp": Codecs("3gp", "libx264", "yuv420p", "aac"),
}
FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>Harbour</title><link>https://example.org/</link>
<item><title>Cod</title><pubDate>Mon, 06 Jan 2025 10:00:00 GMT</pubDate><description>&lt;p&gt;dried&lt;/p&gt;
</description></item></channel></rss>"""
WORDS = {
    ".eml": """From: Ada <a@example.org>\nTo: Bob <b@example.org>\nSubject: =?utf-8?q?=C3=98re?=
Date: Mon, 06 Jan 2025 10:00:00 +0000\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="x"\n
--x\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: base64\n\nPHA+SGVsbG88L3A+\n
--x\nContent-Type: text/csv; name="a.csv"\nContent-Disposition: attachment; filename="a.csv"\n\n1,2\n--x--\n""",
    ".ipynb": """{"nbformat": 4, "nbformat_minor": 5, "metadata": {"language_info": {"name": "python"}}, "cells": [
{"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["# Cod\\n", "$x^2$"]},
{"cell_type": "code", "id": "b", "metadata": {}, "execution_count": 1, "source": "1/0", "outputs": [
{"output_type": "stream", "name": "stdout", "text": ["2\\n"]},
{"output_type": "execute_result", "data": {"text/html": "<b>x</b>"}, "execution_count": 1, "metadata": {}},
{"output_type": "error", "ename": "ZeroDivisionError", "evalue": "x", "traceback": ["a"]}]}]}""",
    ".rst": """Cod\n===\n\nSome *words* and ``code`` [1]_.\n\n- one\n- two\n\n====  ====\nyear  tons\n====  ====
1500  12\n1600  18\n====  ====\n\n.. code-block:: python\n\n   x = 1\n\n.. [1] A note.\n""",
    ".tex": """\\documentclass{article}\n\\title{Cod}\n\\begin{document}\\maketitle\n\\section{Trade}
Some \\emph{words} and $x^2$.\n\\begin{itemize}\\item one \\item two\\end{itemize}
\\begin{tabular}{lr} year & tons \\\\ 1500 & 12 \\end{tabular}\n\\[ \\frac{1}{2} \\]\n\\end{document}\n""",
    ".rss": FEED,
    ".rtf": r"""{\rtf1\ansi{\fonttbl{\f0 Arial;}}{\b Cod} and caf\'e9\par {\listtext\'b7\tab}one\par
\trowd\cellx1\cellx2\intbl year\cell tons\cell\row\pard {\field{\*\fldinst HYPERLINK "https://e.org"}{\fldrslt x}}}""",
    ".xml": FEED,
    ".atom": """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Harbour</title>
<updated>2025-01-06T10:00:00Z</updated><entry><title>Cod</title><link href="https://example.org/1"/>
<updated>2025-01-06T10:00:00Z</updated><content type="html">&lt;p&gt;dried&lt;/p&gt;</content></entry></feed>""",
    ".cube": "TITLE \"warm\"\nLUT_3D_SIZE 2\n0 0 0\n1 0 0\n0 1 0\n1 1 0\n0 0 .8\n1 0 .8\n0 1 .8\n1 1 .8\n",
    ".mol2": """@<TRIPOS>MOLECULE\nwater\n 3 2 0 0 0\nSMALL\nNO_CHARGES\n\n@<TRIPOS>ATOM
 1 O1 0.000 0.000 0.000 O.3 1 HOH 0.0\n 2 H1 0.957 0.000 0.000 H 1 HOH 0.0\n 3 H2 -0.24 0.927 0.000 H 1 HOH 0.0
@<TRIPOS>BOND\n 1 1 2 1\n 2 1 3 1\n""",
    ".timeline": """schema = "transpose.timeline/1"\nsound = "tone.wav"\nsize = "320x180"\ntheme = "dark"\n
[[show]]\nstart = "0:00.00"\nend = "0:02.00"\ncard = "Cod"\n\n[[caption]]\nstart = 0.5\nend = 1.0\ntext = "dried"\n""",
}  # fmt: skip


def film(suffix: str, path: Path) -> None:
    """One second of a moving bar with a tone."""
    given: Video = SAMPLES["video"]()
    shots = (shot for shot in given.part(0, 10))
    sound = SAMPLES["audio"]().blocks(0.5, rate=44_100, stop=1.0)
    encode(Film(128, 96, Fraction(25), shots, sound, 44_100, 1, 96_000), path, FILMS[suffix])


def archive(path: Path) -> None:
    """A ZIP of a text and a program."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("cod.md", "# Cod\n\ndried\n" * 5)
        file.writestr("src/cod.py", "print('cod')\n" * 5)


@cache
def good(suffix: str, modality: str) -> bytes:
    """The bytes of a good file: made by hand, or by a writer of the catalog (one of `modality` first); else nothing."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"good{suffix}"
        if suffix in WORDS:
            return WORDS[suffix].encode()
        if suffix in ALIKE:
            return good(ALIKE[suffix], modality)
        if suffix == ".svgz":
            return gzip.compress(good(".svg", modality), mtime=0)
        if suffix in FILMS:
            film(suffix, path)
        elif suffix == ".zip":
            archive(path)
        else:
            _write(suffix, modality, path)
        return path.read_bytes() if path.exists() else b""


def _write(suffix: str, modality: str, path: Path) -> None:
    fitting = [item for item in WRITERS if any(node.name == suffix for node in item.targets)]
    fitting.sort(
        key=lambda item: (
            item.slots[0].nodes[0].modality != modality,
            item.name != "write-molecule-svg",
            bool(item.models),  # there are none here
        )
    )
    if fitting:
        fitting[0].function(value_for(fitting[0]), path, context(path.parent))


def context(folder: Path) -> Context:
    """A context for one step, which may be a recipe."""

    def call(name: str, values: tuple[Any, ...], options: dict[str, Any]) -> Any:
        if CATALOG[name].models:
            raise SilentInput(f"{name} finds nothing: no models here")
        return CATALOG[name].function(*values, ctx, **options)

    ctx = Context(threads=1, folder=folder, runner=call)
    return ctx


def value_for(writer: Transform) -> Any:
    """A small value that a writer takes."""
    node = writer.slots[0].nodes[0]
    value = sample(node)
    return Many(lambda: [value], 1) if node.many else value


@cache
def sample(node: Node) -> Any:
    """The sample of a modality."""
    if node.modality in FILES:
        suffix, content = FILES[node.modality]
        with TemporaryDirectory() as folder:
            source = Path(folder) / f"given{suffix}"
            source.write_text(content, encoding="utf-8")
            reads = (r for r in READERS if r.slots[0].nodes[0].name in (suffix, ".pdb"))
            reader = next(r for r in reads if any(each.name == suffix for each in r.slots[0].nodes))
            read = reader.function(source, Context())
            return next(iter(read)) if isinstance(read, Many) else read
    if node.name == "text.prompt":
        return Text("warm, faded")
    return timed() if node.facet("timed") else SAMPLES[node.modality]()


# -- bad files -----------------------------------------------------------------------------------------------------


def other_formats() -> dict[str, bytes]:
    """Files of common formats, whole or as good as."""
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as file:
        file.writestr("a.bin", bytes(range(256)))
    return {
        "png": good(".png", "image"),
        "zip": zipped.getvalue(),
        "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\n" * 4,
        "text": ("Øre, cod and 3 ships.\n" * 20).encode(),
        "nul": bytes(300),
    }


def flipped(data: bytes, seed: int) -> bytes:
    """The same file with twenty bits turned over; with three where the seed is odd, which gets past the first look."""
    found, dice = bytearray(data), random.Random(seed)
    for _ in range(3 if seed % 2 else 20):
        found[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    return bytes(found)


def flipped_inside(data: bytes, seed: int) -> bytes:
    """A ZIP package whose members are flipped, with checksums that are right again."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for number, name in enumerate(old.namelist()):
            member = old.read(name)
            unlucky = member and random.Random(f"{seed} {number}").random() < 0.3
            new.writestr(name, flipped(member, seed) if unlucky else member)
    return made.getvalue()


def bad(harm: str, suffix: str, modality: str) -> dict[str, bytes]:
    """Bad files of one sort, by the name of what was done; none where no good file can be made."""
    if harm == "empty or random":
        return {"empty": b"", **{f"random{seed}": random.Random(seed).randbytes(200) for seed in range(2)}}
    if harm == "other":
        return other_formats()
    whole = good(suffix, modality)
    if harm == "cut":
        return {f"cut{share}": whole[: len(whole) * share // 100] for share in (30, 60, 90) if whole}
    found = {f"flip{seed}": flipped(whole, seed) for seed in range(SEEDS) if whole}
    if whole.startswith(b"PK"):
        found |= {f"inside{seed}": flipped_inside(whole, seed) for seed in range(SEEDS)}
    return found


Heard = Callable[[], list[str]]
UNSEEN = (DeprecationWarning, PendingDeprecationWarning, ResourceWarning)  # what Python hides by itself
HARMS = ("empty or random", "other", "cut", "flipped")


# -- the check -----------------------------------------------------------------------------------------------------


def drain(value: object, node: Node, folder: Path) -> None:
    """Use all of a value: each item of many, each frame and sample, and once through the store."""
    if isinstance(value, Video):
        for _ in value.shots():
            pass
        value = value.audio
    if isinstance(value, Audio):
        assert all(np.isfinite(block).all() for block in value.blocks()), "samples that are not numbers"
    elif value is not None:
        save_value(value, node, folder)
        loaded = load_value(node, folder)
        for item in loaded if isinstance(loaded, Many) else [loaded]:
            use(item)


def use(value: object) -> None:
    """Look at the inside of one value."""
    if isinstance(value, Document):
        assert not list(faults(value)), list(faults(value))
    elif isinstance(value, Table):
        value.rows()
    elif isinstance(value, Score):
        list(value.notes())
    elif isinstance(value, Mesh):
        assert np.isfinite(value.corners()).all(), "points that are not numbers"
    elif isinstance(value, Molecule):
        value.rdkit()


def untidy(error: TransposeError) -> str:
    """What keeps an error from being one good line; nothing where it is one."""
    said = error.message
    for text in (said, error.hint):
        if "\n" in text or "\r" in text or "Traceback" in text:
            return "is not one line"
        if text.endswith("."):
            return "ends with a full stop"
        if re.search(r" at 0x[0-9a-f]{8,}|<[\w.]+ object", text):
            return "shows the inside of the program"
        if not text.isprintable():
            return "holds control characters"
    return "says nothing" if len(said.split()) < 3 else "is too long" if len(said) > 400 else ""


def complaint(error: TransposeError, path: Path) -> str:
    """The same of an error about a file, which has to name it; the engine does that for an InputError that does not."""
    named = isinstance(error, InputError) or path.name in error.message
    return untidy(error) or ("" if named else "does not name the file")


def faulty(read: Callable[..., Any], node: Node, path: Path, folder: Path) -> str:
    """What a reader does wrong with one file; nothing where it keeps the contract."""
    ctx = context(folder)
    try:
        drain(read(path, ctx), node, folder)
    except TransposeError as error:
        wrong = complaint(error, path)
        if wrong:
            return f"{type(error).__name__} {wrong}: {error.message!r}, {error.hint!r}"
    except Exception as error:  # what must not get out
        return f"{type(error).__module__}.{type(error).__name__} escapes: {error}"[:300]
    if len(ctx.warnings) > MOST_LINES:
        return f"{len(ctx.warnings)} warnings"
    return next((f"odd warning {each!r}" for each in ctx.warnings if "\n" in each or len(each) > 400), "")


def peak(forget: bool = False) -> int:
    """The most memory that this process held, in MB; `forget` what was before, where the system can (Linux)."""
    if sys.platform == "win32":
        return 0
    from resource import RUSAGE_SELF, getrusage

    if forget:
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
    return getrusage(RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "linux" else 1024**2)


def trouble(item: Transform, suffix: str, files: dict[str, bytes], folder: Path, heard: Heard) -> Iterator[str]:
    """Each breach of the contract, over some files."""
    if suffix == ".timeline":  # it names a sound beside it
        (folder / "tone.wav").write_bytes(good(".wav", "audio"))
    for name, data in files.items():
        path = folder / f"{name}{suffix}"
        path.write_bytes(data)
        before = peak(forget=True)
        with warnings.catch_warnings(record=True) as caught, TemporaryDirectory(dir=folder) as inner:
            warnings.simplefilter("default")
            said = faulty(item.function, item.targets[0], path, Path(inner))
        if said:
            yield f"{path.name}: {said}"
        if peak() - before > MOST_MB:
            yield f"{path.name}: took {peak() - before} MB"
        lines = heard() + [str(each.message) for each in caught if not issubclass(each.category, UNSEEN)]
        if len(lines) > MOST_LINES:
            yield f"{path.name}: {len(lines)} lines on the terminal, such as {lines[0][:200]!r}"


@pytest.fixture
def heard(capfd: pytest.CaptureFixture[str]) -> Heard:
    """Gives the lines that came on stdout and stderr since the last look, those of libraries in C too."""

    def look() -> list[str]:
        said = capfd.readouterr()
        return [line for line in (said.out + said.err).splitlines() if line.strip()]

    return look


# the method ends a process that hangs in a library's own code, too
@pytest.mark.timeout(MOST_SECONDS, method="thread")
@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize(("item", "suffix"), [pytest.param(*each, id=f"{each[0].name}{each[1]}") for each in PLACES])
def test_bad_files_give_one_clear_line(item: Transform, suffix: str, harm: str, tmp_path: Path, heard: Heard) -> None:
    files = bad(harm, suffix, item.targets[0].modality)
    if not files:
        pytest.skip("nothing here writes such files")
    heard()  # what making them said
    found = list(trouble(item, suffix, files, tmp_path, heard))
    assert not found, "\n".join(found)


def test_good_files_are_good(tmp_path: Path) -> None:
    """Control: what is cut and flipped can be read before that, so that more than the first bytes is looked at."""
    (tmp_path / "tone.wav").write_bytes(good(".wav", "audio"))
    without = set()
    for item, suffix in PLACES:
        data = good(suffix, item.targets[0].modality)
        if data:
            path = tmp_path / f"good{suffix}"
            path.write_bytes(data)
            with TemporaryDirectory(dir=tmp_path) as folder:
                drain(item.function(path, context(tmp_path)), item.targets[0], Path(folder))
        else:
            without.add(suffix)
    need(*without)
    assert without <= {".heic", ".heif", ".msg", ".ogv", ".xls"}


@transform(".txt -> text")
def read_carelessly(path: Path, ctx: Context) -> Text:
    """Does everything that a reader must not do, as the file says."""
    words = path.read_bytes().decode("utf-8", "replace")
    if words == "storm":
        print("oh\n" * 100, file=sys.stderr)
    elif words == "warnings":
        ctx.warnings += [f"line {number} is odd" for number in range(100)]
    elif words == "memory":
        return Text(str(len(b"x" * (MOST_MB + 100) * 2**20)))
    elif words == "lone surrogate":
        return Text("\udc80")
    elif words.startswith("say "):
        raise DamagedInput(words.removeprefix("say "), "Save it again")
    elif words == "other":
        raise TransposeError("something somewhere went wrong")
    elif words:
        raise ValueError(words)
    return Text("fine")


def test_the_check_can_fail(tmp_path: Path, heard: Heard) -> None:
    """Negative control: a reader with every fault, and one without any."""
    expected = {
        "what a library says": "ValueError escapes",
        "storm": "lines on the terminal",
        "warnings": "100 warnings",
        "memory": "MB",
        "lone surrogate": "UnicodeEncodeError escapes",
        "other": "does not name the file",
        "say 'a.txt' is damaged.": "full stop",
        "say 'a.txt' is damaged:\nsee there": "one line",
        "say Traceback of 'a.txt' (most recent call last)": "one line",
        "say 'a.txt' gave <zipfile.ZipFile object": "inside of the program",
        "say 'a.txt' holds \x0e in it": "control characters",
        "say bad": "says nothing",
    }
    for words, fault in expected.items():
        found = list(trouble(read_carelessly, ".txt", {"a": words.encode()}, tmp_path, heard))
        assert len(found) == 1, words
        assert fault in found[0]
    fine = {"a": b"", "b": b"say 'b.txt' is damaged (CRC is 0x29b56171)"}
    assert not list(trouble(read_carelessly, ".txt", fine, tmp_path, heard))


def test_dates_that_no_calendar_holds(tmp_path: Path) -> None:
    """Arrow writes them as "value out of range", and Python stops at them; the last day of 9999 is often "never"."""
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    for days in (-719_162, 2_932_896):
        parquet.write_table(pa.table({"day": pa.array([days, None], pa.date32())}), tmp_path / "a.parquet")
        assert len(CATALOG["read-parquet"].function(tmp_path / "a.parquet", Context()).rows()) == 2
    parquet.write_table(pa.table({"day": pa.array([2_932_897], pa.date32())}), tmp_path / "a.parquet")
    with pytest.raises(DamagedInput, match="'day' of 'a.parquet'"):
        CATALOG["read-parquet"].function(tmp_path / "a.parquet", Context())


def test_a_bar_that_breaks_off_in_a_triplet(tmp_path: Path) -> None:
    """It has no metre that MIDI could say."""
    (tmp_path / "a.abc").write_text("X:1\nM:4/4\nK:C\n(3C|a\n")
    assert len(CATALOG["read-abc"].function(tmp_path / "a.abc", Context()).notes()) == 2


# -- writers -------------------------------------------------------------------------------------------------------


def bad_places(folder: Path, suffix: str) -> dict[str, Path]:
    """Paths that cannot be written: in no folder, in a file, at a folder, and without leave (not for the superuser)."""
    (folder / "file").write_bytes(b"x")
    (folder / f"taken{suffix}").mkdir()
    places = {
        "gone": folder / "gone" / f"a{suffix}",
        "in a file": folder / "file" / f"a{suffix}",
        "taken": folder / f"taken{suffix}",
    }
    if hasattr(os, "geteuid") and os.geteuid():
        (folder / "locked").mkdir(mode=0o500)
        places["locked"] = folder / "locked" / f"a{suffix}"
    return places


@pytest.mark.timeout(MOST_SECONDS, method="thread")
@pytest.mark.parametrize("item", WRITERS, ids=lambda item: item.name)
def test_bad_places_give_one_clear_line(item: Transform, tmp_path: Path, heard: Heard) -> None:
    """A writer raises an error of ours or the system's; the engine makes a line of it."""
    suffix, node = item.targets[0].name, item.slots[0].nodes[0]
    value = value_for(item)
    heard()
    for name, path in bad_places(tmp_path, suffix).items():
        ctx = context(tmp_path)
        with pytest.raises((TransposeError, OSError)):
            item.function(value, path, ctx)
        run = Run(CATALOG, Route((node,), ()), (Source(value, "", "given", node),), ctx)
        with pytest.raises(TransposeError) as caught:
            run._call(item, ctx, [value], path)
        assert not untidy(caught.value), f"{name}: {caught.value.message!r}"
        assert not (tmp_path / "gone").exists()
    assert len(heard()) <= MOST_LINES


def need(*suffixes: str) -> None:
    """Skip where a package for one of these suffixes is not installed."""
    for item in CATALOG:
        if missing_modules(item) and {node.name for node in (*item.slots[0].nodes, *item.targets)} & set(suffixes):
            pytest.skip(f"{item.name} needs {missing_modules(item)}")


TABLE = "year,tons\n1500,12\n1600,18\n"


@pytest.mark.parametrize("suffix", [".md", ".html", ".docx", ".pdf", ".xlsx", ".sqlite", ".svg"])
def test_the_command_tells_bad_places_in_one_line(
    suffix: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    need(".csv", suffix)
    monkeypatch.setenv("TRANSPOSE_HOME", str(tmp_path / "home"))
    (tmp_path / "a.csv").write_text(TABLE)
    assert main([str(tmp_path / "a.csv"), str(tmp_path / f"b{suffix}"), "-q"]) == 0  # control: it can be written
    for place in bad_places(tmp_path, suffix).values():
        capfd.readouterr()
        code = main([str(tmp_path / "a.csv"), str(place), "-q"])
        said = capfd.readouterr()
        assert 40 <= code < 50, said.err
        assert said.err.startswith("transpose: ")
        assert said.err.count("\n") == 1
        assert not list(tmp_path.glob(".transpose-*"))


PAIRS = (
    ".png .bmp .docx .html .wav .flac .mp4 .mkv .xlsx .csv .mid .abc .glb .stl .sdf .smi .pdf .md .json .csv".split()
)


@pytest.mark.parametrize(("suffix", "goal"), [*zip(PAIRS[::2], PAIRS[1::2], strict=True)])
def test_the_command_tells_bad_files_in_one_line(
    suffix: str, goal: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    need(suffix, goal)
    monkeypatch.setenv("TRANSPOSE_HOME", str(tmp_path / "home"))
    for name, data in bad("empty or random", suffix, "").items():
        path = tmp_path / f"{name}{suffix}"
        path.write_bytes(data)
        capfd.readouterr()
        code = main([str(path), str(tmp_path / f"out{goal}"), "-q"])
        said = capfd.readouterr()
        assert 10 <= code < 20, said.err
        assert path.name in said.err
        assert said.err.count("\n") == 1
        assert not (tmp_path / f"out{goal}").exists()
