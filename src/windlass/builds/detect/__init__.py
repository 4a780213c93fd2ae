"""From a tree of files to a plan. Pure: it reads manifests and decides; it runs nothing."""

from msgspec.structs import replace

from windlass.builds.detect import containers
from windlass.builds.detect.candidates import best
from windlass.builds.detect.explain import only_application, refusal
from windlass.builds.detect.procfile import procfile
from windlass.builds.detect.settings import apply, custom, heeding, settings_of
from windlass.builds.detect.source import Source
from windlass.builds.detect.versions import version_notes
from windlass.builds.errors import EmptySource, ToolchainMissing, UnsupportedPlan
from windlass.builds.plan import Installed, Overrides, Plan, Tree
from windlass.core.errors import invalid
from windlass.core.languages import N_

__all__ = ["detect"]

_NOTHING = Overrides()
_UNKNOWN = Installed()


def detect(tree: Tree, overrides: Overrides = _NOTHING, *, installed: Installed = _UNKNOWN) -> Plan:
    """The plan for a source: the overrides win over `windlass.toml`, that over files of other
    hosts and a Procfile, those over what the manifests say. Raises an `AppError` (and nothing
    else) when there is no plan."""
    top = Source(tree)
    if not top.files:
        raise EmptySource()
    settings, source = settings_of(top, overrides)
    if not source.files:
        raise invalid(
            "rootDirectory",
            N_("There is no folder `{root}` in the source.").format(root=source.root),
        )
    why: tuple[str, ...] = ()
    is_free = not (settings.said.framework or settings.says_how or top.has("Procfile"))
    is_free = is_free and settings.said.container is None
    if source is top and is_free:
        only = only_application(top, installed)
        if only:
            folder, label = only
            source = top.at(folder)
            why = (
                N_("workspace: {folder} ({label}) is its only application").format(
                    folder=folder, label=label
                ),
            )
    processes = procfile(source)
    if containers.is_wanted(settings.said):
        plan = containers.container(source, settings, processes)
        if plan is not None:
            return _finished(plan, (), (*settings.sources, *why))
    refused: UnsupportedPlan | ToolchainMissing | None = None
    try:
        plan = best(source, settings.said.framework, installed)
    except (UnsupportedPlan, ToolchainMissing) as error:
        plan, refused = None, error
    settings = heeding(settings, source, top, plan, processes)
    plan = plan or custom(source, settings, processes)
    if plan is None:
        contained = containers.container(source, settings, processes)
        if contained is not None:
            return _finished(contained, (), (*settings.sources, *why))
        raise refused or refusal(source, installed)
    plan = apply(source, plan, settings, processes)
    honoured, differing = version_notes(source, installed, plan.runtime, overrides.node_version)
    if file := source.first(*containers.FILES):
        honoured = (*honoured, f'{source.named(file)} is built with `framework = "dockerfile"`.')
    plan = replace(plan, evidence=(*plan.evidence, *honoured))
    return _finished(plan, tuple(differing), (*settings.sources, *why))


def _finished(plan: Plan, pins: tuple[str, ...], sources: tuple[str, ...]) -> Plan:
    evidence = dict.fromkeys((*sources, *plan.evidence))
    return replace(plan, evidence=tuple(evidence), warnings=(*plan.warnings, *pins))
