"""What is remembered of accounts: refused words, and turns to ask a balance."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tocsin.model.ids import AccountId

MAIN, BACKUP = AccountId("main"), AccountId("backup")


def test_the_last_list_of_words_is_the_one(desk):
    """A list replaces the one before, of its account alone; where none was kept there is none."""
    desk.outbox.save_keywords(MAIN, ("促销", "free"), desk.now)
    desk.outbox.save_keywords(BACKUP, ("loan",), desk.now)
    desk.outbox.save_keywords(MAIN, ("促销",), desk.now)

    assert desk.outbox.keywords(MAIN) == ("促销",)
    assert desk.outbox.keywords(BACKUP) == ("loan",)
    assert desk.outbox.keywords(AccountId("other")) == ()


@pytest.mark.parametrize(("waited", "left"), [(0, 10), (4, 6), (9.5, 0.5), (10, 0), (11, 0)])
def test_turns_are_apart(desk, waited, left):
    """A turn is free so long after the last one that was taken; one that is not free takes nothing."""
    assert desk.outbox.reserve_balance(MAIN, 10, desk.now) == 0
    desk.wait(seconds=waited)

    assert desk.outbox.reserve_balance(MAIN, 10, desk.now) == pytest.approx(left)
    assert desk.outbox.reserve_balance(BACKUP, 10, desk.now) == 0


def test_a_clock_that_was_set_back_does_not_lock_the_turn(desk):
    """A turn that was taken in what is now the future frees itself no later than one that was taken just now."""
    desk.outbox.reserve_balance(MAIN, 10, desk.now)
    desk.wait(seconds=-3600)

    assert desk.outbox.reserve_balance(MAIN, 10, desk.now) <= 10


def test_of_many_who_ask_at_once_one_has_the_turn(desk):
    """Threads that ask at once get one turn between them."""
    with ThreadPoolExecutor(8) as threads:
        waits = list(threads.map(lambda _: desk.outbox.reserve_balance(MAIN, 10, desk.now), range(8)))

    assert waits.count(0) == 1
