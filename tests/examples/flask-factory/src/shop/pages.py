from flask import Blueprint

pages = Blueprint("pages", __name__)


@pages.get("/")
def home() -> str:
    return "<h1>Made by a factory</h1>"
