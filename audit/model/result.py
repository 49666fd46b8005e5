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
    """Name of the program."""
    version: str
    """Its version."""


class PolicyRef(_Part):
    """The document that was judged against."""

    id: str
    """Name of the policy, as its folder and its checks say."""
    title: str
    """Title of the document, for people."""
    sha256: str
    """Digest of the policy's text."""
    text: str = ""
    """The edition that was judged, verbatim; empty: the quotes of the clauses stand alone."""


class CaptureRef(_Part):
    """One capture that was judged."""

    id: str
    """Name of the recording; evidence names it so."""
    digest: str
    """Locates the capture, see ``audit.bundle.folder.Bundle.digest``."""
    client: dict[str, Any]
    """What was recorded: ``{name, version, digest, command, ...}``; empty for a bare file."""
    vantage: str
    """Where the recorder stood: a word of the vocabulary ``Vantage``."""
    pass_: str = Field(alias="pass")
    """Which of the two passes: ``passive`` or ``intercepted``."""
    device: str
    """Name of the device, by the manifest."""
    install: str
    """Name of the install; each recording of a fresh install has its own."""
    started_at: str | None
    """When recording began, UTC by the recorder's clock; ``None``: not known."""
    ended_at: str | None
    """When recording ended, same clock; ``None``: not known, or it never ended."""
    digests: dict[str, str]
    """Path in the bundle -> sha256."""
    manifest: str | None = None
    """sha256 of the bundle's ``capture.json``; ``None``: a bare file."""
    stand_ins: bool = False
    """Whether the servers were stand-ins of a lab, under the real ones' names."""
    ladder: list[dict[str, Any]] = []
    """Vantages that the machine was asked for: ``{name, works, reason}``."""
    tools: dict[str, str] = {}
    """Program -> version that recorded."""
    truncated: list[str] = []
    """What was cut, a sentence each; anything here blocks a pass."""
    limits: list[str] = []
    """What this recording could not see, a sentence each."""


class Evidence(_Part):
    """Where one row of a finding lies, so that an opponent can look."""

    capture: str
    """``id`` of the recording."""
    file: str
    """Path in the bundle."""
    record: str
    """1-based record or packet numbers, comma separated; ``''`` for the whole file."""
    part: str | None
    """Piece of the record, such as ``request.body``; ``None``: the record itself."""
    locator: str
    """The full ``ref``: ``FILE#RECORDS:PART@START-END``."""
    excerpt: str
    """Redacted surroundings; never a value of the subject."""
    reasoning: str
    """Why this row violates the expectation, in words."""
    conversation: str | None = None
    """``PROTOCOL ORIGINATOR > RESPONDER``; ``None``: the row has none."""
    ts: str | None = None
    """When the bytes passed, UTC by the tap's clock; ``None``: not known."""
    also: str | None = None
    """Locator of the same bytes in the other tap; ``None``: one tap saw them."""
    chain: list[str] = []
    """Decoders and containers from the bytes to the value, outermost first, then the form that it
    is written in; empty: the row is no hit of the identifier search."""


class Finding(_Part):
    """Violating rows that share the expectation's identity columns."""

    id: str
    """``CHECK/EXPECTATION/NUMBER``, unique in the result; the number counts within one result."""
    expectation: str
    """Which expectation of the check is violated."""
    severity: str
    """Severity of the check: a word of the vocabulary ``Severity``."""
    message: str
    """What happened, in one sentence."""
    columns: dict[str, str | None]
    """The identity columns, redacted: what waivers match."""
    fingerprint: str
    """sha256 over check, expectation and identity columns: equal in every recording."""
    count: int
    """How many rows violate."""
    evidence: list[Evidence]
    """At most the first rows, see ``count`` for how many there are."""
    expected: str | None = None
    """What the expectation demands, in words; ``None``: the reading says it."""
    baseline: Literal["new", "unchanged"] | None = None
    """Whether an earlier result had this fingerprint; ``None``: compared with none."""
    waivers: dict[str, str] = Field(default_factory=dict)
    """Waiver that covers it -> ``in force``, ``expired`` or ``not yet in force``; what each says
    stands in the verdict's ``disposition``."""
    recordings: tuple[int, int] | None = None
    """In how many of how many recordings it shows; ``None``: one recording, or not told."""
    terms: dict[str, str] = Field(default_factory=dict)
    """Vocabulary (``dpv``, ``fideslang``) -> its term for the identifier; empty: none was found."""


class Reason(_Part):
    """Why a verdict is not a pass or a fail, with what to do about it."""

    text: str
    """The reason, one sentence."""
    hint: str | None = None
    """What to do; ``None``: nothing to advise."""


