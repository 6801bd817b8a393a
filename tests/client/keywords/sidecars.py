"""Sidecars as other programs write them, and what other programs read in ours."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
DARKTABLE = """<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:lr="http://ns.adobe.com/lightroom/1.0/"
    xmlns:darktable="http://darktable.sf.net/"
   xmp:Rating="4"
   darktable:xmp_version="5"
   darktable:history_end="2">
   <dc:subject>
    <rdf:Bag>
     <rdf:li>Ada &amp; Grace</rdf:li>
     <rdf:li>dog</rdf:li>
    </rdf:Bag>
   </dc:subject>
   <lr:hierarchicalSubject>
    <rdf:Bag>
     <rdf:li>people|Ada &amp; Grace</rdf:li>
     <rdf:li>auto|VW</rdf:li>
    </rdf:Bag>
   </lr:hierarchicalSubject>
   <darktable:history>
    <rdf:Seq>
     <rdf:li darktable:num="0" darktable:operation="exposure" darktable:params="00ff"/>
    </rdf:Seq>
   </darktable:history>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""
DIGIKAM = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<!-- by hand -->
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
><rdf:Description rdf:about="uuid:7" xmlns:digiKam="http://www.digikam.org/ns/1.0/"><digiKam:TagsList><rdf:Seq
><rdf:li>Orte/Köln</rdf:li></rdf:Seq></digiKam:TagsList></rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"""
EMPTY_LISTS = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:subject><rdf:Bag/></dc:subject>
</rdf:Description></rdf:RDF></x:xmpmeta>"""
BARE = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>'
FOREIGN = {"darktable": DARKTABLE, "digiKam": DIGIKAM, "empty lists": EMPTY_LISTS, "bare": BARE}

needs_exiftool = pytest.mark.skipif(not shutil.which("exiftool"), reason="ExifTool is not installed")
needs_exiv2 = pytest.mark.skipif(not shutil.which("exiv2"), reason="exiv2 is not installed")


def canonical(document: bytes) -> bytes:
    """What stays the same however XML is written."""
    written: bytes = etree.tostring(etree.fromstring(document), method="c14n", with_comments=True)
    return written


def exiftool(file: Path) -> dict[str, list[str]]:
    """What ExifTool reads in a file: its XMP, by group and name."""
    command = ["exiftool", "-json", "-G1", "-struct", "-XMP:all", str(file)]
    said = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    [tags] = json.loads(said)
    return {name: _texts(value) for name, value in tags.items() if name.startswith("XMP-")}


def _texts(value: Any) -> list[str]:
    return [str(each) for each in (value if isinstance(value, list) else [value])]


def exiv2(file: Path) -> dict[str, list[str]]:
    """What exiv2 reads, the library of darktable and digiKam."""
    command = ["exiv2", "-q", "-PXkt", "print", str(file)]
    said = subprocess.run(command, capture_output=True, check=True, text=True, timeout=60).stdout
    read = dict(line.split(maxsplit=1) for line in said.splitlines() if len(line.split(maxsplit=1)) == 2)
    return {name: value.split(", ") for name, value in read.items()}
