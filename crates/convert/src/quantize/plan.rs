//! What each tensor becomes, and the header of the new file: everything that can be refused is refused here, before a
//! byte is written.

use std::sync::Arc;

use gguf::write::{Header, OwnedValue};
use gguf::{Gguf, TensorInfo, TensorType};
use quant::DType;

use super::prune::Renumbering;
use super::{Options, Override};
use crate::recipe::{Category, Facts, Rules, fit, is_kept, is_token_embedding, layer_of};
use crate::{Error, Mix, Result};

/// Characters of a text that describes the importance matrix.
const MAX_NOTE_LEN: usize = 127;
/// Version of the block formats, as llama.cpp counts.
const QUANTIZATION_VERSION: u32 = 2;

/// The new file, before it is made.
#[derive(Debug)]
pub struct Plan {
    /// One for each part of the new file.
    pub(super) headers: Vec<Header>,
    /// In the order of the new file.
    pub tensors: Vec<Planned>,
    pub keep_split: bool,
    mix: Option<Mix>,
    has_imatrix: bool,
}

/// A tensor of the new file.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Its name in the new file.
    pub name: String,
    /// Its place in the list of the source's tensors.
    pub source: usize,
    pub dims: Vec<u64>,
    pub from: DType,
    pub to: DType,
    pub from_bytes: u64,
    pub to_bytes: u64,
    /// What it would be if its rows were whole blocks.
    pub wanted: DType,
    /// One value for each place of a row, for each matrix.
    pub(super) importance: Option<Arc<[f32]>>,
}

impl Planned {
    /// Whether another type stands in for the wanted one.
    pub fn is_fallback(&self) -> bool {
        self.to != self.wanted
    }

    pub fn n_elements(&self) -> u64 {
        self.dims.iter().product()
    }
}

impl Plan {
    /// Decides for every tensor of the source.
    ///
    /// # Errors
    /// If an option does not fit the model.
    pub fn new(source: &Gguf, options: &Options) -> Result<Self> {
        let mut header = Header::like(source.metadata());
        let order = in_order(source, options.keep_split);
        let names = order.iter().map(|&i| &*source.tensors()[i].name);
        let renumbering = match options.prune.is_empty() {
            true => None,
            false => Some(Renumbering::new(&options.prune, names)?),
        };
        describe(&mut header, source, options)?;
        let facts = Facts::of(&header);
        if let Some(renumbering) = &renumbering {
            let key = format!("{}.block_count", source.metadata().require::<&str>("general.architecture")?);
            set_last(&mut header, &key, OwnedValue::U32(renumbering.n_layer as u32));
        }
        let mut kept: Vec<(usize, String)> = Vec::with_capacity(order.len());
        for i in order {
            let name = &source.tensors()[i].name;
            let renamed = renumbering.as_ref().map_or_else(|| Some(name.clone()), |r| r.rename(name));
            kept.extend(renamed.map(|name| (i, name)));
        }
        let mut plan = Self {
            headers: Vec::new(),
            tensors: Vec::with_capacity(kept.len()),
            keep_split: options.keep_split,
            mix: options.mix,
            has_imatrix: options.imatrix.is_some(),
        };
        let is_tied = !kept.iter().any(|(_, name)| Category::of(name) == Category::Output);
        let n_v = kept.iter().filter(|(_, name)| Category::of(name) == Category::AttentionV).count();
        let mut chooser = Chooser::new(options, &facts, is_tied, n_v);
        for (i, name) in kept {
            plan.tensors.push(chooser.plan(source, i, name)?);
        }
        plan.headers = split_header(&plan.tensors, source, header, options.keep_split);
        Ok(plan)
    }

    /// The first tensor that would be garbage, as there is no importance matrix.
    pub fn needs_imatrix(&self) -> Option<&Planned> {
        let mix = self.mix?;
        let needs = |t: &&Planned| needs_importance(&t.name, t.to, mix) && t.is_weight();
        self.tensors.iter().find(needs).filter(|_| !self.has_imatrix)
    }

