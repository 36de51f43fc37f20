"""Uploads to Slack: pictures in replies, each once, and data files that people ask for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from omnibot.blocks.answers.charts import ChartModel, in_words
from omnibot.blocks.answers.reply import picture_wanted
from omnibot.charts import Charts, Drawing
from omnibot.clearstreet.models import read_parts
from omnibot.db.engine import Database
from omnibot.db.tables import uploads
from omnibot.slack.errors import SLACK_ERRORS, classify
from omnibot.turns.model import Turn, TurnAnswer
from omnibot.turns.rows import utcnow

log = structlog.get_logger(__name__)

#: Pictures in one reply; further charts are said in words.
PICTURES = 6
#: In place of a file's id: there is no picture, and none is made any more.
FAILED = ""
#: Seconds a reply waits for all its pictures, and Slack for making one of a file.
PATIENCE, PROCESSING = 12.0, 6.0
_ALT_TEXT = 1_000


class Pictures:
    """Charts that Slack cannot draw, as pictures."""

    def __init__(self, client: AsyncWebClient, database: Database, charts: Charts) -> None:
        self._client = client
        self._database = database
        self._charts = charts

    async def of(self, turn: Turn, answer: TurnAnswer) -> dict[int, str]:
        """Slack's file ids by part.

        What cannot be drawn or uploaded in time is left out, and said in words; from then on it is so for good, that
        every delivery of the answer, and every change to it, makes the same pages.
        """
        wanted = {
            index: chart
            for index, part in enumerate(read_parts(answer.parts))
            if (chart := picture_wanted(part)) is not None
        }
        if not wanted:
            return {}
        known = await self._known(turn.id)
        found = {index: known[_name(index)] for index in wanted if _name(index) in known}
        missing = [index for index in wanted if index not in found][: max(0, PICTURES - len(found))]
        if missing:
            found |= await self._make_all(turn, {index: wanted[index] for index in missing})
        return {index: file_id for index, file_id in found.items() if file_id != FAILED}

    async def _make_all(self, turn: Turn, charts: Mapping[int, ChartModel]) -> dict[int, str]:
        making = {asyncio.ensure_future(self._have(turn, index, chart)): index for index, chart in charts.items()}
        try:
            done, late = await asyncio.wait(making, timeout=PATIENCE)
        except BaseException:
            for task in making:
                task.cancel()
            raise
        for task in late:
            task.cancel()
        if late:
            log.warning("pictures_late", turn=turn.id, late=len(late), made=len(done))
            await asyncio.gather(*late, return_exceptions=True)
        made = {making[task]: task.result() for task in done}
        return made | {making[task]: await self._remember(turn, making[task], FAILED) for task in late}

    async def _have(self, turn: Turn, index: int, chart: ChartModel) -> str:
        return await self._remember(turn, index, await self._make(turn, index, chart) or FAILED)

    async def _make(self, turn: Turn, index: int, chart: ChartModel) -> str | None:
        try:
            png = await self._charts.draw(drawing_of(chart))
            alt = f"Chart of {chart.title}. {' '.join(in_words(chart))}"[:_ALT_TEXT]
            answer = await self._client.files_upload_v2(
                content=png, filename=f"chart-{index + 1}.png", title=chart.title, alt_txt=alt
            )
            file_id = _file_id(answer.data)
            if file_id is None or not await self._processed(file_id):
                return None
        except SLACK_ERRORS as error:
            log.warning("slack_refused", method="files.upload", turn=turn.id, error=classify(error).code)
            return None
        except Exception:
            # A chart that cannot be drawn is said in words; the answer must not be lost with it.
            log.exception("chart_failed", turn=turn.id)
            return None
        return file_id

    async def _remember(self, turn: Turn, index: int, file_id: str) -> str:
        """What became of a picture; what another process wrote down before us counts."""
        try:
            async with self._database.transaction() as connection:
                row = {"turn_id": turn.id, "name": _name(index), "file_id": file_id, "created_at": utcnow()}
                await connection.execute(insert(uploads).values(**row))
        except IntegrityError:
            return (await self._known(turn.id)).get(_name(index), file_id)
        return file_id

    async def _processed(self, file_id: str) -> bool:
        """Whether Slack has looked at the file: before that it refuses blocks that show it."""
        until = time.monotonic() + PROCESSING
        pause = 0.1
        while True:
            answer = await self._client.files_info(file=file_id)
            file = answer.get("file")
            if isinstance(file, dict) and (file.get("mimetype") or file.get("filetype")):
                return True
            if time.monotonic() + pause > until:
                return False
            await asyncio.sleep(pause)
            pause = min(1.0, pause * 2)

    async def _known(self, turn_id: str) -> Mapping[str, str]:
        query = select(uploads.c.name, uploads.c.file_id).where(uploads.c.turn_id == turn_id)
        async with self._database.transaction() as connection:
            return {row.name: row.file_id for row in await connection.execute(query)}


def drawing_of(chart: ChartModel) -> Drawing:
    """The chart for the drawing library, where only looks count: floats will do."""
    lines = tuple(
        (series.name, tuple(None if value is None else float(value) for value in series.values))
        for series in chart.series
    )
    return Drawing(chart.title, chart.places, lines, chart.moments)


def _name(index: int) -> str:
    return f"chart:{index}"


def _file_id(data: Any) -> str | None:
    files = data.get("files") if isinstance(data, dict) else None
    first = files[0] if isinstance(files, list) and files else None
    file_id = first.get("id") if isinstance(first, dict) else None
    return file_id if isinstance(file_id, str) else None
