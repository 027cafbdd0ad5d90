"""What a session of random_walk.py must see, by the rules alone.

The rules are those of doc/context.md and of PostgreSQL's manual, written down a
second time and otherwise: a setting is a value that COMMIT keeps and perhaps one
over it that ends with the transaction; a savepoint is a copy of both.  Nothing
here follows the extension's code, so that the two do not share a mistake.
"""

from collections import namedtuple

LOGIN_PATH = '"$user", public'
LANDLORD_PATH = 'landlord, pg_temp'

# Who may enter which tenant; tenant "nowhere" does not exist.
ACCESS = {'web': {'acme', 'beta'}, 'kiosk': {'beta', 'cove'}}
TENANTS = ('acme', 'beta', 'cove')

# The rows of landlord.event, in the order in which they were inserted.
EVENTS = {
    'acme': ['acme 1', 'acme 2', 'acme 3'],
    'beta': ['beta 1', 'beta 2', 'beta 3', 'beta 4'],
    'cove': ['cove 1', 'cove 2'],
}
# Those of note in each tenant's own schema.
NOTES = {tenant: [tenant + ' note a', tenant + ' note b'] for tenant in TENANTS}

# The name of the level that BEGIN makes.
BLOCK = 'BEGIN'

Binding = namedtuple('Binding', 'connection tenant source user')
NOTHING = Binding('platform', None, None, None)


class Refused(Exception):
    """The server must answer with one of these SQLSTATEs."""

    def __init__(self, *codes):
        super().__init__(*codes)
        self.codes = set(codes)


class Unspecified(Exception):
    """The rules do not say what happens; nothing in the model has changed."""


class Cursor:
    """The rows that a cursor has yet to return."""

    def __init__(self, rows, tenant, user, level):
        self.rows = list(rows)
        self.tenant = tenant
        self.user = user
        self.level = level          # of savepoints, when it was opened
        self.is_failed = False


class Level:
    """A transaction or a savepoint, with the settings as they were before it."""

    def __init__(self, name, session, local):
        self.name = name
        self.session = dict(session)
        self.local = dict(local)


