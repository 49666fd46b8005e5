"""The storage calls: ``store``, ``retrieve``, ``delete`` … and what bundles them.

Source: storage server ``rpc/request_handler.cpp``; answers have the same fields, and calls that
change messages are carried out by every node of the swarm, each signing its own part.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any, Final

from audit.lab.params import Params, RefusedError, bad
from audit.lab.storage import VERSION, Node, Storage, now_ms
from audit.lab.swarm import (
    MAX_MESSAGE_BYTES,
    RETRIEVE_MAX_BYTES,
    SIGNATURE_TOLERANCE_MS,
    STORE_TOLERANCE_MS,
    TTL_MAX_OWN_MS,
    TTL_MAX_PUBLIC_MS,
    TTL_MIN_MS,
    Message,
    is_open_for_reading,
    is_public_inbox,
    message_hash,
)

MAX_SUBREQUESTS: Final = 20

Reply = tuple[int, dict[str, Any] | str]
"""HTTP status and body: an object, or a text where the call was refused."""


def call_text(storage: Storage, text: bytes) -> Reply:
    """Answer a request body."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return 400, "invalid json"
    method = body.get("method") if isinstance(body, dict) else None
    if not isinstance(method, str):
        return 400, "invalid json: no `method` field"
    if not isinstance(body.get("params"), dict):
        return 400, "invalid json: no `params` field"
    return call(storage, method, body["params"])


def call(storage: Storage, method: str, values: dict[str, Any], *, bundled: bool = False) -> Reply:
    """Answer one call; ``bundled`` calls may not bundle others."""
    if method in {"batch", "sequence"} and not bundled:
        return _bundle(storage, values, stop_at_error=method == "sequence")
    handler = _METHODS.get(method)
    if handler is None:
        return 400, f"no method {method}"
    params = Params(values)
    try:
        if method not in _ANYWHERE and storage.node not in storage.swarm_of(params.account()):
            return 421, storage.swarm(params.account())
        return 200, handler(storage, params)
    except RefusedError as error:
        return error.status, str(error)


def _bundle(storage: Storage, values: dict[str, Any], *, stop_at_error: bool) -> Reply:
    requests = values.get("requests")
    if not isinstance(requests, list) or not requests:
        return 400, 'invalid request: Invalid batch request: no valid "requests" field'
    if len(requests) > MAX_SUBREQUESTS:
        return 400, "invalid request: Invalid batch request: subrequest limit exceeded"
    for request in requests:
        if not isinstance(request, dict) or not isinstance(request.get("params"), dict):
            return 400, "invalid request: subrequests must have method/params keys"
        method = request.get("method")
        if not isinstance(method, str) or method not in _METHODS:
            return 400, "invalid request: Invalid batch subrequest: invalid method"
    results: list[dict[str, Any]] = []
    for request in requests:
        code, body = call(storage, request["method"], request["params"], bundled=True)
        results.append({"code": code, "body": body})
        if stop_at_error and not 200 <= code < 300:
            break
    return 200, {"results": results}


def _info(storage: Storage, _params: Params) -> dict[str, Any]:
    return {"version": VERSION, "timestamp": now_ms(), **storage.misc()}


def _ask_chain(storage: Storage, params: Params) -> dict[str, Any]:
    question = params.values.get("params")
    answer = storage.chain(
        params.text("endpoint") or "", question if isinstance(question, dict) else {}
    )
    if answer is None:
        raise RefusedError(400, "Invalid oxend endpoint")
    return {"result": answer, **storage.misc()}


def _swarm(storage: Storage, params: Params) -> dict[str, Any]:
    return storage.swarm(params.account())


