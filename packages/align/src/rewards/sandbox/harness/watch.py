# Measures, while tests run, whether they check the program. Their code is instrumented so that each
# assertion reports when it was evaluated. Which expressions depend on the program follows from the
# names in the code (a superset) and from the questions to the program during their evaluation.
import ast
import builtins
import re

_ASSERTS = re.compile(r'_*assert|raises$|_*expect|fail_?(if|unless)')
_CATCHES = {'assertRaises', 'assertRaisesRegex', 'raises', 'suppress'}
_BUILTINS = set(dir(builtins))
_OWN = '__watch__'


class Watch:
    def __init__(self):
        # Questions to the program.
        self.asked = 0
        # Assertions on a value of the program that were evaluated where nothing catches their
        # exception.
        self.checks = 0
        # The same, with those that something may catch, and branches and calls that depend on the
        # program. They do not show that a test checks something, only that it had something to
        # check.
        self.hints = 0
        # Active blocks whose exceptions something may catch.
        self.guards = 0

    def counts(self):
        return self.checks, self.hints

    def restore(self, counts):
        self.checks, self.hints = counts

    def start(self):
        self.asked = self.checks = self.hints = self.guards = 0

    def mark(self):
        return self.asked

    def judged(self, mark, value, related):
        """Called after the evaluation of an assertion's condition, or of a call of an assertion."""
        if related or self.asked > mark:
            self.hints += 1
            if self.guards == 0:
                self.checks += 1
        elif mark > 0:
            # A value of the program may have arrived here unseen, for example through a file.
            self.hints += 1
        return value

    def hint(self, value):
        self.hints += 1
        return value

    def hint_call(self, function):
        # Functions and methods of Python's own types convert and count; others may check.
        if getattr(function, '__module__', None) not in ('builtins', None):
            self.hints += 1
        return function

    def handled(self):
        self.hints += 1

    def block(self, raises):
        """Surrounds code whose exceptions something may catch; `raises`: one is expected."""
        return _Block(self, raises)

    @staticmethod
    def catches(kind):
        """The classes of an except clause, with what represents them if the program raised them."""
        kinds = kind if isinstance(kind, tuple) else (kind,)
        standing = [
            ours for theirs, ours in CONTROL_FLOW.items() if any(theirs is one for one in kinds)
        ]
        if not standing and not any(type(one) is Remote for one in kinds):
            return kind
        return (
            *(own_exception(number_of(one)) if type(one) is Remote else one for one in kinds),
            *standing,
        )


class _Block:
    def __init__(self, watch, raises):
        self._watch = watch
        self._raises = raises
        self._mark = watch.asked

    def __enter__(self):
        self._watch.guards += 1

    def __exit__(self, kind, error, trace):
        self._watch.guards -= 1
        if self._raises and error is None:
            self._watch.judged(self._mark, None, False)
        return False


def related_names(trees, program):
    """The names of variables and attributes in the tests that may hold a value of the program."""
    related = {*program}
    flows = []
    functions = {}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                flows.append((_mentions(node), {node.name}))
                if not isinstance(node, ast.ClassDef):
                    functions.setdefault(node.name, set()).update(_parameters(node))
                    if node.name == 'check':
                        related |= _parameters(node)
            elif isinstance(node, ast.Assign):
                flows.append((_mentions(node.value), set().union(*map(_targets, node.targets))))
            elif isinstance(node, (ast.AnnAssign, ast.AugAssign, ast.NamedExpr)) and node.value:
                flows.append((_mentions(node.value), _targets(node.target)))
            elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
                flows.append((_mentions(node.iter), _targets(node.target)))
            elif isinstance(node, ast.withitem) and node.optional_vars:
                flows.append((_mentions(node.context_expr), _targets(node.optional_vars)))
    for tree in trees:
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
            given = set().union(*map(_mentions, arguments)) if arguments else set()
            called = _called(node)
            flows.append((given, functions.get(called, set())))
            if isinstance(node.func, ast.Attribute):
                # results.append(double(2))
                flows.append((given, _targets(node.func.value)))
            # sort(values), walk(tree, seen.append)
            flows.append((_mentions(node.func), given - _BUILTINS))
    size = -1
    while size != len(related):
        size = len(related)
        for sources, targets in flows:
            if not targets <= related and not related.isdisjoint(sources):
                related |= targets
    return related


def _mentions(node):
    names = set()
    for one in ast.walk(node):
        if isinstance(one, ast.Name):
            names.add(one.id)
        elif isinstance(one, ast.Attribute):
            names.add(one.attr)
    return names


