#!/usr/bin/env python3
"""What a test cannot have from psql: a session that answers statement by statement, what the
server reports of a setting, and a call of a function by the protocol's own message.

    session.py shell CONNECTION    a statement in JSON on each line of standard input; on each line
                                   of output the first column of its last row, or its error
    session.py report CONNECTION TOKEN    two sessions: the token is set in one, and what the server
                                          reports of it is set in the other, as a pooler does
    session.py call CONNECTION FUNCTION ARGUMENT    a function's OID and one 4-byte argument
"""
import ctypes
import ctypes.util
import json
import sys

import psycopg2


def shell(connection):
    session = psycopg2.connect(connection)
    session.autocommit = True
    for line in sys.stdin:
        cursor = session.cursor()
        try:
            cursor.execute(json.loads(line))
            rows = cursor.fetchall() if cursor.description else []
            answer = rows[-1][0] if rows else ""
        except psycopg2.Error as error:
            answer = str(error).strip()
        print(json.dumps(str(answer)), flush=True)


def report(connection, token):
    first, second = psycopg2.connect(connection), psycopg2.connect(connection)
    first.autocommit = second.autocommit = True
    result = {"before": first.info.parameter_status("publicdigit.context")}
    one, two = first.cursor(), second.cursor()
    one.execute("SET publicdigit.context = %s", (token,))
    result["set"] = first.info.parameter_status("publicdigit.context")
    two.execute("SET publicdigit.context = %s", (result["set"],))
    two.execute("SELECT publicdigit.current_tenant()")
    result["put back"] = two.fetchone()[0]
    one.execute("RESET publicdigit.context")
    result["reset"] = first.info.parameter_status("publicdigit.context")
    one.execute("SELECT publicdigit.use_tenant('beta', false)")
    result["own"] = first.info.parameter_status("publicdigit.context")
    try:
        two.execute("SET publicdigit.context = %s", (result["own"],))
        result["own put back"] = "accepted"
    except psycopg2.Error as error:
        result["own put back"] = error.pgcode
    return result


class Argument(ctypes.Structure):
    """PQArgBlock of libpq."""
    _fields_ = [("len", ctypes.c_int), ("isint", ctypes.c_int), ("integer", ctypes.c_int),
                ("padding", ctypes.c_int)]


def call(connection, function, argument):
    libpq = ctypes.CDLL(ctypes.util.find_library("pq"))
    libpq.PQconnectdb.restype = ctypes.c_void_p
    libpq.PQfn.restype = ctypes.c_void_p
    libpq.PQerrorMessage.restype = ctypes.c_char_p
    conn = ctypes.c_void_p(libpq.PQconnectdb(connection.encode()))
    value = (ctypes.c_byte * 8)()
    length = ctypes.c_int()
    # isint = 1 would return an int4; a bigint comes as bytes.
    block = Argument(4, 1, int(argument), 0)
    result = libpq.PQfn(conn, int(function), value, ctypes.byref(length), 0,
                        ctypes.byref(block), 1)
    status = libpq.PQresultStatus(ctypes.c_void_p(result))
    return {"done": status == 1, "error": libpq.PQerrorMessage(conn).decode().strip(),
            "value": int.from_bytes(bytes(value), "big") if status == 1 else None}


if sys.argv[1] == "shell":
    shell(sys.argv[2])
else:
    json.dump({"report": report, "call": call}[sys.argv[1]](*sys.argv[2:]), sys.stdout)
