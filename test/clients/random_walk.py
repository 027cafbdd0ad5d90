"""Random sequences of statements, compared with the model in model.py.

Each sequence switches tenants, uses savepoints, cursors, prepared statements,
SET ROLE, DISCARD and exception blocks as it comes, with refused statements among
them.  After each statement the bound tenant, the visible rows and where the
session stands must be what the model says, and so must results and SQLSTATEs.
Some sequences share a connection, so that what one leaves behind meets the next.

Runs against a database that random_walk.sql has filled, which the usual PG*
variables name, by a superuser:

    createdb walk && psql -d walk -f random_walk.sql
    PGDATABASE=walk /usr/bin/python3 random_walk.py --seed 1

What differs from the model is printed as a script for psql, with the command
that runs that sequence again.  The last line is a summary in JSON.
"""

import argparse
import json
import random
import re
import sys
import time
from collections import Counter, namedtuple

import psycopg2

from model import ACCESS, Model, Refused, TENANTS, Unspecified

SEQUENCES_PER_CONNECTION = 20
MOST_MISMATCHES = 5                 # after which the walk ends
LOGINS = ('web', 'kiosk', None)     # None: a superuser, who becomes web
RECOVERY_SECONDS = 30               # what a server that has crashed gets to come back

# A statement, and what the model does with it.
Step = namedtuple('Step', 'kind sql apply')
# A statement inside a code block.
Action = namedtuple('Action', 'sql apply')
# What came, or must come: rows (None: whatever), SQLSTATEs, notices.
Outcome = namedtuple('Outcome', 'rows codes seen')


def statement(kind, sql, action):
    """A step that is an ordinary statement."""
    return Step(kind, sql, lambda model: model.statement(action))


