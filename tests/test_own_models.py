"""Models of one's own: added from a file, a folder or a server, tried, and then used like any other transform."""

from __future__ import annotations

import base64
import io
import json
import threading
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from transpose.cli import main
from transpose.core.errors import ConsentError, ServiceError, TransposeError, UsageError, WeightsError
from transpose.models.passages import passages, reckon
from transpose.session import Session

NOTES = """The harbour of Bergen was rebuilt in 1702 after a fire that destroyed most of the wooden houses.
Merchants of the Hanseatic League had traded dried cod there since 1360.
Today the wharf is a world heritage site, and visitors come by ship from April to October."""


def png() -> bytes:
    """A small red picture."""
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (64, 64), (200, 30, 30)).save(out, "PNG")
    return out.getvalue()


def tone() -> bytes:
    """Half a second of a tone as WAV."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes((np.sin(np.arange(8000) / 10) * 9000).astype("<i2").tobytes())
    return out.getvalue()


class Server(ThreadingHTTPServer):
    """A server with OpenAI's interface whose answers can be foretold; it writes down what it is asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self.failures: list[int] = []  # statuses to answer with first

    @property
    def address(self) -> str:
        """What a user would name."""
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: Server

    def do_POST(self) -> None:  # noqa: N802
        """All of the interface that is used is POST."""
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.asked.append((self.path, dict(self.headers), body))
        if self.server.failures:
            self._send(self.server.failures.pop(0), json.dumps({"error": {"message": "out of order"}}).encode())
            return
        if self.path.endswith("/audio/speech"):
            self._send(200, tone(), "audio/wav")
            return
        self._send(200, json.dumps(self._answer(body)).encode())

    def _answer(self, body: bytes) -> dict[str, Any]:
        if self.path.endswith("/audio/transcriptions"):
            assert b"RIFF" in body
            segments = [
                {"start": 0.0, "end": 1.5, "text": " Good morning."},
                {"start": 1.5, "end": 2.0, "text": " Bye."},
            ]
            return {"language": "english", "text": "Good morning. Bye.", "segments": segments}
        told = json.loads(body)
        if self.path.endswith("/embeddings"):
            return {"data": [{"index": i, "embedding": [len(t), 1.0, 2.0]} for i, t in enumerate(told["input"])]}
        if self.path.endswith("/images/generations"):
            return {"data": [{"b64_json": base64.b64encode(png()).decode()}]}
        last = told["messages"][-1]["content"]
        seen = last if isinstance(last, str) else f"a picture of {len(last[0]['image_url']['url'])} letters"
        words = f"{len(told['messages'])} messages, the last with {len(seen.split())} words"
        return {"choices": [{"message": {"content": words}, "finish_reason": "stop"}]}

    def _send(self, status: int, raw: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: object) -> None:
        """Silence."""


@contextmanager
def serving() -> Iterator[Server]:
    """A server for the length of a test."""
    server = Server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()


