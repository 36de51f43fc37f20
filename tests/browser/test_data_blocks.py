"""Tables, charts, plans, cards: they sort, fold and scroll, and everybody can read them."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import expect

from tests.browser.block_gallery import Gallery

JSON = dict[str, Any]


class Box(NamedTuple):
    """Pixels from the window's corner."""

    left: float
    top: float
    right: float
    bottom: float


def raw(text: str) -> JSON:
    return {"type": "raw_text", "text": text}


def number(value: float, text: str | None = None) -> JSON:
    return {"type": "raw_number", "value": value, **({"text": text} if text else {})}


def rich(*elements: JSON) -> JSON:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(elements)}]}


def mrkdwn(text: str) -> JSON:
    return {"type": "mrkdwn", "text": text}


POSITIONS: JSON = {
    "type": "data_table",
    "caption": "Positions",
    "page_size": 3,
    "row_header_column_index": 0,
    "rows": [
        [raw("Symbol"), raw("Quantity"), raw("Note")],
        [raw("NVDA"), number(9), raw("b")],
        [raw("AAPL"), number(1000, "1,000"), rich({"type": "text", "text": "c"})],
        [raw("XOM"), number(-20), None],
        [raw("JPM"), number(100), raw("a")],
    ],
}


def column(gallery: Gallery, n: int) -> list[str]:
    return [text.strip() for text in gallery.root.locator(f"tbody tr > :nth-child({n})").all_text_contents()]


def test_a_data_table_has_caption_headers_and_row_headers(gallery: Gallery):
    gallery.show(POSITIONS)
    table = gallery.root.get_by_role("table", name="Positions")
    expect(table.get_by_role("columnheader")).to_have_text(["Symbol", "Quantity", "Note"])
    expect(table.get_by_role("rowheader")).to_have_text(["NVDA", "AAPL", "XOM"])


def test_a_data_table_turns_its_pages(gallery: Gallery):
    gallery.show(POSITIONS)
    expect(gallery.root).to_contain_text("1–3 of 4")
    back = gallery.root.get_by_role("button", name="Previous page")
    forward = gallery.root.get_by_role("button", name="Next page")
    expect(back).to_be_disabled()
    forward.click()
    assert column(gallery, 1) == ["JPM"]
    expect(gallery.root).to_contain_text("4–4 of 4")
    expect(forward).to_be_disabled()
    gallery.change({**POSITIONS, "rows": POSITIONS["rows"][:3]})
    assert column(gallery, 1) == ["NVDA", "AAPL"]


def test_columns_of_numbers_sort_as_numbers(gallery: Gallery):
    gallery.show({**POSITIONS, "page_size": 10})
    head = gallery.root.get_by_role("columnheader", name="Quantity")
    expect(head).to_have_attribute("aria-sort", "none")
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    assert column(gallery, 2) == ["-20", "9", "100", "1,000"]
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    assert column(gallery, 2) == ["1,000", "100", "9", "-20"]
    head.get_by_role("button").click()
    assert column(gallery, 1) == ["NVDA", "AAPL", "XOM", "JPM"]


def test_columns_of_words_sort_by_alphabet_with_empty_cells_last(gallery: Gallery):
    gallery.show({**POSITIONS, "page_size": 10})
    head = gallery.root.get_by_role("columnheader", name="Note").get_by_role("button")
    head.click()
    assert column(gallery, 3) == ["a", "b", "c", ""]
    head.click()
    assert column(gallery, 3) == ["c", "b", "a", ""]


def test_sorting_begins_at_the_first_page(gallery: Gallery):
    gallery.show(POSITIONS)
    gallery.root.get_by_role("button", name="Next page").click()
    gallery.root.get_by_role("columnheader", name="Symbol").get_by_role("button").click()
    assert column(gallery, 1) == ["AAPL", "JPM", "NVDA"]


def test_a_table_scrolls_by_itself_and_can_be_reached_by_keyboard(gallery: Gallery):
    wide = [[raw(f"column number {n}") for n in range(20)], [raw("x") for _ in range(20)]]
    gallery.show({"type": "table", "rows": wide})
    region = gallery.root.get_by_role("region", name="Table")
    expect(region).to_have_attribute("tabindex", "0")
    assert region.evaluate("(it) => it.scrollWidth > it.clientWidth")
    assert gallery.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_a_table_aligns_its_columns_as_told(gallery: Gallery):
    settings = [None, {"align": "right"}, {"align": "center", "is_wrapped": True}]
    gallery.show({"type": "table", "column_settings": settings, "rows": [[raw(t) for t in "abcd"]] * 2})
    aligned = gallery.root.locator("td").evaluate_all("(all) => all.map((it) => getComputedStyle(it).textAlign)")
    assert aligned == ["left", "right", "center", "left"]


