"""What is raised about a report, also where Pillow is not installed."""


class ReportError(Exception):
    """The report cannot be written. The message says why."""
