//! The scoped, shape-checked cursor over a file through which every tensor and metadata value is read.
//!
//! A tensor of the file is claimed by the block that uses it or named in [`Source::ignore`] with a reason; the rest
//! is an error. So optional parts are found by presence without hiding a misspelt or truncated file.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Display;

use gguf::{FromValue, Gguf};
use tensor::{DType, MemoryId, MemorySpec, Rows, Shape, Weight, WeightId};

use crate::blocks::Scales;
use crate::{Error, NamedMemory, NamedWeight, Result};

/// How a tensor's elements are used, which limits their types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    /// In products and look-ups: any float or block type.
    Matrix,
    /// Element by element: plain floats.
    Vector,
    /// As ids: 32-bit integers.
    Ids,
}

/// What has been read of a file so far.
#[derive(Debug)]
struct Claims {
    /// By name: the weight, once claimed.
    claimed: HashMap<String, WeightId>,
    ignored: HashMap<String, String>,
    weights: Vec<NamedWeight>,
    memories: Vec<NamedMemory>,
    max_context: Option<usize>,
}

/// A file being loaded.
#[derive(Debug)]
pub(crate) struct Loader<'a> {
    file: &'a Gguf,
    architecture: &'static str,
    scales: Scales,
    index: HashMap<&'a str, usize>,
    claims: RefCell<Claims>,
}

/// Everything that was claimed.
#[derive(Debug)]
pub(crate) struct Claimed {
    pub(crate) weights: Vec<NamedWeight>,
    pub(crate) memories: Vec<NamedMemory>,
    pub(crate) max_context: Option<usize>,
}

impl<'a> Loader<'a> {
    pub(crate) fn new(file: &'a Gguf, architecture: &'static str, scales: Scales) -> Self {
        let index = file.tensors().iter().enumerate().map(|(i, t)| (t.name.as_str(), i)).collect();
        let claims = Claims {
            claimed: HashMap::new(),
            ignored: HashMap::new(),
            weights: Vec::new(),
            memories: Vec::new(),
            max_context: None,
        };
        Self { file, architecture, scales, index, claims: RefCell::new(claims) }
    }

    /// The cursor at the top of the file.
    pub(crate) fn source(&self) -> Source<'_> {
        Source { loader: self, scope: String::new(), layer: None }
    }

    /// Ends loading.
    ///
    /// # Errors
    /// If the file has tensors that nothing claimed.
    pub(crate) fn finish(self) -> Result<Claimed> {
        const SHOWN: usize = 10;
        let claims = self.claims.into_inner();
        let mut rest = self
            .file
            .tensors()
            .iter()
            .map(|t| &t.name)
            .filter(|name| !claims.claimed.contains_key(*name) && !claims.ignored.contains_key(*name));
        let names: Vec<_> = rest.by_ref().take(SHOWN).cloned().collect();
        if !names.is_empty() {
            let n = names.len() + rest.count();
            return Err(Error::Unclaimed { architecture: self.architecture, n, names });
        }
        let Claims { weights, memories, max_context, .. } = claims;
        Ok(Claimed { weights, memories, max_context })
    }
}

/// A place in the file: tensor names are relative to it, metadata keys to the architecture.
#[derive(Clone, Debug)]
pub(crate) struct Source<'a> {
    loader: &'a Loader<'a>,
    scope: String,
    layer: Option<usize>,
}

impl<'a> Source<'a> {
    /// The scope `name.` within this one.
    pub(crate) fn at(&self, name: impl Display) -> Self {
        Self { scope: format!("{}{name}.", self.scope), ..self.clone() }
    }

    /// The scope of layer `i`: `blk.{i}.`.
    pub(crate) fn layer(&self, i: usize) -> Self {
        self.layer_of("blk", i)
    }

    /// The scope of layer `i` of a stack of its own name.
    pub(crate) fn layer_of(&self, stack: &str, i: usize) -> Self {
        Self { layer: Some(i), ..self.at(format_args!("{stack}.{i}")) }
    }

    /// Loads the first `n` layers in turn.
    pub(crate) fn layers<T>(&self, n: usize, load: impl Fn(&Self) -> Result<T>) -> Result<Vec<T>> {
        (0..n).map(|i| load(&self.layer(i))).collect()
    }

    /// The layer this cursor is in; 0 outside of layers.
    pub(crate) fn index(&self) -> usize {
        self.layer.unwrap_or(0)
    }

    /// Whose `.scale` tensors count.
    pub(crate) fn scales(&self) -> Scales {
        self.loader.scales
    }

    /// The cursor at the top of the file.
    pub(crate) fn root(&self) -> Self {
        self.loader.source()
    }

    /// Whether there is such a tensor that is not ignored.
    pub(crate) fn has(&self, name: &str) -> bool {
        let name = format!("{}{name}", self.scope);
        self.loader.index.contains_key(name.as_str())
            && !self.loader.claims.borrow().ignored.contains_key(&name)
    }

