//! What surrounds a network: from rows, pictures or texts to its inputs, and from its outputs to names and units.
//!
//! Beside each export lies the preprocessing as JSON; Python source has functions that apply it, and an ONNX file holds
//! it among its metadata.

use super::File;
use super::onnx;
use crate::data::{Answers, Preprocessing, Vocabulary};
use crate::layers::Shape;

/// The definitions of the Python functions, those of inputs first.
const FUNCTIONS: &str = include_str!("preprocessing.py");

/// The files of an export with the preprocessing of its network.
pub fn with_preprocessing(mut files: Vec<File>, preprocessing: &Preprocessing) -> Vec<File> {
    for file in &mut files {
        match file.ending {
            "py" => file.bytes = python(&file.bytes, preprocessing).into_bytes(),
            "onnx" => file.bytes = onnx::with_metadata(&file.bytes, &metadata(preprocessing)),
            _ => {}
        }
    }
    files.push(File {
        ending: "preprocessing.json",
        bytes: preprocessing.to_json().into_bytes(),
    });
    files
}

fn metadata(preprocessing: &Preprocessing) -> [(&'static str, String); 2] {
    let names = preprocessing.answers().names();
    let names = serde_json::to_string(names).expect("these are texts");
    [
        (name_of(preprocessing.answers()), names),
        ("preprocessing", preprocessing.to_json()),
    ]
}

fn name_of(answers: &Answers) -> &'static str {
    match answers {
        Answers::Classes { .. } => "classes",
        Answers::Labels { .. } => "labels",
        Answers::Numbers { .. } => "numbers",
    }
}

/// Python source with the functions that this network's inputs and outputs need.
fn python(source: &[u8], preprocessing: &Preprocessing) -> String {
    let source = String::from_utf8_lossy(source);
    let is_vector = matches!(preprocessing.input(), Shape::Vector { .. });
    let inputs = match preprocessing.vocabulary() {
        // A row of pixels is an array too.
        None if preprocessing.columns().is_empty() || !is_vector => {
            &["scaled", "prepare_arrays"][..]
        }
        None => &["scaled", "prepare_rows"],
        Some(Vocabulary::Byte) => &["padded", "prepare_bytes"],
        Some(Vocabulary::Char { .. }) => &["padded", "prepare_characters"],
        Some(Vocabulary::Word { .. }) => &["padded", "words", "prepare_words"],
        Some(Vocabulary::Bpe { .. }) => &["padded", "words", "pieces", "prepare_pieces"],
    };
    let answer = match preprocessing.answers() {
        Answers::Classes { .. } => "answer_classes",
        Answers::Labels { .. } => "answer_labels",
        Answers::Numbers { .. } => "answer_numbers",
    };
    let mut body = String::new();
    for name in inputs.iter().chain([&answer]) {
        body.push_str("\n\n");
        body.push_str(&definition(name));
    }
    let imports = match body.contains("re.") {
        true => "import json\nimport re\nfrom pathlib import Path\n\nimport numpy as np\n",
        false => "import json\nfrom pathlib import Path\n\nimport numpy as np\n",
    };
    let source = source.replacen("from pathlib import Path\n\n", imports, 1);
    let source = source.replacen(
        "    model = load()\n    outputs = model(inputs)\n",
        "    model = load()\n    outputs = model(torch.from_numpy(prepare(examples)))\n    \
         answer(outputs.detach().numpy())\n",
        1,
    );
    let known = "KNOWN = json.loads(Path(__file__).with_suffix(\".preprocessing.json\").read_text(\"utf-8\"))\n";
    format!("{source}\n\n{known}{body}")
}

/// A function by its name; those that begin with `prepare_` and `answer_` are called so.
fn definition(name: &str) -> String {
    let definitions = FUNCTIONS.trim().split("\n\n\n");
    let mut named = definitions.filter(|text| text.starts_with(&format!("def {name}(")));
    let text = named.next().expect("the file has every function");
    let called = name.split('_').next().unwrap_or(name);
    text.replacen(name, called, 1) + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_is_there_under_the_name_that_it_is_called_by() {
        let names = FUNCTIONS
            .lines()
            .filter_map(|line| line.strip_prefix("def "));
        let names: Vec<&str> = names.filter_map(|rest| rest.split('(').next()).collect();
        assert_eq!(names.len(), 13, "{names:?}");
        for name in names {
            let text = definition(name);
            assert!(text.contains("    \"\"\""), "{name} has no documentation");
            let called = ["prepare", "answer"]
                .iter()
                .find(|start| name.starts_with(**start));
            assert!(text.starts_with(&format!("def {}(", called.unwrap_or(&name))));
        }
    }
}
