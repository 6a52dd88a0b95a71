"""What a check says and makes of answers: bytes in, verdicts out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlink.model.items import Check, CheckKind
from privlink.node.health.checks import (
    GOOD,
    STATUS_BYTES,
    UDP_REQUEST,
    Code,
    Verdict,
    judge_datagram,
    judge_response,
    judge_silence,
    request,
)

HTTP = Check(CheckKind.HTTP, codes=("http_2xx", "http_3xx"))


def test_a_request_of_http() -> None:
    check = Check(CheckKind.HTTP, method="HEAD", path="/alive?x=1", host="web.example")
    assert request(check, "10.0.0.5") == (
        b"HEAD /alive?x=1 HTTP/1.0\r\nHost: web.example\r\n"
        b"User-Agent: privlink\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    )


@pytest.mark.parametrize(("address", "host"), [("10.0.0.5", "10.0.0.5"), ("fd00::5", "[fd00::5]")])
def test_without_a_host_the_server_is_asked_by_its_address(address: str, host: str) -> None:
    assert f"Host: {host}\r\n".encode() in request(HTTP, address)


@pytest.mark.parametrize("word", ["", "/a b", "/\r\nX: y", "/\x00", "/é"])
def test_what_would_be_another_request_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match="path"):
        request(Check(CheckKind.HTTP, path=word), "10.0.0.5")


def test_what_a_datagram_says() -> None:
    assert request(Check(CheckKind.UDP), "10.0.0.5") == UDP_REQUEST
    assert request(Check(CheckKind.UDP, request="ping"), "10.0.0.5") == b"ping"
    assert request(Check(CheckKind.TCP), "10.0.0.5") == b""


def test_what_an_answering_datagram_means() -> None:
    assert judge_datagram(Check(CheckKind.UDP), b"anything")
    expecting = Check(CheckKind.UDP, expected="pong")
    assert judge_datagram(expecting, b"pong")
    assert not judge_datagram(expecting, b"pong ")
    assert judge_silence(Check(CheckKind.UDP)) == GOOD
    assert judge_silence(expecting).why.startswith(f"{Code.RECV_RESPONSE_TIMEOUT}: ")


@pytest.mark.parametrize(
    ("start", "code"),
    [
        (b"HTTP/1.1 200 OK\r\n", None),
        (b"HTTP/1.0 301\r\n", None),
        (b"HTTP/1.1 299\n", None),
        (b"HTTP/1.1 404 Not Found", Code.HTTP_CODE_NOT_MATCH),
        (b"HTTP/1.1 100 Continue", Code.HTTP_CODE_NOT_MATCH),
        (b"HTTP/1.1 2000 ", Code.HTTP_INVALID_HEADER),
        (b"http/1.1 200 OK\r\n", Code.HTTP_INVALID_HEADER),
        (b"HTTP/1.1  200 OK", Code.HTTP_INVALID_HEADER),
        ("HTTP/1.1 ٢٠٠ OK".encode(), Code.HTTP_INVALID_HEADER),
        (b"SSH-2.0-OpenSSH_9.2", Code.HTTP_INVALID_HEADER),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00", Code.HTTP_INVALID_HEADER),
    ],
)
def test_what_a_response_means(start: bytes, code: Code | None) -> None:
    verdict = judge_response(HTTP, start[:STATUS_BYTES], ended=False)
    assert verdict is not None
    assert verdict.why.partition(":")[0] == (code or "")
    assert verdict.good is (code is None)


def test_a_response_is_waited_for_until_it_ends() -> None:
    assert judge_response(HTTP, b"HTTP/1.1 20", ended=False) is None
    ended = judge_response(HTTP, b"HTTP/1.1 20", ended=True)
    assert ended is not None
    assert ended.why.startswith(f"{Code.CONNECT_INTERRUPT}: ")


@given(st.binary(max_size=STATUS_BYTES), st.booleans())
def test_no_response_does_more_than_be_wrong(start: bytes, ended: bool) -> None:
    verdict = judge_response(HTTP, start, ended=ended)
    if verdict is None:
        assert not ended
        assert len(start) < STATUS_BYTES
    else:
        assert verdict.good == (verdict == GOOD)
        assert verdict.good or verdict.why.partition(":")[0] in set(Code)


@given(st.integers(min_value=100, max_value=999), st.text(max_size=9))
def test_of_a_status_only_its_class_counts(status: int, phrase: str) -> None:
    start = f"HTTP/1.1 {status} {phrase}".encode()[:STATUS_BYTES]
    verdict = judge_response(HTTP, start, ended=False)
    assert isinstance(verdict, Verdict)
    assert verdict.good is (200 <= status < 400)


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_request_has_the_headers_it_should_and_no_others(path: str, host: str) -> None:
    try:
        said = request(Check(CheckKind.HTTP, path=path, host=host), "10.0.0.5")
    except ValueError:
        return
    assert said.count(b"\r\n") == 6
    assert said.isascii()
