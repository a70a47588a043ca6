#!/bin/sh
# AWS Batch array jobs (AWS_BATCH_JOB_ARRAY_INDEX, AWS_BATCH_JOB_ARRAY_SIZE) and Kubernetes Indexed Jobs
# (JOB_COMPLETION_INDEX; give SHARDS, the Job's .spec.completions): both count from 0.
index=${AWS_BATCH_JOB_ARRAY_INDEX:-$JOB_COMPLETION_INDEX}
of=${AWS_BATCH_JOB_ARRAY_SIZE:-$SHARDS}
shard=$((index + 1))
exec rolefit scan "$LOGS" --from "$FROM" --threads 1 --no-progress \
  --shard "$shard/$of" --out "$OUT/shard-$shard.rolefit"
