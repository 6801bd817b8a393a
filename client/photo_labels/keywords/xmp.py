"""Puts keywords into XMP, and takes them out again: what was there before stays, and is there afterwards.

The keywords are in three properties, which programs read (``_PROPERTIES``). Beside them a record says for each property
which entries were added, so that exactly these can be replaced or removed later, whoever has written the same word too.

Whoever has written a sidecar may have written anything: documents with a type, and with it entities, are not read, nor
are large ones. Adobe's XMP Specification, parts 1 and 3, has the form.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lxml import etree

from .words import Words

MAX_BYTES = 8 << 20
"""Of a document that is read."""
ROOT = "auto"
"""What all entries of hierarchies are under, to tell them from a person's own."""

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_OWN = "urn:photo-labels:xmp/1.0/"
_ABOUT, _LI, _DESCRIPTION = f"{{{_RDF}}}about", f"{{{_RDF}}}li", f"{{{_RDF}}}Description"
_LISTS = tuple(f"{{{_RDF}}}{name}" for name in ("Bag", "Seq", "Alt"))
_CREATED = f"{{{_OWN}}}created"
_EMPTY = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="photo-labels">
 <rdf:RDF xmlns:rdf="{_RDF}">
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
"""
_DECLARATION = re.compile(r"\s*<\?xml\s[^>]*?\?>")
_ENCODING = re.compile(r"""encoding\s*=\s*["']([^"']*)["']""")
# With a mark of the byte order, or without one for "<".
_ENCODINGS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"<\0\0\0": "utf-32-le",
    b"\0\0\0<": "utf-32-be",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
    b"<\0": "utf-16-le",
    b"\0<": "utf-16-be",
}


class XmpError(Exception):
    """It cannot be read as XMP, and is left as it is. The message says why in a few words."""


@dataclass(frozen=True)
class _Property:
    """A list of keywords: its namespace with the usual prefix, its name, and the kind of list."""

    namespace: str
    prefix: str
    name: str
    kind: str

    @property
    def tag(self) -> str:
        return f"{{{self.namespace}}}{self.name}"

    @property
    def record(self) -> str:
        return f"{{{_OWN}}}{self.name}"


_SUBJECT = _Property("http://purl.org/dc/elements/1.1/", "dc", "subject", "Bag")
_HIERARCHY = _Property("http://ns.adobe.com/lightroom/1.0/", "lr", "hierarchicalSubject", "Bag")
_TAGS = _Property("http://www.digikam.org/ns/1.0/", "digiKam", "TagsList", "Seq")
_PROPERTIES = (_SUBJECT, _HIERARCHY, _TAGS)
_PREFIXES = {each.prefix: each.namespace for each in _PROPERTIES} | {"rdf": _RDF, "photoLabels": _OWN}


def updated(document: bytes | None, words: Words) -> bytes | None:
    """The document with these words, and without others of an earlier call.

    Args:
        document: XMP in UTF-8, UTF-16 or UTF-32; None where there is none.

    Returns:
        The same object where nothing is to be changed; UTF-8 else. None where nothing is left of a document that an
        earlier call has made.

    Raises:
        XmpError: it is not XMP.
    """
    if document is None and not words.flat:
        return None
    text, declaration = _text(document) if document is not None else (_EMPTY, "")
    tree = _parsed(text)
    rdf = _rdf(tree)
    block = _block(rdf)
    if document is None:
        block = _new_block(rdf)
        block.set(_CREATED, "True")
    changed = False
    for each, wanted in zip(_PROPERTIES, _entries(words), strict=True):
        recorded = _items(_found(block, each.record)) if block is not None else []
        properties = list(_properties(rdf, each.tag))
        present = {_value(item) for one in properties for item in _items(one)}
        for item in recorded:
            if _value(item) not in wanted:
                changed = True
                for one in [i for p in properties for i in _items(p) if _value(i) == _value(item)][:1]:
                    _remove(one)
                _remove(item)
        known = {_value(item) for item in recorded}
        missing = [entry for entry in wanted if entry not in present]
        if missing:
            changed = True
            block = _new_block(rdf) if block is None else block
            _add(_list(properties[0] if properties else _new(block, each.tag), each.kind), missing)
            fresh = [entry for entry in missing if entry not in known]
            if fresh:
                record = _found(block, each.record)
                _add(_list(_new(block, each.record) if record is None else record, "Bag"), fresh)
    if not changed:
        return document
    if block is not None and _clear(block):
        return None
    written: bytes = etree.tostring(tree, encoding="utf-8")
    return declaration.encode() + written.rstrip(b"\n") + b"\n"


def _entries(words: Words) -> tuple[list[str], list[str], list[str]]:
    """What each of the properties is to have."""
    # Neither has a way to write its separator within a word.
    bars = ["|".join((ROOT, *(word.replace("|", "-") for word in path))) for path in words.paths]
    slashes = ["/".join((ROOT, *(word.replace("/", "-") for word in path))) for path in words.paths]
    return list(words.flat), bars, slashes


def _text(document: bytes) -> tuple[str, str]:
    """The document's text, without and with its XML declaration in UTF-8."""
    if len(document) > MAX_BYTES:
        raise XmpError(f"has more than {MAX_BYTES:,} bytes")
    encoding = next((name for mark, name in _ENCODINGS.items() if document.startswith(mark)), "utf-8")
    try:
        text = document.decode(encoding)
    except UnicodeDecodeError:
        raise XmpError("is not UTF-8") from None
    found = _DECLARATION.match(text)
    if not found:
        return text, ""
    declared = _ENCODING.search(found[0])
    if declared and not declared[1].lower().startswith(("utf", "us-ascii")):
        raise XmpError(f"is in {declared[1][:20]}, and XMP is in UTF-8")
    return text[found.end() :], '<?xml version="1.0" encoding="UTF-8"?>\n'


