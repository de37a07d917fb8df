#!/bin/bash
# A minute of tests/bench/soak.sh, or ten.
export SOAK_SECONDS=60
[ -z "${LONG-}" ] || SOAK_SECONDS=600
exec bash "${0%/*}/../bench/soak.sh"
