//! The container and the formats each have a table of types, as neither may know the other. This is where both are seen.

use gguf::TensorType;
use quant::DType;

#[test]
fn tables_of_types_agree() {
    let of_files: Vec<_> =
        TensorType::all().map(|ty| (ty.id(), ty.name(), ty.block_len(), ty.block_bytes())).collect();
    let of_formats: Vec<_> = DType::ALL
        .iter()
        .map(|ty| (ty.id(), ty.name(), ty.block_len() as u64, ty.block_bytes() as u64))
        .collect();
    assert_eq!(of_files, of_formats);
}
