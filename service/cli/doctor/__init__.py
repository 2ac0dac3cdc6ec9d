"""`trainyard doctor`: checks of an installation, each of which says how to mend what it finds."""
