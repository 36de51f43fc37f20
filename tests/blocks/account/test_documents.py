"""The document pager: every character of an agreement is shown, in order, in forms that Slack takes."""

import re
from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st
from omnibot_sandbox.clearstreet.entitlements import long_document
from omnibot_sandbox.slack import SlackEmulator
from omnibot_sandbox.slack.views import checked

from omnibot.blocks.account.consent import SIGN_VIEW, FormState, document_view, read_state
from omnibot.blocks.account.documents import (
    PAGE_LINES,
    PAGE_TEXT,
    PARAGRAPH_TEXT,
    document_pages,
    page_blocks,
    page_words,
)
from omnibot.blocks.limits import size
from omnibot.consent.model import Document

#: Pieces that documents are made of, and what is hard for a pager.
PIECES = st.sampled_from(
    [
        *(
            "\n",
            "\n\n",
            "\r\n",
            "# ",
            "## A heading",
            "- ",
            "  * item",
            "**bold**",
            "**",
            "`code`",
            "`",
            "a",
            " ",
            "é",
            "😀",
        ),
        "<!channel>",
        "<@U0ANA>",
        "&lt;",
        "word " * 40,
        "x" * 3_000,
        "😀" * 1_500,
        "\u2028",
        "\x0b",
        "\t",
        "1. one",
        "> q",
    ]
)
DOCUMENTS = st.one_of(st.text(max_size=400), st.lists(PIECES, max_size=60).map("".join))
#: What formatting stands for, and what is seen only as space.
MARKUP = re.compile(r"[#*\-+`\s\x1c-\x1f\x85]")
#: What has no look of its own; each is shown as one mark.
UNSEEN = re.compile("[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@given(DOCUMENTS)
@example("x" * 20_000)
@example("\n" * 500)
@example(long_document())
def test_put_together_again_the_pages_are_the_document(content: str):
    pages = document_pages(content)
    assert "".join(pages) == content
    assert all(size(page) <= PAGE_TEXT for page in pages)
    assert all(page.count("\n") <= PAGE_LINES for page in pages)


@given(DOCUMENTS)
@example("\x1f")
@example("**a**b** `c` **`d`** #x\n#\n# \n- \n-x\n - - y")
@example(long_document())
def test_no_character_is_lost_between_the_document_and_what_people_read(content: str):
    shown = "\n".join(page_words(page_blocks(page)) for page in document_pages(content))
    assert MARKUP.sub("", shown) == MARKUP.sub("", UNSEEN.sub("\ufffd", content))


@given(DOCUMENTS, st.integers(1, 12))
@example(long_document(), 100)
@example("`a`b" * 4_000, 3)
def test_slack_takes_every_page_of_every_document(content: str, accounts: int):
    document = Document("an id", "A title", 3, content, "0" * 64, ("omni.account_data",))
    pages = document_pages(content)
    workspace = SlackEmulator().workspace
    named = [(number, f"Account {number}") for number in range(1, accounts + 1)]
    for number in range(len(pages)):
        state = FormState("a token", "an id", 3, "0" * 64, number, (1,), "")
        view = document_view(state, document, pages, named, notice="There is a new version.")
        assert checked(workspace, view, "modal")
        assert ("submit" in view) == (number == len(pages) - 1)


@given(st.text(max_size=50))
def test_a_form_whose_state_is_rubbish_has_none(metadata: str):
    assert read_state({"callback_id": SIGN_VIEW, "private_metadata": metadata}) is None


def test_a_form_carries_its_state_along():
    state = FormState("token", "agreement", None, "f" * 64, 2, (1, 2), "")
    view = {"callback_id": f"{SIGN_VIEW}:{state.mark}", "private_metadata": state.dump()}
    assert read_state(view) == state
    assert read_state(view | {"private_metadata": replace(state, sha256="0" * 64).dump()}) is None
    assert read_state(view | {"private_metadata": replace(state, version=3).dump()}) is None


def test_headings_are_bold_lists_are_lists_and_a_long_paragraph_is_several():
    words = "word " * 900
    blocks = page_blocks(f"# Title\n\nSome **bold** words\n- one\n- two\n\n{words}")
    first = blocks[0]["elements"][0]["elements"][0]
    assert first == {"type": "text", "text": "Title", "style": {"bold": True}}
    assert [part["type"] for part in blocks[1]["elements"]] == ["rich_text_section", "rich_text_list", "rich_text_list"]
    assert all(size(page_words([block])) <= PARAGRAPH_TEXT + 1 for block in blocks)


def test_a_part_of_a_document_begins_a_page_rather_than_ending_one():
    pages = document_pages(long_document())
    assert len(pages) > 4
    assert all(page.lstrip().startswith("#") for page in pages[1:])
