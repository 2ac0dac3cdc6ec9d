"""The titles of our processes, as `ps` shows them."""

PREFIX = "trainyard"


def process_title(*parts: str) -> str:
    """The title of a process that is `parts`, as in `trainyard:rank-0:job_1`.

    It has no space: the kernel keeps its first 15 characters as the name of the process, and Slurm
    (proctrack/linuxproc) cannot read the line of a process in whose name there is one, and sends it
    no signal.
    """
    return ":".join((PREFIX, *parts))
