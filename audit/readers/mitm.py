"""``flows.mitm``: the dump of the proxy (HTTP, WebSocket, TCP, UDP and DNS flows) as rows.

Flows of the current version are read without mitmproxy; older ones are migrated by mitmproxy's own
reader, record by record. A dump that ends inside a flow keeps the flows before it, and says so.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from audit.bundle.layout import FLOWS
from audit.errors import CaptureError
from audit.readers.flow_rows import FlowRows
from audit.readers.flow_state import Flow, FlowError, State
from audit.readers.tnetstring import CutError, OversizeError, TnetstringError, decode, records
from audit.tables.extract import Extract

FLOW_VERSION: Final = 21
"""``FLOW_FORMAT_VERSION`` of mitmproxy 11 and 12 (mitmproxy/version.py)."""
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
        "sockname",
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

    Raises :class:`CaptureError` for a file that is no dump, or of a version newer than
    :data:`FLOW_VERSION`. Whatever follows unreadable bytes is lost; ``truncated`` says from where.
    """
    rows = FlowRows(capture=options.capture)
    number = 0
    try:
        for number, record in enumerate(records(path), start=1):
            if isinstance(record, OversizeError):
                rows.extract.truncated.append(f"{options.file}#{number}: not read, {record}")
                continue
            rows.add(Flow.of(_state(record, f"{options.file}#{number}"), number, options.file))
    except CutError:
        rows.extract.truncated.append(f"{options.file} ends in the middle of a flow")
    except (TnetstringError, FlowError) as error:
        if not rows.extract.rows:
            raise CaptureError(
                f"this is no dump of mitmproxy: {error}",
                source=f"{options.file}#{max(number, 1)}",
                hint="give a file written by 'mitmdump -w' or by 'audit record'",
            ) from None
        rows.extract.truncated.append(
            f"{options.file} cannot be read beyond flow {number}: {error}"
        )
    except OSError as error:
        raise CaptureError(f"the dump cannot be read: {error}", source=options.file) from None
    return rows.finish()


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
