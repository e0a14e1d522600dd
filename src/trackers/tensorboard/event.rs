//! Event files: TensorFlow's records, each an `Event` of `event.proto`, with what the HPARAMS plugin reads.
//!
//! The messages are written down by hand, with the fields that are used; numbers are the formats'.

use prost::Message;
use std::collections::BTreeMap;

/// Where the HPARAMS plugin looks.
const SESSION_START: &str = "_hparams_/session_start_info";
const SESSION_END: &str = "_hparams_/session_end_info";

/// `DT_FLOAT`.
const FLOAT: i32 = 1;

/// How a trial ended, as `hparams.Status` numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Status {
    Success = 1,
    Failure = 2,
}

#[derive(Clone, PartialEq, Message)]
struct Event {
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(string, optional, tag = "3")]
    file_version: Option<String>,
    #[prost(message, optional, tag = "5")]
    summary: Option<Summary>,
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<SummaryValue>,
}

#[derive(Clone, PartialEq, Message)]
struct SummaryValue {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(float, optional, tag = "2")]
    simple_value: Option<f32>,
    #[prost(message, optional, tag = "8")]
    tensor: Option<TensorProto>,
    #[prost(message, optional, tag = "9")]
    metadata: Option<SummaryMetadata>,
}

#[derive(Clone, PartialEq, Message)]
struct TensorProto {
    #[prost(int32, tag = "1")]
    dtype: i32,
    #[prost(message, optional, tag = "2")]
    shape: Option<TensorShapeProto>,
}

#[derive(Clone, PartialEq, Message)]
struct TensorShapeProto {
    #[prost(message, repeated, tag = "2")]
    dim: Vec<Dim>,
}

#[derive(Clone, PartialEq, Message)]
struct Dim {
    #[prost(int64, tag = "1")]
    size: i64,
}

#[derive(Clone, PartialEq, Message)]
struct SummaryMetadata {
    #[prost(message, optional, tag = "1")]
    plugin_data: Option<PluginData>,
}

#[derive(Clone, PartialEq, Message)]
struct PluginData {
    #[prost(string, tag = "1")]
    plugin_name: String,
    #[prost(bytes = "vec", tag = "2")]
    content: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct HParamsPluginData {
    #[prost(message, optional, tag = "3")]
    session_start_info: Option<SessionStartInfo>,
    #[prost(message, optional, tag = "4")]
    session_end_info: Option<SessionEndInfo>,
}

#[derive(Clone, PartialEq, Message)]
struct SessionStartInfo {
    #[prost(btree_map = "string, message", tag = "1")]
    hparams: BTreeMap<String, Text>,
    #[prost(string, tag = "4")]
    group_name: String,
    #[prost(double, tag = "5")]
    start_time_secs: f64,
}

#[derive(Clone, PartialEq, Message)]
struct SessionEndInfo {
    #[prost(int32, tag = "1")]
    status: i32,
    #[prost(double, tag = "2")]
    end_time_secs: f64,
}

/// A `google.protobuf.Value` that is a text.
#[derive(Clone, PartialEq, Message)]
struct Text {
    #[prost(string, optional, tag = "3")]
    string_value: Option<String>,
}

/// The record that an event file begins with.
pub fn version(at: f64) -> Vec<u8> {
    record(&Event {
        wall_time: at,
        file_version: Some("brain.Event:2".to_owned()),
        ..Event::default()
    })
}

/// A number at a step.
pub fn scalar(tag: &str, step: i64, value: f64, at: f64) -> Vec<u8> {
    let value = SummaryValue {
        tag: tag.to_owned(),
        simple_value: Some(value as f32),
        ..SummaryValue::default()
    };
    summary(value, step, at)
}

/// A trial begins: its name and its hyperparameters.
pub fn start(name: &str, hparams: BTreeMap<String, String>, at: f64) -> Vec<u8> {
    let text = |(name, value)| {
        let string_value = Some(value);
        (name, Text { string_value })
    };
    let info = SessionStartInfo {
        hparams: hparams.into_iter().map(text).collect(),
        group_name: name.to_owned(),
        start_time_secs: at,
    };
    let data = HParamsPluginData {
        session_start_info: Some(info),
        session_end_info: None,
    };
    hparams_summary(SESSION_START, &data, at)
}

/// A trial has ended.
pub fn end(status: Status, at: f64) -> Vec<u8> {
    let info = SessionEndInfo {
        status: status as i32,
        end_time_secs: at,
    };
    let data = HParamsPluginData {
        session_start_info: None,
        session_end_info: Some(info),
    };
    hparams_summary(SESSION_END, &data, at)
}

/// A summary that carries only metadata: its tensor is empty.
fn hparams_summary(tag: &str, data: &HParamsPluginData, at: f64) -> Vec<u8> {
    let plugin = PluginData {
        plugin_name: "hparams".to_owned(),
        content: data.encode_to_vec(),
    };
    let nothing = TensorShapeProto {
        dim: vec![Dim { size: 0 }],
    };
    let value = SummaryValue {
        tag: tag.to_owned(),
        simple_value: None,
        tensor: Some(TensorProto {
            dtype: FLOAT,
            shape: Some(nothing),
        }),
        metadata: Some(SummaryMetadata {
            plugin_data: Some(plugin),
        }),
    };
    summary(value, 0, at)
}

fn summary(value: SummaryValue, step: i64, at: f64) -> Vec<u8> {
    record(&Event {
        wall_time: at,
        step,
        file_version: None,
        summary: Some(Summary { value: vec![value] }),
    })
}

/// A record: length, checksum of the length, event, checksum of the event.
fn record(event: &Event) -> Vec<u8> {
    let event = event.encode_to_vec();
    let length = (event.len() as u64).to_le_bytes();
    let parts: [&[u8]; 4] = [
        &length,
        &masked(&length).to_le_bytes(),
        &event,
        &masked(&event).to_le_bytes(),
    ];
    parts.concat()
}

/// A checksum as records hold it: a checksum of data that holds checksums should not be what they hold.
fn masked(bytes: &[u8]) -> u32 {
    crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// The Castagnoli checksum (RFC 3720).
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |sum, byte| {
        TABLE[((sum ^ u32::from(*byte)) & 0xff) as usize] ^ (sum >> 8)
    })
}

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut sum = index as u32;
        let mut bit = 0;
        while bit < 8 {
            sum = (sum >> 1) ^ (0x82f6_3b78 * (sum & 1));
            bit += 1;
        }
        table[index] = sum;
        index += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_castagnolis() {
        // RFC 3720, B.4.
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
    }

    #[test]
    fn a_record_is_what_tensorboard_writes() {
        // tensorboard.compat.tensorflow_stub.io / EventFileWriter's first record, at second 1.
        let bytes = version(1.0);
        assert_eq!(bytes[..8], 24u64.to_le_bytes());
        assert_eq!(&bytes[12..21], &[9, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
        assert_eq!(&bytes[21..36], b"\x1a\x0dbrain.Event:2");
        assert_eq!(bytes.len(), 8 + 4 + 24 + 4);
    }
}
