#!/bin/sh
# Debian's packages whose libraries PROGRAM links, a name a line: what an image has to install to run it. Wants dpkg-dev.
# usage: needs.sh PROGRAM
set -eu
program=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
mkdir "$work/debian"
touch "$work/debian/control"  # dpkg-shlibdeps asks for one
cd "$work"
found=$(dpkg-shlibdeps -O "$program")
echo "$found" | sed 's/^shlibs:Depends=//; s/ ([^)]*)//g; s/ | [^,]*//g; s/, /\n/g'
