"""What broadcasts refuses."""

from __future__ import annotations

from silkroom.kit.errors import Refusal


class MoveRefused(Refusal):
    """The show cannot go from its state to that one."""

    code = "show_state"
    status = 409
    text = "The show is in another state by now. Please look at the page again."


class TitleUnusable(Refusal):
    """A show needs a title that can be read."""

    code = "title_unusable"
    text = "Please give the show a title of 1 to %(longest)s characters."


class OrderUnusable(Refusal):
    """The running order names a style twice, one that is not on sale in this shop, or too many."""

    code = "running_order_unusable"
    text = "The running order takes up to %(most)s published styles of this shop, each once."


class OrderEmpty(Refusal):
    """Nothing to show."""

    code = "running_order_empty"
    status = 409
    text = "Put at least one style into the running order before you go live."


class CoverUnusable(Refusal):
    """Not a picture that pages can show."""

    code = "cover_unusable"
    text = "Please choose a JPEG, PNG or WebP picture of at most %(megabytes)s MB."
