#!/usr/bin/env bash
# markdown-to-mrkdwn 0.3.3 and md2mrkdwn 0.4.5: two asterisks anywhere in a line become underscores, products and footnotes
# of figures too.
#
# In CommonMark an asterisk with a blank on both sides is no emphasis, and neither is a pair of asterisks that each only
# close. Both converters turn such pairs into mrkdwn's underscores all the same: a product loses its sign, and a figure's
# footnote mark becomes another one. One asterisk alone in a line stays. slackify-markdown 0.2.4, which parses, keeps all.
#
# Seen on 2026-12-01, Python 3.11.7:
#   markdown-to-mrkdwn | 5 _ 3 _ 2 | 896_ and 1,175_ restated | 896* restated
#   md2mrkdwn | 5 _ 3 _ 2 | 896_ and 1,175_ restated | 896* restated
#   slackify-markdown | 5 * 3 * 2 | 896* and 1,175* restated | 896* restated
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
	markdown-to-mrkdwn==0.3.3 md2mrkdwn==0.4.5 slackify-markdown==0.2.4
seen=$("$work/venv/bin/python" -W ignore - <<'PY'
import md2mrkdwn
from markdown_to_mrkdwn import SlackMarkdownConverter
from slackify_markdown import slackify_markdown

converters = {
    "markdown-to-mrkdwn": SlackMarkdownConverter().convert,
    "md2mrkdwn": md2mrkdwn.convert,
    "slackify-markdown": slackify_markdown,
}
for name, convert in converters.items():
    print(" | ".join([name, *(convert(text).strip() for text in ("5 * 3 * 2", "896* and 1,175* restated", "896* restated"))]))
PY
)
printf '%s\n' "$seen"
diff - <(printf '%s\n' "$seen") <<'EOF'
markdown-to-mrkdwn | 5 _ 3 _ 2 | 896_ and 1,175_ restated | 896* restated
md2mrkdwn | 5 _ 3 _ 2 | 896_ and 1,175_ restated | 896* restated
slackify-markdown | 5 * 3 * 2 | 896* and 1,175* restated | 896* restated
EOF
