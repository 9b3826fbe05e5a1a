//! The byte alphabet of GPT-2: every byte as one printable character, so that merges can be written as text.

/// The character that stands for each byte: itself where it is printable Latin-1, else U+0100 and up, in order.
pub(crate) const CHAR_OF_BYTE: [char; 256] = {
    let mut chars = ['\0'; 256];
    let mut next = 0x100;
    let mut byte = 0;
    while byte < 256 {
        let stays = matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
        let code_point = if stays { byte } else { next };
        next += !stays as u32;
        chars[byte as usize] = match char::from_u32(code_point) {
            Some(c) => c,
            None => panic!("below the surrogates"),
        };
        byte += 1;
    }
    chars
};

/// The byte a character stands for.
pub(crate) fn byte_of_char(c: char) -> Option<u8> {
    BYTE_OF_CHAR.get(c as usize).copied().filter(|&byte| CHAR_OF_BYTE[usize::from(byte)] == c)
}

/// Appends the characters that stand for `bytes`.
pub(crate) fn encode_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    for &byte in bytes {
        let (utf8, len) = UTF8_OF_BYTE[usize::from(byte)];
        out.extend_from_slice(&utf8[..usize::from(len)]);
    }
}

const N_CHARS: usize = 0x100 + 68;

const BYTE_OF_CHAR: [u8; N_CHARS] = {
    let mut bytes = [0; N_CHARS];
    let mut byte = 0;
    while byte < 256 {
        bytes[CHAR_OF_BYTE[byte] as usize] = byte as u8;
        byte += 1;
    }
    bytes
};

/// UTF-8 of [`CHAR_OF_BYTE`] and its length: one byte or two.
const UTF8_OF_BYTE: [([u8; 2], u8); 256] = {
    let mut table = [([0; 2], 1); 256];
    let mut byte = 0;
    while byte < 256 {
        let c = CHAR_OF_BYTE[byte] as u32;
        table[byte] =
            if c < 0x80 { ([c as u8, 0], 1) } else { ([0xc0 | (c >> 6) as u8, 0x80 | (c & 0x3f) as u8], 2) };
        byte += 1;
    }
    table
};
