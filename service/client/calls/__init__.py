"""Every call of the client, described once: as a flow (`service/client/flow.py`)."""
