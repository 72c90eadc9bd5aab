"""`python -m viralcore` is the `viralcore` command."""

from viralcore.cli import main

if __name__ == "__main__":
    main()
