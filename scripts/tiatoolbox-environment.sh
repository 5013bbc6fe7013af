#!/usr/bin/env bash
# Prepares a folder in which tests/tools/test_annotation_store.sh finds TIAToolbox: its package alone, without the
# networks and slide libraries that it depends on, and what its annotation stores need. Wants pip and network.
#   scripts/tiatoolbox-environment.sh FOLDER && NUCDET_TIATOOLBOX=FOLDER ctest --test-dir build/dev -R annotation_store
set -euo pipefail
folder=${1:?usage: scripts/tiatoolbox-environment.sh FOLDER}
mkdir -p "$folder"

# TIAToolbox wants a Python whose sqlite3 may load extensions: not all are built so. Debian's is.
for python in python3 /usr/bin/python3 none; do
  [ "$python" != none ] || { echo "no python3 with sqlite3.Connection.enable_load_extension" >&2; exit 1; }
  "$python" -c 'import sqlite3; sqlite3.Connection.enable_load_extension' 2> /dev/null && break
done
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
install() {
  python3 -m pip install --quiet --target "$folder" --python-version "$version" --only-binary=:all: "$@"
}
install --no-deps 'tiatoolbox>=2,<3'
install numpy pandas shapely pyyaml typing_extensions
echo "$python" > "$folder/python"
PYTHONPATH=$folder "$python" -c 'import tiatoolbox; from tiatoolbox.annotation.storage import SQLiteStore; SQLiteStore(); print("TIAToolbox", tiatoolbox.__version__)'