    /// Checks what a table of the plan need not obey, but a file must.
    pub(super) fn check(&self, options: &Options) -> Result<()> {
        if let Some(t) = self.needs_imatrix() {
            return Err(Error::NeedsImatrix { name: t.name.clone(), to: t.to });
        }
        for t in self.tensors.iter().filter(|t| t.from != t.to) {
            let name = t.name.clone();
            if !is_float(t.from) && !t.from.is_quantized() {
                return Err(Error::NotWeights { name, from: t.from, to: t.to });
            }
            if t.from.is_quantized() && !options.requantize {
                return Err(Error::Requantize { name, from: t.from });
            }
            let is_needed = self.mix.is_some_and(|mix| needs_importance(&t.name, t.to, mix));
            if t.importance.is_none() && is_needed {
                return Err(Error::NotInImatrix { name, to: t.to });
            }
        }
        Ok(())
    }

    pub fn from_bytes(&self) -> u64 {
        self.tensors.iter().map(|t| t.from_bytes).sum()
    }

    pub fn to_bytes(&self) -> u64 {
        self.tensors.iter().map(|t| t.to_bytes).sum()
    }

    pub fn n_elements(&self) -> u64 {
        self.tensors.iter().map(Planned::n_elements).sum()
    }
}

impl Planned {
    /// Vectors and the like keep their type whatever the mix.
    fn is_weight(&self) -> bool {
        self.dims.iter().skip(1).any(|extent| *extent > 1)
    }
}

/// Decides tensor by tensor.
struct Chooser<'a> {
    options: &'a Options,
    facts: &'a Facts,
    rules: Option<Rules<'a>>,
}

impl<'a> Chooser<'a> {
    fn new(options: &'a Options, facts: &'a Facts, is_tied: bool, n_v: usize) -> Self {
        let rules = options.mix.map(|mix| Rules {
            mix,
            facts,
            has_imatrix: options.imatrix.is_some(),
            is_tied,
            output_type: options.output_type,
            n_v,
            seen: crate::recipe::Seen::default(),
        });
        Self { options, facts, rules }
    }

    fn plan(&mut self, source: &Gguf, i: usize, name: String) -> Result<Planned> {
        let tensor = &source.tensors()[i];
        let from = dtype(tensor)?;
        let (wanted, to) = self.types(&name, tensor, from)?;
        let importance = if to == from { None } else { self.importance(&name, tensor)? };
        let row_bytes = to
            .row_bytes(tensor.dims[0] as usize)
            .ok_or(quant::Error::RaggedRow { dtype: to, len: tensor.dims[0] as usize });
        let row_bytes = row_bytes.map_err(|cause| Error::Tensor { name: name.clone(), cause })?;
        let n_rows: u64 = tensor.dims[1..].iter().product();
        Ok(Planned {
            name,
            source: i,
            dims: tensor.dims.clone(),
            from,
            to,
            from_bytes: tensor.n_bytes(),
            to_bytes: n_rows * row_bytes as u64,
            wanted,
            importance,
        })
    }

    /// The type that is wanted, and the one that it will be.
    fn types(&mut self, name: &str, tensor: &TensorInfo, from: DType) -> Result<(DType, DType)> {
        let Some(rules) = &mut self.rules else { return Ok((from, from)) };
        let is_left = self.options.leave_output && name == "output.weight";
        if is_left || is_kept(name, &tensor.dims, self.facts) {
            return Ok((from, from));
        }
        let rule = self.options.tensor_types.iter().find(|rule| rule.is_for(name));
        // The table of the per-layer embeddings is large and separate: a rule of its own goes first.
        let has_own_rule = rule.is_some() && name != "token_embd.weight";
        match (self.options.token_embedding_type, self.options.output_type) {
            (Some(ty), _) if is_token_embedding(name) && !has_own_rule => return Ok((ty, ty)),
            (_, Some(ty)) if Category::of(name) == Category::Output => return Ok((ty, ty)),
            _ => {}
        }
        let base = rules.mix.base();
        if !base.is_quantized() {
            return Ok((base, base));
        }
        let wanted = match rule {
            Some(rule) => rule.to,
            None if self.options.pure => base,
            None => rules.pick(name, &tensor.dims)?,
        };
        Ok((wanted, fit(name, tensor.dims[0], wanted)?))
    }

