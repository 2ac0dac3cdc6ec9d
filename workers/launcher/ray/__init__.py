"""The launcher that starts ranks on the nodes of a Ray cluster."""
