"""How a stand-in notes what it learned: one place that turns requests into log lines."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from audit.lab.learned import Learned, LearnedLog
from audit.lab.messages import Request, Response, find_header

MAX_ACCOUNTS: Final = 50


@dataclass(frozen=True, slots=True)
class Witness:
    """Writes for one stand-in."""

    standin: str
    log: LearnedLog

    def request(
        self,
        request: Request,
        response: Response,
        *,
        layer: int = 0,
        inner: dict[str, Any] | None = None,
        saw: dict[str, Any] | None = None,
    ) -> Response:
        """Note a request and its answer; returns the answer."""
        self.log.write(
            Learned(
                standin=self.standin,
                event="request",
                layer=layer,
                peer=request.peer,
                scheme=request.scheme,
                host=find_header(request.headers, "host"),
                method=request.method,
                path=request.path,
                query=request.query,
                status=response.status,
                headers=list(request.headers),
                body=request.body,
                inner=inner or {},
                saw=saw or {},
            )
        )
        return response

    def opened(
        self, layer: int, peer: str, body: bytes, inner: dict[str, Any], **rest: Any
    ) -> None:
        """Note an onion layer that was decrypted here; ``rest`` are fields of ``Learned``."""
        self.log.write(
            Learned(
                standin=self.standin,
                event="opened",
                layer=layer,
                peer=peer,
                body=body,
                inner=inner,
                **rest,
            )
        )

    def garbage(self, peer: str, seen: bytes, reason: str) -> None:
        """Note bytes that are no request."""
        self.log.write(
            Learned(
                standin=self.standin, event="garbage", peer=peer, body=seen, inner={"why": reason}
            )
        )


def describe_call(body: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a JSON call asks for and whom it names: ``inner`` and ``saw`` of a log line."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return {}, {}
    if not isinstance(data, dict):
        return {}, {}
    inner = _outline(data)
    params = data.get("params")
    requests = params.get("requests") if isinstance(params, dict) else None
    if isinstance(requests, list):
        inner["requests"] = [_outline(item) for item in requests[:100] if isinstance(item, dict)]
    accounts = sorted(_accounts(data))[:MAX_ACCOUNTS]
    return inner, {"accounts": accounts} if accounts else {}


def _outline(call: dict[str, Any]) -> dict[str, Any]:
    method, params = call.get("method"), call.get("params")
    names = sorted(map(str, params))[:100] if isinstance(params, dict) else []
    return {"method": str(method)[:100], "params": names}


def _accounts(data: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    stack: list[Any] = [data]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            stack.extend(item.values())
            for name in ("pubkey", "pubKey"):
                value = item.get(name)
                if isinstance(value, str) and len(value) == 66:
                    found.add(value)
        elif isinstance(item, list):
            stack.extend(item)
    return found
