//! Stands in for the training recipe until it lands.

use serde::{Deserialize, Serialize};

/// How a network is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recipe {
    /// Passes over the training examples.
    pub epochs: usize,
}

impl Default for Recipe {
    fn default() -> Self {
        Self { epochs: 3 }
    }
}

impl Recipe {
    /// Sets a field by its name.
    ///
    /// # Errors
    /// When there is no such field.
    pub fn set(&mut self, name: &str, _value: crate::layers::Value) -> Result<(), String> {
        Err(format!("no field `{name}`"))
    }
}
