#!/usr/bin/env python3
"""Scan log objects on Apache Spark: rolefit reads shards of a manifest on the executors, the usage files
are merged on the way back, and one file comes out, the same as that of a single `rolefit scan`.

    spark-submit --files target/release/rolefit scripts/spark_scan.py \
        --manifest keys.txt --out usage.rolefit [--shards 256] [-- --from 2026-09-01 ...]

`--manifest` lists one path or s3:// URL a line; what stands after `--` goes to `rolefit scan` as it is
(give --from and --to as dates: every shard must be asked the same). Executors need what `rolefit scan`
needs: the files at the same paths, or permission to read the bucket. A task that runs twice, or whose
executor is lost and that is run again, changes nothing: merging is a union.

On a cluster `--files` ships the program to every executor; with `--rolefit PATH` one that is installed is
used. On EMR Serverless and Glue pass it by `spark.files` or `--extra-files`.
"""

import argparse
import base64
import os
import shlex
import subprocess
import sys
import tempfile

from pyspark import SparkFiles
from pyspark.sql import SparkSession

# Usage files that one task merges.
FAN_IN = 16

# Keys come in on standard input, the usage file goes out as one line of base64: a pipe carries text. Exit
# code 4 is a scan that is done although some objects could not be read; the usage file names them.
SCAN = r"""
rolefit=$1; shift
[ -x ./rolefit ] && rolefit=./rolefit
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT
"$rolefit" scan --manifest - --threads 1 --no-progress --out "$out" "$@" >/dev/null
status=$?
[ $status -eq 0 ] || [ $status -eq 4 ] || exit $status
base64 <"$out" | tr -d '\n'; echo
"""


def scan_command(rolefit, options):
    words = ["sh", "-c", SCAN, "scan", rolefit, *options]
    return " ".join(shlex.quote(word) for word in words)


def program(rolefit):
    """The program that was shipped with the job, else the one that was named."""
    shipped = SparkFiles.get("rolefit")
    return shipped if os.access(shipped, os.X_OK) else rolefit


def merged(rolefit, files):
    """Usage files (bytes) to one. Runs on an executor."""
    files = list(files)
    if len(files) < 2:
        return files
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for at, data in enumerate(files):
            paths.append(os.path.join(folder, str(at)))
            with open(paths[-1], "wb") as file:
                file.write(data)
        out = os.path.join(folder, "out")
        run = subprocess.run(
            [program(rolefit), "merge", *paths, "--out", out], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        if run.returncode not in (0, 4):
            raise RuntimeError(f"rolefit merge: exit {run.returncode}: {run.stderr.decode(errors='replace')}")
        with open(out, "rb") as file:
            return [file.read()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest", required=True, help="one path or s3:// URL a line")
    parser.add_argument("--out", required=True, help="the usage file to write, on the driver")
    parser.add_argument("--shards", type=int, default=0, help="tasks; four for each core by default")
    parser.add_argument("--rolefit", default="rolefit", help="the program, where it is not shipped with the job")
    parser.add_argument("options", nargs="*", help="after `--`: options of `rolefit scan`")
    args = parser.parse_args()

    with open(args.manifest, encoding="utf-8") as file:
        keys = sorted({line.strip() for line in file} - {""})
    if not keys:
        sys.exit(f"{args.manifest} lists nothing")

    spark = SparkSession.builder.appName("rolefit scan").getOrCreate()
    context = spark.sparkContext
    rolefit = args.rolefit
    shards = min(len(keys), args.shards or 4 * context.defaultParallelism)
    usage = (
        context.parallelize(keys, shards)
        .pipe(scan_command(rolefit, args.options), checkCode=True)
        .map(base64.b64decode)
    )
    while shards > 1:
        shards = -(-shards // FAN_IN)
        usage = usage.repartition(shards).mapPartitions(lambda files: merged(rolefit, files))
    # Of an empty partition nothing comes; of the others one file each, and in the end one.
    found = merged(rolefit, usage.collect())
    partial = f"{args.out}.{os.getpid()}.partial"
    with open(partial, "wb") as file:
        file.write(found[0])
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, args.out)
    print(f"{args.out}: {len(keys)} log objects, {len(found[0])} bytes")
    spark.stop()


if __name__ == "__main__":
    main()
