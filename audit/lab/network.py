"""All stand-ins together: keys made, swarms assigned, every place bound."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from audit.lab import addresses
from audit.lab.addresses import AddressBook, Place
from audit.lab.datagrams import DatagramService, Taker
from audit.lab.edge import Edge, free_port
from audit.lab.files import FileServer
from audit.lab.forward import ForwardProxy
from audit.lab.keys import NodeKeys, make_keys, make_tls_context
from audit.lab.learned import Learned, LearnedLog
from audit.lab.names import Resolver
from audit.lab.relay import Relay, make_client_context
from audit.lab.seed import METHODS, Seed, list_nodes
from audit.lab.service import Handler, HttpService
from audit.lab.site import Site
from audit.lab.snode import StorageNode
from audit.lab.storage import Node, Storage
from audit.lab.stun import StunServer
from audit.lab.swarm import SWARM_SIZE, swarm_index
from audit.lab.tracker import Tracker
from audit.lab.website import MailApi, Newsletter
from audit.lab.witness import Witness

Stream = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def make_nodes() -> list[Node]:
    """Return the storage nodes with new keys, three to a swarm."""
    nodes = [
        Node(name=name, address=address, port=addresses.NODE_PORT)
        for name, address in addresses.NODES.items()
    ]
    for start in range(0, len(nodes), SWARM_SIZE):
        swarm = nodes[start : start + SWARM_SIZE]
        for node in swarm:
            node.swarm.extend(swarm)
    return nodes


@dataclass(slots=True)
class Lab:
    """The running stand-ins."""

    log: LearnedLog
    book: AddressBook
    scratch: Path
    """Folder for what a stand-in needs beside its log; ends with the lab's logs."""
    nodes: list[Node] = field(default_factory=make_nodes)
    _servers: list[asyncio.Server] = field(default_factory=list)
    _transports: list[asyncio.BaseTransport] = field(default_factory=list)
    _relays: list[Relay] = field(default_factory=list)
    _file_keys: NodeKeys = field(default_factory=make_keys)
    edge: Edge | None = None
    peer_proxy: str | None = None
    """URL of the proxy for whoever is outside, on loopback only."""

    def swarm_of(self, account: bytes) -> list[Node]:
        """Return the nodes that keep an account's messages."""
        index = swarm_index(account, len(self.nodes) // SWARM_SIZE)
        return self.nodes[index * SWARM_SIZE].swarm

    async def start(self) -> None:
        """Bind every place; raises ``OSError`` where one is taken."""
        await self._start_seeds()
        await self._start_nodes()
        files = FileServer(keys=self._file_keys, witness=Witness("file", self.log))
        tls = make_tls_context(addresses.FILE_SERVER_NAME)
        home = addresses.FILE_SERVER
        await self._serve(files.answer, files.witness, home, plain=(80,), secure=(443,), tls=tls)
        await self._start_trackers()
        await self._start_site()
        await self._start_website()
        await self._start_names()
        stun = Place(addresses.STUN, addresses.STUN_PORT)
        await self._datagrams(StunServer(Witness("stun", self.log)).take_datagram, stun)
        if self.book.loopback:
            await self._start_proxy()

    async def _start_seeds(self) -> None:
        for name, address in addresses.SEEDS.items():
            seed = Seed(nodes=self.nodes, witness=Witness(name, self.log))
            tls = make_tls_context(f"{name}.{addresses.SEED_DOMAIN}")
            await self._serve(
                seed.answer,
                seed.witness,
                address,
                plain=addresses.SEED_PLAIN_PORTS,
                secure=addresses.SEED_TLS_PORTS,
                tls=tls,
            )

    async def _start_nodes(self) -> None:
        by_key = {node.keys.ed25519_public: node for node in self.nodes}
        client_tls = make_client_context()
        for node in self.nodes:
            relay = Relay(book=self.book, tls=client_tls, address=node.address)
            self._relays.append(relay)
            storage = Storage(
                node=node,
                swarm_of=self.swarm_of,
                replicated=self._note_replica,
                chain=self._ask_chain,
            )
            server = StorageNode(
                storage=storage,
                relay=relay,
                witness=Witness(node.name, self.log),
                nodes=by_key,
            )
            tls = make_tls_context("localhost")
            await self._serve(
                server.answer, server.witness, node.address, secure=(node.port,), tls=tls
            )

    async def _start_trackers(self) -> None:
        tracker = Tracker(Witness("tracker", self.log))
        listed = (addresses.LISTED_TRACKER, addresses.LISTED_TRACKER_ADDRESS)
        for name, address in (*addresses.TRACKERS.items(), listed):
            tls = make_tls_context(name, f"*.{name}")
            await self._serve(
                tracker.answer, tracker.witness, address, plain=(80,), secure=(443,), tls=tls
            )
            raw = Place(address, addresses.TRACKER_RAW_PORT)
            await self._both(tracker.take_stream, tracker.take_datagram, raw)

    async def _start_site(self) -> None:
        site = Site(Witness("site", self.log))
        tls = make_tls_context(addresses.SITE_NAME)
        home = addresses.SITE
        await self._serve(site.answer, site.witness, home, plain=(80,), secure=(443,), tls=tls)

    async def _start_website(self) -> None:
        log, origin = self.log, addresses.ORIGIN
        mail = MailApi(Witness("mail-api", log))
        tls = make_tls_context(addresses.MAIL_API_NAME)
        place = addresses.MAIL_API
        await self._serve(mail.answer, mail.witness, place, plain=(80,), secure=(443,), tls=tls)
        reached = self._reached(place, 80)
        newsletter = Newsletter(Witness("newsletter", log), reached)
        await self._serve(newsletter.answer, newsletter.witness, origin, plain=(8081,))
        self.edge = Edge(
            Witness("edge", log),
            origin=(origin, 8080) if not self.book.loopback else ("127.0.0.1", free_port()),
            newsletter=self._reached(origin, 8081),
            scratch=self.scratch,
            violating=addresses.VIOLATING_NAME,
        )
        tls = make_tls_context(addresses.WEBSITE_NAME, f"*.{addresses.WEBSITE_NAME}")
        home = addresses.WEBSITE
        await self._serve(
            self.edge.answer, self.edge.witness, home, plain=(80,), secure=(443,), tls=tls
        )

    def _reached(self, address: str, port: int) -> tuple[str, int]:
        """Return where a place that is bound already is reached."""
        bound = self.book.binding(Place(address, port))
        return bound.address, bound.port

    async def _start_names(self) -> None:
        resolver = Resolver(Witness("dns", self.log), addresses.find_address, addresses.find_alias)
        place = Place(addresses.RESOLVER, 53)
        await self._both(resolver.take_stream, resolver.take_datagram, place)

    async def _start_proxy(self) -> None:
        proxy = ForwardProxy(self.book)
        place = Place(addresses.PEER, 3128)
        await self._serve(
            proxy.answer, Witness("peer_proxy", self.log), place.address, plain=(place.port,)
        )
        self.peer_proxy = f"http://127.0.0.1:{self.book.ports.pop(str(place))}"

    async def _serve(
        self,
        handler: Handler,
        witness: Witness,
        address: str,
        *,
        plain: tuple[int, ...] = (),
        secure: tuple[int, ...] = (),
        tls: ssl.SSLContext | None = None,
    ) -> None:
        for port in plain:
            service = HttpService(handler=handler, garbage=witness.garbage)
            self._servers.append(await service.listen(Place(address, port), self.book))
        for port in secure:
            service = HttpService(handler=handler, garbage=witness.garbage, tls=tls)
            self._servers.append(await service.listen(Place(address, port), self.book))

    async def _both(self, handler: Stream, taker: Taker, place: Place) -> None:
        """Bind a place for TCP and UDP; on loopback a port that is free for both."""
        await self._datagrams(taker, place)
        for attempt in range(10):
            bound = self.book.binding(place)
            try:
                server = await asyncio.start_server(handler, bound.address, bound.port)
            except OSError:
                if not self.book.loopback or attempt == 9:
                    raise
                self._transports.pop().close()
                del self.book.ports[str(place)]
                await self._datagrams(taker, place)
            else:
                self._servers.append(server)
                return

    async def _datagrams(self, taker: Taker, place: Place) -> None:
        bound = self.book.binding(place)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: DatagramService(taker), local_addr=(bound.address, bound.port)
        )
        self.book.note(place, transport.get_extra_info("sockname")[1])
        self._transports.append(transport)

    def _note_replica(self, node: Node, method: str, account: str) -> None:
        self.log.write(
            Learned(
                standin=node.name,
                event="replica",
                inner={"method": method},
                saw={"accounts": [account]},
            )
        )

    def _ask_chain(self, endpoint: str, params: dict[str, Any]) -> dict[str, Any] | None:
        return list_nodes(self.nodes, params) if endpoint in METHODS else None

    def onion_keys(self) -> list[dict[str, str]]:
        """Return the private keys of nodes and file server, for ``onion-keys.json``."""
        keys = [
            {
                "x25519_public": node.keys.x25519_public,
                "x25519_private": node.keys.x25519_private,
                "ed25519_public": node.keys.ed25519_public,
                "endpoint": f"{node.address}:{node.port}",
            }
            for node in self.nodes
        ]
        file_server = {
            "x25519_public": self._file_keys.x25519_public,
            "x25519_private": self._file_keys.x25519_private,
            "ed25519_public": "",
            "endpoint": f"{addresses.FILE_SERVER_NAME}:80",
        }
        return [*keys, file_server]

    def describe(self) -> dict[str, Any]:
        """Return the line that says the lab is ready."""
        return {
            "ready": True,
            "resolver": addresses.RESOLVER,
            "onion_keys": self.onion_keys(),
            "trust": {"file_server_x25519": self._file_keys.x25519_public},
            "peer_proxy": self.peer_proxy,
            "map": self.book.to_map(),
            "needs_route": ["0.0.0.0/0"],
        }

    def close(self) -> None:
        """Stop listening and close what is open."""
        for server in self._servers:
            server.close()
        for transport in self._transports:
            transport.close()
        for relay in self._relays:
            relay.close()
        if self.edge:
            self.edge.close()
        self.log.close()


def make_lab(logs: Path, *, loopback: bool) -> Lab:
    """Return a lab that is not started yet."""
    return Lab(LearnedLog(logs), AddressBook(loopback, {}), logs.absolute())
