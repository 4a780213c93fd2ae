"""The rules, by what they are about. Importing a module declares its rules (`checks/rule.py`)."""

import importlib

MODULES = (
    "images",
    "identity",
    "host",
    "capabilities",
    "secrets",
    "resources",
    "probes",
    "workloads",
    "availability",
    "disruption",
    "scaling",
    "network",
    "services",
    "references",
    "rbac",
    "rbac_powers",
    "hygiene",
    "definitions",
)


def load() -> None:
    """Declares every rule; quick the second time."""
    for name in MODULES:
        importlib.import_module(f"windlass.charts.rules.{name}")
