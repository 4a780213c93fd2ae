from bottle import Bottle

application = Bottle()


@application.get("/")
def home() -> str:
    return "<h1>Installed by poetry</h1>"
