"""Files: uploaded by the bot with slack_sdk, or by people; looked at by Slack, shown in blocks, loaded and deleted."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError, SlackRequestError

TRADING, RESEARCH, ANA = "C0TRADING1", "C0RESEARCH", "U0ANA00001"
PNG = b"\x89PNG\r\n\x1a\n" + b"pixels" * 10
CSV = b"symbol,price\nAAPL,190.1\n"


async def error_of(call) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


def image(**source: Any) -> list[dict[str, Any]]:
    return [{"type": "image", "slack_file": source, "alt_text": "a chart"}]


async def upload(web, **more: Any) -> dict[str, Any]:
    answer = await web.files_upload_v2(filename="chart.png", content=PNG, title="Chart", alt_txt="Prices", **more)
    file: dict[str, Any] = answer["files"][0]
    return file


async def known(web, file_id: str) -> dict[str, Any]:
    """files.info as soon as Slack knows what the file is."""
    async with asyncio.timeout(90):
        while True:
            info: dict[str, Any] = (await web.files_info(file=file_id))["file"]
            if info["mimetype"]:
                return info


@pytest.fixture
def at_once(slack):
    slack.file_processing_seconds = 0


async def test_a_fresh_file_is_nothing_yet_and_an_image_a_moment_later(slack, web):
    slack.file_processing_seconds = 30
    file = await upload(web)
    assert (file["title"], file["mimetype"], file["filetype"]) == ("Chart", "", "")
    assert (await web.files_info(file=file["id"]))["file"]["mimetype"] == ""
    with pytest.raises(SlackApiError) as caught:
        await web.chat_postMessage(channel=TRADING, text="x", blocks=image(id=file["id"]))
    assert caught.value.response["error"] == "invalid_blocks"
    assert "invalid slack file" in caught.value.response["response_metadata"]["messages"][0]

    slack.file_processing_seconds = 0.01
    other = await upload(web)
    info = await known(web, other["id"])
    assert (info["mimetype"], info["filetype"], info["size"], info["alt_txt"]) == (
        "image/png",
        "png",
        len(PNG),
        "Prices",
    )
    for source in ({"id": other["id"]}, {"url": info["url_private"]}, {"url": info["permalink"]}):
        await web.chat_postMessage(channel=TRADING, text="x", blocks=image(**source))
    assert slack.file(other["id"]) == (PNG, "image/png", "chart.png")


@pytest.mark.usefixtures("at_once")
async def test_only_images_can_be_shown_whatever_their_name(web):
    table = await web.files_upload_v2(filename="table.csv", content=CSV)
    disguised = await web.files_upload_v2(filename="table.png", content=CSV)
    for answer in (table, disguised):
        call = web.chat_postMessage(channel=TRADING, text="x", blocks=image(id=answer["file"]["id"]))
        assert await error_of(call) == "invalid_blocks"
    assert (
        await error_of(web.chat_postMessage(channel=TRADING, text="x", blocks=image(id="F0UNKNOWN1")))
        == "invalid_blocks"
    )


@pytest.mark.usefixtures("at_once")
async def test_without_a_channel_a_file_is_in_no_message(slack, web):
    file = await upload(web)
    assert (file["channels"], file["groups"], slack.history(TRADING)) == ([], [], [])


async def test_with_a_channel_a_message_of_its_own_follows_when_slack_has_looked(slack, web):
    root = await slack.say("ana", "trading", "@Omni a chart please")
    file = await upload(web, channel=TRADING, thread_ts=root, initial_comment="Here")
    message = await slack.wait_for(lambda: slack.thread(TRADING, root)[1])
    assert (message.user, message.text, message.subtype) == (slack.bot_user_id, "Here", "file_share")
    assert [f["id"] for f in message.files] == [file["id"]]
    assert message.files[0]["mimetype"] == "image/png"
    assert (await web.files_info(file=file["id"]))["file"]["groups"] == [TRADING]


@pytest.mark.usefixtures("at_once")
async def test_several_files_and_channels_at_once(slack, web):
    uploads = [{"filename": "a.png", "content": PNG}, {"filename": "b.csv", "content": CSV}]
    await web.files_upload_v2(file_uploads=uploads, channels=[TRADING, RESEARCH, ANA])
    for channel in (TRADING, RESEARCH, slack.dm("ana")):
        (message,) = slack.history(channel)
        assert [f["name"] for f in message.files] == ["a.png", "b.csv"]


async def test_what_uploads_refuse(slack, web, session):
    def announce(**over: Any):
        return web.files_getUploadURLExternal(**{"filename": "a.png", "length": 5, **over})

    def complete(file_id: str, **more: Any):
        return web.files_completeUploadExternal(files=[{"id": file_id}], **more)

    assert await error_of(announce(length=0)) == "missing_argument"
    assert await error_of(announce(alt_txt="x" * 1001)) == "alt_txt_too_large"
    assert await error_of(announce(snippet_type="csv", length=1_000_001)) == "snippet_too_large"
    assert await error_of(complete("F0UNKNOWN1")) == "file_not_found"

    announced = await announce()
    file_id, url = announced["file_id"], announced["upload_url"]
    assert await error_of(complete(file_id)) == "file_not_found"  # no bytes yet
    assert await error_of(web.files_info(file=file_id)) == "file_not_found"
    async with session.post(url, data=b"too many bytes") as answer:
        assert answer.status == 400
    async with session.post(url, data={"file": "12345"}) as answer:
        assert answer.status == 400  # a form without a file
    async with session.post(url, data=b"12345") as answer:
        assert (answer.status, await answer.text()) == (200, "OK - 5")
    assert await error_of(complete(file_id, channel_id="C0NOWHERE1")) == "channel_not_found"
    assert await error_of(complete(file_id, channel_id="C0LOBBY001")) == "not_in_channel"
    thread = {"channel_id": TRADING, "thread_ts": "1700000000.000100"}
    assert await error_of(complete(file_id, **thread)) == "thread_not_found"
    await complete(file_id)
    assert await error_of(complete(file_id)) == "file_not_found"  # done already


async def test_bytes_may_come_as_a_form(slack, web, session):
    announced = await web.files_getUploadURLExternal(filename="a.csv", length=len(CSV))
    form = aiohttp.FormData()
    form.add_field("file", CSV, filename="a.csv")
    async with session.post(announced["upload_url"], data=form) as answer:
        assert answer.status == 200
    slack.file_processing_seconds = 0
    await web.files_completeUploadExternal(files=[{"id": announced["file_id"]}])
    assert slack.file(announced["file_id"]) == (CSV, "text/csv", "a.csv")


async def test_an_upload_can_fail_on_its_way(slack, web):
    slack.gate.refuse("upload", status=503)
    with pytest.raises(SlackRequestError):
        await upload(web)
    assert [call.name for call in slack.calls] == ["files.getUploadURLExternal", "upload"]


@pytest.mark.usefixtures("at_once")
async def test_a_file_is_loaded_with_the_bots_token_only(web, session, slack):
    file = await upload(web)
    headers = {"Authorization": f"Bearer {slack.bot_token}"}
    for url in (file["url_private"], file["url_private_download"]):
        async with session.get(url, headers=headers) as answer:
            assert (answer.status, answer.content_type, await answer.read()) == (200, "image/png", PNG)
        async with session.get(url) as answer:
            assert (answer.status, answer.content_type) == (200, "text/html")
    async with session.get(file["url_private"].replace(file["id"], "F0UNKNOWN1"), headers=headers) as answer:
        assert answer.status == 404


@pytest.mark.usefixtures("at_once")
async def test_a_deleted_file_leaves_a_tombstone_where_it_was_shared(slack, web):
    file = await upload(web, channel=TRADING)
    version = slack.history(TRADING)[0].version
    await web.files_delete(file=file["id"])
    (message,) = slack.history(TRADING)
    assert message.files == [{"id": file["id"], "mode": "tombstone"}]
    assert message.version > version
    assert slack.file(file["id"]) is None
    assert await error_of(web.files_info(file=file["id"])) == "file_deleted"
    assert (
        await error_of(web.chat_postMessage(channel=TRADING, text="x", blocks=image(id=file["id"]))) == "invalid_blocks"
    )


async def test_people_upload_and_the_bot_reads(slack, web, hear, session):
    heard = await hear("message")
    root = await slack.say("ana", "trading", "look")
    ts = await slack.upload("ana", "trading", "positions.csv", CSV, thread_ts=root, text="@Omni what do you think?")
    await slack.wait_for(lambda: len(heard) == 2)
    (event,) = [body["event"] for body in heard if body["event"]["ts"] == ts]
    assert (event["subtype"], event["thread_ts"], event["user"]) == ("file_share", root, ANA)
    assert event["text"] == f"<@{slack.bot_user_id}> what do you think?"
    (file,) = event["files"]
    assert (file["name"], file["mimetype"], file["mode"], file["size"]) == (
        "positions.csv",
        "text/csv",
        "snippet",
        len(CSV),
    )
    async with session.get(
        file["url_private_download"], headers={"Authorization": f"Bearer {slack.bot_token}"}
    ) as answer:
        assert await answer.read() == CSV
    assert await error_of(web.files_delete(file=file["id"])) == "cant_delete_file"
    with pytest.raises(LookupError, match="not in"):
        await slack.upload("dan", "trading", "x.csv", CSV)
