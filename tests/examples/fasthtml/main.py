from fasthtml.common import *

app, rt = fast_app()


@rt("/")
def get():
    return Titled("Rendered by FastHTML", P("A page."))


serve()
