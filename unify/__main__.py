"""`python -m unify` is the `unify` command."""

from unify.cli.main import main

main()
