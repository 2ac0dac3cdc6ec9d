"""The launcher for attempts on several hosts, whatever starts the processes there."""
