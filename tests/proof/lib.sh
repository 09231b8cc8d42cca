# Shared by prove and mutants/run. Sourced, not run.
# shellcheck shell=bash

proof_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
proof_build=${BUILD:-$proof_root/build}/proof
export PROOF_JOBS=${JOBS:-2}

# Says what is missing and ends with 1: a proof that did not run is no proof.
proof_tools() {
  local tool
  for tool in frama-c why3 z3 cvc4; do
    if ! command -v "$tool" >/dev/null 2>&1; then
      echo "proof: $tool is not installed; install the project's packages (contrib/setup)" >&2
      exit 1
    fi
  done
  mkdir -p "$proof_build"
  export WHY3CONFIG=$proof_build/why3.conf
  if [ ! -s "$WHY3CONFIG" ]; then
    if ! why3 -C "$WHY3CONFIG" config detect >"$proof_build/why3.log" 2>&1; then
      echo "proof: why3 finds no prover, see $proof_build/why3.log" >&2
      exit 1
    fi
  fi
}

# wp DIR LOG TIMEOUT FILE [more options]: one Frama-C WP run on DIR/recovery/FILE.
wp() {
  local dir=$1 log=$2 timeout=$3 file=$4
  shift 4
  (cd "$dir" && frama-c -c11 -cpp-extra-args=-I. -wp -wp-rte -wp-prover cvc4,z3 \
    -wp-timeout "$timeout" -wp-par 1 "$@" "recovery/$file") >"$log" 2>&1
}

# proved LOG: prints "proved total", "0 0" when the log has no result.
proved() {
  awk '/Proved goals:/ { p = $(NF - 2); t = $NF } END { print p + 0, t + 0 }' "$1"
}
