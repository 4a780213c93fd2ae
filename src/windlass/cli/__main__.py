"""`python -m windlass.cli` is the same as `windlass`."""

from windlass.cli.main import main

main()
