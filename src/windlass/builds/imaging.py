"""From a source to an image: built from its Dockerfile, or pulled as it was asked for.

The files that a build sees come from the store, less what `.dockerignore` names. Every layer has a
label with the project: so it is known as ours, and no project builds on the layers of another.
"""

import asyncio
import io
import json
import tarfile
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from windlass.adapters.world import World
from windlass.builds import builders, images
from windlass.builds.builders import OWN_ARGUMENT, Order
from windlass.builds.dockerfile import MAX_BYTES, Dockerfile
from windlass.builds.dockerignore import FILE, sees
from windlass.builds.plan import ContainerPlan, Plan
from windlass.builds.progress import Progress, disk_full, failure
from windlass.builds.pulling import Login, Pulled, Registries
from windlass.builds.sources import StoredTree
from windlass.builds.steps import BuildFailed, Log, Work
from windlass.core import container as containers
from windlass.core.crypto import KeyRing
from windlass.core.engine import About, EngineAway, EngineRefused
from windlass.core.languages import N_
from windlass.core.manifest import Entry, Manifest, size_text
from windlass.core.settings import Settings, words
from windlass.core.threads import blocking

_DOCKERFILE = ".windlass.Dockerfile"
_CHUNK = 256 << 10


@dataclass(kw_only=True)
class Imaging:
    """One build of an image, with everything decided; names are the public ids."""

    settings: Settings
    world: World
    work: Work
    log: Log
    deployment: str
    project: str
    env: dict[str, str]
    secrets: tuple[str, ...]
    is_clean: bool
    logins: tuple[Login, ...] = ()
    cache: str = ""
    """What must not build on the layers of the rest of the project is kept apart by this."""

    def __post_init__(self) -> None:
        self._is_begun = False
        self.instance = containers.instance_id(self.settings.folder)
        self.engine = self.world.engine()
        self.registries = Registries(
            self.engine,
            addresses=self.world.egress.addresses,
            local_images=words(self.settings.containers.local_images),
            logins=self.logins,
        )

    async def make(self, plan: Plan, manifest: Manifest, seconds: float) -> Plan:
        """The plan with the image that it will run. Raises BuildFailed."""
        try:
            async with asyncio.timeout(seconds):
                about = await self._engine_for_us()
                made = await self._image(plan, manifest, about)
                return images.finished(plan, made, self.log, architecture=about.architecture)
        except TimeoutError:
            text = N_(
                "The build of the image took longer than {seconds} s and was stopped. Raise"
                " WINDLASS_BUILDS__TIMEOUT_SECONDS if it needs longer."
            ).format(seconds=f"{seconds:.0f}")
            raise BuildFailed("BUILD_TIMEOUT", text) from None
        except EngineAway as error:
            if self._is_begun:
                text = N_(
                    "The container engine went away in the middle of the build: {detail}. Deploy"
                    " again when it is back."
                ).format(detail=error.detail)
                raise BuildFailed("ENGINE_LOST", text) from None
            raise BuildFailed("NO_ENGINE", str(error)) from None
        except EngineRefused as error:
            full = disk_full(error.detail)
            raise full or BuildFailed("ENGINE_REFUSED", str(error)) from None
        finally:
            await self.engine.close()

    async def _engine_for_us(self) -> About:
        about = await self.engine.about()
        self._is_begun = True
        self.log.say(f"Engine: {about.sentence}")
        if about.name != "Docker":
            text = N_(
                "{engine} is not supported: its API looks up no digests at registries, and its"
                " networks give the machine an address. Windlass builds and runs with Docker's"
                " engine."
            )
            raise BuildFailed("ENGINE_UNSUPPORTED", text.format(engine=about.name))
        return about

    async def _image(self, plan: Plan, manifest: Manifest, about: About) -> Pulled:
        wanted = plan.container or ContainerPlan()
        if wanted.image is None:
            return await self._build(plan, wanted, manifest, about)
        made = await self.registries.pull(wanted.image, self.log)
        await self._keep_base(made)
        await self._hold(made.pin)
        return made

    async def _build(
        self, plan: Plan, wanted: ContainerPlan, manifest: Manifest, about: About
    ) -> Pulled:
        self.log.step = "build"
        entries = _below(manifest, plan.root_directory)
        file = wanted.dockerfile or "Dockerfile"
        tree = StoredTree(self.world.blobs, entries)
        content = await blocking(tree.read, file, MAX_BYTES)
        text = (content or b"").decode(errors="replace")
        found = Dockerfile(text, wanted.build_args, file=file)
        arguments = self._arguments(wanted, found)
        found = Dockerfile(text, arguments, file=file)
        pins = await self._pins(found)
        label = {containers.INSTANCE: self.instance, containers.PROJECT: self.project}
        label |= {containers.CACHE: self.cache} if self.cache else {}
        own = (OWN_ARGUMENT,) if found.buildkit_reason else ()
        rewritten = found.rewritten(pins, label, own)
        ignored = await blocking(tree.read, f"{file}.dockerignore", 64 << 10)
        if ignored is None:
            ignored = await blocking(tree.read, FILE, 64 << 10)
        rules = (ignored or b"").decode(errors="replace")
        context = await blocking(self._context, entries, rules, rewritten)
        order = await self._order(about)
        if found.buildkit_reason:
            way = builders.with_buildkit(order, found, self._secrets(wanted, found))
        else:
            way = builders.classic(order)
        async with way as asked:
            arguments |= asked.arguments
            query = self._query(wanted) | asked.query | {"buildargs": json.dumps(arguments)}
            progress = await self._run(query, context)
        name = containers.image_of(self.instance, self.deployment)
        image = await self.registries.inspect(name)
        if progress.error is not None:
            raise failure(progress, self.work.limits)
        if image is None:
            raise BuildFailed("BUILD_FAILED", N_("The engine ended the build without an image."))
        return Pulled(pin=str(image["Id"]), was_absent=False, about=image)

    def _arguments(self, wanted: ContainerPlan, found: Dockerfile) -> dict[str, str]:
        """What was said, and variables of the project that an ARG asks for; never a secret: an
        image remembers its arguments."""
        given = dict(wanted.build_args)
        for name in sorted(found.declared & self.env.keys() - given.keys()):
            if self.env[name] in self.secrets:
                self.log.say(
                    f"ARG {name} gets no value: the variable is a secret, and an image remembers"
                    f" its arguments. Use RUN --mount=type=secret,id={name}",
                    "warn",
                )
            else:
                given[name] = self.env[name]
        return given

    async def _pins(self, found: Dockerfile) -> dict[str, str]:
        """Every image from outside, pulled by its digest; none may fetch when it is built upon."""
        pins: dict[str, str] = {}
        for name in dict.fromkeys([*found.images.values(), *sorted(found.copied)]):
            pulled = await self.registries.pull(name, self.log)
            pins[name] = pulled.base
            await self._keep_base(pulled)
            triggers = ((pulled.about.get("Config") or {}).get("OnBuild")) or []
            if triggers:
                # Refused for the same reasons as what the Dockerfile says itself.
                Dockerfile("FROM scratch\n" + "\n".join(triggers), {}, file=f"ONBUILD of {name}")
        return pins

    async def _keep_base(self, pulled: Pulled) -> None:
        """What we brought is named as ours, so that it can be found when nobody needs it."""
        if pulled.was_absent:
            tag = "base-" + pulled.pin.rpartition(":")[2][:32]
            query = {"repo": f"windlass-{self.instance}", "tag": tag}
            await self.engine.call("POST", f"/images/{pulled.pin}/tag", query)

    async def _hold(self, pin: str) -> None:
        """A release's image has a tag of ours: nobody else's is needed for it to stay."""
        query = {"repo": f"windlass-{self.instance}", "tag": self.deployment}
        await self.engine.call("POST", f"/images/{pin}/tag", query)

    def _secrets(self, wanted: ContainerPlan, found: Dockerfile) -> dict[str, bytes]:
        """Values for what steps mount: secret variables of that name, and those that
        [container.build_secrets] names. Raises BuildFailed when a step cannot do without."""
        given: dict[str, bytes] = {}
        for id, line in sorted(found.secrets.items()):
            name = wanted.build_secrets.get(id, id)
            value = self.env.get(name)
            if value is not None and (id in wanted.build_secrets or value in self.secrets):
                given[id] = value.encode()
                self.log.hide((value,))
                continue
            text = N_(
                "{file}, line {line}: a RUN step mounts the secret {id}, and the project has no"
                " secret variable {name}."
            ).format(file=found.file, line=line, id=id, name=name)
            if id in found.required_secrets:
                raise BuildFailed("NO_BUILD_SECRET", text)
            self.log.say(text, "warn")
        return given

    async def _order(self, about: About) -> Order:
        keys = KeyRing.load(self.settings.folder / "keys", self.settings.secrets.data_keys)
        whose = f"{self.instance}:{self.project}:{self.cache}"
        return Order(
            engine=self.engine,
            about=about,
            instance=self.instance,
            deployment=self.deployment,
            mark=await blocking(keys.mark, whose, context="buildkit"),
            limits=self.work.limits,
            egress=self.world.egress,
            is_open=self.settings.containers.open_network,
            log=self.log,
        )

    def _query(self, wanted: ContainerPlan) -> dict[str, str | int]:
        query: dict[str, str | int] = {
            "t": containers.image_of(self.instance, self.deployment),
            "dockerfile": _DOCKERFILE,
            "rm": 1,
            "forcerm": 1,
            "nocache": int(self.is_clean),
        }
        return query | ({"target": wanted.target} if wanted.target else {})

    def _context(self, entries: list[Entry], rules: str, dockerfile: str) -> Path:
        """The files that the build sees, as the engine wants them. Blocks."""
        is_seen = sees(rules)
        self.work.folder.mkdir(parents=True, exist_ok=True)
        path = self.work.folder / "context.tar"
        size = 0
        with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as archive:
            for entry in entries:
                if is_seen(entry.path):
                    self._add(archive, entry)
                    size += entry.size
            _add_text(archive, _DOCKERFILE, dockerfile)
            # The engine takes out what this names, so neither is in an image.
            _add_text(archive, FILE, f"{_DOCKERFILE}\n{FILE}\n")
        self.log.say(f"Context: {size_text(size)}")
        return path

    def _add(self, archive: tarfile.TarFile, entry: Entry) -> None:
        item = tarfile.TarInfo(entry.path)
        if entry.path in (FILE, _DOCKERFILE):
            return
        if entry.mode == "link":
            item.type, item.linkname = tarfile.SYMTYPE, entry.target
            archive.addfile(item)
            return
        item.size, item.mode = entry.size, 0o755 if entry.mode == "exec" else 0o644
        with self.world.blobs.open(entry.sha256) as content:
            archive.addfile(item, content)

    async def _run(self, query: dict[str, str | int], context: Path) -> Progress:
        progress = Progress()
        with await blocking(context.open, "rb") as file:
            async with self.engine.stream(
                "POST", "/build", query, content=_pieces(file), seconds=None
            ) as response:
                async for message in _messages(response.aiter_lines()):
                    self.log.write(progress.take(message))
        return progress


def _below(manifest: Manifest, root: str) -> list[Entry]:
    """The files of the folder that is built, with paths from there."""
    if root in ("", "."):
        return manifest
    return [
        msgspec.structs.replace(entry, path=entry.path[len(root) + 1 :])
        for entry in manifest
        if entry.path.startswith(f"{root}/")
    ]


def _add_text(archive: tarfile.TarFile, name: str, text: str) -> None:
    content = text.encode()
    item = tarfile.TarInfo(name)
    item.size, item.mode = len(content), 0o644
    archive.addfile(item, io.BytesIO(content))


async def _pieces(file: BinaryIO) -> AsyncGenerator[bytes]:
    while piece := await asyncio.to_thread(file.read, _CHUNK):
        yield piece


async def _messages(lines: AsyncIterator[str]) -> AsyncGenerator[dict[str, Any]]:
    async for line in lines:
        if line.strip():
            yield json.loads(line)
