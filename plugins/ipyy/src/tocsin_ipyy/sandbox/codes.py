"""The sandbox's tables of codes and texts. Shares nothing with the codec's, and must never."""

from __future__ import annotations

from collections.abc import Mapping

OK = "1"
OVER_LIMIT = "1113"
"""Not in chapter 9: the document says 如提交（下发）第4条即失败, and gives no code."""

# source: 第九章 ResultCode定义
RESULTS: Mapping[str, tuple[str, str]] = {
    OK: ("OK", "操作成功"),
    "1001": ("ParamError", "参数错误"),
    "1002": ("UserNameEmpty", "用户名为空"),
    "1003": ("PasswordEmpty", "密码为空"),
    "1004": ("UserNameError", "用户名错误"),
    "1005": ("PasswordError", "密码错误"),
    "1006": ("BindIpError", "IP绑定错误"),
    "1007": ("UserStop", "帐户已停用"),
    "1008": ("UserIdError", "UserId参数错误"),
    "1009": ("Text64Error", "Text64参数错误"),
    "1010": ("StampError", "时间戳错误"),
    "2001": ("ContentEmpty", "内容为空"),
    "1103": ("MsisdnEmpty", "手机号码为空"),
    "1104": ("ExtNumberError", "扩展错误"),
    "2105": ("ContentLong", "内容太长"),
    "1106": ("NoChannel", "没有发送通道"),
    "2107": ("SensitiveWords", "敏感词汇"),
    "1108": ("MsisdnError", "错误的手机号码"),
    "1109": ("MsisdnBlack", "黑名单的手机号码"),
    "1110": ("MsisdnNoChannel", "没有通道的手机号码"),
    "1111": ("AmountNotEnough", "额度不足"),
    "1112": ("NoProduct", "没有配置产品"),
    "2113": ("RequiredSuffix", "需要签名"),
    "2114": ("SuffixError", "签名错误"),
    "3001": ("SubjectEmpty", "主题为空"),
    "9999": ("InternalError", "系统内部错误"),
    OVER_LIMIT: ("OverLimit", "超出限制"),
}

# source: 3.4, 返回信息提示: this page does not tell name from password. 7.3 refers to a table that is not there.
_ACCOUNT_MESSAGES: Mapping[str, str] = {
    "1002": "用户名或密码不能为空",
    "1003": "用户名或密码不能为空",
    "1004": "用户名或密码错误",
    "1005": "用户名或密码错误",
}

# source: 4.4 and 5.4
_QUERY_ERRORS: Mapping[str, str] = {
    "1": "用户名或密码不能为空",
    "2": "用户名或密码错误",
    "3": "该用户不允许查看状态报告",
    "4": "参数不正确",
}
_QUERY_ERROR_OF: Mapping[str, str] = {"1001": "4", "1002": "1", "1003": "1", "1004": "2", "1005": "2"}

# source: 4.5 and 5.5: 正确时 {"error":"1","remark":"成功"}, 错误时 {"error":"1005","remark":"密码错了"}
_JSON_REMARKS: Mapping[str, str] = {OK: "成功", "1005": "密码错了"}


def message(code: str) -> str:
    """Return the text of a code of chapter 9; what is none stands for itself, to try unlisted messages."""
    return RESULTS[code][1] if code in RESULTS else code


def account_message(code: str) -> str:
    """Return the text with which the pages for balance and password refuse."""
    return _ACCOUNT_MESSAGES.get(code, message(code))


def query_error(code: str) -> tuple[str, str]:
    """Return the number and the remark with which a query in XML refuses; its own numbers stand for themselves."""
    number = _QUERY_ERROR_OF.get(code, code)
    return number, _QUERY_ERRORS.get(number, message(number))


def json_remark(code: str) -> str:
    """Return the remark of a query in JSON."""
    return _JSON_REMARKS.get(code, message(code))
