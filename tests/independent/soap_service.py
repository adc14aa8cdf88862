"""A SOAP service that is not ours: spyne's, with the vendors' methods. A program of its own.

    python soap_service.py 1.1|1.2

It prints its port, then each call that it understood as a line of JSON. The login's name chooses the answer: `refused`,
`broken` (a fault), `null`, anything else for success.

It runs apart from the tests: spyne puts an importer into the interpreter of which Python 3.11 warns at every turn.
"""

import json
import sys
from decimal import Decimal
from wsgiref.simple_server import WSGIRequestHandler, make_server

from spyne import Application, ComplexModel, Fault, Integer, ServiceBase, Unicode, rpc
from spyne import Decimal as DecimalType
from spyne.protocol.soap import Soap11, Soap12
from spyne.server.wsgi import WsgiApplication

NAMESPACE = "http://tempuri.org/"
BATCH = "2114355899380234221"
TASK = "1504080852350206"


class SmsObject(ComplexModel):
    """The `sms` of SendSms."""

    __namespace__ = NAMESPACE
    _type_info = tuple((name, Unicode) for name in ("Msisdns", "SMSContent", "PlanSendTime", "ExtNumber"))


class SendResult(ComplexModel):
    """What SendSms returns."""

    __namespace__ = NAMESPACE
    _type_info = (
        ("StatusCode", Unicode),
        ("Description", Unicode),
        ("MsgId", Unicode),
        ("Amount", DecimalType),
        ("SuccessCounts", Integer),
        ("BillingCount", Integer),
        ("Errors", Unicode),
    )


def answer(ctx, method, login, arguments, answers):
    """Tell of a call, and return what the login's name chooses of (success, refusal)."""
    told = {"method": method, "action": ctx.transport.req_env.get("HTTP_SOAPACTION", ""), "arguments": arguments}
    print(json.dumps(told), flush=True)
    if login == "broken":
        raise Fault("Server", "out of order")
    success, refusal = answers
    return {"refused": refusal, "null": None}.get(login, success)


class Service(ServiceBase):
    """Both vendors' submits."""

    @rpc(*[Unicode] * 5, _returns=Unicode)
    def SendMsg(ctx, userCode, userPass, DesNo, Msg, Channel):
        return answer(ctx, "SendMsg", userCode, [userCode, userPass, DesNo, Msg, Channel], (BATCH, "-6:促销"))

    @rpc(*[Unicode] * 6, _returns=Unicode)
    def sendMesExt(ctx, userCode, userPass, DesNo, Msg, Channel, ExeNo):
        arguments = [userCode, userPass, DesNo, Msg, Channel, ExeNo]
        return answer(ctx, "sendMesExt", userCode, arguments, (BATCH, "-18"))

    @rpc(Unicode, Unicode, SmsObject, _returns=SendResult)
    def SendSms(ctx, userName, password, sms):
        arguments = [userName, password, sms.Msisdns, sms.SMSContent, sms.PlanSendTime, sms.ExtNumber]
        count = len(sms.Msisdns.split(","))
        taken = SendResult(
            StatusCode="OK",
            Description="操作成功",
            MsgId=TASK,
            Amount=Decimal("-4"),
            SuccessCounts=count,
            BillingCount=count,
        )
        refused = SendResult(StatusCode="SensitiveWords", Description="敏感词汇", SuccessCounts=0)
        return answer(ctx, "SendSms", userName, arguments, (taken, refused))


class Silent(WSGIRequestHandler):
    """Keeps its access log to itself."""

    def log_message(self, *_):
        pass


def main(version):
    protocol = {"1.1": Soap11, "1.2": Soap12}[version]
    application = Application([Service], NAMESPACE, in_protocol=protocol(validator="lxml"), out_protocol=protocol())
    with make_server("127.0.0.1", 0, WsgiApplication(application), handler_class=Silent) as server:
        print(server.server_port, flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