class Generator:
    """Draws steps.  It looks at the model only to draw more of what is of use."""

    def __init__(self, rng, model, may_set_user):
        self.rng = rng
        self.model = model
        self.may_set_user = may_set_user

    # --- transactions ---------------------------------------------------------

    def begin(self):
        return Step('begin', 'BEGIN', lambda model: model.begin())

    def finish(self, word):
        chain = self.rng.random() < 0.1
        return Step(word, word.upper() + (' AND CHAIN' if chain else ''),
                    lambda model: model.finish(word == 'commit', chain))

    def commit(self):
        return self.finish('commit')

    def rollback(self):
        return self.finish('rollback')

    def savepoint_name(self):
        return self.rng.choice(['s1', 's2', 's3'])

    def savepoint(self):
        name = self.savepoint_name()
        return Step('savepoint', 'SAVEPOINT ' + name, lambda model: model.savepoint(name))

    def existing_savepoint(self):
        names = [level.name for level in self.model.levels[1:]]
        if names and self.rng.random() < 0.95:
            return self.rng.choice(names)
        return self.savepoint_name()

    def rollback_to(self):
        name = self.existing_savepoint()
        return Step('rollback_to', 'ROLLBACK TO ' + name, lambda model: model.rollback_to(name))

    def release(self):
        name = self.existing_savepoint()
        return Step('release', 'RELEASE ' + name, lambda model: model.release(name))

    # --- switches -------------------------------------------------------------

    def tenant(self):
        """Mostly one that may be entered."""
        if self.rng.random() < 0.1:
            return self.rng.choice(TENANTS + ('nowhere',))
        return self.rng.choice(sorted(ACCESS[self.model.get('user')]))

    def flag(self):
        return self.rng.random() < 0.5

    def use_tenant_call(self):
        tenant, local = self.tenant(), self.rng.random() < 0.65
        return Action("publicdigit.use_tenant('%s', local => %s)" % (tenant, local),
                      lambda model: model.use_tenant(tenant, local))

    def seal_call(self):
        tenant, local = self.tenant(), self.rng.random() < 0.65
        return Action("publicdigit.use_tenant('%s', local => %s, seal => true)" % (tenant, local),
                      lambda model: model.use_tenant(tenant, local, seal=True))

    def use_landlord_call(self):
        local = self.flag()
        return Action('publicdigit.use_landlord(local => %s)' % local,
                      lambda model: model.use_landlord(local))

    def forget_call(self):
        return Action('publicdigit.forget_tenant()', lambda model: model.forget_tenant())

    def definer_call(self):
        tenant, local = self.tenant(), self.flag()
        return Action("public.enter_as_deputy('%s', %s)" % (tenant, local),
                      lambda model: model.use_tenant(tenant, local, through='definer'))

    def path_call(self):
        tenant, local = self.tenant(), self.flag()
        return Action("public.enter_with_path('%s', %s)" % (tenant, local),
                      lambda model: model.use_tenant(tenant, local, through='path'))

    def call(self, kind, action):
        return statement(kind, 'SELECT ' + action.sql, action.apply)

    def use_tenant(self):
        return self.call('use_tenant', self.use_tenant_call())

    def seal(self):
        return self.call('seal', self.seal_call())

    def use_landlord(self):
        return self.call('use_landlord', self.use_landlord_call())

    def forget(self):
        return self.call('forget', self.forget_call())

    def function(self):
        return self.call('function', self.rng.choice([
            self.definer_call(), self.path_call(),
            Action('public.unbound()', lambda model: model.unbound()),
            Action('public.own_events()', lambda model: model.events())]))

    def reset(self):
        sql, apply = self.rng.choice([
            ('RESET publicdigit.context', lambda model: model.reset_context()),
            ('SET publicdigit.context TO DEFAULT', lambda model: model.reset_context()),
            ("SET LOCAL publicdigit.context = ''", lambda model: model.empty_context()),
            ('RESET ALL', lambda model: model.reset_all())])
        return statement('reset', sql, apply)

    def discard(self):
        return statement('discard', 'DISCARD ALL', lambda model: model.discard_all())

    def set_path(self):
        path, local = self.rng.choice(['public', 'tenant_beta, landlord']), self.flag()
        return statement('set_path', 'SET %s search_path = %s' % (scope(local), path),
                         lambda model: model.set('search_path', path, local))

    # --- roles ----------------------------------------------------------------

    def set_role(self):
        role = self.rng.choice(['clerk'] * 4 + ['none'] * 4 + ['visitor', 'deputy'])
        local = self.flag()
        return statement('set_role', 'SET %s ROLE %s' % (scope(local), role),
                         lambda model: model.set_role(role, local))

    def set_user(self):
        user, local = self.rng.choice(['web', 'kiosk']), self.flag()
        return statement('set_user', 'SET %s SESSION AUTHORIZATION %s' % (scope(local), user),
                         lambda model: model.set_user(user, local))

    # --- code blocks ----------------------------------------------------------

    def look_action(self):
        if self.rng.random() < 0.3:
            return Action("RAISE NOTICE 'seen %', (SELECT count(*) FROM landlord.event);",
                          lambda model: model.see_events())
        return Action("RAISE NOTICE 'seen %', coalesce(publicdigit.current_tenant(), 'nobody');",
                      lambda model: model.see_tenant())

    def raise_action(self):
        def fail(model):
            raise Refused('22012')
        return Action('RAISE division_by_zero;', fail)

    def action(self):
        calls = [self.use_tenant_call, self.use_tenant_call, self.use_tenant_call,
                 self.use_landlord_call, self.forget_call, self.definer_call, self.seal_call]
        call = self.rng.choice(calls)()
        return Action('PERFORM %s;' % call.sql, call.apply)

    def actions(self, most):
        chosen = []
        for _ in range(self.rng.randint(1, most)):
            chosen.append(self.action())
            chosen.append(self.look_action())
        return chosen

    def block_action(self, depth):
        body = self.actions(2)
        if depth < 2 and self.rng.random() < 0.4:
            body.append(self.block_action(depth + 1))
            body.append(self.look_action())
        if self.flag():
            body.append(self.raise_action())
        handler = self.rng.choice([None, [self.look_action()], self.actions(1)])
        return Action(
            'BEGIN\n%s\nEXCEPTION WHEN OTHERS THEN\n%s\nEND;' % (
                indent(body), '    RAISE;' if handler is None else indent(handler)),
            lambda model: model.block([action.apply for action in body],
                                      handler and [action.apply for action in handler]))

    def block(self):
        actions = [self.look_action(), self.block_action(1), self.look_action()]

        def run(model):
            for action in actions:
                action.apply(model)
        return statement('block', 'DO $$\nBEGIN\n%s\nEND\n$$' % indent(actions), run)

    def loop(self):
        leave = self.rng.random() < 0.3
        body = [self.action() for _ in range(self.rng.randint(1, 2))]
        body.append(Action('PERFORM body FROM landlord.event;', lambda model: model.events()))
        return statement(
            'loop', 'DO $$\nDECLARE\n    line text;\nBEGIN\n'
            '    FOR line IN SELECT body FROM %s LOOP\n%s\n    END LOOP;\nEND\n$$' % (
                self.table(), indent(body + ([Action('EXIT;', None)] if leave else []), 8)),
            lambda model: model.loop([action.apply for action in body], leave))

    # --- reading --------------------------------------------------------------

    def read(self):
        """The shared table is read after each step; these are others."""
        if self.rng.random() < 0.3:
            return statement('read', 'SELECT body FROM landlord.log ORDER BY body',
                             lambda model: model.events())
        return statement('read', 'SELECT body FROM note ORDER BY body',
                         lambda model: model.notes())

    def qualified(self):
        """A tenant's table by its own name, by that alone, and by a view."""
        tenant = self.rng.choice(TENANTS)
        sql, apply = self.rng.choice([
            ('SELECT body FROM tenant_%s.note ORDER BY body', lambda model: model.notes_of(tenant)),
            ('SELECT body FROM public.note_of_%s ORDER BY body',
             lambda model: model.notes_of(tenant)),
            ("SELECT to_regclass('tenant_%s.note') IS NOT NULL",
             lambda model: model.name_note_of(tenant))])
        return statement('qualified', sql % tenant, apply)

    def midquery(self):
        tenant, local = self.tenant(), self.flag()
        return statement(
            'midquery', "SELECT count(publicdigit.use_tenant('%s', %s)) FROM %s"
            % (tenant, local, self.table()), lambda model: model.switch_in_query(tenant, local))

    def table(self):
        """The shared table, or its partitioned twin."""
        return self.rng.choice(['landlord.event', 'landlord.log'])

    # --- prepared statements --------------------------------------------------

    PREPARED = {
        'shared': '(text) AS SELECT body FROM landlord.event WHERE body > $1 ORDER BY body',
        'own': '(text) AS SELECT body FROM note WHERE body > $1 ORDER BY body',
        'twin': 'AS SELECT body FROM landlord.log ORDER BY body',
        'who': 'AS SELECT publicdigit.current_tenant_id()',
    }

    def prepare(self):
        name = self.rng.choice(list(self.PREPARED))
        return statement('prepare', 'PREPARE %s %s' % (name, self.PREPARED[name]),
                         lambda model: model.prepare(name))

    def execute(self):
        names = sorted(self.model.prepared) or list(self.PREPARED)
        name = self.rng.choice(names)
        if name not in ('shared', 'own'):
            return statement('execute', 'EXECUTE ' + name, lambda model: model.execute(name))
        after = self.rng.choice(['', 'acme 1', 'beta note a'])
        return statement('execute', "EXECUTE %s('%s')" % (name, after),
                         lambda model: model.execute(name, after))

    def deallocate(self):
        name = self.rng.choice([None] + list(self.PREPARED))
        return statement('deallocate', 'DEALLOCATE ' + (name or 'ALL'),
                         lambda model: model.deallocate(name))

    def plan_mode(self):
        return statement('plan_mode', self.rng.choice(PLAN_MODES), lambda model: None)

    # --- cursors --------------------------------------------------------------

    def declare(self):
        name = self.rng.choice(['c1', 'c2'])
        hold = self.rng.random() < 0.1
        query, read = self.rng.choice([
            ('body FROM landlord.event', lambda model: model.events()),
            ('body FROM landlord.log ORDER BY body DESC', lambda model: model.events()[::-1]),
            ('body FROM note', lambda model: model.notes())])
        return statement('declare', 'DECLARE %s CURSOR%s FOR SELECT %s' % (
            name, ' WITH HOLD' if hold else '', query),
            lambda model: model.declare(name, read, hold))

    def cursor_name(self):
        return self.rng.choice(sorted(self.model.cursors) or ['c1'])

    def fetch(self):
        name, count = self.cursor_name(), self.rng.randint(1, 2)
        return statement('fetch', 'FETCH %d FROM %s' % (count, name),
                         lambda model: model.fetch(name, count))

    def close(self):
        name = self.rng.choice([None, self.cursor_name()])
        return statement('close', 'CLOSE ' + (name or 'ALL'), lambda model: model.close(name))

    # --- what comes next ------------------------------------------------------

    def kinds(self):
        """The kinds of step and how often each is drawn, as things stand."""
        model = self.model
        if model.is_failed:
            return {'rollback_to': 8 if model.levels[1:] else 1, 'rollback': 2, 'commit': 2,
                    'read': 1, 'savepoint': 0.5, 'release': 0.5}
        kinds = {'use_tenant': 10, 'use_landlord': 2, 'forget': 2, 'function': 4, 'reset': 3,
                 'discard': 1.5, 'set_path': 1, 'set_role': 3, 'block': 6, 'read': 3,
                 'qualified': 2, 'midquery': 2, 'loop': 2, 'deallocate': 0.5, 'plan_mode': 1,
                 'seal': 2 if model.in_block() else 0.5,
                 'prepare': 3 if len(model.prepared) < len(self.PREPARED) else 0.1,
                 'execute': 8 if model.prepared else 0.5}
        if model.in_block():
            kinds.update(begin=0.1, commit=2, rollback=1.5, savepoint=6,
                         declare=5 if len(model.cursors) < 2 else 0.2,
                         rollback_to=6 if model.levels[1:] else 0.2,
                         release=2 if model.levels[1:] else 0.2,
                         fetch=12 if model.cursors else 0.5, close=4 if model.cursors else 0.3)
        else:
            kinds.update(begin=12, commit=0.1, rollback=0.1, savepoint=0.1, rollback_to=0.1,
                         release=0.1, declare=0.4, fetch=0.1)
        if self.may_set_user:
            kinds['set_user'] = 2
            del kinds['discard']    # it would leave a superuser behind
        return kinds

    def step(self):
        kinds = self.kinds()
        kind, = self.rng.choices(list(kinds), list(kinds.values()))
        return getattr(self, kind)()


