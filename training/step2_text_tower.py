"""Step 2: text tower, head and logit scale learn from pairs of an image and a prompt, on the original trunk's
features."""

import logging
import math
from pathlib import Path

import open_clip
import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from training.mixing import mixed_features, mixed_loss
from training.prompts import prompt_tokens
from training.resuming import keep, resume

HIDDEN = 844
"""Hidden units of the head; step 5 adds others."""
EPOCHS = 12
BATCH = 512
HEAD_RATE = 2e-3
TEXT_RATE = 1e-3
WARM_UP = 0.15
NOISE = 0.3
DROPOUT = 0.3
MIXUP = 0.3
SPREAD = 0.5
START_SCALE = 20.0

log = logging.getLogger(__name__)


def train_text_tower(
    clip: open_clip.CLIP, features: Tensor, labels: Tensor, seed: int, checkpoint: Path, progress: bool
) -> tuple[nn.Linear, nn.Linear]:
    """Train the text tower and the logit scale of ``clip`` in place, with a two-layer head, which is returned.

    ``features`` [n, 1280] are standardized, ``labels`` [n]. At each step the images are compared with one prompt of
    each label, of a template drawn anew for each label. A second term pushes the labels' embeddings apart, towards
    right angles: a cosine with one of them then says nothing of the others.

    Goes on from ``checkpoint``, written after every epoch. An epoch's draws depend on ``seed`` and its number alone, so
    a resumed run does what an uninterrupted one does.
    """
    torch.manual_seed(seed)
    tokens = prompt_tokens(clip.context_length)
    count = tokens.shape[1]
    first, second = nn.Linear(features.shape[1], HIDDEN), nn.Linear(HIDDEN, clip.text_projection.shape[1])
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
    per_epoch = len(labels) // batch
    rates = [group["lr"] for group in optimizer.param_groups]
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rates, EPOCHS * per_epoch, pct_start=WARM_UP)
    state = {"first": first, "second": second, "clip": clip, "optimizer": optimizer, "schedule": schedule}
    if start := resume(checkpoint, state):
        log.info("goes on after epoch %d of %d", start, EPOCHS)
    clip.train()
    for epoch in range(start, EPOCHS):
        torch.manual_seed(1000 * seed + epoch)
        order = torch.randperm(len(labels))
        for step in tqdm(range(per_epoch), desc=f"epoch {epoch + 1} of {EPOCHS}", disable=not progress):
            chosen = order[step * batch : (step + 1) * batch]
            images, other, share = mixed_features(features, chosen, MIXUP)
            images = images + NOISE * torch.randn(batch, features.shape[1])
            embeddings = second(functional.dropout(functional.gelu(first(images)), DROPOUT))
            template = torch.randint(len(tokens), (count,))
            prompts = clip.encode_text(tokens[template, torch.arange(count)], normalize=True)
            logits = clip.logit_scale.exp() * functional.normalize(embeddings, dim=-1) @ prompts.T
            loss = mixed_loss(logits, labels[chosen], labels[other], share)
            loss = loss + SPREAD * (prompts @ prompts.T - torch.eye(count)).square().sum(1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        log.info("epoch %d of %d, loss %.3f", epoch + 1, EPOCHS, loss.item())
        keep(checkpoint, state, epoch + 1)
    clip.eval()
    return first, second
