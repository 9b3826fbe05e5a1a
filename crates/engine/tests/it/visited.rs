//! A device that lets a test in before each step and at its logits.

use std::sync::Arc;

use backend::{Buffer, Bytes, Device, DeviceInfo, Executor, Memory, MemoryLayout, Part, Result, Step};
use tensor::{Node, Output, Weight};

use crate::common::device;

/// What a test does to the steps of a device.
pub(crate) trait Visitor: Send + Sync + std::fmt::Debug {
    fn before(&self, step: &Step<'_>) -> Result<()>;

    fn after(&self, _step: &Step<'_>, _logits: &mut [f32]) {}
}

/// The usual device, with a visitor.
pub(crate) fn visited(visitor: Arc<dyn Visitor>) -> Arc<dyn Device> {
    Arc::new(Visited { inner: device(), visitor })
}

#[derive(Debug)]
struct Visited {
    inner: Arc<dyn Device>,
    visitor: Arc<dyn Visitor>,
}

#[derive(Debug)]
struct VisitedExecutor {
    inner: Box<dyn Executor>,
    visitor: Arc<dyn Visitor>,
    logits: Vec<f32>,
}

impl Device for Visited {
    fn info(&self) -> DeviceInfo {
        self.inner.info()
    }

    fn supports(&self, node: &Node, inputs: &[&Node]) -> bool {
        self.inner.supports(node, inputs)
    }

    fn load(&self, weight: &Weight, data: Bytes) -> Result<Arc<dyn Buffer>> {
        self.inner.load(weight, data)
    }

    fn memory(&self, layouts: &[MemoryLayout]) -> Result<Arc<dyn Memory>> {
        self.inner.memory(layouts)
    }

    fn compile(&self, part: Part<'_>) -> Result<Box<dyn Executor>> {
        let (inner, visitor) = (self.inner.compile(part)?, Arc::clone(&self.visitor));
        Ok(Box::new(VisitedExecutor { inner, visitor, logits: Vec::new() }))
    }
}

impl Executor for VisitedExecutor {
    fn import(&mut self, index: u32, rows: &[u8]) {
        self.inner.import(index, rows);
    }

    fn run(&mut self, step: &Step<'_>) -> Result<()> {
        self.visitor.before(step)?;
        self.inner.run(step)?;
        self.logits.clear();
        self.logits.extend_from_slice(bytemuck::cast_slice(self.inner.output(Output::Logits)));
        self.visitor.after(step, &mut self.logits);
        Ok(())
    }

    fn output(&self, _output: Output) -> &[u8] {
        bytemuck::cast_slice(&self.logits)
    }
}
