#!/bin/bash
# One Trainyard worker for the nodes of one Slurm job: sbatch --nodes=4 --gpus-per-node=8 worker.sh
# Flags of the worker come after the file's name: sbatch … worker.sh --server http://… --volume …
#SBATCH --job-name=trainyard
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --exclusive
#SBATCH --requeue
#SBATCH --open-mode=append

trainyard worker --launcher slurm "$@" &
worker=$!
# Slurm sends SIGTERM to the worker too, which drains; a second one would end it at once.
trap : TERM
while :; do
  wait "$worker"
  status=$?
  kill -0 "$worker" 2>/dev/null || break
done
# It has drained and the job still runs: its nodes or its time are about to end, and nobody has
# cancelled it. A job that Slurm requeues by itself is not asked twice: it does not run any more.
if [ "$status" -eq 0 ] && [ "$(squeue --noheader --jobs="$SLURM_JOB_ID" --format=%T)" = RUNNING ]; then
  scontrol requeue "$SLURM_JOB_ID"
fi
exit "$status"
