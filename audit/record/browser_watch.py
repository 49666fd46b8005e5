"""Listens to one page of a browser over its debugging protocol: requests, cookies set, calls.

The protocol is outside the page: what a page overwrites in its own world does not reach it. Calls
come from :mod:`audit.record.browser_instrument`'s script by way of the console, each with a token
that no page knows.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from audit.record.browser_log import BrowserLog

SEPARATOR: Final = "\x1f"
_MOST_REQUESTS: Final = 20_000


class Wire(Protocol):
    """The part of a CDP connection that is used."""

    def send(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Call a method and return its answer."""

    def on(self, event: str, f: Any) -> None:
        """Have a function called for every event of a name."""


class PageWatch:
    """What one page does, written down as it happens."""

    def __init__(self, wire: Wire, log: BrowserLog, token: str) -> None:
        self.wire = wire
        self._log = log
        self._token = token
        self.requests: list[tuple[str, str]] = []
        """Method and URL of each request since somebody emptied it, in order; up to a bound."""
        self.frames: dict[str, str] = {}
        """Frame -> address of its document."""
        self.ready: set[str] = set()
        """Frames of which some document told that the instrument is alive."""
        self._contexts: dict[int, str] = {}
        self._urls: dict[str, str] = {}
        for event, take in (
            ("Page.frameNavigated", self._navigated),
            ("Network.requestWillBeSent", self._asked),
            ("Network.responseReceivedExtraInfo", self._answered),
            ("Runtime.executionContextCreated", self._entered),
            ("Runtime.consoleAPICalled", self._told),
        ):
            wire.on(event, take)
        for domain in ("Page", "Network", "Runtime", "DOMStorage", "IndexedDB"):
            wire.send(f"{domain}.enable")

    def _navigated(self, event: dict[str, Any]) -> None:
        frame = event["frame"]
        self.frames[frame["id"]] = frame["url"]

    def _asked(self, event: dict[str, Any]) -> None:
        request, initiator = event["request"], event.get("initiator", {})
        self._urls[event["requestId"]] = request["url"]
        if request["url"].startswith(("data:", "blob:")):
            return
        if len(self.requests) < _MOST_REQUESTS:
            self.requests.append((request["method"], request["url"]))
        self._log.write(
            "request",
            method=request["method"],
            url=request["url"],
            type=event.get("type"),
            frame=self.frames.get(event.get("frameId", "")) or event.get("documentURL"),
            document=event.get("documentURL"),
            initiator=initiator.get("type"),
            by=initiator.get("url") or _first_url(initiator.get("stack")),
        )

    def _answered(self, event: dict[str, Any]) -> None:
        for name, value in event.get("headers", {}).items():
            if name.lower() == "set-cookie":
                for line in value.split("\n"):
                    url = self._urls.get(event["requestId"], "")
                    self._log.write("set-cookie", by="header", url=url, text=line)

    def _entered(self, event: dict[str, Any]) -> None:
        context = event["context"]
        frame = context.get("auxData", {}).get("frameId")
        if frame:
            self._contexts[context["id"]] = frame

    def _told(self, event: dict[str, Any]) -> None:
        values = event.get("args") or [{}]
        text = values[0].get("value")
        if event.get("type") != "debug" or not isinstance(text, str):
            return
        token, *parts = text.split(SEPARATOR)
        if token != self._token or not parts:
            return
        frame = self._contexts.get(event.get("executionContextId", -1), "")
        url = self.frames.get(frame)
        script = _first_url(event.get("stackTrace"))
        if parts[0] == "ready":
            self.ready.add(frame)
        elif parts[0] == "call" and len(parts) >= 4:
            self._log.write(
                "call", api=parts[1], count=int(parts[2]), detail=parts[3][:200], frame=url,
                script=script,
            )  # fmt: skip
        elif parts[0] == "cookie":
            self._log.write(
                "set-cookie", by="script", url=url, script=script,
                text=SEPARATOR.join(parts[1:]),
            )  # fmt: skip

    def tell_unwatched(self, tree: dict[str, Any]) -> None:
        """Tell of each frame with a document in which the instrument did not report."""
        for frame in walk_frames(tree):
            if frame["id"] not in self.ready and frame["url"].startswith(("http:", "https:")):
                self._log.gap(f"no instrument was alive in the frame {frame['url']}", "scripts")


def walk_frames(tree: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the frames of a ``Page.getFrameTree`` answer, the page itself first."""
    found = [tree["frame"]]
    for child in tree.get("childFrames", ()):
        found += walk_frames(child)
    return found


def _first_url(stack: dict[str, Any] | None) -> str | None:
    while stack:
        for frame in stack.get("callFrames", ()):
            if frame.get("url"):
                return str(frame["url"])
        stack = stack.get("parent")
    return None
