"""Two revisions beside each other, and the text of one without its secrets."""

from typing import Any

from windlass.releases.manifests import item_in
from windlass.releases.schemas import ChangeOut, DocumentChange


def compared(before: str, after: str, namespace: str) -> list[DocumentChange]:
    """Document by document; those that are the same are left out."""
    from windlass.charts.changes import changes

    old, new = (_by_item(text, namespace) for text in (before, after))
    found: list[DocumentChange] = []
    for key in dict.fromkeys([*old, *new]):
        was, now = old.get(key), new.get(key)
        differing = changes(was, now)
        if not differing:
            continue
        item = item_in(now or was or {}, namespace)
        found.append(
            DocumentChange(
                api_version=item.api_version,
                kind=item.kind,
                name=item.name,
                namespace=item.namespace,
                change="added" if was is None else "removed" if now is None else "changed",
                changes=[ChangeOut(path=c.path, before=c.before, after=c.after) for c in differing],
            )
        )
    return found


def _by_item(text: str, namespace: str) -> dict[tuple[str, ...], dict[str, Any]]:
    from windlass.charts.documents import read, resources

    documents = [one.data for one in resources(read(text)).resources]
    return {item_in(document, namespace).key: document for document in documents}


def hidden(text: str) -> str:
    """The text with the values of Secrets, and what else is one, replaced; all else as it is. Where
    a value cannot be replaced alone, nothing of that document is shown."""
    from windlass.charts.changes import HIDDEN, secret_paths
    from windlass.charts.documents import NotEditable, Set, Unreadable, edit, read, resources

    for one in resources(read(text)).resources:
        for path in secret_paths(one.data):
            change = Set((*one.path, *path), HIDDEN)
            try:
                text = edit(text, [change], document=one.document.index)
            except (NotEditable, Unreadable):
                return f"# {HIDDEN}: these manifests hold secrets that cannot be shown apart\n"
    return text
