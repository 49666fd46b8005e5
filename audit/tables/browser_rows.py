"""Row models of what a recorded browser stored, called and asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from audit.tables.column import Column
from audit.tables.row_base import Bool, CommonRow, Number, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class CookiesRow(CommonRow):
    """One row a cookie of a site."""

    site: Annotated[Text, Column("host", "site visited")]
    domain: Annotated[Text, Column("host", "domain of the cookie")]
    name: Annotated[Text, Column("text", "name of the cookie")]
    lifetime: Annotated[Text, Column("duration", "life from its last setting, seconds")]
    session_only: Annotated[Bool, Column("bool", "gone when the browser closes", False)]
    lifetime_from_first_set: Annotated[Text, Column("duration", "life from its first setting")]
    seen_visits: Annotated[Number, Column("number", "visits in which it was seen", 1)]
    renewed: Annotated[Bool, Column("bool", "set again with a later end", False)]
    path: Annotated[Text, Column("text", "path of the cookie", "/")]
    set_by: Annotated[Text, Column("text", "header or script; None: nobody told of the setting")]
    http_only: Annotated[Bool, Column("bool", "kept from scripts", False)]
    secure: Annotated[Bool, Column("bool", "sent over TLS alone", True)]
    same_site: Annotated[Text, Column("text", "Strict, Lax or None; None: not said")]
    value_entropy_bits: Annotated[
        Number, Column("number", "bits of the most random part of the value", 0)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebStorageRow(CommonRow):
    """One row a value in local, session or indexed storage."""

    site: Annotated[Text, Column("host", "site visited")]
    key: Annotated[Text, Column("text", "key of the value")]
    value_entropy_bits: Annotated[
        Number, Column("number", "bits of the most random part of the value", 0)
    ]
    persistent: Annotated[Bool, Column("bool", "outlives the tab", True)]
    origin: Annotated[Text, Column("host", "host of the page that stored it")]
    area: Annotated[Text, Column("text", "local, session, indexed or cache", "local")]
    seen_visits: Annotated[Number, Column("number", "visits in which it was seen", 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptCallsRow(CommonRow):
    """One row a call of a page's script of what can tell browsers apart."""

    site: Annotated[Text, Column("host", "site visited")]
    frame: Annotated[Text, Column("host", "host of the frame that the script ran in")]
    script: Annotated[Text, Column("host", "host that the script came from; else the frame's")]
    script_url: Annotated[Text, Column("text", "address of the script; None: in the page itself")]
    api: Annotated[Text, Column("text", "what was called, such as canvas.toDataURL")]
    calls: Annotated[Number, Column("number", "times until then: told at 1, 10, 100, 1000", 1)]
    detail: Annotated[Text, Column("text", "what the call was about, empty where nothing is", "")]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequestsRow(CommonRow):
    """One row a request as the browser itself tells of it: which frame, and what began it."""

    site: Annotated[Text, Column("host", "site visited")]
    host: Annotated[Text, Column("host", "host asked")]
    path: Annotated[Text, Column("text", "path asked for, without query", "/")]
    method: Annotated[Text, Column("text", "method, upper case", "GET")]
    resource: Annotated[Text, Column("text", "Document, Script, Image, ... as CDP names it")]
    frame: Annotated[Text, Column("host", "host of the document that asked")]
    initiator: Annotated[Text, Column("text", "parser, script, preload, other, ...", "parser")]
    initiator_host: Annotated[Text, Column("host", "host of the script or page that began it")]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFormsRow(CommonRow):
    """One row a form of a page, and where it leads."""

    site: Annotated[Text, Column("host", "site visited")]
    page: Annotated[Text, Column("text", "path of the page", "/")]
    action_host: Annotated[Text, Column("host", "host that the form is sent to")]
    action_path: Annotated[Text, Column("text", "path that the form is sent to")]
    method: Annotated[Text, Column("text", "GET or POST", "POST")]
    fields: Annotated[Text, Column("list", "each field as 'TYPE NAME'")]