def plot(kind: str, **series: list[float]) -> JSON:
    days = ["Mon", "Tue", "Wed"]
    return {
        "type": "data_visualization",
        "title": "Profit by day",
        "chart": {
            "type": kind,
            "series": [
                {
                    "name": name,
                    "data": [{"label": day, "value": value} for day, value in zip(days, values, strict=False)],
                }
                for name, values in series.items()
            ],
            "axis_config": {"categories": days, "x_label": "Day", "y_label": "USD"},
        },
    }


PIE: JSON = {
    "type": "data_visualization",
    "title": "Sectors",
    "chart": {"type": "pie", "segments": [{"label": "Tech", "value": 3}, {"label": "Energy", "value": 1}]},
}


@pytest.mark.parametrize("kind", ["bar", "line", "area"])
def test_a_chart_is_a_table_for_those_who_cannot_see_it(gallery: Gallery, kind: str):
    gallery.show(plot(kind, Made=[12_345.5, -3, 8], Lost=[1, 2]))
    expect(gallery.root.get_by_role("img", name=re.compile(f"Profit by day: {kind} chart"))).to_be_visible()
    table = gallery.root.get_by_role("table", name="Profit by day")
    expect(table.get_by_role("columnheader")).to_have_text(["Day", "Made", "Lost"])
    expect(table.get_by_role("row").nth(1)).to_have_text("Mon12,345.51")
    expect(table.get_by_role("row").nth(3)).to_have_text("Wed8")


def test_a_pie_is_a_table_with_shares(gallery: Gallery):
    gallery.show(PIE)
    expect(gallery.root.get_by_role("table", name="Sectors").get_by_role("row").nth(1)).to_have_text("Tech375%")
    expect(gallery.root.locator("figure")).to_contain_text("Energy · 25%")


def test_the_table_takes_the_charts_place_when_asked(gallery: Gallery):
    gallery.show(plot("bar", Made=[1, 2, 3]))
    seen = "(table) => table.parentElement.offsetWidth > 100"
    table = gallery.root.get_by_role("table")
    assert not table.evaluate(seen)
    gallery.root.get_by_role("button", name="Show as a table").click()
    expect(gallery.root.get_by_role("img", name="Profit")).to_have_count(0)
    assert table.evaluate(seen)
    gallery.root.get_by_role("button", name="Show as a chart").click()
    expect(gallery.root.get_by_role("img", name="Profit")).to_have_count(1)


def boxes(gallery: Gallery, selector: str) -> list[Box]:
    """Where these are, all at the same moment: a chart is drawn again when it learns how wide it may be."""
    found: list[list[float]] = gallery.root.locator(selector).evaluate_all(
        "(all) => all.map((it) => it.getBoundingClientRect()).map((b) => [b.left, b.top, b.right, b.bottom])"
    )
    return [Box(*sides) for sides in found]


@pytest.mark.parametrize(("kind", "marks"), [("bar", ".bk-bar"), ("line", ".bk-dot"), ("area", ".bk-dot")])
def test_marks_stand_where_their_values_are(gallery: Gallery, kind: str, marks: str):
    gallery.show(plot(kind, Made=[10, -5, 0]))
    expect(gallery.root.locator(marks)).to_have_count(3)
    high, low, zero = boxes(gallery, marks)
    assert high.top < zero.top < low.bottom
    assert high.left < low.left < zero.left


def test_the_pointer_is_told_the_values(gallery: Gallery):
    gallery.show(plot("line", Made=[10, 20, 30], Lost=[1, 2, 3]))
    gallery.root.locator(".bk-dot").nth(2).hover(force=True)
    expect(gallery.root.locator(".bk-tip")).to_have_text(re.compile(r"Wed\s*Made30\s*Lost3"))
    gallery.page.mouse.move(0, 0)
    expect(gallery.root.locator(".bk-tip")).to_have_count(0)


@pytest.mark.parametrize("values", [[0, 0, 0], [5, 5, 5], [-1, -2, -3], [1e12, 2, 3], [0.00001, 0.00002, 0]])
@pytest.mark.parametrize("kind", ["bar", "line", "area"])
def test_a_chart_of_odd_numbers_stays_inside_its_frame(gallery: Gallery, kind: str, values: list[float]):
    gallery.show(plot(kind, Made=values))
    assert "NaN" not in gallery.markup()
    expect(gallery.root.get_by_role("img", name="Profit")).to_be_visible()
    frame, *marks = boxes(gallery, "[role=img], .bk-bar, .bk-dot")
    assert len(marks) == len(values)
    assert all(frame.top <= mark.top <= mark.bottom <= frame.bottom for mark in marks)


def test_a_task_says_its_state_in_words(gallery: Gallery):
    task: JSON = {
        "type": "task_card",
        "task_id": "t",
        "title": "Read",
        "details": rich({"type": "text", "text": "Seven"}),
    }
    for status, words in {
        "pending": "Pending",
        "in_progress": "In progress",
        "complete": "Complete",
        "error": "Error",
    }.items():
        gallery.show({**task, "status": status, "sources": [{"type": "url", "url": "https://a.example/", "text": "A"}]})
        expect(gallery.root.get_by_role("img", name=words)).to_be_visible()
        expect(gallery.root.get_by_role("link", name="A")).to_have_attribute("href", "https://a.example/")
        assert "ReadSeven" in gallery.text().replace("\n", "").replace(" ", "")


