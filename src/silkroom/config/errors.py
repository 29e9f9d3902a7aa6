"""What can go wrong on the operator's side, said in one line that names the cause and what to do."""

from __future__ import annotations


class OperationError(RuntimeError):
    """Shown by the command line as it is, without a traceback; anything else that escapes is a bug."""
