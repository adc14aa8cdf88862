"""What the vendor's codes, names and sentences mean. Tables and their lookup; no bytes, no syntax."""

import attrs

import tocsin.plugin as t


@attrs.frozen
class Code:
    """One row: number and name as chapter 9 defines them, the sentence, and the reason; None proves no refusal."""

    number: str
    name: str
    text: str
    reason: t.Reason | None


# Each row's source is the document's section. The reasons of 1005, 1006, 1007, 1108, 1111 and 2113 are settled by the
# project's delivery rules; the others are our best reading of the sentence.
CODES = (
    Code("1", "OK", "操作成功", None),  # source: ipyy, 9
    Code("1001", "ParamError", "参数错误", t.Reason.MALFORMED),  # source: ipyy, 9
    Code("1002", "UserNameEmpty", "用户名为空", t.Reason.AUTHENTICATION),  # source: ipyy, 9
    Code("1003", "PasswordEmpty", "密码为空", t.Reason.AUTHENTICATION),  # source: ipyy, 9
    Code("1004", "UserNameError", "用户名错误", t.Reason.AUTHENTICATION),  # source: ipyy, 9
    Code("1005", "PasswordError", "密码错误", t.Reason.AUTHENTICATION),  # source: ipyy, 9
    Code("1006", "BindIpError", "IP绑定错误", t.Reason.ADDRESS_NOT_BOUND),  # source: ipyy, 9
    Code("1007", "UserStop", "帐户已停用", t.Reason.ACCOUNT_STOPPED),  # source: ipyy, 9
    Code("1008", "UserIdError", "UserId参数错误", t.Reason.CONFIGURATION),  # source: ipyy, 9, first clause
    Code("1009", "Text64Error", "Text64参数错误", t.Reason.CONFIGURATION),  # source: ipyy, 9, first clause
    Code("1010", "StampError", "时间戳错误", t.Reason.RETRY_ONCE),  # source: ipyy, 9, first clause
    Code("2001", "ContentEmpty", "内容为空", t.Reason.EMPTY),  # source: ipyy, 9
    Code("1103", "MsisdnEmpty", "手机号码为空", t.Reason.EMPTY),  # source: ipyy, 9
    Code("1104", "ExtNumberError", "扩展错误", t.Reason.EXTENSION),  # source: ipyy, 9
    Code("2105", "ContentLong", "内容太长", t.Reason.TOO_LONG),  # source: ipyy, 9
    Code("1106", "NoChannel", "没有发送通道", t.Reason.NO_CHANNEL),  # source: ipyy, 9
    Code("2107", "SensitiveWords", "敏感词汇", t.Reason.KEYWORD),  # source: ipyy, 9
    Code("1108", "MsisdnError", "错误的手机号码", t.Reason.INVALID_NUMBER),  # source: ipyy, 9
    Code("1109", "MsisdnBlack", "黑名单的手机号码", t.Reason.BLOCKED),  # source: ipyy, 9
    Code("1110", "MsisdnNoChannel", "没有通道的手机号码", t.Reason.UNROUTABLE),  # source: ipyy, 9
    Code("1111", "AmountNotEnough", "额度不足", t.Reason.BALANCE),  # source: ipyy, 9
    Code("1112", "NoProduct", "没有配置产品", t.Reason.CONFIGURATION),  # source: ipyy, 9
    Code("2113", "RequiredSuffix", "需要签名", t.Reason.SIGNATURE),  # source: ipyy, 9
    Code("2114", "SuffixError", "签名错误", t.Reason.SIGNATURE_REJECTED),  # source: ipyy, 9
    Code("3001", "SubjectEmpty", "主题为空", t.Reason.EMPTY),  # source: ipyy, 9
    Code("9999", "InternalError", "系统内部错误", None),  # source: ipyy, 9: the outcome of a send is unknown
    Code("1005", "", "密码错了", t.Reason.AUTHENTICATION),  # source: ipyy, 4.5 and 5.5
    Code("", "", "用户名或密码不能为空", t.Reason.AUTHENTICATION),  # source: ipyy, 3.4; errorstatus 1 in 4.4, 5.4
    Code("", "", "用户名或密码错误", t.Reason.AUTHENTICATION),  # source: ipyy, 3.4; errorstatus 2 in 4.4, 5.4
    Code("", "", "该用户不允许查看状态报告", t.Reason.CONFIGURATION),  # source: ipyy, errorstatus 3 in 4.4, 5.4
    Code("", "", "参数不正确", t.Reason.MALFORMED),  # source: ipyy, errorstatus 4 in 4.4, 5.4
)
# The numbers of `errorstatus/error` are not those of chapter 9. source: ipyy, 4.4 and 5.4
_POLL_ERRORS = {str(number): row for number, row in enumerate(CODES[-4:], start=1)}
BY_WORD = {word: row for row in reversed(CODES) for word in (row.number, row.name, row.text) if word}


def read_failure(code: str, text: str, *, poll: bool = False) -> t.Refused:
    """Return what a failure means: by its number or name, by its sentence where it has neither. Raises AnswerError."""
    row = (_POLL_ERRORS.get(code) if poll else None) or BY_WORD.get(text if code == "Faild" else code)
    if row is None:
        return t.Refused(t.Reason.UNRECOGNISED, code, text)
    if row.reason is None:
        raise t.AnswerError("the answer reports an internal error, or a failure in the words of success")
    return t.Refused(row.reason, row.number or code, text)
