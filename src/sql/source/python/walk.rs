//! Walks a module once, and notes its scopes, its assignments, its reads and its calls.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{
    Comprehension, ExceptHandler, Expr, ExprContext, ExprLambda, Operator, Parameters, Pattern,
    Stmt, StmtClassDef, StmtFor, StmtFunctionDef, StmtMatch, StmtTry,
};
use ruff_text_size::{Ranged, TextRange};

use super::bind::each_of;
use super::scope::{Binding, Block, BlockKind, CallSite, Module, Read, Scope, Value};

impl<'a> Module<'a> {
    pub(super) fn read(body: &'a [Stmt]) -> Self {
        let mut module = Self::default();
        module.scopes.push(Scope::new(None, false, ""));
        let mut walk = Walk {
            module,
            scope: 0,
            block: None,
            around: None,
            foreign: Vec::new(),
        };
        walk.visit_body(body);
        walk.give_foreign();
        walk.module
    }
}

pub(super) struct Walk<'a> {
    pub(super) module: Module<'a>,
    pub(super) scope: usize,
    pub(super) block: Option<usize>,
    /// The block of the outermost comprehension around, in which `:=` gives a name that outlives it.
    pub(super) around: Option<usize>,
    /// What functions give to names of other scopes, which may come only behind them.
    pub(super) foreign: Vec<(usize, &'a str, Binding<'a>)>,
}

impl<'a> Walk<'a> {
    fn within(&mut self, range: TextRange, kind: BlockKind, visit: impl FnOnce(&mut Self)) {
        let parent = self.block;
        self.module.blocks.push(Block {
            range,
            kind,
            parent,
        });
        self.block = Some(self.module.blocks.len() - 1);
        visit(self);
        self.block = parent;
    }

    fn body(&mut self, body: &'a [Stmt], kind: BlockKind) {
        if let (Some(first), Some(last)) = (body.first(), body.last()) {
            self.within(first.range().cover(last.range()), kind, |walk| {
                walk.visit_body(body);
            });
        }
    }

    fn scope(&mut self, class: bool, name: &'a str, visit: impl FnOnce(&mut Self)) {
        let outer = (self.scope, self.block.take());
        let around = self.around.take();
        self.module
            .scopes
            .push(Scope::new(Some(outer.0), class, name));
        self.scope = self.module.scopes.len() - 1;
        visit(self);
        (self.scope, self.block) = outer;
        self.around = around;
    }

    fn parameters(&mut self, parameters: &'a Parameters) {
        for parameter in parameters {
            self.bind(parameter.name().as_str(), Value::Unknown, parameter.range());
        }
    }

    fn function(&mut self, function: &'a StmtFunctionDef) {
        for decorator in &function.decorator_list {
            self.visit_decorator(decorator);
        }
        self.visit_parameters(&function.parameters);
        self.bind(function.name.as_str(), Value::Unknown, function.range);
        self.scope(false, function.name.as_str(), |walk| {
            walk.parameters(&function.parameters);
            walk.visit_body(&function.body);
        });
    }

    fn class(&mut self, class: &'a StmtClassDef) {
        for decorator in &class.decorator_list {
            self.visit_decorator(decorator);
        }
        if let Some(arguments) = &class.arguments {
            self.visit_arguments(arguments);
        }
        self.bind(class.name.as_str(), Value::Unknown, class.range);
        let bases = class.bases().iter().filter_map(|base| match base {
            Expr::Name(name) => Some(name.id.as_str()),
            Expr::Attribute(name) => Some(name.attr.as_str()),
            _ => None,
        });
        let bases = bases.collect();
        self.scope(true, class.name.as_str(), |walk| {
            walk.module.scopes[walk.scope].bases = bases;
            walk.visit_body(&class.body);
        });
    }

