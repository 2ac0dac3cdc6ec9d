"""Checkpoint folders on the shared volume: durable writes, reading, verification, removal."""
