"""A report as people and other programs read it. A format is imported when asked for."""

import importlib
from collections.abc import Callable
from typing import cast

from windlass.charts.checks.engine import Report

FORMATS = {"text": "plain", "json": "structured", "sarif": "sarif", "junit": "junit"}


def render(report: Report, form: str) -> str:
    """The report as text, json, sarif (2.1.0) or junit."""
    module = importlib.import_module(f"windlass.charts.reports.{FORMATS[form]}")
    return cast("Callable[[Report], str]", module.render)(report)
