//! The table of named datasets. Sources and licences of the embedded ones are in `data/README.md`.

use super::{EmbeddedTable, Home, NamedFile, NamedSet, Origin};
use crate::data::TaskKind::{Classification, Regression};

/// A set in the program.
const fn embedded(
    name: &'static str,
    about: &'static str,
    licence: &'static str,
    table: EmbeddedTable,
) -> NamedSet {
    NamedSet {
        name,
        about,
        licence,
        origin: Origin::Embedded(table),
    }
}

/// A table whose column `label` holds classes.
const fn classes(train: &'static [u8], label: &'static str) -> EmbeddedTable {
    EmbeddedTable {
        train,
        test: None,
        label: Some(label),
        task: Classification,
        shape: None,
    }
}

/// Every named dataset.
pub static SETS: &[NamedSet] = &[
    embedded(
        "digits",
        "1,797 pictures of handwritten digits, 1x8x8, 10 classes",
        "CC BY 4.0",
        EmbeddedTable {
            shape: Some(&[1, 8, 8]),
            ..classes(include_bytes!("../../../data/digits8x8.csv.gz"), "label")
        },
    ),
    embedded(
        "mnist1d",
        "4,000 and 1,000 signals made like digits, 1x40, 10 classes",
        "Apache-2.0",
        EmbeddedTable {
            train: include_bytes!("../../../data/mnist1d_train.csv.gz"),
            test: Some(include_bytes!("../../../data/mnist1d_test.csv.gz")),
            label: None,
            task: Classification,
            shape: Some(&[1, 40]),
        },
    ),
    embedded(
        "iris",
        "150 flowers, 4 features, 3 classes",
        "CC BY 4.0",
        classes(include_bytes!("../../../data/iris.csv.gz"), "label"),
    ),
    embedded(
        "wine",
        "178 wines, 13 features, 3 classes",
        "CC BY 4.0",
        classes(include_bytes!("../../../data/wine.csv.gz"), "label"),
    ),
    embedded(
        "breast_cancer",
        "569 images of cell nuclei, 30 features, 2 classes",
        "CC BY 4.0",
        classes(
            include_bytes!("../../../data/breast_cancer.csv.gz"),
            "label",
        ),
    ),
    embedded(
        "penguins",
        "344 penguins, 7 columns of mixed types with gaps, 3 classes",
        "CC0",
        classes(include_bytes!("../../../data/penguins.csv.gz"), "species"),
    ),
    embedded(
        "diabetes",
        "442 patients, 10 features, a number to predict",
        "BSD-3-Clause",
        EmbeddedTable {
            task: Regression,
            ..classes(include_bytes!("../../../data/diabetes.csv.gz"), "y")
        },
    ),
    NamedSet {
        name: "mnist",
        about: "60,000 and 10,000 pictures of handwritten digits, 1x28x28, 10 classes",
        licence: "CC BY-SA 3.0",
        origin: Origin::Files {
            files: &[
                NamedFile {
                    name: "train-images-idx3-ubyte.gz",
                    sha256: &["440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"],
                },
                NamedFile {
                    name: "train-labels-idx1-ubyte.gz",
                    sha256: &["3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"],
                },
                NamedFile {
                    name: "t10k-images-idx3-ubyte.gz",
                    sha256: &["8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"],
                },
                NamedFile {
                    name: "t10k-labels-idx1-ubyte.gz",
                    sha256: &["f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"],
                },
            ],
            installed: &["/usr/share/datasets/mnist"],
            home: Home::Address("https://storage.googleapis.com/cvdf-datasets/mnist/"),
            section: MNIST_SECTION,
        },
    },
    NamedSet {
        name: "fashion_mnist",
        about: "60,000 and 10,000 pictures of clothes, 1x28x28, 10 classes",
        licence: "MIT",
        origin: Origin::Files {
            files: &[
                NamedFile {
                    name: "train-images-idx3-ubyte.gz",
                    sha256: &[
                        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                        "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7",
                    ],
                },
                NamedFile {
                    name: "train-labels-idx1-ubyte.gz",
                    sha256: &[
                        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                        "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056",
                    ],
                },
                NamedFile {
                    name: "t10k-images-idx3-ubyte.gz",
                    sha256: &[
                        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                        "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa",
                    ],
                },
                NamedFile {
                    name: "t10k-labels-idx1-ubyte.gz",
                    sha256: &[
                        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
                        "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05",
                    ],
                },
            ],
            installed: &["/usr/share/datasets/fashion-mnist"],
            home: Home::Address("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"),
            section: MNIST_SECTION,
        },
    },
    NamedSet {
        name: "cifar10",
        about: "50,000 and 10,000 colour pictures, 3x32x32, 10 classes",
        licence: "none stated; for research",
        origin: Origin::Files {
            files: &[NamedFile {
                name: "cifar-10-binary.tar.gz",
                sha256: &["c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"],
            }],
            installed: &[],
            home: Home::Address("https://www.cs.toronto.edu/~kriz/"),
            section: "train = \"cifar-10-binary.tar.gz\"\nformat = \"cifar10\"",
        },
    },
    NamedSet {
        name: "cifar100",
        about: "50,000 and 10,000 colour pictures, 3x32x32, 100 classes",
        licence: "none stated; for research",
        origin: Origin::Files {
            files: &[NamedFile {
                name: "cifar-100-binary.tar.gz",
                sha256: &["58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"],
            }],
            installed: &[],
            home: Home::Address("https://www.cs.toronto.edu/~kriz/"),
            section: "train = \"cifar-100-binary.tar.gz\"\nformat = \"cifar100\"",
        },
    },
    NamedSet {
        name: "sms_spam",
        about: "5,574 text messages, 2 classes: ham and spam",
        licence: "CC BY 4.0",
        origin: Origin::Files {
            files: &[NamedFile {
                name: "sms_spam.tsv.gz",
                sha256: &["e1b7dc2675c8de939fc5f4d7cd7dbc51973887b183c43b50edc93b26a0a0ab92"],
            }],
            installed: &[],
            home: Home::ByHand(
                "a message a line as class, tab, text, from \
                 https://archive.ics.uci.edu/dataset/228/sms+spam+collection",
            ),
            section: "train = \"sms_spam.tsv.gz\"\nformat = \"text\"",
        },
    },
    NamedSet {
        name: "trec",
        about: "5,452 and 500 questions, 6 classes of what is asked for",
        licence: "none stated; for research",
        origin: Origin::Files {
            files: &[
                NamedFile {
                    name: "trec_train.tsv.gz",
                    sha256: &["0c35c0ad80b2667b10ce8f0beab4e4e6aa72e13bbc3c6b3ffcb10def7fb6428b"],
                },
                NamedFile {
                    name: "trec_test.tsv.gz",
                    sha256: &["bc8b9b5aaa3617167b8ff2a5a7028bb7e8a8fb0fc06162a7db9b15566cc0424d"],
                },
            ],
            installed: &[],
            home: Home::ByHand(
                "a question a line as coarse class, tab, text in UTF-8, from \
                 https://cogcomp.seas.upenn.edu/Data/QA/QC/",
            ),
            section: "train = \"trec_train.tsv.gz\"\ntest = \"trec_test.tsv.gz\"\nformat = \"text\"",
        },
    },
];

const MNIST_SECTION: &str = "train = \"train-images-idx3-ubyte.gz\"
labels = \"train-labels-idx1-ubyte.gz\"
test = \"t10k-images-idx3-ubyte.gz\"
test_labels = \"t10k-labels-idx1-ubyte.gz\"";
