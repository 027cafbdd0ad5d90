#!/usr/bin/python3
"""Clients of a connection pool that work as one tenant after another.

    pooler.py SOCKET_FOLDER PORT DATABASE MODE CLIENTS FIRST TRANSACTIONS SEED <TENANTS

Connects CLIENTS clients, numbered from FIRST, to the PgBouncer at SOCKET_FOLDER
and PORT, and has them do TRANSACTIONS between them.  TENANTS is a JSON object of
slugs and ids.  MODE is PgBouncer's pool_mode: with "transaction" each client
keeps its connection, with "session" it comes and goes, and binds tenants for the
session as well.  What a client does is drawn at random, from SEED alone.

Each tenant has a table "note" of its own and rows in the shared table "event".
Rows say whose they are twice, by tenant_id and by a body that begins with the
slug.  Those of client 0 are there from the start and stay; each other client
changes only rows of its own, so that none waits for another, and knows how many
it has.  So each answer is checked: every row is of the tenant asked for, and
none is missing.

The last line of the output is a JSON object of what was counted and of what was
wrong; test/t/006_pgbouncer.pl judges it.
"""

import collections
import concurrent.futures
import json
import random
import sys
import threading
import traceback

import psycopg2

SEEDED = 5              # rows of client 0 that a tenant has in each table
TABLES = ('note', 'event')

# What a client expects of its connection: the tenant that is bound now, the one
# that the session comes back to when the transaction ends, and how many rows of
# its own it has, by tenant and table.  Goes back with a rollback.
State = collections.namedtuple('State', 'tenant session rows')


