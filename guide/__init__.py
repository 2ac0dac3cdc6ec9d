"""Builds the guide: the documents of `docs/` and a reference made from the code, as a site."""
