//! Against a parser, on generated documents.

use proptest::prelude::*;

use super::*;

/// JSON of any shape, with the characters that could confuse a splitter.
fn any_json() -> impl Strategy<Value = Value> {
    let text = "[a-c\\[\\]{}\",:\\\\\n\u{e9}\u{1f600} ]{0,8}";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<i16>().prop_map(|n| Value::from(f64::from(n) / 8.0)),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(
                prop_oneof![text, Just("Records".to_owned()), Just("detail".to_owned())],
                inner,
                0..5
            )
            .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_record() -> impl Strategy<Value = Value> {
    (
        "[A-Z][a-z]{0,5}",
        any_json(),
        any_json(),
        any_json(),
        any::<bool>(),
    )
        .prop_map(|(name, parameters, odd, other, first)| {
            let mut record = json!({});
            if first {
                record["zzz"] = other.clone();
            }
            record["eventVersion"] = json!("1.08");
            record["userIdentity"] = odd.clone();
            record["requestParameters"] = parameters;
            record["resources"] = other;
            record["userAgent"] = odd;
            record["eventName"] = json!(name);
            record["eventSource"] = json!("s");
            record
        })
}

/// The same JSON, with white space from `blanks` between its tokens.
fn spread(value: &Value, blanks: &mut impl Iterator<Item = &'static str>, out: &mut String) {
    let mut blank = |out: &mut String| out.push_str(blanks.next().unwrap_or_default());
    blank(out);
    match value {
        Value::Array(list) => {
            out.push('[');
            for (n, item) in list.iter().enumerate() {
                out.push_str(if n > 0 { "," } else { "" });
                spread(item, blanks, out);
            }
            out.push(']');
        }
        Value::Object(object) => {
            out.push('{');
            for (n, (key, item)) in object.iter().enumerate() {
                out.push_str(if n > 0 { "," } else { "" });
                spread(&Value::from(key.as_str()), blanks, out);
                out.push(':');
                spread(item, blanks, out);
            }
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
    out.push_str(blanks.next().unwrap_or_default());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_splitter_gives_what_a_parser_finds(
        list in prop::collection::vec(any_record(), 0..6),
        shape in 0..4,
        blanks in prop::collection::vec(prop_oneof![Just(""), Just(" "), Just("\n"), Just("\r\n\t ")], 1..20),
        most in 1_usize..40,
        largest in prop_oneof![Just(16_usize), Just(100), Just(1 << 20)],
    ) {
        let document = match shape {
            0 => json!({"Records": list}),
            1 => json!({"a": [{"Records": [1]}], "Records": list, "b": {"c": "]"}}),
            _ => Value::from(list.clone()),
        };
        let mut text = String::new();
        let mut blanks = blanks.into_iter().cycle();
        if shape == 3 {
            list.iter().for_each(|record| spread(record, &mut blanks, &mut text));
        } else {
            spread(&document, &mut blanks, &mut text);
        }
        let mut found = Vec::new();
        let outcome = Decoder::new().records_within(Trickle { bytes: text.as_bytes(), most, next: 0 }, largest.max(16), &mut each(|_, raw| {
            found.push(serde_json::from_slice::<Value>(raw).unwrap());
        }));
        if matches!(outcome.status, Status::Failed(Failure::TooLong)) {
            prop_assert!(largest < 1 << 20);
            prop_assert_eq!(&found[..], &list[..found.len()]);
        } else {
            prop_assert_eq!(outcome.undecodable, 0);
            prop_assert_eq!(found, list);
        }
    }

    #[test]
    fn no_bytes_are_a_danger(bytes in prop::collection::vec(any::<u8>(), 0..400), zipped in any::<bool>()) {
        let bytes = if zipped { gzip(&bytes) } else { bytes };
        records(bytes.as_slice(), |_, _| ());
    }

    #[test]
    fn no_damage_to_a_log_file_is_a_danger(
        list in prop::collection::vec(any_record(), 1..4),
        hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        zipped in any::<bool>(),
    ) {
        let text = json!({"Records": list}).to_string().into_bytes();
        let mut bytes = if zipped { gzip(&text) } else { text };
        for (at, byte) in hits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        records(bytes.as_slice(), |record, raw| {
            assert!(!record.event_name.is_empty());
            assert!(std::str::from_utf8(raw).is_ok_and(|json| json.starts_with('{') && json.ends_with('}')));
        });
    }
}
