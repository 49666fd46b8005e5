"""When the tunnel drops."""

from __future__ import annotations

import contextlib
import time

import pytest

from audit.bundle.journal import JournalWriter, read_journal
from audit.bundle.layout import JOURNAL
from audit.record.dialogue import Dialogue
from audit.record.tunnel_drop import SETTLE_S, TunnelDrop


class Line:
    """A tunnel that only notes that it was dropped."""

    interface = "tun0"
    drops = 0

    def drop(self) -> None:
        self.drops += 1


@pytest.fixture
def dialogue(tmp_path):
    with contextlib.closing(JournalWriter(tmp_path)) as journal:
        yield Dialogue(
            journal=journal,
            to_client=lambda _: None,
            to_peer=lambda _: None,
            learned=lambda _: None,
            blank=str,
        )


def test_after_an_action_it_drops_once_and_the_journal_says_so(dialogue, tmp_path) -> None:
    tunnel = Line()
    drop = TunnelDrop(tunnel, "app.message.send", dialogue)
    drop.when_due()
    assert (tunnel.drops, drop.is_settled()) == (0, False)
    dialogue.hear_client(b'{"action": "app.message.send"}')
    drop.when_due()
    drop.when_due()
    assert tunnel.drops == 1
    last = read_journal(tmp_path / JOURNAL)[0][-1]
    assert (last.action, last.driver, last.phase) == ("vpn.drop", "recorder", "after-drop")


def test_the_client_is_watched_for_a_while_after_the_drop(dialogue, monkeypatch) -> None:
    drop = TunnelDrop(Line(), 0.0, dialogue)
    drop.when_due()
    assert not drop.is_settled()
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + SETTLE_S + 1)
    assert drop.is_settled()


def test_by_the_clock_it_drops_when_the_seconds_are_over(dialogue, monkeypatch) -> None:
    tunnel = Line()
    drop = TunnelDrop(tunnel, 5, dialogue)
    drop.when_due()
    assert tunnel.drops == 0
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 6)
    drop.when_due()
    assert tunnel.drops == 1


@pytest.mark.parametrize(("tunnel", "when"), [(None, None), (Line(), None), (None, "app.idle")])
def test_without_a_tunnel_or_a_moment_nothing_is_waited_for(dialogue, tunnel, when) -> None:
    drop = TunnelDrop(tunnel, when, dialogue)
    drop.when_due()
    assert drop.is_settled()
    assert tunnel is None or tunnel.drops == 0
