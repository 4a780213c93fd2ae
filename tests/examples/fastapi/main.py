from fastapi import FastAPI

api = FastAPI()


@api.get("/")
async def home() -> dict[str, str]:
    return {"hello": "fastapi"}


@api.get("/items/{item_id}")
async def item(item_id: int) -> dict[str, int]:
    return {"item": item_id}
