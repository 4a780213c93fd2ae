"""`windlass completion`: the script that lets a shell complete commands, options and projects."""

import click
from click.shell_completion import get_completion_class

from windlass.cli.errors import Failed

EPILOG = """\b
Examples:
  windlass completion bash > ~/.local/share/bash-completion/completions/windlass
  windlass completion zsh > "${fpath[1]}/_windlass"
  windlass completion fish > ~/.config/fish/completions/windlass.fish"""


@click.command(epilog=EPILOG, help="Print the completion script of a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    kind = get_completion_class(shell)
    if kind is None:
        raise Failed(reason=f"There is no completion for {shell}.")
    script = kind(ctx.find_root().command, {}, "windlass", "_WINDLASS_COMPLETE").source()
    click.echo(script)