class Client:
    def __init__(self, number, job):
        self.number = number
        self.job = job
        self.random = random.Random(f'{job.seed}/{number}')
        self.state = State(None, None, collections.Counter())
        self.count = collections.Counter()
        self.problems = []
        self.tenants = set()    # whose rows were read
        self.backends = set()   # process ids of the server's
        self.connection = None

    def run(self):
        left = self.job.transactions
        try:
            while left > 0:
                stay = min(left, self.random.randint(1, 20) if self.job.by_session else left)
                self.visit(stay)
                left -= stay
        except Exception:
            self.problem(traceback.format_exc())
        finally:
            # The others are not to wait for it.
            if self.connection:
                self.connection.close()

    # --- statements and answers -------------------------------------------------

    def connect(self):
        self.connection = self.job.connect('web', self.job.database)
        self.count['connections'] += 1

    def execute(self, sql, *values):
        """Runs a statement, and returns its rows."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql, values or None)
            return cursor.fetchall() if cursor.description else []

    def fails(self, sqlstate, sql, *values):
        """Runs a statement that must be an error."""
        try:
            self.execute(sql, *values)
        except psycopg2.Error as error:
            if error.pgcode != sqlstate:
                raise
            self.count['errors'] += 1
        else:
            self.problem(f'no error {sqlstate}: {sql}')

    def problem(self, text):
        self.problems.append(f'client {self.number}, tenant {self.state.tenant}: {text}')

    def expect(self, what, expected, got):
        if got != expected:
            self.problem(f'{what}: expected {expected}, got {got}')

    def check(self, rows, exactly=None, at_least=0):
        """Checks that rows (tenant_id, body) are the bound tenant's, and all there."""
        tenant = self.state.tenant
        for tenant_id, body in rows:
            self.count['rows'] += 1
            if tenant_id != self.job.ids.get(tenant) or not body.startswith(f'{tenant} '):
                self.count['wrong_rows'] += 1
                self.problem(f'a row of {tenant_id}: {body}')
        if rows:
            self.tenants.add(tenant)
        if exactly is not None:
            self.expect('rows', exactly, len(rows))
        elif len(rows) < at_least:
            self.problem(f'only {len(rows)} rows')

    # --- steps of a transaction ---------------------------------------------------

    def any_table(self):
        return self.random.choice(TABLES)

    def mine(self, table):
        return self.state.rows[self.state.tenant, table]

    def use(self, local=True):
        """Binds any tenant."""
        tenant = self.random.choice(self.job.slugs)
        self.expect('use_tenant', [(self.job.ids[tenant],)],
                    self.execute('SELECT publicdigit.use_tenant(%s, %s)', tenant, local))
        self.state = self.state._replace(tenant=tenant)
        if not local:
            self.state = self.state._replace(session=tenant)

    def switch(self):
        self.use()
        self.read()

    def read(self):
        self.check(self.execute(f'SELECT tenant_id, body FROM {self.any_table()}'),
                   at_least=SEEDED)

    def read_mine(self):
        table = self.any_table()
        self.check(self.execute(f'SELECT tenant_id, body FROM {table} WHERE client = %s',
                                self.number), exactly=self.mine(table))

    def join(self):
        rows = self.execute('SELECT n.tenant_id, n.body, e.tenant_id, e.body'
                            ' FROM note AS n JOIN event AS e USING (client) WHERE client = 0')
        self.check([row[:2] for row in rows], exactly=SEEDED * SEEDED)
        self.check([row[2:] for row in rows])

    def insert(self):
        table = self.any_table()
        rows = self.execute(f'INSERT INTO {table} (client, body) VALUES (%s, %s)'
                            ' RETURNING tenant_id, body',
                            self.number, f'{self.state.tenant} by {self.number}')
        self.check(rows, exactly=1)
        self.state.rows[self.state.tenant, table] += 1

    def update(self):
        table = self.any_table()
        self.check(self.execute(f'UPDATE {table} SET revision = revision + 1 WHERE client = %s'
                                ' RETURNING tenant_id, body', self.number),
                   exactly=self.mine(table))

    def execute_prepared(self):
        """By a statement that others may have prepared, as other tenants."""
        table = self.any_table()
        if not self.execute('SELECT 1 FROM pg_prepared_statements WHERE name = %s', table):
            self.execute(f'PREPARE {table}(int) AS'
                         f' SELECT tenant_id, body FROM {table} WHERE client = $1')
        client, rows = self.random.choice([(0, SEEDED), (self.number, self.mine(table))])
        self.check(self.execute(f'EXECUTE {table}(%s)', client), exactly=rows)

    def fetch(self):
        self.execute(f'DECLARE slowly CURSOR FOR SELECT tenant_id, body FROM {self.any_table()}')
        self.check(self.execute('FETCH 2 FROM slowly'), exactly=2)
        self.check(self.execute('FETCH ALL FROM slowly'), at_least=SEEDED - 2)
        self.execute('CLOSE slowly')

    def fail(self):
        """Leaves the transaction aborted."""
        self.random.choice([
            self.cancelled,
            lambda: self.fails('22012', 'SELECT 1 / (revision - revision) FROM note'),
            lambda: self.fails('42704', "SELECT publicdigit.use_tenant('nowhere')"),
            lambda: self.fails('42501', 'INSERT INTO event (tenant_id, client, body)'
                               ' VALUES (gen_random_uuid(), %s, %s)', self.number, 'stray'),
            lambda: self.fails('42501', 'UPDATE note SET tenant_id = gen_random_uuid()'
                               ' WHERE client = 0'),
        ])()

    def cancelled(self):
        """A query of the tenant's rows that another thread cancels."""
        done = threading.Event()

        def cancel():
            while not done.wait(0.03):
                self.connection.cancel()

        canceller = threading.Thread(target=cancel)
        canceller.start()
        try:
            self.fails('57014', 'SELECT tenant_id, pg_sleep(60) FROM note')
            self.count['cancels'] += 1
        finally:
            done.set()
            canceller.join()

    def savepoint(self, depth):
        """Works as another tenant in a savepoint; what it takes back is back."""
        name = f'level_{depth}'
        before = self.remember()
        self.execute(f'SAVEPOINT {name}')
        self.use()
        self.work(depth + 1)
        end = self.random.choice(['rollback', 'fail', 'release'])
        if end == 'fail':
            self.fail()
        if end == 'release':
            self.execute(f'RELEASE {name}')
        else:
            self.execute(f'ROLLBACK TO {name}')
            self.state = before
        self.read()
        self.read_mine()

    def work(self, depth=0):
        for _ in range(self.random.randint(1, 3)):
            steps = [self.read, self.read_mine, self.join, self.insert, self.insert, self.update,
                     self.execute_prepared, self.execute_prepared, self.fetch, self.switch]
            if depth < 2:
                steps += [lambda: self.savepoint(depth)] * 2
            self.random.choice(steps)()

    # --- transactions and what lies between them ----------------------------------

    def remember(self):
        return self.state._replace(rows=self.state.rows.copy())

    def transaction(self):
        before = self.remember()
        # None of them is the tenant of the session, or of the last transaction.
        self.execute('BEGIN')
        self.use(local=not self.job.by_session or self.random.random() < 0.7)
        self.work()
        end = self.random.choices(['commit', 'rollback', 'fail', 'vanish'], [70, 15, 13, 2])[0]
        if end == 'commit':
            self.execute('COMMIT')
            self.state = self.state._replace(tenant=self.state.session)
        elif end == 'vanish':
            self.connection.close()
            self.state = before._replace(tenant=None, session=None)
            self.arrive()
        else:
            if end == 'fail':
                self.fail()
            self.execute('ROLLBACK')
            self.state = before
        self.count[end] += 1
        self.count['transactions'] += 1

    def check_binding(self):
        """The tenant is bound that should be, or none, and so says the path."""
        (tenant_id, path, backend), = self.execute(
            "SELECT publicdigit.current_tenant_id(), current_setting('search_path'),"
            ' pg_backend_pid()')
        self.backends.add(backend)
        self.expect('bound tenant', self.job.ids.get(self.state.tenant), tenant_id)
        schema = f'tenant_{self.state.tenant}'
        self.expect('search_path', f'{schema}, landlord, pg_temp' if self.state.tenant
                    else '"$user", public', path)

    def outside(self):
        """Statements in no transaction block."""
        if self.state.tenant:
            self.read()
            self.read_mine()
            return
        self.count['unbound'] += 1
        self.check(self.execute('SELECT tenant_id, body FROM landlord.event'), exactly=0)
        self.fails('42P01', 'SELECT tenant_id, body FROM note')
        self.fails('42501', 'INSERT INTO landlord.event (client, body) VALUES (%s, %s)',
                   self.number, 'of nobody')
        # Ends with the statement.
        self.execute('SELECT publicdigit.use_tenant(%s)', self.random.choice(self.job.slugs))
        self.check(self.execute('UPDATE landlord.event SET revision = 0'
                                ' RETURNING tenant_id, body'), exactly=0)

    def as_landlord(self):
        before = self.state
        self.execute('BEGIN')
        self.use()
        self.execute('SELECT publicdigit.use_landlord()')
        self.state = before._replace(tenant=None)
        self.check(self.execute('SELECT tenant_id, body FROM event'), exactly=0)
        self.fails('42501', 'INSERT INTO event (client, body) VALUES (%s, %s)',
                   self.number, 'of the landlord')
        self.execute('ROLLBACK')
        self.state = before
        self.count['transactions'] += 1

    def bind_session(self):
        if self.random.random() < 0.3:
            self.execute('SELECT publicdigit.forget_tenant()')
            self.state = self.state._replace(tenant=None, session=None)
        else:
            self.use(local=False)
        self.check_binding()

    def arrive(self):
        """Connects; what the client before it left behind is not there."""
        self.connect()
        self.check_binding()
        if self.job.by_session:
            self.expect('left behind', [(0, None)], self.execute(
                "SELECT count(*), to_regclass('pg_temp.copy') FROM pg_prepared_statements"))

    def visit(self, transactions):
        """Connects, works and leaves without tidying up."""
        self.arrive()
        for _ in range(transactions):
            if self.job.by_session and self.random.random() < 0.3:
                self.bind_session()
            if self.random.random() < 0.05:
                self.as_landlord()
            self.transaction()
            self.check_binding()
            if self.random.random() < 0.2:
                self.outside()
                self.check_binding()
        if self.job.by_session:
            self.use(local=False)
            self.execute('CREATE TEMP TABLE copy AS SELECT tenant_id, body FROM note')
        self.connection.close()
        self.state = self.state._replace(tenant=None, session=None)


