"""Garments drawn as cloth: panels with folds, lit like silk, on Pillow alone.

``curves`` makes smooth lines, ``cloth`` turns panels and folds into surfaces, ``silk`` lights and colours them,
``garments`` holds the patterns, one function a garment. No file, no clock: everything follows from its arguments.
"""
