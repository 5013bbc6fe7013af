#!/usr/bin/env bash
# Recomputes the table of docs/results.md that says how accurate the program is and how well that holds: scores, blank
# glass, margins, cut tiles, blur and stain, magnification, time; for one or two pairs of a program and weights.
# usage: report_accuracy.sh DATA [--program P] [--model M] [--program-before P0] [--model-before M0] [--out DIR]
#            [--read-tests] [--time] [--rows LIST] [--without-tnbc W] [--without-brca W] [...]      all of them: --help
#   DATA              folder with nuinsseg-human23, monuseg-tiles, tnbc-curie, brca-m2c and wsi; of `cases` beside or
#                     in it the blank images are used. What is not there is said and left out.
#   --program         default: build/release/tools/nucdet/nucdet of this checkout, with the weights it finds by itself
#   --read-tests      also what reads a test split or anything of MoNuSeg; each such reading is printed and listed
# Writes report.md, report.json and blank.png (the blank tiles, to be looked at) to DIR (default: report). Exits with 1
# if a row could not be computed. Debian: apt-get install python3-numpy python3-pil; PYTHON names another python3.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python3}
if ! "$python" -c 'import numpy, PIL.Image' 2> /dev/null; then
  echo "$0: $python lacks numpy or Pillow: apt-get install python3-numpy python3-pil" >&2
  exit 2
fi
exec "$python" "$here/report_accuracy.py" "$@"
