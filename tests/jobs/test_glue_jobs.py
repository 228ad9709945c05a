"""The three jobs from end to end, with S3 and the Data API stood in for."""

import gzip
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import BUCKET, FakeS3, FakeWarehouse, document

import extract_inference_data
import extract_training_data
import load_scores
from glue_job import JobFailed

RunJob = Callable[..., None]
START = datetime(2026, 2, 1, tzinfo=timezone.utc)
AS_OF = "2026-03-01T00:00:00Z"
DATASET = "config/datasets/fraud.json"


def milliseconds(hours: float) -> int:
    return round((START + timedelta(hours=hours)).timestamp() * 1000)


def event(number: int, **changes: Any) -> dict[str, Any]:
    """As UNLOAD writes it: features as they were archived, one field of the input."""
    features = {"amount": number + 0.5, "flag": number % 2, "category": None if number % 5 == 0 else number % 2}
    return {
        "key": f"txn-{number}",
        "event_ms": milliseconds(number),
        "scored_ms": milliseconds(number) + 90,
        "features": features,
        "i3": "DE" if number % 3 else None,
    } | changes


def table(s3: FakeS3, prefix: str, folder: Path) -> pa.Table:
    """All rows of a Parquet folder in the bucket."""
    tables = []
    for key in sorted(key for key in s3.objects if key.startswith(prefix)):
        (folder / "read.parquet").write_bytes(s3.objects[key])
        tables.append(pq.read_table(folder / "read.parquet"))
    return pa.concat_tables(tables)


def train(run_job: RunJob, **arguments: str) -> None:
    run_job(extract_training_data.main, model_name="fraud-1", as_of=AS_OF, **arguments)


@pytest.fixture
def archive(s3: FakeS3, warehouse: FakeWarehouse) -> FakeWarehouse:
    s3.put_json(DATASET, document())
    warehouse.events = [event(number) for number in range(100)]
    warehouse.labels = [
        {"key": f"txn-{number}", "label": "t", "labelled_ms": milliseconds(200), "received_ms": milliseconds(201), "source": "chargeback"}
        for number in range(0, 100, 10)
    ]
    return warehouse


def test_a_training_set_is_split_and_described(run_job: RunJob, s3: FakeS3, archive: FakeWarehouse, tmp_path: Path) -> None:
    # An object of an earlier attempt is no part of the set.
    s3.objects["training/data/fraud/fraud-1/train/part-old.parquet"] = b"old"
    train(run_job)
    events, labels = archive.statements
    assert events.startswith("UNLOAD ('SELECT e.event_id AS \"key\"") and "''fraud''" in events
    assert "FORMAT AS JSON" in events and "e.input.\"country\" AS i3" in events
    assert "l.labelled_at <= ''2026-03-01 00:00:00.000+00''::TIMESTAMPTZ" in labels

    parts = {part: table(s3, f"training/data/fraud/fraud-1/{part}/", tmp_path) for part in ("train", "validation", "holdout")}
    rows = parts["train"]
    assert rows.column_names == ["key", "event_time", "label", "amount", "flag", "category", "country"]
    assert [str(rows.schema.field(name).type) for name in ("label", "amount", "category", "country")] == ["double"] * 3 + ["string"]
    assert rows.slice(10, 1).to_pylist() == [
        {"key": "txn-10", "event_time": START + timedelta(hours=10), "label": 1.0, "amount": 10.5, "flag": 0.0, "category": None, "country": "DE"}
    ]
    assert {part: found.num_rows for part, found in parts.items()} == {"train": 60, "validation": 20, "holdout": 20}
    assert rows.column("key").to_pylist() == [f"txn-{number}" for number in range(60)]

    found = s3.json("training/data/fraud/fraud-1/statistics.json")
    assert found["rows"] == {"train": 60, "validation": 20, "holdout": 20}
    assert (found["dataset"], found["modelName"], found["asOf"]) == ("fraud", "fraud-1", "2026-03-01T00:00:00.000Z")
    assert (found["from"], found["to"]) == ("2026-02-01T00:00:00.000Z", "2026-02-05T03:00:00.000Z")
    assert found["label"] == {
        "kind": "binary", "rows": 100, "nulls": 0, "notFinite": 0, "positives": 10, "minimum": 0, "maximum": 1, "mean": 0.1,
    }  # fmt: skip
    assert [column["name"] for column in found["columns"]] == ["amount", "flag", "category", "country"]
    assert found["duplicateKeys"] == 0