def _store(storage: Storage, params: Params) -> dict[str, Any]:
    account, namespace, now = params.account(), params.namespace(), now_ms()
    timestamp = params.number("timestamp", or_text=True)
    ttl, expiry = params.number("ttl", or_text=True), params.number("expiry")
    if timestamp is None:
        raise bad("Required field 'timestamp' missing")
    if (ttl is None) == (expiry is None):
        raise bad("Required field 'expiry' or 'ttl' missing, or both given")
    expiry = timestamp + ttl if expiry is None and ttl is not None else expiry or 0
    data = params.data(MAX_MESSAGE_BYTES)
    _check_lifetime(namespace, timestamp, expiry, now)
    if not is_public_inbox(namespace):
        _check_owner_stores(params, namespace, timestamp, now)
    name = message_hash(account, namespace, data)

    def keep(node: Node) -> dict[str, Any]:
        message = Message(
            hash=name, namespace=namespace, timestamp_ms=timestamp, expiry_ms=expiry, data=data
        )
        node.boxes.expire(account, now)
        try:
            new = node.boxes.store(account, message)
        except OverflowError as error:
            raise RefusedError(500, str(error)) from None
        part = {"hash": name, "signature": node.sign(name), "expiry": expiry}
        return part if new else {**part, "already": True}

    return {"hash": name, **storage.everywhere("store", params, keep)}


def _retrieve(storage: Storage, params: Params) -> dict[str, Any]:
    account, namespace, now = params.account(), params.namespace(), now_ms()
    if params.is_signed() or not is_open_for_reading(namespace):
        if params.text("signature") is None:
            raise RefusedError(401, "retrieve: request signature required")
        timestamp = params.required("timestamp")
        _check_clock("retrieve", timestamp, now)
        params.check_signature("retrieve", namespace or "", timestamp)
    after = params.text("last_hash", "lastHash") or ""
    if after and len(after) != 43:
        raise bad("Invalid last_hash: expected base64 (43 chars)")
    count = params.number("max_count") or None
    size = params.number("max_size") or (None if count else -5)
    if size is None or size > RETRIEVE_MAX_BYTES:
        size = RETRIEVE_MAX_BYTES
    elif size < 0:
        size = RETRIEVE_MAX_BYTES // -size
    storage.node.boxes.expire(account, now)
    found, more = storage.node.boxes.retrieve(
        account, namespace, after=after, max_bytes=size, max_count=count
    )
    messages = [
        {
            "hash": message.hash,
            "timestamp": message.timestamp_ms,
            "expiration": message.expiry_ms,
            "data": base64.b64encode(message.data).decode("ascii"),
        }
        for message in found
    ]
    return {"messages": messages, "more": more, **storage.misc()}


def _check_lifetime(namespace: int, timestamp: int, expiry: int, now: int) -> None:
    longest = TTL_MAX_PUBLIC_MS if is_public_inbox(namespace) else TTL_MAX_OWN_MS
    if not TTL_MIN_MS <= expiry - timestamp <= longest:
        raise RefusedError(403, "Provided expiry/TTL is not valid.")
    if timestamp > now + STORE_TOLERANCE_MS or expiry < now - STORE_TOLERANCE_MS:
        raise RefusedError(406, "Timestamp error: check your clock")


def _check_owner_stores(params: Params, namespace: int, timestamp: int, now: int) -> None:
    if params.text("signature") is None:
        text = f"store: signature required to store to namespace {namespace}"
        raise RefusedError(401, text)
    signed_at = params.number("sig_timestamp") or timestamp
    _check_clock("store signature", signed_at, now)
    params.check_signature("store", namespace, signed_at)


def _check_clock(what: str, timestamp: int, now: int) -> None:
    if abs(timestamp - now) > SIGNATURE_TOLERANCE_MS:
        raise RefusedError(406, f"{what} timestamp too far from current time")


def _delete(storage: Storage, params: Params) -> dict[str, Any]:
    account, hashes = params.account(), params.hashes()
    params.check_signature("delete", *hashes)

    def drop(node: Node) -> dict[str, Any]:
        gone = node.boxes.delete(account, hashes)
        return {"deleted": gone, "signature": node.sign(account.hex(), *hashes, *gone)}

    answer = storage.everywhere("delete", params, drop)
    if params.flag("required") and not any(p["deleted"] for p in answer["swarm"].values()):
        raise RefusedError(404, "nothing was deleted")
    return answer


