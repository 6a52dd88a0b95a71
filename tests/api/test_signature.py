"""The two request signatures against what official clients really put on the wire.

`vectors/` holds one captured request per file with every intermediate string as the client itself
computed it; the same strings must come out of the bytes here. Then Alibaba's own Python client
signs whatever hypothesis thinks of and sends it through a socket; all of it must verify.
"""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qsl

import msgspec
import pytest
from alibabacloud_privatelink20200415 import models
from alibabacloud_privatelink20200415.client import Client
from alibabacloud_tea_openapi.models import Config
from alibabacloud_tea_openapi.utils import Utils
from hypothesis import given, settings
from hypothesis import strategies as some

from privlink import signature
from privlink.signature import Acs3, Credential, Rpc1

VECTORS = sorted((Path(__file__).parent / "vectors").glob("*.json"))
KEY, SECRET = "AKIDEXAMPLE", "secretEXAMPLE"

text = some.text(some.characters(exclude_categories=["Cs"]))
names = some.text("ABYZabyz019.-_~", min_size=1)


class Request(msgspec.Struct, frozen=True):
    """A request as it was on the wire, the body already unchunked."""

    method: str
    target: str
    headers: dict[str, str]
    body: str

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(self.target.partition("?")[2], keep_blank_values=True)

    @property
    def parameters(self) -> list[tuple[str, str]]:
        return self.query + parse_qsl(self.body, keep_blank_values=True)


def acs3(request: Request, secret: str) -> Acs3:
    credential = signature.parse_authorization(request.headers["authorization"])
    return signature.sign_acs3(
        request.method,
        request.query,
        request.headers,
        credential.signed_headers,
        signature.hash_body(request.body.encode()),
        secret,
    )


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_a_captured_request_yields_every_string_of_its_client(path: Path) -> None:
    vector = json.loads(path.read_text())
    request = msgspec.convert(vector["request"], Request)
    made: Acs3 | Rpc1
    if vector["scheme"] == signature.ACS3:
        made = acs3(request, vector["secret"])
        sent = signature.parse_authorization(request.headers["authorization"])
        assert made.canonical_request == vector["canonical_request"]
        assert sent.signature == vector["signature"]
        assert signature.format_authorization(sent) == request.headers["authorization"]
        assert signature.unsigned(request.headers, sent.signed_headers) == []
    else:
        made = signature.sign_rpc1(request.method, request.parameters, vector["secret"])
        assert ("Signature", vector["signature"]) in request.parameters
    assert made.string_to_sign == vector["string_to_sign"]
    assert made.signature == vector["signature"]


class Peer:
    """Listens on this host as the service would and keeps the last request of a client."""

    def __init__(self) -> None:
        self.server = HTTPServer(("127.0.0.1", 0), self._handler())
        self.endpoint = f"127.0.0.1:{self.server.server_port}"
        self.last: Request

    def _handler(peer) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                headers = {name.lower(): value for name, value in self.headers.items()}
                peer.last = Request(self.command, self.path, headers, body)
                answer = b'{"RequestId":"0"}'
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler

    def client(self, **options: str) -> Client:
        return Client(
            Config(
                access_key_id=KEY,
                access_key_secret=SECRET,
                endpoint=self.endpoint,
                protocol="http",
                region_id="local",
                **options,
            )
        )


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    peer = Peer()
    thread = threading.Thread(target=peer.server.serve_forever)
    thread.start()
    yield peer
    peer.server.shutdown()
    thread.join()
    peer.server.server_close()


def in_query(name: str, key: str, value: str) -> models.CreateVpcEndpointRequest:
    tag = models.CreateVpcEndpointRequestTag(key=key, value=value)
    return models.CreateVpcEndpointRequest(region_id="local", endpoint_name=name, tag=[tag])


def in_body(name: str, key: str, value: str) -> models.TagResourcesRequest:
    tag = models.TagResourcesRequestTag(key=key, value=value)
    return models.TagResourcesRequest(region_id="local", resource_id=[name], tag=[tag])


@settings(max_examples=40)
@given(name=text, key=text, value=text, token=some.sampled_from(["", "STS/a+b=="]))
def test_what_the_official_client_sends_verifies_as_acs3(
    peer: Peer, name: str, key: str, value: str, token: str
) -> None:
    client = peer.client(security_token=token)
    for call, parameters in (
        (client.create_vpc_endpoint, in_query(name, key, value)),
        (client.tag_resources, in_body(name, key, value)),
    ):
        call(parameters)
        sent = signature.parse_authorization(peer.last.headers["authorization"])
        assert signature.same(acs3(peer.last, SECRET).signature, sent.signature)
        assert not signature.same(acs3(peer.last, "another").signature, sent.signature)
        assert ("Tag.1.Value", value) in peer.last.parameters


