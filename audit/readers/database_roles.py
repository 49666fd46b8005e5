"""What the columns and tables of a database are for, by rule, else by name and declared type."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from audit.readers.database_access import Column, Table
from audit.readers.logfields import snake


class Rule(Protocol):
    """What a person said of the columns of one table."""

    time: str | None
    status: str | None
    email: str | None
    deleted: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Columns of one table by what they are for; ``None``: there is none."""

    time: str | None = None
    """When the row was collected."""
    changed: str | None = None
    """When it was changed last; stands in for ``time`` where that is lacking."""
    status: str | None = None
    status_time: str | None = None
    """When the row came into its state."""
    deleted: str | None = None
    left_flag: str | None = None
    """Flag that says a person left, such as ``unsubscribed``; or a time that says so."""
    stays_flag: str | None = None
    """Flag that says a person is there, such as ``subscribed``."""
    email: str | None = None
    """Column that a rule names for e-mail addresses; they are found in all others as well."""
    missing: tuple[str, ...] = ()
    """Columns that a rule names and the table lacks."""


_TIMES: Final = (
    "collected_at", "created_at", "created", "creation_date", "created_on", "date_created",
    "inserted_at", "received_at", "submitted_at", "logged_at", "visited_at", "viewed_at",
    "subscribed_at", "subscribed_on", "signup_date", "joined_at", "list_joined_date",
    "registered_at", "date_joined", "sent_at", "occurred_at", "event_time", "request_time",
    "first_seen", "ctime", "ts", "timestamp", "time", "datetime", "date", "day", "added_at", "at",
)  # fmt: skip
"""Names of the time of collection, the surest first."""
_CHANGED: Final = (
    "updated_at", "updated", "modified_at", "modified", "last_modified", "changed_at",
    "last_seen", "last_seen_at", "last_login", "mtime", "updated_on",
)  # fmt: skip
_STATUS: Final = ("status", "state", "subscription_status", "subscriber_state", "list_status")
_STATUS_TIMES: Final = (
    "status_since", "status_changed_at", "state_changed_at", "state_changed_date", "state_since",
    "unsubscribed_at", "unsubscribed_on", "opted_out_at", "optout_at", "left_at", "deleted_at",
    "suppressed_at", "bounced_at",
)  # fmt: skip
_DELETED: Final = (
    "deleted_at", "deleted", "is_deleted", "deleted_on", "removed_at", "removed", "is_removed",
    "soft_deleted", "trashed", "trashed_at", "tombstone", "erased_at",
)  # fmt: skip
_LEFT: Final = (
    "unsubscribed_at", "unsubscribed", "is_unsubscribed", "opted_out", "opted_out_at", "optout",
    "opt_out", "left_at", "unsubscribed_on",
)  # fmt: skip
_STAYS: Final = ("subscribed", "is_subscribed", "active", "is_active", "opted_in", "opt_in")
_LATER: Final = re.compile(r"(expires?|expiry|expiration|until|due|valid|next|birth|dob)(_|$)")
"""Words of names whose times are none of collection."""
_TIME_TYPE: Final = re.compile(r"timestamp|datetime|^date$")
_NO_TIME_TYPE: Final = re.compile(r"bool|json|blob|bytea|uuid|inet")

