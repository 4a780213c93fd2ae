"""Durations and sizes as people read them."""


def seconds(value: float) -> str:
    """A duration: 0.4 s, 12 s, 3 min 5 s."""
    if value < 10:
        return f"{max(value, 0):.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def size_text(count: float) -> str:
    """A size as the server writes it: 512 bytes, 1.4 MiB."""
    for unit in ("bytes", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"
