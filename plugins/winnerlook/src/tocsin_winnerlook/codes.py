"""The vendor's failure codes and what each proves. Holds tables; never sees a request or an answer's envelope."""

from __future__ import annotations

import re
from collections.abc import Mapping

import tocsin.plugin as t

# winnerlook v8.3, the tables of 失败状态码. Each row names a section that lists it; any method may answer any code.
REFUSALS: Mapping[str, t.Reason] = {
    "-3": t.Reason.AUTHENTICATION,  # source: 短信发送, 用户名密码错误或者用户无效
    "-5": t.Reason.SIGNATURE,  # source: 短信发送, 签名不正确（格式为:XXXX【签名内容】）
    "-6": t.Reason.KEYWORD,  # source: 短信发送, 含有关键字 keyWords
    "-7": t.Reason.BALANCE,  # source: 短信发送, 余额不足
    "-8": t.Reason.NO_CHANNEL,  # source: 短信发送, 没有可用通道，或不在时间范围内
    "-9": t.Reason.TOO_MANY,  # source: 短信发送, 发送号码一次不能超过 1000 个
    "-10": t.Reason.TOO_MANY,  # source: 短信发送, 号码数量大于允许上限
    "-11": t.Reason.TOO_FEW,  # source: 短信发送, 号码数量小于允许下限
    "-12": t.Reason.TEMPLATE,  # source: 短信发送, 模板不匹配
    "-13": t.Reason.ADDRESS_NOT_BOUND,  # source: 短信发送, Invalid Ip ip 绑定用户，未绑定该 ip
    "-14": t.Reason.BLOCKED,  # source: 短信发送, 用户黑名单
    "-15": t.Reason.BLOCKED,  # source: 短信发送, 系统黑名单
    "-16": t.Reason.INVALID_NUMBER,  # source: 短信发送, 号码格式错误
    "-17": t.Reason.INVALID_NUMBER,  # source: 短信发送, 无效号码
    "-18": t.Reason.EXTENSION,  # source: 短信发送, 没有设置用户的固定下发扩展号，不能自定义扩展
    "-19": t.Reason.INTERFACE,  # source: 短信发送, 强制模板通道，不能使用个性化接口
    "-20": t.Reason.CHARACTERS,  # source: 短信发送, 包含非法字符
    "-21": t.Reason.CONFIGURATION,  # source: 短信发送, 没有找到对应的 SubmitID 设置
    "-22": t.Reason.CONFIGURATION,  # source: 短信加密发送, 解密失败
    "-23": t.Reason.THROTTLED,  # source: 余额查询, 查询余额过频繁（至少间隔 10 秒）
}

# source: 短信发送, 应用程序异常. Nobody can say whether the vendor took the message before it.
_APPLICATION_EXCEPTION = "-1"

# source: 短信发送: these speak of the numbers of a submit and name none of them
_NAMES_NO_CULPRIT = frozenset({"-9", "-10", "-14", "-15", "-16", "-17"})

# source: 短信发送: these speak of a text; where there are several, of one that is not named
_NAMES_NO_TEXT = frozenset({"-5", "-6", "-12", "-20"})

# "-3", "-6:促销", "-13 Invalid Ip"
_FAILURE = re.compile(r"(-[0-9]{1,2})(?:[: ](.*))?", re.DOTALL)


def parse_failure(value: str, recipients: int = 1, texts: int = 1) -> t.Refused | t.Unknown | None:
    """Read a value as a failure, `Unknown` where that proves nothing; None where it is none by the vendor's grammar.

    Args:
        value: what a method returned, without blanks around it.
        recipients: how many numbers were submitted; a code that names none of several asks for a split.
        texts: how many different texts were submitted, likewise.
    """
    match = _FAILURE.fullmatch(value)
    if match is None:
        return None
    code, words = match.groups()
    if code == _APPLICATION_EXCEPTION:
        return t.Unknown("application-exception")
    if code in REFUSALS:
        return t.Refused(_reason(code, recipients, texts), code, words or "")
    return t.Refused(t.Reason.UNRECOGNISED, code) if words is None else None


def _reason(code: str, recipients: int, texts: int) -> t.Reason:
    if (recipients > 1 and code in _NAMES_NO_CULPRIT) or (texts > 1 and code in _NAMES_NO_TEXT):
        return t.Reason.SPLIT
    # "强制模板通道，不能使用个性化接口": each text may still go by itself
    return t.Reason.ONE_BY_ONE if texts > 1 and code == "-19" else REFUSALS[code]
