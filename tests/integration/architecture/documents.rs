//! What the documents say of the sources.

use std::collections::BTreeSet;
use std::path::Path;

use syn::visit::{self, Visit};

use super::source::Source;

/// Something in backquotes, outside blocks of code.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Quoted<'a> {
    pub(super) text: &'a str,
    pub(super) line: usize,
}

/// Everything in backquotes in a text in Markdown.
pub(super) fn quoted(markdown: &str) -> Vec<Quoted<'_>> {
    let mut found = Vec::new();
    let mut in_block = false;
    for (line, text) in (1..).zip(markdown.lines()) {
        if text.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if !in_block {
            found.extend(text.split('`').skip(1).step_by(2).map(|text| Quoted { text, line }));
        }
    }
    found
}

/// Paths in a document that lead nowhere: those in backquotes that begin at a folder of `root`, and links to files.
pub(super) fn dead_paths(document: &str, markdown: &str, root: &Path) -> Vec<String> {
    let folder = root.join(document).parent().unwrap_or(root).to_owned();
    let is_path = |text: &str| {
        ["src/", "tests/", "benches/", "docs/", "config/", "systemd/", ".ci/"]
            .iter()
            .any(|folder| text.starts_with(folder))
    };
    let quoted = quoted(markdown)
        .into_iter()
        .filter(|quoted| is_path(quoted.text) && !root.join(quoted.text).exists())
        .map(|Quoted { text, line }| format!("{document}:{line}: there is no {text}"));
    let links = (1..).zip(markdown.lines()).flat_map(|(line, text)| {
        let targets = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split_once(')'))
            .map(|(target, _)| target);
        targets.map(move |target| (line, target))
    });
    let dead = links
        .filter(|(_, target)| !target.contains("://") && !target.starts_with('#'))
        .filter(|(_, target)| !folder.join(target.split('#').next().unwrap_or(target)).exists())
        .map(|(line, target)| format!("{document}:{line}: the link to {target} is dead"));
    quoted.chain(dead).collect()
}

/// Names in a document that nothing in the sources has: `Type`, `Type::method`, `module::item` and `function()`.
pub(super) fn unknown_names(document: &str, markdown: &str, names: &Names) -> Vec<String> {
    let is_unknown = |text: &str| {
        let name = text.strip_suffix("()").unwrap_or(text);
        let segments: Vec<&str> = name.split("::").collect();
        let is_ident = |segment: &&str| syn::parse_str::<syn::Ident>(segment).is_ok();
        let is_type = |segment: &str| segment.starts_with(char::is_uppercase) && segment.contains(char::is_lowercase);
        match segments[..] {
            _ if !segments.iter().all(is_ident) => false,
            [single] => (name != text || is_type(single)) && !names.single.contains(single),
            _ => !segments
                .windows(2)
                .all(|pair| names.within.contains(&(pair[0].to_owned(), pair[1].to_owned()))),
        }
    };
    quoted(markdown)
        .into_iter()
        .filter(|quoted| is_unknown(quoted.text))
        .map(|Quoted { text, line }| format!("{document}:{line}: nothing in the sources is called {text}"))
        .collect()
}

/// Everything in the sources that has a name.
#[derive(Default)]
pub(super) struct Names {
    single: BTreeSet<String>,
    /// Members with what they are members of: a type, a trait or a module.
    within: BTreeSet<(String, String)>,
    modules: Vec<String>,
}

impl Names {
    pub(super) fn of(sources: &[Source]) -> Self {
        let mut names = Self::default();
        for source in sources {
            let module = source.module.rsplit("::").next().unwrap_or_default();
            names.modules = vec![module.to_owned()];
            names.visit_file(&source.syntax);
        }
        names
    }

    fn member(&mut self, owner: &str, member: &syn::Ident) {
        self.within.insert((owner.to_owned(), member.to_string()));
        self.single.insert(member.to_string());
    }

    fn item(&mut self, name: &syn::Ident) {
        if let Some(module) = self.modules.last().cloned() {
            self.member(&module, name);
        }
    }
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.item(&item.ident);
        self.modules.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.modules.pop();
    }

    fn visit_use_name(&mut self, item: &'ast syn::UseName) {
        self.item(&item.ident);
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.item(&item.ident);
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        self.item(&item.ident);
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.item(&item.sig.ident);
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.item(&item.ident);
        let owner = item.ident.to_string();
        for field in item.fields.iter().filter_map(|field| field.ident.as_ref()) {
            self.member(&owner, field);
        }
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.item(&item.ident);
        let owner = item.ident.to_string();
        for variant in &item.variants {
            self.member(&owner, &variant.ident);
        }
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.item(&item.ident);
        let owner = item.ident.to_string();
        for member in &item.items {
            if let syn::TraitItem::Fn(function) = member {
                self.member(&owner, &function.sig.ident);
            }
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let syn::Type::Path(owner) = &*item.self_ty else { return };
        let Some(owner) = owner.path.segments.last().map(|segment| segment.ident.to_string()) else {
            return;
        };
        for member in &item.items {
            match member {
                syn::ImplItem::Fn(function) => self.member(&owner, &function.sig.ident),
                syn::ImplItem::Const(constant) => self.member(&owner, &constant.ident),
                _ => {}
            }
        }
    }
}

/// The map in the docs of the crate: each module with what it says that the module may use.
pub(super) fn map_of_the_house(lib: &syn::File) -> Vec<(String, String)> {
    let docs = lib.attrs.iter().filter(|attribute| attribute.path().is_ident("doc"));
    let lines = docs.filter_map(|attribute| match &attribute.meta {
        syn::Meta::NameValue(syn::MetaNameValue {
            value: syn::Expr::Lit(syn::ExprLit {
                lit: syn::Lit::Str(text), ..
            }),
            ..
        }) => Some(text.value()),
        _ => None,
    });
    lines
        .filter_map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let [_, module, _, may_use, _] = cells[..] else { return None };
            let module = module.strip_prefix("[`")?.strip_suffix("`]")?;
            Some((module.to_owned(), may_use.to_owned()))
        })
        .collect()
}