@pytest.mark.parametrize(("unlabelled", "rows", "left_out"), [("negative", 100, 0), ("drop", 10, 90)])
def test_unlabelled_events_are_negative_or_left_out(
    run_job: RunJob, s3: FakeS3, archive: FakeWarehouse, unlabelled: str, rows: int, left_out: int
) -> None:
    s3.put_json(DATASET, document(labels={"unlabelled": unlabelled, "maturityDays": 0}))
    train(run_job)
    found = s3.json("training/data/fraud/fraud-1/statistics.json")
    assert (sum(found["rows"].values()), found["label"]["positives"]) == (rows, 10)
    assert found["leftOut"] == {"scored after asOf": 0, "without a label": left_out}


def test_a_feature_that_some_events_lack_is_missing_there(run_job: RunJob, s3: FakeS3, archive: FakeWarehouse) -> None:
    for known in archive.events[:40]:
        del known["features"]["amount"]
    train(run_job)
    assert s3.json("training/data/fraud/fraud-1/statistics.json")["columns"][0]["nulls"] == 40


def test_an_empty_extract_says_what_was_left_out(run_job: RunJob, s3: FakeS3, archive: FakeWarehouse) -> None:
    archive.events = [event(number, scored_ms=milliseconds(10_000)) for number in range(7)]
    with pytest.raises(JobFailed, match=r"extract of fraud is empty: .* \(7 scored after asOf\)"):
        train(run_job)
    archive.events = []
    with pytest.raises(JobFailed, match=r"extract of fraud is empty: .* \(none was found\)"):
        train(run_job)
    assert not any(key.startswith("training/data/") for key in s3.objects)


def test_a_feature_that_no_event_has_is_named(run_job: RunJob, archive: FakeWarehouse) -> None:
    for known in archive.events:
        del known["features"]["amount"], known["i3"]
    with pytest.raises(JobFailed, match="Column features.amount, input.country vanished"):
        train(run_job)


def csv(*lines: str) -> bytes:
    return "\n".join(lines).encode()


FILE = "training/source/fraud/rows.csv"
HEADER = "key,time,amount,flag,category,country,label"


def file_of(count: int) -> list[str]:
    return [HEADER, *[f"c{row},2026-02-01T00:{row:02d}:00Z,{row},1,travel,\"D,E\",{row % 2}" for row in range(count)]]


def test_a_file_can_be_trained_on(run_job: RunJob, s3: FakeS3, warehouse: FakeWarehouse, tmp_path: Path) -> None:
    s3.put_json(DATASET, document())
    lines = file_of(50)
    # A repeated key: the newest stays. A row of the future is not known yet.
    s3.objects[FILE] = csv(*lines, "c7,2026-02-02T00:00:00Z,777,0,0,FR,1", "c99,2026-09-01T00:00:00Z,1,1,0,FR,1")
    train(run_job, file=FILE)
    assert warehouse.statements == []
    parts = pa.concat_tables([table(s3, f"training/data/fraud/fraud-1/{part}/", tmp_path) for part in ("train", "validation", "holdout")])
    found = {row["key"]: row for row in parts.to_pylist()}
    assert len(found) == 50 and "c99" not in found
    assert (found["c7"]["amount"], found["c7"]["category"], found["c8"]["category"], found["c8"]["country"]) == (777.0, 0.0, 1.0, "D,E")
    statistics = s3.json("training/data/fraud/fraud-1/statistics.json")
    assert (statistics["duplicateKeys"], statistics["leftOut"]) == (1, {"later than asOf": 1})


def test_a_file_without_times_is_split_by_key(run_job: RunJob, s3: FakeS3) -> None:
    s3.put_json(DATASET, document(source={"kind": "files"}))
    lines = [",".join(cell for place, cell in enumerate(line.split(",", 2)) if place != 1) for line in file_of(60)]
    s3.objects[FILE] = csv(*lines)
    train(run_job, file=FILE)
    statistics = s3.json("training/data/fraud/fraud-1/statistics.json")
    assert sum(statistics["rows"].values()) == 60 and all(statistics["rows"].values())
    assert (statistics["from"], statistics["to"]) == (None, None)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([HEADER.replace("amount", "price"), *file_of(3)[1:]], "Column amount vanished: expected in s3://pipelines/training/source/fraud/rows.csv"),
        ([HEADER.replace("label", "outcome"), *file_of(3)[1:]], r"Column label \(or label\) vanished"),
        ([HEADER, "a,2026-02-01T00:00:00Z,much,1,0,DE,1"], "column amount holds text where numbers are expected in 1 rows. Correct"),
        ([HEADER, "a,2026-02-01T00:00:00Z,1,1,Travel,DE,1"], "column category holds text that is none of its categories in 1 rows. Correct"),
        ([HEADER, ",2026-02-01T00:00:00Z,1,1,0,DE,1"], "1 rows have no key"),
        (["price,ann@example.com,much"], "Column amount, .*, found only other names in the first line. Does the file have a header?"),
        ([HEADER, "a,yesterday,1,1,0,DE,1"], "column time expects times .* and 1 rows have none"),
        ([HEADER, "a,2026-02-01T00:00:00Z,1,1,0,DE,2"], "target label is outside its scale in 1 rows, such as 2: expected 0 or 1"),
        ([HEADER], "extract of fraud is empty"),
        ([HEADER, "a,2026-02-01T00:00:00Z,1,1,0,DE,1"], "left .* without rows"),
    ],
)
def test_a_bad_file_is_reported_by_name(run_job: RunJob, s3: FakeS3, lines: list[str], message: str) -> None:
    s3.put_json(DATASET, document())
    s3.objects[FILE] = csv(*lines)
    with pytest.raises(JobFailed, match=message) as failure:
        train(run_job, file=FILE)
    assert "\n" not in str(failure.value)
    assert not any(word in str(failure.value) for word in ("much", "Travel", "yesterday", "ann@example.com"))
    assert "training/data/fraud/fraud-1/statistics.json" not in s3.objects


