"""Taking a message back, over the command line."""

NUMBER = "13900000000"


def test_a_queued_message_is_taken_back(terminal, winnerlook):
    """What waits is cancelled, by message or by delivery, and never reaches a vendor."""
    terminal.configure(winnerlook)
    asked = ("--to", NUMBER, "--to", "13900000001", "--text", "disk full", "--key", "k")
    message = terminal.call("send", *asked, "--json").json

    one = terminal.call("cancel", f"{message['id']}.2", "--json")
    all_of_it = terminal.call("cancel", message["id"], "--json")
    again = terminal.call("send", "--now", *asked)

    assert [delivery["state"] for delivery in one.json] == ["cancelled"]
    assert [delivery["state"] for delivery in all_of_it.json] == ["cancelled", "cancelled"]
    assert (one.status, all_of_it.status) == (0, 0)
    assert again.status == 1
    assert winnerlook.ledger.submits == ()


def test_what_was_taken_is_too_late(terminal, winnerlook):
    """A submitted delivery stays as it is; the exit status and one sentence say so."""
    terminal.configure(winnerlook)
    message = terminal.send(NUMBER, "disk full").json

    ran = terminal.call("cancel", message["id"])

    assert ran.status == 1
    assert "1 of 1 could not be cancelled" in ran.err
    assert terminal.call("cancel", "nobody").status == 2
