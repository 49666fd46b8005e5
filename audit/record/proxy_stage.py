"""The ``proxy`` rung: no namespace, the client is led to the proxy by its environment."""

from __future__ import annotations

import ipaddress
from typing import Final

from audit.bundle.manifest import Drops, Network
from audit.errors import SetupError
from audit.record.client_environment import proxy_variables
from audit.record.lab import Lab
from audit.record.persona import ENVIRONMENT_KINDS
from audit.record.plan import LabNetwork
from audit.record.proxy import ProxyTap
from audit.record.proxy_config import ProxyConfig
from audit.record.stage import Setting, Stage, Tapped
from audit.sandbox.addresses import draw_addresses
from audit.sandbox.channel import JobSpec
from audit.sandbox.sandbox import Sandbox

LIMITS: Final = (
    "what the client sent around the recording proxy was not seen",
    "name look-ups, true server certificates and the client's own address were not seen",
)
"""What this rung cannot see, a sentence each."""


class ProxyStage(Stage):
    """An explicit proxy on loopback, with a secret."""

    vantage = "proxy"

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._echo = draw_addresses().gateway_v4

    def enter(self) -> None:
        """Start the keeper of the programs; needs nothing of the machine."""
        setting = self.setting
        if setting.plan.tunnel:
            raise SetupError(
                "a tunnel needs a sandbox of its own, which this machine refuses",
                hint="'audit doctor' says how to allow it",
            )
        self.sandbox = setting.stack.enter_context(
            Sandbox(setting.watch, "plain", scratch=setting.space.root)
        )

    def start(self) -> None:
        """Start the lab, then the proxy that knows where its stand-ins are."""
        setting = self.setting
        in_lab = isinstance(self.plan.network, LabNetwork)
        if isinstance(self.plan.network, LabNetwork):
            lab = Lab(self.sandbox, setting.space, self.plan.network, loopback=True)
            self.facts = lab.wait_ready()
        flows, tls = self.proxy_files()
        config = ProxyConfig(
            flows=flows,
            tls=tls,
            echo=self.echo,
            map=self.facts.map,
            only_mapped=in_lab,
            intercept=self.plan.intercepts,
        )
        self.proxy = ProxyTap(self.sandbox, setting.space, "regular", config)
        self.proxy.wait_ready()

    @property
    def echo(self) -> str:
        """Return an address that nobody has: the add-on answers for it."""
        return self._echo

    @property
    def taps(self) -> tuple[str, ...]:
        """Return the proxy."""
        return ("proxy",)

    @property
    def _url(self) -> str:
        assert self.proxy is not None  # noqa: S101 - started before anybody asks
        return self.proxy.url

    def planted_kinds(self) -> frozenset[str]:
        """Return what stands in the environment: the machine itself is not the persona's."""
        return ENVIRONMENT_KINDS

    def client_variables(self) -> dict[str, str]:
        """Return the proxy variables, and the trusted authority in the intercepted pass."""
        found = proxy_variables(self._url)
        trusted = self.plan.trust_variables
        if self.plan.intercepts and self.proxy:
            found |= dict.fromkeys(trusted, str(self.proxy.certificate))
        return found

    def peer_variables(self) -> dict[str, str]:
        """Return the way to the stand-ins that the lab names for peers."""
        return proxy_variables(self.facts.peer_proxy) if self.facts.peer_proxy else {}

    def control_variables(self) -> dict[str, str]:
        """Return the proxy variables."""
        return proxy_variables(self._url)

    def _job(self, argv: list[str], env: dict[str, str], cwd: str) -> JobSpec:
        return JobSpec(argv=argv, env=env, cwd=cwd, place="outside", powers="kept")

    def client_job(self, argv: list[str], env: dict[str, str]) -> JobSpec:
        """Return a plain job in the client's working folder."""
        return self._job(argv, env, self.working_folder())

    def peer_job(self, argv: list[str], env: dict[str, str]) -> JobSpec:
        """Return a plain job in the peer's home."""
        return self._job(argv, env, str(self.setting.space.peer_home))

    def control_job(self, argv: list[str], env: dict[str, str]) -> JobSpec:
        """Return a plain job."""
        return self._job(argv, env, "/")

    def network(self) -> Network:
        """Return where client and proxy met."""
        return Network(
            client=(str(ipaddress.IPv4Address("127.0.0.1")),),
            gateway=("127.0.0.1",),
            echo=self.echo,
            proxy=f"127.0.0.1:{self.proxy.port}" if self.proxy else None,
        )

    def stop(self) -> Tapped:
        """End the proxy."""
        found = Tapped()
        if self.proxy:
            found.failed += self.proxy.stop()
            found.drops["proxy"] = Drops(received=self.proxy.flows)
        return found
