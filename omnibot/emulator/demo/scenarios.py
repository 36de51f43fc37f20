"""What there is to try: questions that Omni has a scripted answer to, one press each."""

from __future__ import annotations

from omnibot.emulator.clearstreet.accounts import ANAS_KEY, BENS_KEY
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
    (
        "link",
        f"link a key of your own: as Ana paste {ANAS_KEY} (two accounts), as Ben {BENS_KEY}; anything else is refused",
        "/omni link",
    ),
    ("account", "choose the account your questions are about; with the shared key there is one", "/omni account"),
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
