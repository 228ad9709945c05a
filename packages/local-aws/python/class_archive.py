"""Makes an archive of Spark's classes, which Java maps at its start instead of loading, checking and linking them one by one.

usage: class_archive.py ARCHIVE

Java archives what was loaded when the process ends, so this does a little of what jobs do. It ignores an archive of another Java.
https://docs.oracle.com/en/java/javase/17/vm/class-data-sharing.html
"""

import os
import sys
import tempfile

from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as F


def main(archive: str, folder: str) -> None:
    options = f'"-XX:ArchiveClassesAtExit={archive}" -Xlog:cds=off -Xlog:cds+dynamic=off -XX:TieredStopAtLevel=1 -XX:+UseSerialGC "-Djava.io.tmpdir={folder}"'
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.shuffle.partitions": "2",
        "spark.driver.extraJavaOptions": options,
    }
    builder = SparkSession.builder.master("local[2]").appName("class archive")
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    work(spark, folder)
    # Java writes the archive when it ends by itself; Python's own end would not wait for it.
    spark.stop()
    gateway = spark.sparkContext._gateway
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait()


def work(spark: SparkSession, folder: str) -> None:
    csv, parquet, lines = (os.path.join(folder, name) for name in ("rows.csv", "rows.parquet", "rows.json"))
    rows = spark.range(100).select(F.col("id").cast("string").alias("key"), (F.col("id") / 7).alias("value"), F.rand(1).alias("other"))
    rows.write.csv(csv, header=True)
    read = spark.read.csv(csv, header=True, multiLine=True).repartition(2, "key").cache()
    numbers = read.select("key", F.transform(F.array("value", "other"), lambda text: text.cast("double")).alias("numbers"))
    pairs = numbers.select("key", F.posexplode("numbers")).groupBy("pos").agg(F.count("*"), F.percentile_approx("col", [0.5]))
    pairs.orderBy("pos").collect()
    order = Window.partitionBy("key").orderBy(F.col("value").desc_nulls_last())
    first = read.withColumn("place", F.row_number().over(order)).where("place = 1").drop("place")
    first.join(numbers, "key", "left_anti").union(first).coalesce(1).sortWithinPartitions("key").write.parquet(parquet)
    first.write.json(lines, compression="gzip")
    spark.read.schema("key string, value string").json(lines).agg(F.count_if(F.col("value").isNull())).first()


if __name__ == "__main__":
    unfinished = f"{sys.argv[1]}.unfinished"
    with tempfile.TemporaryDirectory() as temporary:
        main(unfinished, temporary)
    os.replace(unfinished, sys.argv[1])