@pytest.fixture
def server() -> Iterator[Server]:
    """The foreseeable server."""
    with serving() as opened:
        yield opened


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own with the weights of the real one, and a text in the working folder."""
    from transpose.core.catalog import cache_home

    real = cache_home() / "models"
    real.mkdir(parents=True, exist_ok=True)
    home = tmp_path / "home"
    home.mkdir()
    (home / "models").symlink_to(real, target_is_directory=True)
    monkeypatch.setenv("TRANSPOSE_HOME", str(home))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text(NOTES, encoding="utf-8")
    return home


def add(*words: str) -> int:
    """`transpose models add ...`"""
    return main(["models", "add", *words])


# -- servers -----------------------------------------------------------------------------------------------------------


def test_a_server_gives_a_summary_with_two_commands(own: Path, server: Server, tmp_path: Path) -> None:
    assert add("ollama", server.address, "--model", "llama3.2") == 0
    assert main(["notes.txt", "summary.md", "--do", "ollama-summarize"]) == 0
    assert (tmp_path / "summary.md").read_text().strip() == f"2 messages, the last with {len(NOTES.split())} words"
    path, headers, body = server.asked[-1]
    assert path == "/v1/chat/completions"
    assert json.loads(body)["model"] == "llama3.2"
    assert "Authorization" not in headers


def test_every_task_of_a_server(own: Path, server: Server, tmp_path: Path) -> None:
    tasks = "image-text-to-text,feature-extraction,automatic-speech-recognition,text-to-speech,text-to-image"
    assert add("all", server.address, "--task", tasks) == 0
    (tmp_path / "red.png").write_bytes(png())
    (tmp_path / "talk.wav").write_bytes(tone())
    with Session() as session:
        assert session.run(Path("red.png"), do="all-describe").value.text.startswith("1 messages")
        vector = session.run("three words here", do="all-embed").value
        assert np.linalg.norm(vector.vector) == pytest.approx(1)
        assert vector.space == "all"
        heard = session.run(Path("talk.wav"), to="text.transcript", source_kind="audio.speech", via=["all-transcribe"])
        assert [(cue.start, cue.end, cue.text) for cue in heard.value.cues] == [
            (0.0, 1.5, "Good morning."),
            (1.5, 2.0, "Bye."),
        ]
        assert heard.value.lang == "en"
        spoken = session.run("Say this.", do="all-speak").value
        assert (spoken.rate, round(spoken.duration, 2)) == (16_000, 0.5)
        assert session.run("a red square", do="all-paint").value.pixels[0, 0].tolist() == [200, 30, 30]
        assert session.run("Bonjour", do="translate", lang="fr", to="text").value.lang == "fr"


def test_a_key_comes_from_the_environment_and_is_never_stored(
    own: Path, server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert add("svc", server.address, "--key-env", "SVC_KEY") == 34
    assert "SVC_KEY" in capsys.readouterr().err
    monkeypatch.setenv("SVC_KEY", "hush-hush")
    assert add("svc", server.address, "--key-env", "SVC_KEY") == 0
    assert server.asked[-1][1]["Authorization"] == "Bearer hush-hush"
    files = [path for path in own.rglob("*") if path.is_file() and "models" not in path.parts[-3:]]
    assert all(b"hush-hush" not in path.read_bytes() for path in files if path.stat().st_size < 1e6)


def test_a_card_whose_first_run_fails_is_not_listed(
    own: Path, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.failures = [400]
    assert add("broken", server.address) == 34
    said = capsys.readouterr().err
    assert "out of order" in said
    assert "Traceback" not in said
    assert not (own / "cards" / "broken.toml").exists()


def test_a_busy_server_is_asked_again(own: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    server.failures = [503, 429]
    assert add("busy", server.address) == 0


def test_nobody_there(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving() as gone:
        address = gone.address
    gone.server_close()
    assert add("ghost", address) == 34
    assert "Is the server running?" in capsys.readouterr().err


# -- consent -----------------------------------------------------------------------------------------------------------


def test_another_machine_needs_leave(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert add("far", "https://api.example.com/v1") == 25
    assert "--allow" in capsys.readouterr().err
    assert not (own / "cards" / "far.toml").exists()


def far(own: Path) -> None:
    """A card of a server elsewhere, as it is after a first run."""
    from transpose.models.adding import Wish, make_card, write_card

    write_card(make_card(Wish("far", "https://api.example.com/v1"), lambda line: None), smoke="once")


def test_without_leave_the_local_way_is_taken_and_the_other_refused(own: Path) -> None:
    far(own)
    with Session() as session:
        chosen = session.plan(Path("notes.txt"), "text.summary").route
        assert [step.transform for step in chosen.steps][-1] == "summarize"
        with pytest.raises(ConsentError, match=r"api\.example\.com"):
            session.run(Path("notes.txt"), do="far-summarize")


def test_plan_shows_where_data_goes_and_offline_forbids_it(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    far(own)
    assert main(["plan", "notes.txt", "out.md", "--do", "far-summarize"]) == 0
    assert "yes: a step sends data to api.example.com" in capsys.readouterr().out
    assert main(["plan", "notes.txt", "out.md", "--do", "far-summarize", "--offline"]) == 21


def test_leave_is_kept_and_taken_back(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "allow", "api.example.com"]) == 0
    assert main(["models", "allow"]) == 0
    assert capsys.readouterr().out.endswith("api.example.com\n")
    assert main(["models", "forbid", "api.example.com"]) == 0
    assert main(["models", "allow"]) == 0
    assert capsys.readouterr().out.endswith("nowhere\n")


# -- files -------------------------------------------------------------------------------------------------------------


@pytest.mark.models
def test_a_gguf_file_gives_a_summary_with_two_commands(own: Path, tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    assert add("smol", "smollm2") == 0
    assert main(["notes.txt", "summary.md", "--do", "smol-summarize"]) == 0
    assert len((tmp_path / "summary.md").read_text().split()) > 5
    with Session() as session:
        one, two = (session.run("Name a colour.", do="write", options={"tokens": 8}).value.text for _ in range(2))
        assert one == two  # one seed, one text
        found = {t.name for t in session.catalog if t.does == "translate"}
    assert found == {"smol-translate-en"}  # the file says that it knows English only


@pytest.mark.models
def test_a_server_of_llama_cpp_is_spoken_to_over_http(own: Path, tmp_path: Path) -> None:
    xllamacpp = pytest.importorskip("xllamacpp")
    from transpose.models.pull import weights

    params = xllamacpp.CommonParams()
    params.model.path = str(weights("smollm2", quiet=True) / "smollm2.gguf")
    params.n_ctx, params.n_parallel, params.verbosity, params.cpuparams.n_threads = 2048, 1, -1, 1
    real = xllamacpp.Server(params)
    assert add("real", f"{real.listening_address}/v1", "--model", "smollm2") == 0
    with Session() as session:
        made = session.run("Name the capital of France.", do="real-write", options={"tokens": 20, "temperature": 0})
    assert "Paris" in made.value.text


def test_what_is_no_model(own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "fake.gguf").write_bytes(b"not a model at all")
    (tmp_path / "odd").mkdir()
    assert add("a", "fake.gguf") in (30, 31)
    assert add("b", "odd") == 31
    assert add("c", "missing-folder") == 31
    assert add("Bad Name", "odd") == 2
    assert add("minilm", "odd") == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 5, said


def test_pickled_weights_are_refused(own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "pickled"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"architectures": ["LlamaForCausalLM"]}))
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x02.")
    assert add("p", "pickled") == 31
    assert "pickled" in capsys.readouterr().err


def test_a_model_that_moved_says_so(own: Path, tmp_path: Path) -> None:
    from transpose.models.adding import write_card
    from transpose.models.card import Card, CardFile
    from transpose.models.pull import weights
    from transpose.models.runtime import Runtime

    runtime = Runtime("gguf", ("text-generation",), str(tmp_path / "gone.gguf"))
    card = Card("gone", "Gone", "text-generation", "MIT", (CardFile("gone.gguf", 5, "0" * 64),), (), runtime=runtime)
    from dataclasses import replace

    write_card(replace(card, origin=own / "cards" / "gone.toml"), smoke="once")
    with pytest.raises(WeightsError, match="no longer at"):
        weights("gone")


# -- Python ------------------------------------------------------------------------------------------------------------


def test_one_line_tasks(own: Path) -> None:
    with Session() as session:
        with pytest.raises(UsageError, match="nothing is called"):
            session.run(NOTES, do="sing")
        with pytest.raises(UsageError, match="nothing says"):
            session.run(NOTES)


# -- passages ----------------------------------------------------------------------------------------------------------


@example("\U00010000" * 3, 4)
@given(st.text(max_size=400), st.integers(4, 60))
def test_passages_join_to_the_text_and_fit(text: str, most: int) -> None:
    made = list(passages(text, most))
    assert "".join(made) == text
    assert all(reckon(part) <= most for part in made)


def test_an_unknown_answer_is_one_line(own: Path, server: Server) -> None:
    from transpose.core.context import Context
    from transpose.models.adding import Wish, make_card
    from transpose.models.runtimes.openai import Service

    service = Service(make_card(Wish("x", server.address), lambda line: None), Context())
    with pytest.raises(ServiceError, match="unknown form"):
        service.pick({"data": []}, "data", 0, "embedding")
    assert issubclass(ServiceError, TransposeError)
