"""What is claimed about speed and memory, measured beside what one would have otherwise."""
