"""Ask, watch, read, press: the main job on every surface, over real sockets."""

import pytest

from tests.journeys.conftest import FINISHED, Deployment

REVISIONS = pytest.mark.parametrize("deployment", ["2026-04", "2026-08", "2026-10"], indirect=True)


@REVISIONS
async def test_a_mention_in_a_channel_is_answered_in_its_thread_and_a_follow_up_needs_no_mention(
    deployment: Deployment,
):
    ts = await deployment.slack.say("ana", "trading", "@Omni what is the price of AAPL?")
    await deployment.answered("trading", ts, "AAPL")
    assert len(deployment.replies("trading", ts)) == 1
    await deployment.slack.say("ana", "trading", "compare that to AMD", thread_ts=ts)
    await deployment.answered("trading", ts, "AMD", count=2)
    assert len(deployment.replies("trading", ts)) == 2
    assert deployment.asked() == ["what is the price of AAPL?", "compare that to AMD"]
    assert len(deployment.omni.threads) == 1
    assert deployment.slack.refusals == []


async def test_a_dm_is_answered_in_the_thread_of_the_question(deployment: Deployment):
    deployment.script("weather", "Sunny, with a chance of dividends.")
    dm = deployment.slack.dm("ana")
    ts = await deployment.slack.say("ana", dm, "how is the weather?")
    await deployment.answered(dm, ts, "chance of dividends")
    await deployment.slack.say("ana", dm, "and the weather tomorrow?", thread_ts=ts)
    await deployment.answered(dm, ts, count=2)
    assert deployment.asked() == ["how is the weather?", "and the weather tomorrow?"]
    assert len(deployment.omni.threads) == 1


async def test_the_placeholder_waits_for_nothing_from_omni_and_the_answer_grows_in_it(deployment: Deployment):
    """How soon it comes is measured by `make bench`."""
    deployment.script("story", "Once upon a time there was a market. " * 40, seconds=8)
    asking = deployment.omni.gate.hold("POST /v1/omni-ai/threads")
    ts = await deployment.slack.say("ana", "trading", "@Omni tell me a story")
    await deployment.slack.wait_for(lambda: deployment.replies("trading", ts))
    assert deployment.asked() == []
    await asking.reached()
    asking.release()
    await deployment.answered("trading", ts, "Once upon")
    assert len(deployment.replies("trading", ts)) == 1
    calls = [call for call in deployment.slack.calls if call.name in ("chat.appendStream", "chat.update")]
    assert [call.name for call in calls[-2:]] == ["chat.appendStream", "chat.update"]
    grown = [call for call in calls[:-1] if "market" in str(call.args)]
    assert len(grown) >= 3
    # On average: on a busy machine one arrives late and the next does not.
    assert (grown[-1].at - grown[0].at) / (len(grown) - 1) > 0.8


async def test_a_command_posts_the_question_under_the_askers_name_and_answers_in_its_thread(deployment: Deployment):
    deployment.script("breadth", "Advancers lead decliners two to one.")
    result = await deployment.slack.command("ana", "trading", "/omni", "how is market breadth?")
    assert result.acked
    (root,) = await deployment.slack.wait_for(lambda: deployment.roots("trading"))
    assert f"<@{deployment.slack.workspace.user('ana').id}>" in str(root.blocks)
    assert "how is market breadth?" in deployment.slack.visible_text(root)
    await deployment.answered("trading", root.ts, "two to one")
    assert deployment.asked() == ["how is market breadth?"]


async def test_where_the_bot_cannot_post_a_command_is_answered_in_the_askers_dm(deployment: Deployment):
    deployment.script("breadth", "Advancers lead decliners two to one.")
    await deployment.slack.command("ana", "lobby", "/omni", "how is market breadth?")
    dm = deployment.slack.dm("ana")
    (root,) = await deployment.slack.wait_for(lambda: deployment.roots(dm))
    await deployment.answered(dm, root.ts, "two to one")
    assert deployment.roots("lobby") == []


async def test_a_private_question_leaves_no_trace_in_the_channel(deployment: Deployment):
    deployment.script("positions", "You hold 100 AAPL.")
    await deployment.slack.command("ana", "trading", "/omni", "private what are my positions?")
    dm = deployment.slack.dm("ana")
    (root,) = await deployment.slack.wait_for(lambda: deployment.roots(dm))
    await deployment.answered(dm, root.ts, "You hold 100 AAPL.")
    assert deployment.roots("trading") == []
    assert deployment.asked() == ["what are my positions?"]


async def test_research_asks_for_deep_insights_on_the_ticker(deployment: Deployment):
    await deployment.slack.command("ana", "trading", "/omni", "research AAPL margins will hold")
    (root,) = await deployment.slack.wait_for(lambda: deployment.roots("trading"))
    await deployment.answered("trading", root.ts, "AAPL")
    (create,) = [c for c in deployment.omni.calls if c.name == "POST /v1/omni-ai/threads"]
    assert create.args["type"] == "deep_insights"
    assert create.args["target"] == {"type": "ticker", "ticker": "AAPL"}
    assert create.args["thesis"] == "margins will hold"
    assert create.args["capabilities"] == ["OPEN_CHART", "OPEN_SCREENER"]


