"""Photos in a folder for each word: links to them, or copies."""