def _targets(node):
    """The names that an assignment to a node changes."""
    if isinstance(node, ast.Name):
        return {node.id} - {'self', 'cls'}
    if isinstance(node, ast.Attribute):
        return {node.attr}
    if isinstance(node, (ast.Subscript, ast.Starred)):
        return _targets(node.value)
    if isinstance(node, (ast.Tuple, ast.List)):
        return set().union(*map(_targets, node.elts)) if node.elts else set()
    return set()


def _parameters(node):
    arguments = node.args
    named = [*getattr(arguments, 'posonlyargs', []), *arguments.args, *arguments.kwonlyargs]
    rest = [one for one in (arguments.vararg, arguments.kwarg) if one]
    return {one.arg for one in [*named, *rest]} - {'self', 'cls'}


def _called(node):
    function = node.func
    return function.id if isinstance(function, ast.Name) else getattr(function, 'attr', '')


class Instrument(ast.NodeTransformer):
    """Changes code so that it reports to __watch__ what it evaluates."""

    def __init__(self, related, defined):
        self._related = related
        self._defined = defined

    def _depends(self, node):
        return not self._related.isdisjoint(_mentions(node))

    @staticmethod
    def _tell(method, *arguments):
        watch = ast.Attribute(ast.Name(_OWN, ast.Load()), method, ast.Load())
        return ast.Call(watch, list(arguments), [])

    def _judged(self, value, related):
        return self._tell('judged', self._tell('mark'), value, ast.Constant(related))

    def visit_Assert(self, node):
        related = self._depends(node.test)
        always = isinstance(node.test, ast.Constant) or (
            isinstance(node.test, ast.Tuple) and node.test.elts
        )
        self.generic_visit(node)
        # assert (x, 'message') passes whatever x is.
        if not always:
            node.test = self._judged(node.test, related)
        return node

    def visit_Call(self, node):
        name = _called(node)
        arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
        related = any(map(self._depends, arguments))
        always = (
            node.args
            and isinstance(node.args[0], ast.Tuple)
            and node.args[0].elts
            and 'rue' in name
        )
        self.generic_visit(node)
        if name in _CATCHES and node.args:
            node.args[0] = self._tell('catches', node.args[0])
        if name in self._defined or hasattr(builtins, name) or name in self._related:
            return node
        if _ASSERTS.match(name) and not always:
            return self._judged(node, related)
        if related:
            node.func = self._tell('hint_call', node.func)
        return node

    def _branch(self, node):
        related = self._depends(node.test)
        self.generic_visit(node)
        if related:
            node.test = self._tell('hint', node.test)
        return node

    def visit_Match(self, node):
        related = self._depends(node.subject)
        self.generic_visit(node)
        if related:
            node.subject = self._tell('hint', node.subject)
        return node

    visit_If = visit_While = visit_IfExp = _branch

    def visit_With(self, node):
        calls = [
            item.context_expr for item in node.items if isinstance(item.context_expr, ast.Call)
        ]
        raises = any(_ASSERTS.match(_called(call)) for call in calls)
        items = []
        for item in node.items:
            # The call alone checks nothing yet.
            if isinstance(item.context_expr, ast.Call):
                call = self.generic_visit(item.context_expr)
                if _called(call) in _CATCHES and call.args:
                    call.args[0] = self._tell('catches', call.args[0])
            else:
                item = self.generic_visit(item)
            items.append(item)
        node.body = [self.visit(one) for one in node.body]
        if raises or any(_called(call) != 'subTest' for call in calls) or len(calls) < len(items):
            items.insert(0, self._block(raises))
        node.items = items
        return node

    def _block(self, raises):
        return ast.withitem(self._tell('block', ast.Constant(raises)), None)

    def visit_Try(self, node):
        self.generic_visit(node)
        node.body = [ast.With([self._block(False)], node.body)]
        return node

    visit_TryStar = visit_Try

    def visit_ExceptHandler(self, node):
        self.generic_visit(node)
        if node.type is not None:
            node.type = self._tell('catches', node.type)
        node.body.insert(0, ast.Expr(self._tell('handled')))
        return node


def instrumented(tree, name, related, defined):
    """Compiles code of tests so that it reports to __watch__ what it evaluates."""
    changed = Instrument(related, defined).visit(tree)
    return compile(ast.fix_missing_locations(changed), name, 'exec', dont_inherit=True)


def defined_functions(trees):
    nodes = [node for tree in trees for node in ast.walk(tree)]
    return {
        node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }


def bound_names(trees):
    """The names that code defines itself."""
    names = set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {(one.asname or one.name).split('.')[0] for one in node.names}
    return names
