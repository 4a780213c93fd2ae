"""Where a page's styles, scripts and pictures live: hashed names, from the build."""

import json
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "static"
URL = "/-/assets"


class AssetsMissing(RuntimeError):
    """The panel's assets are not built. Run: python -m windlass.web.assets_build"""

    def __init__(self) -> None:
        super().__init__(type(self).__doc__)


def asset(name: str) -> str:
    """The address of an asset: `app.css` → `/-/assets/app-3QX5A2.css`."""
    return f"{URL}/{_names()[name]}"


@cache
def _names() -> dict[str, str]:
    try:
        return dict(json.loads((FOLDER / "manifest.json").read_bytes())["files"])
    except OSError as error:
        raise AssetsMissing from error
