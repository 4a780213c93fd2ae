"""A Dockerfile, or the name of an image: what a container engine builds and runs."""

from msgspec.structs import replace

from windlass.builds import references
from windlass.builds.detect.procfile import Procfile
from windlass.builds.detect.settings import Settings, with_workers
from windlass.builds.detect.source import Source
from windlass.builds.dockerfile import MAX_BYTES, Dockerfile
from windlass.builds.plan import ContainerPlan, Plan
from windlass.builds.windlass_toml import ContainerToml, WindlassToml
from windlass.core.errors import invalid
from windlass.core.languages import N_

FRAMEWORK = "dockerfile"
FILES = ("Dockerfile", "Containerfile")


def is_wanted(said: WindlassToml) -> bool:
    """Somebody said that it is to be a container, whatever else is there."""
    return said.framework == FRAMEWORK or said.container is not None


def container(source: Source, settings: Settings, processes: Procfile | None) -> Plan | None:
    """The plan; None when there is no Dockerfile and nobody asked for one. Raises what is wrong
    with it."""
    said = settings.said.container or ContainerToml()
    if said.image:
        references.parse(said.image)
        plan = _of_image(source, said)
    else:
        file = said.dockerfile or source.first(*FILES)
        if file is None or not source.has(file):
            if not is_wanted(settings.said):
                return None
            named = source.named(file or FILES[0])
            raise invalid("framework", N_("There is no {file} in the source.").format(file=named))
        plan = _of_dockerfile(source, said, file)
    return _with_settings(source, plan, settings, processes)


def _of_image(source: Source, said: ContainerToml) -> Plan:
    return Plan(
        framework=FRAMEWORK,
        label=N_("Container image"),
        kind="server",
        root_directory=source.root,
        container=ContainerPlan(image=said.image, port=said.port, read_only=said.read_only),
        evidence=(N_("windlass.toml: the image {image}").format(image=said.image),),
    )


def _of_dockerfile(source: Source, said: ContainerToml, file: str) -> Plan:
    named = source.named(file)
    found = Dockerfile(source.text(file, MAX_BYTES), said.build_args, file=named)
    if said.target and said.target.lower() not in found.stages:
        stages = ", ".join(stage for stage in found.stages if not stage.isdigit()) or "none"
        raise invalid(
            "target",
            N_("{file} has no stage {target}. Its stages: {stages}.").format(
                file=named, target=said.target, stages=stages
            ),
        )
    starts = ", ".join(dict.fromkeys(found.images.values())) or "scratch"
    evidence = [N_("{file}: starts from {images}").format(file=named, images=starts)]
    if said.target:
        evidence.append(N_("windlass.toml: the stage {stage}").format(stage=said.target))
    if found.ports:
        ports = ", ".join(map(str, found.ports))
        evidence.append(N_("{file}: exposes {ports}").format(file=named, ports=ports))
    if found.buildkit_reason:
        why = found.buildkit_reason
        evidence.append(N_("{file}: needs BuildKit for {why}").format(file=named, why=why))
    return Plan(
        framework=FRAMEWORK,
        label=N_("Dockerfile"),
        kind="server",
        root_directory=source.root,
        port=said.port or (found.ports[0] if found.ports else 3000),
        container=ContainerPlan(
            dockerfile=file,
            target=said.target,
            build_args=said.build_args,
            build_secrets=said.build_secrets,
            port=said.port,
            read_only=said.read_only,
        ),
        evidence=tuple(evidence),
    )


def _with_settings(
    source: Source, plan: Plan, settings: Settings, processes: Procfile | None
) -> Plan:
    """What was said, as far as it has a meaning for an image: it brings its own dependencies."""
    said = settings.said
    evidence, warnings = list(plan.evidence), list(plan.warnings)
    for name in ("install_command", "build_command", "output_directory"):
        if getattr(said, name):
            text = N_("An image is built by its Dockerfile: {name} is passed over.")
            warnings.append(text.format(name=name))
    if settings.chosen:
        evidence.append(f"settings: {', '.join(settings.chosen)}")
    if processes and processes.others:
        plan = replace(plan, processes=processes.others)
    if processes and processes.web:
        plan = replace(plan, start_command=processes.web)
    release = said.release_command or (processes.release if processes else None)
    plan = replace(
        plan,
        start_command=(said.start_command or "").strip() or plan.start_command,
        release_command=release,
        env=said.env,
        connect=said.connect,
    )
    if said.start_command is not None and not said.start_command.strip():
        workers = with_workers(source, plan, settings, [], []).processes
        plan = replace(plan, kind="worker" if workers else plan.kind, start_command=None)
    plan = with_workers(source, plan, settings, evidence, warnings)
    for name in ("health_path", "port", "start_timeout_seconds", "drain_seconds"):
        value = getattr(said, name)
        if value is not None:
            plan = replace(plan, **{name: value})
    if said.port and plan.container and plan.container.port is None:
        plan = replace(plan, container=replace(plan.container, port=said.port))
    return replace(plan, evidence=tuple(evidence), warnings=tuple(warnings))
