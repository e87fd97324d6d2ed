"""Leave to send data to a host: asked once, kept in a file of the user's, taken back with `transpose models forbid`.

Servers on this machine need none.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from transpose.core.catalog import read_json
from transpose.core.errors import ConsentError
from transpose.core.store import write_json
from transpose.core.transform import Transform
from transpose.models.places import user_folder


def place() -> Path:
    """The file that lists the hosts."""
    return user_folder() / "allowed-hosts.json"


def allowed() -> frozenset[str]:
    """Hosts that may be sent data."""
    return frozenset(read_json(place()).get("hosts", ()))


def allow(host: str) -> None:
    """Write down that a host may be sent data."""
    place().parent.mkdir(parents=True, exist_ok=True)
    write_json(place(), {"hosts": sorted({*allowed(), host})})


def forbid(host: str) -> bool:
    """Take it back; answers whether it had been allowed."""
    known = allowed()
    write_json(place(), {"hosts": sorted(known - {host})}) if host in known else None
    return host in known


def destination(item: Transform) -> str:
    """The host that a transform sends to; one that does not tell is called by its own name."""
    return (item.host or item.name) if item.network else ""


def require(items: Iterable[Transform]) -> None:
    """Raise ConsentError for the first host among these transforms' that nobody allowed."""
    known = allowed()
    for item in items:
        host = destination(item)
        if host and host not in known:
            raise ConsentError(
                f"{item.name} sends what it is given to {host}, which was not allowed",
                f"Allow it once and for all with: transpose models allow {host}",
            )
