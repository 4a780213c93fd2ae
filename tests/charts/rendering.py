"""Forms and what is made of them. `python -m tests.charts.rendering` writes the files again."""

from pathlib import Path

from windlass.charts import form
from windlass.charts.documents import dump
from windlass.charts.generate import manifests

HERE = Path(__file__).parent / "golden"


def rendered() -> dict[str, str]:
    """What each file must hold: the minimal form as a whole, the other one by kinds."""
    files: dict[str, str] = {"minimal.yaml": dump(*made("minimal"))}
    kinds: dict[str, list[object]] = {}
    for manifest in made("everything"):
        kinds.setdefault(str(manifest["kind"]), []).append(manifest)
    files.update({f"{kind}.yaml": dump(*found) for kind, found in kinds.items()})
    return files


def made(name: str) -> list[dict[str, object]]:
    return manifests(form.read((HERE / f"{name}.form.yaml").read_text(), f"{name}.form.yaml"))


OUTPUT = rendered()

if __name__ == "__main__":
    for name, text in OUTPUT.items():
        (HERE / name).write_text(text)
