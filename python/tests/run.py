#!/usr/bin/env python3
"""Runs the tests of the Python package that a build made: run.py BUILD/python PROGRAM [MAKE_GIANT_SLIDE].

Ends with 77 where pytest or NumPy is missing.
"""

import importlib.util
import os
import pathlib
import subprocess
import sys

package, program, *giant = sys.argv[1:]
for wanted, debian in (("pytest", "python3-pytest"), ("numpy", "python3-numpy")):
    if importlib.util.find_spec(wanted) is None:
        print(f"SKIPPED: the Python package is not tested: {wanted} is missing ({debian})")
        sys.exit(77)
environment = os.environ | {
    "PYTHONPATH": os.pathsep.join([package, os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep),
    "PYTHONDONTWRITEBYTECODE": "1",
    "NUCDET_PROGRAM": program,
    "NUCDET_GIANT_SLIDE": giant[0] if giant else "",
}
folder = pathlib.Path(__file__).resolve().parent
command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", str(folder)]
sys.exit(subprocess.run(command, env=environment, check=False).returncode)
