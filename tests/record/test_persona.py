import json
import re
import uuid

import phonenumbers
import pytest

from audit.bundle.identity import Identifier
from audit.errors import CaptureError
from audit.record.persona import EVERY_KIND, draw_persona
from audit.sandbox.addresses import draw_addresses
from audit.tables.vocabulary import KINDS


@pytest.fixture(params=range(20))
def persona(request):
    return draw_persona()


def test_every_value_has_the_shape_of_its_kind(persona):
    assert phonenumbers.is_valid_number(phonenumbers.parse(persona["phone"]))
    assert re.fullmatch(r"[a-z.0-9]+@example\.org", persona["email"])
    assert uuid.UUID(persona["ad_id"]).version == 4
    assert re.fullmatch(r"[0-9a-f]{16}", persona["android_id"])
    assert re.fullmatch(r"[0-9a-f]{32}", persona["serial"])
    assert re.fullmatch(r"[a-z][a-z0-9-]{3,62}", persona["host_name"])
    assert re.fullmatch(r"[a-z0-9]{3,31}", persona["user_name"])
    assert re.fullmatch(r"[a-z]{2}_[A-Z]{2}", persona["locale"])
    assert "/" in persona["time_zone"]
    assert persona["attachment_name"].endswith(".txt")


@pytest.mark.parametrize(
    "number", ["+33199001234", "+13125550100", "+13125550199", "+46701740605", "+46701740699"]
)
def test_the_ranges_are_those_set_aside_for_fiction(number):
    begins = ("+3319900", "+131255501", "+151455501", "+4670174060", "+467017406")
    assert number.startswith(begins)


def test_swedish_numbers_start_where_the_range_does():
    numbers = {phone for _ in range(300) if (phone := draw_persona()["phone"]).startswith("+46")}
    assert all(5 <= int(number[-2:]) <= 99 for number in numbers)


def test_no_two_personas_share_a_canary():
    one, two = draw_persona(), draw_persona()
    common = {name for name in one.values if one[name] == two[name]}
    assert common <= {"locale", "time_zone", "device_model"}
    assert one.reply != two.reply


def test_only_kinds_that_were_planted_are_searched_for():
    persona, addresses = draw_persona(), draw_addresses()
    kinds = {item.kind for item in persona.identifiers(addresses, frozenset({"mac", "locale"}))}
    assert kinds == {"mac", "locale", "address"}
    assert {item.kind for item in persona.identifiers(None, EVERY_KIND)} == EVERY_KIND <= set(KINDS)


def test_the_reply_is_searched_for_like_the_message():
    persona = draw_persona()
    messages = [
        item.value for item in persona.identifiers(None, EVERY_KIND) if item.kind == "message"
    ]
    assert messages == [persona["message"], persona.reply]


def test_values_of_the_persons_own_file_take_the_drawn_ones_place(tmp_path):
    path = tmp_path / "me.json"
    path.write_text(json.dumps({"schema": "audit/identity@1", "identifiers": [
        {"kind": "email", "value": "me@mail.example"}, {"kind": "account_id", "value": "05aa"},
    ]}))  # fmt: skip
    persona = draw_persona(path)
    assert persona["email"] == "me@mail.example"
    found = persona.identifiers(None, EVERY_KIND)
    assert Identifier("account_id", "05aa", canary=False) in found
    assert [item.value for item in found if item.kind == "email"].count("me@mail.example") >= 1


def test_a_missing_identity_file_is_named(tmp_path):
    with pytest.raises(CaptureError) as caught:
        draw_persona(tmp_path / "me.json")
    assert caught.value.source == str(tmp_path / "me.json")


def test_the_client_is_told_its_addresses():
    persona, addresses = draw_persona(), draw_addresses()
    told = persona.to_json(addresses)
    assert (told["address"], told["address_v6"]) == (addresses.client_v4, addresses.client_v6)
    assert "reply" not in told
