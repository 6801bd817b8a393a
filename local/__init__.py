"""The functions and a gateway on this computer, without containers: for development and for trying them out.

In an image the template's ``server`` is beside the function, which imports from it. In a checkout it is put on the path
here, for every command that imports something of a function.
"""

import sys
from pathlib import Path

sys.path.insert(1, str(Path(__file__).parents[1] / "template" / "python3"))
