"""Kubernetes manifests: read, written, made from a form, checked and mended. Pure: text and structs
in, manifests and findings out; no files, no network, no database, no web. It stands alone, so that
the command line works without the server. Each part is imported by its own name, when needed.
"""
