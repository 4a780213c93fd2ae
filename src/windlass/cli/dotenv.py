"""Environment variables as a `.env` file that shells and dotenv libraries read the same way."""

from collections.abc import Sequence

from windlass.cli.schemas import Variable


def render(variables: Sequence[Variable]) -> str:
    """One line per variable, sorted; a secret is a comment, because the server never returns it."""
    lines = [_line(variable) for variable in sorted(variables, key=lambda one: one.key)]
    return "".join(f"{line}\n" for line in lines)


def _line(variable: Variable) -> str:
    if variable.value is None:
        return f"# {variable.key} is secret and stays on the server"
    value = variable.value
    if value and all(char.isalnum() or char in "_-./:@%+," for char in value):
        return f"{variable.key}={value}"
    if "'" not in value and "\n" not in value:
        return f"{variable.key}='{value}'"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    newlines = escaped.replace("`", "\\`").replace("\r", "\\r").replace("\n", "\\n")
    return f'{variable.key}="{newlines}"'
