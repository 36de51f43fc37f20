#!/usr/bin/env bash
# The suite on every promised Python that is installed; that of `make` has to be there.
set -euo pipefail
cd "$(dirname "$0")/.."
ran=0 failed=()
# The interpreter of this version that runs: a shim on the path may stand for one that is not chosen.
interpreter() {
	local candidate
	for candidate in "$(command -v "python$1")" "$HOME"/.pyenv/versions/"$1".*/bin/python; do
		if [ -x "$candidate" ] && "$candidate" -c "" 2>/dev/null; then
			echo "$candidate"
			return
		fi
	done
}
for version in ${VERSIONS:-3.11 3.12 3.13}; do
	python=$(interpreter "$version")
	if [ -z "$python" ]; then
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