STATES: Final[Mapping[str, str]] = {
    word: state
    for state, words in {
        "subscribed": "subscribed active confirmed enabled opted_in optin member live",
        "unsubscribed": "unsubscribed inactive opted_out optout left cancelled canceled unsub",
        "deleted": "deleted removed erased trashed",
        "suppressed": "suppressed suppression blocked blocklisted blacklisted complained spam",
        "bounced": "bounced bounce cleaned undeliverable",
        "unconfirmed": "unconfirmed pending requested double_optin_pending",
    }.items()
    for word in words.split()
}
"""Word of a state, as lists write it -> state, as checks name it."""
LEFT: Final = frozenset({"unsubscribed", "deleted", "suppressed"})
"""States of people who left."""
_TABLE_STATES: Final = (
    (re.compile(r"suppress|block_?list|black_?list|do_not_(mail|contact)"), "suppressed"),
    (re.compile(r"unsub|opt_?outs?(_|$)"), "unsubscribed"),
    (re.compile(r"(^|_)(deleted|trash|removed)(_|$)"), "deleted"),
)
_COPY: Final = re.compile(
    r"(^|_)(backups?|bak|bck|old|orig|copy|copies|archived?|history|hist|shadow|snapshots?|audit|"
    r"tmp|temp|dump|deleted|trash|versions?|prev|previous|\d{6,8})(_|$)"
)
"""Words in the names of tables that hold what another table held."""
_KINDS: Final = (
    (re.compile(r"(^|_)e?_?mail(_|$).*(hash|md5|sha\d*|digest)|hashed_e?mail"), "email_digest"),
    (re.compile(r"(^|_)(ip|addr|address)(_|$).*(hash|md5|sha\d*|digest)"), "address_digest"),
    (re.compile(r"(^|_)(phone|mobile|msisdn|telephone)(_|$)"), "phone"),
    (re.compile(r"(^|_)(user_?agent|ua)$"), "user_agent"),
    (re.compile(r"(^|_)(first|last|full|family|display|real)_?name$|^surname$"), "display_name"),
    (re.compile(r"^user_?name$|^login$"), "user_name"),
    (re.compile(r"(^|_)(android_id|ssaid)$"), "android_id"),
    (re.compile(r"(^|_)(ad_id|idfa|gaid|advertising_id)$"), "ad_id"),
    (re.compile(r"(^|_)(serial|serial_number|imei)$"), "serial"),
    (re.compile(r"(^|_)(device_model|model_name)$"), "device_model"),
    (re.compile(r"^(visitor|client|browser|device)_?(id|uuid)$|^fingerprint$"), "visitor_id"),
)  # fmt: skip


def roles_of(table: Table, rule: Rule | None = None) -> Roles:
    """Tell the columns of a table; what a rule names goes before what is found."""
    by_name = {snake(column.name): column for column in reversed(table.columns)}
    named = {column.name for column in table.columns}
    told = {
        role: value
        for role in ("time", "status", "email", "deleted")
        if rule is not None and (value := getattr(rule, role)) is not None
    }
    missing = tuple(value for value in told.values() if value not in named)
    found = {role: value for role, value in told.items() if value in named}
    time = found.get("time") or _time(table, by_name)
    changed = _first(_CHANGED, by_name, _may_be_time)
    return Roles(
        time=time,
        changed=None if changed == time else changed,
        status=found.get("status") or _first(_STATUS, by_name),
        status_time=_first(_STATUS_TIMES, by_name, _may_be_time),
        deleted=found.get("deleted") or _first(_DELETED, by_name),
        left_flag=_first(_LEFT, by_name),
        stays_flag=_first(_STAYS, by_name),
        email=found.get("email"),
        missing=missing,
    )


def _time(table: Table, by_name: Mapping[str, Column]) -> str | None:
    """Return the column of the time of collection; with several alike, the first by name."""
    found = _first(_TIMES, by_name, _may_be_time)
    if found is not None:
        return found
    taken = {*_CHANGED, *_STATUS_TIMES, *_DELETED, *_LEFT}
    for column in table.columns:
        name = snake(column.name)
        if _TIME_TYPE.search(column.type) and name not in taken and not _LATER.search(name):
            return column.name
    return None


def _may_be_time(column: Column) -> bool:
    return not _NO_TIME_TYPE.search(column.type)


def _any(_: Column) -> bool:
    return True


def _first(names: Iterable[str], columns: Mapping[str, Column], fits: object = _any) -> str | None:
    for name in names:
        column = columns.get(name)
        if column is not None and callable(fits) and fits(column):
            return column.name
    return None


def kind_by_name(name: str) -> str | None:
    """Return what a column holds, as its name says; ``None``: it does not say."""
    text = snake(name)
    return next((kind for pattern, kind in _KINDS if pattern.search(text)), None)


def state_of_table(name: str) -> str | None:
    """Return the state of everybody in a table, as its name says: a suppression list."""
    text = snake(name)
    return next((state for pattern, state in _TABLE_STATES if pattern.search(text)), None)


def copies_of(table: Table, others: Iterable[Table]) -> str | None:
    """Return the table that this one holds a copy of, by name and columns; ``''``: not known.

    ``None``: nothing says that it is a copy.
    """
    if not _COPY.search(snake(table.name)):
        return None
    columns = {column.name for column in table.columns}
    alike = [
        (len(columns & {column.name for column in other.columns}), other.label)
        for other in others
        if other.label != table.label and not _COPY.search(snake(other.name))
    ]
    best = max(alike, default=(0, ""))
    return best[1] if columns and best[0] * 2 >= len(columns) else ""
