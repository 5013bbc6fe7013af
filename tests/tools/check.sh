# What tests of the program share: a folder that goes away, and checks that count. To be sourced.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# check WHAT EXPECTED_CODE PATTERN COMMAND...: the exit code, and a pattern in what it prints
check() {
  local what=$1 code=$2 pattern=$3 out got
  shift 3
  out=$("$@" 2>&1)
  got=$?
  if [ "$got" -ne "$code" ] || ! grep -qE -- "$pattern" <<< "$out"; then
    echo "FAILED $what: exit code $got (wanted $code), wanted '$pattern' in:"
    head -5 <<< "$out"
    failed=1
  fi
}
has() { for file in "$@"; do [ -s "$work/$file" ] || { echo "FAILED: no $file"; failed=1; }; done; }