# Which plans queries get; what they return must not depend on it.
PLAN_MODES = ['SET plan_cache_mode = ' + mode
              for mode in ('auto', 'force_custom_plan', 'force_generic_plan')]
PLAN_MODES += ['SET enable_seqscan = off; SET enable_bitmapscan = off',
               'SET publicdigit.plan_memory = 0', 'DISCARD PLANS']


def scope(local):
    return 'LOCAL' if local else 'SESSION'


def indent(actions, width=4):
    text = '\n'.join(action.sql for action in actions)
    return '\n'.join(' ' * width + line for line in text.split('\n'))


# --- running -------------------------------------------------------------------

class Connection:
    """A session of the server, logged in as user (None: as a superuser)."""

    def __init__(self, user):
        self.psycopg = self.connect({'user': user} if user else {})
        self.psycopg.autocommit = True
        self.cursor = self.psycopg.cursor()
        self.cursor.execute('SELECT id, slug FROM public.ids')
        self.slugs = dict(self.cursor.fetchall())
        self.user = self.psycopg.info.user

    def connect(self, login):
        deadline = time.monotonic() + RECOVERY_SECONDS
        while True:
            try:
                return psycopg2.connect(options='-c statement_timeout=60s', **login)
            except psycopg2.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def run(self, sql):
        del self.psycopg.notices[:]
        rows, codes = None, set()
        try:
            self.cursor.execute(sql)
            if self.cursor.description:
                rows = [self.value(row) for row in self.cursor.fetchall()]
        except psycopg2.Error as error:
            codes = {error.pgcode or 'connection lost'}
        seen = re.findall(r'^NOTICE:  seen (\S+)', ''.join(self.psycopg.notices), re.MULTILINE)
        return Outcome(rows, codes, seen)

    def value(self, row):
        """One column by itself; a tenant's id as its slug."""
        return row if len(row) > 1 else self.slugs.get(row[0], row[0])

    def close(self):
        self.psycopg.close()


