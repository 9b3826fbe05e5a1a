//! Spreads a graph over devices: a node runs where its weight or memory lives, the rest follow their inputs; values
//! that cross from one device to another are copied between the parts.

use std::collections::HashMap;
use std::sync::Arc;

use tensor::{Graph, Input, Node, NodeId, Op, Output};

use crate::{Buffer, Device, Error, Executor, Memory, Part, Result, Step};

/// Where weights and memories live: indices into the list of devices.
#[derive(Clone, Debug)]
pub struct Placement {
    /// By `WeightId`.
    pub weights: Vec<usize>,
    /// By `MemoryId`.
    pub memories: Vec<usize>,
}

/// A graph compiled for its devices.
#[derive(Debug)]
pub struct Pipeline {
    parts: Vec<Compiled>,
    outputs: Vec<(Output, usize)>,
    scratch: Vec<u8>,
}

#[derive(Debug)]
struct Compiled {
    executor: Box<dyn Executor>,
    /// What to fetch before it runs.
    imports: Vec<Import>,
}

#[derive(Clone, Copy, Debug)]
struct Import {
    index: u32,
    from_part: usize,
    export: u32,
}

/// A part being collected.
#[derive(Debug, Default)]
struct Draft {
    device: usize,
    nodes: Vec<Node>,
    outputs: Vec<(Output, NodeId)>,
    imports: Vec<Import>,
    /// Node of the whole graph -> node of the part.
    local: HashMap<NodeId, NodeId>,
}

impl Pipeline {
    /// `weights[i]` lists weight `i` on the device it was placed on; `memories` has one entry a device.
    pub fn compile(
        graph: Graph,
        devices: &[Arc<dyn Device>],
        placement: &Placement,
        weights: &[Option<Arc<dyn Buffer>>],
        memories: &[Arc<dyn Memory>],
        max_tokens: usize,
    ) -> Result<Self> {
        let (nodes, outputs) = graph.into_parts();
        let assigned = assign(&nodes, devices, placement)?;
        let mut drafts: Vec<Draft> = Vec::new();
        let mut home: HashMap<NodeId, usize> = HashMap::new();
        for (i, node) in nodes.iter().enumerate() {
            if matches!(node.op, Op::Weight(_) | Op::Input(_)) {
                continue;
            }
            if drafts.last().is_none_or(|d| d.device != assigned[i]) {
                drafts.push(Draft { device: assigned[i], ..Draft::default() });
            }
            let part = drafts.len() - 1;
            add(&mut drafts, &home, &nodes, NodeId(i as u32), part);
            home.insert(NodeId(i as u32), part);
        }
        let mut named = Vec::new();
        for (output, id) in outputs {
            let part = *home.get(&id).ok_or_else(|| Error::Failed {
                device: "splitter".into(),
                what: format!("output {output:?} is an input of the graph"),
            })?;
            let local = drafts[part].local[&id];
            drafts[part].outputs.push((output, local));
            named.push((output, part));
        }
        let parts = drafts
            .into_iter()
            .map(|draft| {
                let executor = devices[draft.device].compile(Part {
                    nodes: &draft.nodes,
                    outputs: &draft.outputs,
                    weights,
                    memory: Arc::clone(&memories[draft.device]),
                    max_tokens,
                })?;
                Ok(Compiled { executor, imports: draft.imports })
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Self { parts, outputs: named, scratch: Vec::new() })
    }

    /// How many parts run one after another: 1 on a single device.
    pub fn n_parts(&self) -> usize {
        self.parts.len()
    }

    pub fn run(&mut self, step: &Step<'_>) -> Result<()> {
        for i in 0..self.parts.len() {
            for j in 0..self.parts[i].imports.len() {
                let Import { index, from_part, export } = self.parts[i].imports[j];
                self.scratch.clear();
                self.scratch.extend_from_slice(self.parts[from_part].executor.output(Output::Export(export)));
                self.parts[i].executor.import(index, &self.scratch);
            }
            self.parts[i].executor.run(step)?;
        }
        Ok(())
    }

    /// A result of the last run as float32 rows; empty if the graph has no such output.
    pub fn output(&self, output: Output) -> &[u8] {
        match self.outputs.iter().find(|(o, _)| *o == output) {
            Some(&(_, part)) => self.parts[part].executor.output(output),
            None => &[],
        }
    }
}

/// The device of each node.
fn assign(nodes: &[Node], devices: &[Arc<dyn Device>], placement: &Placement) -> Result<Vec<usize>> {
    let mut assigned: Vec<usize> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let inputs: Vec<&Node> = node.inputs.iter().map(|i| &nodes[i.index()]).collect();
        let weight = inputs.iter().find_map(|n| match &n.op {
            Op::Weight(w) => Some(placement.weights[w.id.0 as usize]),
            _ => None,
        });
        let memory = node.op.memory().map(|m| placement.memories[m.0 as usize]);
        let computed = node
            .inputs
            .iter()
            .rev()
            .find(|i| !matches!(nodes[i.index()].op, Op::Weight(_) | Op::Input(_)))
            .map(|i| assigned[i.index()]);
        let wanted = memory.or(weight).or(computed).unwrap_or(0);
        let leaf = matches!(node.op, Op::Weight(_) | Op::Input(_));
        let able = |d: &usize| leaf || devices[*d].supports(node, &inputs);
        let device = std::iter::once(wanted)
            .chain(0..devices.len())
            .filter(|d| *d == wanted || memory.is_none())
            .find(able)
            .ok_or_else(|| Error::Unsupported {
                device: devices[wanted].info().name,
                op: format!("{:?} of {:?}", node.op, node.shape),
            })?;
        assigned.push(device);
    }
    Ok(assigned)
}

