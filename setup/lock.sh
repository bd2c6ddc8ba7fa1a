#!/bin/sh
# Write requirements.lock from .venv: run it after a package was added to setup.cfg, installed, and the tests passed.
set -eu
cd "$(dirname "$0")/.."
{
    echo "# Every package that OneMap runs on and is tested with, at the version it was tested with; Python 3.11 to 3.14."
    echo "# Written by setup/lock.sh."
    .venv/bin/pip list --format=freeze --exclude-editable --exclude pip --exclude wheel | LC_ALL=C sort -f
} > requirements.lock.new
mv requirements.lock.new requirements.lock
