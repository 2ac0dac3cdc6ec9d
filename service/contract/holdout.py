"""Which images of a training split are kept from training, for the search of a supernet alone."""


def held_out(size: int, every: int) -> range:
    """The indices of a split of `size` images that are held out, in their order.

    They are each i with `i % every == every - 1`; there are none where `every` is 0. It is not 1:
    nothing would be left to train on.
    """
    assert every != 1
    return range(every - 1, size, every) if every else range(0)


def keeps(trained: int, every: int) -> bool:
    """Whether a training that held out by `trained` has seen none of what `every` holds out."""
    return every == 0 or (trained != 0 and every % trained == 0)
