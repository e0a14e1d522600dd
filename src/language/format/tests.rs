use super::*;

fn check(text: &str, expected: &str) {
    let once = format(text).expect("the text has no errors");
    assert_eq!(once, expected);
    assert_eq!(
        format(&once).as_deref(),
        Ok(expected),
        "a second run changed the text"
    );
    assert_eq!(parse(&once).file, parse(text).file);
}

#[test]
fn layout_is_canonical_and_short_bodies_stay_on_their_line() {
    check(
        "space  a\n\n\n\nnetwork{unit ( 3,stride:1 );repeat 1 .. 3 {\nrelu\n\n\n\ngelu}\n}",
        "space a\n\nnetwork {\n    unit(3, stride: 1)\n    repeat 1..3 {\n        relu\n\n        gelu\n    }\n}\n",
    );
    check(
        "network { residual { a(1) b } }",
        "network { residual { a(1) b } }\n",
    );
    check(
        "network { a; b | c; { d } }",
        "network { a; b | c; { d } }\n",
    );
}

#[test]
fn comments_keep_their_place_and_order() {
    check(
        "// head\n\nspace a // one\nnetwork { // two\n  // three\n\n  f( // four\n  a, // five\n b) // six\n  // seven\n}\n// end",
        "// head\n\nspace a // one\nnetwork { // two\n    // three\n\n    f( // four\n        a, // five\n        b,\n    ) // six\n    // seven\n}\n// end\n",
    );
    check(
        "require a and // why\n b\nlet x = a // first\n| // own\n b // second\n",
        "require a and b // why\nlet x = a // first\n    // own\n    | b // second\n",
    );
}

#[test]
fn parentheses_and_numbers_are_minimal() {
    check(
        "require ((a)) + (b * (c)) <= (200000)",
        "require a + b * c <= 200k\n",
    );
    check(
        "require (a + b) * -(c - (d - 1)) ^ (2 ^ 3)",
        "require (a + b) * -(c - (d - 1)) ^ 2 ^ 3\n",
    );
    check(
        "require (a ^ b) ^ c and not (a or b)",
        "require (a ^ b) ^ c and not (a or b)\n",
    );
    check(
        "require x in ((a + b) * 2 .. 3) or y in (a+b)*2..3",
        "require x in ((a + b) * 2..3) or y in (a + b) * 2..3\n",
    );
}

#[test]
fn what_is_too_wide_breaks() {
    let operations = ["squeeze_excite(2 * width)"; 5].join(" | ");
    let broken = ["squeeze_excite(2 * width)"; 5].join("\n    | ");
    check(
        &format!("let x = {operations}"),
        &format!("let x = {broken}\n"),
    );
    let conditions = ["params <= 200k"; 7].join(" and ");
    let formatted = format(&format!("require {conditions}")).expect("no errors");
    assert!(
        formatted.lines().all(|line| line.len() <= 100),
        "{formatted}"
    );
    assert_eq!(format(&formatted).as_ref(), Ok(&formatted));
}

#[test]
fn clauses_of_a_dag_stay_in_the_order_they_were_written() {
    check(
        "network { dag { merge add // m\n nodes 4; edges choose(2)\n\n edge a | b\n output last } }",
        "network {\n    dag {\n        merge add // m\n        nodes 4\n        edges choose(2)\n\n        edge a | b\n        output last\n    }\n}\n",
    );
}

#[test]
fn text_with_errors_is_left_alone() {
    assert!(format("network {").is_err());
}
