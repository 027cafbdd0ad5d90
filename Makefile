# publicdigit: multi-tenancy inside PostgreSQL.  Built with PGXS:
#   make && make install && make installcheck    (PG_CONFIG=... for another server)
# Without clang, pass with_llvm=no.

EXTENSION = publicdigit
# The control file is the one source of the version.
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" publicdigit.control)

MODULE_big = publicdigit
OBJS := $(patsubst %.c,%.o,$(sort $(wildcard src/*.c)))
PG_CPPFLAGS = -DPUBLICDIGIT_VERSION='"$(EXTVERSION)"'
# The three that are off complain of PostgreSQL's own idioms.
PG_CFLAGS = -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers
# The hooks run in every query: calls within the library need no detour, which only
# a library that another one may override has to take.
PG_CFLAGS += -fno-semantic-interposition
SHLIB_LINK = -Wl,-Bsymbolic-functions

INSTALL_SQL = $(EXTENSION)--$(EXTVERSION).sql
DATA_built = $(INSTALL_SQL)

# Derived from the files, so that no test can be forgotten.  The databases are
# made in one encoding and locale, whatever the server's are.
REGRESS := $(patsubst sql/%.sql,%,$(sort $(wildcard sql/*.sql)))
ISOLATION := $(patsubst test/isolation/specs/%.spec,%,$(sort $(wildcard test/isolation/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test/isolation
ENCODING = UTF8
NO_LOCALE = yes
TAP_TESTS = 1
PROVE_TESTS = test/t/*.pl

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

$(OBJS) $(OBJS:.o=.bc): $(wildcard src/*.h) publicdigit.control

$(INSTALL_SQL): $(sort $(wildcard src/sql/*.sql)) publicdigit.control
	cat $(filter %.sql,$^) > $@

# The reference modules go where register_module() looks for them.  The old
# folder goes first: a script that a new version lacks must not stay in it.
SHARED_MODULES = $(DESTDIR)$(datadir)/publicdigit/modules
REFERENCE_MODULES := $(notdir $(patsubst %/,%,$(wildcard modules/*/)))

install: install-modules
uninstall: uninstall-modules
.PHONY: install-modules uninstall-modules

install-modules: uninstall-modules
	cd modules && find $(REFERENCE_MODULES) -type d -exec $(MKDIR_P) '$(SHARED_MODULES)/{}' \;
	cd modules && find $(REFERENCE_MODULES) -type f -exec $(INSTALL_DATA) '{}' '$(SHARED_MODULES)/{}' \;

uninstall-modules:
	rm -rf $(REFERENCE_MODULES:%='$(SHARED_MODULES)/%')
	rmdir '$(SHARED_MODULES)' '$(dir $(SHARED_MODULES))' 2>/dev/null || true
