"""photo-labels FOLDER, or python -m photo_labels FOLDER. See docs/client.md."""

import sys

from .commands import main

if __name__ == "__main__":
    sys.exit(main())
