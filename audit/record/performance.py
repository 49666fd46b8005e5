"""The recording itself, once everything listens: controls, peer, client, controls."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any, Final

from audit.bundle.journal import now
from audit.errors import CaptureError, SetupError
from audit.record.client_environment import base_environment, client_environment
from audit.record.dialogue import Dialogue
from audit.record.new_bundle import NewBundle
from audit.record.plan import RecordPlan
from audit.record.stage import ECHO_PORTS, Setting, Stage
from audit.record.tunnel_drop import TunnelDrop
from audit.sandbox.channel import JobSpec
from audit.sandbox.program import Program, describe_exit
from audit.tables.vocabulary import RECORDER_ACTIONS

_PEER_READY_LIMIT_S: Final = 30.0
_PEER_LAG_LIMIT_S: Final = 5.0
"""How long the peer may lag behind the client with its account of what it received."""
_END_LIMIT_S: Final = 3.0
_EXTRA_LIMIT_S: Final = 60.0
_TURN_S: Final = 0.25
_TAP_HINT: Final = "what was recorded so far is kept, it cannot give a pass"


class Performance:
    """Runs client and peer on a stage and keeps the journal."""

    def __init__(
        self, stage: Stage, bundle: NewBundle, argv: list[str], peer: list[str] | None
    ) -> None:
        self._stage = stage
        self._setting: Setting = stage.setting
        self._plan: RecordPlan = stage.plan
        self._bundle = bundle
        self._argv = argv
        self._peer_argv = peer
        self._client: Program | None = None
        self._peer: Program | None = None
        self._account_for_client: dict[str, Any] | None = None
        self.exit_code: int | None = None
        """The client's, as far as it ended."""
        self.client_s = 0.0
        self.dialogue = Dialogue(
            journal=bundle.journal,
            to_client=self._tell_client,
            to_peer=self._tell_peer,
            learned=bundle.learn,
            blank=bundle.blank,
            acknowledges=self._plan.browser is not None,
        )

    def run(self) -> None:
        """Do everything; raises :class:`AuditError` for the first thing that goes wrong."""
        stage, dialogue = self._stage, self.dialogue
        stage.send_controls(self._bundle.journal, "install")
        dialogue.record("app.install.clean", "install", "a new home folder, with nothing in it")
        if stage.tunnel:
            note = f"{stage.tunnel.interface} is up and carries IPv4"
            dialogue.record("vpn.up", "install", note)
        if self._peer_argv:
            self._peer = self._start_peer(self._peer_argv)
        try:
            self._perform()
            self._run_extras()
            stage.send_controls(self._bundle.journal, dialogue.phase)
            self._end_peer()
        finally:
            for program in (self._client, self._peer):
                if program is not None:
                    program.job.signal(signal.SIGKILL)
                    program.close()
        self._require_taps()

    # -- peer ------------------------------------------------------------------------------------

    def _start_peer(self, argv: list[str]) -> Program:
        space, stage = self._setting.space, self._stage
        persona = space.write_json("own/peer/persona.json", {"reply": self._setting.persona.reply})
        trust = space.write_json("own/peer/trust.json", stage.facts.trust)
        env = base_environment(argv[0], space.peer_home, space.peer_tmp, "peer")
        env |= {"AUDIT_PERSONA": str(persona), "AUDIT_TRUST": str(trust)}
        return Program(
            stage.sandbox,
            "the peer",
            stage.peer_job(argv, env | stage.peer_variables()),
            keep_stdin=True,
            on_line=self.dialogue.hear_peer,
        )

    def _tell_peer(self, message: dict[str, Any]) -> None:
        if self._peer:
            self._peer.say(json.dumps(message).encode() + b"\n")

    def _end_peer(self) -> None:
        peer = self._peer
        if peer is None:
            return
        deadline = time.monotonic() + _PEER_LAG_LIMIT_S
        while not self.dialogue.peer_has_all() and peer.running and time.monotonic() < deadline:
            self._setting.watch.turn(_TURN_S)
        peer.end(_END_LIMIT_S)
        self._require_agreed_lines()

    # -- client ----------------------------------------------------------------------------------

    def _tell_client(self, message: dict[str, Any]) -> None:
        if not self._plan.speaks_protocol:
            return
        if self._client is None:
            self._account_for_client = message
        else:
            self._client.say(json.dumps(message).encode() + b"\n")

    def _client_spec(self, argv: list[str]) -> JobSpec:
        space, stage, persona = self._setting.space, self._stage, self._setting.persona
        facts = persona.to_json(stage.addresses)
        env = client_environment(argv[0], space, persona) | stage.client_variables()
        if self._plan.tells_persona:
            env["AUDIT_PERSONA"] = str(space.write_json("client/persona.json", facts))
            env["AUDIT_TRUST"] = str(space.write_json("client/trust.json", stage.facts.trust))
        if self._plan.browser:
            env |= self._plan.browser.variables(space, persona)
        return stage.client_job(argv, env)

    def _perform(self) -> None:
        plan, dialogue = self._plan, self.dialogue
        started, moment = time.monotonic(), now()
        protocol = plan.speaks_protocol
        self._client = Program(
            self._stage.sandbox,
            "the client",
            self._client_spec(self._argv),
            keep_stdin=protocol,
            given_stdin=None if protocol else plan.client_input,
            on_line=dialogue.hear_client if protocol else None,
            on_output=None if protocol else plan.client_output,
        )
        dialogue.record("app.first-launch", "first-launch", ts=moment)
        if protocol:
            dialogue.phase = "first-launch" if plan.browser else "account-create"
            if self._account_for_client:
                self._tell_client(self._account_for_client)
        try:
            self._watch_client(self._client, started + plan.timeout_s)
        finally:
            self.client_s = time.monotonic() - started
        self._judge_exit(self._client)

    def _watch_client(self, client: Program, deadline: float) -> None:
        idle = _Idle(self._plan, self.dialogue)
        drop = TunnelDrop(self._stage.tunnel, self._plan.drop_tunnel, self.dialogue)
        while client.running:
            if time.monotonic() > deadline:
                raise SetupError(
                    f"the client did not end within {self._plan.timeout_s:g} s"
                    f"{self._last_action()}",
                    hint=_hint(client, "a longer limit gives it more time"),
                )
            try:
                self._setting.watch.turn(min(_TURN_S, idle.next_look(), drop.next_look()))
            except KeyboardInterrupt:
                if self._plan.speaks_protocol:
                    raise
                self._ended_by_hand(client)
                return
            drop.when_due()
            if drop.is_settled() and idle.is_over():
                client.hang_up()
            self._require_agreed_lines()
            self._require_peer_and_taps()
        client.wait(_END_LIMIT_S)
        self._require_agreed_lines()

    def _ended_by_hand(self, client: Program) -> None:
        self.dialogue.record(None, self.dialogue.phase, "ended by the person at the keyboard")
        client.end(_END_LIMIT_S)
        self.exit_code = client.job.code
        client.job.code = 0

    def _judge_exit(self, client: Program) -> None:
        code = client.job.code
        if self.exit_code is None:
            self.exit_code = code
        if code:
            raise SetupError(
                f"the client {describe_exit(code)}{self._last_action()}",
                source=self._argv[0].rpartition("/")[2],
                hint=_hint(client, "it cannot give a pass"),
            )

    def _last_action(self) -> str:
        done = [line.action for line in self.dialogue.client_lines if line.action]
        if not self._plan.speaks_protocol:
            return ""
        return f" (last action: {done[-1]})" if done else " (before its first action)"

    def _require_agreed_lines(self) -> None:
        if self.dialogue.trouble:
            raise self.dialogue.trouble

    def _require_taps(self) -> None:
        if trouble := self._stage.tap_trouble():
            raise CaptureError(trouble, source=str(self._plan.folder), hint=_TAP_HINT)

    def _require_peer_and_taps(self) -> None:
        self._require_taps()
        peer = self._peer
        if peer is not None and not peer.running and peer.job.code:
            raise SetupError(
                f"the peer {describe_exit(peer.job.code)}",
                hint=_hint(peer, "it cannot give a pass"),
            )

    # -- programs that plant ---------------------------------------------------------------------

    def _run_extras(self) -> None:
        for argv in self._plan.extra_commands:
            spec = self._client_spec(argv)
            spec.env["AUDIT_ECHO"] = f"{self._stage.echo}:{ECHO_PORTS['http']}"
            name = _name_of(argv)
            program = Program(self._stage.sandbox, name, spec)
            try:
                if code := program.wait(_EXTRA_LIMIT_S):
                    raise SetupError(
                        f"{name} {describe_exit(code)}",
                        hint=_hint(program, "it cannot give a pass"),
                    )
            finally:
                program.job.signal(signal.SIGKILL)
                program.close()


