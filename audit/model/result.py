"""``result.json``, schema ``audit/result@1``: every other output is a pure function of it.

It is always redacted. Serialised as canonical JSON (RFC 8785) it holds no path of the machine, no
time of day but the captures' own and ``as_of``, and no random value: same bundle in, same bytes
out.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from audit.model.outcome import Outcome

SCHEMA: Final = "audit/result@1"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Tool(_Part):
    """What wrote the result."""

    name: str
    version: str


class PolicyRef(_Part):
    """The document that was judged against."""

    id: str
    title: str
    sha256: str
    """Digest of the policy's text."""
    text: str = ""
    """The edition that was judged, verbatim; empty: the quotes of the clauses stand alone."""


class CaptureRef(_Part):
    """One capture that was judged."""

    id: str
    digest: str
    """Locates the capture, see ``audit.bundle.folder.Bundle.digest``."""
    client: dict[str, Any]
    vantage: str
    pass_: str = Field(alias="pass")
    device: str
    install: str
    started_at: str | None
    ended_at: str | None
    digests: dict[str, str]
    """Path in the bundle -> sha256."""
    stand_ins: bool = False
    """Whether the servers were stand-ins of a lab, under the real ones' names."""
    ladder: list[dict[str, Any]] = []
    tools: dict[str, str] = {}
    truncated: list[str] = []
    limits: list[str] = []


class Evidence(_Part):
    """Where one row of a finding lies, so that an opponent can look."""

    capture: str
    file: str
    record: str
    """1-based record or packet numbers, comma separated; ``''`` for the whole file."""
    part: str | None
    locator: str
    """The full ``ref``: ``FILE#RECORDS:PART@START-END``."""
    excerpt: str
    """Redacted surroundings; never a value of the subject."""
    reasoning: str
    """Why this row violates the expectation, in words."""
    conversation: str | None = None
    ts: str | None = None
    also: str | None = None
    """Locator of the same bytes in the other tap; ``None``: one tap saw them."""


class Finding(_Part):
    """Violating rows that share the expectation's identity columns."""

    id: str
    expectation: str
    severity: str
    message: str
    columns: dict[str, str | None]
    """The identity columns, redacted: what waivers match."""
    fingerprint: str
    count: int
    evidence: list[Evidence]
    """At most the first rows, see ``count`` for how many there are."""
    expected: str | None = None
    """What the expectation demands, in words; ``None``: the reading says it."""
    baseline: Literal["new", "unchanged"] | None = None
    """Whether an earlier result had this fingerprint; ``None``: compared with none."""
    recordings: tuple[int, int] | None = None
    """In how many of how many recordings it shows; ``None``: one recording, or not told."""
    terms: dict[str, str] = Field(default_factory=dict)
    """Vocabulary (``dpv``, ``fideslang``) -> its term for the identifier; empty: none was found."""


class Reason(_Part):
    """Why a verdict is not a pass or a fail, with what to do about it."""

    text: str
    hint: str | None = None


class VerdictRecord(_Part):
    """What one check says."""

    check: str
    clause: str
    title: str
    severity: str
    status: str = "stable"
    quote: str
    reading: str
    outcome: Outcome
    reasons: list[Reason]
    limits: list[str]
    """What a pass does not cover (opaque share, no onion request seen, ...)."""
    leaned_on: list[str]
    """Cuts, overrides, exemptions and persons' words that the verdict rests on."""
    exercised: list[str]
    """Actions that were corroborated, with what corroborated each."""
    findings: list[Finding]
    attest: dict[str, Any] | None = None
    procedure: str | None = None
    disposition: dict[str, Any] | None = None
    remediation: str | None = None
    """The check's own word on how a violation is mended."""
    references: list[str] = Field(default_factory=list)
    """Outside standards that the check bears on, such as ``GDPR Art. 5(1)(c)``."""
    file: str | None = None
    """Path of the check's file in the policy's folder, such as ``checks/identity.yaml``."""
    version: str | None = None
    """The check's version."""


class ClauseRecord(_Part):
    """One sentence of the policy."""

    id: str
    quote: str
    section: str
    outcome: Outcome | None
    """``None``: no check."""
    checks: list[str]
    kind: str | None = None
    """``promise`` or ``disclosure``, by the policy's file; ``None``: not said."""


class Coverage(_Part):
    """What could and could not be seen, over all captures."""

    conversations: dict[str, dict[str, int]]
    """``{"transport": {value: n}, "content": {value: n}}``."""
    bytes: dict[str, dict[str, int]]
    missed_by_proxy: list[dict[str, Any]]
    """5-tuples that the packets saw and the proxy did not decrypt, each with its reason:
    ``{capture, conversation, recipient, reason, bytes}``."""
    drops: dict[str, int]
    """Tap -> packets that the kernel dropped."""
    truncated: list[str]
    unattributed: dict[str, int]
    """``{"conversations": n, "bytes": n}`` that no process could be named for."""
    actions: list[dict[str, Any]]
    """``{capture, name, phase, ok, driver, corroborated_by, ts, note}``, in order of time."""
    vantage: list[str]
    recipients: list[dict[str, Any]] = []
    """Who was contacted: ``{recipient, role, owner, process, conversations, bytes}``."""
    timeline: list[dict[str, Any]] = []
    """When each recipient was spoken to: ``{capture, recipient, spans: [[start, end], ...]}``,
    UTC, close spans joined. Empty: the report draws none."""
    who_got_what: list[dict[str, Any]] = []
    """Every identifier hit, violating or not, grouped: ``{recipient, role, kind, layer, seen_as,
    forms: [...], count}``. Empty: the report draws its matrix from the findings alone."""


class Gate(_Part):
    """The decision for a pipeline."""

    exit_code: Literal[0, 1, 4, 5]
    reasons: list[str]
    exit_zero: bool = False
    """Whether the caller asked for exit code 0 whatever the gate says."""


class Result(_Part):
    """The whole of ``result.json``."""

    schema_: Literal["audit/result@1"] = Field(default=SCHEMA, alias="schema")
    as_of: str
    tool: Tool
    policy: PolicyRef
    target: dict[str, Any]
    """``{"name", "title", "platform", "is_official", "remark"}`` of the audited client."""
    captures: list[CaptureRef]
    coverage: Coverage
    clauses: list[ClauseRecord]
    verdicts: list[VerdictRecord]
    reported: list[dict[str, Any]]
    """Disclosed, unscored rows: ``{check, id, title, columns, rows, count}``, and ``notes`` where
    there is more to say. ``check`` is ``compare-installs`` for what comparing installs gave."""
    gate: Gate
    baseline: dict[str, Any] | None = None
    """The earlier result that this one was compared with, see ``audit diff``; ``None``:
    none was."""
