"""Bodies as the two vendors push them, good ones and others."""

from __future__ import annotations

from .ground import Target

AT = "2026-01-02 03:04:05"


def row(number: str, vendor_id: str, status: str = "10", code: str = "DELIVRD", at: str = AT) -> str:
    """Return one report of ipyy."""
    return (
        f"<statusbox><mobile>{number}</mobile><taskid>{vendor_id}</taskid><status>{status}</status>"
        f"<receivetime>{at}</receivetime><errorcode>{code}</errorcode></statusbox>"
    )


def reply_row(number: str, text: str, vendor_id: str = "1", at: str = AT) -> str:
    """Return one reply of ipyy."""
    return (
        f"<callbox><mobile>{number}</mobile><taskid>{vendor_id}</taskid><content>{text}</content>"
        f"<receivetime>{at}</receivetime><extno>01</extno></callbox>"
    )


def xml(*rows: str, before: str = '<?xml version="1.0" encoding="utf-8" ?>\n', encoding: str = "utf-8") -> bytes:
    """Return a push of ipyy."""
    return f"{before}<returnsms>{''.join(rows)}</returnsms>".encode(encoding)


def report(number: str, vendor_id: str, *others: str) -> bytes:
    """Return ipyy's word that a message arrived at these numbers."""
    return xml(*(row(one, vendor_id) for one in (number, *others)))


def delivered(target: Target) -> bytes:
    """Return ipyy's word that a target arrived."""
    return xml(row(target.number, target.vendor_id))


def failed(target: Target) -> bytes:
    """Return ipyy's word that it did not."""
    return xml(row(target.number, target.vendor_id, "20", "UNDELIV"))


def form(number: str, vendor_id: str = "2114364418256720085", state: str = "DELIVRD", user: str = "demo") -> bytes:
    """Return a report as winnerlook pushes it."""
    return f"account={user}&GetReport={vendor_id},{number},{state}|".encode()


def reply(number: str, text: str, at: str = "2026/01/02 03:04:05") -> bytes:
    """Return a reply as winnerlook pushes it."""
    return f"{number}|,|{text}|,|{at}".encode()
