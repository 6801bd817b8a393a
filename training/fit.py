"""First step of training: text tower and head on features of the frozen trunk, from image and prompt pairs."""

import logging
import math

import open_clip
import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from training.towers import prompt_tokens

EPOCHS = 12
BATCH = 512
HEAD_RATE = 2e-3
TEXT_RATE = 1e-3
NOISE = 0.3
DROPOUT = 0.3
LABEL_SMOOTHING = 0.1
START_SCALE = 20.0
SPREAD = 0.5

log = logging.getLogger(__name__)


def fit_text_tower(
    clip: open_clip.CLIP, features: Tensor, labels: Tensor, hidden: int, seed: int, progress: bool
) -> tuple[nn.Linear, nn.Linear]:
    """Trains the text tower and the logit scale of `clip` in place, and with them a two-layer head, which is returned.

    `features` [n, 1280] are standardized, `labels` [n]. At each step the images are compared with one prompt of
    each label, of a template drawn anew for each label. A second term pushes the labels' embeddings apart, towards
    right angles: a cosine with one of them then says nothing of the others.
    """
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    tokens = prompt_tokens(clip.context_length)
    first = nn.Linear(features.shape[1], hidden)
    second = nn.Linear(hidden, clip.text_projection.shape[1])
    clip.logit_scale.data.fill_(math.log(START_SCALE))
    text = [p for name, p in clip.named_parameters() if not name.startswith("visual.") and name != "logit_scale"]
    optimizer = torch.optim.AdamW(
        [
            {"params": [*first.parameters(), *second.parameters()], "lr": HEAD_RATE, "weight_decay": 0.02},
            {"params": text, "lr": TEXT_RATE, "weight_decay": 0.01},
            {"params": [clip.logit_scale], "lr": TEXT_RATE, "weight_decay": 0.0},
        ]
    )
    batch = min(BATCH, len(labels))
    steps = EPOCHS * (len(labels) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, [HEAD_RATE, TEXT_RATE, TEXT_RATE], steps, pct_start=0.15)
    identity = torch.eye(tokens.shape[1])
    clip.train()
    with tqdm(total=steps, desc="text tower and head", disable=not progress) as bar:
        for epoch in range(EPOCHS):
            order = torch.randperm(len(labels), generator=generator)
            for start in range(0, len(labels) - batch + 1, batch):
                chosen = order[start : start + batch]
                images = features[chosen] + NOISE * torch.randn(batch, features.shape[1], generator=generator)
                hidden_units = functional.dropout(functional.gelu(first(images)), DROPOUT)
                template = torch.randint(len(tokens), (tokens.shape[1],), generator=generator)
                prompts = clip.encode_text(tokens[template, torch.arange(tokens.shape[1])], normalize=True)
                cosines = functional.normalize(second(hidden_units), dim=-1) @ prompts.T
                logits = clip.logit_scale.exp() * cosines
                loss = functional.cross_entropy(logits, labels[chosen], label_smoothing=LABEL_SMOOTHING)
                loss = loss + SPREAD * (prompts @ prompts.T - identity).square().sum(1).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                bar.update()
            log.info("text tower and head: epoch %d of %d, loss %.3f", epoch + 1, EPOCHS, loss.item())
    clip.eval()
    return first, second