def test_missing_documents_and_files_are_reported(run_job: RunJob, s3: FakeS3) -> None:
    with pytest.raises(JobFailed, match="s3://pipelines/config/datasets/fraud.json does not exist. Deploy the stack"):
        train(run_job)
    s3.put_json(DATASET, document(source={"kind": "files"}))
    with pytest.raises(JobFailed, match="learns from files, and this run names none"):
        train(run_job)
    with pytest.raises(JobFailed, match="training/source/fraud/none.csv does not exist"):
        train(run_job, file="training/source/fraud/none.csv")
    with pytest.raises(JobFailed, match="--as_of expects an ISO 8601 time"):
        run_job(extract_training_data.main, model_name="fraud-1", as_of="today")
    with pytest.raises(JobFailed, match="'../x' is not a name"):
        run_job(extract_training_data.main, model_name="../x", as_of=AS_OF)


DAY = "2026-02-03"
INPUT, OUTPUT = f"inference/input/fraud/dt={DAY}", f"inference/output/fraud/dt={DAY}"


def test_a_day_becomes_csv_and_a_manifest(run_job: RunJob, s3: FakeS3, archive: FakeWarehouse) -> None:
    archive.events = [event(1), event(2, key='a,"b"\nc'), event(3, i3="x\ny"), event(5)]
    s3.objects[f"{INPUT}/part-old.csv"] = b"old"
    s3.put_json(f"{INPUT}.manifest.json", {"rows": 99})
    run_job(extract_inference_data.main, date=DAY)
    assert "''2026-02-03 00:00:00.000+00''" in archive.statements[0] and "''2026-02-04 00:00:00.000+00''" in archive.statements[0]
    manifest = s3.json(f"{INPUT}.manifest.json")
    assert (manifest["dataset"], manifest["date"], manifest["rows"], manifest["duplicateKeys"]) == ("fraud", DAY, 4, 0)
    assert manifest["files"] == [key for key in sorted(s3.objects) if key.startswith(f"{INPUT}/")]
    assert sorted(s3.lines(f"{INPUT}/")) == [
        '"a,""b""%0Ac",2.5,0.0,0.0,DE',
        "txn-1,1.5,1.0,1.0,DE",
        "txn-3,3.5,1.0,1.0,x\ufffdy",
        "txn-5,5.5,1.0,,DE",
    ]
    assert s3.written[-1] == f"{INPUT}.manifest.json"


def test_an_empty_day_is_a_success(run_job: RunJob, s3: FakeS3, archive: FakeWarehouse) -> None:
    archive.events = []
    s3.objects[f"{INPUT}/part-old.csv"] = b"old"
    run_job(extract_inference_data.main, date=DAY)
    assert s3.json(f"{INPUT}.manifest.json") == {"dataset": "fraud", "date": DAY, "rows": 0, "files": [], "duplicateKeys": 0}
    assert not any(key.startswith(f"{INPUT}/") for key in s3.objects)
    run_job(load_scores.main, date=DAY, model_name="fraud-1")
    assert archive.transactions == []


def test_the_rows_of_a_day_are_limited(run_job: RunJob, s3: FakeS3, archive: FakeWarehouse) -> None:
    s3.put_json(DATASET, document(history={"days": 1, "maxRows": 99}))
    with pytest.raises(JobFailed, match="has more than 99 rows"):
        run_job(extract_inference_data.main, date=DAY)


