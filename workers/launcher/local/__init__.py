"""The launcher that forks the ranks of an attempt on this host."""
