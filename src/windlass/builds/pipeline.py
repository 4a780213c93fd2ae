"""From a source to the files of a release: fetch, plan, install, build, collect."""

import time
from pathlib import Path

import msgspec

from windlass.adapters import git
from windlass.adapters.world import World
from windlass.builds import collecting, machine, sources, steps
from windlass.builds.caches import Caches, Result, held
from windlass.builds.detect import detect, hostfiles
from windlass.builds.detect.hostfiles import Served
from windlass.builds.detect.source import Source
from windlass.builds.detect.toolchains import TOOLCHAINS
from windlass.builds.imaging import Imaging
from windlass.builds.plan import Overrides, Plan
from windlass.builds.pulling import Login
from windlass.builds.sources import StoredTree
from windlass.builds.steps import BuildFailed, Limit, Log, Step, Work
from windlass.core import launch, trees
from windlass.core.egress import Egress
from windlass.core.errors import AppError
from windlass.core.languages import N_
from windlass.core.launch import Bind, Limits
from windlass.core.launch_spec import UNSAFE_WARNING
from windlass.core.manifest import Manifest, TreeLimits, size_text
from windlass.core.rules import Rules
from windlass.core.settings import Settings
from windlass.core.threads import blocking


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be built, with everything decided; names are the public ids."""

    deployment: str
    project: str
    uid: int | None
    overrides: Overrides
    env: dict[str, str]
    is_clean: bool
    manifest_sha256: str | None = None
    repository_url: str | None = None
    branch: str | None = None
    pin: git.Pin | None = None
    # A part of the project's cache of its own, for what must not reach the rest.
    cache: str = ""
    # Values that no log and no image may hold.
    secrets: tuple[str, ...] = ()
    # For the fetch over ssh, and for nothing after it.
    deploy_key: bytes | None = None
    # For private images, and for nothing but the engine's fetch.
    logins: tuple[Login, ...] = ()


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """The source of a job once its files are in the store."""

    manifest: Manifest
    manifest_sha256: str
    commit_sha: str | None = None
    commit_message: str | None = None
    branch: str | None = None


class Built(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: the plan and every file of the release."""

    plan: Plan
    manifest: Manifest
    rules: Rules | None = None
    # Which caches the build had, and why not.
    caches: dict[str, Result] = {}

    @property
    def size_bytes(self) -> int:
        """Of its files, or of its image."""
        if self.plan.container is not None:
            return self.plan.container.size_bytes
        return sum(entry.size for entry in self.manifest)


