"""The tables: what each of the vendor's words means, and that none is missing."""

from __future__ import annotations

import pytest

from tocsin.plugin import AnswerError, Reason
from tocsin_ipyy import codes

CHAPTER_9 = """
1 OK 操作成功 / 1001 ParamError 参数错误 / 1002 UserNameEmpty 用户名为空 / 1003 PasswordEmpty 密码为空
/ 1004 UserNameError 用户名错误 / 1005 PasswordError 密码错误 / 1006 BindIpError IP绑定错误 / 1007 UserStop 帐户已停用
/ 1008 UserIdError UserId参数错误 / 1009 Text64Error Text64参数错误 / 1010 StampError 时间戳错误
/ 2001 ContentEmpty 内容为空 / 1103 MsisdnEmpty 手机号码为空 / 1104 ExtNumberError 扩展错误 / 2105 ContentLong 内容太长
/ 1106 NoChannel 没有发送通道 / 2107 SensitiveWords 敏感词汇 / 1108 MsisdnError 错误的手机号码
/ 1109 MsisdnBlack 黑名单的手机号码 / 1110 MsisdnNoChannel 没有通道的手机号码 / 1111 AmountNotEnough 额度不足
/ 1112 NoProduct 没有配置产品 / 2113 RequiredSuffix 需要签名 / 2114 SuffixError 签名错误 / 3001 SubjectEmpty 主题为空
/ 9999 InternalError 系统内部错误
"""

BINDING = {
    "1005": Reason.AUTHENTICATION,
    "1006": Reason.ADDRESS_NOT_BOUND,
    "1007": Reason.ACCOUNT_STOPPED,
    "1108": Reason.INVALID_NUMBER,
    "1111": Reason.BALANCE,
    "2113": Reason.SIGNATURE,
}


def test_every_code_of_the_document_is_listed():
    """Number, name and sentence of each row of chapter 9 lead to that row, and no other row has a name."""
    document = [tuple(row.split()) for row in CHAPTER_9.split("/")]

    assert [(row.number, row.name, row.text) for row in codes.CODES if row.name] == document
    for row in document:
        assert {codes.BY_WORD[word] for word in row} == {codes.BY_WORD[row[0]]}


def test_no_word_means_two_things():
    """A number, name or sentence that stands in two rows means the same in both."""
    for row in codes.CODES:
        assert all(codes.BY_WORD[word].reason is row.reason for word in (row.number, row.name, row.text) if word)


@pytest.mark.parametrize(("code", "reason"), BINDING.items())
def test_settled_rows_stand(code, reason):
    """The rows that the project's delivery rules settle mean what those say."""
    assert codes.read_failure(code, "").reason is reason


@pytest.mark.parametrize(
    "text", ["密码错了", "密码错误", "用户名或密码错误", "用户名或密码不能为空", "PasswordError", "1005"]
)
def test_every_spelling_of_a_wrong_password_is_authentication(text):
    """The document's three sentences for one fault, its name and its number are one reason."""
    code = text if text.isascii() else "Faild"

    assert codes.read_failure(code, text).reason is Reason.AUTHENTICATION


def test_an_unlisted_failure_is_unrecognised():
    """A failure in words that are on no list is refused as unrecognised, and keeps them."""
    refused = codes.read_failure("7001", "系统升级")

    assert (refused.reason, refused.code, refused.text) == (Reason.UNRECOGNISED, "7001", "系统升级")


@pytest.mark.parametrize("word", ["9999", "InternalError", "系统内部错误", "1", "OK", "操作成功"])
def test_what_proves_no_refusal_is_none(word):
    """An internal error, and a failure in the words of success, prove nothing."""
    with pytest.raises(AnswerError):
        codes.read_failure(word, "")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [("1", "用户名或密码不能为空"), ("2", "用户名或密码错误"), ("3", "该用户不允许查看状态报告"), ("4", "参数不正确")],
)
def test_poll_errors_are_the_documents(error, sentence):
    """The four errors of chapters 4.4 and 5.4 mean what their sentences do, and are not the numbers of chapter 9."""
    refused = codes.read_failure(error, sentence, poll=True)

    assert (refused.reason, refused.code) == (codes.BY_WORD[sentence].reason, error)


def test_a_number_is_believed_before_its_sentence():
    """A number on no list is unrecognised, whatever is written beside it."""
    assert codes.read_failure("10100", "时间戳错误").reason is Reason.UNRECOGNISED