@settings(max_examples=40)
@given(name=text, key=text, value=text, token=some.sampled_from(["", "STS/a+b=="]))
def test_what_the_official_client_sends_verifies_as_rpc1(
    peer: Peer, name: str, key: str, value: str, token: str
) -> None:
    client = peer.client(security_token=token, signature_algorithm="v2")
    for call, parameters in (
        (client.create_vpc_endpoint, in_query(name, key, value)),
        (client.tag_resources, in_body(name, key, value)),
    ):
        call(parameters)
        made = signature.sign_rpc1("POST", peer.last.parameters, SECRET)
        assert ("Signature", made.signature) in peer.last.parameters
        assert ("Tag.1.Value", value) in peer.last.parameters


@given(some.dictionaries(names, text))
def test_any_parameters_sign_as_the_official_signer_signs_them(parameters: dict[str, str]) -> None:
    made = signature.sign_rpc1("GET", list(parameters.items()), SECRET)
    signed = {name: value for name, value in parameters.items() if name != "Signature"}
    assert made.signature == Utils.get_rpcsignature(signed, "GET", SECRET)


def test_parameters_are_ordered_by_name_alone() -> None:
    made = signature.sign_acs3(
        "GET", [("b", "2"), ("a", "z"), ("B", ""), ("a", "y")], {}, ["host"], "", SECRET
    )
    assert made.canonical_request.splitlines()[2] == "B=&a=z&a=y&b=2"


def test_only_unreserved_characters_stay_as_they_are() -> None:
    assert signature.percent_encode("aZ09-_.~") == "aZ09-_.~"
    assert signature.percent_encode("a b+*'()/端") == "a%20b%2B%2A%27%28%29%2F%E7%AB%AF"


@given(text, text)
def test_same_is_equality_for_any_text(a: str, b: str) -> None:
    assert signature.same(a, b) == (a == b)
    assert signature.same(a, a)


def test_half_a_character_is_a_wrong_signature_and_no_crash() -> None:
    assert not signature.same("\udc80", "x")
    assert signature.sign_rpc1("GET", [("a", "\ud800")], SECRET).signature


@given(names, some.lists(names.map(str.lower), min_size=1), names)
def test_an_authorization_header_reads_back(key: str, signed: list[str], proof: str) -> None:
    credential = Credential(key, tuple(signed), proof)
    header = signature.format_authorization(credential)
    assert signature.parse_authorization(header) == credential
    assert signature.parse_authorization(header.replace(",", ", ")) == credential


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ("", "the Authorization scheme is ''; only ACS3-HMAC-SHA256 is understood"),
        ("Bearer abc", "the Authorization scheme is 'Bearer'"),
        ("ACS3-RSA-SHA256 Credential=a", "the Authorization scheme is 'ACS3-RSA-SHA256'"),
        ("ACS3-HMAC-SHA256", "the Authorization part '' is not a new Name=value"),
        ("ACS3-HMAC-SHA256 Credential=a,Credential=b", "'Credential=b' is not a new Name=value"),
        ("ACS3-HMAC-SHA256 Credential=a,Signature=b", "the Authorization header has no Signed"),
        ("ACS3-HMAC-SHA256 Credential=,SignedHeaders=a,Signature=b", "has no Credential="),
    ],
)
def test_a_malformed_authorization_header_says_what_is_wrong(header: str, sentence: str) -> None:
    with pytest.raises(ValueError, match="Authorization") as refused:
        signature.parse_authorization(header)
    assert sentence in str(refused.value)


@given(text)
def test_no_authorization_header_raises_anything_but_a_value_error(header: str) -> None:
    for value in (header, f"{signature.ACS3} {header}"):
        try:
            signature.parse_authorization(value)
        except ValueError as error:
            assert "Authorization" in str(error)


def test_headers_that_matter_must_be_signed() -> None:
    present = ["host", "accept", "x-acs-action", "x-acs-date", "x-acs-version"]
    assert signature.unsigned(present, ["host", "x-acs-action"]) == ["x-acs-date", "x-acs-version"]
