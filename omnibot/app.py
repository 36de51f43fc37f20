"""The composition root: from settings to one running service."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial

import structlog
from aiohttp.web import RouteDef

from omnibot import telemetry, web
from omnibot.accounts.account_choices import AccountChoices
from omnibot.accounts.link_cache import LinkCache
from omnibot.accounts.link_page import LinkPage
from omnibot.accounts.link_tokens import LinkTokens
from omnibot.accounts.linking import Linking
from omnibot.accounts.model import Linked, Person
from omnibot.accounts.service import Keyring
from omnibot.accounts.store import LinkStore
from omnibot.blocks.account.consent import manage_blocks
from omnibot.blocks.layout.types import Block
from omnibot.charts import Charts
from omnibot.clearstreet.market import MarketData
from omnibot.clearstreet.omni import Omni
from omnibot.clearstreet.trading import Trading
from omnibot.clearstreet.transport import Transport
from omnibot.connections import Handler, Limits
from omnibot.consent.model import Consent
from omnibot.consent.service import Consents
from omnibot.consent.store import forget_consents
from omnibot.db.engine import Database, open_database
from omnibot.db.migrate import require_current
from omnibot.db.presence import Presence
from omnibot.db.tables import ticket_posts
from omnibot.encryption import Encryption
from omnibot.errors import OmnibotError
from omnibot.market_data.service import Markets
from omnibot.orders.audit import Audit, Signer
from omnibot.orders.audit_heads import HeadFile, Heads
from omnibot.orders.service import Orders
from omnibot.orders.store import TicketStore
from omnibot.policy.live_policy import LivePolicy
from omnibot.scheduler import Scheduler
from omnibot.settings import Settings, split_address, split_secrets
from omnibot.slack import listeners
from omnibot.slack.app import build_app, open_client, open_session, token_trouble, who_am_i
from omnibot.slack.authorization.account_data import AccountDataPlaces
from omnibot.slack.authorization.service import Authorization
from omnibot.slack.authorization.users import ROLE_AGE, Users
from omnibot.slack.connection.http import EventsEndpoint
from omnibot.slack.connection.socket_mode import SocketConnections, socket_mode
from omnibot.slack.delivery.background import Background
from omnibot.slack.delivery.files import Pictures
from omnibot.slack.delivery.messages import Messages
from omnibot.slack.delivery.ops_channel import OpsChannel
from omnibot.slack.delivery.rate_limits import SHARE, WriteBudget
from omnibot.slack.delivery.replies import SlackReply
from omnibot.slack.features.admission import SlackAdmission
from omnibot.slack.features.api_keys import ApiKeyActions, Workspace
from omnibot.slack.features.app_home import AppHome, HomeSection
from omnibot.slack.features.consent import SlackConsentPolicy
from omnibot.slack.features.history import ConversationHistory
from omnibot.slack.features.order_cards import OrderCards
from omnibot.slack.features.order_proposals import SlackOrderProposals
from omnibot.slack.features.orders import OrderActions
from omnibot.turns.engine import Turns
from omnibot.turns.history import History
from omnibot.turns.store import TurnStore
from omnibot.turns.waiting import forget_held

log = structlog.get_logger(__name__)


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[None]:
    """Start everything, the listeners last; stop in the opposite order.

    Raises:
        SettingsError: something is missing or wrong; the message says what to do.
    """
    slack_token = settings.slack_bot_token.get_secret_value()
    shared_key = settings.clear_street_api_key.get_secret_value() if settings.clear_street_api_key else None
    app_token = settings.slack_app_token.get_secret_value() if settings.slack_app_token else None
    signing_secret = settings.slack_signing_secret.get_secret_value() if settings.slack_signing_secret else None
    telemetry.configure(settings.secrets(), logging.getLevelNamesMapping()[settings.omnibot_log_level.upper()])
    async with AsyncExitStack() as stack:
        database = await open_database(settings.database_url)
        stack.push_async_callback(database.close)
        await require_current(database)

        session = await stack.enter_async_context(open_session())
        client = open_client(session, token=slack_token, api_url=settings.slack_api_url)
        me = await who_am_i(client)
        bot_user_id = me.bot_user_id or me.user_id or ""

        ops = OpsChannel(client, settings.omnibot_ops_channel)
        book = LivePolicy.open(settings.omnibot_policy, ops.say)
        people = Users(client)
        access = Authorization(client, people, lambda: book.current, team=me.team_id or "")

        transport = Transport(
            base_url=settings.clear_street_base_url,
            rate=settings.omnibot_api_rate,
            revision=settings.clear_street_api_revision,
        )
        stack.push_async_callback(transport.close)
        encryption_keys = settings.encryption_keys()
        links = LinkCache(LinkStore(database), Encryption(encryption_keys) if encryption_keys else None)
        trading = Trading(transport)
        presence = Presence(database)
        # Before the first row is owned: an owner without a lock looks dead to the others.
        await presence.hold()
        signer = Signer(split_secrets(settings.omnibot_audit_key), settings.audit_secrets())
        head_file = HeadFile(settings.omnibot_audit_head_file) if settings.omnibot_audit_head_file is not None else None
        tickets = TicketStore(database, presence.instance, Audit(signer, Heads(head_file)))
        forget = [forget_held, forget_consents, tickets.forget]
        linking = Linking(links, trading, forget=forget, may_link=access.may_link)
        keyring = Keyring(
            trading,
            shared_key=shared_key,
            shared_account_id=settings.clear_street_account_id,
            links=links,
            choices=AccountChoices(database),
            may_share=access.may_share,
            may_link=access.may_link,
        )

        scheduler = Scheduler()
        scheduler.start()
        book.start(scheduler)
        stack.push_async_callback(scheduler.stop)

        async def assure(turn_id: str, seconds: float) -> None:
            await turns.assure_id(turn_id, seconds)

        posts = Messages(client, database, assure=assure)
        charts = Charts()
        stack.push_async_callback(charts.close)
        pictures = Pictures(client, database, charts)
        budget = WriteBudget(share=1.0 if database.single_process else SHARE)
        omni, consent_policy = Omni(transport), SlackConsentPolicy(access)
        retention = timedelta(days=settings.omnibot_retention_days)
        consents = Consents(
            database,
            omni,
            keyring,
            may_sign=consent_policy.may_sign_now,
            may_look=consent_policy.may_look_now,
            retention=retention,
        )
        places = AccountDataPlaces(access)
        reply = SlackReply(
            client,
            posts,
            budget,
            pictures,
            chart_url=settings.omnibot_chart_url,
            card_of=consents.card,
            places=places,
        )
        stack.push_async_callback(reply.close)
        admission = SlackAdmission(people, access, posts, bot_user_id=bot_user_id)
        store = TurnStore(database, presence.instance)
        live = settings.omnibot_trading == "live"

        async def settled(turn_id: str) -> None:
            if (turn := await store.get(turn_id)) is not None:
                reply.resume(turn)

        workspace_url = me.url or "https://slack.com/"
        order_posts = Messages(client, database, assure=_nobody_else, table=ticket_posts)
        cards = OrderCards(
            order_posts, tickets, access, places, ops, workspace_url=workspace_url, live=live, settled=settled
        )
        market_data = MarketData(transport)
        orders = Orders(
            tickets,
            trading,
            market_data,
            keyring,
            scheduler,
            rules=book,
            who=lambda person, _team: access.who(person, age=ROLE_AGE),
            cards=cards,
            revision=omni.supports,
            live=live,
        )
        order_proposals = SlackOrderProposals(orders, access)
        turns = Turns(
            store,
            omni,
            keyring,
            scheduler,
            presence,
            markets=Markets(market_data),
            admission=admission,
            reply=reply,
            retention=retention,
            consent_policy=consent_policy,
            order_proposals=order_proposals,
        )
        orders.start()
        stack.push_async_callback(orders.stop)
        turns.start()
        stack.push_async_callback(turns.drain)

        background = Background()
        background.start(keyring.warm())
        stack.push_async_callback(background.close)
        app = build_app(session, settings.slack_api_url, me)
        conversations = ConversationHistory(
            client,
            access,
            keyring,
            omni,
            History(database),
            team=me.team_id or "",
            workspace_url=workspace_url,
        )
        order_desk = OrderActions(orders, cards, order_proposals, turns, access, background)
        home = AppHome(
            client,
            access,
            keyring,
            links,
            conversations,
            background,
            retention_days=settings.omnibot_retention_days,
            alone=database.single_process,
            sections=(
                HomeSection("What Omni may see of your accounts", partial(_consents_shown, consents)),
                HomeSection("Your open orders", order_desk.open_tickets),
            ),
        )

        keyring.on_broken(home.refresh)

        async def consent_changed(consent: Consent) -> None:
            home.refresh(consent.person)
            await turns.consent_changed(consent.turn_id)

        consents.start(scheduler, consent_changed)
        pages = None
        if settings.omnibot_public_url is not None and links.possible:

            async def told(person: Person, _team: str, linked: Linked) -> None:
                await key_desk.told(client, person, linked)

            pages = LinkPage(LinkTokens(database, links), linking, public_url=settings.omnibot_public_url, told=told)
        workspace = Workspace(me.team_id or "", me.team or "Slack")
        key_desk = ApiKeyActions(
            linking, keyring, access, people, turns, pages=pages, workspace=workspace, changed=home.refresh
        )
        listeners.register(
            app,
            listeners.Services(
                turns, consents, background, access, bot_user_id, conversations, home, key_desk, order_desk
            ),
        )
        checks: dict[str, web.Check] = {"database": partial(_database_trouble, database)}
        events = EventsEndpoint(app, signing_secret or "").handle if app_token is None else None
        # The listeners stop first: nothing new comes in while the rest drains.
        if app_token is not None:
            sockets = await stack.enter_async_context(socket_mode(app, app_token, scheduler))
            checks["slack"] = partial(_socket_trouble, sockets)
        else:
            checks["slack"] = partial(token_trouble, client)
        await _serve(stack, settings, checks, events, turns.collect, pages.routes() if pages is not None else ())
        log.info("omnibot_started", instance=presence.instance, mode="http" if events else "socket")
        yield
        log.info("omnibot_stopping")


async def _serve(
    stack: AsyncExitStack,
    settings: Settings,
    checks: Mapping[str, web.Check],
    events: Handler | None,
    collect: Callable[[], Awaitable[None]],
    routes: Sequence[RouteDef],
) -> None:
    """Listen, with health and metrics at an address of their own where there is one."""
    limits = Limits(connections=settings.omnibot_connections, seconds=settings.omnibot_request_seconds)
    health = partial(web.build, checks, collect=collect, remembered=settings.omnibot_ready_seconds)
    if settings.omnibot_health_address is None:
        server = health(events=events, routes=routes)
    else:
        server = web.build(None, events=events, routes=routes)
        host, port = split_address(settings.omnibot_health_address)
        apart = web.serving(health(events=None), port, host, limits=limits, setting="OMNIBOT_HEALTH_ADDRESS")
        await stack.enter_async_context(apart)
    await stack.enter_async_context(web.serving(server, settings.port, settings.omnibot_host, limits=limits))


async def run(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT, then drain."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    async with running(settings):
        await stop.wait()


async def _nobody_else(_ticket_id: str, _seconds: float) -> None:
    """Cards have leases of their own, which outlast a call."""


async def _consents_shown(consents: Consents, person: Person) -> list[Block]:
    return manage_blocks(await consents.overview(person))


async def _database_trouble(database: Database) -> str | None:
    try:
        await database.require_writable()
        await require_current(database)
    except OmnibotError as error:
        return str(error)
    return None


async def _socket_trouble(sockets: SocketConnections) -> str | None:
    return None if await sockets.connected() else "no Socket Mode connection"
