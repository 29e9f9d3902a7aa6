"""``python -m silkroom``: the command line."""

import signal

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # While modules load there is nothing to undo: Ctrl-C ends the process without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from silkroom.config.cli.main import run

if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
    signal.signal(signal.SIGINT, signal.default_int_handler)

if __name__ == "__main__":
    run()
