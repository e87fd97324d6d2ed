"""The diffusion transformer: one network for pictures and for spectrograms.

DiT (Peebles and Xie 2023, "Scalable Diffusion Models with Transformers") with the modulation that all blocks share of
PixArt-alpha (Chen et al. 2023). The condition is read in context: its tokens stand before the patches in one sequence,
and self-attention does the rest; their mean also joins the time in the modulation. A spectrogram is a picture whose
patch is a whole column. What is known of each patch, such as where its beats fall, is added to it (`Shape.aligned`),
and a convolution over neighbours (`Shape.near`) spares attention the learning of what is near. Modulation, convolutions
and the last layer start at zero, so that at first each block is the identity.

Shapes: b batch, C channels, H x W pixels, p patches, L condition tokens that are words, n = L + p, D dim.
`transpose.models.diffusion.graph` is the same network in ONNX, from the same names.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as f

from transpose.models.diffusion.graph import EPSILON, SLOWEST, TIME, WAVES
from transpose.models.diffusion.settings import Shape

FURTHEST = 50  # ratio of the fastest and the slowest of the sines that tell the places of patches


class DiT(nn.Module):  # type: ignore[misc]
    """`forward(x, t, cond, mask)` is the velocity v of x at time t under a condition; the shape is x's."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        dim = shape.dim
        self.patch = nn.Linear(shape.patch_size, dim)
        self.positions = nn.Parameter(places(*shape.grid, dim))
        self.cond = nn.Linear(shape.cond_dim, dim)
        self.cond_positions = nn.Parameter(places(1, shape.words, dim))
        if shape.aligned:
            self.aligned = nn.Linear(shape.cond_dim, dim)
        self.empty = nn.Parameter(torch.randn(dim) * 0.02)
        self.time_in = nn.Linear(WAVES, dim)
        self.time_out = nn.Linear(dim, dim)
        self.mean = nn.Linear(shape.cond_dim, dim)
        self.modulation = nn.Linear(dim, 6 * dim)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.depth))
        self.last_modulation = nn.Linear(dim, 2 * dim)
        self.last = nn.Linear(dim, shape.patch_size)
        for layer in (self.modulation, self.last_modulation, self.last):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor, t: Tensor, cond: Tensor, mask: Tensor) -> Tensor:
        """x (b, C, H, W), t (b) in 0..1, cond (b, L, Dc), mask (b, L) of 0 and 1; the null condition is mask 0."""
        patches = self.patch(self.patches(x)) + self.positions  # (b, p, D)
        if count := self.shape.aligned:
            patches = patches + self.aligned(cond[:, -count:] * mask[:, -count:].unsqueeze(-1))
            cond, mask = cond[:, :-count], mask[:, :-count]
        seen = mask.unsqueeze(-1)  # (b, L, 1)
        words = seen * self.cond(cond) + (1 - seen) * self.empty + self.cond_positions  # (b, L, D)
        tokens = torch.cat([words, patches], 1)  # (b, n, D)
        mean = (seen * cond).sum(1) / mask.sum(1, keepdim=True).clamp(min=1)  # (b, Dc)
        moment = f.silu(self.time_out(f.silu(self.time_in(waves(t)))) + self.mean(mean))  # (b, D)
        shared = self.modulation(moment).unflatten(1, (6, -1))  # (b, 6, D)
        for block in self.blocks:
            tokens = block(tokens, shared)
        shift, scale = self.last_modulation(moment).unsqueeze(1).chunk(2, 2)  # (b, 1, D)
        return self.picture(self.last(modulate(tokens[:, words.shape[1] :], shift, scale)).float())

    def patches(self, x: Tensor) -> Tensor:
        """(b, C, H, W) as (b, p, C * h * w), rows of patches from the top."""
        (rows, columns), (height, width) = self.shape.grid, self.shape.patch
        cut = x.reshape(len(x), self.shape.channels, rows, height, columns, width)
        return cut.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)

    def picture(self, patches: Tensor) -> Tensor:
        """The way back from `patches`."""
        (rows, columns), (height, width) = self.shape.grid, self.shape.patch
        cut = patches.reshape(len(patches), rows, columns, self.shape.channels, height, width)
        return cut.permute(0, 3, 1, 4, 2, 5).reshape(len(patches), -1, self.shape.height, self.shape.width)


