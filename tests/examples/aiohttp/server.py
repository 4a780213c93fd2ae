import os

from aiohttp import web


async def greet(request: web.Request) -> web.Response:
    return web.Response(text="Answered by aiohttp")


app = web.Application()
app.router.add_get("/", greet)

if __name__ == "__main__":
    web.run_app(app, port=int(os.environ["PORT"]))
