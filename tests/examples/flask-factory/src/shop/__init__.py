from flask import Flask

from shop.pages import pages


def create_app(name: str = "shop") -> Flask:
    application = Flask(name)
    application.register_blueprint(pages)
    return application
