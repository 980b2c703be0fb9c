//! One source file, and what it mentions.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// One Rust file.
pub(super) struct Source {
    /// Its path, from the root of the repository.
    pub(super) name: String,
    /// How many lines it has.
    pub(super) lines: usize,
    /// Its module, as a path from `crate`.
    pub(super) module: String,
    /// Every path that stands in it, resolved.
    pub(super) mentions: Vec<Mention>,
    /// Every word that stands in it, comments left out.
    pub(super) words: Vec<Word>,
    /// Modules in other files that it declares for tests only.
    pub(super) test_modules: BTreeSet<String>,
    pub(super) syntax: syn::File,
}

/// A path of two or more segments, or an import.
pub(super) struct Mention {
    /// From `crate` for kinset's own, else from the name of a library. An import of everything ends in `*`.
    pub(super) path: String,
    pub(super) line: usize,
    pub(super) purpose: Purpose,
}

/// What code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Production,
    Tests,
}

/// An identifier or keyword.
pub(super) struct Word {
    pub(super) text: String,
    pub(super) line: usize,
    pub(super) place: Place,
}

/// Where a word stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Code,
    /// In code, before a `!`.
    MacroName,
    /// Within `#[…]`.
    Attribute,
}

impl Source {
    /// Reads a file from its text.
    pub(super) fn parse(name: &str, text: &str) -> Self {
        let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{name} is no Rust: {error}"));
        let syntax: syn::File = syn::parse2(tokens.clone()).unwrap_or_else(|error| panic!("{name} is no Rust: {error}"));
        let module = module_of(name);
        let mut reading = Reading {
            scopes: vec![Scope::new(module.clone(), &syntax.items)],
            purpose: Purpose::Production,
            mentions: Vec::new(),
            test_modules: BTreeSet::new(),
        };
        reading.visit_file(&syntax);
        let Reading {
            mentions, test_modules, ..
        } = reading;
        let mut words = Vec::new();
        collect_words(tokens, Place::Code, &mut words);
        Self {
            name: name.to_owned(),
            lines: text.lines().count(),
            module: module.join("::"),
            mentions,
            words,
            test_modules,
            syntax,
        }
    }

    /// The module under the crate's root that this belongs to; `None` for the root itself.
    pub(super) fn house_module(&self) -> Option<&str> {
        self.module.split("::").nth(1)
    }
}

/// The module that a file is, by the custom of `mod.rs`.
fn module_of(name: &str) -> Vec<String> {
    let path = name.strip_prefix("src/").unwrap_or(name);
    let path = path.strip_suffix(".rs").unwrap_or(path);
    let segments = path.split('/').filter(|segment| !matches!(*segment, "lib" | "mod"));
    std::iter::once("crate").chain(segments).map(str::to_owned).collect()
}

/// The names that mean something in a module.
struct Scope {
    module: Vec<String>,
    names: BTreeMap<String, Vec<String>>,
}

impl Scope {
    fn new(module: Vec<String>, items: &[syn::Item]) -> Self {
        let mut declared = Declared::default();
        items.iter().for_each(|item| declared.visit_item(item));
        let modules = declared.modules.into_iter().map(|name| {
            let path = module.iter().chain([&name]).cloned().collect();
            (name, path)
        });
        let names = modules.chain(declared.imports).collect();
        Self { module, names }
    }

    fn resolve(&self, path: &[String]) -> Vec<String> {
        let mut path = path.to_vec();
        // Imports may build on imports, but not for ever.
        for _ in 0..8 {
            let Some(meaning) = self.names.get(&path[0]) else { break };
            if path.starts_with(meaning) {
                break;
            }
            path.splice(..1, meaning.iter().cloned());
        }
        let mut base: Vec<String> = Vec::new();
        let mut rest = &path[..];
        while let [first, others @ ..] = rest {
            match first.as_str() {
                "crate" | "kinset" => base = vec!["crate".to_owned()],
                "core" | "alloc" => base = vec!["std".to_owned()],
                "self" if base.is_empty() => base.clone_from(&self.module),
                "super" if base.is_empty() => base = self.module[..self.module.len() - 1].to_vec(),
                "super" => base.truncate(base.len() - 1),
                _ => break,
            }
            rest = others;
        }
        base.extend_from_slice(rest);
        base
    }
}

/// What a module declares by `mod` and `use`, in its functions too, but not in the modules inside it.
#[derive(Default)]
struct Declared {
    modules: Vec<String>,
    imports: Vec<(String, Vec<String>)>,
}

impl<'ast> Visit<'ast> for Declared {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.modules.push(item.ident.to_string());
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let leaves = leaves(item).into_iter();
        self.imports.extend(leaves.filter_map(|leaf| Some((leaf.name?, leaf.path))));
    }
}

/// One thing that a `use` brings in.
struct Leaf {
    path: Vec<String>,
    /// What it is called here; `None` for everything there is.
    name: Option<String>,
    line: usize,
}

fn leaves(item: &syn::ItemUse) -> Vec<Leaf> {
    let mut found = Vec::new();
    collect_leaves(&item.tree, &[], &mut found);
    found
}

