"""What one request may ask for. The first two can be set in the function's environment."""

import os

MAX_IMAGE_BYTES = int(os.environ.get("max_image_bytes", 20 * 1024 * 1024))
MAX_IMAGE_PIXELS = int(os.environ.get("max_image_pixels", 50_000_000))
MAX_LABELS = 1000
DEFAULT_TOP_K = 5
