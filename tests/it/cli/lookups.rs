//! What is said of networks that are looked up in a table: it speaks of the table.

use super::program::strata_in;
use std::fs;
use std::path::Path;

/// Words that belong to trained networks alone.
const OF_TRAINING: [&str; 5] = [
    "from scratch",
    "test examples",
    "Retrainings",
    "retrainings from",
    "examples together",
];

/// The shipped experiment on a table, made small.
fn experiment(folder: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("experiments/nasbench201.toml")).unwrap();
    let text = text
        .replace("../", &format!("{}/", root.display()))
        .replace("trials = 100", "trials = 20")
        .replace(
            "controller = \"evolution\"",
            "controller = \"evolution\"\npopulation = 4\nsample = 2",
        )
        .replace("search_seeds = 20", "search_seeds = 6");
    fs::write(folder.join("table.toml"), text).unwrap();
}

fn without_script(page: &str) -> &str {
    let body = page.find("<body>").unwrap();
    &page[body..page.rfind("<script>").unwrap()]
}

#[test]
fn pages_over_a_table_speak_of_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    experiment(folder);
    let run = |arguments: &[&str]| {
        let ended = strata_in(folder, arguments);
        assert_eq!(ended.code, 0, "{arguments:?}: {}", ended.err);
        ended
    };
    run(&["compare", "table.toml"]);
    let page = fs::read_to_string(folder.join("runs/nasbench201-compare-1/report.html")).unwrap();
    let page = without_script(&page);
    assert!(page.contains("Nothing is trained") && page.contains("15,625 networks"));
    for words in OF_TRAINING {
        assert!(!page.contains(words), "the page says {words}");
    }

    run(&["search", "table.toml", "--quiet"]);
    run(&["report"]);
    let page = fs::read_to_string(folder.join("runs/nasbench201-1/report.html")).unwrap();
    let page = without_script(&page);
    assert!(page.contains("by the table’s test figures"));
    for words in OF_TRAINING
        .into_iter()
        .chain(["search seed", "worst seed", "± –"])
    {
        assert!(!page.contains(words), "the page says {words}");
    }
}
