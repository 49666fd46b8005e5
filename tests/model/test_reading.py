from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import PolicyError
from audit.model import reading
from audit.model.reading import parse_result, read_result
from tests.conftest import ROOT

GOOD = (ROOT / "reports/sample/result.json").read_bytes()


def refused(data: bytes) -> str:
    with pytest.raises(PolicyError) as caught:
        parse_result(data, "r.json")
    assert caught.value.exit_code == 2
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith("r.json")
    return text


def changed(change, **dump) -> bytes:
    data = json.loads(GOOD)
    change(data)
    return json.dumps(data, **dump).encode()


def test_the_sample_is_read_from_its_folder_and_its_file():
    folder = ROOT / "reports/sample"
    assert read_result(folder) == read_result(folder / "result.json")


def test_a_result_that_is_not_there_is_said(tmp_path):
    with pytest.raises(PolicyError, match="no such result"):
        read_result(tmp_path / "x.json")


def test_broken_json_is_told_by_line_and_column():
    text = refused(b'{\n "schema": "audit/result@1",\n oops')
    assert text.startswith("r.json:3:")
    assert "column 2" in text


def test_a_wrong_value_is_told_by_its_place_and_its_line():
    def change(data):
        data["verdicts"][3]["outcome"] = "passed"

    data = changed(change, indent=1)
    text = refused(data)
    line = next(
        number
        for number, row in enumerate(data.decode().splitlines(), start=1)
        if '"passed"' in row
    )
    assert text.startswith(f"r.json:{line}:")
    assert "verdicts.3.outcome" in text


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no JSON"),
        (b"[]", "no result of schema"),
        (b"\xff\xfe", "no UTF-8"),
        (b"[" * 200_000, "nested too deep"),
        (b'{"a":' * 200_000, "nested too deep"),
        (b'{"schema": 1, "schema": 2}', "stands twice"),
        (b'{"schema": NaN}', "no number"),
        (b"1" * 10_000, "number that is too long"),
        (b'{"schema": "audit/result@2"}', "audit/result@1"),
    ],
)
def test_what_is_no_result_gets_one_sentence(data, words):
    assert words in refused(data)


def test_unknown_keys_and_wrong_types_are_refused():
    refused(changed(lambda data: data.update({"a\nb": 1})))
    refused(changed(lambda data: data["gate"].update(exit_code="0")))
    refused(changed(lambda data: data["gate"].update(exit_code=7)))


def test_a_lone_surrogate_never_reaches_a_terminal():
    refused(GOOD.replace(b'"title":"', b'"title":"\\ud800', 1))


def test_two_verdicts_of_one_check_are_refused():
    text = refused(changed(lambda data: data["verdicts"].append(data["verdicts"][0])))
    assert "two verdicts" in text


def test_a_file_beyond_the_bound_is_not_parsed(monkeypatch):
    monkeypatch.setattr(reading, "MAX_BYTES", 100)
    assert "larger than" in refused(b"x" * 101)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_result_or_one_sentence(data):
    refused(data)


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_a_changed_byte_gives_a_result_or_one_sentence(place, byte):
    data = bytearray(GOOD)
    data[place] = byte
    with contextlib.suppress(PolicyError):
        parse_result(bytes(data), "r.json")
