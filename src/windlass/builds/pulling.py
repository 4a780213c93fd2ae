"""Images from registries: looked up, pinned to a digest, pulled by it and by nothing else.

A tag on the engine may be somebody's, and what lies there without a registry always is. So a name
is never looked for among them: a registry says which digest it means now, and that is pulled.
"""

import base64
import json
import re
from typing import Any, cast

import msgspec

from windlass.builds import references
from windlass.builds.progress import disk_full
from windlass.builds.references import Reference
from windlass.builds.steps import BuildFailed, Log
from windlass.core.addresses import AddressPolicy, resolve_public
from windlass.core.engine import Engine, EngineRefused
from windlass.core.errors import AppError
from windlass.core.languages import N_

_LOOK_SECONDS = 30.0
_SILENCE_SECONDS = 120.0
_HUB_ADDRESS = "https://index.docker.io/v1/"
_REFUSED = re.compile(
    r"unauthorized|authentication required|denied|no basic auth|incorrect username", re.IGNORECASE
)


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """As whom images of one registry are fetched."""

    registry: str
    username: str
    password: str


class Pulled(msgspec.Struct, frozen=True, kw_only=True):
    """An image that is on the engine now."""

    pin: str
    """`repository@sha256:…`, or `sha256:…` for one that an operator put there."""
    base: str = ""
    """How a Dockerfile names it."""
    was_absent: bool
    """We brought it: it may go with the last that needs it."""
    about: dict[str, Any]
    """What the engine says about it."""


class Registries:
    """The registries that an instance may ask, through its engine."""

    def __init__(
        self,
        engine: Engine,
        *,
        addresses: AddressPolicy,
        local_images: tuple[str, ...],
        logins: tuple[Login, ...] = (),
    ) -> None:
        self._engine = engine
        self._logins = {login.registry: login for login in logins}
        self._addresses = addresses
        self._local_images = local_images

    async def pull(self, name: str, log: Log) -> Pulled:
        """Raises BuildFailed with why there is no such image for us."""
        wanted = references.parse(name)
        if references.is_listed(wanted, self._local_images):
            return await self._local(wanted)
        await self._check_place(wanted)
        # Also of a digest: what another project's login brought here is not everybody's.
        pin = f"{wanted.repository}@{await self._digest(wanted)}"
        if about := await self.inspect(pin):
            return Pulled(pin=pin, base=pin, was_absent=False, about=about)
        log.say(f"Pulling {wanted.whole} ({pin.rpartition('@')[2][:19]}…)")
        await self._fetch(wanted, pin)
        about = await self.inspect(pin)
        if about is None:
            raise self._missing(wanted, "the engine does not have it after the pull")
        return Pulled(pin=pin, base=pin, was_absent=True, about=about)

    async def inspect(self, name: str) -> dict[str, Any] | None:
        """What the engine knows about an image it has."""
        try:
            return cast(dict[str, Any], await self._engine.call("GET", f"/images/{name}/json"))
        except EngineRefused as error:
            if error.answered == 404:
                return None
            raise

    async def _local(self, wanted: Reference) -> Pulled:
        about = await self.inspect(wanted.whole)
        if about is None:
            raise self._missing(wanted, "it is listed as a local image, and is not on the engine")
        return Pulled(pin=str(about["Id"]), base=wanted.whole, was_absent=False, about=about)

    async def _check_place(self, wanted: Reference) -> None:
        """The engine connects past our guard, so the guard looks first."""
        if wanted.registry == references.HUB:
            return
        try:
            await resolve_public(*wanted.place, allow=self._addresses)
        except AppError as error:
            raise BuildFailed(error.reason or error.code, str(error)) from None

    async def _digest(self, wanted: Reference) -> str:
        try:
            found = await self._engine.call(
                "GET", f"/distribution/{wanted.whole}/json", headers=self._head(wanted),
                seconds=_LOOK_SECONDS,
            )  # fmt: skip
        except EngineRefused as error:
            raise self._missing(wanted, error.detail) from None
        return str(cast(dict[str, Any], found)["Descriptor"]["digest"])

    async def _fetch(self, wanted: Reference, pin: str) -> None:
        query = {"fromImage": wanted.repository, "tag": pin.rpartition("@")[2]}
        try:
            async with self._engine.stream(
                "POST", "/images/create", query, headers=self._head(wanted),
                seconds=_SILENCE_SECONDS,
            ) as response:  # fmt: skip
                async for line in response.aiter_lines():
                    said = json.loads(line) if line.strip() else {}
                    if "error" in said:
                        raise self._missing(wanted, str(said["error"]))
        except EngineRefused as error:
            raise self._missing(wanted, error.detail) from None

    def _head(self, wanted: Reference) -> dict[str, str]:
        login = self._logins.get(wanted.registry)
        if login is None:
            return {}
        said = {
            "username": login.username,
            "password": login.password,
            "serveraddress": _HUB_ADDRESS if login.registry == references.HUB else login.registry,
        }
        return {"x-registry-auth": base64.urlsafe_b64encode(json.dumps(said).encode()).decode()}

    def _missing(self, wanted: Reference, why: str) -> BuildFailed:
        if full := disk_full(why):
            return full
        facts = {"image": wanted.whole, "registry": wanted.registry, "why": why}
        if not _REFUSED.search(why):
            text = N_("The image {image} cannot be had: {why}").format(**facts)
            return BuildFailed("IMAGE_NOT_FOUND", text)
        if login := self._logins.get(wanted.registry):
            text = N_(
                "{registry} does not let {username} have the image {image}: {why}. Check the login"
                " in the project's registries."
            ).format(**facts, username=login.username)
        else:
            text = N_(
                "{registry} gives the image {image} to nobody without a login, or has no such"
                " image: {why}. Add a login to the project's registries."
            ).format(**facts)
        return BuildFailed("REGISTRY_REFUSED", text)