    fn import(&mut self, statement: &'a Stmt) {
        let (from, names) = match statement {
            Stmt::Import(import) => (None, &import.names),
            Stmt::ImportFrom(import) => (Some(import), &import.names),
            _ => return,
        };
        for alias in names {
            let whole = alias.asname.as_ref().unwrap_or(&alias.name).as_str();
            let name = whole.split('.').next().unwrap_or(whole);
            match from {
                Some(import) if name == "*" => self.module.stars.push(import),
                _ => self.bind(name, Value::Imported(from, alias), alias.range),
            }
        }
        self.module.drivers.import(statement);
    }

    /// The names that a comprehension binds, which end with it.
    fn comprehension(&mut self, whole: &'a Expr, generators: &'a [Comprehension]) {
        self.within(whole.range(), BlockKind::Loop, |walk| {
            let around = walk.around;
            walk.around = around.or(walk.block);
            walk.within(whole.range(), BlockKind::Inner, |walk| {
                for generator in generators {
                    let start = TextRange::empty(whole.start());
                    walk.target(&generator.target, each_of(&generator.iter), start);
                }
                visitor::walk_expr(walk, whole);
            });
            walk.around = around;
        });
    }

    /// The names that a pattern binds, as soon as so much of it fits.
    fn capture(&mut self, pattern: &'a Pattern) {
        let (name, range) = match pattern {
            Pattern::MatchAs(found) => (&found.name, found.range),
            Pattern::MatchStar(found) => (&found.name, found.range),
            Pattern::MatchMapping(found) => (&found.rest, found.range),
            _ => return,
        };
        if let Some(name) = name {
            self.bind(name.as_str(), Value::Unknown, range);
        }
    }

    fn match_statement(&mut self, found: &'a StmtMatch) {
        self.visit_expr(&found.subject);
        for case in &found.cases {
            self.within(case.range, BlockKind::Branch, |walk| {
                walk.visit_pattern(&case.pattern);
                if let Some(guard) = &case.guard {
                    walk.visit_expr(guard);
                }
                walk.visit_body(&case.body);
            });
        }
    }
}

impl<'a> Visitor<'a> for Walk<'a> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::FunctionDef(function) => self.function(function),
            Stmt::ClassDef(class) => self.class(class),
            Stmt::Import(_) | Stmt::ImportFrom(_) => self.import(statement),
            Stmt::Global(global) => {
                let names = global.names.iter().map(ruff_python_ast::Identifier::as_str);
                self.module.scopes[self.scope].foreign.extend(names.clone());
                self.module.scopes[self.scope].globals.extend(names);
            }
            Stmt::Nonlocal(nonlocal) => {
                let names = nonlocal
                    .names
                    .iter()
                    .map(ruff_python_ast::Identifier::as_str);
                self.module.scopes[self.scope].foreign.extend(names);
            }
            Stmt::Assign(assign) => {
                visitor::walk_stmt(self, statement);
                self.chain_targets(assign);
                for target in &assign.targets {
                    self.target(target, Value::Is(&assign.value), assign.range);
                }
            }
            Stmt::AnnAssign(assign) => {
                visitor::walk_stmt(self, statement);
                if let Some(value) = &assign.value {
                    self.target(&assign.target, Value::Is(value), assign.range);
                }
            }
            Stmt::AugAssign(assign) => {
                visitor::walk_stmt(self, statement);
                let value = match assign.op {
                    Operator::Add => Value::Appends(&assign.value),
                    _ => Value::Unknown,
                };
                self.target(&assign.target, value, assign.range);
            }
            Stmt::Delete(delete) => {
                for target in &delete.targets {
                    self.target(target, Value::Unknown, delete.range);
                }
            }
            _ => self.compound(statement),
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) if name.ctx == ExprContext::Load => {
                self.module.loads.push((expr, self.scope));
                self.module.reads.push(Read {
                    name: name.id.as_str(),
                    range: name.range,
                    scope: self.scope,
                });
            }
            Expr::Attribute(attribute) => {
                if attribute.ctx == ExprContext::Load {
                    self.module.loads.push((expr, self.scope));
                    self.module
                        .attributes
                        .push((attribute.attr.as_str(), attribute.range));
                }
                self.visit_expr(&attribute.value);
            }
            Expr::Named(named) => {
                self.visit_expr(&named.value);
                let block = self.block;
                self.block = self.around.or(block);
                self.target(&named.target, Value::Is(&named.value), named.range);
                self.block = block;
            }
            Expr::Call(call) => {
                let scope = self.scope;
                self.module.calls.push(CallSite { call, scope });
                visitor::walk_expr(self, expr);
            }
            Expr::ListComp(found) => self.comprehension(expr, &found.generators),
            Expr::SetComp(found) => self.comprehension(expr, &found.generators),
            Expr::DictComp(found) => self.comprehension(expr, &found.generators),
            Expr::Generator(found) => self.comprehension(expr, &found.generators),
            Expr::Lambda(lambda) => self.lambda(expr, lambda),
            Expr::StringLiteral(_) | Expr::BytesLiteral(_) | Expr::NumberLiteral(_) => {}
            // A chain of operators is as deep as it is long.
            Expr::BinOp(_) => self.chain(expr),
            _ => visitor::walk_expr(self, expr),
        }
    }

    fn visit_annotation(&mut self, _: &'a Expr) {}

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        self.capture(pattern);
        visitor::walk_pattern(self, pattern);
    }
}

