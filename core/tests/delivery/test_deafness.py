"""Silence of an account that we never heard: it proves no more than that of one that we hear no more."""

import pytest

from tocsin.delivery import poll
from tocsin.errors import Reached, TransportError
from tocsin.model.ids import VendorId
from tocsin.model.outcome import Accepted
from tocsin.testing.vendor import answer_reports, answer_send


def test_an_account_whose_polls_never_succeeded_is_not_silent(house_of, desk_of):
    """Its reports were asked for and never came: an alert waits, until the first poll that is heard in vain."""
    deaf, taken = [True], []

    def carrier(request):
        account, method = request.url.removeprefix("http://").replace(".invalid", "").split("/")
        if method != "reports":
            taken.append(account)
            return answer_send(Accepted(VendorId(f"{len(taken)}")))
        if deaf:
            raise TransportError(reached=Reached.NO, cause="connect-refused")
        return answer_reports(())

    house = house_of(carrier)
    with pytest.raises(TransportError):
        poll.fetch_reports(house.parts, house.accounts["one"], house.holder)
    house.queue()
    desk = desk_of(house)

    desk.until(1800, step_s=30)
    assert taken == ["one"]

    deaf.clear()
    poll.fetch_reports(house.parts, house.accounts["one"], house.holder)
    desk.until(60)
    assert taken == ["one", "two"]
