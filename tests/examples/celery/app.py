from flask import Flask

from tasks import add

app = Flask(__name__)


@app.get("/")
def index() -> str:
    return f"Tasks: {add.name}"
