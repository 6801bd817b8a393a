"""What a spreadsheet would take for a formula, and how it stands in a table instead: for the client and for the page.

After https://owasp.org/www-community/attacks/CSV_Injection.
"""

CASES = {
    "=1+1.jpg": "'=1+1.jpg",
    "+1.jpg": "'+1.jpg",
    "-1.jpg": "'-1.jpg",
    "@SUM(1).jpg": "'@SUM(1).jpg",
    "\t=1.jpg": "'\t'=1.jpg",
    "\r=1.jpg": "'\r'=1.jpg",
    "\n=1.jpg": "'\n'=1.jpg",
    "\rfirst.jpg": "'\rfirst.jpg",
    "\uff1d1.jpg": "'\uff1d1.jpg",
    "\uff0b1.jpg": "'\uff0b1.jpg",
    "\uff0d1.jpg": "'\uff0d1.jpg",
    "\uff201.jpg": "'\uff201.jpg",
    "  =1.jpg": "'  =1.jpg",
    # Where the separator is a semicolon or a tab, as it is in many countries, a cell begins in the middle.
    "a;=1.jpg": "a;'=1.jpg",
    'a";=1.jpg': "a\";'=1.jpg",
    "a\n=1.jpg": "a\n'=1.jpg",
    "a\t@b.jpg": "a\t'@b.jpg",
    # What already looks so must not be read as what it looks like.
    "'=1.jpg": "''=1.jpg",
    "''=1.jpg": "'''=1.jpg",
    "a;'=1.jpg": "a;''=1.jpg",
    "'quoted'.jpg": "'quoted'.jpg",
    "a-1 = b+c@d;e.jpg": "a-1 = b+c@d;e.jpg",
    "2024, -1.jpg": "2024, -1.jpg",
}
"""A value, to what a cell has in its place."""
