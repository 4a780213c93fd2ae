"""Where the files of a site answer, and to which of their addresses the edge sends visitors."""

from collections.abc import Sequence


class Addresses:
    """The same rules as the edge's: one address for each page, files under their own name."""

    def __init__(
        self, paths: Sequence[str], *, clean: bool = True, trailing_slash: bool | None = None
    ) -> None:
        self._known = frozenset(paths)
        self._clean = clean
        self._slash = trailing_slash

    def has(self, address: str) -> bool:
        """A file answers here, however the address is spelled."""
        bare = address.strip("/")
        inside = f"{bare}/index.html" if bare else "index.html"
        return bool({bare, f"{bare}.html", inside} & self._known)

    def settled(self, address: str) -> str:
        """The address of the same page that is not sent on."""
        name = address[1:]
        if name in self._known:
            if not (self._clean and name.endswith(".html")):
                return address
            folder, slash, last = name.rpartition("/")
            name = folder + slash if last == "index.html" else name.removesuffix(".html")
        bare = name.rstrip("/")
        if not bare or not self.has(address):
            return f"/{bare}"
        is_folder = f"{bare}.html" not in self._known
        wanted = is_folder if self._slash is None else self._slash
        return f"/{bare}/" if wanted else f"/{bare}"
