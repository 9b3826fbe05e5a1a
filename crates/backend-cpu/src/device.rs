//! The CPU as a device: its threads, its weights, what it can compute.

use std::any::Any;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use backend::{
    Buffer, Bytes, Device, DeviceInfo, DeviceKind, Error, Executor, Memory, MemoryLayout, Part, Result,
};
use tensor::{DType, Node, Op, Weight};

use crate::compile::Compiler;
use crate::executor::CpuExecutor;
use crate::isa::Kind;
use crate::kernels::Kernels;
use crate::memory::CpuMemory;
use crate::ops;
use crate::team::Teams;

/// How a CPU device is set up.
#[derive(Clone, Debug)]
pub struct CpuConfig {
    /// Shown to users; devices of one program need different names.
    pub name: String,
    pub n_threads: usize,
    /// For steps of more than one token; the same number by default.
    pub n_threads_batch: Option<usize>,
    /// Instruction set to use; the best one by default.
    pub isa: Option<Kind>,
}

impl Default for CpuConfig {
    /// One thread a core the process may use.
    fn default() -> Self {
        let n_threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self { name: "cpu".into(), n_threads, n_threads_batch: None, isa: None }
    }
}

/// The instruction sets this processor has kernels for, best last.
pub fn available_isas() -> Vec<Kind> {
    Kind::ALL.into_iter().filter(|isa| Kernels::for_isa(*isa).is_some()).collect()
}

/// The processor and main memory.
#[derive(Debug)]
pub struct CpuDevice {
    name: String,
    teams: Teams,
    kernels: Kernels,
}

impl CpuDevice {
    /// # Panics
    /// If the configuration names an instruction set that [`available_isas`] does not list.
    pub fn new(config: &CpuConfig) -> Arc<Self> {
        let kernels = match config.isa {
            Some(isa) => Kernels::for_isa(isa).unwrap_or_else(|| panic!("this processor has no {isa:?}")),
            None => Kernels::best(),
        };
        Arc::new(Self { name: config.name.clone(), teams: Teams::new(config), kernels })
    }
}

impl Device for CpuDevice {
    fn info(&self) -> DeviceInfo {
        let description = format!("{} threads", self.teams.single.n_threads());
        DeviceInfo { name: self.name.clone(), kind: DeviceKind::Cpu, description }
    }

    fn supports(&self, node: &Node, _inputs: &[&Node]) -> bool {
        matches!(
            node.op,
            Op::Input(_)
                | Op::Weight(_)
                | Op::Lookup
                | Op::MatMul(_)
                | Op::RopeTable(_)
                | Op::AppendKv { .. }
                | Op::ReadKv { .. }
                | Op::Attention(_)
                | Op::Choose(_)
                | Op::Compress(_)
                | Op::SelectOutputs
                | Op::Conv1d(_)
                | Op::Pool(_)
                | Op::SsmScan(_)
                | Op::TokenShift { .. }
                | Op::Wkv7 { .. }
        ) || ops::row::supported(&node.op)
    }

    fn load(&self, weight: &Weight, data: Bytes) -> Result<Arc<dyn Buffer>> {
        let cpu = CpuWeight { weight: *weight, data };
        let (have, want) = (cpu.bytes().len(), cpu.n_bytes_needed());
        if want != Some(have) {
            return Err(Error::Failed {
                device: self.name.clone(),
                what: format!("weight {weight:?} has {have} bytes, expected {want:?}"),
            });
        }
        Ok(Arc::new(cpu))
    }

    fn memory(&self, layouts: &[MemoryLayout]) -> Result<Arc<dyn Memory>> {
        Ok(Arc::new(CpuMemory::new(&self.name, layouts)?))
    }

    fn compile(&self, part: Part<'_>) -> Result<Box<dyn Executor>> {
        let program = Compiler::new(&self.name, &part).compile()?;
        Ok(Box::new(CpuExecutor::new(&self.name, program, self.teams.clone(), self.kernels, &part)))
    }
}

/// A weight read where it lies, usually in the mapped file.
#[derive(Clone)]
pub(crate) struct CpuWeight {
    pub(crate) weight: Weight,
    data: Bytes,
}

impl CpuWeight {
    pub(crate) fn bytes(&self) -> &[u8] {
        (*self.data).as_ref()
    }

    /// Bytes of one row of `dims[0]` elements; `None` if blocks do not divide it.
    pub(crate) fn row_bytes(&self) -> Option<usize> {
        self.weight.dtype.row_bytes(self.weight.shape.dim(0))
    }

    fn n_bytes_needed(&self) -> Option<usize> {
        let s = self.weight.shape;
        self.row_bytes()?.checked_mul(s.row_len() / s.dim(0).max(1))
    }

    /// All elements as float32, or as the bits of int32.
    pub(crate) fn decode(&self) -> Result<Vec<f32>, String> {
        let mut out = vec![0.0; self.weight.shape.row_len()];
        self.decode_to(0..self.bytes().len(), &mut out)?;
        Ok(out)
    }

    /// The elements in some of the bytes.
    pub(crate) fn decode_to(&self, range: Range<usize>, out: &mut [f32]) -> Result<(), String> {
        let bytes = &self.bytes()[range];
        if self.weight.dtype == DType::I32 {
            bytemuck::cast_slice_mut(out).copy_from_slice(bytes);
            return Ok(());
        }
        quant::decode(self.weight.dtype, bytes, out).map_err(|e| e.to_string())
    }
}

impl fmt::Debug for CpuWeight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CpuWeight({:?} {:?})", self.weight.dtype, self.weight.shape)
    }
}

impl Buffer for CpuWeight {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn n_bytes(&self) -> u64 {
        0
    }
}
