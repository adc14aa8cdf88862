"""What the vendor's codes, names and sentences mean. Tables and their lookup; no bytes, no XML."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from tocsin.plugin import AnswerError, Reason, Refused


@attrs.frozen
class Code:
    """One row of the vendor's table.

    Args:
        number, name: as chapter 9 defines them; empty where the document gives a sentence alone.
        text: the vendor's sentence.
        reason: what a failure with it means; None where it proves no refusal.
    """

    number: str
    name: str
    text: str
    reason: Reason | None


# Each row's source is the document's section. The reasons of 1005, 1006, 1007, 1108, 1111 and 2113 are settled by the
# project's delivery rules; the others are our best reading of the sentence.
CODES = (
    Code("1", "OK", "操作成功", None),  # source: ipyy, 9
    Code("1001", "ParamError", "参数错误", Reason.MALFORMED),  # source: ipyy, 9
    Code("1002", "UserNameEmpty", "用户名为空", Reason.AUTHENTICATION),  # source: ipyy, 9
    Code("1003", "PasswordEmpty", "密码为空", Reason.AUTHENTICATION),  # source: ipyy, 9
    Code("1004", "UserNameError", "用户名错误", Reason.AUTHENTICATION),  # source: ipyy, 9
    Code("1005", "PasswordError", "密码错误", Reason.AUTHENTICATION),  # source: ipyy, 9
    Code("1006", "BindIpError", "IP绑定错误", Reason.ADDRESS_NOT_BOUND),  # source: ipyy, 9
    Code("1007", "UserStop", "帐户已停用", Reason.ACCOUNT_STOPPED),  # source: ipyy, 9
    Code("1008", "UserIdError", "UserId参数错误", Reason.CONFIGURATION),  # source: ipyy, 9, first clause
    Code("1009", "Text64Error", "Text64参数错误", Reason.CONFIGURATION),  # source: ipyy, 9, first clause
    Code("1010", "StampError", "时间戳错误", Reason.RETRY_ONCE),  # source: ipyy, 9, first clause
    Code("2001", "ContentEmpty", "内容为空", Reason.EMPTY),  # source: ipyy, 9
    Code("1103", "MsisdnEmpty", "手机号码为空", Reason.EMPTY),  # source: ipyy, 9
    Code("1104", "ExtNumberError", "扩展错误", Reason.EXTENSION),  # source: ipyy, 9
    Code("2105", "ContentLong", "内容太长", Reason.TOO_LONG),  # source: ipyy, 9
    Code("1106", "NoChannel", "没有发送通道", Reason.NO_CHANNEL),  # source: ipyy, 9
    Code("2107", "SensitiveWords", "敏感词汇", Reason.KEYWORD),  # source: ipyy, 9
    Code("1108", "MsisdnError", "错误的手机号码", Reason.INVALID_NUMBER),  # source: ipyy, 9
    Code("1109", "MsisdnBlack", "黑名单的手机号码", Reason.BLOCKED),  # source: ipyy, 9
    Code("1110", "MsisdnNoChannel", "没有通道的手机号码", Reason.UNROUTABLE),  # source: ipyy, 9
    Code("1111", "AmountNotEnough", "额度不足", Reason.BALANCE),  # source: ipyy, 9
    Code("1112", "NoProduct", "没有配置产品", Reason.CONFIGURATION),  # source: ipyy, 9
    Code("2113", "RequiredSuffix", "需要签名", Reason.SIGNATURE),  # source: ipyy, 9
    Code("2114", "SuffixError", "签名错误", Reason.SIGNATURE_REJECTED),  # source: ipyy, 9
    Code("3001", "SubjectEmpty", "主题为空", Reason.EMPTY),  # source: ipyy, 9
    Code("9999", "InternalError", "系统内部错误", None),  # source: ipyy, 9: the outcome of a send is unknown
    Code("1005", "", "密码错了", Reason.AUTHENTICATION),  # source: ipyy, 4.5 and 5.5
    Code("", "", "用户名或密码不能为空", Reason.AUTHENTICATION),  # source: ipyy, 3.4, 4.4, 5.4
    Code("", "", "用户名或密码错误", Reason.AUTHENTICATION),  # source: ipyy, 3.4, 4.4, 5.4
    Code("", "", "该用户不允许查看状态报告", Reason.CONFIGURATION),  # source: ipyy, 4.4, 5.4
    Code("", "", "参数不正确", Reason.MALFORMED),  # source: ipyy, 4.4, 5.4
)

# The numbers of `errorstatus/error`, which are not those of chapter 9.
POLL_ERRORS: Mapping[str, Reason] = {
    "1": Reason.AUTHENTICATION,  # source: ipyy, 4.4, 5.4: 用户名或密码不能为空
    "2": Reason.AUTHENTICATION,  # source: ipyy, 4.4, 5.4: 用户名或密码错误
    "3": Reason.CONFIGURATION,  # source: ipyy, 4.4, 5.4: 该用户不允许查看状态报告
    "4": Reason.MALFORMED,  # source: ipyy, 4.4, 5.4: 参数不正确
}

_BY_WORD = {word: row for row in reversed(CODES) for word in (row.number, row.name, row.text) if word}


def find_code(*words: str) -> Code | None:
    """Return the row of the first word that is on the list; words are numbers, names and sentences, as they came."""
    return next((_BY_WORD[word] for word in words if word in _BY_WORD), None)


def read_failure(code: str, text: str) -> Refused:
    """Return what a failure by the document's own grammar means.

    Args:
        code: the vendor's number or name of it, or its word for failure.
        text: the vendor's sentence.

    Raises:
        AnswerError: it is the vendor's internal error, or a failure in the words of success: nothing is proved.
    """
    row = find_code(code, text)
    if row is None:
        return Refused(Reason.UNRECOGNISED, code, text)
    if row.reason is None:
        raise AnswerError("the answer reports an internal error, or a failure in the words of success")
    return Refused(row.reason, row.number or code, text)