class Block(nn.Module):  # type: ignore[misc]
    """Attention over all tokens, then an MLP, each modulated and gated by the moment; before them the neighbours."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads, self.words = shape.heads, shape.words
        self.table = nn.Parameter(torch.zeros(6, shape.dim))
        self.qkv = nn.Linear(shape.dim, 3 * shape.dim)
        self.out = nn.Linear(shape.dim, shape.dim)
        self.up = nn.Linear(shape.dim, shape.middle)
        self.down = nn.Linear(shape.middle, shape.dim)
        self.near = None
        if shape.near:
            self.near = nn.Conv1d(shape.dim, shape.dim, shape.near, padding=shape.near // 2, groups=shape.dim)
            nn.init.zeros_(self.near.weight)
            nn.init.zeros_(self.near.bias)

    def forward(self, tokens: Tensor, shared: Tensor) -> Tensor:
        """tokens (b, n, D), shared (b, 6, D) -> (b, n, D)."""
        if self.near is not None:
            words, patches = tokens[:, : self.words], tokens[:, self.words :]
            tokens = torch.cat([words, patches + self.near(patches.transpose(1, 2)).transpose(1, 2)], 1)
        shift, scale, gate, shift_mlp, scale_mlp, gate_mlp = (shared + self.table).unsqueeze(2).unbind(1)  # (b, 1, D)
        tokens = torch.addcmul(tokens, gate, self.out(self.attend(modulate(tokens, shift, scale))))
        middle = f.gelu(self.up(modulate(tokens, shift_mlp, scale_mlp)))
        return torch.addcmul(tokens, gate_mlp, self.down(middle))

    def attend(self, tokens: Tensor) -> Tensor:
        """Self-attention without its last linear layer, (b, n, D) -> (b, n, D).

        On a CPU it is written out: there the backward pass of PyTorch's own function was five times slower.
        """
        heads = self.qkv(tokens).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # (3, b, heads, n, D / heads)
        query, key, value = heads.contiguous().unbind(0)
        if tokens.device.type == "cpu":
            weights = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)  # (b, heads, n, n)
            seen = weights.softmax(-1) @ value
        else:
            seen = f.scaled_dot_product_attention(query, key, value)
        return seen.transpose(1, 2).flatten(2)


def modulate(tokens: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """Layer normalisation whose scale and shift come from the moment (adaLN)."""
    return torch.addcmul(shift, f.layer_norm(tokens, tokens.shape[-1:], eps=EPSILON), 1 + scale)


def places(rows: int, columns: int, dim: int) -> Tensor:
    """Rows and columns of a grid as sines and cosines (Vaswani et al. 2017), (rows * columns, dim).

    They are learned on, but apart from the start: with small random ones attention finds what is near much later.
    """
    count = -(-dim // 4)
    rates = torch.exp(-math.log(FURTHEST) * torch.arange(count) / count)
    grid = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    angles = [each.reshape(-1, 1) * rates for each in grid]
    return torch.cat([wave for each in angles for wave in (each.sin(), each.cos())], 1)[:, :dim]


def waves(t: Tensor) -> Tensor:
    """Times (b) in 0..1 as sines and cosines of 128 frequencies, (b, 256)."""
    half = WAVES // 2
    rates = torch.exp(-math.log(SLOWEST) * torch.arange(half, device=t.device, dtype=torch.float64) / half)
    angles = TIME * t.float().unsqueeze(1) * rates.float()
    return torch.cat([angles.cos(), angles.sin()], 1)
