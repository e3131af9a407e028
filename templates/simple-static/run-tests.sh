#!/bin/sh
# Checks every page of the site. Needs node (20 or newer) and nothing else: no packages, no network.
set -eu
cd "$(dirname "$0")"
exec node --test --test-reporter=tap tests/site.test.mjs