class Pipeline:
    """One build. Its work folder is gone when it ends, however it ends (C-158)."""

    def __init__(self, settings: Settings, world: World, job: Job, log: Log) -> None:
        self.settings = settings
        self.world = world
        self.job = job
        self.log = log
        home, builds = settings.folder, settings.builds
        self._deadline = time.monotonic() + builds.timeout_seconds
        self._caches = Caches(home / "caches" / job.project / job.cache, job.uid)
        self._results: dict[str, Result] = {}
        self._framework = Result(is_hit=False, reason="")
        self._work = Work(
            name=f"build-{job.deployment}",
            folder=home / "work" / job.deployment,
            uid=job.uid,
            limits=Limits(
                memory_bytes=builds.memory_bytes,
                cpus=builds.cpus,
                processes=builds.processes,
                tmp_bytes=builds.memory_bytes // 2,
            ),
            egress=world.egress,
        )

    async def fetch(self) -> Fetched:
        """The files: from the store, or from the repository."""
        self.log.step = "source"
        if launch.is_unsafe():
            self.log.say(f"WARNING: {UNSAFE_WARNING}", "warn")
        if self.job.manifest_sha256 is not None:
            sha256 = self.job.manifest_sha256
            found = await blocking(sources.load_manifest, self.world.blobs, sha256)
            return Fetched(manifest=found, manifest_sha256=sha256)
        return await self._clone(self.job.repository_url or "")

    async def _clone(self, url: str) -> Fetched:
        self.log.say(f"Fetching {url}" + (f" ({self.job.branch})" if self.job.branch else ""))
        found = await fetch_repository(
            self.settings,
            self.world,
            url,
            self.job.branch,
            work=self._work.folder / "clone",
            uid=self.job.uid,
            pin=self.job.pin,
            deploy_key=self.job.deploy_key,
        )
        for warning in found.warnings:
            self.log.say(warning, "warn")
        self.log.say(f"Commit {found.commit_sha[:12]} {found.commit_message}")
        kept = await blocking(sources.save_manifest, self.world.blobs, found.manifest)
        return Fetched(
            manifest=found.manifest,
            manifest_sha256=kept,
            commit_sha=found.commit_sha,
            commit_message=found.commit_message,
            branch=found.branch,
        )

    async def build(self, fetched: Fetched) -> Built:
        """Plan and run what the plan says; raises BuildFailed or the errors of detection."""
        plan = await self._plan(fetched.manifest)
        if plan.container is not None:
            return await self._image(plan, fetched)
        if plan.install_command is None and plan.build_command is None and plan.kind == "static":
            return await self._finish(plan, fetched, collecting.of_source(plan, fetched.manifest))
        await blocking(machine.refuse_without_sandbox, self.settings)
        async with held(self.settings.folder, self.job.project):
            await blocking(self._lay_out, fetched.manifest)
            self._framework = await blocking(self._caches.look_at_framework, plan)
            kept = await self._install(plan, fetched.manifest)
            if plan.build_command is not None:
                await self._build(plan, kept)
            self.log.step = "collect"
            collected = await blocking(self._collect, plan, kept)
        return await self._finish(plan, fetched, collected)

    async def _image(self, plan: Plan, fetched: Fetched) -> Built:
        """What an engine builds or pulls; no file of it is ours."""
        job = self.job
        imaging = Imaging(
            settings=self.settings,
            world=self.world,
            work=self._work,
            log=self.log,
            deployment=job.deployment,
            project=job.project,
            env=job.env,
            secrets=job.secrets,
            logins=job.logins,
            is_clean=job.is_clean,
            cache=job.cache,
        )
        seconds = self._limit("timeout_seconds").left_seconds
        return Built(plan=await imaging.make(plan, fetched.manifest, seconds), manifest=[])

    async def _finish(self, plan: Plan, fetched: Fetched, manifest: Manifest) -> Built:
        """The release with the rules that files of other hosts give it."""
        served = await blocking(self._served, plan, fetched, manifest)
        for row in served.rows:
            if row.verdict == "impossible":
                self.log.say(f"{row.file}, {row.key}: not possible here: {row.detail}", "warn")
        return Built(plan=plan, manifest=manifest, rules=served.rules, caches=self._results)

    def _served(self, plan: Plan, fetched: Fetched, manifest: Manifest) -> Served:
        top = Source(StoredTree(self.world.blobs, fetched.manifest))
        readers = hostfiles.read(top.at(plan.root_directory), top)
        if plan.kind != "static":
            return hostfiles.together(readers, is_server=True)
        readers = [*hostfiles.of_output(StoredTree(self.world.blobs, manifest).read), *readers]
        paths = [entry.path for entry in manifest]
        return hostfiles.together(readers, paths, clean_urls=plan.clean_urls)

    async def clean_up(self) -> None:
        """Remove the work folder."""
        await blocking(trees.remove_tree, self._work.folder)

    async def _plan(self, manifest: Manifest) -> Plan:
        self.log.step = "plan"
        tree = StoredTree(self.world.blobs, manifest)
        plan = await blocking(
            detect, tree, self.job.overrides, installed=await blocking(machine.installed)
        )
        most = self.settings.apps.max_workers
        if len(plan.processes) > most:
            text = N_(
                "{count} processes are to run beside the server; this server allows {most}. Raise"
                " WINDLASS_APPS__MAX_WORKERS, or leave some out."
            ).format(count=len(plan.processes), most=most)
            raise BuildFailed("TOO_MANY_WORKERS", text)
        self.log.say(f"{plan.label}: {plan.kind}")
        for line in plan.evidence:
            self.log.say(line)
        for line in plan.warnings:
            self.log.say(line, "warn")
        return plan

    def _lay_out(self, manifest: Manifest) -> None:
        trees.remove_tree(self._work.folder)
        self._work.folder.mkdir(parents=True, mode=0o755)
        self.world.blobs.copy_tree(manifest, self._work.app, self.job.uid)
        if self.job.is_clean:
            self.log.say("clean build: both caches are ignored and written anew")
            self._caches.clear()

    async def _install(self, plan: Plan, manifest: Manifest) -> dict[str, Path]:
        """Install dependencies, or take the kept ones; returns where kept ones lie."""
        if plan.install_command is None:
            return {}
        self.log.step = "install"
        lock = StoredTree(self.world.blobs, manifest).read(plan.lock_file or "", 64 << 20)
        runtime = await blocking(_runtime, plan)
        basis = self._caches.basis(plan, lock if plan.lock_file else None, runtime)
        found = self._caches.look(basis)
        if self.job.is_clean and not found.is_hit:
            found = Result(is_hit=False, reason="clean build")
        self._results["dependencies"] = found
        self.log.say(f"dependency cache: {found.words}")
        if basis is not None and found.is_hit:
            await blocking(self._caches.remember, basis)
            return self._caches.folders(basis, plan)
        await steps.run(
            self._work,
            Step(
                title="install",
                command=plan.install_command,
                script=plan.script(plan.install_command),
                env=self._env(plan),
                network=True,
                limit=self._limit("install_timeout_seconds"),
                # Not in memory: what is fetched counts as a file of the project, and stays.
                caches=(await blocking(self._caches.home),),
            ),
            self.log,
        )
        if basis is None:
            return {}
        await blocking(self._caches.keep, basis, plan, self._work.app)
        await blocking(self._caches.remember, basis)
        return self._caches.folders(basis, plan)

    async def _build(self, plan: Plan, kept: dict[str, Path]) -> None:
        self.log.step = "build"
        if plan.framework_caches:
            found = self._framework
            self._results["framework"] = found
            self.log.say(f"framework cache: {found.words}")
        caches = tuple(
            Bind(str(place), f"/app/{directory}", writable=True)
            for directory, place in kept.items()
        )
        caches += await blocking(self._caches.framework, plan)
        await steps.run(
            self._work,
            Step(
                title="build",
                command=plan.build_command or "",
                script=plan.script(plan.build_command or ""),
                env=self._env(plan),
                network=plan.build_network,
                limit=self._limit("timeout_seconds"),
                caches=caches,
            ),
            self.log,
        )

    def _env(self, plan: Plan) -> dict[str, str]:
        return {"CI": "1", "WINDLASS": "1", **plan.env, **self.job.env}

    def _limit(self, name: str) -> Limit:
        """Of a step; the whole build has one, too, and what is left of it may be less."""
        allowed = getattr(self.settings.builds, name)
        left = self._deadline - time.monotonic()
        if left < allowed:
            name, allowed = "timeout_seconds", self.settings.builds.timeout_seconds
        setting = f"WINDLASS_BUILDS__{name.upper()}"
        return Limit(max(1.0, min(left, allowed)), allowed, setting)

    def _collect(self, plan: Plan, kept: dict[str, Path]) -> Manifest:
        """The files of the release, all in the store."""
        blobs, app = self.world.blobs, self._work.app
        if plan.kind == "static":
            found = collecting.output(blobs, app, plan, self.settings.uploads)
        else:
            found = collecting.application(blobs, app, plan, kept)
        self.log.say(f"{len(found)} files, {size_text(sum(entry.size for entry in found))}")
        return found


