"""The rank of the right class among a row of logits, which top-1 and top-5 are counted by."""

import torch

from workers.recipes.loss import ranks_of_labels


def test_the_rank_of_a_label_is_that_of_a_sorted_row() -> None:
    logits = torch.randn(64, 50)
    labels = torch.randint(50, (64,))
    ranks = ranks_of_labels(logits, labels)
    order = logits.argsort(dim=1, descending=True)
    assert torch.equal(ranks, (order == labels[:, None]).long().argmax(1))
    for k in (1, 5):
        in_top = (logits.topk(k, dim=1).indices == labels[:, None]).any(1)
        assert torch.equal(ranks < k, in_top)


def test_equal_logits_rank_by_their_class_and_a_nan_is_never_right() -> None:
    equal = torch.zeros(3, 4)
    assert ranks_of_labels(equal, torch.tensor([0, 2, 3])).tolist() == [0, 2, 3]
    nan = float("nan")
    rows = torch.tensor([[nan, 1.0, 0.0, 0.0], [1.0, nan, 0.0, 0.0]])
    assert ranks_of_labels(rows, torch.tensor([0, 0])).tolist() == [4, 1]
