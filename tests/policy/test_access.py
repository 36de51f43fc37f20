"""Who may ask, with whose key, where account data is shown, who signs: tables."""

import pytest

from omnibot.policy import access
from omnibot.policy.access import (
    Show,
    authority_of,
    may_ask,
    may_link,
    may_see_account_data,
    may_sign,
    shows_account_data,
)
from omnibot.policy.identities import Own, PersonKind, Refused, Shared, Where, Who
from omnibot.policy.model import FollowUps, Policy
from tests.policy.examples import (
    ANA,
    BEN,
    CLEO,
    CROWDED,
    DAN,
    DESK,
    DIRECT,
    EVE,
    EVERYBODY,
    GROUP,
    GUESTED,
    HOME,
    PARTNER,
    PERHAPS_SHARED,
    PUBLIC,
    ROBOT,
    SHARED,
    STRANGE,
    policy,
)

PLACES = (DIRECT, DESK, GROUP, GUESTED, CROWDED, PUBLIC, SHARED, PERHAPS_SHARED, STRANGE)

OUTSIDERS = """
[access]
guests = ["U0CLEO"]
externals = ["T0PARTNER"]
shared_key = ["U0ANA", "U0CLEO", "T0PARTNER"]
"""


@pytest.mark.parametrize("where", PLACES, ids=lambda where: where.channel)
@pytest.mark.parametrize(
    ("who", "refusal"),
    [
        (ANA, None),
        (CLEO, access.NOT_A_MEMBER),
        (DAN, access.NOT_A_MEMBER),
        (ROBOT, access.NOBODY_KNOWN),
    ],
    ids=["member", "guest", "external", "unknown"],
)
def test_without_a_file_full_members_ask_everywhere_and_nobody_else_anywhere(
    who: Who, where: Where, refusal: str | None
):
    verdict = may_ask(Policy(), who, where)
    assert verdict.allowed is (refusal is None)
    assert verdict.reason == (refusal or "")


@pytest.mark.parametrize(
    ("where", "member", "guest", "external"),
    [
        (DIRECT, Show.HERE, Show.NEVER, Show.NEVER),
        (DESK, Show.HERE, Show.NEVER, Show.NEVER),
        (GROUP, Show.HERE, Show.NEVER, Show.NEVER),
        (GUESTED, Show.DIRECT, Show.NEVER, Show.NEVER),
        (CROWDED, Show.DIRECT, Show.NEVER, Show.NEVER),
        (PUBLIC, Show.DIRECT, Show.NEVER, Show.NEVER),
        (SHARED, Show.DIRECT, Show.NEVER, Show.NEVER),
        (PERHAPS_SHARED, Show.DIRECT, Show.NEVER, Show.NEVER),
        (STRANGE, Show.DIRECT, Show.NEVER, Show.NEVER),
    ],
    ids=[where.channel for where in PLACES],
)
def test_account_data_by_person_and_place(where: Where, member: Show, guest: Show, external: Show):
    everybody_asks = policy(OUTSIDERS)
    for who, expected in ((ANA, member), (CLEO, guest), (DAN, external), (ROBOT, Show.NEVER)):
        seen = may_see_account_data(everybody_asks, who, where)
        assert seen.show is expected
        assert bool(seen) is (expected is Show.HERE)
        assert bool(seen.reason) is (expected is not Show.HERE)


def test_whoever_may_not_use_omnibot_sees_no_account_data_either():
    assert may_see_account_data(policy('[access]\nrefused = ["U0ANA"]'), ANA, DIRECT).show is Show.NEVER
    assert may_see_account_data(policy('[access]\npeople = ["U0BEN"]'), ANA, DESK).show is Show.NEVER


def test_the_policy_opens_a_shared_channel_and_closes_a_private_one():
    overriding = policy('[channels]\naccount_data = ["C0SHARED", "C0PUBLIC"]\nno_account_data = ["C0DESK"]')
    desks = [where for where in PLACES if shows_account_data(overriding, where)]
    assert desks == [DIRECT, GROUP, PUBLIC, SHARED]


