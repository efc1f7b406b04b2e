#!/bin/sh
# Runs a development tool out of .venv, which is set up first where it is not: tools/run.sh TOOL [ARGUMENTS]
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
make --silent --directory "$top" VENV=.venv ready >&2
tool=$1
shift
exec "$top/.venv/bin/$tool" "$@"
