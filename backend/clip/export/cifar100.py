"""The labels of CIFAR-100, which a model answers with unless others are given, and the prompts they are put into.

Labels: the 100 fine classes of CIFAR-100 in their official, alphabetical order (Krizhevsky, "Learning Multiple Layers
of Features from Tiny Images", 2009). Templates: the 18 prompts for CIFAR-100 in OpenAI's prompts notebook (Radford et
al., "Learning Transferable Visual Models From Natural Language Supervision", 2021, data/prompts.md).
"""

# fmt: off
LABELS: tuple[str, ...] = (
    "apple", "aquarium fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle", "bowl", "boy",
    "bridge", "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle", "chair", "chimpanzee", "clock",
    "cloud", "cockroach", "couch", "crab", "crocodile", "cup", "dinosaur", "dolphin", "elephant", "flatfish",
    "forest", "fox", "girl", "hamster", "house", "kangaroo", "keyboard", "lamp", "lawn mower", "leopard", "lion",
    "lizard", "lobster", "man", "maple tree", "motorcycle", "mountain", "mouse", "mushroom", "oak tree", "orange",
    "orchid", "otter", "palm tree", "pear", "pickup truck", "pine tree", "plain", "plate", "poppy", "porcupine",
    "possum", "rabbit", "raccoon", "ray", "road", "rocket", "rose", "sea", "seal", "shark", "shrew", "skunk",
    "skyscraper", "snail", "snake", "spider", "squirrel", "streetcar", "sunflower", "sweet pepper", "table", "tank",
    "telephone", "television", "tiger", "tractor", "train", "trout", "tulip", "turtle", "wardrobe", "whale",
    "willow tree", "wolf", "woman", "worm",
)
# fmt: on

TEMPLATES: tuple[str, ...] = tuple(
    template.replace("ARTICLE", article)
    for article in ("a", "the")
    for template in (
        "a photo of ARTICLE {}.",
        "a blurry photo of ARTICLE {}.",
        "a black and white photo of ARTICLE {}.",
        "a low contrast photo of ARTICLE {}.",
        "a high contrast photo of ARTICLE {}.",
        "a bad photo of ARTICLE {}.",
        "a good photo of ARTICLE {}.",
        "a photo of ARTICLE small {}.",
        "a photo of ARTICLE big {}.",
    )
)
