import pytest

from service.domain.limits import Limit, parse_limits


def test_limits_are_read_as_an_operator_writes_them() -> None:
    found = parse_limits(" team=vision:2, owner=*:4,url=http://x:1 ")
    assert found == (
        Limit("team", "vision", 2),
        Limit("owner", "*", 4),
        Limit("url", "http://x", 1),
    )
    assert parse_limits("") == ()


@pytest.mark.parametrize("text", ["team", "team=vision", "team=:2", "team=vision:0", "a b=c:1"])
def test_what_is_no_limit_is_quoted(text: str) -> None:
    with pytest.raises(ValueError, match=text.split("=")[0]):
        parse_limits(text)
