"""Ask, watch, read, press: the main job on every surface, over real sockets."""

import pytest

from tests.journeys.conftest import FINISHED, House

GENERATIONS = pytest.mark.parametrize("house", ["2026-04", "2026-08", "2026-10"], indirect=True)


@GENERATIONS
async def test_a_mention_in_a_channel_is_answered_in_its_thread_and_a_follow_up_needs_no_mention(house: House):
    ts = await house.slack.say("ana", "trading", "@Omni what is the price of AAPL?")
    await house.answered("trading", ts, "AAPL")
    assert len(house.replies("trading", ts)) == 1
    await house.slack.say("ana", "trading", "compare that to AMD", thread_ts=ts)
    await house.answered("trading", ts, "AMD", count=2)
    assert len(house.replies("trading", ts)) == 2
    assert house.asked() == ["what is the price of AAPL?", "compare that to AMD"]
    assert len(house.omni.threads) == 1
    assert house.slack.refusals == []


async def test_a_dm_is_answered_in_the_thread_of_the_question(house: House):
    house.script("weather", "Sunny, with a chance of dividends.")
    dm = house.slack.dm("ana")
    ts = await house.slack.say("ana", dm, "how is the weather?")
    await house.answered(dm, ts, "chance of dividends")
    await house.slack.say("ana", dm, "and the weather tomorrow?", thread_ts=ts)
    await house.answered(dm, ts, count=2)
    assert house.asked() == ["how is the weather?", "and the weather tomorrow?"]
    assert len(house.omni.threads) == 1


async def test_the_placeholder_waits_for_nothing_from_omni_and_the_answer_grows_in_it(house: House):
    """How soon it comes is measured by `make bench`."""
    house.script("story", "Once upon a time there was a market. " * 40, seconds=8)
    asking = house.omni.gate.hold("POST /v1/omni-ai/threads")
    ts = await house.slack.say("ana", "trading", "@Omni tell me a story")
    await house.slack.wait_for(lambda: house.replies("trading", ts))
    assert house.asked() == []
    await asking.reached()
    asking.release()
    await house.answered("trading", ts, "Once upon")
    assert len(house.replies("trading", ts)) == 1
    calls = [call for call in house.slack.calls if call.name in ("chat.appendStream", "chat.update")]
    assert [call.name for call in calls[-2:]] == ["chat.appendStream", "chat.update"]
    grown = [call for call in calls[:-1] if "market" in str(call.args)]
    assert len(grown) >= 3
    # On average: on a busy machine one arrives late and the next does not.
    assert (grown[-1].at - grown[0].at) / (len(grown) - 1) > 0.8


async def test_a_command_posts_the_question_under_the_askers_name_and_answers_in_its_thread(house: House):
    house.script("breadth", "Advancers lead decliners two to one.")
    result = await house.slack.command("ana", "trading", "/omni", "how is market breadth?")
    assert result.acked
    (root,) = await house.slack.wait_for(lambda: house.roots("trading"))
    assert f"<@{house.slack.workspace.user('ana').id}>" in str(root.blocks)
    assert "how is market breadth?" in house.slack.visible_text(root)
    await house.answered("trading", root.ts, "two to one")
    assert house.asked() == ["how is market breadth?"]


async def test_where_the_bot_cannot_post_a_command_is_answered_in_the_askers_dm(house: House):
    house.script("breadth", "Advancers lead decliners two to one.")
    await house.slack.command("ana", "lobby", "/omni", "how is market breadth?")
    dm = house.slack.dm("ana")
    (root,) = await house.slack.wait_for(lambda: house.roots(dm))
    await house.answered(dm, root.ts, "two to one")
    assert house.roots("lobby") == []


async def test_a_private_question_leaves_no_trace_in_the_channel(house: House):
    house.script("positions", "You hold 100 AAPL.")
    await house.slack.command("ana", "trading", "/omni", "private what are my positions?")
    dm = house.slack.dm("ana")
    (root,) = await house.slack.wait_for(lambda: house.roots(dm))
    await house.answered(dm, root.ts, "You hold 100 AAPL.")
    assert house.roots("trading") == []
    assert house.asked() == ["what are my positions?"]


async def test_research_asks_for_deep_insights_on_the_ticker(house: House):
    await house.slack.command("ana", "trading", "/omni", "research AAPL margins will hold")
    (root,) = await house.slack.wait_for(lambda: house.roots("trading"))
    await house.answered("trading", root.ts, "AAPL")
    (create,) = [c for c in house.omni.calls if c.name == "POST /v1/omni-ai/threads"]
    assert create.args["type"] == "deep_insights"
    assert create.args["target"] == {"type": "ticker", "ticker": "AAPL"}
    assert create.args["thesis"] == "margins will hold"
    assert create.args["capabilities"] == ["OPEN_CHART", "OPEN_SCREENER"]


