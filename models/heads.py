"""Output heads: one linear layer and the distribution over income classes that its logits stand for.

Every head also defines z, the signed "wealth" logit, as a *linear* function of the logits. Only a linear z
has the exact decomposition mean(M) = z - b of the closed-form activation map (see ``activation``).
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from data.errors import SettingsError


class Head(nn.Module):
    """Linear layer on pooled features (B, C) with ``n_units`` weight vectors and ``n_logits`` biases.

    Weights start at zero and biases where every class distribution is the head's natural starting point
    (uniform for softmax, CORN and CORAL; p = 1/2 for the binomial head).
    """

    name: ClassVar[str]

    def __init__(self, n_features: int, n_classes: int, n_units: int, start: Tensor) -> None:
        super().__init__()
        self.n_classes = n_classes
        self.weight = nn.Parameter(torch.zeros(n_units, n_features))
        self.bias = nn.Parameter(start.float())

    def forward(self, pooled: Tensor) -> Tensor:
        """Logits (B, L) of pooled features (B, C); a single weight vector is shared by all L biases."""
        return functional.linear(pooled, self.weight) + self.bias

    @staticmethod
    def n_logits(n_classes: int) -> int:
        """Number L of logits for ``n_classes`` classes."""
        raise NotImplementedError

    @staticmethod
    def log_probabilities(logits: Tensor, n_classes: int) -> Tensor:
        """Natural log of the class distribution, (B, K), from logits (B, L), computed in float64."""
        raise NotImplementedError

    def probabilities(self, logits: Tensor) -> Tensor:
        """Class distribution (B, K), float64, rows sum to one, from logits (B, L)."""
        return self.log_probabilities(logits, self.n_classes).exp()

    def loss(self, logits: Tensor, class_index: Tensor, weight: Tensor | None = None) -> Tensor:
        """Mean loss of logits (B, L) for class indices 0..K-1 (B,), each cell weighted by ``weight`` (B,)."""
        each = self.loss_per_cell(logits, class_index)
        return each.mean() if weight is None else (each * weight).sum() / weight.sum()

    def loss_per_cell(self, logits: Tensor, class_index: Tensor) -> Tensor:
        """Negative log-likelihood (B,) of the class index."""
        return -self.log_probabilities(logits, self.n_classes).gather(1, class_index[:, None])[:, 0]

    @staticmethod
    def direction(n_classes: int) -> Tensor:
        """Coefficients (L,) float64 of the wealth logit: z = direction . logits (less CORAL's biases)."""
        raise NotImplementedError

    def score(self, logits: Tensor) -> Tensor:
        """Wealth logit z (B,) of logits (B, L); larger is richer."""
        z = logits @ self.direction(self.n_classes).to(logits)
        return z - self._unused_bias().to(logits)

    def _unused_bias(self) -> Tensor:
        return torch.zeros(())

    def score_weight(self) -> Tensor:
        """Weight vector w (C,) with z = score_bias + sum_c w_c mean_xy A_c."""
        return self.unit_weights(self.direction(self.n_classes).to(self.weight)[None])[0]

    def score_bias(self) -> Tensor:
        """Scalar b with z = b + sum_c w_c mean_xy A_c."""
        return self.direction(self.n_classes).to(self.bias) @ self.bias - self._unused_bias().to(self.bias)

    def unit_weights(self, coefficients: Tensor) -> Tensor:
        """Weight vectors (N, C) of the linear combinations (N, L) of the logits."""
        shared = self.weight.shape[0] == 1
        return (coefficients.sum(1, keepdim=True) if shared else coefficients) @ self.weight


class BinomialHead(Head):
    """P(class = k+1) = C(K-1, k) p^k (1-p)^(K-1-k) with p = sigmoid(z), k = 0..K-1: one number a cell.

    Source: Levy Abitbol and Karsai 2020 (arXiv 2004.04907); binomial ordinal output, da Costa et al. 2008.
    """

    name = "binomial"

    def __init__(self, n_features: int, n_classes: int) -> None:
        super().__init__(n_features, n_classes, 1, torch.zeros(1))

    @staticmethod
    def n_logits(n_classes: int) -> int:
        """One."""
        return 1

    @staticmethod
    def log_probabilities(logits: Tensor, n_classes: int) -> Tensor:
        """log C(K-1, k) + k log p + (K-1-k) log(1-p), (B, K) float64.

        >>> BinomialHead.log_probabilities(torch.zeros(1, 1), 3).exp()
        tensor([[0.2500, 0.5000, 0.2500]], dtype=torch.float64)
        """
        z = logits.double()  # float32 underflows beyond |z| = 10
        k = torch.arange(n_classes, dtype=torch.float64, device=z.device)
        n = torch.tensor(n_classes - 1, dtype=torch.float64, device=z.device)
        log_choose = torch.lgamma(n + 1) - torch.lgamma(k + 1) - torch.lgamma(n - k + 1)
        return log_choose + k * functional.logsigmoid(z) + (n - k) * functional.logsigmoid(-z)

    @staticmethod
    def direction(n_classes: int) -> Tensor:
        """Z is the logit itself."""
        return torch.ones(1, dtype=torch.float64)


class SoftmaxHead(Head):
    """K unordered logits; z is the least-squares slope of the logits over k = 0..K-1.

    The slope ignores the free common shift of softmax logits, and for a binomial distribution it equals the
    binomial z (log C(K-1, k) is symmetric in k, so it has no slope).
    """

    name = "softmax"

    def __init__(self, n_features: int, n_classes: int) -> None:
        super().__init__(n_features, n_classes, n_classes, torch.zeros(n_classes))

    @staticmethod
    def n_logits(n_classes: int) -> int:
        """K."""
        return n_classes

    @staticmethod
    def log_probabilities(logits: Tensor, n_classes: int) -> Tensor:
        """log softmax, (B, K) float64."""
        return functional.log_softmax(logits.double(), dim=1)

    @staticmethod
    def direction(n_classes: int) -> Tensor:
        """(k - mean k) / sum_k (k - mean k)^2."""
        k = torch.arange(n_classes, dtype=torch.float64)
        k = k - k.mean()
        return k / (k * k).sum()


class CornHead(Head):
    """K-1 conditional logits: sigmoid(l_j) = P(k > j | k >= j) (Shi, Cao and Raschka 2021); z is their mean.

    The loss is the negative log-likelihood, which is CORN's sum of conditional cross-entropies.
    """

    name = "corn"

    def __init__(self, n_features: int, n_classes: int) -> None:
        below = torch.arange(1, n_classes, dtype=torch.float64)  # uniform start: odds (K-1-j) : 1
        super().__init__(n_features, n_classes, n_classes - 1, torch.log(n_classes - below))

    @staticmethod
    def n_logits(n_classes: int) -> int:
        """K - 1."""
        return n_classes - 1

    @staticmethod
    def log_probabilities(logits: Tensor, n_classes: int) -> Tensor:
        """sum_{j<k} log sigmoid(l_j) + log(1 - sigmoid(l_k)), (B, K) float64."""
        logits = logits.double()
        none = logits.new_zeros(len(logits), 1)
        passed = torch.cat([none, functional.logsigmoid(logits).cumsum(1)], dim=1)
        stopped = torch.cat([functional.logsigmoid(-logits), none], dim=1)
        return passed + stopped

    @staticmethod
    def direction(n_classes: int) -> Tensor:
        """1 / (K-1) each."""
        return torch.full((n_classes - 1,), 1 / (n_classes - 1), dtype=torch.float64)


class CoralHead(Head):
    """One weight vector and K-1 biases: sigmoid(z + b_j) = P(k > j) (Cao, Mirjalili and Raschka 2020).

    z is the logit without the biases. The loss is CORAL's sum of K-1 binary cross-entropies.
    """

    name = "coral"

    def __init__(self, n_features: int, n_classes: int) -> None:
        below = torch.arange(1, n_classes, dtype=torch.float64)  # uniform start: P(k > j) = 1 - (j+1)/K
        super().__init__(n_features, n_classes, 1, torch.log((n_classes - below) / below))

    @staticmethod
    def n_logits(n_classes: int) -> int:
        """K - 1."""
        return n_classes - 1

    @staticmethod
    def log_probabilities(logits: Tensor, n_classes: int) -> Tensor:
        """log of the differences of P(k > j), (B, K) float64.

        Biases out of order would make a class negative; it is set to 1e-12 and the row scaled to one.
        """
        above = torch.sigmoid(logits.double())
        edge = above.new_ones(len(above), 1)
        above = torch.cat([edge, above, 0 * edge], dim=1)
        each = (above[:, :-1] - above[:, 1:]).clamp_min(1e-12)
        return each.log() - each.sum(1, keepdim=True).log()

    def loss_per_cell(self, logits: Tensor, class_index: Tensor) -> Tensor:
        """Sum over thresholds of the binary cross-entropy of k > j, (B,)."""
        j = torch.arange(self.n_classes - 1, device=logits.device)
        beyond = (class_index[:, None] > j).to(logits)
        return functional.binary_cross_entropy_with_logits(logits, beyond, reduction="none").sum(1)

    @staticmethod
    def direction(n_classes: int) -> Tensor:
        """1 / (K-1) each; the mean bias is taken off again."""
        return torch.full((n_classes - 1,), 1 / (n_classes - 1), dtype=torch.float64)

    def _unused_bias(self) -> Tensor:
        return self.bias.mean()


HEADS: dict[str, type[BinomialHead | SoftmaxHead | CornHead | CoralHead]] = {
    head.name: head for head in (BinomialHead, SoftmaxHead, CornHead, CoralHead)
}


def build_head(name: str, n_features: int, n_classes: int) -> Head:
    """Head of that name for ``n_features`` channels; ``SettingsError`` for an unknown name."""
    return head_type(name)(n_features, n_classes)


def head_type(name: str) -> type[BinomialHead | SoftmaxHead | CornHead | CoralHead]:
    """Class of the head of that name; ``SettingsError`` for an unknown name."""
    if name not in HEADS:
        raise SettingsError(f"head = '{name}' is unknown; allowed: {', '.join(HEADS)}")
    return HEADS[name]


def class_probabilities(head: str, logits: Tensor, n_classes: int) -> Tensor:
    """Class distribution (B, K) float64 of logits (B, L) of the named head.

    >>> class_probabilities("binomial", torch.tensor([[3.0]]).log(), 2)
    tensor([[0.2500, 0.7500]], dtype=torch.float64)
    """
    return head_type(head).log_probabilities(logits, n_classes).exp()
