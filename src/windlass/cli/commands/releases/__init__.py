"""`windlass releases`: what is deployed on Kubernetes clusters. Each command is in a file of this
folder, which is imported when it runs.
"""

import importlib
from typing import cast

import click

from windlass.cli.session import standard

EPILOG = """\b
NAME is the release's name, or NAMESPACE/NAME, or its id.

\b
Examples:
  windlass releases plan shop k8s/ --namespace shop      what would change
  windlass releases apply shop k8s/ --namespace shop     deploy it, and wait for its end
  windlass releases show shop                            how it is, object by object
  windlass releases rollback shop --to 3                 back to a revision
  windlass releases logs shop"""

# Each with its module.
COMMANDS = {
    "apply": "applying",
    "plan": "applying",
    "list": "looking",
    "show": "looking",
    "history": "looking",
    "diff": "looking",
    "logs": "looking",
    "rollback": "returning",
    "redeploy": "returning",
    "cancel": "returning",
    "delete": "returning",
}


class Group(click.Group):
    """Imports a command when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        found = importlib.import_module(f"{__name__}.{module}")
        return cast(click.Command, found.COMMANDS[cmd_name])


@click.group(
    cls=Group,
    epilog=EPILOG,
    help="What is deployed on your Kubernetes clusters: plan, apply, undo.",
)
@standard
def releases() -> None:
    pass
