import local  # noqa: F401 - it puts the template's ``server`` on the path, as an image has it
