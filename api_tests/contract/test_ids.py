from service.contract.ids import later_id, new_id, ulid


def test_an_id_is_the_ulid_of_the_specification() -> None:
    # The example of github.com/ulid/spec: its first ten characters are this time.
    milliseconds = 1_469_918_176_385
    assert ulid(milliseconds, 0) == "01ARYZ6S41" + 16 * "0"
    assert ulid(2**48 - 1, 2**80 - 1) == "7" + 25 * "Z"


def test_ids_sort_by_their_time_whatever_was_drawn() -> None:
    assert ulid(1_000, 2**80 - 1) < ulid(1_001, 0)


def test_no_two_new_ids_are_the_same() -> None:
    ids = {new_id("job") for _ in range(1_000)}
    assert len(ids) == 1_000
    assert all(len(each) == len("job_") + 26 for each in ids)


def test_a_later_id_sorts_behind_another_whatever_the_clock_that_made_it_says() -> None:
    search = f"job_{ulid(1_469_918_176_385, 2**80 - 1)}"
    behind = [f"job_{ulid(1_000, number)}" for number in range(50)]
    later = [later_id(each, search) for each in behind]
    assert all(each > search for each in later)
    assert later == [f"job_{ulid(1_469_918_176_386, number)}" for number in range(50)]
    ahead = f"job_{ulid(1_469_918_176_386, 0)}"
    assert later_id(ahead, search) == ahead
