#!/usr/bin/env bash
# The suite on every promised Python that is installed; that of `make` has to be there.
set -euo pipefail
cd "$(dirname "$0")/.."
ran=0 failed=()
for version in 3.11 3.12 3.13; do
	python=$(command -v "python$version" || ls -d "$HOME"/.pyenv/versions/"$version".*/bin/python 2>/dev/null | tail -n 1 || true)
	if [ -z "$python" ] || ! "$python" -c "" 2>/dev/null; then
		echo "== Python $version: not installed"
		continue
	fi
	echo "== Python $version: $python"
	venv=.pythons/$version
	"$python" -m venv "$venv"
	"$venv/bin/pip" install --quiet --disable-pip-version-check -r requirements.txt -e '.[dev]'
	ran=$((ran + 1))
	# shellcheck disable=SC2086  # several words are meant
	"$venv/bin/python" -m pytest ${SUITE:--n 6 --dist worksteal} || failed+=("$version")
done
echo "== $ran versions ran; failed: ${failed[*]:-none}"
[ "$ran" -gt 0 ] && [ ${#failed[@]} -eq 0 ]
