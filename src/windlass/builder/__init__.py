"""Manifests in the panel and in the API: made from a form, checked, mended, read back. Nothing is
stored: what is kept is a release.
"""
