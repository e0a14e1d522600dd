//! The table of proxies.

use crate::layers::Shape;
use serde::{Deserialize, Serialize};

/// A figure of an untrained network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proxy {
    /// Trainable values.
    Params,
    /// Multiply-accumulates of one forward pass.
    Macs,
    /// Norms of the weights' gradients.
    GradNorm,
    /// Weights times their gradients.
    Snip,
    /// Weights times the product of Hessian and gradient.
    Grasp,
    /// Activations times their gradients.
    Fisher,
    /// Weights times their gradients in a network of absolute weights, without data.
    Synflow,
    /// How different the gradients of the inputs are.
    JacobCov,
    /// How different the patterns of active units are.
    Naswot,
    /// How much the features move when the input does, with Gaussian weights.
    Zen,
}

/// A proxy, for people.
#[derive(Debug)]
pub struct ProxyInfo {
    /// Which.
    pub proxy: Proxy,
    /// Its name in experiments and on the command line.
    pub name: &'static str,
    /// What it measures, in a line.
    pub about: &'static str,
    /// Where it comes from.
    pub source: &'static str,
}

/// Every proxy, in the order of the documentation.
pub static PROXIES: &[ProxyInfo] = &[
    ProxyInfo {
        proxy: Proxy::Params,
        name: "params",
        about: "trainable values",
        source: "the baseline to beat",
    },
    ProxyInfo {
        proxy: Proxy::Macs,
        name: "macs",
        about: "multiply-accumulates of one forward pass",
        source: "the baseline to beat",
    },
    ProxyInfo {
        proxy: Proxy::GradNorm,
        name: "grad_norm",
        about: "sum over layers of the norm of the loss's gradient by the weights",
        source: "Abdelfattah et al., 2021",
    },
    ProxyInfo {
        proxy: Proxy::Snip,
        name: "snip",
        about: "sum over weights of the absolute value of weight times gradient",
        source: "Lee et al., 2019",
    },
    ProxyInfo {
        proxy: Proxy::Grasp,
        name: "grasp",
        about: "minus the sum over weights of weight times (Hessian times gradient)",
        source: "Wang et al., 2020",
    },
    ProxyInfo {
        proxy: Proxy::Fisher,
        name: "fisher",
        about: "sum over channels of the mean square of activation times gradient, by weights a channel",
        source: "Turner et al., 2020",
    },
    ProxyInfo {
        proxy: Proxy::Synflow,
        name: "synflow",
        about: "sum over weights of weight times gradient with absolute weights, ones as input and no normalisation",
        source: "Tanaka et al., 2020",
    },
    ProxyInfo {
        proxy: Proxy::JacobCov,
        name: "jacob_cov",
        about: "how little the gradients by the inputs of a batch correlate",
        source: "Mellor et al., first version, 2020",
    },
    ProxyInfo {
        proxy: Proxy::Naswot,
        name: "naswot",
        about: "log-determinant of how many units two inputs of a batch turn on and off alike",
        source: "Mellor et al., 2021",
    },
    ProxyInfo {
        proxy: Proxy::Zen,
        name: "zen",
        about: "log of how far the features move with the input under Gaussian weights, rescaled by the norms' deviations",
        source: "Lin et al., 2021",
    },
];

impl Proxy {
    /// Its line in the table.
    pub fn info(self) -> &'static ProxyInfo {
        let found = PROXIES.iter().find(|info| info.proxy == self);
        found.expect("the table has every proxy")
    }

    /// Its name in experiments and on the command line.
    pub fn name(self) -> &'static str {
        self.info().name
    }

    /// The proxy called `name`.
    pub fn find(name: &str) -> Option<Self> {
        let found = PROXIES.iter().find(|info| info.name == name);
        found.map(|info| info.proxy)
    }

    /// Why networks with this input have no such figure, if they have none.
    pub fn unfit(self, input: Shape) -> Option<String> {
        let tokens = matches!(input, Shape::Tokens { .. });
        let needs_numbers = matches!(self, Self::JacobCov | Self::Zen);
        (tokens && needs_numbers).then(|| {
            let name = self.name();
            format!("{name} changes the input a little, which token numbers can't be")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_the_table_are_those_of_files() {
        for info in PROXIES {
            let written = serde_json::to_string(&info.proxy).unwrap();
            assert_eq!(written, format!("\"{}\"", info.name));
            assert_eq!(Proxy::find(info.name), Some(info.proxy));
        }
    }
}
