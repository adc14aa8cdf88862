"""Attacks by what a body holds: XML, charsets, and texts that mean something to whoever shows them."""

from __future__ import annotations

import gzip
import socket
from contextlib import closing

from .attack import Result, attack
from .bodies import AT, reply, reply_row, row, xml
from .ground import Ground

NUMBER = "13900000000"
ROW = row(NUMBER, "920001")


def one_by(ground: Ground, body: bytes, *headers: str, account: str = "bare") -> Result:
    """Push once."""
    return Result([ground.push(account, body, *headers)])


@attack
def xml_bomb(ground: Ground) -> Result:
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return one_by(
        ground, xml(row(NUMBER, "&l9;"), before=f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY l0 "ha">{levels}]>')
    )


@attack
def xml_bomb_quadratic(ground: Ground) -> Result:
    declaration = f'<!DOCTYPE r [<!ENTITY a "{"x" * 100_000}">]>'
    return one_by(ground, xml(row(NUMBER, "&a;" * 100_000), before=f'<?xml version="1.0"?>{declaration}'))


@attack
def xml_bomb_in_rows(ground: Ground) -> Result:
    levels = '<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
    return one_by(ground, xml(ROW, levels, row(NUMBER, "&b;")))


@attack
def xxe_file(ground: Ground) -> Result:
    secret = ground.home / "secret.txt"
    secret.write_text("8613700000000", encoding="utf-8")
    before = f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a SYSTEM "file://{secret}">]>'
    result = one_by(ground, xml(row("&a;", "&a;"), before=before))
    for table, column in (
        ("report", "vendor_id"),
        ("report", "recipient"),
        ("inbound", "text"),
        ("quarantine", "piece"),
    ):
        held = f"SELECT count(*) FROM {table} WHERE {column} LIKE '%8613700000000%'"
        assert ground.ask(held) == 0, table
    return result


@attack
def xxe_network(ground: Ground) -> Result:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/x"
        declaration = f'<!DOCTYPE r SYSTEM "{url}" [<!ENTITY a SYSTEM "{url}">]>'
        result = one_by(ground, xml(row(NUMBER, "&a;"), before=f'<?xml version="1.0"?>{declaration}'))
        _nobody_came(listener)
    return result


@attack
def xxe_parameter_entity(ground: Ground) -> Result:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/x"
        declaration = f'<!DOCTYPE r [<!ENTITY % p SYSTEM "{url}"> %p;]>'
        result = one_by(ground, xml(ROW, before=f'<?xml version="1.0"?>{declaration}'))
        _nobody_came(listener)
    return result


def _nobody_came(listener: socket.socket) -> None:
    listener.setblocking(False)
    try:
        listener.accept()
    except BlockingIOError:
        return
    raise AssertionError("somebody followed an address in a push")


@attack
def xinclude(ground: Ground) -> Result:
    inclusion = '<xi:include href="file:///etc/hostname" parse="text"/>'
    box = ROW.replace("<statusbox>", '<statusbox xmlns:xi="http://www.w3.org/2001/XInclude">')
    return one_by(ground, xml(box.replace("</statusbox>", f"{inclusion}</statusbox>")))


@attack
def xml_depth(ground: Ground) -> Result:
    return one_by(ground, xml(f"<statusbox>{'<a>' * 100_000}{'</a>' * 100_000}</statusbox>"))


@attack
def xml_depth_unclosed(ground: Ground) -> Result:
    return one_by(ground, xml("<statusbox>" + "<a>" * 300_000))


@attack
def xml_many_torn_rows(ground: Ground) -> Result:
    before = ground.stock()
    result = one_by(ground, xml("<statusbox>" * 80_000))
    assert ground.stock().since(before)["quarantined"] == 101
    return result


@attack
def xml_attributes(ground: Ground) -> Result:
    attributes = " ".join(f'a{number}="1"' for number in range(50_000))
    return one_by(ground, xml(ROW.replace("<statusbox>", f"<statusbox {attributes}>")))


@attack
def compressed_undeclared(ground: Ground) -> Result:
    return one_by(ground, gzip.compress(xml(ROW)))


@attack
def charset_utf16(ground: Ground) -> Result:
    return one_by(ground, xml(ROW, encoding="utf-16"), "Content-Type: text/xml; charset=utf-16")


@attack
def charset_utf7(ground: Ground) -> Result:
    return one_by(ground, xml(ROW).replace(b"<", b"+ADw-"), "Content-Type: text/xml; charset=utf-7")


@attack
def charset_ebcdic(ground: Ground) -> Result:
    body = xml(ROW, before='<?xml version="1.0" encoding="cp037" ?>', encoding="cp037")
    return one_by(ground, body, "Content-Type: text/xml; charset=cp037")


@attack
def charset_names_a_codec(ground: Ground) -> Result:
    codecs = ("zlib_codec", "idna", "unicode_escape", "rot13", "../x")
    body = xml(row(NUMBER, "920002"))
    return Result([ground.push("bare", body, f"Content-Type: text/xml; charset={one}") for one in codecs])


@attack
def charset_lies(ground: Ground) -> Result:
    body = reply(ground.number(), "X").replace(b"X", "不用了".encode("gbk"))
    result = one_by(ground, body, "Content-Type: text/plain; charset=utf-8", account="main")
    assert ground.ask("SELECT text FROM inbound ORDER BY seq DESC LIMIT 1") == "不用了"
    return result


@attack
def log_injection(ground: Ground) -> Result:
    canary = "canary-of-a-text"
    ground.secrets.add(canary)
    text = f'\x1b[2J\x1b]0;{canary}\x07\r\nevent=tocsin.send.accepted account={canary}\n{{"event": "{canary}"}}'
    headers = (f"User-Agent: {canary}\tx", f"Content-Type: text/plain; {canary}", f"X-Request-Id: {canary}")
    path = f"{ground.path('main')}?{canary}=%0Aevent%3D{canary}"
    result = Result([ground.peer.post(path, reply(ground.number(), text), *headers)])
    shown = ground.inbox()
    assert canary in shown
    assert not set(shown) & {"\x1b", "\x07", "\r"}
    return result


@attack
def log_injection_in_refusal(ground: Ground) -> Result:
    canary = "canary-of-a-refusal"
    ground.secrets.add(canary)
    return one_by(ground, f"account={canary}%0Aevent=x&GetReport={canary}\n\x1b[2J".encode(), account="main")


@attack
def formula_injection(ground: Ground) -> Result:
    text = "=cmd|' /C calc'!A0"
    ground.secrets.add(text)
    result = one_by(ground, reply(ground.number(), text), account="main")
    assert ground.ask("SELECT text FROM inbound ORDER BY seq DESC LIMIT 1") == text
    return result


@attack
def sql_injection(ground: Ground) -> Result:
    text = "x'); DROP TABLE report; --"
    hostile = reply_row(ground.number(), text, at=AT).replace("01</extno>", "' OR 1=1 --</extno>")
    result = one_by(ground, xml(hostile))
    assert ground.ask("SELECT text FROM inbound ORDER BY seq DESC LIMIT 1") == text
    return result
