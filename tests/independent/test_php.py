"""The winnerlook document's own PHP sample against the sandbox; its URL and its values are all that was changed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tocsin.sandbox import start

PHP = shutil.which("php")

# source: 短信发送, php 发送短信示例. The sample's text has a line break before its signature.
SAMPLE = """<?php
//此处仅示例发送短信, 其他可类推
header("Content-type: text/html; charset=utf-8");
$client = new SoapClient("@URL@/api/MsgSend.asmx?WSDL");
$param = array("userCode"=>"demo","userPass"=>"demo-password","DesNo"=>"13900000000","Msg"=>"test
【签名】","Channel"=>"37");//注意 channel 要根据文档里面说的去平台上获取
$p = $client->__soapCall('SendMsg',array('parameters' => $param));
print_r($p);
?>
"""


def _run(*arguments: str) -> str:
    return subprocess.run([PHP or "php", *arguments], capture_output=True, check=True, text=True, timeout=30).stdout


def _why_not() -> str:
    if PHP is None:
        return "php is not installed"
    return "" if "soap" in _run("-m").lower().split() else "php has no soap module"


@pytest.mark.skipif(bool(_why_not()), reason=_why_not() or "present")
def test_the_documents_php_sample_sends(tmp_path: Path):
    """php-soap reads the sandbox's description, sends, and prints the batch number; the text arrives as written."""
    script = tmp_path / "send.php"
    with start("winnerlook") as vendor:
        script.write_text(SAMPLE.replace("@URL@", vendor.base_url), encoding="utf-8")
        printed = _run("-d", "soap.wsdl_cache_enabled=0", str(script))

        (submit,) = vendor.ledger.submits
        assert re.fullmatch(
            r"stdClass Object\s+\(\s+\[SendMsgResult\] => " + submit.vendor_id + r"\s+\)", printed.strip()
        )
        assert vendor.ledger.texts_to("13900000000") == ("test\n【签名】",)
