#!/usr/bin/env bash
# tastytrade 13.2.3: an option's OSI symbol does not survive the way to the streamer's symbol and back when its strike has
# two or three decimals.
#
# The OSI symbol gives the strike eight digits, the last three for thousandths. Option.occ_to_streamer_symbol() writes such
# strikes rightly (.F280121C12.35), but Option.streamer_symbol_to_occ() of that makes nine digits of a strike in cents, and
# ten of one in thousandths, instead of eight. It raises nothing. Whole strikes and those with one decimal come back as
# they were, so that most symbols work.
#
# Seen on 2026-12-01, Python 3.11.7 (OSI symbol > streamer symbol > OSI symbol):
#   F     280121C00012000 > .F280121C12 > F     280121C00012000
#   F     280121C00012500 > .F280121C12.5 > F     280121C00012500
#   F     280121C00012350 > .F280121C12.35 > F     280121C000123500
#   F     280121C00012345 > .F280121C12.345 > F     280121C0001234500
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check tastytrade==13.2.3
seen=$("$work/venv/bin/python" -W ignore - <<'PY'
from tastytrade.instruments import Option

for strike in ("00012000", "00012500", "00012350", "00012345"):
    symbol = f"F     280121C{strike}"
    streamer = Option.occ_to_streamer_symbol(symbol)
    print(symbol, ">", streamer, ">", Option.streamer_symbol_to_occ(streamer))
PY
)
printf '%s\n' "$seen"
diff - <(printf '%s\n' "$seen") <<'EOF'
F     280121C00012000 > .F280121C12 > F     280121C00012000
F     280121C00012500 > .F280121C12.5 > F     280121C00012500
F     280121C00012350 > .F280121C12.35 > F     280121C000123500
F     280121C00012345 > .F280121C12.345 > F     280121C0001234500
EOF
