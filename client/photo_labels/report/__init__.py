"""One file of HTML with all photos by their words, which opens from a disk without a network."""
