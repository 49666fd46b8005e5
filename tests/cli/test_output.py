"""What reaches a terminal."""

from hypothesis import given
from hypothesis import strategies as st

from audit.cli.output import safe


@given(st.text())
def test_no_control_or_bidirectional_character_reaches_the_terminal(text: str) -> None:
    shown = safe(text)
    assert not [
        c
        for c in shown
        if (ord(c) < 32 and c not in "\t\n") or 0x7F <= ord(c) < 0xA0 or c in "\u202e\u2066\u200f"
    ]


def test_plain_text_stays_as_it_is() -> None:
    assert safe("Zoë reads 漢字\tand more\n") == "Zoë reads 漢字\tand more\n"
