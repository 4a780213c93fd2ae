"""Helm in a process of its own: charts of strangers are rendered where they can touch nothing.

Knows neither the server nor the command line, which both use it. What Helm is comes from the
package `helm-python-sdk`, the extra `windlass[helm]`.
"""
