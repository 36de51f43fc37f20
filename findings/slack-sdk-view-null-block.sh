#!/usr/bin/env bash
# slack_sdk 3.48.0 (the newest on the day): a modal or Home view built from dicts keeps `null` in place of a block it does
# not know.
#
# View(blocks=[...]) parses its blocks. For a `data_table` the log says "Unknown block detected and skipped", but it is not
# skipped: the parser returns None for it, and View.to_dict() hands that None on, so that the JSON of the view holds
# [section, null]. Neither View nor to_dict raises. BlockAttachment, given the same two dicts, keeps the table as it is.
# Who sends views as plain dicts (as views_publish and views_open take them) is not affected.
#
# Seen on 2026-12-01, Python 3.11.7:
#   modal: section, null
#   home: section, null
#   attachment: section, data_table
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check slack_sdk==3.48.0
seen=$("$work/venv/bin/python" -W ignore - <<'PY'
import json, logging

from slack_sdk.models.attachments import BlockAttachment
from slack_sdk.models.views import View

logging.disable()
section = {"type": "section", "text": {"type": "mrkdwn", "text": "Your positions:"}}
table = {
    "type": "data_table",
    "caption": "Positions",
    "rows": [[{"type": "raw_text", "text": "Symbol"}], [{"type": "raw_text", "text": "AAPL"}]],
}
made = {
    "modal": View(type="modal", title={"type": "plain_text", "text": "Account"}, blocks=[section, table]),
    "home": View(type="home", blocks=[section, table]),
    "attachment": BlockAttachment(blocks=[section, table]),
}
for name, one in made.items():
    blocks = json.loads(json.dumps(one.to_dict()))["blocks"]
    print(f"{name}:", ", ".join("null" if block is None else block["type"] for block in blocks))
PY
)
printf '%s\n' "$seen"
diff <(printf 'modal: section, null\nhome: section, null\nattachment: section, data_table\n') <(printf '%s\n' "$seen")
