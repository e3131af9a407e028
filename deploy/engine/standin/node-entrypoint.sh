#!/bin/sh
# What is no command (a flag, a script that cannot be executed) is given to node, as in the public image.
set -e
case "${1:-}" in
  -*) exec node "$@" ;;
esac
if ! command -v "$1" >/dev/null 2>&1; then exec node "$@"; fi
if [ -f "$1" ] && [ ! -x "$1" ]; then exec node "$@"; fi
exec "$@"
