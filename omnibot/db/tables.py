"""All tables. Timestamps are UTC without zone; Slack's `ts` stay the strings Slack gave us."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: A Slack thread, a principal and a trading account, mapped to one Omni thread.
conversations = Table(
    "conversations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("team", String(32), nullable=False),
    Column("channel", String(32), nullable=False),
    #: The Slack thread's root message.
    Column("thread_ts", String(32), nullable=False),
    #: "shared", or the link of one person: whose key is used.
    Column("principal", String(120), nullable=False),
    #: 0 stands for "no account": NULLs are never equal to each other, and this must be unique.
    Column("account_id", BigInteger, nullable=False, default=0),
    Column("omni_thread_id", String(64), unique=True),
    #: `seq` of the newest Omni message known to belong to this conversation's earlier turns.
    Column("last_seq", Integer, nullable=False, default=0),
    Column("created_at", DateTime, nullable=False),
    UniqueConstraint("team", "channel", "thread_ts", "principal", "account_id"),
)

#: States a turn can still leave.
OPEN_STATES = ("accepted", "submitting", "running", "finalizing", "held")
_AT_OMNI = text("state IN ('submitting', 'running')")
_OPEN = text("state IN ('accepted', 'submitting', 'running', 'finalizing', 'held')")

turns = Table(
    "turns",
    metadata,
    Column("id", String(32), primary_key=True),
    #: Where it came from, once and for all: "message:C…:ts", "command:<trigger id>", "press:<unique>".
    Column("source_key", String(255), nullable=False, unique=True),
    #: Set for pressed buttons: at most one open turn for (turn, button, person).
    Column("press_key", String(255)),
    Column("surface", String(16), nullable=False),
    Column("kind", String(16), nullable=False),
    #: The installed workspace; the acting person is (org, user): the enterprise or else the team, and the user.
    Column("team", String(32), nullable=False),
    Column("org", String(32), nullable=False),
    Column("user", String(32), nullable=False),
    Column("channel", String(32), nullable=False),
    #: Where a command was typed, when its answer is elsewhere; Stop is typed there too.
    Column("asked_in", String(32)),
    #: Root of the thread in which it was asked, when its answer went to the asker's DM.
    Column("asked_thread_ts", String(32)),
    #: Root of the Slack thread that gets the reply. NULL until a command's root message is posted.
    Column("thread_ts", String(32)),
    #: Orders the turns of a conversation: the asker's message, or when the command or click arrived.
    Column("message_ts", String(32), nullable=False),
    #: The Slack event (or command, or pressed button) as far as it is needed; emptied with retention.
    Column("event", JSON, nullable=False),
    #: Slack's ts of the newest edit seen, and how many there were: an older edit changes nothing, a newer one is asked.
    Column("edited_ts", String(32)),
    Column("edits", Integer, nullable=False, default=0),
    Column("state", String(16), nullable=False),
    #: What a held turn waits for, and since when.
    Column("held_for", String(16)),
    Column("held_at", DateTime),
    Column("conversation_id", ForeignKey("conversations.id")),
    Column("question", Text),
    #: The exact body of the create call and its Idempotency-Key, stored before it is sent.
    Column("request", JSON),
    Column("idempotency_key", String(64)),
    #: The Omni thread continued; NULL when the create call is to open one.
    Column("request_thread_id", String(64)),
    Column("submitted_at", DateTime),
    Column("submissions", Integer, nullable=False, default=0),
    Column("response_id", String(64)),
    Column("user_message_id", String(64), unique=True),
    #: When the turn must end, whatever Omni says.
    Column("deadline_at", DateTime),
    Column("cancel_requested_at", DateTime),
    Column("canceled_by", String(32)),
    #: Things to say beside the answer, such as a change of the Omni thread.
    Column("notices", JSON, nullable=False, default=list),
    #: The finished answer (parts, outcome, error): what the reply is made of, from `finalizing` on.
    Column("answer", JSON),
    #: Its answer is shown as plain text. Set before a large one is rendered, and taken back when that went well.
    Column("plain", Boolean, nullable=False, server_default=false()),
    #: Whether the waiting asker was told that others are before them.
    Column("queue_said", Boolean, nullable=False, default=False),
    Column("owner", String(64)),
    Column("lease_until", DateTime),
    #: Do not look again before.
    Column("due_at", DateTime, nullable=False),
    Column("created_at", DateTime, nullable=False),
    Column("ended_at", DateTime),
    #: When its words were forgotten.
    Column("pruned_at", DateTime),
    Index("ix_turns_open", "due_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index("ix_turns_conversation", "conversation_id", "message_ts"),
    Index("ix_turns_thread", "channel", "thread_ts", "user"),
    Index("ix_turns_person", "org", "user", "created_at"),
    Index("ix_turns_asked_in", "asked_in", "asked_thread_ts"),
    # At most one turn of a conversation is at Omni, whoever tries.
    Index("uq_turns_at_omni", "conversation_id", unique=True, sqlite_where=_AT_OMNI, postgresql_where=_AT_OMNI),
    Index("uq_turns_press_key", "press_key", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
)


def _message_columns() -> list[Column[Any]]:
    """What is known of one Slack message."""
    return [
        Column("channel", String(32), nullable=False),
        #: NULL: about to be posted, or posted by someone who died before writing it down.
        Column("ts", String(32)),
        #: How often the slot was given up and posted anew: an older message of the slot is not it.
        Column("generation", Integer, key="edition", nullable=False, default=0),
        #: Fingerprint of what was last written there: nothing is written while nothing changed.
        Column("written", String(64)),
        #: It was begun as a stream, and is not known to have ended.
        Column("streaming", Boolean, nullable=False, server_default=false()),
        Column("created_at", DateTime, nullable=False),
    ]


#: The Slack messages a turn's reply is made of, each written down before it is posted.
posts = Table(
    "posts",
    metadata,
    Column("turn_id", ForeignKey("turns.id", ondelete="CASCADE"), primary_key=True),
    #: "root", "progress", "answer:0", "answer:1", …
    Column("slot", String(32), primary_key=True),
    *_message_columns(),
)

#: Buttons offered below answers. The Slack value is the opaque token.
buttons = Table(
    "buttons",
    metadata,
    Column("token", String(32), primary_key=True),
    Column("turn_id", ForeignKey("turns.id", ondelete="CASCADE"), nullable=False),
    #: Place among the turn's buttons, in Omni's order.
    Column("position", Integer, nullable=False),
    #: "prompt" asks Omni, "action" carries out `action`, "consent" opens what is to be signed, "retry" and "regenerate"
    #: ask the same question again, "export" gives a file, "words" does nothing and is shown as text.
    Column("kind", String(16), nullable=False),
    Column("part_index", Integer, nullable=False),
    Column("button_id", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("prompt", Text),
    Column("action_id", Text),
    #: The structured action it runs, as the API sent it.
    Column("action", JSON),
    #: Slack user ids, in the order of their clicks.
    Column("pressed_by", JSON, nullable=False),
    UniqueConstraint("turn_id", "position"),
)

#: Files given to Slack for a reply, so that each is given once.
uploads = Table(
    "uploads",
    metadata,
    Column("turn_id", ForeignKey("turns.id", ondelete="CASCADE"), primary_key=True),
    #: "chart:2": the picture of the third part.
    Column("name", String(32), primary_key=True),
    Column("file_id", String(32), nullable=False),
    Column("created_at", DateTime, nullable=False),
)

#: People's own API keys, encrypted.
links = Table(
    "links",
    metadata,
    #: The person: the enterprise, or else the team, and the user.
    Column("org", String(32), primary_key=True),
    Column("user", String(32), primary_key=True),
    #: The workspace in which they linked it: it is forgotten when omnibot is uninstalled there.
    Column("team", String(32), nullable=False),
    Column("sealed", Text, nullable=False),
    #: Tells whether two keys are the same, to whoever has the encryption key.
    Column("fingerprint", String(64), nullable=False),
    Column("created_at", DateTime, nullable=False),
    #: When Clear Street last accepted it at our asking, and when it refused it since.
    Column("validated_at", DateTime, nullable=False),
    Column("broken_at", DateTime),
    Index("ix_links_fingerprint", "fingerprint"),
    Index("ix_links_team", "team"),
)

#: Which account a person asks about, by principal: in general, and in one Slack thread.
account_choices = Table(
    "account_choices",
    metadata,
    Column("org", String(32), primary_key=True),
    Column("user", String(32), primary_key=True),
    Column("principal", String(120), primary_key=True),
    #: The Slack thread; both empty: wherever nothing else was chosen.
    Column("channel", String(32), primary_key=True),
    Column("thread_ts", String(32), primary_key=True),
    Column("team", String(32), nullable=False),
    Column("account_id", BigInteger, nullable=False),
    Column("chosen_at", DateTime, nullable=False),
    Index("ix_account_choices_team", "team"),
)

#: One-time web pages on which a person enters an API key.
link_pages = Table(
    "link_pages",
    metadata,
    #: SHA-256 of the token in its address.
    Column("token_hash", String(64), primary_key=True),
    Column("org", String(32), nullable=False),
    Column("user", String(32), nullable=False),
    Column("team", String(32), nullable=False),
    #: Whom the page says it is for, encrypted.
    Column("sealed_name", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("expires_at", DateTime, nullable=False),
    UniqueConstraint("org", "user"),
)

#: What Omni asked somebody to sign, and what became of it: one row an answer that asks.
consents = Table(
    "consents",
    metadata,
    #: Opaque: what the card's buttons carry.
    Column("id", String(32), primary_key=True),
    #: The turn whose answer asked, and the held one that asks the same question again.
    Column("turn_id", ForeignKey("turns.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("again_id", ForeignKey("turns.id", ondelete="CASCADE"), nullable=False),
    Column("team", String(32), nullable=False),
    Column("org", String(32), nullable=False),
    Column("user", String(32), nullable=False),
    Column("principal", String(120), nullable=False),
    Column("agreement_key", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("codes", JSON, nullable=False),
    #: Ids of the accounts Omni named.
    Column("accounts", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    #: What was (or is about to be) signed, for which accounts, and by whom: a Slack user id.
    Column("agreement_id", Text),
    Column("agreement_version", Integer),
    Column("agreement_sha256", String(64)),
    Column("signed_accounts", JSON),
    Column("signed_by", String(32)),
    Column("asked_at", DateTime, nullable=False),
    Column("signing_at", DateTime),
    Column("ended_at", DateTime),
    #: Something is left to do without a click: an outcome to look up, or a card to draw anew.
    Column("pending", Boolean, nullable=False, server_default=false()),
    Index("ix_consents_again", "again_id"),
    Index("ix_consents_pending", "pending"),
    Index("ix_consents_principal", "principal"),
)

_CHANGES = "act IN ('modify', 'cancel') AND state "


def _only(condition: str) -> dict[str, Any]:
    """Which rows a partial index holds, in both dialects."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