impl<'a> Walk<'a> {
    fn lambda(&mut self, expr: &'a Expr, lambda: &'a ExprLambda) {
        self.within(lambda.range, BlockKind::Inner, |walk| {
            let around = walk.around.take();
            let start = TextRange::empty(lambda.range.start());
            for parameter in lambda.parameters.iter().flatten() {
                walk.bind(parameter.name().as_str(), Value::Unknown, start);
            }
            visitor::walk_expr(walk, expr);
            walk.around = around;
        });
    }

    fn chain(&mut self, expr: &'a Expr) {
        let mut rights = Vec::new();
        let mut left = expr;
        while let Expr::BinOp(operation) = left {
            rights.push(&*operation.right);
            left = &operation.left;
            if operation.op == Operator::Mod {
                self.module.filled.push(left.range());
            }
        }
        self.visit_expr(left);
        for right in rights.into_iter().rev() {
            self.visit_expr(right);
        }
    }

    fn compound(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::For(found) => self.for_loop(found),
            Stmt::While(found) => {
                self.within(found.range, BlockKind::Loop, |walk| {
                    walk.visit_expr(&found.test);
                    walk.visit_body(&found.body);
                });
                self.body(&found.orelse, BlockKind::Branch);
            }
            Stmt::If(found) => {
                self.visit_expr(&found.test);
                self.body(&found.body, BlockKind::Branch);
                for clause in &found.elif_else_clauses {
                    if let Some(test) = &clause.test {
                        self.visit_expr(test);
                    }
                    self.body(&clause.body, BlockKind::Branch);
                }
            }
            Stmt::Try(found) => self.try_block(found),
            Stmt::With(found) => {
                for item in &found.items {
                    self.visit_expr(&item.context_expr);
                    if let Some(target) = &item.optional_vars {
                        self.target(target, Value::Unknown, item.range);
                    }
                }
                self.visit_body(&found.body);
            }
            Stmt::Match(found) => self.match_statement(found),
            _ => visitor::walk_stmt(self, statement),
        }
    }

    fn for_loop(&mut self, found: &'a StmtFor) {
        self.visit_expr(&found.iter);
        self.within(found.range, BlockKind::Loop, |walk| {
            let start = TextRange::empty(found.target.end());
            walk.target(&found.target, each_of(&found.iter), start);
            walk.visit_body(&found.body);
        });
        self.body(&found.orelse, BlockKind::Branch);
    }

    fn try_block(&mut self, found: &'a StmtTry) {
        self.body(&found.body, BlockKind::Branch);
        for ExceptHandler::ExceptHandler(handler) in &found.handlers {
            if let Some(name) = &handler.name {
                let start = TextRange::empty(handler.range.start());
                self.bind(name.as_str(), Value::Unknown, start);
            }
            self.body(&handler.body, BlockKind::Branch);
        }
        self.body(&found.orelse, BlockKind::Branch);
        self.visit_body(&found.finalbody);
    }
}
