from litestar import Litestar, get


@get("/")
async def home() -> str:
    return "Litestar answers"


app = Litestar([home])
