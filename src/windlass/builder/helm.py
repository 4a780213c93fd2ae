"""A pasted Helm command: what it means and what would run, never run here (K-030 to K-034)."""

from windlass.builder.schemas import HelmIn, HelmOut
from windlass.core.errors import ValidationFailed


def read(wanted: HelmIn) -> HelmOut:
    """The command's meaning. Raises ValidationFailed with the reason when it is not taken."""
    from windlass.charts.helm import command, line
    from windlass.charts.helm.words import Refused

    try:
        found = line.parse(wanted.command)
    except Refused as error:
        message = f"{error.message}. {error.hint}" if error.hint else error.message
        fields = [{"field": "command", "message": message}]
        raise ValidationFailed(fields=fields) from error
    return HelmOut(
        runs=command.shown(found),
        release=found.release,
        chart=found.chart.name,
        source=found.chart.url,
        needs_repository=found.needs_repository,
        version=found.version,
        namespace=found.namespace,
        settings=[f"--{one.option} {_hidden(one.text)}" for one in found.settings],
        files=list(found.files),
        confirm=list(found.confirm),
        notes=list(found.notes),
        dry_run=found.dry_run,
    )


def _hidden(text: str) -> str:
    """A setting for eyes: the value of one whose name says secret is covered."""
    from windlass.charts.checks.secrets import says_secret

    key, sign, _ = text.partition("=")
    return f"{key}{sign}••••••" if sign and says_secret(key.rpartition(".")[2]) else text
