"""``python -m silkroom``: the command line."""

from silkroom.config.cli.main import run

if __name__ == "__main__":
    run()
