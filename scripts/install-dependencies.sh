#!/usr/bin/env bash
# Installs what nucdet needs on Debian 12: to build and run it, with --python also what `pip install .` needs, and with
# --tests what scripts/test.sh needs. Does nothing if everything is there.
# usage: install-dependencies.sh [--python] [--tests] [--check]
#   --check   installs nothing; lists what is missing and exits 1 if anything is
set -euo pipefail

packages=(g++ cmake ninja-build ccache libeigen3-dev libxtensor-dev catch2 libbenchmark-dev libpng-dev
          libjpeg62-turbo-dev libtiff-dev zlib1g-dev libopenjp2-7-dev libwebp-dev libpugixml-dev libsqlite3-dev libopenslide-dev
          libonnx-dev libprotobuf-dev nlohmann-json3-dev libcli11-dev ca-certificates)
check=0
for argument in "$@"; do
  case $argument in
    --python) packages+=(python3-dev python3-venv) ;;
    --tests) packages+=(clang-14 libclang-rt-14-dev clang-format-14 python3 pkg-config doxygen pandoc python3-dev python3-numpy
                        python3-pytest python3-yaml pybind11-dev mypy libopenmpi-dev openmpi-bin iproute2
                        procps) ;;
    --check) check=1 ;;
    *) echo "usage: $0 [--python] [--tests] [--check]" >&2; exit 2 ;;
  esac
done

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2> /dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0
if [ "$check" = 1 ]; then
  echo "missing: ${missing[*]}"
  exit 1
fi

as_root=()
if [ "$(id -u)" != 0 ]; then as_root=(sudo); fi
echo "installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
