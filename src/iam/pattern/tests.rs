use super::*;
use crate::iam::tests::dice::{Dice, rounds};

fn random(dice: &mut Dice, longest: usize) -> String {
    (0..dice.roll(longest + 1))
        .map(|_| dice.pick(&["a", "b", "*", "?", "*", "a"]))
        .collect()
}

/// All strings of `a`, `b` and `z` (which no pattern names) up to a length.
fn strings(longest: usize) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut last = all.clone();
    for _ in 0..longest {
        last = last
            .iter()
            .flat_map(|s| ['a', 'b', 'z'].map(|c| format!("{s}{c}")))
            .collect();
        all.extend(last.iter().cloned());
    }
    all
}

/// Matching by definition.
fn by_definition(pattern: &[char], text: &[char]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        (['*', rest @ ..], _) => {
            by_definition(rest, text) || (!text.is_empty() && by_definition(pattern, &text[1..]))
        }
        (['?', rest @ ..], [_, tail @ ..]) => by_definition(rest, tail),
        ([p, rest @ ..], [t, tail @ ..]) => p == t && by_definition(rest, tail),
        _ => false,
    }
}

fn reference(pattern: &str, strings: &[String]) -> Vec<bool> {
    let pattern: Vec<char> = pattern.chars().collect();
    strings
        .iter()
        .map(|s| by_definition(&pattern, &s.chars().collect::<Vec<_>>()))
        .collect()
}

#[test]
fn globs_match_as_iam_says() {
    for (pattern, text, expected) in [
        ("", "", true),
        ("", "a", false),
        ("*", "", true),
        ("?", "", false),
        ("?", "é", true),
        ("a*b*c", "aXbbYc", true),
        ("a*b*c", "aXbbYcd", false),
        ("s3:Get*", "s3:GetObject", true),
        ("s3:get*", "s3:GetObject", false),
        ("**?**", "x", true),
        ("*ab", "aab", true),
    ] {
        assert_eq!(matches(pattern, text), expected, "{pattern} on {text}");
    }
    assert!(matches_ignore_case("S3:gEt*", "s3:GetObject"));
    assert!(!matches_ignore_case("S3:gEt*", "s3:PutObject"));
}

#[test]
fn covering_overlap_and_union_in_plain_cases() {
    for (wide, narrow, expected) in [
        ("*", "a?b*", true),
        ("?*", "*a", true),
        ("?*", "*", false),
        ("*a*", "a", true),
        ("a*", "*a", false),
        ("*?", "a*", true),
        ("s3:*Object", "s3:GetObject", true),
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b/x/*", true),
        ("arn:aws:s3:::b/*/*", "arn:aws:s3:::b/x*", false),
    ] {
        assert_eq!(covers(wide, narrow), expected, "{wide} over {narrow}");
    }
    assert!(covers_ignore_case("S3:*", "s3:Get*"));
    assert!(overlaps("a*", "*b"));
    assert!(!overlaps("a*", "b*"));
    assert!(overlaps_ignore_case("S3:Get*", "s3:*object"));
    assert_eq!(covered_by_union("*", &["", "?*"]), Cover::Covered);
    assert_eq!(
        covered_by_union("*", &["?*"]),
        Cover::NotCovered(String::new())
    );
    assert_eq!(
        covered_by_union("a?", &["aa", "ab"]),
        Cover::NotCovered("ac".into())
    );
    assert_eq!(covered_by_union("a", &[]), Cover::NotCovered("a".into()));
}

#[test]
fn intersections_are_the_patterns_one_would_write() {
    for (a, b, expected) in [
        ("s3:*", "s3:Get*", &["s3:Get*"][..]),
        ("s3:Get*", "s3:*Object", &["s3:Get*Object"]),
        ("a*", "b*", &[]),
        ("*a", "*b", &[]),
        ("ab*", "*bc", &["ab*bc", "abc"]),
        ("?*", "*a", &["*a"]),
        ("arn:aws:s3:::*", "arn:aws:s3:::b/*", &["arn:aws:s3:::b/*"]),
        ("a?", "?b", &["ab"]),
    ] {
        assert_eq!(intersect(a, b), expected, "{a} and {b}");
    }
}

