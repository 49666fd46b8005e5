"""``audit probe send``: one request to one URL, noted in the journal of probes."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from audit.bundle.identity import read_identity
from audit.bundle.journal import CONFIRMED, PERSON, SUBSCRIBE, UNSUBSCRIBE, JournalLine, now
from audit.cli.output import say
from audit.cli.place import CAPTURES, existing_file
from audit.errors import SetupError, UsageError

if TYPE_CHECKING:
    from audit.record.probe import Answer, Form
    from audit.record.probe_journal import ProbeJournal

JOURNAL: Final = CAPTURES / "probes.jsonl"
ACTIONS: Final = {
    "request": "web.probe",
    "subscribe": SUBSCRIBE,
    "confirm": None,
    "unsubscribe": UNSUBSCRIBE,
}
"""What to do -> action of the journal; ``None``: a remark."""
_TOKEN_BYTES: Final = 16


@click.command(name="send")
@click.argument("what", type=click.Choice(tuple(ACTIONS)))
@click.argument("url")
@click.option(
    "--journal",
    type=click.Path(path_type=Path),
    default=JOURNAL,
    show_default=True,
    help="Journal of probes, kept between runs, mode 0600.",
)
@click.option(
    "--identity", type=click.Path(path_type=Path), help="File that holds the canary's e-mail."
)
@click.option("--email-field", help="Field of the form that takes the e-mail.")
@click.option("--field", "fields", multiple=True, help="NAME=VALUE, sent as well (repeatable).")
@click.option("--in-query", is_flag=True, help="Send the fields in the query: a form of GET.")
@click.option("--json", "as_json", is_flag=True, help="Send the fields as a JSON object.")
@click.option("--expect", default="", help="Text that the answer must hold to count as done.")
def command(
    what: str,
    url: str,
    journal: Path,
    identity: Path | None,
    email_field: str | None,
    fields: tuple[str, ...],
    in_query: bool,
    as_json: bool,
    expect: str,
) -> None:
    """Send one probe to URL, and to nothing else; redirects are not followed.

    'request' asks for URL/TOKEN, a token of 128 bits made for it. 'subscribe' and 'unsubscribe'
    send a form with the canary's e-mail, or open URL where it is the person's own link; 'confirm'
    opens the link of a confirmation.
    """
    from audit.record.probe import Answer, ask, checked, origin, tagged
    from audit.record.probe_journal import open_probes

    place = checked(url)
    token = person = None
    form: Form | None = None
    if what == "request":
        if identity or email_field or fields or in_query or as_json:
            raise UsageError("a tagged request takes no identity, no field and no form of them")
        token = secrets.token_hex(_TOKEN_BYTES)
        place = tagged(place, token)
    else:
        email, person = _canary(identity, what)
        if what == "subscribe" and not email_field:
            raise UsageError("--email-field names the field that takes the e-mail")
        form = _form(email, email_field, fields, in_query=in_query, as_json=as_json)
    with open_probes(journal) as probes:
        if person and what == "subscribe":
            probes.require_fresh(person)
        elif person:
            probes.require_subscribed(person)
        try:
            answer = ask(place, form, expect)
        except KeyboardInterrupt:
            stopped = Answer(status=None, problem="stopped while it was sent")
            _note(probes, what, stopped, origin(place), token=token, person=person)
            raise
        _note(probes, what, answer, origin(place), token=token, person=person)
    if answer.problem:
        raise SetupError(
            f"this probe does not count as done: {answer.problem}",
            source=origin(place),
            hint=f"noted in {journal}",
        )
    tag = f", token {token[:8]}…" if token else ""
    say(f"{what}: {origin(place)} answered {answer.status}{tag}; noted in {journal}")


def _note(
    probes: ProbeJournal,
    what: str,
    answer: Answer,
    origin: str,
    *,
    token: str | None,
    person: str | None,
) -> None:
    """Write the line; the moment is that of the answer, so that no probe looks older than it is."""
    done = not answer.problem
    facts = {
        "origin": origin,
        "status": "" if answer.status is None else str(answer.status),
        "token": token or "",
        PERSON: person or "",
        CONFIRMED: "yes" if what == "confirm" and done else "",
    }
    told = f"{origin} answered {answer.status}" if done else answer.problem
    probes.write(
        JournalLine(
            ts=now(),
            driver="recorder",
            action=ACTIONS[what],
            ok=done,
            note=f"probe {what}: {told}",
            facts={key: value for key, value in facts.items() if value},
        )
    )


def _canary(path: Path | None, what: str) -> tuple[str, str]:
    """Return the one e-mail address of an identity file, and its digest as records have it."""
    from audit.readers.providers import email_hash

    if path is None:
        raise UsageError(
            f"'{what}' is about a person: name the canary's file with --identity",
            hint='{"schema": "audit/identity@1", "identifiers": [{"kind": "email", "value": "…"}]}',
        )
    emails = [
        item.value
        for item in read_identity(existing_file(path)).identifiers
        if item.kind == "email"
    ]
    if len(emails) != 1:
        raise UsageError(
            f"{len(emails) or 'no'} e-mail addresses stand in it, one is needed", source=str(path)
        )
    if "@" not in emails[0].strip("@") or any(letter.isspace() for letter in emails[0]):
        raise UsageError("its e-mail is no address", source=str(path))
    return emails[0], email_hash(emails[0])


def _form(
    email: str,
    email_field: str | None,
    fields: tuple[str, ...],
    *,
    in_query: bool,
    as_json: bool,
) -> Form:
    from audit.record.probe import Form

    if in_query and as_json:
        raise UsageError("fields go into the query or into JSON, not both")
    pairs = [(email_field, email)] if email_field else []
    for text in fields:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise UsageError("--field is NAME=VALUE")
        pairs.append((name, value))
    return Form(fields=tuple(pairs), in_query=in_query, as_json=as_json)
