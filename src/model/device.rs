//! Where a network computes.

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

/// A kind of device. Which of them are there depends on the features that strata was built with, and on the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComputeDevice {
    /// The processor: kernels of our own, and burn's flex for other layers.
    #[default]
    Flex,
    /// A graphics processor by Vulkan, Metal or DirectX; the feature `wgpu`.
    Wgpu,
    /// A graphics processor by CUDA; the feature `cuda`.
    Cuda,
}

impl ComputeDevice {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Flex, Self::Wgpu, Self::Cuda];

    /// Its name in experiment files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flex => "flex",
            Self::Wgpu => "wgpu",
            Self::Cuda => "cuda",
        }
    }

    /// Whether strata was built with it.
    pub fn is_built(self) -> bool {
        match self {
            Self::Flex => true,
            Self::Wgpu => cfg!(feature = "wgpu"),
            Self::Cuda => cfg!(feature = "cuda"),
        }
    }

    /// Whether it is the processor, on which several trials may run side by side.
    pub fn is_processor(&self) -> bool {
        *self == Self::Flex
    }

    /// Whether this machine has one.
    pub fn is_present(self) -> bool {
        match self {
            Self::Flex => true,
            #[cfg(feature = "wgpu")]
            Self::Wgpu => is_found(burn::tensor::DeviceType::Wgpu),
            #[cfg(feature = "cuda")]
            Self::Cuda => is_found(burn::tensor::DeviceType::Cuda),
            #[cfg(not(all(feature = "wgpu", feature = "cuda")))]
            _ => false,
        }
    }

    /// The first device of this kind, as burn knows it.
    ///
    /// # Panics
    /// When strata was built without it.
    pub(super) fn on_burn(self) -> Device {
        match self {
            Self::Flex => Device::flex(),
            #[cfg(feature = "wgpu")]
            Self::Wgpu => Device::wgpu(burn::tensor::DeviceKind::DefaultDevice),
            #[cfg(feature = "cuda")]
            Self::Cuda => Device::cuda(0),
            #[cfg(not(all(feature = "wgpu", feature = "cuda")))]
            _ => panic!(
                "experiments that need the device `{}` are refused",
                self.name()
            ),
        }
    }
}

#[cfg(any(feature = "wgpu", feature = "cuda"))]
fn is_found(kind: burn::tensor::DeviceType) -> bool {
    !Device::enumerate(kind).into_vec().is_empty()
}
