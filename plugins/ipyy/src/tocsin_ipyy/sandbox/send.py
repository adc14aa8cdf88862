"""The pages that send: text by form, encrypted or by SOAP, and MMS. Each reads its request into a `Call`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import attrs

from tocsin.sandbox import Operation
from tocsin.sandbox.aspnet import Invocation
from tocsin.sandbox.http import Answer
from tocsin.sandbox.site import Call, Desk, Draft, Reply, Serial, count_segments
from tocsin_ipyy.sandbox.answers import BEIJING, Fields, Page, encrypted_answer, send_answer, send_result
from tocsin_ipyy.sandbox.codes import OK, message
from tocsin_ipyy.sandbox.rules import (
    ACCOUNT,
    USER_ID,
    judge_action,
    judge_login,
    judge_mms,
    judge_presence,
    judge_sms,
)
from tocsin_ipyy.sandbox.text64 import BadText64, is_in_time, make_secret, open_text64
from tocsin_ipyy.sandbox.tms import BadContainer, open_container

COUNT_SHORT = "count-short"
NO_TASK_ID = "no-task-id"

_SEND_FIELDS = ("userid", "account", "password", "mobile", "content", "sendTime", "action", "extno")


class _Voice(NamedTuple):
    """How a submit is refused with a code, and accepted with a task id and a count."""

    refuse: Callable[[str], Answer]
    accept: Callable[[str, int], Answer]


class Sender:
    """Takes submits and numbers them."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._tasks = Serial()

    def read_sms(self, fields: Fields, page: Page) -> Call:
        """第一章."""
        draft = attrs.evolve(_page_draft(fields), text=fields.get("content", ""))
        judge = lambda: self._judge_form(fields) or judge_sms(draft, self._desk)  # noqa: E731 - as short as can be
        return self._submit(page.name, draft, judge, self._voice(page))

    def read_mms(self, fields: Fields, page: Page) -> Call:
        """第二章."""
        unreadable = ""
        draft = attrs.evolve(_page_draft(fields), subject=fields.get("subject", ""))
        try:
            attachments = open_container(fields.get("content", ""), self._desk.terms.byte_order)
            draft = attrs.evolve(draft, attachments=attachments)
        except BadContainer:
            unreadable = "1001"

        def judge() -> str:
            code = judge_presence(fields, ("subject",)) or self._judge_form(fields)
            return code or unreadable or judge_mms(draft, self._desk)

        return self._submit(page.name, draft, judge, self._voice(page))

    def read_encrypted(self, fields: Fields, page: Page) -> Call:
        """1.5. The account is found by UserId, since its password opens Text64."""
        try:
            members = open_text64(fields.get("Text64", ""), self._desk.terms.password)
        except BadText64:
            members = {}
        draft = Draft(
            numbers=_split(members.get("Moblie", "")),
            text=members.get("Text", ""),
            extension=members.get("Ext", ""),
            planned=members.get("SendTime", ""),
        )

        def judge() -> str:
            code = judge_presence(fields, ("UserId", "Text64")) or ("" if fields["UserId"] == USER_ID else "1008")
            return code or self._judge_members(members) or judge_sms(draft, self._desk)

        def accept(task: str, count: int) -> Answer:
            return encrypted_answer(OK, task, self._desk.terms.balance, count)

        return self._submit(page.name, draft, judge, _Voice(encrypted_answer, accept))

    def read_soap(self, invocation: Invocation) -> Call:
        """第八章."""
        given, render = invocation.arguments, invocation.render
        draft = Draft(
            numbers=_split(given.get("sms/Msisdns", "")),
            text=given.get("sms/SMSContent", ""),
            extension=given.get("sms/ExtNumber", ""),
            planned=given.get("sms/PlanSendTime", ""),
        )

        def judge() -> str:
            login = judge_login(given.get("userName", ""), given.get("password", ""), self._desk.terms)
            return login or judge_sms(draft, self._desk)

        def accept(task: str, count: int) -> Answer:
            billed = str(count_segments(draft.text) * len(draft.numbers))
            amount = str(self._desk.terms.balance)
            return render(send_result(OK, MsgId=task, Amount=amount, SuccessCounts=str(count), BillingCount=billed))

        return self._submit(invocation.method, draft, judge, _Voice(lambda code: render(send_result(code)), accept))

    def _voice(self, page: Page) -> _Voice:
        write = page.dialect.write

        def accept(task: str, count: int) -> Answer:
            return write(send_answer("Success", message(OK), str(page.purse(self._desk.terms)), task, str(count)))

        return _Voice(lambda code: write(send_answer("Faild", message(code))), accept)

    def _submit(self, name: str, draft: Draft, judge: Callable[[], str], voice: _Voice) -> Call:
        refuse = partial(Reply.refused, voice.refuse)

        def perform(shape: str) -> Reply:
            code = judge()
            if code:
                return refuse(code)
            # 16 digits as 1504080852350206 of the document: a date, a time and four more.
            task = self._tasks.next(int(f"{self._desk.now().astimezone(BEIJING):%y%m%d%H%M%S}0000"))
            told, count = "" if shape == NO_TASK_ID else task, len(draft.numbers) - (shape == COUNT_SHORT)
            return Reply(answer=voice.accept(told, count), accepted=True, vendor_id=task)

        return Call(operation=Operation.SUBMIT, name=name, draft=draft, perform=perform, refuse=refuse)

    def _judge_form(self, fields: Fields) -> str:
        code = judge_presence(fields, _SEND_FIELDS) or judge_action(fields, "send")
        return code or judge_login(fields["account"], fields["password"], self._desk.terms)

    def _judge_members(self, members: Fields) -> str:
        if not members:
            return "1009"
        name, secret, stamp = members["UserName"], members["Secret"], members["Stamp"]
        if name != ACCOUNT:
            return "1004" if name else "1002"
        if not is_in_time(stamp, self._desk.now()):
            return "1010"
        if secret != make_secret(self._desk.terms.password, stamp):
            return "1005" if secret else "1003"
        return ""


def _page_draft(fields: Fields) -> Draft:
    return Draft(
        numbers=_split(fields.get("mobile", "")),
        extension=fields.get("extno", ""),
        planned=fields.get("sendTime", ""),
    )


def _split(numbers: str) -> tuple[str, ...]:
    return tuple(number for number in numbers.split(",") if number)
