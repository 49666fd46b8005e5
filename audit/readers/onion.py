"""What each node of an onion learns: the layers of onion requests, opened, as rows.

Every opened layer is a row of ``http_requests``: layer 1 is what the guard learns beside the
client's address, the last one what the destination learns. The answer is sealed for the client by
the destination alone: it is a row of ``http_responses`` of that same layer. Which paths carry onion
requests, and the salt of the keys, come from the policy's pack.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from audit.readers.bodies import decode_body
from audit.readers.onion_keys import NodeKey
from audit.readers.onion_layers import Layer, Opener, unseal
from audit.readers.onion_rows import Carrier, add_answer, add_layer, read_envelope
from audit.tables.extract import Extract, Payload
from audit.tables.frames import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class OnionConfig:
    """What the pack says of its onion requests."""

    paths: tuple[str, ...]
    """Paths that onion requests are posted to."""
    salt: bytes
    """Key of the HMAC that makes a layer's key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnionResult:
    """What came out of the onion requests of a capture."""

    extract: Extract
    """New rows; the payloads' ``row`` counts in these rows alone."""
    seen: int
    """Onion requests on the wire."""
    opened: int
    """Those of which every layer was opened."""
    reasons: tuple[str, ...] = ()
    """Why the others were not, a sentence each; empty without keys."""


def is_onion_shaped(row: Row, config: OnionConfig) -> bool:
    """Whether a row of ``http_requests`` is an onion request on the wire."""
    return not row.get("layer") and row.get("method") == "POST" and row.get("path") in config.paths


def open_onions(extract: Extract, keys: list[NodeKey], config: OnionConfig) -> OnionResult:
    """Open every layer of every onion request among the rows of ``extract``."""
    requests = extract.rows.get("http_requests", [])
    chosen = [n for n, row in enumerate(requests) if is_onion_shaped(row, config)]
    if not keys or not chosen:
        return OnionResult(extract=Extract(), seen=len(chosen), opened=0)
    out, reasons, opened = Extract(), [], 0
    opener = Opener(keys, config.salt)
    bodies = _request_bodies(extract)
    answers = _Answers(extract, config)
    for index in chosen:
        row = requests[index]
        body = bodies.get(index)
        if body is None:
            reasons.append(f"{row['ref']}: its body was not captured")
            continue
        layers, problem = opener.open_request(_plain(body), _guard(row))
        wire, previous = Carrier(row=row, body=body), row
        for layer in layers:
            previous = add_layer(out, layer, layers, wire, previous)
        if problem:
            reasons.append(f"{row['ref']}: {problem}")
            continue
        opened += 1
        found = answers.take(row, layers[-1])
        if found:
            add_answer(out, layers[-1], found[1], found[0], request=previous)
    return OnionResult(extract=out, seen=len(chosen), opened=opened, reasons=tuple(reasons))


class _Answers:
    """Answers on the wire to onion requests, each given to the request whose key opens it."""

    def __init__(self, extract: Extract, config: OnionConfig) -> None:
        self._waiting: dict[object, list[tuple[Carrier, bytes]]] = defaultdict(list)
        rows = extract.rows.get("http_responses", [])
        for payload in extract.payloads:
            if payload.table == "http_responses" and _is_body(payload):
                row = rows[payload.row]
                if row.get("path") in config.paths and not row.get("layer"):
                    answer = (Carrier(row=row, body=payload), _plain(payload))
                    self._waiting[row.get("conversation")].append(answer)

    def take(self, request: Row, layer: Layer) -> tuple[Carrier, bytes] | None:
        """Return the answer on the wire and its opened text; ``None`` where there is none."""
        waiting = self._waiting.get(request.get("conversation"), [])
        for place, (carrier, sealed) in enumerate(waiting):
            for candidate in read_envelope(sealed):
                plaintext = unseal(layer.key, candidate)
                if plaintext is not None:
                    del waiting[place]
                    return carrier, plaintext
        return None


def _request_bodies(extract: Extract) -> dict[int, Payload]:
    return {
        payload.row: payload
        for payload in extract.payloads
        if payload.table == "http_requests" and payload.location == "body"
    }


def _is_body(payload: Payload) -> bool:
    return payload.location in {"body", "response"} and not payload.detail


def _plain(payload: Payload) -> bytes:
    """Return the body with its content codings undone, where that can be."""
    decoded = decode_body(payload.data, payload.content_encoding)
    return payload.data if decoded is None else decoded


def _guard(row: Row) -> tuple[str | None, int | None]:
    """Who got the request: address, else name, and port, by the text of the conversation."""
    conversation = row.get("conversation")
    port = str(conversation).rpartition(":")[2] if conversation else ""
    host = row.get("responder_ip") or row.get("host")
    return (str(host) if host else None, int(port) if port.isdigit() else None)
