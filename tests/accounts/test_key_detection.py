"""What looks like a key is refused; the long names of this trade are not."""

from __future__ import annotations

import base64
import random
import secrets
import uuid

import pytest

from omnibot import telemetry
from omnibot.accounts.key_detection import holds_key, linking_slip, strings

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"


@pytest.mark.parametrize(
    "text",
    [
        JWT,
        f"my key is {JWT}, what do I hold?",
        f"https://example.com/?token={JWT}",
        f"`{JWT[:30]}`",
        f"{JWT[:40]}\u200b{JWT[40:]}",
        "Authorization: Bearer abc123def456",
        "bearer\xa0Abc123def456",
        "sk_live_51HqLyjWDarjtT1zdp7dc",
        "api key: hunter2hunter2",
        "my password is Tr0ub4dor&3",
        "xoxb-1234567890-abcdefghij",
        "-----BEGIN PRIVATE KEY-----",
        "0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c",
        "k3y9Qz7Lm2Xv8Tn4Rb6Wc1Jd5Hf0Gs2Pa9Ue",
        "abababab01010101abababab01010101abababab",
        "abcdefgh1ijklmnop2qrstuvwx3yzabcdef4ghij",
        "a1----a1----a1----a1----a1----a1----a1----a1",
        "0x52 is no key but k3y9Qz7Lm2Xv8Tn4Rb6Wc1Jd5Hf0Gs2Pa9Ue is",
    ],
)
def test_what_looks_like_a_key_is_seen(text: str):
    assert holds_key(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "What is the price of AAPL?",
        "https://api.example.com/orders/0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c?x=AbC123dEf456GhI789jKl012MnO345pQ",
        "<https://example.com/aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5z|doc>",
        "AAPL  260117C00250000",
        "AAPL260117C00250000/AAPL260117P00250000",
        "US0378331005 037833100 BBG000B9XRY4 HWUPKR0MPOU8FGXBT394",
        "order 123e4567-e89b-12d3-a456-426614174000",
        "Q3-2026-Earnings-Report-Final-v2.pdf",
        "CurrentReportFilingForAppleInc2026Q3.pdf",
        "test_results_for_quarter_2_2026.csv",
        "20260101-20261231_portfolio_positions_export_final",
        "IMG_20260117_123456789.jpg",
        "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "-------------------------------- ================================",
        "what are bearer bonds?",
        "the token is good, what is the secret: buy low?",
        "AAPL/MSFT/GOOG/AMZN/META/NVDA/TSLA/BRK.B/JPM/V2X/3M/7203",
        "Donaudampfschifffahrtsgesellschaft",
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "abababab01010101abababab01010101",
        "abcdefgh1ijklmnop2-qrstuvwx3yzabcdef4ghij",
        "who owns 0x52908400098527886E0F7030069857D2E4169EE7?",
    ],
)
def test_what_people_ask_about_passes(text: str):
    assert not holds_key(text)


def test_nearly_every_random_key_of_a_usual_length_is_seen():
    chance = random.Random(11)
    keys = [base64.urlsafe_b64encode(chance.randbytes(length)).decode() for length in (24, 32, 48) for _ in range(300)]

    assert sum(holds_key(f"use {key} please") for key in keys) > 0.97 * len(keys)


def test_ids_of_orders_are_never_taken_for_keys():
    chance = random.Random(12)

    assert not any(holds_key(f"cancel {uuid.UUID(int=chance.getrandbits(128))}") for _ in range(500))


def test_a_key_that_is_linked_here_is_seen_whatever_it_looks_like():
    words = f"correct-horse-{''.join(secrets.choice('abcdefgh') for _ in range(8))}"  # new in this process
    assert not holds_key(f"say {words} again")

    telemetry.hide(words)

    assert holds_key(f"say {words} again")


@pytest.mark.parametrize(
    ("text", "slip"),
    [
        ("link abc12345", True),
        ("Unlink: k3y-k3y-k3y", True),
        ("link AAPL", False),
        ("link", False),
        ("link between oil and airlines", False),
        ("link https://example.com/a1", False),
        ("link exchange2://orders/1", False),
    ],
)
def test_a_key_behind_the_word_link_needs_no_shape(text: str, slip: bool):
    assert linking_slip(text) is slip


def test_a_key_that_marks_cut_into_elements_is_put_together_again():
    elements = [{"type": "text", "text": JWT[start : start + 9]} for start in range(0, len(JWT), 9)]

    found = list(strings({"elements": [{"elements": elements}]}))
    assert JWT in found
    assert any(map(holds_key, found))


SHORT = "Zk3vR8mQ2xLw9TbN4cYp7HsD"


@pytest.mark.parametrize(
    "text",
    [
        f"link my key {SHORT}",
        f"link key: {SHORT}",
        f"link {SHORT} please",
        f"unlink {SHORT} now",
        f"please link {SHORT}",
        f"Bearer: {SHORT}",
        f"Authorization: Bearer\n{SHORT}",
        f"my api key is\n{SHORT}",
        f"API-Key {SHORT}",
        f"`{SHORT}` is my password",
    ],
)
def test_a_shorter_key_is_seen_beside_a_word_for_one(text: str):
    assert holds_key(text)


@pytest.mark.parametrize(
    "text",
    [
        "what is the key level for AAPL240119C00190000?",
        "key dates of US0378331005 and DE0007164600",
        "link between CL1 and airlines_2024_q3_report.pdf",
        "the key rate of the ECB in 2026-12-01T14:30:00Z",
        "cancel the key order 019dbae9-73b3-7fe0-bd14-25fe57e91475",
        "is 1,234,567.89 a key support for SPX?",
        "key risks of BRK.B/JPM/V2X/3M/7203",
        "what are the secrets of good_risk_management_2026?",
        "key drivers: unemployment, inflation, GDP-growth-Q3-2026",
        f"client order {SHORT}",
    ],
)
def test_questions_with_a_word_for_a_key_pass(text: str):
    assert not holds_key(text)