async def test_omnis_thinking_is_shown_while_it_works_and_gone_when_it_is_done(house: House):
    thoughts = [{"at": 20 * n, "thoughts": [f"[{m}/4] step {m}" for m in range(1, n + 1)]} for n in range(1, 5)]
    parts = [{"type": "text", "text": "Worth four steps."}]
    final = {"at": 100, "status": "succeeded", "parts": parts}
    house.omni.add_script({"name": "steps", "pattern": "steps", "snapshots": thoughts, "final": final})
    ts = await house.slack.say("ana", "trading", "@Omni take steps")
    await house.slack.wait_for(lambda: "step 2 of 4" in "".join(house.shown("trading", ts)))
    assert "step" not in (await house.answered("trading", ts, "Worth four steps.")).replace("four steps", "")


async def test_help_teaches_privately_and_asks_nothing(house: House):
    result = await house.slack.command("ana", "trading", "/omni", "help")
    assert result.acked
    (said,) = house.slack.ephemerals("ana")
    assert "research" in house.slack.visible_text(said)
    assert house.asked() == []
    assert house.roots("trading") == []


async def test_a_pressed_suggestion_becomes_the_clickers_next_turn_and_shows_who_pressed_it(house: House):
    ts = await house.slack.say("ana", "trading", "@Omni how are the markets doing today?")
    await house.answered("trading", ts, "Pre-market")
    (reply,) = house.replies("trading", ts)
    assert await house.slack.click("ana", "trading", reply.ts, label="Check my positions")
    await house.answered("trading", ts, count=2)
    ana = house.slack.workspace.user("ana").id
    assert f"<@{ana}>" in str(house.replies("trading", ts)[0].blocks)
    assert "What are my current positions?" in house.slack.visible_text(house.replies("trading", ts)[1])
    assert house.asked() == ["how are the markets doing today?", "What are my current positions?"]


async def test_ten_hasty_clicks_are_one_question_and_the_others_are_told(house: House):
    house.script("current positions", "None.", seconds=3)
    ts = await house.slack.say("ana", "trading", "@Omni how are the markets doing today?")
    await house.answered("trading", ts, "Pre-market")
    (reply,) = house.replies("trading", ts)
    for _ in range(3):
        assert await house.slack.click("ana", "trading", reply.ts, action_id="omni_button:1")
    await house.slack.wait_for(lambda: len(house.slack.ephemerals("ana")) == 2)
    await house.slack.wait_for(lambda: len(house.replies("trading", ts)) == 2)
    assert house.asked().count("What are my current positions?") == 1


async def test_somebody_elses_click_is_their_own_turn(house: House):
    ts = await house.slack.say("ana", "trading", "@Omni how are the markets doing today?")
    await house.answered("trading", ts, "Pre-market")
    (reply,) = house.replies("trading", ts)
    await house.slack.click("ben", "trading", reply.ts, action_id="omni_button:1")
    await house.slack.wait_for(lambda: len(house.replies("trading", ts)) == 2)
    assert f"<@{house.slack.workspace.user('ben').id}>" in str(house.replies("trading", ts)[0].blocks)


async def test_thirty_kilobytes_arrive_whole_and_in_order(house: House):
    sections = [f"## Section {n}\n\n" + f"Paragraph {n} says number {n}. " * 60 + "\n" for n in range(1, 22)]
    fence = "```python\n" + "\n".join(f"line_{n} = {n}" for n in range(400)) + "\n```\n"
    table = "| n | square |\n|---|---:|\n" + "\n".join(f"| {n} | {n * n} |" for n in range(60)) + "\n"
    text = "\n".join([*sections[:10], fence, table, *sections[10:]])
    assert len(text) > 30_000
    house.script("long", text)
    ts = await house.slack.say("ana", "trading", "@Omni a long one")
    await house.answered("trading", ts, "Section 21")
    shown = "\n".join(house.shown("trading", ts))
    places = [shown.index(f"Section {n}\n") for n in range(1, 22)]
    assert places == sorted(places)
    for n in range(1, 22):
        assert shown.count(f"Paragraph {n} says number {n}.") == 60
    assert all(f"line_{n} = {n}" in shown for n in range(400))
    assert all(str(n * n) in shown for n in range(60))
    assert house.slack.refusals == []


