"""Whose address a request comes from: what trusted proxies say counts, from the right, and nothing else does."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.gateway.peers import find_peer, is_within, read_networks

PROXIES = read_networks(["127.0.0.1", "10.0.0.0/8", "fd00::/8"])
PROXY = "10.0.0.1"


def test_who_is_no_proxy_is_the_peer_whatever_it_says():
    """X-Forwarded-For of an untrusted peer is not looked at."""
    assert find_peer("203.0.113.9", "198.51.100.1", PROXIES) == "203.0.113.9"
    assert find_peer("203.0.113.9", "", PROXIES) == "203.0.113.9"
    assert find_peer(PROXY, "198.51.100.1", ()) == PROXY


@pytest.mark.parametrize(
    ("forwarded", "peer"),
    [
        ("198.51.100.1", "198.51.100.1"),
        ("1.1.1.1, 198.51.100.1", "198.51.100.1"),
        ("1.1.1.1,198.51.100.1,10.9.9.9", "198.51.100.1"),
        ("1.1.1.1,198.51.100.1, 10.9.9.9 ,127.0.0.1", "198.51.100.1"),
        ("garbage, 198.51.100.1", "198.51.100.1"),
        ("198.51.100.1:4711", "198.51.100.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:DB8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("198.51.100.1, fd00::9", "198.51.100.1"),
        ("::ffff:198.51.100.1", "198.51.100.1"),
        ("198.51.100.1, ::ffff:10.0.0.9", "198.51.100.1"),
        ("\t198.51.100.1\t", "198.51.100.1"),
    ],
)
def test_the_last_that_is_no_proxy_is_the_peer(forwarded, peer):
    """The chain is read from its end; an IPv4 address that is mapped into IPv6 is that address."""
    assert find_peer(PROXY, forwarded, PROXIES) == peer


@pytest.mark.parametrize(
    "forwarded",
    [
        "",
        ",",
        "unknown",
        "198.51.100.1,",
        "198.51.100.1, unknown",
        "198.51.100.1 10.0.0.1",
        "198.51.100.1, 10.0.0.256",
        "198.51.100.1, 010.0.0.1",
        "198.51.100.1, garbage, 10.0.0.9",
        "198.51.100.1;10.0.0.9",
        "fe80::1%eth0",
        "[198.51.100.1]:80:80",
        "１９８.51.100.1",
        "3325256705",
        "0xc6336401",
        "x" * 100000,
        "10.0.0.9",
        "10.0.0.9, 127.0.0.1",
    ],
)
def test_where_the_chain_cannot_be_read_the_peer_is_the_proxy(forwarded):
    """Garbage, an empty place, or nobody but proxies: the peer is whoever is connected."""
    assert find_peer(PROXY, forwarded, PROXIES) == PROXY


def test_a_mapped_proxy_is_a_proxy():
    """A socket that speaks both shows IPv4 peers as IPv6 ones."""
    assert find_peer("::ffff:10.0.0.1", "198.51.100.1", PROXIES) == "198.51.100.1"
    assert find_peer("::ffff:203.0.113.9", "198.51.100.1", PROXIES) == "203.0.113.9"


@pytest.mark.parametrize("connected", ["", "unix:", "localhost", "127.0.0.1:80"])
def test_who_has_no_address_is_nobody(connected):
    """A connection without a readable address is on no list."""
    assert find_peer(connected, "198.51.100.1", PROXIES) == ""
    assert not is_within("", read_networks(["0.0.0.0/0", "::/0"]))


def test_within_a_network():
    """An address is in a network of its own kind, first and last included."""
    networks = read_networks(["203.0.113.0/24", "2001:db8::/32", "198.51.100.7"])

    inside = ["203.0.113.0", "203.0.113.255", "::ffff:203.0.113.9", "2001:db8::1", "198.51.100.7"]
    outside = ["203.0.112.255", "203.0.114.0", "2001:db9::1", "198.51.100.8", "garbage"]
    assert [one for one in (*inside, *outside) if is_within(one, networks)] == inside


@given(st.text(max_size=200), st.ip_addresses())
def test_whatever_was_written_before_the_proxy_does_not_matter(forged, real):
    """The proxy appends the address that it sees; what the client wrote in front of it changes nothing."""
    seen = getattr(real, "ipv4_mapped", None) or real
    if is_within(str(seen), PROXIES):
        return
    assert find_peer(PROXY, f"{forged}, {real}", PROXIES) == str(seen)


@given(st.text(max_size=300))
def test_no_text_raises(text):
    """Whatever stands in the header, the peer is an address."""
    assert ipaddress.ip_address(find_peer(PROXY, text, PROXIES))
    assert not is_within(text, ())
    assert find_peer(text, text, PROXIES) in ("", text) or ipaddress.ip_address(text)
