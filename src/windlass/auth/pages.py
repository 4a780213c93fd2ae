"""Pages."""

from litestar.handlers import HTTPRouteHandler

PAGES: list[HTTPRouteHandler] = []
