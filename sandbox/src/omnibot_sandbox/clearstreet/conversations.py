"""Threads, messages and responses: the conversation endpoints."""

from __future__ import annotations

from datetime import UTC, datetime

from omnibot_sandbox.clearstreet import bodies
from omnibot_sandbox.clearstreet.bodies import Check
from omnibot_sandbox.clearstreet.errors import ACTIVE, ApiError
from omnibot_sandbox.clearstreet.revision import JSON, write_message, write_response
from omnibot_sandbox.clearstreet.store import Response, Store, Thread, timestamp
from omnibot_sandbox.clearstreet.visits import Answer, Handler, Visit, answer

_TITLE_LENGTH = 80
_SCORES = (-1, 0, 1, 2, 3, 4, 5)


class Conversations:
    """What one can do with conversations."""

    def __init__(self, store: Store) -> None:
        self.store = store
        #: (API key, Idempotency-Key) → the request it was used for, and the answer it got.
        self._repeated: dict[tuple[str, str], tuple[JSON, Answer]] = {}

    @property
    def routes(self) -> dict[str, Handler]:
        """The endpoints by method and path."""
        return {
            "GET /v1/omni-ai/threads": self.list_threads,
            "POST /v1/omni-ai/threads": self.create_thread,
            "GET /v1/omni-ai/threads/{thread_id}": self.get_thread,
            "GET /v1/omni-ai/threads/{thread_id}/response": self.get_active_response,
            "GET /v1/omni-ai/threads/{thread_id}/messages": self.list_messages,
            "POST /v1/omni-ai/threads/{thread_id}/messages": self.create_message,
            "GET /v1/omni-ai/responses/{response_id}": self.get_response,
            "DELETE /v1/omni-ai/responses/{response_id}": self.cancel_response,
            "GET /v1/omni-ai/messages/{message_id}": self.get_message,
            "POST /v1/omni-ai/messages/{message_id}/feedback": self.give_feedback,
        }

    def list_threads(self, visit: Visit) -> Answer:
        """Threads of an account (or, in the newest revision, those of none), newest first in its sense."""
        account_id = visit.account()
        self.store.settle()
        own = [t for t in self.store.threads.values() if t.owner == visit.key and t.account_id == account_id]
        own.sort(key=lambda t: (t.updated_at if visit.revision.by_update else t.created_at, t.id))
        page, metadata = visit.page(own, newest_first=True)
        return answer([thread.metadata for thread in reversed(page)], metadata)

    def create_thread(self, visit: Visit) -> Answer:
        """Open a thread and start its first turn."""
        body = self._read_creation(visit)
        account_id = visit.allow(body.get("account_id"))
        question = _first_question(body)
        used = visit.idempotency_key if visit.revision.extended else None
        if used is not None and (visit.key, used) in self._repeated:
            request, given = self._repeated[visit.key, used]
            if request != body:
                raise ApiError(422, "Idempotency-Key was already used for a different request")
            return given
        thread = self.store.open_thread(visit.key, account_id, _title(question))
        given = _started(self.store.ask(thread, body["type"], question, body.get("context"), body.get("capabilities")))
        if used is not None:
            self._repeated[visit.key, used] = body, given
        return given

    def get_thread(self, visit: Visit) -> Answer:
        """A thread's title and times."""
        return answer(self._thread(visit, visit.account()).metadata)

    def get_active_response(self, visit: Visit) -> Answer:
        """The response that is running in a thread."""
        thread = self._thread(visit, visit.account())
        if thread.active_response_id is not None:
            return self._snapshot(visit, self.store.responses[thread.active_response_id])
        if visit.revision.idle_is_null:
            return answer(None)
        raise ApiError(404, "Response not found")

    def list_messages(self, visit: Visit) -> Answer:
        """A thread's finalised messages, oldest first within the page."""
        thread = self._thread(visit, visit.account())
        page, metadata = visit.page(thread.messages, newest_first=visit.revision.latest_first)
        return answer([write_message(message, visit.revision) for message in page], metadata)

    def create_message(self, visit: Visit) -> Answer:
        """Ask the next question in a thread."""
        required: dict[str, Check] = {"account_id": bodies.integer, "text": bodies.string}
        optional: dict[str, Check] = {"capabilities": bodies.capabilities}
        if visit.revision.account_optional:
            optional["account_id"] = required.pop("account_id")
        if visit.revision.extended:
            optional["context"] = bodies.context
        body = bodies.read_body(visit.raw, required, optional)
        account_id = visit.allow(body.get("account_id"))
        if not body["text"].strip():
            raise ApiError(400, "text must not be empty")
        thread = self._thread(visit, account_id)
        if thread.active_response_id is not None:
            raise ApiError(409, ACTIVE)
        if account_id is not None and thread.account_id not in (None, account_id):
            raise ApiError(409, "thread is linked to a different account")
        if account_id is not None:
            thread.account_id = account_id
        return _started(self.store.ask(thread, "instant", body["text"], body.get("context"), body.get("capabilities")))

    def get_response(self, visit: Visit) -> Answer:
        """What a response looks like now."""
        return self._snapshot(visit, self._response(visit))

    def cancel_response(self, visit: Visit) -> Answer:
        """Stop a response; one that is over is left as it is."""
        return answer({"canceled": self.store.cancel(self._response(visit))})

    def get_message(self, visit: Visit) -> Answer:
        """One finalised message."""
        return answer(write_message(self._message(visit, visit.account()), visit.revision))

    def give_feedback(self, visit: Visit) -> Answer:
        """Rate an answer."""
        required: dict[str, Check] = {"account_id": bodies.integer, "score": bodies.integer}
        optional: dict[str, Check] = {"comment": bodies.string, "metadata": bodies.anything}
        if visit.revision.account_optional:
            optional["account_id"] = required.pop("account_id")
        body = bodies.read_body(visit.raw, required, optional)
        message = self._message(visit, visit.allow(body.get("account_id")))
        if body["score"] not in _SCORES:
            raise ApiError(400, "score must be -1, 0, +1 or between 1 and 5")
        if message["role"] != "ASSISTANT":
            raise ApiError(400, "feedback is only valid for assistant messages")
        receipt = {"created_at": timestamp(datetime.now(UTC)), "feedback_id": self.store.ids.draw()}
        self.store.feedback.append({**body, **receipt, "message_id": message["id"]})
        return answer(receipt)

    def _read_creation(self, visit: Visit) -> JSON:
        required: dict[str, Check] = {
            "account_id": bodies.integer,
            "type": bodies.one_of("instant", "deep_insights"),
        }
        optional: dict[str, Check] = {
            "capabilities": bodies.capabilities,
            "target": bodies.target,
            "text": bodies.string,
            "thesis": bodies.string,
        }
        if visit.revision.account_optional:
            optional["account_id"] = required.pop("account_id")
        if visit.revision.extended:
            optional["context"] = bodies.context
        return bodies.read_body(visit.raw, required, optional)

    def _thread(self, visit: Visit, account_id: int | None, thread_id: str | None = None) -> Thread:
        thread = self.store.threads.get(thread_id or visit.path["thread_id"])
        if thread is None or not visit.sees(thread, account_id):
            raise ApiError(404, "Thread not found")
        self.store.settle(thread.id)
        return thread

    def _response(self, visit: Visit) -> Response:
        account_id = visit.account()
        response = self.store.responses.get(visit.path["response_id"])
        if response is None or not visit.sees(self.store.threads[response.thread_id], account_id):
            raise ApiError(404, "Response not found")
        self.store.settle(response.thread_id)
        return response

    def _message(self, visit: Visit, account_id: int | None) -> JSON:
        message = self.store.find_message(visit.path["message_id"])
        if message is None or not visit.sees(self.store.threads[message["thread_id"]], account_id):
            raise ApiError(404, "Message not found")
        return message

    def _snapshot(self, visit: Visit, response: Response) -> Answer:
        return answer(write_response(response.snapshot(self.store.pace), visit.revision))


def _first_question(body: JSON) -> str:
    """The words of a thread's first USER message."""
    if body["type"] == "instant":
        text: str | None = body.get("text")
        if text is None:
            raise ApiError(400, "text is required for instant mode")
        if not text.strip():
            raise ApiError(400, "text must not be empty")
        return text
    if "target" not in body:
        raise ApiError(400, "target is required for deep_insights mode")
    if "context" in body:
        raise ApiError(400, "context is only valid for instant mode")
    ticker, thesis = str(body["target"]["ticker"]).strip(), str(body.get("thesis", "")).strip()
    if not ticker:
        raise ApiError(400, "target ticker must not be empty")
    return f"Deep insights on {ticker}" + (f": {thesis}" if thesis else "")


def _title(question: str) -> str:
    line = " ".join(question.split())
    return line if len(line) <= _TITLE_LENGTH else line[: _TITLE_LENGTH - 1] + "…"


def _started(response: Response) -> Answer:
    return answer(
        {
            "response_id": response.id,
            "thread_id": response.thread_id,
            "user_message_id": response.user_message_id,
        }
    )
