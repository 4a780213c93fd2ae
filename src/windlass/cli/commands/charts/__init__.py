"""`windlass charts`: Kubernetes manifests, without any server. Each command is a file in here, with
a click command called `command`; it is imported when it runs.
"""

import importlib
from typing import cast

import click

from windlass.cli.session import standard

EPILOG = """\b
Works on files and needs no server, no cluster and no sign-in.

\b
Examples:
  windlass charts check k8s/                     everything that is wrong with them
  windlass charts fix k8s/ --write               mend what has one answer
  windlass charts explain run-as-non-root        why, and what to do
  windlass charts generate app.yaml              print the manifests of a form
  windlass charts generate app.yaml -o k8s       write each one into a file of its own
  windlass charts form k8s/ -o app.yaml          a form that makes these manifests again
  windlass charts import compose.yaml            a form of a compose file
  windlass charts render ./shop -f prod.yaml     what Helm makes of a chart"""

# Each with its module.
COMMANDS = {
    "check": "check",
    "fix": "fix",
    "explain": "explain",
    "generate": "generate",
    "form": "form",
    "import": "importing",
    "render": "render",
}


class Charts(click.Group):
    """Imports a command when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        return cast(
            click.Command, importlib.import_module(f"{__name__}.{COMMANDS[cmd_name]}").command
        )


@click.group(cls=Charts, epilog=EPILOG, help="Kubernetes manifests: made, checked and mended.")
@standard
def charts() -> None:
    pass