def _delete_many(storage: Storage, params: Params, method: str, until_ms: int) -> dict[str, Any]:
    account, namespace = params.account(), params.namespace_or_all()
    signed = "all" if namespace is None else namespace or ""
    params.check_signature(method, signed, until_ms)
    before = until_ms if method == "delete_before" else None

    def drop(node: Node) -> dict[str, Any]:
        found = node.boxes.select(account, namespace, before_ms=before)
        hashes = node.boxes.delete(account, [message.hash for message in found])
        signature = node.sign(account.hex(), until_ms, *hashes)
        return {"deleted": _grouped(found, namespace), "signature": signature}

    return storage.everywhere(method, params, drop)


def _grouped(found: list[Message], namespace: int | None) -> list[str] | dict[str, list[str]]:
    if namespace is not None:
        return [message.hash for message in found]
    groups: dict[str, list[str]] = {}
    for message in found:
        groups.setdefault(str(message.namespace), []).append(message.hash)
    return groups


def _delete_all(storage: Storage, params: Params) -> dict[str, Any]:
    timestamp = params.required("timestamp")
    _check_clock("delete_all", timestamp, now_ms())
    return _delete_many(storage, params, "delete_all", timestamp)


def _delete_before(storage: Storage, params: Params) -> dict[str, Any]:
    before = params.required("before")
    if before > now_ms() + SIGNATURE_TOLERANCE_MS:
        raise RefusedError(401, "delete_before timestamp too far in the future")
    return _delete_many(storage, params, "delete_before", before)


def _expire(storage: Storage, params: Params) -> dict[str, Any]:
    account, hashes = params.account(), params.hashes()
    asked = params.required("expiry")
    if asked < now_ms() - SIGNATURE_TOLERANCE_MS:
        raise RefusedError(401, "expire: timestamp should be >= current time")
    shorten, extend = params.flag("shorten"), params.flag("extend")
    word = "shorten" if shorten else "extend" if extend else ""
    params.check_signature("expire", word, asked, *hashes)
    expiry = min(asked, now_ms() + TTL_MAX_OWN_MS)

    def change(node: Node) -> dict[str, Any]:
        updated = []
        for hash_ in sorted(set(hashes)):
            message = node.boxes.find(account, hash_)
            if message is None or (shorten and expiry >= message.expiry_ms):
                continue
            if extend and expiry <= message.expiry_ms:
                continue
            message.expiry_ms = expiry
            updated.append(hash_)
        signature = node.sign(account.hex(), expiry, *hashes, *updated)
        return {"expiry": expiry, "updated": updated, "signature": signature}

    return storage.everywhere("expire", params, change)


def _get_expiries(storage: Storage, params: Params) -> dict[str, Any]:
    account, hashes = params.account(), params.hashes()
    timestamp = params.required("timestamp")
    _check_clock("get_expiries", timestamp, now_ms())
    params.check_signature("get_expiries", timestamp, *hashes)
    found = {hash_: storage.node.boxes.find(account, hash_) for hash_ in hashes}
    return {"expiries": {hash_: m.expiry_ms for hash_, m in found.items() if m is not None}}


_METHODS: Final[dict[str, Callable[[Storage, Params], dict[str, Any]]]] = {
    "store": _store,
    "retrieve": _retrieve,
    "get_swarm": _swarm,
    "get_snodes_for_pubkey": _swarm,
    "info": _info,
    "oxend_request": _ask_chain,
    "delete": _delete,
    "delete_all": _delete_all,
    "delete_before": _delete_before,
    "expire": _expire,
    "get_expiries": _get_expiries,
}
_ANYWHERE: Final = {"get_swarm", "get_snodes_for_pubkey", "info", "oxend_request"}
"""Calls that every node answers, whatever account they name."""
