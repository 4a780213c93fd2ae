"""What a caller can get wrong about the audit log."""

from windlass.core.errors import BadRequest


class BadFilter(BadRequest):
    """{field}: “{value}” is not {allowed}."""