async def fetch_repository(
    settings: Settings,
    world: World,
    url: str,
    branch: str | None,
    *,
    work: Path,
    uid: int | None,
    pin: git.Pin | None = None,
    deploy_key: bytes | None = None,
) -> git.Fetched:
    """Clone into the store, inside the sandbox, through the guarded egress."""
    uploads = settings.uploads
    await blocking(work.parent.mkdir, parents=True, exist_ok=True)
    return await git.fetch(
        url,
        branch,
        world.blobs,
        work=work,
        uid=uid,
        egress=Egress(world.egress),
        pin=pin,
        keys=settings.folder / "keys",
        deploy_key=deploy_key,
        timeout_seconds=settings.builds.clone_timeout_seconds,
        limits=TreeLimits(
            files=uploads.max_files,
            total_bytes=uploads.max_bytes,
            file_bytes=uploads.max_file_bytes,
        ),
    )


def explain(error: AppError) -> BuildFailed:
    """An error of the input as the end of a build; every wrong field in the line."""
    code, fields = error.reason or error.code, error.facts.get("fields")
    if isinstance(fields, list):
        lines = [f"{field['field']}: {field['message']}" for field in fields]  # pyright: ignore
        return BuildFailed(code, "; ".join(lines))
    return BuildFailed(code, error.message)


def _runtime(plan: Plan) -> str:
    """The version that dependencies were installed for."""
    versions = machine.installed()
    match plan.runtime:
        case "node":
            return str(versions.node)
        case "python" | "none":
            return str(versions.python)
        case language:
            program = TOOLCHAINS[language].programs[0]
            return f"{program} {versions.tools.get(program)}"
