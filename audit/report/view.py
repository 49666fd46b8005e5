"""The neutral tree of a report: what it says and in which order, free of any output format.

All texts are final words; all values are those of the (redacted) result, not yet escaped for
anything. ``anchor`` is a name that is unique in the report and safe in a URL fragment. ``mark`` is
an outcome, or ``none`` where no check speaks.
"""

from __future__ import annotations

from dataclasses import dataclass

from audit.report.pictures import Flow, Matrix, Timeline

Pairs = tuple[tuple[str, str], ...]
"""Label -> text, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Who was audited."""

    title: str
    """Name with its version."""
    description: str
    """The target's title; empty: it says no more than the name."""
    is_official: bool | None
    """``None``: the target does not say."""
    remark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many clauses came to one outcome."""

    mark: str
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The decision for a pipeline."""

    exit_code: int
    reasons: tuple[str, ...]
    exit_zero: bool = False
    """Whether the caller asked for exit code 0 whatever it says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The first lines."""

    client: Client
    policy: str
    as_of: str
    tool: str
    recordings: str
    """Vantage and pass of each recording, in words."""
    sentence: str
    """The verdict in one sentence."""
    tallies: tuple[Tally, ...]
    n_clauses: int
    gate: Gate
    truncated: tuple[str, ...]
    """Recordings that are incomplete, a sentence each."""
    baseline: Pairs = ()
    """The earlier result that this one was compared with; empty: none was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckLink:
    """A check as named beside a clause."""

    title: str
    mark: str
    status: str
    anchor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One sentence of the policy."""

    id: str
    anchor: str
    quote: str
    mark: str
    is_disclosure: bool
    checks: tuple[CheckLink, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A stretch of the policy's text."""

    text: str
    mark: str | None = None
    """Mark of the sentence that it is; ``None``: words between two judged sentences."""
    anchor: str | None = None
    """Where the sentence and its checks stand; ``None``: words between two judged sentences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading of the policy and the clauses below it."""

    title: str
    paragraphs: tuple[tuple[Run, ...], ...]
    """The policy's own text below the heading, the sentences in their places."""
    clauses: tuple[Clause, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command that shows the bytes of a piece of evidence, run in the recording's folder."""

    tool: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of an excerpt."""

    text: str
    is_pseudonym: bool
    """Stands for a value of the test subject."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Where one row of a finding lies."""

    place: str
    """File, record, part and byte range, in words."""
    locator: str
    excerpt: tuple[Piece, ...]
    reasoning: str | None
    """Why this row violates; ``None``: the finding's own words say it."""
    capture: str
    capture_anchor: str | None
    ts: str
    conversation: str | None
    also: str | None
    """Locator in the other tap; ``None``: one tap saw the bytes."""
    commands: tuple[Command, ...]
    remark: str | None
    """What the commands cannot show; ``None``: nothing."""
    chain: str | None = None
    """Decoders on the way from the bytes to the value; ``None``: it stands there as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Violating rows of one kind."""

    number: str
    """Place in the report, such as ``3.1.2``."""
    anchor: str
    message: str
    severity: str
    expected: str | None
    recipient: str | None
    role: str | None
    columns: Pairs
    """The other identity columns."""
    terms: tuple[tuple[str, str], ...]
    """Outside vocabulary and its term for what was found."""
    count: int
    fingerprint: str
    evidence: tuple[Evidence, ...]
    notes: Pairs = ()
    """What a baseline, several recordings and waivers say of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingGroup:
    """Findings of one check that are folded together, because there are many."""

    title: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one check says."""

    number: str
    check: str
    anchor: str
    clause: str
    clause_anchor: str | None
    clause_mark: str
    """Outcome of the whole sentence, which other checks may decide."""
    title: str
    severity: str
    status: str
    quote: str
    reading: str
    mark: str
    reasons: tuple[tuple[str, str | None], ...]
    """Why, and what to do to prove it."""
    limits: tuple[str, ...]
    exercised: tuple[str, ...]
    findings: tuple[Finding, ...]
    """The first ones, which stand open."""
    more: tuple[FindingGroup, ...]
    """The others, by recipient."""
    n_findings: int
    n_rows: int
    attest: Pairs
    procedure: str | None
    disposition: Pairs
    remediation: str | None
    references: tuple[str, ...]
    """Outside standards that the check bears on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A plain table."""

    columns: tuple[str, ...]
    """Headings."""
    rows: tuple[tuple[str, ...], ...]
    names: tuple[str, ...] = ()
    """Names of the columns in the result, to style by; empty: nothing to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """Disclosed, unscored rows of one check."""

    title: str
    check: str
    check_anchor: str | None
    table: Table
    total: int
    notes: tuple[str, ...] = ()
    """What the rows leave out and how they came about, a sentence each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One kind of visibility: number and share of conversations and of bytes."""

    key: str
    label: str
    conversations: int
    conversations_share: float
    """0 to 1."""
    bytes: int
    bytes_share: float
    """0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """Something that the client was made to do."""

    number: int
    """1-based place in its recording."""
    anchor: str
    name: str
    facts: Pairs
    commands: tuple[Command, ...]
    """Commands that show the packets around it; empty: there are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What could and could not be seen."""

    vantages: tuple[str, ...]
    transport: tuple[Bar, ...]
    content: tuple[Bar, ...]
    missed: Table | None
    """Conversations that the packets saw and the proxy did not read."""
    has_both_taps: bool
    """Whether any recording had a proxy and packets to compare."""
    recipients: Table | None
    actions: tuple[tuple[str, tuple[Deed, ...]], ...]
    """Recording -> what the client was made to do."""
    losses: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disposition:
    """A waiver or somebody's statement, laid over verdicts without changing them."""

    title: str
    state: str
    """Whether it is in force, in words."""
    is_lapsed: bool
    facts: Pairs
    checks: tuple[CheckLink, ...]
    """Checks that it is about and that were judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaning:
    """Something that verdicts rest on, and which."""

    text: str
    checks: tuple[CheckLink, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """One recording."""

    id: str
    anchor: str
    facts: Pairs
    ladder: Pairs
    tools: str
    limits: tuple[str, ...]
    truncated: tuple[str, ...]
    digest: str
    client_digest: str
    """SHA-256 of the audited program; empty: not known."""
    digests: Pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The whole report."""

    head: Head
    sections: tuple[Section, ...]
    violations: tuple[Verdict, ...]
    matrix: Matrix | None
    flows: tuple[Flow, ...]
    """The flow of data for wide and for narrow pages; empty: no recipient is known."""
    inconclusive: tuple[Verdict, ...]
    not_observable: tuple[Verdict, ...]
    reported: tuple[Reported, ...]
    coverage: Coverage
    timelines: tuple[Timeline, ...]
    leaning: tuple[Leaning, ...]
    waivers: tuple[Disposition, ...]
    attestations: tuple[Disposition, ...]
    captures: tuple[Capture, ...]
    passes: tuple[Verdict, ...]
    out_of_scope: tuple[Verdict, ...]
    policy_digest: str
