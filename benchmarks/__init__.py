"""Measures speed and memory, compared with other ways to serve CLIP."""
