from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from server import text

application = Starlette(routes=[Route("/", lambda request: PlainTextResponse(text.GREETING))])
