"""``sources.yaml``: what a server's party keeps, where it lies, and how it is to be read."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, StrictInt, StrictStr, model_validator

from audit.yamlfile.shape import Flag, Name, Part, Text

SCHEMA: Final = "audit/sources@1"

Role = Literal["website", "seed", "app", "cloudflare", "newsletter", "system-account"]
"""Which clause's party keeps it: the column ``source`` of the rows that come of it."""
LogFormat = Literal["auto", "combined", "common", "json", "syslog", "journald", "csv"]
"""How lines are written; ``auto``: told by their look, file by file."""


class TableRule(Part):
    """What the columns of one table mean; what is not named is found by name and content."""

    time: Text | None = None
    """Column that says when a row was collected, or came into its state."""
    status: Text | None = None
    """Column of a person's state in a list."""
    email: Text | None = None
    """Column of e-mail addresses: a value that is neither one nor a digest is in doubt."""
    deleted: Text | None = None
    """Column that marks a row as deleted without deleting it: not null, or not false."""
    ignore: Flag = False
    """Whether the table holds nothing of people; it is counted, and said to be left out."""


class SourceEntry(Part):
    """One thing to look at."""

    role: Role
    name: Name | None = None
    """Name in references; ``None``: the role. Where two files or databases would
    have one, a number follows."""
    logs: tuple[Text, ...] = ()
    """Files, folders and patterns of log files, relative to this file; packed ones too."""
    format: LogFormat = "auto"
    log_format: Text | None = None
    """nginx ``log_format`` or Apache ``LogFormat`` of the lines, as configured."""
    config: tuple[Text, ...] = ()
    """Files of configuration: nginx, logrotate, journald, settings of providers as JSON."""
    records: tuple[Text, ...] = ()
    """Exports with a row a person or visit: JSON, JSON lines, CSV."""
    table: Text | None = None
    """Name of the table that ``records`` are of; ``None``: each file's name."""
    database: Text | None = None
    """Path of an SQLite or DuckDB file, or a URL without a password."""
    database_env: Annotated[StrictStr, Field(pattern=r"^[A-Z_][A-Z0-9_]*$")] | None = None
    """Environment variable that holds the URL of the database, password and all."""
    tables: dict[Text, TableRule] = Field(default_factory=dict)
    """Table -> what its columns mean."""
    hosts: tuple[Text, ...] = ()
    """Names of the machines or sites that the logs must be of."""
    own_addresses: tuple[Text, ...] = ()
    """Addresses of the party's own machines, which are nobody's."""
    columns: tuple[Text, ...] = ()
    """Names of the columns of CSV without a header."""
    time_zone: Text = "UTC"
    """IANA name of the zone of times that name none; said in the report where it was used."""
    year: Annotated[StrictInt, Field(ge=1970, le=9999)] | None = None
    """Year of the last line, for lines without one."""
    patterns: dict[Name, Text] = Field(default_factory=dict)
    """Kind of identifier -> regular expression (RE2) of its values in logs, such as account ids."""
    copy_files: Flag = Field(default=False, alias="copy")
    """Whether the files themselves are copied into the bundle; never a database."""

    @model_validator(mode="after")
    def _has_something(self) -> SourceEntry:
        if not (self.logs or self.config or self.records or self.database or self.database_env):
            raise ValueError("a source names 'logs', 'config', 'records' or 'database'")
        if self.database and self.database_env:
            raise ValueError("a source has one database: 'database' or 'database_env'")
        return self


class SourcesFile(Part):
    """The whole of ``sources.yaml``."""

    schema_: Literal["audit/sources@1"] = Field(default=SCHEMA, alias="schema")
    sources: Annotated[list[SourceEntry], Field(min_length=1)]