def ask(model, apply):
    """What must come.  The model is moved on."""
    model.seen = []
    try:
        return Outcome(apply(model), set(), model.seen)
    except Refused as refused:
        return Outcome(None, refused.codes, model.seen)


def agree(expected, actual):
    if expected.seen != actual.seen:
        return False
    if expected.codes:
        return bool(actual.codes & expected.codes)
    return not actual.codes and expected.rows in (None, actual.rows)


def describe(outcome):
    parts = []
    if outcome.codes:
        parts.append('SQLSTATE ' + ' or '.join(sorted(outcome.codes)))
    elif outcome.rows is not None:
        parts.append('rows %s' % outcome.rows)
    else:
        parts.append('no error')
    if outcome.seen:
        parts.append('seen %s' % outcome.seen)
    return ', '.join(parts)


# What is compared after each step.
LOOKS = [
    ('SELECT connection, tenant, source, search_path, role, sealed FROM publicdigit.context()',
     lambda model: [model.standing()]),
    ('SELECT publicdigit.current_tenant_id()', lambda model: model.current_tenant_id()),
    ('SELECT body FROM landlord.event ORDER BY body', lambda model: model.events()),
]


class Run:
    """Steps carried out on a connection and on a model, until the two differ."""

    def __init__(self, connection, model):
        self.connection = connection
        self.model = model
        self.steps = []             # those that were carried out
        self.log = []               # statements of steps, and of the look that differed
        self.checks = 0
        self.refused = 0
        self.differs = False

    def compare(self, sql, expected, actual, is_look):
        self.checks += 1
        differs = not agree(expected, actual)
        if differs or not is_look:
            self.log.append((sql, expected, actual))
        self.differs = self.differs or differs

    def look(self):
        """In a savepoint of its own where it is to fail."""
        for sql, apply in LOOKS:
            expected = ask(self.model, apply)
            needs_savepoint = expected.codes and self.model.in_block()
            if needs_savepoint:
                self.connection.run('SAVEPOINT look')
            actual = self.connection.run(sql)
            if needs_savepoint:
                self.connection.run('ROLLBACK TO look; RELEASE look')
            self.compare(sql, expected, actual, is_look=True)
            if self.differs:
                return

    def step(self, step):
        try:
            expected = ask(self.model, step.apply)
        except Unspecified:
            return
        self.steps.append(step)
        self.refused += bool(expected.codes)
        self.compare(step.sql, expected, self.connection.run(step.sql), is_look=False)
        if not self.differs and not self.model.is_failed:
            self.look()

    def start(self, statements):
        """Statements that leave the session as the model begins."""
        for sql in statements:
            self.compare(sql, Outcome(None, set(), []), self.connection.run(sql), is_look=False)
        self.look()

    def all(self, steps):
        for step in steps:
            if self.differs:
                break
            self.step(step)