def _hint(program: Program, consequence: str) -> str:
    """Return a hint with a program's last words, which stand nowhere in the bundle."""
    words = program.last_words().removeprefix(": ")
    said = f"its last words: {words}; " if words else ""
    return f"{said}what was recorded so far is kept, {consequence}"


def _name_of(argv: list[str]) -> str:
    """Return what to call a program that runs after the client."""
    module = argv[argv.index("-m") + 1] if "-m" in argv[:-1] else Path(argv[0]).name
    return f"the program {module}, run after the client,"


class _Idle:
    """Decides when the client was left alone for long enough."""

    def __init__(self, plan: RecordPlan, dialogue: Dialogue) -> None:
        target = plan.target
        can = target.can if target and target.can is not None else []
        self._expected = {str(action) for action in can if action not in RECORDER_ACTIONS}
        self._applies = plan.speaks_protocol and target is not None and target.can is not None
        self._idle_s = plan.idle_s
        self._dialogue = dialogue
        self._since: float | None = None
        self._over = False

    def next_look(self) -> float:
        """Return the seconds after which something may have changed by the clock alone."""
        if self._since is None or self._over:
            return _TURN_S
        return max(0.0, self._since + self._idle_s - time.monotonic())

    def is_over(self) -> bool:
        """Whether all is done and the idle time, if any, is over; tells so once."""
        if not self._applies or self._over or not self._dialogue.has_done(self._expected):
            return False
        if self._since is None:
            self._since = time.monotonic()
        if time.monotonic() < self._since + self._idle_s:
            return False
        self._over = True
        if self._idle_s:
            note = f"left alone for {self._idle_s:g} s"
            self._dialogue.record("app.idle", self._dialogue.phase, note)
        return True