@pytest.fixture
def scored(s3: FakeS3, warehouse: FakeWarehouse) -> FakeS3:
    """An extract of three rows in two files, and its transform output."""
    s3.put_json(DATASET, document())
    s3.objects[f"{INPUT}/part-0.csv"] = b'a%0Ab,1,1,1,DE\n"x,y",2,,,\n'
    s3.objects[f"{INPUT}/part-1.csv"] = b"c,3,1,1,DE\n"
    s3.put_json(
        f"{INPUT}.manifest.json",
        {"dataset": "fraud", "date": DAY, "rows": 3, "files": [f"{INPUT}/part-0.csv", f"{INPUT}/part-1.csv"], "duplicateKeys": 0},
    )
    s3.objects[f"{OUTPUT}/part-0.csv.out"] = b'a%0Ab,0.25\n"x,y",1.0\n'
    s3.objects[f"{OUTPUT}/part-1.csv.out"] = b"c,0.30000001192092896\n"
    # Of an earlier extract of the day.
    s3.objects[f"{OUTPUT}/part-old.csv.out"] = b"gone,7\n"
    return s3


def test_scores_are_copied_and_merged_in_one_transaction(run_job: RunJob, scored: FakeS3, warehouse: FakeWarehouse) -> None:
    run_job(load_scores.main, date=DAY, model_name="fraud-20260101-0a1b2c3d")
    manifest = scored.json(f"inference/scores/fraud/dt={DAY}.manifest.json")
    loaded: list[dict[str, Any]] = []
    for entry in manifest["entries"]:
        body = scored.objects[entry["url"].removeprefix(f"s3://{BUCKET}/")]
        assert entry["mandatory"] and entry["meta"]["content_length"] == len(body)
        loaded += [json.loads(line) for line in gzip.decompress(body).decode().splitlines()]
    assert {(row["event_id"], row["score"]) for row in loaded} == {("a\nb", 0.25), ("x,y", 1.0), ("c", 0.30000001192092896)}
    assert {(row["dataset"], row["score_date"], row["score_scale"], row["model_version"]) for row in loaded} == {
        ("fraud", DAY, 1.0, "fraud-20260101-0a1b2c3d")
    }
    [statements] = warehouse.transactions
    assert statements[0] == "LOCK TABLE risk.batch_scores"
    assert f"s3://{BUCKET}/inference/scores/fraud/dt={DAY}.manifest.json" in statements[2]
    assert statements[-1].startswith("SELECT")


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (b"a%0Ab,0.25\n", r"it has 2 rows, expected 3; 1 keys of the extract have no score\. Nothing"),
        (b'a%0Ab,0.25\n"x,y",0.5\nnew,0.5\n', r"it has 4 rows, expected 3; 1 keys are not in the extract\. Nothing"),
        (b"a%0Ab,0.25\na%0Ab,0.25\n", r"1 keys occur more than once; 1 keys of the extract have no score"),
        (b'a%0Ab,nan\n"x,y",0.5\n', r"1 scores are not finite numbers \(nan\)"),
        (b'a%0Ab,\n"x,y",0.5\n', r"1 scores are not finite numbers \(empty\)"),
        (b'a%0Ab,ann@example.com\n"x,y",10.0.0.1\n', r"2 scores are not finite numbers \(text, text\)\. Nothing"),
        (b'a%0Ab,1.01\n"x,y",-0.5\n', r"2 scores are outside 0 to 1 \(-0.5, 1.01\)"),
        (b'a%0Ab,0.5,0.7\n"x,y",0.5\n', "1 lines are not of the form key,prediction; "),
        (None, r"lacks 1 of 2 files, such as s3://pipelines/inference/output/fraud/dt=2026-02-03/part-0.csv.out"),
    ],
)
def test_an_output_that_does_not_fit_loads_nothing(
    run_job: RunJob, scored: FakeS3, warehouse: FakeWarehouse, output: bytes | None, message: str
) -> None:
    if output is None:
        del scored.objects[f"{OUTPUT}/part-0.csv.out"]
    else:
        scored.objects[f"{OUTPUT}/part-0.csv.out"] = output
    with pytest.raises(JobFailed, match=message):
        run_job(load_scores.main, date=DAY, model_name="fraud-1")
    assert warehouse.transactions == []
    assert not any(key.startswith("inference/scores/") for key in scored.objects)


def test_a_day_that_was_not_extracted_is_reported(run_job: RunJob, s3: FakeS3) -> None:
    s3.put_json(DATASET, document())
    with pytest.raises(JobFailed, match="Extract the day first"):
        run_job(load_scores.main, date=DAY, model_name="fraud-1")
