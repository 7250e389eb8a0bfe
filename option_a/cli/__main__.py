"""`python -m option_a.cli`."""

from option_a.cli.main import main

main()