fn collect_leaves(tree: &syn::UseTree, prefix: &[String], found: &mut Vec<Leaf>) {
    let mut leaf = |ident: &syn::Ident, name: &syn::Ident| {
        // `a::{self}` means `a`.
        let ending = Some(ident.to_string()).filter(|word| word != "self" || prefix.is_empty());
        let path: Vec<String> = prefix.iter().cloned().chain(ending).collect();
        let name = if name == "self" {
            path.last().cloned()
        } else {
            Some(name.to_string())
        };
        let line = ident.span().start().line;
        found.push(Leaf { path, name, line });
    };
    match tree {
        syn::UseTree::Name(tree) => leaf(&tree.ident, &tree.ident),
        syn::UseTree::Rename(tree) => leaf(&tree.ident, &tree.rename),
        syn::UseTree::Glob(tree) => found.push(Leaf {
            path: prefix.iter().cloned().chain(["*".to_owned()]).collect(),
            name: None,
            line: tree.star_token.spans[0].start().line,
        }),
        syn::UseTree::Path(tree) => {
            let prefix: Vec<String> = prefix.iter().cloned().chain([tree.ident.to_string()]).collect();
            collect_leaves(&tree.tree, &prefix, found);
        }
        syn::UseTree::Group(tree) => tree.items.iter().for_each(|tree| collect_leaves(tree, prefix, found)),
    }
}

/// Collects mentions while it walks through a file.
struct Reading {
    scopes: Vec<Scope>,
    purpose: Purpose,
    mentions: Vec<Mention>,
    test_modules: BTreeSet<String>,
}

impl Reading {
    fn mention(&mut self, path: &[String], line: usize) {
        if let Some(scope) = self.scopes.last() {
            self.mentions.push(Mention {
                path: scope.resolve(path).join("::"),
                line,
                purpose: self.purpose,
            });
        }
    }

    /// Walks through something that may be there for tests only.
    fn within(&mut self, attributes: &[syn::Attribute], walk: impl FnOnce(&mut Self)) {
        let before = self.purpose;
        if attributes.iter().any(is_cfg_test) {
            self.purpose = Purpose::Tests;
        }
        walk(self);
        self.purpose = before;
    }

    /// Finds the paths in what a macro or an attribute is given.
    fn read_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut line = 0;
        let mut colons = 0;
        for token in tokens {
            match &token {
                TokenTree::Punct(punct) if punct.as_char() == ':' => {
                    colons += 1;
                    continue;
                }
                TokenTree::Ident(ident) if colons == 2 && !path.is_empty() => path.push(ident.to_string()),
                _ => {
                    if matches!(&token, TokenTree::Group(_)) && colons == 2 && !path.is_empty() {
                        path.push("*".to_owned());
                    }
                    self.end_path(&mut path, line);
                    match &token {
                        TokenTree::Ident(ident) => path.push(ident.to_string()),
                        TokenTree::Group(group) => self.read_tokens(group.stream()),
                        TokenTree::Literal(literal) => self.read_quoted_path(&literal.to_string(), token.span().start().line),
                        TokenTree::Punct(_) => {}
                    }
                    line = token.span().start().line;
                }
            }
            colons = 0;
        }
        self.end_path(&mut path, line);
    }

    fn end_path(&mut self, path: &mut Vec<String>, line: usize) {
        if path.len() >= 2 {
            self.mention(path, line);
        }
        path.clear();
    }

    /// `#[serde(with = "crate::here")]` names a path too.
    fn read_quoted_path(&mut self, literal: &str, line: usize) {
        let path: Vec<String> = literal.trim_matches('"').split("::").map(str::to_owned).collect();
        if path.len() >= 2 && path.iter().all(|segment| syn::parse_str::<syn::PathSegment>(segment).is_ok()) {
            self.mention(&path, line);
        }
    }
}

impl<'ast> Visit<'ast> for Reading {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let outer = self.scopes.last().map(|scope| scope.module.clone()).unwrap_or_default();
        let module: Vec<String> = outer.into_iter().chain([item.ident.to_string()]).collect();
        self.within(&item.attrs, |reading| match &item.content {
            Some((_, items)) => {
                reading.scopes.push(Scope::new(module, items));
                visit::visit_item_mod(reading, item);
                reading.scopes.pop();
            }
            None if reading.purpose == Purpose::Tests => {
                reading.test_modules.insert(module.join("::"));
            }
            None => {}
        });
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.within(&item.attrs, |reading| {
            for Leaf { path, line, .. } in leaves(item) {
                reading.mention(&path, line);
            }
        });
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.within(&item.attrs, |reading| visit::visit_item_fn(reading, item));
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.within(&item.attrs, |reading| visit::visit_item_impl(reading, item));
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.within(&item.attrs, |reading| visit::visit_impl_item_fn(reading, item));
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if segments.len() >= 2 {
            self.mention(&segments, path.segments[0].ident.span().start().line);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.read_tokens(item.tokens.clone());
        visit::visit_macro(self, item);
    }

    fn visit_meta_list(&mut self, list: &'ast syn::MetaList) {
        self.read_tokens(list.tokens.clone());
        visit::visit_meta_list(self, list);
    }
}

fn is_cfg_test(attribute: &syn::Attribute) -> bool {
    attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Ident>().is_ok_and(|condition| condition == "test")
}

fn collect_words(tokens: TokenStream, place: Place, words: &mut Vec<Word>) {
    let mut tokens = tokens.into_iter().peekable();
    let mut after_hash = false;
    while let Some(token) = tokens.next() {
        let is_punct = |token: &TokenTree, wanted: char| matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted);
        match &token {
            TokenTree::Ident(ident) => {
                let is_macro = place == Place::Code && tokens.peek().is_some_and(|next| is_punct(next, '!'));
                words.push(Word {
                    text: ident.to_string(),
                    line: ident.span().start().line,
                    place: if is_macro { Place::MacroName } else { place },
                });
            }
            TokenTree::Group(group) => {
                let is_attribute = after_hash && group.delimiter() == Delimiter::Bracket;
                let inside = if is_attribute { Place::Attribute } else { place };
                collect_words(group.stream(), inside, words);
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
        // `#[…]` and `#![…]`.
        after_hash = is_punct(&token, '#') || (after_hash && is_punct(&token, '!'));
    }
}
