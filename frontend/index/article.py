"""The English article of an everyday word: "a cat", "an apple", "coffee", "binoculars"."""

# What is not counted, and what is always plural.
_WITHOUT = frozenset((
    "armor", "binoculars", "bread", "broccoli", "carbonara", "cattle", "cauliflower", "chain mail", "chocolate sauce",
    "clothing", "coffee", "consomme", "coral", "corn", "cosmetics", "dough", "eggnog", "electronics", "espresso",
    "face powder", "food", "fruit", "furniture", "glasses", "guacamole", "hair spray", "hay", "honey", "ice cream",
    "jeans", "jewelry", "kitchenware", "lotion", "mashed potato", "medicine", "money", "nature", "pajamas",
    "parallel bars", "pasta", "perfume", "rapeseed", "red wine", "seafood", "shellfish", "soap", "soup",
    "sports equipment", "stairs", "stationery", "stew", "sunglasses", "sunscreen", "swimming trunks", "textile",
    "thatch", "toilet paper", "trousers", "underwear", "velvet", "wine", "wool",
))  # fmt: skip
# Of which there is one.
_THE = frozenset(("sea", "seashore", "sky"))
# Vowels that are spoken as consonants, and the other way round.
_A = ("uni", "use", "eu", "one")
_AN = ("hour", "honest", "heir")


def with_article(word: str) -> str:
    """The word as an answer says it."""
    if word in _WITHOUT:
        return word
    if word in _THE:
        return f"the {word}"
    lower = word.lower()
    vowel = lower.startswith(_AN) or (lower[:1] in "aeiou" and not lower.startswith(_A))
    return f"{'an' if vowel else 'a'} {word}"