class Watch(threading.Thread):
    """Asks PgBouncer how many connections it has, until told to stop."""
    SERVER_STATES = ('sv_active', 'sv_being_canceled', 'sv_idle', 'sv_used', 'sv_tested',
                     'sv_login')
    CLIENT_STATES = ('cl_active', 'cl_waiting')

    def __init__(self, job):
        super().__init__(daemon=True)
        self.job = job
        self.stop = threading.Event()
        self.servers = self.clients = 0

    def run(self):
        connection = self.job.connect('pgbouncer', 'pgbouncer')
        cursor = connection.cursor()
        while not self.stop.wait(0.05):
            cursor.execute('SHOW POOLS')
            names = [column.name for column in cursor.description]
            for row in cursor.fetchall():
                pool = dict(zip(names, row))
                if pool['database'] == self.job.database:
                    self.servers = max(self.servers, sum(pool[s] for s in self.SERVER_STATES))
                    self.clients = max(self.clients, sum(pool[s] for s in self.CLIENT_STATES))
        connection.close()


class Job:
    """What the command line asks for."""

    def __init__(self, folder, port, database, mode, clients, first, transactions, seed):
        self.folder = folder
        self.port = port
        self.database = database
        self.by_session = mode == 'session'
        self.numbers = range(int(first), int(first) + int(clients))
        self.transactions = int(transactions) // int(clients)   # of each
        self.seed = seed
        self.ids = json.load(sys.stdin)
        self.slugs = sorted(self.ids)

    def connect(self, user, database):
        connection = psycopg2.connect(host=self.folder, port=self.port, user=user, dbname=database)
        # BEGIN and COMMIT are written out here.
        connection.autocommit = True
        return connection


def main():
    job = Job(*sys.argv[1:])
    watch = Watch(job)
    watch.start()
    clients = [Client(number, job) for number in job.numbers]
    with concurrent.futures.ThreadPoolExecutor(len(clients)) as threads:
        for client in clients:
            threads.submit(client.run)
    watch.stop.set()
    watch.join()

    summary = collections.Counter()
    for client in clients:
        summary.update(client.count)
    problems = [problem for client in clients for problem in client.problems]
    print(json.dumps({
        **summary,
        'wrong_rows': summary['wrong_rows'],
        'written': sum(sum(client.state.rows.values()) for client in clients),
        'tenants': len(set.union(*(client.tenants for client in clients))),
        'backends': len(set.union(*(client.backends for client in clients))),
        'most_servers': watch.servers,
        'most_clients': watch.clients,
        'problem_count': len(problems),
        'problems': problems[:20],
    }))


main()
