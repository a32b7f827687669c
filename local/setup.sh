#!/bin/sh
# What `npm start` and `npm test` do first: install the npm packages of package-lock.json, among
# them Node.js itself, when that has not been done yet. A copy of the lock file inside
# node_modules is the mark; `npm ci` removes it first, so a stopped installation does not count.
set -eu
cd "$(dirname "$0")/.."
mark=node_modules/.installed-package-lock.json

stop() {
  echo "setup: $*" >&2
  exit 1
}

[ -f package-lock.json ] || stop "package-lock.json is missing. Run \"git checkout package-lock.json\"."
cmp -s package-lock.json "$mark" && exit 0
command -v npm >/dev/null || stop "npm is not on PATH. Install Node.js with npm (https://nodejs.org), then run the same command again."

echo "setup: installing npm packages (npm ci), about a minute"
if ! output=$(npm ci --no-audit --no-fund --loglevel=error 2>&1); then
  echo "$output" >&2
  case $output in
    *ENOSPC* | *"no space left"*)
      stop "the disk is full. Free about 1 GB, then run the same command again." ;;
    *ENOTFOUND* | *EAI_AGAIN* | *ETIMEDOUT* | *ECONNREFUSED* | *ECONNRESET* | *ENETUNREACH*)
      stop "npm's registry does not answer. Check the network and \"npm config get registry\", then run the same command again." ;;
    *) stop "npm ci failed for the reason above. Mend it, then run the same command again." ;;
  esac
fi

version=$(node_modules/.bin/node --version 2>/dev/null) ||
  stop "the npm package \"node\" brought no program. Allow its install script: \"npm config set ignore-scripts false\", then run the same command again."
cp package-lock.json "$mark"
echo "setup: npm packages installed, Node.js $version"
