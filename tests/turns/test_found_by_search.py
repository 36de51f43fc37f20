"""Stories of the turn engine that the search (`test_state_machine`) or the soak once found, told in virtual time."""

import pytest

from tests.turns.omni_model import Script, Trouble
from tests.turns.simulation import Envelope, World, playing
from tests.turns.slack_model import BOT, TEAM

ANA = "UANA"


def hear(world: World, listener: str, payload: dict[str, object]) -> None:
    """Slack delivers this."""
    world.envelopes.append(Envelope(listener, dict(payload)))
    world.do(world.run(0.0))


def command(text: str) -> dict[str, object]:
    return {"trigger_id": text, "user_id": ANA, "channel_id": "C1", "team_id": TEAM, "text": text}


def asked(world: World) -> list[str]:
    """What Omni was asked, in its order."""
    return [each.text for each in world.omni.every_question()]


def test_a_question_lost_on_its_way_is_asked_again_although_the_bot_keeps_dying():
    """No life lasts until the last of the looks that the question needs to count as lost."""
    with playing() as world:
        world.omni.troubles["create_thread"].append(Trouble.DROPPED)
        hear(world, "message", world.slack.say(ANA, f"D{ANA}", "What is up?")[1])
        for _ in range(12):
            world.do(world.run(3.0))
            world.do(world.fall(0.5))
        world.do(world.run(10.0))
        assert asked(world) == ["What is up?"]
        assert [final.answer.outcome for final in world.slack.finals.values()] == ["succeeded"]


def test_a_question_lost_in_a_time_out_gets_all_its_looks():
    """Omni takes it four seconds after the bot gave up waiting: it is found, not sent again."""
    with playing() as world:
        world.omni.troubles["create_thread"].append(Trouble.LATE)
        hear(world, "message", world.slack.say(ANA, f"D{ANA}", "What is up?")[1])
        world.do(world.run(40.0))
        assert asked(world) == ["What is up?"]
        assert [final.answer.outcome for final in world.slack.finals.values()] == ["succeeded"]


@pytest.mark.parametrize("seconds", [20.0, 120.0, -3600.0])
def test_a_question_lost_in_a_time_out_gets_all_its_looks_although_the_clock_is_set(seconds: float):
    """The looks are counted in time that passed: a clock that was put forward does not make the call an old one."""
    with playing() as world:
        world.omni.troubles["create_thread"].append(Trouble.LATE)
        hear(world, "message", world.slack.say(ANA, f"D{ANA}", "What is up?")[1])
        world.do(world.run(10.2))
        world.loop.set_ahead += seconds
        world.do(world.run(40.0))
        assert asked(world) == ["What is up?"]
        assert [final.answer.outcome for final in world.slack.finals.values()] == ["succeeded"]


def test_what_is_asked_below_a_command_waits_for_it_though_its_account_is_still_looked_up():
    with playing(account_known=False) as world:
        world.omni.troubles["accounts"].append(Trouble.BROKEN)
        hear(world, "command", command("first"))
        world.do(world.run(0.3))
        ((channel, root),) = world.slack.roots.values()
        hear(world, "message", world.slack.say(ANA, channel, f"<@{BOT}> second", root)[1])
        world.do(world.run(30.0))
        assert asked(world) == ["first", "second"]


def test_a_question_deleted_while_its_account_is_looked_up_leaves_no_placeholder():
    with playing(account_known=False) as world:
        world.omni.troubles["accounts"].append(Trouble.BROKEN)
        post, event = world.slack.say(ANA, "C1", f"<@{BOT}> never mind")
        hear(world, "message", event)
        world.do(world.run(0.3))
        assert world.slack.working
        hear(world, "message", world.slack.delete(post))
        world.do(world.run(30.0))
        assert asked(world) == []
        assert not world.slack.working
        assert not world.slack.finals


def test_leases_that_cannot_be_given_back_do_not_break_a_polite_stop():
    with playing() as world:
        world.omni.scripts["slow"] = Script(seconds=45.0)
        hear(world, "message", world.slack.say(ANA, f"D{ANA}", "slow")[1])
        world.do(world.run(5.0))
        world.database_troubles = 1
        world.do(world.restart())
        world.do(world.run(90.0))
        assert [final.answer.outcome for final in world.slack.finals.values()] == ["succeeded"]
