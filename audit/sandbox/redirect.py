"""nftables rules of the gateway: redirect the client's TCP, or hide it behind one address.

Expressions as ``nft --debug=netlink`` prints them for ``tcp dport redirect`` and ``masquerade``.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator
from typing import Any, Final

from audit.sandbox import kernel

_IP: Final = 2
_IP6: Final = 10
"""NFPROTO_IPV4 and NFPROTO_IPV6 of ``<linux/netfilter.h>``."""
_META_IIFNAME: Final = 6
_META_OIFNAME: Final = 7
_META_L4PROTO: Final = 16
_REGISTER: Final = 1
_TABLE_OWNER: Final = 0x2
"""NFT_TABLE_F_OWNER of ``<linux/netfilter/nf_tables.h>``."""
_NAME_BYTES: Final = 16
_DSTNAT: Final = -100
_SRCNAT: Final = 100
"""Priorities of ``<linux/netfilter_ipv4.h>``."""


def redirect_tcp(link: str, port: int) -> None:
    """Lead every TCP connection that comes in by ``link`` to ``port`` of the caller's namespace."""
    expressions = [
        *_interface(_META_IIFNAME, link),
        *_protocol(socket.IPPROTO_TCP),
        _expression("immediate", dreg=_REGISTER, data=_value(struct.pack("!H", port))),
        _expression("redir", reg_proto_min=_REGISTER),
    ]
    for family in _families():
        _add_rule(family, "prerouting", _DSTNAT, expressions)


def masquerade(link: str) -> None:
    """Give what leaves by ``link`` that link's own address."""
    for family in _families():
        _add_rule(
            family, "postrouting", _SRCNAT, [*_interface(_META_OIFNAME, link), _expression("masq")]
        )


@contextlib.contextmanager
def owned_masquerade(source: str, link: str) -> Iterator[None]:
    """Give what comes from ``source`` (IPv4) the address of the link it leaves by.

    The table is called like ``link``. It goes with the context; where the kernel knows tables
    with an owner, also with the process.
    """
    from pyroute2.netlink.exceptions import NetlinkError
    from pyroute2.nftables.main import NFTables

    expressions = [
        _expression("payload", dreg=_REGISTER, base=1, offset=12, len=4),
        _expression("cmp", sreg=_REGISTER, op=0, data=_value(socket.inet_aton(source))),
        _expression("masq"),
    ]
    with NFTables(nfgen_family=_IP) as tables:
        try:
            try:
                tables.table("add", name=link, flags=_TABLE_OWNER)
            except NetlinkError:
                tables.table("add", name=link)
            _fill_table(tables, link, "postrouting", _SRCNAT, expressions)
        except NetlinkError as error:
            raise kernel.CallError(error.code, "nftables masquerade rule") from None
        try:
            yield
        finally:
            with contextlib.suppress(NetlinkError, OSError):
                tables.table("del", name=link)


def _families() -> tuple[int, ...]:
    return (_IP, _IP6) if socket.has_ipv6 and _speaks_ipv6() else (_IP,)


def _speaks_ipv6() -> bool:
    try:
        socket.socket(socket.AF_INET6, socket.SOCK_STREAM).close()
    except OSError:
        return False
    return True


def _add_rule(family: int, hook: str, priority: int, expressions: list[Any]) -> None:
    from pyroute2.netlink.exceptions import NetlinkError
    from pyroute2.nftables.main import NFTables

    try:
        with NFTables(nfgen_family=family) as tables:
            tables.table("add", name="audit")
            _fill_table(tables, "audit", hook, priority, expressions)
    except NetlinkError as error:
        raise kernel.CallError(error.code, f"nftables {hook} rule") from None


def _fill_table(tables: Any, table: str, hook: str, priority: int, expressions: list[Any]) -> None:
    tables.chain("add", table=table, name=hook, hook=hook, type="nat", priority=priority, policy=1)
    tables.rule("add", table=table, chain=hook, expressions=[expressions])


def _interface(key: int, link: str) -> list[Any]:
    name = link.encode().ljust(_NAME_BYTES, b"\0")
    return [
        _expression("meta", key=key, dreg=_REGISTER),
        _expression("cmp", sreg=_REGISTER, op=0, data=_value(name)),
    ]


def _protocol(number: int) -> list[Any]:
    return [
        _expression("meta", key=_META_L4PROTO, dreg=_REGISTER),
        _expression("cmp", sreg=_REGISTER, op=0, data=_value(bytes([number]))),
    ]


def _value(data: bytes) -> dict[str, Any]:
    return {"attrs": [("NFTA_DATA_VALUE", data)]}


def _expression(name: str, **fields: Any) -> Any:
    from pyroute2.nftables.expressions import genex

    return genex(name, fields)
