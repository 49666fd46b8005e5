"""Blanking in place: nothing is left, no length changes, nothing is told of what stood there."""

import base64
import json

from hypothesis import given
from hypothesis import strategies as st

from audit.bundle.identity import Identifier, make_identity
from audit.identifiers.blanking import Blanker, filler, overwritten
from audit.identifiers.detector import text_payload

MAIL = "marie.curie.1867@example.org"
SUBJECT = make_identity([Identifier("email", MAIL), Identifier("phone", "+33199010353")])
BLANKER = Blanker(SUBJECT)


def test_a_value_is_gone_in_every_form_and_the_length_stays() -> None:
    forms = [
        MAIL.encode(), MAIL.upper().encode(), MAIL.encode().hex().encode(),
        base64.b64encode(MAIL.encode()), MAIL.replace("@", "%40").encode(), MAIL[::-1].encode(),
        json.dumps({"a": [MAIL]}).encode(), MAIL.encode("utf-16-le"),
    ]  # fmt: skip
    for form in forms:
        data = b"before " + form + b" after"
        blanked = BLANKER.data(data)
        assert len(blanked) == len(data)
        assert form not in blanked
        assert BLANKER.sure([text_payload(blanked)]) == []
    assert BLANKER.data(json.dumps({"a": [MAIL]}).encode()) == b'{"a": ["' + b"x" * 28 + b'"]}'


def test_what_holds_nothing_stays_as_it_is() -> None:
    assert BLANKER.data(b"nothing of anybody 12345") == b"nothing of anybody 12345"
    assert BLANKER.text("caf\u00e9") == "caf\u00e9"
    assert BLANKER.data(b"") == b""


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_any_surroundings_keep_their_length(before: bytes, after: bytes) -> None:
    data = before + b" " + MAIL.encode() + b" " + after
    blanked = BLANKER.data(data)
    assert len(blanked) == len(data)
    assert MAIL.encode() not in blanked


@given(st.binary(max_size=64))
def test_filler_depends_on_length_and_sort_alone(data: bytes) -> None:
    made = filler(data)
    assert len(made) == len(data)
    assert len(set(made)) <= 1
    assert overwritten(b"a" + data + b"b", [(1, 1 + len(data))]) == b"a" + made + b"b"
