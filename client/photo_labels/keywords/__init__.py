"""Keywords for photo programs: what a photo is recognized by, in XMP beside the photo or in it."""
