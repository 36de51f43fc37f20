"""What there is to try: questions that Omni has a scripted answer to, one press each."""

from __future__ import annotations

from omnibot.emulator.demo.stories import STORIES, Command, Say
from omnibot.emulator.slack.workspace import JSON

#: Beside what the stories begin with: a title, what it shows, and the words.
_MORE = (
    ("positions", "account data in words, asked in a channel", "@Omni what are my current positions?"),
    (
        "slow",
        "an answer that takes its time: watch the status line, press Stop, or kill the bot meanwhile",
        "@Omni slow",
    ),
    ("strange-parts", "parts no client knows yet: nothing breaks, nothing is hidden", "@Omni strange parts"),
    ("compare", "two stocks side by side", "@Omni compare AAPL to AMD"),
    ("consent", "what Omni may see: opt out, ask for your positions, read and sign, or not", "/omni consent"),
    ("help", "what /omni can do; only you see the answer", "/omni help"),
)


def scenarios() -> list[JSON]:
    """All of them, as the drawer lists them: {name, about, text}."""
    found = []
    for story in STORIES.values():
        first = story.steps[0]
        if isinstance(first, Command):
            found.append({"name": story.name, "about": story.about, "text": f"/omni {first.text}"})
        elif isinstance(first, Say):
            found.append({"name": story.name, "about": story.about, "text": first.text})
    return [*found, *({"name": name, "about": about, "text": text} for name, about, text in _MORE)]