async def test_a_failed_turn_keeps_its_words_says_why_and_offers_to_ask_again(house: House):
    house.script(
        "fragile",
        "The first half of the answer.",
        status="failed",
        error={"code": "MODEL_OVERLOADED", "message": "the model is overloaded"},
    )
    ts = await house.slack.say("ana", "trading", "@Omni something fragile")
    text = await house.answered("trading", ts, "The first half of the answer.")
    assert "the model is overloaded" in text
    assert "MODEL_OVERLOADED" in text
    house.script("fragile", "Now it worked.")
    (reply,) = house.replies("trading", ts)
    assert await house.slack.click("ana", "trading", reply.ts, label="Ask again")
    await house.answered("trading", ts, "Now it worked.", count=2)
    assert house.asked() == ["something fragile", "something fragile"]


async def test_an_error_of_the_api_is_told_in_plain_words_with_its_request_id(house: House):
    house.omni.gate.refuse("POST /v1/omni-ai/threads", status=403)
    ts = await house.slack.say("ana", "trading", "@Omni hello")
    text = await house.answered("trading", ts, "does not let this API key")
    (call,) = [c for c in house.omni.calls if c.name == "POST /v1/omni-ai/threads"]
    assert call.answer["metadata"]["request_id"] in text


async def test_nothing_in_omnis_words_pings_anybody_or_hides_where_a_link_goes(house: House):
    ts = await house.slack.say("ana", "trading", "@Omni ping everyone")
    text = await house.answered("trading", ts)
    for live in ("<!channel>", "<!here>", "<@U012AB3CD>", "<!subteam^S123>", "&lt;!channel&gt;", "ticker:"):
        assert live not in text
    assert "evil.example" in text
    versions = [v.text for m in house.replies("trading", ts) for v in m.updates]
    assert not any("<!channel>" in v for v in versions)


async def test_a_persons_words_that_the_bot_reposts_ping_nobody(house: House):
    house.script("quiet", "Hush.")
    await house.slack.command("ana", "trading", "/omni", "quiet <!channel> and <!here> & <@U012AB3CD|x>")
    (root,) = await house.slack.wait_for(lambda: house.roots("trading"))
    shown = house.slack.visible_text(root) + root.text
    assert "<!channel>" not in shown
    assert "<!here>" not in shown
    assert "<@U012AB3CD" not in shown


async def test_an_empty_mention_is_answered_privately_with_how_to_ask(house: House):
    await house.slack.say("ana", "trading", "@Omni")
    (said,) = await house.slack.wait_for(lambda: house.slack.ephemerals("ana"))
    assert "/omni help" in said["text"]
    assert house.asked() == []


@pytest.mark.parametrize(("who", "where"), [("cleo", "research"), ("dan", "client-desk")])
async def test_guests_and_other_companies_are_turned_away_privately(house: House, who: str, where: str):
    ts = await house.slack.say(who, where, "@Omni what is the price of AAPL?")
    (said,) = await house.slack.wait_for(lambda: house.slack.ephemerals(who))
    assert "full members" in said["text"]
    assert house.asked() == []
    assert house.replies(where, ts) == []


async def test_talk_that_is_not_for_omni_is_left_alone(house: House):
    house.script("markets", "Fine.")
    ts = await house.slack.say("ana", "trading", "@Omni how are the markets")
    await house.answered("trading", ts, "Fine.")
    await house.slack.say("ana", "trading", "good morning everybody")
    await house.slack.say("ben", "trading", "what does that mean?", thread_ts=ts)
    await house.slack.say("ana", "trading", "@Ben what do you think?", thread_ts=ts)
    await house.slack.other_bot_says("trading", f"<@{house.slack.bot_user_id}> hello", ts)
    await house.slack.say("ana", "trading", "", thread_ts=ts, files=True)
    await house.slack.join("dan", "research")
    await house.slack.say("ana", "trading", "and the markets tomorrow?", thread_ts=ts)
    await house.answered("trading", ts, count=2)
    assert house.asked() == ["how are the markets", "and the markets tomorrow?"]


async def test_an_answer_that_took_longer_than_thirty_seconds_is_a_new_post_that_mentions_the_asker(house: House):
    house.script("patience", "It was worth the wait.", seconds=31)
    ts = await house.slack.say("ana", "trading", "@Omni patience please")
    await house.answered("trading", ts, "It was worth the wait.")
    ana = house.slack.workspace.user("ana").id
    final = next(m for m in house.replies("trading", ts) if FINISHED in house.slack.visible_text(m))
    assert f"<@{ana}>" in str(final.blocks)
    assert final.updates == []
    await house.slack.wait_for(lambda: "below" in house.shown("trading", ts)[0])
    assert house.replies("trading", ts)[1:] == [final]