def test_a_guest_in_a_private_channel_closes_it_for_account_data_unless_the_policy_names_it():
    assert may_see_account_data(Policy(), ANA, GUESTED).reason == access.GUEST_READS
    assert may_see_account_data(Policy(), ANA, CROWDED).reason == access.READERS_UNKNOWN
    named = policy('[channels]\naccount_data = ["C0GUESTED", "C0CROWDED"]')
    assert shows_account_data(named, GUESTED)
    assert shows_account_data(named, CROWDED)


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ('people = ["U0ANA"]', {ANA}),
        ('people = ["T0HOME"]', {ANA, BEN, EVE}),
        ('people = ["T0HOME/U0BEN"]', {BEN}),
        ('people = ["T0OTHER/U0BEN"]', set()),
        ("people = []", set()),
        ('refused = ["U0BEN"]', {ANA, EVE}),
        ('people = ["U0ANA", "U0CLEO", "U0DAN"]', {ANA}),  # a guest's id among full members opens nothing
        ('people = "members"\nguests = "everybody"', {ANA, BEN, EVE, CLEO}),
        ('people = []\nguests = ["U0CLEO"]', {CLEO}),
        ('people = []\nexternals = ["T0PARTNER"]', {DAN}),
        ('people = []\nexternals = ["U0DAN"]', {DAN}),
        ('externals = ["T0PARTNER"]\nrefused = ["U0DAN"]', {ANA, BEN, EVE}),
    ],
)
def test_who_may_ask(text: str, allowed: set[Who]):
    assert {who for who in EVERYBODY if may_ask(policy(f"[access]\n{text}"), who, DIRECT)} == allowed


def test_the_organisation_that_a_payload_names_gives_no_rights():
    """By it rows are kept; whoever writes a payload says it."""
    dan = Who("T0FRIEND01", "U0DAN", PersonKind.EXTERNAL, frozenset({PARTNER}))
    friends = policy('[access]\nexternals = ["T0FRIEND01"]\nshared_key = ["T0FRIEND01/U0DAN"]')
    assert not access.may_use(friends, dan)
    partners = policy(f'[access]\nexternals = ["{PARTNER}"]')
    assert access.may_use(partners, dan)


def test_on_an_enterprise_grid_a_whole_team_and_a_whole_enterprise_can_be_named():
    fay = Who("E0GRID", "W0FAY", PersonKind.MEMBER, frozenset({"E0GRID", "T0NORTH"}))
    for entry, allowed in (("T0NORTH", True), ("E0GRID", True), ("T0SOUTH", False), ("T0NORTH/W0FAY", True)):
        assert bool(may_ask(policy(f'[access]\npeople = ["{entry}"]'), fay, DIRECT)) is allowed


@pytest.mark.parametrize(
    ("text", "open_places"),
    [
        ('where = "everywhere"', PLACES),
        ('where = "direct"', (DIRECT,)),
        ("where = []", (DIRECT,)),
        ('where = ["C0DESK", "C0SHARED"]', (DIRECT, DESK, SHARED)),
        ("shared_channels = false", (DIRECT, DESK, GROUP, GUESTED, CROWDED, PUBLIC, STRANGE)),
        ('where = ["C0DESK", "C0SHARED"]\nshared_channels = false', (DIRECT, DESK)),
    ],
)
def test_where_omni_may_be_asked(text: str, open_places: tuple[Where, ...]):
    limited = policy(f"[access]\n{text}")
    assert tuple(where for where in PLACES if may_ask(limited, ANA, where)) == open_places
    for where in set(PLACES) - set(open_places):
        assert "Write to me directly" in may_ask(limited, ANA, where).reason


