"""YAML of Kubernetes, in and out, as Go's reader of the API server and of kubectl understands it.

The contract:

- `read(text, file="")` → `Reading(documents, problems)`. Never raises for bad input: one broken
  document is one `Problem` (code, message, hint, file, line, column), the others are still read.
  `load(text)` gives the documents or raises `Unreadable` with all problems.
- `Document.data` is what Kubernetes sees: YAML 1.1 with Go's rules (`y` is true, `1e3` is 1000,
  `0o644` is 420, `08` is 8, `22:22` and `2001-12-14` are text), keys are text, merge keys are
  merged, aliases are copies, whole floats are integers. Mappings are `dict[str, object]`.
- `Document.where(path)` → `Place(line, column, end_line, end_column)` of the key or list item at
  `path` (a tuple of keys and indexes; the nearest part that exists), counted from 1 in the file;
  `Document.span(path)` is the same for the value.
- `resources(reading)` → `Listed(resources, problems)`: the objects in them, those of a
  `kind: List` taken out, each with `api_version`, `kind`, `name`, `namespace`, `data`, `path`
  (where it stands in its document) and `where`/`span` with paths from the object's own top.
- `dump(data, …)` → YAML text, documents joined with `---`, every ambiguous string quoted.
- `edit(text, [Change, …], document=0)` → the same text with `Set`, `Insert`, `Delete` and
  `Rename` done at paths: comments, order and all other bytes stay. Raises `NotEditable` rather
  than change anything else.

Codes of problems: `too-large`, `not-utf8`, `not-yaml`, `tab`, `duplicate-key`, `alias-bomb`,
`alias-cycle`, `too-deep`, `too-many-documents`, `key`, `tag`, `not-a-number`; from `resources`:
`not-an-object`, `api-version`, `kind`, `name`.
"""

from windlass.charts.documents.build import Limits
from windlass.charts.documents.edit import (
    Change,
    Delete,
    Insert,
    NotEditable,
    Rename,
    Set,
    edit,
)
from windlass.charts.documents.objects import Listed, Resource, resources
from windlass.charts.documents.problems import Path, Place, Problem, Unreadable
from windlass.charts.documents.read import Document, Reading, load, read
from windlass.charts.documents.write import dump

__all__ = [
    "Change",
    "Delete",
    "Document",
    "Insert",
    "Limits",
    "Listed",
    "NotEditable",
    "Path",
    "Place",
    "Problem",
    "Reading",
    "Rename",
    "Resource",
    "Set",
    "Unreadable",
    "dump",
    "edit",
    "load",
    "read",
    "resources",
]
