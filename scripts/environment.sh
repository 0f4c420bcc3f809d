#!/bin/sh
# Make .venv hold what the lock file given says, by hash, and Isthmus itself. Uses uv where it is present.
set -eu
lock=$1

python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Isthmus needs Python 3.11 or newer; $python is $("$python" -V 2>&1). Set PYTHON to a newer one." >&2
    exit 1
}

echo "Setting up .venv from $lock ..."
if command -v uv > /dev/null 2>&1; then
    [ -x .venv/bin/python ] || uv venv -q --python "$python" .venv
    uv pip install -q --python .venv/bin/python --require-hashes -r "$lock"
    uv pip install -q --python .venv/bin/python --no-deps --no-build-isolation -e .
else
    [ -x .venv/bin/python ] || "$python" -m venv .venv
    .venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r "$lock"
    .venv/bin/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
fi
