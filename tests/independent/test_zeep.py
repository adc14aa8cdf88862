"""zeep, a SOAP library that is not ours, calls the sandboxes through the WSDL that they serve."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tocsin.sandbox import start

requests = pytest.importorskip("requests", reason="zeep brings requests")
zeep = pytest.importorskip("zeep", reason="zeep is not installed")

NUMBER = "13900000000"
TEXT = "if a<b && c &#1 磁盘已满【Example】"
LOGIN = {"userCode": "demo", "userPass": "demo-password"}
SEND = {**LOGIN, "DesNo": NUMBER, "Msg": TEXT, "Channel": "37"}


@contextmanager
def bound(vendor, path: str, service: str, port: str) -> Iterator[object]:
    """Read the description at `path` and bind one of its ports."""
    with requests.Session() as session:
        session.trust_env = False
        transport = zeep.Transport(session=session)
        client = zeep.Client(f"{vendor.base_url}{path}?WSDL", transport=transport)
        yield client.bind(service, port)


@pytest.mark.parametrize("port", ["MsgSendSoap", "MsgSendSoap12"])
def test_zeep_sends_through_winnerlook(port):
    """SendMsg and GetBalance are understood in both versions of SOAP; the text arrives as it was written."""
    with start("winnerlook") as vendor, bound(vendor, "/api/MsgSend.asmx", "MsgSend", port) as service:
        batch = service.SendMsg(**SEND)

        assert re.fullmatch("[0-9]{19}", batch)
        assert service.GetBalance(**LOGIN) == "999.90"
        assert service.SendMsg(**{**SEND, "userPass": "wrong"}) == "-3"
        assert vendor.ledger.texts_to(NUMBER) == (TEXT,)


@pytest.mark.parametrize("port", ["MsgSendSoap", "MsgSendSoap12"])
def test_zeep_finds_every_method_of_winnerlook(port):
    """The description names each method with its parameters; positions are the document's."""
    with start("winnerlook") as vendor, bound(vendor, "/api/MsgSend.asmx", "MsgSend", port) as service:
        batch = service.sendMesExt("demo", "demo-password", NUMBER, TEXT, "37", "12")
        assert vendor.ledger.submits[0].extension == "12"
        assert service.GetReport("demo", "demo-password", "") == f"{batch},{NUMBER},DELIVRD|"
        assert service.GetReport2("demo", "demo-password") is None
        assert service.GetMo("demo", "demo-password") is None
        assert service.GetMo2("demo", "demo-password") is None
        assert service.GetKeyWords("demo", "demo-password", "38") == "-8"
        for sealed in ("GetBalanceByEncrypt", "sendMsgByEncrypt", "GetReport2ByEncrypt", "GetMo2ByEncrypt"):
            assert service[sealed]("demo", "00") == "-22"


@pytest.mark.parametrize("port", ["WebServiceSoap", "WebServiceSoap12"])
def test_zeep_sends_through_ipyy(port):
    """SendSms takes its object and returns a SendResult with typed numbers."""
    sms = {"Msisdns": NUMBER, "SMSContent": TEXT, "PlanSendTime": "", "ExtNumber": "01"}
    with start("ipyy") as vendor, bound(vendor, "/WebService.asmx", "WebService", port) as service:
        result = service.SendSms(userName="demo", password="demo-password", sms=sms)
        refused = service.SendSms(userName="demo", password="wrong", sms=sms)

        assert (result.StatusCode, result.MsgId) == ("OK", vendor.ledger.submits[0].vendor_id)
        assert (result.Amount, result.SuccessCounts, result.BillingCount) == (9999, 1, 1)
        assert refused.StatusCode == "PasswordError"
        assert vendor.ledger.texts_to(NUMBER) == (TEXT,)
        assert vendor.ledger.submits[0].extension == "01"