_CHANGE_UNDECIDED = _only(f"{_CHANGES} = 'proposed'")
_CHANGE_UNDER_WAY = _only(f"{_CHANGES} IN ('approved', 'submitting', 'unknown', 'not_placed')")

#: Proposed orders waiting for, or approved by, people. Amounts inside JSON are strings; moments are UTC without zone.
tickets = Table(
    "tickets",
    metadata,
    Column("id", String(32), primary_key=True),
    #: Where it comes from, once however it is reached: Omni's message, the action in it, the order in that.
    Column("message_id", String(80), nullable=False),
    Column("action_id", String(200), nullable=False),
    Column("position", Integer, nullable=False),
    #: Its owner, who asked Omni.
    Column("org", String(32), nullable=False),
    Column("user", String(32), nullable=False),
    Column("team", String(32), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("thread_ts", String(32)),
    Column("turn_id", String(32)),
    #: Whose key sends it.
    Column("principal", String(120), nullable=False),
    Column("account_id", BigInteger, nullable=False),
    Column("account_name", Text, nullable=False),
    #: As Omni proposed it, its own id included.
    Column("proposed", JSON),
    Column("state", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("act", String(16), nullable=False),
    #: In what a position of it is held; whether it sells from that, and how much.
    Column("holding", String(64), nullable=False),
    Column("sells", String(80)),
    #: The order that is canceled or changed, as it was.
    Column("before", JSON),
    Column("client_order_id", String(64), nullable=False, unique=True),
    Column("seen", JSON),
    #: Who decided it last: approved, declined.
    Column("decided_org", String(32)),
    Column("decided_user", String(32)),
    Column("reason", Text),
    Column("approved_at", DateTime),
    #: How often a call may have been made; counted before each is.
    Column("attempts", Integer, nullable=False),
    Column("submitted_at", DateTime),
    Column("request_id", String(80)),
    Column("unknown_since", DateTime),
    #: Listings in which it was not found since its outcome is unknown.
    Column("looks", Integer, nullable=False),
    Column("first_look_at", DateTime),
    Column("ops_told", Boolean, nullable=False),
    #: What is known of the order at Clear Street.
    Column("order", JSON),
    Column("order_id", String(64)),
    Column("order_over", Boolean, nullable=False),
    Column("changed_at", DateTime),
    #: Counts its changes.
    Column("serial", Integer, nullable=False),
    Column("owner", String(64)),
    Column("lease_until", DateTime),
    Column("due_at", DateTime, nullable=False),
    Column("created_at", DateTime, nullable=False),
    Column("expires_at", DateTime, nullable=False),
    Column("ended_at", DateTime),
    UniqueConstraint("message_id", "action_id", "position"),
    #: Two changes of one order are judged apart and add up at the exchange: one at most waits for people, and of those
    #: that may still take effect there is one of each kind (a cancel need not wait for a change).
    Index("ux_tickets_change_undecided", "account_id", "order_id", unique=True, **_CHANGE_UNDECIDED),
    Index("ux_tickets_change_under_way", "account_id", "order_id", "act", unique=True, **_CHANGE_UNDER_WAY),
    Index("ix_tickets_due_at", "due_at"),
    Index("ix_tickets_owner", "org", "user", "created_at"),
    Index("ix_tickets_holding", "account_id", "holding"),
)

#: The cards of tickets: a row is due while its card lacks the newest change, or somebody is still to be told of it.
ticket_cards = Table(
    "ticket_cards",
    metadata,
    #: The ticket's.
    Column("id", ForeignKey("tickets.id"), primary_key=True),
    #: The change that the card is to show, and the one it shows; as `serial` of the ticket.
    Column("wanted", Integer, nullable=False),
    Column("shown", Integer, nullable=False),
    #: What the requester has not heard of yet.
    Column("telling", String(16)),
    Column("failures", Integer, nullable=False),
    Column("owner", String(64)),
    Column("lease_until", DateTime),
    Column("due_at", DateTime, nullable=False),
    Index("ix_ticket_cards_due_at", "due_at"),
)

#: The Slack messages of tickets, as `posts` are those of turns: the card, its copies, what was told about it.
ticket_posts = Table(
    "ticket_posts",
    metadata,
    Column("ticket_id", ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True),
    Column("slot", String(48), primary_key=True),
    *_message_columns(),
)

#: What a ticket said before and after each edit; buttons carry a version's token.
ticket_versions = Table(
    "ticket_versions",
    metadata,
    Column("ticket_id", ForeignKey("tickets.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("token", String(48), nullable=False, unique=True),
    Column("terms", JSON, nullable=False),
    #: The exact body that is sent; NULL: a cancel, or nothing can be sent.
    Column("body", JSON),
    Column("unsendable", Text),
    Column("content_hash", String(64), nullable=False),
    Column("changes", JSON, nullable=False),
    #: Who edited it; NULL: it is Omni's.
    Column("org", String(32)),
    Column("user", String(32)),
    Column("created_at", DateTime, nullable=False),
)

#: Approvals of exactly these bytes.
ticket_votes = Table(
    "ticket_votes",
    metadata,
    Column("ticket_id", ForeignKey("tickets.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    #: An order that was not placed is approved afresh.
    Column("attempt", Integer, primary_key=True),
    Column("org", String(32), primary_key=True),
    Column("user", String(32), primary_key=True),
    Column("team", String(32), nullable=False),
    Column("content_hash", String(64), nullable=False),
    #: What they saw, and under which policy.
    Column("quote", JSON, nullable=False),
    Column("policy_digest", String(64), nullable=False),
    Column("created_at", DateTime, nullable=False),
)

#: What lets an approved ticket be sent: a signature with the audit's key, written as it is approved.
ticket_authorisations = Table(
    "ticket_authorisations",
    metadata,
    Column("ticket_id", ForeignKey("tickets.id"), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    #: Which of the operator's keys signed it.
    Column("key_id", String(16), nullable=False),
    Column("signature", String(64), nullable=False),
)

#: A person's exchange session by its date, or ("account", its id, "") what an account holds: locked by
#: whoever uses it up.
trading_days = Table(
    "trading_days",
    metadata,
    Column("org", String(32), primary_key=True),
    Column("user", String(32), primary_key=True),
    Column("day", String(10), primary_key=True),
)

#: What each ticket uses up of its owner's session, written down as it is approved: `day` is the date of the session in
#: which it would work first. Amounts are exact, as text.
reservations = Table(
    "reservations",
    metadata,
    Column("ticket_id", ForeignKey("tickets.id"), primary_key=True),
    Column("org", String(32), nullable=False),
    Column("user", String(32), nullable=False),
    Column("day", String(10), nullable=False),
    #: The order it places or changes: changes of one order count once, as the largest.
    Column("chain", String(80), nullable=False),
    Column("notional", Text, nullable=False),
    Column("quantity", Text, nullable=False),
    Index("ix_reservations_day", "org", "user", "day"),
)

#: Whether all trading is halted: one row.
halts = Table(
    "halts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("halted", Boolean, nullable=False),
    Column("org", String(32)),
    Column("user", String(32)),
    Column("reason", Text),
    Column("changed_at", DateTime),
)

#: What was done, by whom, and what they saw. Only ever added to; each row's hash covers the one before.
audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("prev_hash", String(64), nullable=False, unique=True),
    Column("hash", String(64), nullable=False, unique=True),
    #: Which of the operator's keys signed it.
    Column("key_id", String(16), nullable=False),
    Column("ticket_id", String(32)),
    #: The row itself, as the JSON text that was signed.
    Column("record", Text, nullable=False),
    Index("ix_audit_ticket_id", "ticket_id"),
)

#: The newest row of the audit: locked by whoever adds one. One row.
audit_heads = Table(
    "audit_heads",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
)
