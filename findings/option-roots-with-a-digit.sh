#!/usr/bin/env bash
# occ-symbol 0.1.1 and tastytrade 13.2.3: the OSI symbol of an adjusted option, whose root ends in a digit, is no symbol.
#
# When a corporate action changes what an option delivers, its root gets a digit: AAPL1. occ-symbol takes letters only:
# is_occ_symbol() says False and parse_occ_symbol() gives None. tastytrade writes such a symbol for its streamer
# (.AAPL1280121C300), but gives an empty string for the way back. Neither raises. schwab-py 1.5.1 reads it and writes it
# as it was.
#
# Seen on 2026-12-01, Python 3.11.7, for "AAPL1 280121C00300000":
#   occ-symbol: False None
#   tastytrade: '.AAPL1280121C300' ''
#   schwab-py: 'AAPL1' 'AAPL1 280121C00300000'
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check occ-symbol==0.1.1 tastytrade==13.2.3 schwab-py==1.5.1
seen=$("$work/venv/bin/python" -W ignore - <<'PY'
from occ_symbol import is_occ_symbol, parse_occ_symbol
from schwab.orders.options import OptionSymbol
from tastytrade.instruments import Option

symbol = "AAPL1 280121C00300000"
print("occ-symbol:", is_occ_symbol(symbol), parse_occ_symbol(symbol))
streamer = Option.occ_to_streamer_symbol(symbol)
print("tastytrade:", repr(streamer), repr(Option.streamer_symbol_to_occ(streamer)))
read = OptionSymbol.parse_symbol(symbol)
print("schwab-py:", repr(read.underlying_symbol), repr(read.build()))
PY
)
printf '%s\n' "$seen"
diff - <(printf '%s\n' "$seen") <<'EOF'
occ-symbol: False None
tastytrade: '.AAPL1280121C300' ''
schwab-py: 'AAPL1' 'AAPL1 280121C00300000'
EOF