class Model:
    """One connection."""

    def __init__(self, user):
        self.local = {}
        self.levels = []            # of the transaction; none outside of one
        self.is_failed = False
        self.seal = None
        self.cursors = {}
        self.seen = []              # what code blocks report on their way
        self.start_session(user)

    def start_session(self, user):
        self.session = {'context': NOTHING, 'search_path': LOGIN_PATH,
                        'user': user, 'role': 'none'}
        self.prepared = set()

    # --- settings -------------------------------------------------------------

    def get(self, name):
        return self.local.get(name, self.session[name])

    def set(self, name, value, local):
        if local:
            self.local[name] = value
        else:
            self.session[name] = value
            self.local.pop(name, None)

    def binding(self):
        return self.get('context')

    def tenant(self):
        return self.binding().tenant

    def current_user(self):
        return self.get('user') if self.get('role') == 'none' else self.get('role')

    # --- transactions ---------------------------------------------------------

    def in_block(self):
        return bool(self.levels)

    def push(self, name):
        self.levels.append(Level(name, self.session, self.local))

    def undo(self):
        level = self.levels.pop()
        self.session, self.local = level.session, level.local

    def end(self, keep):
        if keep:
            self.local = {}
        else:
            self.session, self.local = self.levels[0].session, self.levels[0].local
        self.levels = []
        self.is_failed = False
        self.seal = None
        self.cursors = {}

    def statement(self, action):
        """Any statement that does not control transactions."""
        if self.is_failed:
            raise Refused('25P02')
        if self.in_block():
            try:
                return action(self)
            except Refused:
                self.is_failed = True
                raise
        self.push(None)
        try:
            result = action(self)
        except Refused:
            self.end(keep=False)
            raise
        except Unspecified:
            self.levels = []
            raise
        self.end(keep=True)
        return result

    def begin(self):
        if self.is_failed:
            raise Refused('25P02')
        if not self.in_block():
            self.push(BLOCK)

    def finish(self, commit, chain=False):
        """COMMIT or ROLLBACK, perhaps AND CHAIN."""
        if not self.in_block():
            if chain:
                raise Refused('25P01')
            return
        self.end(keep=commit and not self.is_failed)
        if chain:
            self.push(BLOCK)

    def savepoint(self, name):
        if not self.in_block():
            raise Refused('25P01')
        if self.is_failed:
            raise Refused('25P02')
        self.push(name)

    def find_savepoint(self, name):
        if not self.in_block():
            raise Refused('25P01')
        for depth in range(len(self.levels) - 1, 0, -1):
            if self.levels[depth].name == name:
                return depth
        self.is_failed = True
        raise Refused('3B001')

    def rollback_to(self, name):
        depth = self.find_savepoint(name)
        while len(self.levels) > depth:
            self.undo()
        self.push(name)
        self.is_failed = False
        self.cursors = {name: cursor for name, cursor in self.cursors.items()
                        if cursor.level <= depth}

    def release(self, name):
        if self.in_block() and self.is_failed:
            raise Refused('25P02')
        depth = self.find_savepoint(name)
        del self.levels[depth:]
        for cursor in self.cursors.values():
            cursor.level = min(cursor.level, depth)

    def block(self, body, handler):
        """A sub-block of PL/pgSQL; handler None has it raise again."""
        self.push(None)
        depth = len(self.levels)
        try:
            for action in body:
                action(self)
        except Refused:
            del self.levels[depth:]
            self.undo()
            if handler is None:
                raise
            for action in handler:
                action(self)
        else:
            self.levels.pop()

    # --- what is bound --------------------------------------------------------

    def refuse_if(self, *codes, **reasons):
        """Where several rules refuse, the server may name any of them."""
        codes = set(codes) | {code[1:] for code, holds in reasons.items() if holds}
        if codes:
            raise Refused(*codes)

    def is_visitor(self):
        """A role that has no privileges."""
        return self.current_user() == 'visitor'

    def is_broken(self):
        """What is bound is not what the transaction is sealed for."""
        return self.seal is not None and self.tenant() != self.seal

    def is_foreign(self):
        """Another session user has bound the tenant."""
        return self.tenant() is not None and self.binding().user != self.get('user')

    def bind(self, tenant, local):
        source = 'transaction' if local else 'session'
        connection = 'tenant' if tenant else 'landlord'
        self.set('context', Binding(connection, tenant, source, self.get('user')), local)

    def use_tenant(self, tenant, local=True, seal=False, through=None):
        """through: what calls; SECURITY DEFINER, or with a path of its own."""
        if self.is_visitor() and through != 'definer':
            raise Refused('42501')
        if tenant not in TENANTS:
            raise Refused('42704')
        self.refuse_if(_42501=tenant not in ACCESS[self.get('user')],
                       _55000=self.seal not in (None, tenant))
        self.bind(tenant, local)
        if not (through == 'path' and local):
            self.set('search_path', 'tenant_%s, landlord, pg_temp' % tenant, local)
        if seal:
            self.seal = tenant
        return [tenant]

    def use_landlord(self, local=True):
        self.refuse_if(_42501=self.is_visitor(), _55000=self.seal)
        self.bind(None, local)
        self.set('search_path', LANDLORD_PATH, local)

    def forget_tenant(self):
        self.refuse_if(_55000=self.seal)
        self.set('context', NOTHING, local=False)
        self.set('search_path', LOGIN_PATH, local=False)

    def reset_context(self):
        self.set('context', NOTHING, local=False)

    def empty_context(self):
        """SET to nothing, unlike RESET, asks the seal."""
        self.refuse_if(_55000=self.seal)
        self.set('context', NOTHING, local=True)

    def reset_all(self):
        self.set('context', NOTHING, local=False)
        self.set('search_path', LOGIN_PATH, local=False)

    def discard_all(self):
        if self.levels[0].name == BLOCK:
            raise Refused('25001')
        self.start_session(self.get('user'))

    def set_role(self, role, local):
        if role == 'deputy':        # nobody is a member
            raise Refused('42501')
        self.set('role', role, local)

    def set_user(self, user, local):
        self.set('user', user, local)
        self.set('role', 'none', local)

    def standing(self):
        """What context() tells; it raises nothing."""
        binding = self.binding()
        return (binding.connection, binding.tenant, binding.source,
                self.get('search_path'), self.current_user(), self.seal is not None)

    # --- what is seen ---------------------------------------------------------

    def current_tenant_id(self):
        self.refuse_if(_55000=self.is_broken(), _42501=self.is_foreign())
        return [self.tenant()]

    def see_tenant(self):
        self.seen.append(self.current_tenant_id()[0] or 'nobody')

    def see_events(self):
        self.seen.append(str(len(self.events())))

    def unbound(self):
        """current_tenant_id() in a function that has publicdigit.context = ''."""
        self.refuse_if(_55000=self.seal)
        return [None]

    def events(self, after=''):
        self.refuse_if(_55000=self.is_broken(),
                       _42501=self.is_foreign() or self.is_visitor())
        return [body for body in EVENTS.get(self.tenant(), []) if body > after]

    def path_tenant(self):
        """The tenant whose table note is found without its schema."""
        schema = self.get('search_path').split(',')[0]
        return schema[len('tenant_'):] if schema.startswith('tenant_') else None

    def missing_note(self):
        """SQLSTATEs for table note by the path; that of a tenant who is not bound is closed."""
        if self.path_tenant() is None:
            return {'42P01'}
        return {'42P01', '42501'} if self.path_tenant() != self.tenant() else set()

    def name_note_of(self, tenant):
        """Naming table note of a tenant's schema is a use of the tenant."""
        self.refuse_if(_55000=self.is_broken(),
                       _42501=self.is_foreign() or tenant != self.tenant())
        return [True]

    def notes_of(self, tenant, after='', codes=()):
        """The rows of a tenant's note, where no other code refuses them."""
        self.refuse_if(*codes, _55000=self.is_broken(),
                       _42501=self.is_foreign() or self.is_visitor() or
                       tenant != self.tenant())
        return [body for body in NOTES[tenant] if body > after]

    def notes(self, after=''):
        """Those of the path's note."""
        if self.path_tenant() is None:
            raise Refused('42P01')
        return self.notes_of(self.path_tenant(), after, self.missing_note())

    def switch_in_query(self, tenant, local):
        """use_tenant() for each row of a query."""
        rows = self.events()
        before = self.tenant()
        for _ in rows:
            self.use_tenant(tenant, local)
        if self.tenant() != before:
            raise Refused('55000')
        return [len(rows)]

    def loop(self, body, leave):
        """A loop of PL/pgSQL over the rows; leave: it ends with the first."""
        rows = self.events()
        before = self.tenant()
        for _ in rows:
            for action in body:
                action(self)
            if leave:
                break
            self.refuse_if(_55000=self.is_broken() or self.tenant() != before)

    # --- prepared statements and cursors --------------------------------------

    def prepare(self, name):
        codes = self.missing_note() if name == 'own' else set()
        self.refuse_if(*codes, _42P05=name in self.prepared)
        self.prepared.add(name)

    def execute(self, name, after=''):
        if name not in self.prepared:
            raise Refused('26000')
        if name == 'who':
            return self.current_tenant_id()
        return self.notes(after) if name == 'own' else self.events(after)

    def deallocate(self, name):
        if name is None:
            self.prepared = set()
        elif name not in self.prepared:
            raise Refused('26000')
        else:
            self.prepared.remove(name)

    def declare(self, name, read, hold=False):
        if self.is_broken() or self.is_foreign():
            raise Unspecified       # refused when it is opened, or when it is read
        rows, codes = [], set()
        try:
            rows = read(self)
        except Refused as refused:
            codes = refused.codes
        self.refuse_if(*codes, _25P01=self.levels[0].name != BLOCK and not hold,
                       _42P03=name in self.cursors, _0A000=hold)
        self.cursors[name] = Cursor(rows, self.tenant(), self.get('user'),
                                    len(self.levels))

    def fetch(self, name, count):
        if name not in self.cursors:
            raise Refused('34000')
        cursor = self.cursors[name]
        if self.get('user') != cursor.user:
            raise Unspecified
        if self.tenant() != cursor.tenant or self.is_broken() or cursor.is_failed:
            cursor.is_failed = True
            raise Refused('55000')
        rows, cursor.rows = cursor.rows[:count], cursor.rows[count:]
        return rows

    def close(self, name):
        if name is None:
            self.cursors = {}
        elif name not in self.cursors:
            raise Refused('34000')
        else:
            del self.cursors[name]