async def test_omnis_thinking_is_shown_while_it_works_and_gone_when_it_is_done(deployment: Deployment):
    thoughts = [{"at": 20 * n, "thoughts": [f"[{m}/4] step {m}" for m in range(1, n + 1)]} for n in range(1, 5)]
    parts = [{"type": "text", "text": "Worth four steps."}]
    final = {"at": 100, "status": "succeeded", "parts": parts}
    deployment.omni.add_script({"name": "steps", "pattern": "steps", "snapshots": thoughts, "final": final})
    ts = await deployment.slack.say("ana", "trading", "@Omni take steps")
    await deployment.slack.wait_for(lambda: "step 2 of 4" in "".join(deployment.shown("trading", ts)))
    assert "step" not in (await deployment.answered("trading", ts, "Worth four steps.")).replace("four steps", "")


async def test_help_teaches_privately_and_asks_nothing(deployment: Deployment):
    result = await deployment.slack.command("ana", "trading", "/omni", "help")
    assert result.acked
    (said,) = deployment.slack.ephemerals("ana")
    assert "research" in deployment.slack.visible_text(said)
    assert deployment.asked() == []
    assert deployment.roots("trading") == []


async def test_a_pressed_suggestion_becomes_the_clickers_next_turn_and_shows_who_pressed_it(deployment: Deployment):
    ts = await deployment.slack.say("ana", "trading", "@Omni how are the markets doing today?")
    await deployment.answered("trading", ts, "Pre-market")
    (reply,) = deployment.replies("trading", ts)
    assert await deployment.slack.click("ana", "trading", reply.ts, label="Check my positions")
    await deployment.answered("trading", ts, count=2)
    ana = deployment.slack.workspace.user("ana").id
    assert f"<@{ana}>" in str(deployment.replies("trading", ts)[0].blocks)
    assert "What are my current positions?" in deployment.slack.visible_text(deployment.replies("trading", ts)[1])
    assert deployment.asked() == ["how are the markets doing today?", "What are my current positions?"]


async def test_ten_hasty_clicks_are_one_question_and_the_others_are_told(deployment: Deployment):
    deployment.script("current positions", "None.", seconds=3)
    ts = await deployment.slack.say("ana", "trading", "@Omni how are the markets doing today?")
    await deployment.answered("trading", ts, "Pre-market")
    (reply,) = deployment.replies("trading", ts)
    for _ in range(3):
        assert await deployment.slack.click("ana", "trading", reply.ts, action_id="omni_button:1")
    await deployment.slack.wait_for(lambda: len(deployment.slack.ephemerals("ana")) == 2)
    await deployment.slack.wait_for(lambda: len(deployment.replies("trading", ts)) == 2)
    assert deployment.asked().count("What are my current positions?") == 1


async def test_somebody_elses_click_is_their_own_turn(deployment: Deployment):
    ts = await deployment.slack.say("ana", "trading", "@Omni how are the markets doing today?")
    await deployment.answered("trading", ts, "Pre-market")
    (reply,) = deployment.replies("trading", ts)
    await deployment.slack.click("ben", "trading", reply.ts, action_id="omni_button:1")
    await deployment.slack.wait_for(lambda: len(deployment.replies("trading", ts)) == 2)
    assert f"<@{deployment.slack.workspace.user('ben').id}>" in str(deployment.replies("trading", ts)[0].blocks)


async def test_thirty_kilobytes_arrive_whole_and_in_order(deployment: Deployment):
    sections = [f"## Section {n}\n\n" + f"Paragraph {n} says number {n}. " * 60 + "\n" for n in range(1, 22)]
    fence = "```python\n" + "\n".join(f"line_{n} = {n}" for n in range(400)) + "\n```\n"
    table = "| n | square |\n|---|---:|\n" + "\n".join(f"| {n} | {n * n} |" for n in range(60)) + "\n"
    text = "\n".join([*sections[:10], fence, table, *sections[10:]])
    assert len(text) > 30_000
    deployment.script("long", text)
    ts = await deployment.slack.say("ana", "trading", "@Omni a long one")
    await deployment.answered("trading", ts, "Section 21")
    shown = "\n".join(deployment.shown("trading", ts))
    places = [shown.index(f"Section {n}\n") for n in range(1, 22)]
    assert places == sorted(places)
    for n in range(1, 22):
        assert shown.count(f"Paragraph {n} says number {n}.") == 60
    assert all(f"line_{n} = {n}" in shown for n in range(400))
    assert all(str(n * n) in shown for n in range(60))
    assert deployment.slack.refusals == []


