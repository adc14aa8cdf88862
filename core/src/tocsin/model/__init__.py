"""Frozen values, validated where they are made. Nothing here does I/O, reads a clock or draws at random."""
