"""The outside world as background code gets it: `world(ctx)` with everything in it."""

from dataclasses import dataclass
from typing import cast

from windlass.adapters import guarded, mail
from windlass.adapters.edge import EdgeClient
from windlass.core import engine
from windlass.core.addresses import AddressPolicy
from windlass.core.blobs import BlobStore
from windlass.core.context import Ctx
from windlass.core.egress import EgressPolicy
from windlass.core.engine import Engine
from windlass.core.settings import Settings, words


@dataclass(frozen=True)
class World:
    """The adapters of one worker."""

    blobs: BlobStore
    edge: EdgeClient
    egress: EgressPolicy
    # Nothing of a company's mirrors: what apps may reach.
    app_egress: EgressPolicy
    mail: mail.Mailer
    engine_address: str = ""

    def engine(self) -> Engine:
        """The container engine, if there is one; whoever asks for it closes it."""
        return Engine(engine.find(self.engine_address))


def world(ctx: Ctx) -> World:
    return cast(World, ctx.world)


def addresses_of(settings: Settings) -> AddressPolicy:
    """Which addresses builds, apps and Git may reach on this instance."""
    private = words(settings.builds.allow_private)
    return AddressPolicy(
        hosts=frozenset(word for word in private if "/" not in word),
        networks=tuple(word for word in private if "/" in word),
        fix="The setting WINDLASS_BUILDS__ALLOW_PRIVATE lists private hosts that are allowed.",
    )


def clusters_of(settings: Settings) -> AddressPolicy:
    """Where Kubernetes clusters may be: people own theirs, so in private networks too."""
    setting = "WINDLASS_CLUSTERS__ALLOW_PRIVATE"
    return guarded.policy(settings.clusters.allow_private, setting=setting)


def make(settings: Settings, *, mirrors: frozenset[str]) -> World:
    """The real world. `mirrors` are the hosts that pip and npm of this machine are set up with."""
    allowed = addresses_of(settings)
    hosts = words(settings.builds.egress) or None
    return World(
        blobs=BlobStore(settings.folder / "blobs"),
        edge=EdgeClient(settings.folder, host=settings.host, port=settings.port),
        egress=EgressPolicy(addresses=allowed, hosts=hosts, always=mirrors),
        app_egress=EgressPolicy(addresses=allowed),
        mail=mail.make(settings),
        engine_address=settings.docker_host,
    )