#[test]
fn against_every_short_string() {
    let universe = strings(6);
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let (mut covering, mut apart, mut meeting) = (0, 0, 0);
    let rounds = rounds(1_500, 300_000);
    for _ in 0..rounds {
        let (a, b) = (random(&mut dice, 5), random(&mut dice, 4));
        let (in_a, in_b) = (reference(&a, &universe), reference(&b, &universe));
        for (text, &expected) in universe.iter().zip(&in_a) {
            assert_eq!(matches(&a, text), expected, "{a} on {text}");
        }
        // Patterns this short differ on a string no longer than both together, but six is enough
        // for all but a few: what the strings show must hold, and the rest is found by witness.
        let covered = in_a.iter().zip(&in_b).all(|(&x, &y)| x || !y);
        let met = in_a.iter().zip(&in_b).any(|(&x, &y)| x && y);
        if !covered {
            assert!(!covers(&a, &b), "{a} over {b}");
        }
        if met {
            assert!(overlaps(&a, &b), "{a} meets {b}");
        }
        match covered_by_union(&b, &[&a]) {
            Cover::Covered => assert!(covers(&a, &b) && covered, "{a} over {b}"),
            Cover::NotCovered(witness) => {
                assert!(!covers(&a, &b), "{a} over {b}");
                assert!(matches(&b, &witness) && !matches(&a, &witness));
                let shortest = universe
                    .iter()
                    .zip(in_a.iter().zip(&in_b))
                    .find(|(_, (x, y))| !**x && **y);
                if let Some((text, _)) = shortest {
                    assert_eq!(
                        witness.len(),
                        text.len(),
                        "{a} over {b}: {witness} or {text}"
                    );
                } else {
                    assert!(witness.len() > 6);
                }
            }
            Cover::Unknown(why) => panic!("{a} over {b}: {why}"),
        }
        let parts = intersect(&a, &b);
        assert_eq!(
            overlaps(&a, &b),
            !parts.is_empty(),
            "{a} meets {b}: {parts:?}"
        );
        if parts.len() < INTERSECTION_PARTS {
            for (text, (&x, &y)) in universe.iter().zip(in_a.iter().zip(&in_b)) {
                let inside = parts.iter().any(|p| matches(p, text));
                assert_eq!(inside, x && y, "{a} and {b} at {text}: {parts:?}");
            }
        }
        for (i, p) in parts.iter().enumerate() {
            assert!(covers(&a, p) && covers(&b, p), "{p} of {a} and {b}");
            for (j, q) in parts.iter().enumerate() {
                assert!(i == j || !covers(p, q), "{p} holds {q}");
            }
        }
        covering += usize::from(covered && a != b);
        apart += usize::from(!met);
        meeting += usize::from(met && !covered);
    }
    for (what, seen) in [
        ("covering", covering),
        ("apart", apart),
        ("meeting", meeting),
    ] {
        assert!(seen > rounds / 10, "{what}: {seen} of {rounds}");
    }
}

#[test]
fn unions_against_every_short_string() {
    let universe = strings(5);
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let (mut held, mut together, mut open) = (0, 0, 0);
    let rounds = rounds(4_000, 1_000_000);
    for _ in 0..rounds {
        let narrow = random(&mut dice, 4);
        let mut wide: Vec<String> = (0..1 + dice.roll(4))
            .map(|_| random(&mut dice, 4))
            .collect();
        if dice.roll(2) == 0 && !narrow.is_empty() {
            // Splits what is asked for, so that unions hold what no single pattern does.
            for with in ["", "a*", "b*", "?*", "?", "a", "*b"] {
                wide.push(narrow.replacen('*', with, 1));
            }
        }
        let wide: Vec<&str> = wide.iter().map(String::as_str).collect();
        let shown = universe
            .iter()
            .find(|t| matches(&narrow, t) && !wide.iter().any(|w| matches(w, t)));
        match covered_by_union(&narrow, &wide) {
            Cover::Covered => {
                assert_eq!(shown, None, "{narrow} in {wide:?}");
                held += 1;
                together += usize::from(!wide.iter().any(|w| covers(w, &narrow)));
            }
            Cover::NotCovered(witness) => {
                assert!(
                    matches(&narrow, &witness),
                    "{narrow} in {wide:?}: {witness}"
                );
                assert!(
                    !wide.iter().any(|w| matches(w, &witness)),
                    "{narrow} in {wide:?}: {witness}"
                );
                if let Some(text) = shown {
                    assert_eq!(witness.chars().count(), text.len(), "{narrow} in {wide:?}");
                }
                open += 1;
            }
            Cover::Unknown(why) => panic!("{narrow} in {wide:?}: {why}"),
        }
    }
    assert!(
        held > rounds / 10 && open > rounds / 10,
        "{held} held, {open} open"
    );
    assert!(
        together > rounds / 200,
        "{together} held by no single pattern"
    );
}

#[test]
fn hostile_patterns_end() {
    let stars = "*".repeat(2_000);
    let letters = "*a".repeat(2_000);
    let single = "*a?".repeat(700);
    let hard = format!("*a{}", "?".repeat(300));
    let start = std::time::Instant::now();
    for (a, b) in [
        (&stars, &letters),
        (&letters, &single),
        (&single, &letters),
        (&hard, &letters),
        (&hard, &hard),
    ] {
        assert!(matches(a, &"a".repeat(5_000)));
        assert!(overlaps(a, b));
        assert!(a != b || covers(a, b));
        let _ = covers(a, b);
        let _ = intersect(a, b);
        let _ = covered_by_union(a, &[b, "b*", &hard]);
    }
    // About two seconds unoptimized; a minute would be a missing bound.
    assert!(start.elapsed().as_secs() < 60);
    assert_eq!(covered_by_union(&stars, &["*"]), Cover::Covered);
}
