import pytest

from console.adapters.webhooks import is_public

PRIVATE = ("10.0.0.1", "127.0.0.1", "169.254.169.254", "192.168.1.1", "172.16.0.1", "100.64.0.1", "0.0.0.0")
CARRIERS = {
    "mapped": "::ffff:{}",
    "translated": "::ffff:0:{}",
    "compatible": "::{}",
    "nat64": "64:ff9b::{}",
    "isatap": "2001:4860::5efe:{}",
    "isatap-global": "2001:4860::200:5efe:{}",
}


def hexed(address):
    first, second, third, fourth = (int(part) for part in address.split("."))
    return f"{first:02x}{second:02x}:{third:02x}{fourth:02x}"


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("inner", PRIVATE)
def test_what_carries_a_private_address_is_private(carrier, inner):
    assert not is_public(CARRIERS[carrier].format(inner))
    assert not is_public(CARRIERS[carrier].format(hexed(inner)))


@pytest.mark.parametrize("inner", PRIVATE)
def test_tunnels_to_a_private_address_are_private(inner):
    inverted = hexed(".".join(str(255 - int(part)) for part in inner.split(".")))

    assert not is_public(f"2002:{hexed(inner)}::1")
    assert not is_public(f"2001:0:{hexed('8.8.8.8')}:0:0:{inverted}")
    assert not is_public(f"2001:0:{hexed(inner)}:0:0:{hexed('247.247.247.247')}")


@pytest.mark.parametrize(
    "address",
    ["::", "::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd12::1", "ff02::1", "64:ff9b:1::808:808",
     "2001:db8::1", *PRIVATE, "224.0.0.1", "240.0.0.1", "255.255.255.255"],
)  # fmt: skip
def test_what_is_inside_is_private(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"]
)
def test_what_is_out_in_the_world_is_public(address):
    assert is_public(address)
