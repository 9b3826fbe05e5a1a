//! The rules of the house.
use anyhow::Result;
pub(crate) fn run() -> Result<()> {
    Ok(())
}