    /// What the matrix says about a tensor. Entries have the names that the layers had before any was left out.
    fn importance(&self, name: &str, tensor: &TensorInfo) -> Result<Option<Arc<[f32]>>> {
        let Some((imatrix, _)) = &self.options.imatrix else { return Ok(None) };
        let Some(entry) = imatrix.entries.get(&tensor.name) else { return Ok(None) };
        let expected = (tensor.dims[0] * tensor.dims.get(2).unwrap_or(&1)) as usize;
        match entry.sums.len() {
            found if found == expected => Ok(Some(entry.means().into())),
            // Lookups of embeddings are no products: the entry is that of an output that shares the name.
            _ if is_token_embedding(name) => Ok(None),
            found => Err(Error::ImatrixSize { name: name.into(), expected, found }),
        }
    }
}

fn is_float(ty: DType) -> bool {
    matches!(ty, DType::F32 | DType::F16 | DType::BF16)
}

fn dtype(tensor: &TensorInfo) -> Result<DType> {
    let unknown = || quant::Error::UnknownType { name: tensor.ty.name().into() };
    DType::from_id(tensor.ty.id())
        .ok_or_else(unknown)
        .map_err(|cause| Error::Tensor { name: tensor.name.clone(), cause })
}

fn tensor_type(ty: DType) -> TensorType {
    TensorType::from_id(ty.id()).expect("the tables of types agree")
}

/// Whether the type is so coarse that the tensor would be garbage without importance. Embeddings and outputs bear more.
fn needs_importance(name: &str, to: DType, mix: Mix) -> bool {
    use DType as T;
    if is_token_embedding(name) || name == "output.weight" {
        return false;
    }
    match to {
        T::IQ1_S | T::IQ1_M | T::IQ2_XXS | T::IQ2_XS | T::IQ2_S | T::IQ3_XXS => true,
        T::Q2_K => mix == Mix::Q2_K_S,
        _ => false,
    }
}

/// The tensors in the order of the new file: by layer and name, or as they lie in the parts.
fn in_order(source: &Gguf, keep_split: bool) -> Vec<usize> {
    let tensors = source.tensors();
    let mut order: Vec<usize> = (0..tensors.len()).collect();
    if keep_split {
        order.sort_by_key(|&i| (tensors[i].part(), tensors[i].offset()));
    } else {
        order.sort_by(|&a, &b| {
            let key = |i: usize| (layer_of(&tensors[i].name), &tensors[i].name);
            key(a).cmp(&key(b))
        });
    }
    order
}

/// Metadata that says how the file was made.
fn describe(header: &mut Header, source: &Gguf, options: &Options) -> Result<()> {
    let file_type = match options.mix {
        Some(mix) => Some(mix.id()),
        None => source.metadata().get("general.file_type")?,
    };
    set_last(header, "general.quantization_version", OwnedValue::U32(QUANTIZATION_VERSION));
    if let Some(id) = file_type {
        set_last(header, "general.file_type", OwnedValue::U32(id));
    }
    for key in [gguf::split::PART_KEY, gguf::split::PARTS_KEY, gguf::split::TENSORS_KEY] {
        header.remove(key);
    }
    for Override { key, value } in &options.overrides {
        set_last(header, key, value.clone());
    }
    if let Some((imatrix, path)) = &options.imatrix {
        let note = |text: &str| OwnedValue::String(text.as_bytes()[..text.len().min(MAX_NOTE_LEN)].into());
        set_last(header, "quantize.imatrix.file", note(&path.to_string_lossy()));
        if let Some(dataset) = imatrix.datasets.first() {
            set_last(header, "quantize.imatrix.dataset", note(dataset));
        }
        let n_entries = OwnedValue::U32(imatrix.entries.len() as u32);
        set_last(header, "quantize.imatrix.entries_count", n_entries);
        if imatrix.n_chunks > 0 {
            set_last(header, "quantize.imatrix.chunks_count", OwnedValue::U32(imatrix.n_chunks));
        }
    }
    Ok(())
}

/// Sets a value and moves it to the end, where the reference puts what it changes.
fn set_last(header: &mut Header, key: &str, value: OwnedValue) {
    header.remove(key);
    header.set(key, value);
}

/// The headers of all parts; metadata is in the first.
fn split_header(tensors: &[Planned], source: &Gguf, header: Header, keep_split: bool) -> Vec<Header> {
    let n = if keep_split { source.n_parts() } else { 1 };
    let mut headers = vec![Header::new(); n];
    headers[0] = header;
    for t in tensors {
        let part = if keep_split { source.tensors()[t.source].part() } else { 0 };
        headers[part].tensor(&t.name, &t.dims, tensor_type(t.to));
    }
    headers
}
