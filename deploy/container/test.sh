#!/usr/bin/env bash
# Runs the Dockerfile's own lines without Docker: each stage in a bare Debian 12 by mmdebstrap. So an image that would not build,
# or a program that misses a library in it, is found where there is no daemon.
# usage: test.sh [INSTALLED]
#   INSTALLED: what `DESTDIR=INSTALLED cmake --install BUILD --prefix /usr/local` gave on a Debian 12; then nothing is built, and
#   only the last stage is run. Without it, 12 minutes on two cores.
# Skipped (77) without root or mmdebstrap.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
source "$top/packaging/chroot.sh"
chroot_wanted
work=$(mktemp -d)
stages=()
finish() {
  for stage in "${stages[@]}"; do chroot_free "$work/$stage"; done
  rm -rf --one-file-system "$work"
}
trap finish EXIT
wrong() { echo "Dockerfile: $*" >&2; exit 1; }
given=${1:+$(realpath "$1")}
if [ -n "$given" ]; then
  mkdir -p "$work/build"
  cp -r "$given" "$work/build/installed"
  "$here/needs.sh" "$given/usr/local/bin/nucdet" > "$work/build/installed/usr/local/share/nucdet/needs"
fi

copy() {  # copy STAGE WORDS...: COPY [--from=STAGE] SOURCE TARGET, of this folder what .dockerignore leaves
  local to=$work/$1 from=$top source target
  shift
  if [[ $1 == --from=* ]]; then from=$work/${1#--from=}; shift; fi
  source=$1 target=$to$2
  if [ "$source" = . ]; then
    mkdir -p "$target"
    (shopt -s dotglob && cd "$from" && tar --anchored --exclude-from="$here/Dockerfile.dockerignore" -c -- *) | tar -x -C "$target"
  elif [ -d "$from/$source" ]; then
    mkdir -p "$target"
    cp -a "$from/$source/." "$target"
  else
    if [[ $target == */ ]]; then mkdir -p "$target"; fi
    cp -a "$from/$source" "$target"
  fi
}

stage='' folder=/ skip=''
while read -r word rest <&3; do
  if [ -n "$skip" ] && [ "$word" != FROM ]; then continue; fi
  read -ra words <<< "$rest"
  echo "== $word $rest"
  case $word in
    FROM)
      [ "${words[0]}" = debian:12-slim ] || wrong "stages are wanted from debian:12-slim, found $rest"
      stage=${words[2]:-final} folder=/ skip=''
      if [ -n "$given" ] && [ "$stage" = build ]; then skip=yes; continue; fi
      stages+=("$stage")
      chroot_make "$work/$stage"
      ;;
    COPY) copy "$stage" "${words[@]}" ;;
    RUN) chroot_in "$work/$stage" /bin/sh -c "cd $folder && $rest" ;;
    WORKDIR) folder=$rest && mkdir -p "$work/$stage$folder" ;;
    CMD) chroot_in "$work/$stage" /bin/sh -c "cd $folder && $(tr -d '[],' <<< "$rest")" > /dev/null ;;
    *) wrong "this script does not know $word" ;;
  esac
done 3< <(sed -e '/^#/d; /^$/d' -e ':more; /\\$/{N; s/\\\n *//; b more}' "$here/Dockerfile")
echo "the image would be of $(du -shx "$work/final" | cut -f1)"