class VerdictRecord(_Part):
    """What one check says."""

    check: str
    """Id of the check."""
    clause: str
    """Id of the clause that it tests."""
    title: str
    """What the check holds, one sentence."""
    severity: str
    """How grave a violation is: a word of the vocabulary ``Severity``."""
    status: str = "stable"
    """``stable``, ``experimental`` or ``deprecated``; only stable checks decide."""
    quote: str
    """The clause's exact words."""
    reading: str
    """The testable paraphrase of them."""
    outcome: Outcome
    """One of the five outcomes."""
    reasons: list[Reason]
    """Why it is neither a pass nor a fail; empty for those two."""
    limits: list[str]
    """What a pass does not cover (opaque share, no onion request seen, ...)."""
    leaned_on: list[str]
    """Cuts, overrides, exemptions and persons' words that the verdict rests on."""
    exercised: list[str]
    """Actions that were corroborated, with what corroborated each."""
    findings: list[Finding]
    """Violations; empty unless the outcome is ``fail``."""
    attest: dict[str, Any] | None = None
    """Who could attest what cannot be observed: ``{question, by, valid_for, needs}``."""
    procedure: str | None = None
    """How somebody could test what cannot be observed here; ``None``: not said."""
    disposition: dict[str, Any] | None = None
    """What waivers or an attestation lay over the verdict; ``None``: nothing."""
    remediation: str | None = None
    """The check's own word on how a violation is mended."""
    references: list[str] = Field(default_factory=list)
    """Outside standards that the check bears on, such as ``GDPR Art. 5(1)(c)``."""
    file: str | None = None
    """Path of the check's file in the policy's folder, such as ``checks/identity.yaml``."""
    line: int | None = None
    """Line of that file that the check's id stands on, 1-based; ``None``: not known."""
    version: str | None = None
    """The check's version."""


class ClauseRecord(_Part):
    """One sentence of the policy."""

    id: str
    """Name of the clause."""
    quote: str
    """Its exact words."""
    section: str
    """Heading of the document that it stands under."""
    outcome: Outcome | None
    """``None``: no check."""
    checks: list[str]
    """Ids of its checks, sorted."""
    kind: str | None = None
    """``promise`` or ``disclosure``, by the policy's file; ``None``: not said."""


class Coverage(_Part):
    """What could and could not be seen, over all captures."""

    conversations: dict[str, dict[str, int]]
    """``{"transport": {value: n}, "content": {value: n}}``."""
    bytes: dict[str, dict[str, int]]
    """The same, in bytes of the packets or of what the proxy read."""
    missed_by_proxy: list[dict[str, Any]]
    """5-tuples that the packets saw and the proxy did not decrypt, each with its reason:
    ``{capture, conversation, recipient, reason, bytes}``."""
    drops: dict[str, int]
    """Tap -> packets that the kernel dropped."""
    truncated: list[str]
    """What was cut, over all captures, a sentence each."""
    unattributed: dict[str, int]
    """``{"conversations": n, "bytes": n}`` that no process could be named for."""
    actions: list[dict[str, Any]]
    """``{capture, name, phase, ok, driver, corroborated_by, ts, note}``, in order of time."""
    vantage: list[str]
    """Vantages of the captures, sorted."""
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
    """0 holds, 1 violated, 4 unproven, 5 lapsed; see ``docs/reference/exit-codes.md``."""
    reasons: list[str]
    """What decided it, the gravest first, and what to know beside."""
    exit_zero: bool = False
    """Whether the caller asked for exit code 0 whatever the gate says."""
    waivers: list[dict[str, Any]] = []
    """Every waiver that was given: ``{id, check, state, covers, reason, owner, approved_by,
    created, expires, issue}``; ``state`` is ``in force``, ``expired`` or ``not yet in force``,
    ``covers`` counts findings (0: unused)."""


class Result(_Part):
    """The whole of ``result.json``."""

    schema_: Literal["audit/result@1"] = Field(default=SCHEMA, alias="schema")
    """Name and version of this schema."""
    as_of: str
    """Moment of judging, UTC, ISO 8601: an input of the run, so that a rerun is byte-equal."""
    tool: Tool
    """What wrote it."""
    policy: PolicyRef
    """What was judged against."""
    target: dict[str, Any]
    """``{"name", "title", "platform", "is_official", "remark"}`` of the audited client."""
    captures: list[CaptureRef]
    """The recordings, sorted by name and digest."""
    coverage: Coverage
    """What could and could not be seen."""
    clauses: list[ClauseRecord]
    """Every sentence of the policy, in its order, those without a check included."""
    verdicts: list[VerdictRecord]
    """One a check, sorted by its id."""
    reported: list[dict[str, Any]]
    """Disclosed, unscored rows: ``{check, id, title, columns, rows, count}``, and ``notes`` where
    there is more to say. ``check`` is ``compare-installs`` for what comparing installs gave."""
    gate: Gate
    """The decision for a pipeline."""
    baseline: dict[str, Any] | None = None
    """The earlier result that this one was compared with, see ``audit diff``; ``None``:
    none was."""
