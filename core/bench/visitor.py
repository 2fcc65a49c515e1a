"""A visitor without a browser: asks a running dashboard for pages over its WebSocket and times them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

LIMIT_S = 120


@dataclass(frozen=True)
class Drawn:
    """One run of a page: milliseconds until the script had finished, bytes sent, faults on the page."""

    milliseconds: float
    largest_message: int
    sent: int
    exceptions: tuple[str, ...]


class Visitor:
    """One browser session of a dashboard, as its server sees it; close it, or use `with`."""

    def __init__(self, origin: str) -> None:
        from websockets.sync.client import connect

        self._socket = connect(
            f"ws://{urlsplit(origin).netloc}/_stcore/stream",
            max_size=None,
            compression=None,  # bytes as the script makes them
            open_timeout=LIMIT_S,
        )
        self._known: set[str] = set()  # messages the browser would have kept
        self._scripts: dict[str, str] = {}

    def open(self, page: str, query: str = "") -> Drawn:
        """Open a page (its url_path, empty for the first) at an address and wait until it is drawn.

        As a new address in the same tab: widgets have their first state. Raises TimeoutError after two
        minutes.
        """
        from streamlit.proto.BackMsg_pb2 import BackMsg

        message = BackMsg()
        asked = message.rerun_script
        asked.query_string = query
        asked.page_script_hash = self._scripts.get(page, "")
        asked.page_name = "" if page in self._scripts else page
        asked.cached_message_hashes.extend(self._known)
        asked.context_info.locale = "en-GB"
        asked.context_info.timezone = "Europe/Paris"
        asked.context_info.color_scheme = "light"
        began = time.perf_counter()
        self._socket.send(message.SerializeToString())
        return self._until_drawn(began)

    def _until_drawn(self, began: float) -> Drawn:
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

        largest = sent = 0
        exceptions: list[str] = []
        while True:
            data = self._socket.recv(timeout=LIMIT_S, decode=False)
            largest, sent = max(largest, len(data)), sent + len(data)
            message = ForwardMsg.FromString(data)
            kind = message.WhichOneof("type")
            if message.hash and message.metadata.cacheable:
                self._known.add(message.hash)
            if kind == "navigation":
                self._scripts |= {
                    page.url_pathname: page.page_script_hash for page in message.navigation.app_pages
                }
            if kind == "delta" and message.delta.new_element.HasField("exception"):
                exceptions.append(message.delta.new_element.exception.message)
            if kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                return Drawn(1000 * (time.perf_counter() - began), largest, sent, tuple(exceptions))

    def close(self) -> None:
        """End the session."""
        self._socket.close()

    def __enter__(self) -> Visitor:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | Any) -> None:
        self.close()
