"""``flows.mitm``: the dump of the proxy (HTTP, WebSocket, TCP, UDP and DNS flows) as rows.

Flows of the current version are read without mitmproxy; older ones are migrated by mitmproxy's own
reader, record by record. A dump that ends inside a flow keeps the flows before it, and says so.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from audit.bundle.layout import FLOWS
from audit.errors import CaptureError
from audit.readers.flow_layout import FLOW_VERSION, read_flow
from audit.readers.flow_rows import FlowRows
from audit.readers.flow_state import Flow, FlowError, State
from audit.readers.tnetstring import CutError, OversizeError, TnetstringError, decode, records
from audit.readers.uncollected import uncollected
from audit.tables.extract import Extract

MAX_TOLD: Final = 10
"""Flows that could not be read, and are named one by one."""
_UNREAD: Final = frozenset(
    {
        "certificate_list",
        "cipher_list",
        "alpn_offers",
        "mitmcert",
        "metadata",
        "backup",
        "comment",
        "marked",
        "cipher",
        "tls_version",
        "alpn",
        "timestamp_tcp_setup",
    }
)
"""Large or private parts of a flow that no row needs; metadata holds the proxy's credentials."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowOptions:
    """What a reader of flows must be told."""

    capture: str
    """Id of the capture, for the rows."""
    file: str = FLOWS
    """Name that references give the file."""


def read_flows(path: Path, options: FlowOptions) -> Extract:
    """Read a dump.

    A flow that cannot be read is left out, and ``truncated`` says which; so it does where the dump
    ends inside a flow, or goes on as something else. Raises :class:`CaptureError` for a file in
    which no flow can be read, or with one of a version newer than :data:`FLOW_VERSION`.
    """
    dump = _Dump(options=options, rows=FlowRows(capture=options.capture))
    with uncollected():
        try:
            for number, record in enumerate(records(path), start=1):
                dump.number = number
                dump.add(record)
        except CutError as error:
            dump.rows.extract.truncated.append(
                f"{options.file} ends in the middle of a flow: {error}"
            )
        except TnetstringError as error:
            dump.miss(f"cannot be read beyond flow {dump.number}", error)
        except OSError as error:
            raise CaptureError(f"the dump cannot be read: {error}", source=options.file) from None
    return dump.finish()


@dataclass(slots=True, kw_only=True)
class _Dump:
    """A dump that is being read."""

    options: FlowOptions
    rows: FlowRows
    number: int = 0
    """Of the record that was read last, 1-based."""
    read: int = 0
    """Flows that gave rows."""
    missed: list[str] = field(default_factory=list)

    def add(self, record: bytes | OversizeError) -> None:
        """Add the flow of one record; raises :class:`CaptureError` for one of the future."""
        place = f"{self.options.file}#{self.number}"
        if isinstance(record, OversizeError):
            self.rows.extract.truncated.append(f"{place}: not read, {record}")
            return
        try:
            flow = read_flow(record, self.number, self.options.file)
            if flow is None:
                flow = Flow.of(_state(record, place), self.number, self.options.file)
            self.rows.add(flow)
            self.read += 1
        except (TnetstringError, FlowError) as error:
            self.miss(f"flow {self.number} cannot be read", error)

    def miss(self, what: str, error: Exception) -> None:
        """Note something that could not be read."""
        if len(self.missed) <= MAX_TOLD:
            self.missed.append(f"{what}: {error}")

    def finish(self) -> Extract:
        """Return everything; raises :class:`CaptureError` where nothing could be read."""
        extract = self.rows.finish()
        if self.missed and not self.read:
            raise CaptureError(
                f"this is no dump of mitmproxy: {self.missed[0]}",
                source=f"{self.options.file}#{max(self.number, 1)}",
                hint="give a file written by 'mitmdump -w' or by 'audit record'",
            )
        told = self.missed[:MAX_TOLD]
        if len(self.missed) > MAX_TOLD:
            told.append("more flows cannot be read")
        extract.truncated += [f"{self.options.file}: {text}" for text in told]
        return extract


def _state(record: bytes, place: str) -> State:
    state = decode(record, _UNREAD)
    if not isinstance(state, dict):
        raise FlowError("a flow is no dictionary")
    version = state.get("version")
    if version == FLOW_VERSION:
        return state
    if isinstance(version, int) and version > FLOW_VERSION:
        raise CaptureError(
            f"flow format {version} is newer than {FLOW_VERSION}, the newest known here",
            source=place,
            hint="record with the mitmproxy that this tool was installed with",
        )
    return _migrate(record)


def _migrate(record: bytes) -> State:
    """Return the state of an old flow as the current version writes it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # mitmproxy 12 on today's pyparsing
        from mitmproxy import exceptions
        from mitmproxy.io import FlowReader
    try:
        flow = next(iter(FlowReader(io.BytesIO(record)).stream()))
        state = flow.get_state()
    except exceptions.FlowReadException as error:
        raise FlowError(str(error)) from None
    except Exception as error:  # noqa: BLE001 - its converters were never meant for hostile bytes
        raise FlowError(f"mitmproxy cannot migrate it: {error}") from None
    return {str(key): value for key, value in state.items()}
