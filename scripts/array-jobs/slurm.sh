#!/bin/sh
# Slurm: sbatch --array=1-64 scripts/array-jobs/slurm.sh, then: rolefit merge usage/shard-*.rolefit --out usage.rolefit
#SBATCH --cpus-per-task=1
#SBATCH --mem=1G
exec rolefit scan "$LOGS" --from "$FROM" --threads 1 --no-progress \
  --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" --out "$OUT/shard-$SLURM_ARRAY_TASK_ID.rolefit"
