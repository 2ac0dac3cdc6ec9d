"""The launcher that starts ranks on the nodes of a Slurm allocation."""