/// Adds node `id` and whatever it needs to part `part`.
fn add(drafts: &mut [Draft], home: &HashMap<NodeId, usize>, nodes: &[Node], id: NodeId, part: usize) {
    let node = &nodes[id.index()];
    let inputs = node.inputs.iter().map(|&input| local(drafts, home, nodes, input, part)).collect();
    let draft = &mut drafts[part];
    draft.nodes.push(Node { inputs, ..node.clone() });
    draft.local.insert(id, NodeId(draft.nodes.len() as u32 - 1));
}

/// The part's own node for `id`: itself, a leaf repeated, or an import.
fn local(
    drafts: &mut [Draft],
    home: &HashMap<NodeId, usize>,
    nodes: &[Node],
    id: NodeId,
    part: usize,
) -> NodeId {
    if let Some(&local) = drafts[part].local.get(&id) {
        return local;
    }
    let node = &nodes[id.index()];
    if let Some(&from_part) = home.get(&id) {
        let source = &mut drafts[from_part];
        let from = source.local[&id];
        let exports = source.outputs.iter().filter(|(o, _)| matches!(o, Output::Export(_))).count() as u32;
        let known = source.outputs.iter().find_map(|&(o, n)| match o {
            Output::Export(e) if n == from => Some(e),
            _ => None,
        });
        let export = known.unwrap_or(exports);
        if known.is_none() {
            source.outputs.push((Output::Export(export), from));
        }
        let draft = &mut drafts[part];
        let index = draft.imports.len() as u32;
        draft.imports.push(Import { index, from_part, export });
        let op = Op::Input(Input::Import { index, elem: node.elem });
        draft.nodes.push(Node { op, inputs: vec![], shape: node.shape, elem: node.elem });
    } else {
        draft_leaf(&mut drafts[part], node);
    }
    let draft = &mut drafts[part];
    let local = NodeId(draft.nodes.len() as u32 - 1);
    draft.local.insert(id, local);
    local
}

fn draft_leaf(draft: &mut Draft, node: &Node) {
    debug_assert!(node.inputs.is_empty(), "leaves have no inputs");
    draft.nodes.push(node.clone());
}
