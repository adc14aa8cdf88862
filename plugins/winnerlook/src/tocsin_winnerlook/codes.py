"""The vendor's failure codes and what each proves. Holds tables; never sees a request or an answer's envelope."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tocsin.plugin import Reason, Refused, Unknown

# winnerlook v8.3, the tables of 失败状态码. Each row names a section that lists it; any method may answer any code.
REFUSALS: Mapping[str, Reason] = {
    "-3": Reason.AUTHENTICATION,  # source: 短信发送, 用户名密码错误或者用户无效
    "-5": Reason.SIGNATURE,  # source: 短信发送, 签名不正确（格式为:XXXX【签名内容】）
    "-6": Reason.KEYWORD,  # source: 短信发送, 含有关键字 keyWords
    "-7": Reason.BALANCE,  # source: 短信发送, 余额不足
    "-8": Reason.NO_CHANNEL,  # source: 短信发送, 没有可用通道，或不在时间范围内
    "-9": Reason.TOO_MANY,  # source: 短信发送, 发送号码一次不能超过 1000 个
    "-10": Reason.TOO_MANY,  # source: 短信发送, 号码数量大于允许上限
    "-11": Reason.TOO_FEW,  # source: 短信发送, 号码数量小于允许下限
    "-12": Reason.TEMPLATE,  # source: 短信发送, 模板不匹配
    "-13": Reason.ADDRESS_NOT_BOUND,  # source: 短信发送, Invalid Ip ip 绑定用户，未绑定该 ip
    "-14": Reason.BLOCKED,  # source: 短信发送, 用户黑名单
    "-15": Reason.BLOCKED,  # source: 短信发送, 系统黑名单
    "-16": Reason.INVALID_NUMBER,  # source: 短信发送, 号码格式错误
    "-17": Reason.INVALID_NUMBER,  # source: 短信发送, 无效号码
    "-18": Reason.EXTENSION,  # source: 短信发送, 没有设置用户的固定下发扩展号，不能自定义扩展
    "-19": Reason.INTERFACE,  # source: 短信发送, 强制模板通道，不能使用个性化接口
    "-20": Reason.CHARACTERS,  # source: 短信发送, 包含非法字符
    "-21": Reason.CONFIGURATION,  # source: 短信发送, 没有找到对应的 SubmitID 设置
    "-22": Reason.CONFIGURATION,  # source: 短信加密发送, 解密失败
    "-23": Reason.THROTTLED,  # source: 余额查询, 查询余额过频繁（至少间隔 10 秒）
}

# source: 短信发送, 应用程序异常. Nobody can say whether the vendor took the message before it.
_APPLICATION_EXCEPTION = "-1"

# source: 短信发送: these speak of the numbers of a submit and name none of them
_NAMES_NO_CULPRIT = frozenset({"-9", "-10", "-14", "-15", "-16", "-17"})

# "-3", "-6:促销", "-13 Invalid Ip"
_FAILURE = re.compile(r"(-[0-9]{1,2})(?:[: ](.*))?", re.DOTALL)


def parse_failure(value: str, recipients: int = 1) -> Refused | Unknown | None:
    """Read a value as a failure.

    Args:
        value: what a method returned, without blanks around it.
        recipients: how many numbers were submitted; a code that names none of several asks for a split.

    Returns:
        `Unknown` for the code that proves nothing; None for a value that is no failure by the vendor's grammar.
    """
    match = _FAILURE.fullmatch(value)
    if match is None:
        return None
    code, words = match.groups()
    if code == _APPLICATION_EXCEPTION:
        return Unknown("application-exception")
    if code in REFUSALS:
        hidden = recipients > 1 and code in _NAMES_NO_CULPRIT
        return Refused(Reason.SPLIT if hidden else REFUSALS[code], code, words or "")
    return Refused(Reason.UNRECOGNISED, code) if words is None else None
