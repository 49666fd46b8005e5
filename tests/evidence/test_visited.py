"""What rows prove of a visitor's actions, and what they do not."""

from __future__ import annotations

import hashlib

from audit.bundle.identity import Identifier, make_identity
from audit.bundle.journal import JournalLine
from audit.evidence.visited import WebProof, web_proof

EMAIL = "ada@example.org"
IDENTITY = make_identity([Identifier("email", EMAIL)])


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def request(ref: str, second: int, path: str = "/", **more: object) -> dict[str, object]:
    return {
        "ref": f"flows.mitm#{ref}:request.head", "ts": f"2026-01-01T00:00:{second:02}.000000Z",
        "host": "site.example", "path": path, "query": "", "conversation": "c", "layer": 0,
        "process": "app", **more,
    }  # fmt: skip


def line(action: str, second: int, path: str = "/", **more: object) -> JournalLine:
    facts = {"url_sha256": sha(f"site.example{path}")}
    facts |= {"text_sha256": sha(str(more.pop("text")))} if "text" in more else {}
    return JournalLine(
        ts=f"2026-01-01T00:00:{second:02}Z", driver="script", action=action, facts=facts, **more
    )  # type: ignore[arg-type]


def proof(*requests: dict[str, object], status: int = 200, hits: object = ()) -> WebProof:
    answers = [{**row, "status": status} for row in requests]
    return web_proof(
        {"http_requests": list(requests), "http_responses": answers}, list(hits), ()  # type: ignore[call-overload]
    )  # fmt: skip


def test_a_visit_needs_an_answered_request_for_the_page() -> None:
    visit = line("web.visit", 5)
    assert proof(request("1", 4)).confirms(visit, [], IDENTITY)
    assert not proof(request("1", 4), status=404).confirms(visit, [], IDENTITY)
    assert not proof(request("1", 4, "/other")).confirms(visit, [], IDENTITY)
    assert not proof(request("1", 6)).confirms(visit, [], IDENTITY)
    assert not proof(request("1", 4, process="control")).confirms(visit, [], IDENTITY)
    assert not proof(request("1", 4)).confirms(line("web.visit", 5, ok=False), [], IDENTITY)


def test_coming_back_needs_a_request_of_its_own() -> None:
    first, again = line("web.visit", 5), line("web.revisit", 9)
    assert not proof(request("1", 4)).confirms(again, [first], IDENTITY)
    assert proof(request("1", 4), request("2", 8)).confirms(again, [first], IDENTITY)


def test_a_subscription_needs_the_subjects_address_in_that_request() -> None:
    told = line("web.newsletter.subscribe", 5, "/add", text=EMAIL)
    sent = request("7", 4, "/add")
    hit = {"kind": "email", "direction": "sent", "ref": "flows.mitm#7:request.body@6-21"}
    assert proof(sent, hits=[hit]).confirms(told, [], IDENTITY)
    assert not proof(sent).confirms(told, [], IDENTITY)
    elsewhere = {**hit, "ref": "flows.mitm#8:request.body@6-21"}
    assert not proof(sent, hits=[elsewhere]).confirms(told, [], IDENTITY)
    other = line("web.newsletter.subscribe", 5, "/add", text="eve@example.org")
    assert not proof(sent, hits=[hit]).confirms(other, [], IDENTITY)


def test_consent_needs_the_browsers_own_record_near_the_line() -> None:
    refused = line("web.consent.refuse", 5)
    told = WebProof(answered=(("2026-01-01T00:00:04Z", "refuse"),))
    assert told.confirms(refused, [], IDENTITY)
    assert not told.confirms(line("web.consent.accept", 5), [], IDENTITY)
    assert not WebProof().confirms(refused, [], IDENTITY)
    late = WebProof(answered=(("2026-01-01T01:00:04Z", "refuse"),))
    assert not late.confirms(refused, [], IDENTITY)


def test_other_actions_are_never_proven_by_rows() -> None:
    assert not proof(request("1", 4)).confirms(line("app.message.send", 5), [], IDENTITY)