def test_a_task_may_hide_its_title(gallery: Gallery):
    words = rich({"type": "text", "text": "Seven"})
    task = {"type": "task_card", "task_id": "t", "title": "Read", "status": "complete", "hide_title": True}
    gallery.show({**task, "output": words})
    assert gallery.text().strip() == "Seven"


def test_a_plan_folds_its_tasks(gallery: Gallery):
    tasks = [{"type": "task_card", "task_id": str(n), "title": f"Step {n}", "status": "complete"} for n in range(3)]
    gallery.show({"type": "plan", "title": "The plan", "tasks": tasks})
    head = gallery.root.get_by_role("button", name="The plan")
    expect(gallery.root.get_by_role("listitem")).to_have_count(3)
    head.click()
    expect(head).to_have_attribute("aria-expanded", "false")
    expect(gallery.root.get_by_role("listitem")).to_have_count(0)


def test_a_container_folds_and_may_begin_folded(gallery: Gallery):
    box = {
        "type": "container",
        "title": {"type": "plain_text", "text": "Order"},
        "subtitle": mrkdwn("in *2* minutes"),
        "child_blocks": [{"type": "section", "text": mrkdwn("Buy *100*")}],
        "is_collapsible": True,
        "default_collapsed": True,
    }
    gallery.show(box)
    expect(gallery.root.get_by_text("Buy 100")).to_be_hidden()
    gallery.root.get_by_role("button", name="Order in 2 minutes").click()
    expect(gallery.root.get_by_text("Buy 100")).to_be_visible()


def test_cards_of_a_carousel_scroll_and_their_buttons_act(gallery: Gallery):
    def card(n: int) -> JSON:
        go = {"type": "button", "action_id": f"go{n}", "text": {"type": "plain_text", "text": f"Open {n}"}}
        return {"type": "card", "block_id": f"card{n}", "title": mrkdwn(f"*Card {n}*"), "actions": [go]}

    gallery.show({"type": "carousel", "elements": [card(n) for n in range(8)]})
    expect(gallery.root.get_by_role("button", name="Previous cards")).to_have_count(0)
    gallery.root.get_by_role("button", name="Next cards").click()
    expect(gallery.root.get_by_role("button", name="Previous cards")).to_be_visible()
    gallery.root.get_by_role("button", name="Open 7").click()
    assert gallery.acted(1) == [["card7", "go7", {}]]


def test_a_card_may_have_one_of_slacks_drawings_and_small_print(gallery: Gallery):
    card = {"type": "card", "title": mrkdwn("Keys"), "subtext": mrkdwn("Since *May*")}
    gallery.show({**card, "slack_icon": {"type": "icon", "name": "key"}})
    expect(gallery.root.locator("article svg")).to_have_count(1)
    expect(gallery.root.locator("article")).to_contain_text("Since May")
    gallery.show({**card, "slack_icon": {"type": "icon", "name": "unicorn"}})
    expect(gallery.root.get_by_role("note")).to_contain_text("unknown slack_icon unicorn")


def test_a_button_in_a_cell_acts_and_sorts_by_its_fallback(gallery: Gallery):
    def cell(text: str, fallback: str) -> JSON:
        button = {"type": "button", "action_id": text, "text": {"type": "plain_text", "text": text}}
        return {"type": "action_cell", "element": button, "fallback": raw(fallback)}

    gallery.show({"type": "data_table", "caption": "c", "rows": [[raw("Do")], [cell("Sell", "2")], [cell("Buy", "1")]]})
    gallery.root.get_by_role("columnheader", name="Do").get_by_role("button").click()
    assert column(gallery, 1) == ["Buy", "Sell"]
    gallery.root.get_by_role("button", name="Sell").click()
    assert gallery.acted(1)[0][1] == "Sell"


@pytest.mark.parametrize("level", ["default", "info", "warning", "error", "success"])
def test_an_alert_is_announced(gallery: Gallery, level: str):
    gallery.show({"type": "alert", "level": level, "text": mrkdwn("Mind *this*")}, surface="modal")
    expect(gallery.root.get_by_role("alert" if level == "error" else "status")).to_have_text("Mind this")


def test_a_video_is_a_link_beside_its_picture(gallery: Gallery):
    gallery.show(
        {
            "type": "video",
            "title": {"type": "plain_text", "text": "How to trade"},
            "video_url": "https://video.example/1",
            "thumbnail_url": "https://video.example/1.png",
            "alt_text": "A desk",
        }
    )
    expect(gallery.root.get_by_role("link", name="How to trade")).to_have_attribute("href", "https://video.example/1")
    expect(gallery.root.get_by_role("img", name="A desk")).to_be_visible()