async def test_a_failed_turn_keeps_its_words_says_why_and_offers_to_ask_again(deployment: Deployment):
    deployment.script(
        "fragile",
        "The first half of the answer.",
        status="failed",
        error={"code": "MODEL_OVERLOADED", "message": "the model is overloaded"},
    )
    ts = await deployment.slack.say("ana", "trading", "@Omni something fragile")
    text = await deployment.answered("trading", ts, "The first half of the answer.")
    assert "the model is overloaded" in text
    assert "MODEL_OVERLOADED" in text
    deployment.script("fragile", "Now it worked.")
    (reply,) = deployment.replies("trading", ts)
    assert await deployment.slack.click("ana", "trading", reply.ts, label="Ask again")
    await deployment.answered("trading", ts, "Now it worked.", count=2)
    assert deployment.asked() == ["something fragile", "something fragile"]


async def test_an_error_of_the_api_is_told_in_plain_words_with_its_request_id(deployment: Deployment):
    deployment.omni.gate.refuse("POST /v1/omni-ai/threads", status=403)
    ts = await deployment.slack.say("ana", "trading", "@Omni hello")
    text = await deployment.answered("trading", ts, "does not let this API key")
    (call,) = [c for c in deployment.omni.calls if c.name == "POST /v1/omni-ai/threads"]
    assert call.answer["metadata"]["request_id"] in text


async def test_nothing_in_omnis_words_pings_anybody_or_hides_where_a_link_goes(deployment: Deployment):
    ts = await deployment.slack.say("ana", "trading", "@Omni ping everyone")
    text = await deployment.answered("trading", ts)
    for live in ("<!channel>", "<!here>", "<@U012AB3CD>", "<!subteam^S123>", "&lt;!channel&gt;", "ticker:"):
        assert live not in text
    assert "evil.example" in text
    versions = [v.text for m in deployment.replies("trading", ts) for v in m.updates]
    assert not any("<!channel>" in v for v in versions)


async def test_a_persons_words_that_the_bot_reposts_ping_nobody(deployment: Deployment):
    deployment.script("quiet", "Hush.")
    await deployment.slack.command("ana", "trading", "/omni", "quiet <!channel> and <!here> & <@U012AB3CD|x>")
    (root,) = await deployment.slack.wait_for(lambda: deployment.roots("trading"))
    shown = deployment.slack.visible_text(root) + root.text
    assert "<!channel>" not in shown
    assert "<!here>" not in shown
    assert "<@U012AB3CD" not in shown


async def test_an_empty_mention_is_answered_privately_with_how_to_ask(deployment: Deployment):
    await deployment.slack.say("ana", "trading", "@Omni")
    (said,) = await deployment.slack.wait_for(lambda: deployment.slack.ephemerals("ana"))
    assert "/omni help" in said["text"]
    assert deployment.asked() == []


@pytest.mark.parametrize(("who", "where"), [("cleo", "research"), ("dan", "client-desk")])
async def test_guests_and_other_companies_are_turned_away_privately(deployment: Deployment, who: str, where: str):
    ts = await deployment.slack.say(who, where, "@Omni what is the price of AAPL?")
    (said,) = await deployment.slack.wait_for(lambda: deployment.slack.ephemerals(who))
    assert "full members" in said["text"]
    assert deployment.asked() == []
    assert deployment.replies(where, ts) == []


async def test_talk_that_is_not_for_omni_is_left_alone(deployment: Deployment):
    deployment.script("markets", "Fine.")
    ts = await deployment.slack.say("ana", "trading", "@Omni how are the markets")
    await deployment.answered("trading", ts, "Fine.")
    await deployment.slack.say("ana", "trading", "good morning everybody")
    await deployment.slack.say("ben", "trading", "what does that mean?", thread_ts=ts)
    await deployment.slack.say("ana", "trading", "@Ben what do you think?", thread_ts=ts)
    await deployment.slack.other_bot_says("trading", f"<@{deployment.slack.bot_user_id}> hello", ts)
    await deployment.slack.say("ana", "trading", "", thread_ts=ts, files=True)
    await deployment.slack.join("dan", "research")
    await deployment.slack.say("ana", "trading", "and the markets tomorrow?", thread_ts=ts)
    await deployment.answered("trading", ts, count=2)
    assert deployment.asked() == ["how are the markets", "and the markets tomorrow?"]


async def test_an_answer_that_took_longer_than_thirty_seconds_is_a_new_post_that_mentions_the_asker(
    deployment: Deployment,
):
    deployment.script("patience", "It was worth the wait.", seconds=31)
    ts = await deployment.slack.say("ana", "trading", "@Omni patience please")
    await deployment.answered("trading", ts, "It was worth the wait.")
    ana = deployment.slack.workspace.user("ana").id
    final = next(m for m in deployment.replies("trading", ts) if FINISHED in deployment.slack.visible_text(m))
    assert f"<@{ana}>" in str(final.blocks)
    assert final.updates == []
    await deployment.slack.wait_for(lambda: "below" in deployment.shown("trading", ts)[0])
    assert deployment.replies("trading", ts)[1:] == [final]
