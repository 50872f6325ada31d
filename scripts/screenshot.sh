#!/usr/bin/env bash
# Takes a picture of the top of a report in a real browser:   scripts/screenshot.sh REPORT.html PICTURE.png [HEIGHT]
set -euo pipefail
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || {
    echo "no Chromium or Chrome found; install one (Debian: apt-get install chromium)" >&2
    exit 2
}
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
"$browser" --headless --no-sandbox --disable-gpu --disable-background-networking --no-first-run --hide-scrollbars \
    --user-data-dir="$profile" --window-size="1200,${3:-1000}" --screenshot="$(realpath -m "$2")" "file://$(realpath "$1")" \
    2>/dev/null
