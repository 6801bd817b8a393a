"""What one request may ask for. The first four can be set in the function's environment."""

from server.environment import count, seconds, size

MAX_IMAGE_BYTES = size("max_image_bytes", "20MiB")
MAX_IMAGE_PIXELS = count("max_image_pixels", "67108864")
"""Of an image that is decoded in full."""
MAX_SCALED_PIXELS = 4 * MAX_IMAGE_PIXELS
"""Of one that is shrunk while it is decoded: a JPEG."""
DECODE_TIMEOUT = seconds("decode_timeout", "5s")
"""How long decoding an image may take, in seconds."""
MAX_INFLIGHT = count("max_inflight", "0", least=0)
"""How many requests the watchdog lets in at a time; 0 for any number."""
MAX_IMAGES = 64
MAX_LABELS = 1000
MAX_LABEL_CHARACTERS = 200
MAX_TEXT_CHARACTERS = 1000
MAX_NEW_LABEL_TOKENS = 16_384
MAX_JSON_TEXT_BYTES = 256 << 10
"""Of a body in JSON, without its images."""
DEFAULT_TOP_K = 5
