"""Answers GET and HEAD from a release: conditions, ranges, encodings, 404.html and fallback."""

from windlass.edge import negotiate, paths, replies
from windlass.edge.content import Contents, open_file
from windlass.edge.negotiate import IDENTITY
from windlass.edge.replies import STATUS_LINES, Reply
from windlass.edge.request import Request
from windlass.edge.rulebook import Redirected
from windlass.edge.table import Found, Malformed, Missing, Moved, Release, Replaced, Variant

ALLOW = b"Allow: GET, HEAD, OPTIONS\r\n"


def answer(request: Request, release: Release, contents: Contents) -> Reply:
    """The answer of a static site. Raises OSError when a file of the release cannot be read."""
    if request.method not in (b"GET", b"HEAD"):
        return _other_method(request, release)
    book = release.rulebook
    # Most sites have no rules, and then what a path means is remembered.
    resolved = (
        release.resolve(request.path) if book is None else release.resolve_by_rules(request, book)
    )
    if isinstance(resolved, Found):
        return _file(request, resolved, contents)
    if isinstance(resolved, Moved):
        return redirect(request, resolved, release.marks)
    if isinstance(resolved, Replaced):
        if resolved.status == 200:
            return _file(request, resolved.found, contents)
        return _with_status(request, resolved.found, resolved.status, contents)
    if isinstance(resolved, Malformed):
        return replies.to(request, 400, "The address is malformed.", release.marks)
    return _missing(request, resolved, release, contents)


def _file(request: Request, found: Found, contents: Contents) -> Reply:
    variant = found.only or _choose(request, found)
    headers = request.headers
    # Most requests carry neither, and one look at the dictionary's size would not tell.
    if (tag := headers.get(b"if-none-match")) is not None and negotiate.is_unchanged(
        tag, variant.etag
    ):
        return Reply(STATUS_LINES[304] + variant.lines)
    if request.method == b"HEAD":
        return Reply(variant.ok)
    if b"range" in headers and (part := _part(request, variant, contents)) is not None:
        return part
    return _body(variant, variant.ok, 0, variant.size, contents)


def _choose(request: Request, found: Found) -> Variant:
    accept = request.headers.get(b"accept-encoding")
    if accept is not None:
        for encoding in negotiate.encodings(accept):
            if encoding in found.variants:
                return found.variants[encoding]
    return found.variants[IDENTITY]


def _part(request: Request, variant: Variant, contents: Contents) -> Reply | None:
    # If-Range compares strongly; a date never matches because we send none.
    if request.headers.get(b"if-range", variant.etag) != variant.etag:
        return None
    try:
        span = negotiate.byte_range(request.headers[b"range"], variant.size)
    except ValueError:
        head = variant.lines + b"Content-Range: bytes */%d\r\n" % variant.size
        return Reply(STATUS_LINES[416] + b"Content-Length: 0\r\n" + head)
    if span is None:
        return None
    first, count = span
    lines = b"Content-Length: %d\r\nContent-Range: bytes %d-%d/%d\r\n" % (
        count,
        first,
        first + count - 1,
        variant.size,
    )
    return _body(variant, STATUS_LINES[206] + lines + variant.lines, first, count, contents)


def _body(variant: Variant, head: bytes, first: int, count: int, contents: Contents) -> Reply:
    if variant.size <= contents.largest_bytes:
        body = contents.get(variant.key)
        if body is None:
            body = contents.load(variant.key, variant.path, variant.size)
        return Reply(head, body if count == variant.size else body[first : first + count])
    return Reply(head, file=open_file(variant.path, variant.size), offset=first, size=count)


def redirect(request: Request, moved: Moved | Redirected, marks: bytes) -> Reply:
    """Send the visitor on, with the query unless the new address has its own."""
    location = moved.location
    if request.query and moved.keep_query and b"?" not in location:
        location += b"?" + request.query
    return replies.empty(
        moved.status,
        b"Location: "
        + location
        + b"\r\nCache-Control: public, max-age=0, must-revalidate\r\n"
        + marks,
    )


def _missing(request: Request, missing: Missing, release: Release, contents: Contents) -> Reply:
    site = release.site
    # A script that asks for a missing .js must not get a page with status 200.
    navigates = missing.is_page or request.wants_html
    address = None
    if release.rulebook is not None and release.rulebook.has_headers:
        address = f"/{paths.decode(request.path) or ''}"
    if site.fallback and navigates and (found := release.file(site.fallback, address)):
        return _file(request, found, contents)
    if site.not_found and (found := release.file(site.not_found, address)):
        return _with_status(request, found, 404, contents)
    return replies.to(request, 404, "There is no page at this address.", release.marks)


def _with_status(request: Request, found: Found, status: int, contents: Contents) -> Reply:
    """A file as the body of another answer than 200: it is no copy of anything to be compared."""
    variant = _choose(request, found)
    lines = variant.lines.replace(b"ETag: " + variant.etag + b"\r\n", b"")
    lines = lines.replace(b"Accept-Ranges: bytes\r\n", b"")
    head = STATUS_LINES[status] + b"Content-Length: %d\r\n" % variant.size + lines
    if request.method == b"HEAD":
        return Reply(head)
    return _body(variant, head, 0, variant.size, contents)


def _other_method(request: Request, release: Release) -> Reply:
    if request.method == b"OPTIONS":
        return replies.empty(204, ALLOW + release.marks)
    text = "This site has only files; they can be read, not changed."
    return replies.to(request, 405, text, ALLOW + release.marks)