class Sequence:
    """One random sequence; seed and number determine it."""

    def __init__(self, seed, number):
        self.name = 'seed %s, sequence %d' % (seed, number)
        self.rng = random.Random('%s/%d' % (seed, number))
        self.login = LOGINS[number // SEQUENCES_PER_CONNECTION % len(LOGINS)]
        self.user = self.login or 'web'
        self.start = self.clean_statements() + [self.rng.choice(PLAN_MODES)]

    def clean_statements(self):
        """A session as new, whatever the sequence before it has left."""
        if self.login and self.rng.random() < 0.3:
            return ['DISCARD ALL']
        return ([] if self.login else ['SET SESSION AUTHORIZATION web']) + [
            'RESET ROLE', 'SELECT publicdigit.forget_tenant()', 'RESET ALL', 'CLOSE ALL',
            'DEALLOCATE ALL']

    def draw(self, model):
        """Steps, each drawn when the one before it has been carried out."""
        generator = Generator(self.rng, model, may_set_user=self.login is None)
        for _ in range(self.rng.randint(10, 25)):
            yield generator.step()
        if model.in_block():
            yield self.rng.choice([generator.commit, generator.rollback])()
        if model.in_block():        # by AND CHAIN
            yield Step('rollback', 'ROLLBACK', lambda model: model.finish(commit=False))

    def run(self, connection, steps=None):
        """On a connection of its login; steps: those, instead of drawn ones."""
        model = Model(self.user)
        run = Run(connection, model)
        run.start(self.start)
        run.all(self.draw(model) if steps is None else steps)
        return run

    def shrink(self, run):
        """The run of as few of its steps as still differ, on new connections.

        None where it does not differ there: then it takes what earlier sequences
        have left behind.
        """
        shortest = self.run_apart(run.steps)
        if not shortest.differs:
            return None
        position = 0
        while position < len(shortest.steps):
            fewer = shortest.steps[:position] + shortest.steps[position + 1:]
            attempt = self.run_apart(fewer)
            if attempt.differs:
                shortest, position = attempt, 0
            else:
                position += 1
        return shortest

    def run_apart(self, steps):
        connection = Connection(self.login)
        try:
            return self.run(connection, steps)
        finally:
            connection.close()


# --- reporting -----------------------------------------------------------------

def script(sequence, run):
    """What a run has sent, for psql, with what must have come and what came."""
    lines = ['-- ' + sequence.name, '\\c - ' + run.connection.user]
    for sql, expected, actual in run.log:
        lines.append(sql + ';')
        if agree(expected, actual):
            lines.append('--   ' + describe(actual))
        else:
            lines.append('--   expected ' + describe(expected))
            lines.append('--   came     ' + describe(actual))
    return '\n'.join(lines)


def report(sequence, number, run, options):
    command = '/usr/bin/python3 %s --seed %s --only ' % (sys.argv[0], options.seed)
    first = number - number % SEQUENCES_PER_CONNECTION
    print('\nThe session differs from the model: %s.\n' % sequence.name)
    print(script(sequence, run))
    shortest = sequence.shrink(run)
    if shortest:
        print('\nThe least that differs:\n')
        print(script(sequence, shortest))
        print('\nTo run that sequence again:\n    %s%d' % (command, number))
    else:
        print('\nAlone it does not differ.  With those before it on its connection:')
        print('    %s%d-%d' % (command, first, number))


def walk(options):
    counts = Counter(sequences=0, steps=0, refused=0, checks=0, mismatches=0)
    kinds = Counter()
    connection = None
    for number in options.only or range(options.sequences):
        sequence = Sequence(options.seed, number)
        if connection is None or number % SEQUENCES_PER_CONNECTION == 0:
            if connection:
                connection.close()
            connection = Connection(sequence.login)
        run = sequence.run(connection)
        counts.update(sequences=1, steps=len(run.steps), refused=run.refused,
                      checks=run.checks)
        kinds.update(step.kind for step in run.steps)
        if run.differs:
            counts['mismatches'] += 1
            report(sequence, number, run, options)
            connection.close()
            connection = None
            if counts['mismatches'] == MOST_MISMATCHES:
                break
    return dict(counts, seed=options.seed, kinds=dict(sorted(kinds.items())))


def numbers(text):
    first, _, last = text.partition('-')
    return range(int(first), int(last or first) + 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--seed', type=int, default=random.randrange(10 ** 9))
    parser.add_argument('--sequences', type=int, default=2000)
    parser.add_argument('--only', type=numbers, help='a sequence, or a range as 40-57')
    options = parser.parse_args()

    started = time.monotonic()
    summary = walk(options)
    summary['seconds'] = round(time.monotonic() - started, 1)
    print(json.dumps(summary))
    sys.exit(summary['mismatches'] > 0)


if __name__ == '__main__':
    main()
