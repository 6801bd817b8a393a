"""Finds photos again: an index of a folder, searches in it, and photos that are there twice. Needs NumPy and Pillow."""