    /// Whether this scope has no tensor.
    pub(crate) fn is_empty(&self) -> bool {
        !self.loader.file.tensors().iter().any(|t| t.name.starts_with(&self.scope))
    }

    /// A weight for products and look-ups.
    pub(crate) fn weight<const N: usize>(&self, name: &str, dims: [usize; N]) -> Result<Weight> {
        self.claim(name, &dims, &dims, Use::Matrix)
    }

    /// A weight used element by element.
    pub(crate) fn vector<const N: usize>(&self, name: &str, dims: [usize; N]) -> Result<Weight> {
        self.claim(name, &dims, &dims, Use::Vector)
    }

    /// A vector of the file seen under other extents of the same size, such as `[n]` as the table `[1, n]`.
    pub(crate) fn vector_as<const N: usize, const M: usize>(
        &self,
        name: &str,
        dims: [usize; N],
        shape: [usize; M],
    ) -> Result<Weight> {
        self.claim(name, &dims, &shape, Use::Vector)
    }

    pub(crate) fn vector_opt<const N: usize>(&self, name: &str, dims: [usize; N]) -> Result<Option<Weight>> {
        self.has(name).then(|| self.vector(name, dims)).transpose()
    }

    /// A weight for products and look-ups, seen under other extents of the same size.
    pub(crate) fn weight_as<const N: usize, const M: usize>(
        &self,
        name: &str,
        dims: [usize; N],
        shape: [usize; M],
    ) -> Result<Weight> {
        self.claim(name, &dims, &shape, Use::Matrix)
    }

    /// A table of ids, each of which must be below `limit`.
    pub(crate) fn ids<const N: usize>(&self, name: &str, dims: [usize; N], limit: usize) -> Result<Weight> {
        let weight = self.claim(name, &dims, &dims, Use::Ids)?;
        let name = format!("{}{name}", self.scope);
        let data = self.loader.file.data(&self.loader.file.tensors()[self.loader.index[name.as_str()]]);
        let ids = data.as_ref().chunks_exact(4).map(|id| i32::from_le_bytes([id[0], id[1], id[2], id[3]]));
        match ids.into_iter().find(|id| !usize::try_from(*id).is_ok_and(|id| id < limit)) {
            Some(id) => Err(Error::Id { name, id, limit }),
            None => Ok(weight),
        }
    }

    /// Passes over a tensor of this scope, if it is there: from now on it counts as absent.
    pub(crate) fn ignore(&self, name: &str, reason: &str) {
        let name = format!("{}{name}", self.scope);
        self.loader.claims.borrow_mut().ignored.insert(name, reason.to_owned());
    }

    /// Passes over several.
    pub(crate) fn ignore_each(&self, names: &[&str], reason: &str) {
        names.iter().for_each(|name| self.ignore(name, reason));
    }

    /// Passes over all tensors of this scope.
    pub(crate) fn ignore_all(&self, reason: &str) {
        let mut claims = self.loader.claims.borrow_mut();
        for tensor in self.loader.file.tensors().iter().filter(|t| t.name.starts_with(&self.scope)) {
            claims.ignored.insert(tensor.name.clone(), reason.to_owned());
        }
    }

    /// Declares that a longer context is attended to in another way than was loaded.
    pub(crate) fn limit_context(&self, n_tokens: usize) {
        let max = &mut self.loader.claims.borrow_mut().max_context;
        *max = Some(max.map_or(n_tokens, |max| max.min(n_tokens)));
    }

    /// Declares something the layer keeps between steps.
    pub(crate) fn remember(&self, spec: MemorySpec) -> MemoryId {
        let memories = &mut self.loader.claims.borrow_mut().memories;
        memories.push(NamedMemory { spec, layer: self.index() });
        MemoryId(memories.len() as u32 - 1)
    }

    /// Extent `dim` of a tensor; 1 beyond its last.
    pub(crate) fn extent(&self, name: &str, dim: usize) -> Result<usize> {
        let name = format!("{}{name}", self.scope);
        let Some(&i) = self.loader.index.get(name.as_str()) else {
            return Err(Error::MissingTensor { name });
        };
        let extent = self.loader.file.tensors()[i].dims.get(dim).copied().unwrap_or(1);
        usize::try_from(extent).map_err(|_| Error::value(&name, extent, "is too large"))
    }

