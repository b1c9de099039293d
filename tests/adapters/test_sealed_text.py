import pytest

from console.adapters.sealed_text import MARK, UnsealError, seal, unseal

KEY = "k" * 32


def test_what_was_sealed_is_read_by_the_key_alone_and_only_in_its_place():
    sealed = seal(KEY, "https://hooks.example.com/T0/비밀", "made-1")

    assert sealed.startswith(MARK)
    assert "hooks" not in sealed
    assert unseal(KEY, sealed, "made-1") == "https://hooks.example.com/T0/비밀"
    assert seal(KEY, "https://hooks.example.com/T0/비밀", "made-1") != sealed
    for key, about in ((KEY[:-1] + "x", "made-1"), (KEY, "made-2")):
        with pytest.raises(UnsealError):
            unseal(key, sealed, about)


@pytest.mark.parametrize("damaged", ["", "s1:", "s1:AAAA", "nonsense é", "s1:" + "A" * 80])
def test_what_was_changed_is_not_read(damaged):
    with pytest.raises(UnsealError):
        unseal(KEY, damaged, "made-1")