@pytest.mark.parametrize(
    ("text", "who", "has_link", "authority"),
    [
        ("", ANA, False, Shared()),
        ("", ANA, True, Own(HOME, "U0ANA")),
        ('[access]\nshared_key = "nobody"', ANA, False, Refused(access.NO_KEY)),
        ('[access]\nshared_key = "nobody"', ANA, True, Own(HOME, "U0ANA")),
        ('[access]\nshared_key = ["U0ANA"]', ANA, False, Shared()),
        ('[access]\nshared_key = ["U0ANA"]', BEN, False, Refused(access.NO_KEY)),
        ("", CLEO, True, Refused(access.NOT_A_MEMBER)),
        ('[access]\nguests = "everybody"', CLEO, False, Refused(access.NO_KEY_FOR_OUTSIDERS)),
        ('[access]\nguests = "everybody"', CLEO, True, Refused(access.NO_KEY_FOR_OUTSIDERS)),  # linked as a member once
        (OUTSIDERS, CLEO, True, Shared()),
        (OUTSIDERS, DAN, False, Shared()),
        (OUTSIDERS, BEN, False, Refused(access.NO_KEY)),
        ("", ROBOT, True, Refused(access.NOBODY_KNOWN)),
        ('[access]\nrefused = ["U0ANA"]', ANA, True, Refused(access.REFUSED)),
    ],
)
def test_whose_authority_a_question_uses(text: str, who: Who, has_link: bool, authority: Own | Shared | Refused):
    assert authority_of(policy(text), who, has_link) == authority


@pytest.mark.parametrize(
    ("who", "refusal"),
    [(ANA, ""), (CLEO, access.NO_KEY_FOR_OUTSIDERS), (DAN, access.NO_KEY_FOR_OUTSIDERS), (ROBOT, access.NOBODY_KNOWN)],
)
def test_only_full_members_link_a_key_of_their_own(who: Who, refusal: str):
    verdict = may_link(policy(OUTSIDERS), who)
    assert verdict.allowed is (refusal == "")
    assert verdict.reason == refusal


SIGNERS = '[consent]\nconsent_signers = ["U0BEN", "U0CLEO", "T0HOME/U0EVE"]\n' + OUTSIDERS


@pytest.mark.parametrize(
    ("text", "who", "authority", "refusal"),
    [
        ("", ANA, Own(HOME, "U0ANA"), ""),
        ("", BEN, Own(HOME, "U0ANA"), access.NOT_YOURS),
        ("", Who(PARTNER, "U0ANA", PersonKind.MEMBER, frozenset({PARTNER})), Own(HOME, "U0ANA"), access.NOT_YOURS),
        ("", ANA, Shared(), access.NO_SIGNERS),
        (SIGNERS, ANA, Shared(), access.NOT_A_SIGNER),
        (SIGNERS, BEN, Shared(), ""),
        (SIGNERS, EVE, Shared(), ""),
        (SIGNERS, CLEO, Shared(), access.ONLY_MEMBERS_SIGN),
        (SIGNERS, CLEO, Own(HOME, "U0CLEO"), access.ONLY_MEMBERS_SIGN),
        (SIGNERS, DAN, Shared(), access.ONLY_MEMBERS_SIGN),
        (SIGNERS, ROBOT, Shared(), access.NOBODY_KNOWN),
    ],
)
def test_who_signs_agreements(text: str, who: Who, authority: Own | Shared, refusal: str):
    verdict = may_sign(policy(text), who, authority)
    assert verdict.allowed is (refusal == "")
    assert verdict.reason == refusal


def test_who_may_not_sign_is_told_whom_to_ask():
    assert may_sign(policy(SIGNERS), ANA, Shared()).ask == ("U0BEN", "U0CLEO", "U0EVE")


def test_follow_ups_are_for_participants_unless_the_policy_wants_mentions():
    assert Policy().channels.follow_ups is FollowUps.PARTICIPANTS
    assert policy('[channels]\nfollow_ups = "mention"').channels.follow_ups is FollowUps.MENTION


def test_every_refusal_is_whole_sentences_that_say_what_to_do_or_why():
    sentences = [value for name, value in vars(access).items() if name.isupper() and isinstance(value, str)]
    assert len(sentences) > 10
    for sentence in sentences:
        assert sentence.endswith(".")