    fn claim(&self, name: &str, dims: &[usize], shape: &[usize], used_as: Use) -> Result<Weight> {
        let name = format!("{}{name}", self.scope);
        let Some(&i) = self.loader.index.get(name.as_str()) else {
            return Err(Error::MissingTensor { name });
        };
        let info = &self.loader.file.tensors()[i];
        let found = info.dims.iter().map(|&d| Some(d)).chain(std::iter::repeat(None));
        let expected = dims.iter().map(|&d| Some(d as u64)).chain(std::iter::repeat(None));
        let n = dims.len().max(info.dims.len());
        let same = found.zip(expected).take(n).all(|(a, b)| a.unwrap_or(1) == b.unwrap_or(1));
        if !same || dims.contains(&0) {
            return Err(Error::Shape { name, expected: dims.to_vec(), found: info.dims.clone() });
        }
        let dtype = dtype(&name, info.ty.id(), used_as)?;
        let shape = Shape::new(shape, Rows::Fixed);
        let mut claims = self.loader.claims.borrow_mut();
        if let Some(&id) = claims.claimed.get(&name) {
            return Ok(Weight { id, shape, dtype });
        }
        let weight = Weight { id: WeightId(claims.weights.len() as u32), shape, dtype };
        claims.claimed.insert(name.clone(), weight.id);
        claims.weights.push(NamedWeight { name, weight, layer: self.layer });
        Ok(weight)
    }
}

/// Metadata, by keys relative to the architecture: `attention.head_count` is `llama.attention.head_count` in the file.
impl<'a> Source<'a> {
    /// The key as the file spells it.
    pub(crate) fn full_key(&self, key: &str) -> String {
        format!("{}.{key}", self.loader.architecture)
    }

    pub(crate) fn get<T: FromValue<'a>>(&self, key: &str) -> Result<Option<T>> {
        Ok(self.loader.file.metadata().get(&self.full_key(key))?)
    }

    pub(crate) fn require<T: FromValue<'a>>(&self, key: &str) -> Result<T> {
        Ok(self.loader.file.metadata().require(&self.full_key(key))?)
    }

    pub(crate) fn get_or<T: FromValue<'a>>(&self, key: &str, default: T) -> Result<T> {
        Ok(self.get(key)?.unwrap_or(default))
    }

    /// A value under its full key.
    pub(crate) fn get_global<T: FromValue<'a>>(&self, key: &str) -> Result<Option<T>> {
        Ok(self.loader.file.metadata().get(key)?)
    }

    /// One value a layer: an array, or a number that holds for all of them.
    pub(crate) fn per_layer<T>(&self, key: &str, n_layer: usize) -> Result<Option<Vec<T>>>
    where
        T: FromValue<'a> + Clone,
        Vec<T>: FromValue<'a>,
    {
        if let Ok(Some(value)) = self.get::<T>(key) {
            return Ok(Some(vec![value; n_layer]));
        }
        let Some(values) = self.get::<Vec<T>>(key)? else {
            return Ok(None);
        };
        if values.len() != n_layer {
            let found = format!("an array of {}", values.len());
            return Err(Error::value(&self.full_key(key), found, format!("but there are {n_layer} layers")));
        }
        Ok(Some(values))
    }

    /// The same of flags, as booleans or as numbers.
    pub(crate) fn flags_per_layer(&self, key: &str, n_layer: usize) -> Result<Option<Vec<bool>>> {
        match self.per_layer::<bool>(key, n_layer) {
            Ok(flags) => Ok(flags),
            Err(_) => {
                let flags = self.per_layer::<u32>(key, n_layer)?;
                Ok(flags.map(|flags| flags.into_iter().map(|n| n != 0).collect()))
            }
        }
    }

    /// An array of flags, as booleans or as numbers.
    pub(crate) fn flags(&self, key: &str) -> Result<Option<Vec<bool>>> {
        match self.get::<Vec<bool>>(key) {
            Ok(flags) => Ok(flags),
            Err(_) => Ok(self.get::<Vec<u32>>(key)?.map(|flags| flags.into_iter().map(|n| n != 0).collect())),
        }
    }

    /// A required size: positive, and small enough for an extent.
    pub(crate) fn extent_of(&self, key: &str) -> Result<usize> {
        Error::check_extent(&self.full_key(key), self.require(key)?)
    }

    /// An optional size; 0 counts as absent.
    pub(crate) fn extent_opt(&self, key: &str) -> Result<Option<usize>> {
        match self.get(key)? {
            None | Some(0) => Ok(None),
            Some(n) => Error::check_extent(&self.full_key(key), n).map(Some),
        }
    }
}

fn dtype(name: &str, id: u32, used_as: Use) -> Result<DType> {
    let error = |found: String, used_as| Error::Type { name: name.to_owned(), found, used_as };
    let dtype = DType::from_id(id).ok_or_else(|| error(format!("number {id}"), "read by this version"))?;
    let plain = matches!(dtype, DType::F32 | DType::F16 | DType::BF16);
    match used_as {
        Use::Matrix if !plain && !dtype.is_quantized() => Err(error(dtype.to_string(), "multiplied")),
        Use::Ids if dtype != DType::I32 => Err(error(dtype.to_string(), "used as ids")),
        Use::Ids => Ok(dtype),
        Use::Vector if !plain => Err(error(dtype.to_string(), "used element by element")),
        _ => Ok(dtype),
    }
}
