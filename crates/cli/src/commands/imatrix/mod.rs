//! `llama-rs imatrix`: collects, merges and shows importance matrices.

mod collect;
mod statistics;

use std::path::Path;

use anyhow::{Result, anyhow, ensure};
use convert::Imatrix;

use crate::args::{ImatrixArgs, ImatrixFormat};
use crate::output;

pub(crate) fn run(args: &ImatrixArgs) -> Result<()> {
    ensure!(args.ctx_size > 0, "--ctx-size 0: a chunk has at least one token");
    if args.show_statistics {
        let [path] = &args.in_file[..] else {
            return Err(anyhow!("--show-statistics: give one file with --in-file"));
        };
        return output::emit(&statistics::table(&Imatrix::open(path)?)?);
    }
    let mut base = Imatrix::default();
    for path in &args.in_file {
        let other = Imatrix::open(path)?;
        base.merge(other, args.ctx_size).map_err(|problem| anyhow!("{}: {problem}", path.display()))?;
    }
    if args.file.is_some() {
        return collect::run(args, &base);
    }
    write(args, &base, &args.output)?;
    output::note(&format!("{}: {} files merged", args.output.display(), args.in_file.len()));
    Ok(())
}

fn write(args: &ImatrixArgs, imatrix: &Imatrix, path: &Path) -> Result<()> {
    let is_dat = args.output.extension().is_some_and(|end| end == "dat");
    match args.output_format.unwrap_or(if is_dat { ImatrixFormat::Dat } else { ImatrixFormat::Gguf }) {
        ImatrixFormat::Gguf => imatrix.write_gguf(path, args.ctx_size)?,
        ImatrixFormat::Dat => imatrix.write_dat(path, args.ctx_size)?,
    }
    Ok(())
}
