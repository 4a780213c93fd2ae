project = "Sphinx example"
extensions = ["sphinx.ext.autodoc"]
html_theme = "alabaster"
