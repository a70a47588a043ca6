//! Names and what stays of them.

use super::*;

#[test]
fn what_functions_write_keeps_its_words() {
    let mut wrong = Vec::new();
    for (key, expected) in [
        // Dates in many spellings.
        ("logs/2026/11/22/07/app.log", "logs/*/app.log"),
        (
            "dt=2026-11-22/hour=07/part-00000.parquet",
            "dt=*/hour=*/part-*.parquet",
        ),
        ("in/22-11-2026/a.xml", "in/*/a.xml"),
        ("in/11_22_2026_v1.txt", "in/*_v1.txt"),
        ("in/2026.11.22.orders.bak", "in/*.orders.bak"),
        ("in/nov-22-2026.html", "in/*.html"),
        ("in/November-2026.xlsx", "in/*.xlsx"),
        ("in/22Nov2026.csv", "in/*.csv"),
        ("in/2026/november/a.csv", "in/*/a.csv"),
        ("in/sun/a.csv", "in/sun/a.csv"),
        ("march/plan.txt", "march/plan.txt"),
        ("in/2026-W47/a.json", "in/*-W*/a.json"),
        ("in/2026W47/a.json", "in/*/a.json"),
        ("in/2026-Q4.csv", "in/*-Q*.csv"),
        ("in/FY26/2026.csv", "in/FY*/*.csv"),
        ("y2026/m11/d22/h07/a.gz", "y*/m*/d*/h*/a.gz"),
        // Times.
        ("in/2026-11-22T07:15:30.123Z.csv", "in/*.csv"),
        ("in/20261122T071530Z.ndjson", "in/*.ndjson"),
        ("in/1795331730.json", "in/*.json"),
        ("in/1795331730123-0a1b2c3d.log", "in/*.log"),
        (
            "scheduled__2026-11-22T07:00:00+00:00/task.log",
            "scheduled__*/task.log",
        ),
        // Ids.
        ("a/8f14e45f-ceea-467f-9b1c-2f1f2b7a1c11.json", "a/*.json"),
        (
            "a/order-8F14E45F-CEEA-467F-9B1C-2F1F2B7A1C11.json",
            "a/order-*.json",
        ),
        (
            "a/8f14e45fceea467f9b1c2f1f2b7a1c11/original",
            "a/*/original",
        ),
        ("a/01ARZ3NDEKTSV4RRFFQ69G5FAV.json", "a/*.json"),
        ("a/1srOrx2ZWZBpBUvZwXKQmoEYga2/body.eml", "a/*/body.eml"),
        ("a/V1StGXR8_Z5jdHi6B-myT.webp", "a/*.webp"),
        ("a/aZ3kQ9xB/small.jpg", "a/*/small.jpg"),
        ("a/aZkQxBtRwP/small.jpg", "a/*/small.jpg"),
        ("ab/cd/abcdef0123456789abcdef0123456789", "*"),
        ("a/a1/a1f4c5d6e7f8a9b0c1d2e3f4a5b6c7d8.bin", "*.bin"),
        (
            "eu-central-1:8f14e45f-ceea-467f-9b1c-2f1f2b7a1c11/up.jpg",
            "eu-central-1:*/up.jpg",
        ),
        // Counters.
        ("c/00000000000000001234.json", "c/*.json"),
        ("c/user12345/avatar.png", "c/user*/avatar.png"),
        ("c/INV2026000123.pdf", "c/INV*.pdf"),
        ("shardId-000000000003/x.avro", "shardId-*/x.avro"),
        (
            "part-00000-tid-5512-8f14e45f-ceea-467f-9b1c-2f1f2b7a1c11-1-c000.snappy.parquet",
            "part-*-tid-*-c*.snappy.parquet",
        ),
        (
            "_temporary/0/task_202611220715_0001_m_000003/part",
            "_temporary/*/task_*_m_*/part",
        ),
        // Literal and volatile together, stable suffixes.
        ("x/export_20261122_final_v3.csv", "x/export_*_final_v3.csv"),
        ("x/metrics-2026-11-22-07-15.json.gz", "x/metrics-*.json.gz"),
        ("x/run-20261122-0a1b2c/metrics.json", "x/run-*/metrics.json"),
        // What stays.
        ("config/settings.json", "config/settings.json"),
        ("v1/openapi.json", "v1/openapi.json"),
        ("app/v1.12.3/bundle.zip", "app/v*/bundle.zip"),
        (
            "models/bert-base/weights.bin",
            "models/bert-base/weights.bin",
        ),
        ("eu-west-1/prices.csv", "eu-west-1/prices.csv"),
        ("video.mp4", "video.mp4"),
        (
            "MyCompanyReportTemplate.docx",
            "MyCompanyReportTemplate.docx",
        ),
        ("HTTPServerLog.txt", "HTTPServerLog.txt"),
        ("sha256/manifest", "sha256/manifest"),
        ("", ""),
        ("é/x", "é/x"),
    ] {
        let once = generalize(key, true);
        if once != expected {
            wrong.push(format!("{key}: {once} instead of {expected}"));
        }
        let twice = generalize(&once, false);
        if twice != once {
            wrong.push(format!("{key}: {once}, and {twice} at a second look"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn letters_that_a_policy_could_misread_are_given_up() {
    assert_eq!(generalize("odd/*/name", true), "odd/*/name");
    assert_eq!(generalize("odd/a?b/name", true), "odd/*/name");
    assert_eq!(generalize("odd/${aws:username}/x", true), "odd/*/x");
}