def _parsed(text: str) -> "etree._ElementTree[etree._Element]":
    # Not only before the document's element, but nobody writes these anywhere else either.
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise XmpError("has a document type, which XMP does not have")
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False, strip_cdata=False
    )
    try:
        return etree.ElementTree(etree.fromstring(text.strip().encode(), parser))
    except (etree.XMLSyntaxError, ValueError) as error:
        raise XmpError(f"is not XML ({str(error)[:100]})") from None


def _rdf(tree: "etree._ElementTree[etree._Element]") -> etree._Element:
    root = tree.getroot()
    rdf = root if root.tag == f"{{{_RDF}}}RDF" else root.find(f"{{{_RDF}}}RDF")
    if rdf is None:
        raise XmpError("has no rdf:RDF")
    return rdf


def _properties(rdf: etree._Element, tag: str) -> Iterator[etree._Element]:
    """Those of the photo itself, and not of a part of a structure."""
    for description in rdf.iterchildren("*"):
        yield from description.iterchildren(tag)


def _block(rdf: etree._Element) -> etree._Element | None:
    """The description with the record, wherever another program has put it."""
    for description in rdf.iterchildren("*"):
        if _is_made(description) or any(_found(description, each.record) is not None for each in _PROPERTIES):
            return description
    return None


def _is_made(block: etree._Element) -> bool:
    """Whether the document was made for keywords. Some programs write an attribute as an element."""
    return block.get(_CREATED) is not None or _found(block, _CREATED) is not None


def _found(element: etree._Element, tag: str) -> etree._Element | None:
    return element.find(tag)


def _list(property_: etree._Element, kind: str) -> etree._Element:
    for child in property_.iterchildren("*"):
        if child.tag in _LISTS:
            return child
    if len(property_) or (property_.text or "").strip():
        raise XmpError(f"has a {etree.QName(property_).localname} that is not a list")
    return _new(property_, f"{{{_RDF}}}{kind}")


def _items(property_: etree._Element | None) -> list[etree._Element]:
    if property_ is None:
        return []
    return [item for child in property_.iterchildren(*_LISTS) for item in child.iterchildren(_LI)]


def _value(item: etree._Element) -> str:
    return "".join(item.itertext("*")).strip()


def _new_block(rdf: etree._Element) -> etree._Element:
    about = next((each.get(_ABOUT) for each in rdf.iterchildren(_DESCRIPTION) if each.get(_ABOUT)), "")
    return _opened(rdf, etree.Element(_DESCRIPTION, {_ABOUT: about or ""}, nsmap=_PREFIXES))


def _new(parent: etree._Element, tag: str) -> etree._Element:
    return _opened(parent, etree.Element(tag))


def _opened(parent: etree._Element, child: etree._Element) -> etree._Element:
    """Append what will have children: its end stands under its beginning."""
    _append(parent, child)
    child.text = f"\n{_indent(child)}"
    return child


def _add(list_: etree._Element, entries: Sequence[str]) -> None:
    for entry in entries:
        item = etree.Element(_LI)
        item.text = entry
        _append(list_, item)


def _append(parent: etree._Element, child: etree._Element) -> None:
    """Add a child on a line of its own. The space before the parent's end stays where it is, for ``_remove``."""
    space = f"\n{_indent(parent)} "
    if len(parent):
        child.tail, parent[-1].tail = parent[-1].tail, space
    else:
        child.tail, parent.text = parent.text, space
    parent.append(child)


def _indent(element: etree._Element) -> str:
    return " " * sum(1 for _ in element.iterancestors())


def _remove(element: etree._Element) -> None:
    """Undo ``_append``."""
    parent, before = element.getparent(), element.getprevious()
    assert parent is not None  # noqa: S101
    if before is not None:
        before.tail = element.tail
    else:
        parent.text = element.tail
    parent.remove(element)


def _clear(block: etree._Element) -> bool:
    """Remove what has become empty; says whether nothing is left of a document that was made for keywords."""
    is_made, rdf = _is_made(block), block.getparent()
    assert rdf is not None  # noqa: S101
    for each in _PROPERTIES:
        record = _found(block, each.record)
        if record is not None and not _items(record):
            _remove(record)
    if any(_found(block, each.record) is not None for each in _PROPERTIES):
        return False
    # A list that was empty before this block was added stays.
    for description in list(rdf.iterchildren("*")) if is_made else [block]:
        for each in _PROPERTIES:
            for property_ in [one for one in description.iterchildren(each.tag) if not _items(one)]:
                _remove(property_)
        description.attrib.pop(_CREATED, None)
        for element in list(description.iterchildren(_CREATED)):
            _remove(element)
        if not len(description) and set(description.attrib) <= {_ABOUT} and not (description.text or "").strip():
            _remove(description)
        elif _OWN in description.nsmap.values():
            others = {
                name for each in description.iter("*") for name, uri in each.nsmap.items() if name and uri != _OWN
            }
            etree.cleanup_namespaces(description, keep_ns_prefixes=sorted(others))
    return is_made and not len(rdf)
