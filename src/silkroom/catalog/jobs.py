"""Background work of the catalog."""

from __future__ import annotations

from procrastinate.contrib.django import app

from .services import forget_files as forget_files_service


@app.task(name="catalog.forget_files")
def forget_files(name: str) -> None:
    """Delete the files of a removed picture. Twice changes nothing."""
    forget_files_service(name=name)
