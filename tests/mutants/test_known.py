"""The list of dangerous changes is about the code as it is."""

import pytest

from tests.mutants.known import changed, known


@pytest.mark.parametrize("mutant", known(), ids=lambda mutant: str(mutant["name"]))
def test_each_change_still_has_the_one_line_it_is_about(mutant: dict[str, str]):
    [(file, source)] = changed([mutant]).items()
    compile(source, file, "exec")


def test_all_changes_can_be_made_together():
    for file, source in changed(known()).items():
        compile(source, file, "exec")


def test_a_change_of_a_line_that_is_gone_is_refused():
    with pytest.raises(ValueError, match="0 times"):
        changed([{**known()[0], "old": "no such line"}])
