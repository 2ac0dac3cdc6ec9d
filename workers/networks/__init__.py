"""Network blocks that several recipes share."""
