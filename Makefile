# SPDX-License-Identifier: MIT
# The front door: short names for what CMake and CTest do. `make help` lists them.

BUILD ?= build
PREFIX ?= /usr/local
CMAKE ?= cmake
JOBS ?= $(shell nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
CONFIGURE ?=
BENCH ?=

# The make that CMake runs is no child of this one: it counts its jobs by itself.
APART = MAKEFLAGS= MFLAGS= MAKELEVEL=0
DATA = $(if $(UNROLL_DATA),-DUNROLL_DATA="$(UNROLL_DATA)")
SETUP = $(CMAKE) -S . -B $(BUILD) $(CONFIGURE)
COMPILE = $(APART) $(CMAKE) --build $(BUILD) --parallel $(JOBS)

.PHONY: all demo test test-long analyze coverage fuzz-coverage mutants bench install uninstall
.PHONY: clean help

all:
	@$(SETUP)
	@$(COMPILE) --target unroll_product

demo:
	@sh scripts/deps.sh
	@$(SETUP)
	@$(COMPILE) --target unroll_cli
	@sh scripts/demo.sh $(BUILD)/unroll

test:
	@sh scripts/deps.sh --test
	@$(SETUP) -DUNROLL_TESTS=ON -DUNROLL_WERROR=ON $(DATA)
	@$(COMPILE)
	@cd $(BUILD) && $(APART) ctest --output-on-failure --parallel $(JOBS) -LE long

test-long:
	@sh scripts/deps.sh --test
	@$(SETUP) -DUNROLL_TESTS=ON -DUNROLL_WERROR=ON $(DATA)
	@$(COMPILE)
	@cd $(BUILD) && $(APART) ctest --output-on-failure -L long

# What follows tests the tests and the code at rest; each builds in a folder of its own.
analyze:
	@sh scripts/deps.sh --dev
	@python3 tools/analyze.py $(BUILD)/analyze

COVERAGE = $(BUILD)/coverage
COVERED = $(CMAKE) -S . -B $(COVERAGE) -DCMAKE_C_COMPILER=gcc -DCMAKE_BUILD_TYPE=None \
    -DCMAKE_C_FLAGS='-O1 -g --coverage' -DUNROLL_TESTS=ON -DUNROLL_TEST_NESTED=OFF \
    -DUNROLL_SHARED=OFF $(DATA)
coverage:
	@sh scripts/deps.sh --test
	@$(COVERED)
	@$(APART) $(CMAKE) --build $(COVERAGE) --parallel $(JOBS)
	@find $(COVERAGE) -name '*.gcda' -exec rm -f {} +
	@cd $(COVERAGE) && $(APART) ctest --output-on-failure --parallel $(JOBS) \
	    -L '^(unit|numeric|cli|example)$$' -E '^install$$'
	@python3 tools/coverage.py $(COVERAGE) --least 92

# By the fuzzers' inputs alone, without mutants.
fuzz-coverage:
	@sh scripts/deps.sh --test
	@$(COVERED)
	@$(APART) $(CMAKE) --build $(COVERAGE) --parallel $(JOBS) --target unroll_fuzz
	@find $(COVERAGE) -name '*.gcda' -exec rm -f {} +
	@for folder in tests/fuzz/corpus/*/; do \
	    name=$$(basename $$folder); \
	    $(COVERAGE)/tests/fuzz/fuzz_$$name -runs=0 $$folder || exit 1; \
	done
	@python3 tools/coverage.py $(COVERAGE) --parsers --lines --least 95

mutants:
	@sh scripts/deps.sh --test
	@nice -n 19 python3 tools/mutants.py $(BUILD)/mutants

bench:
	@$(SETUP) -DUNROLL_BENCH=ON
	@$(COMPILE) --target unroll_product unroll_bench
	@if command -v python3 >/dev/null 2>&1; then \
	    python3 bench/run.py $(BUILD) $(BENCH); \
	else \
	    $(BUILD)/bench/unroll; \
	fi

install:
	@$(SETUP) -DCMAKE_INSTALL_PREFIX="$(PREFIX)"
	@$(COMPILE) --target unroll_product
	@DESTDIR="$(DESTDIR)" $(CMAKE) --install $(BUILD)
	@if [ -z "$(DESTDIR)" ]; then ldconfig 2>/dev/null || true; fi

# The manifest's last line has no end; folders go only when they are empty.
uninstall:
	@if [ ! -f $(BUILD)/install_manifest.txt ]; then \
	    echo "$(BUILD)/install_manifest.txt is missing: nothing was installed from here"; exit 1; \
	fi
	@while read -r file || [ -n "$$file" ]; do \
	    echo "$(DESTDIR)$$file"; rm -f "$(DESTDIR)$$file"; \
	    while file=$${file%/*}; case "$$file" in */unroll|*/unroll/*) ;; *) false ;; esac; do \
	        rmdir "$(DESTDIR)$$file" 2>/dev/null || break; \
	    done; \
	done < $(BUILD)/install_manifest.txt

clean:
	@rm -rf $(BUILD)

help:
	@echo 'make              build the library and the program into $(BUILD)/'
	@echo 'make demo         train on a small text for a minute and show what it writes'
	@echo 'make test         build all, run the quick tests (10 minutes at most)'
	@echo 'make test-long    run the rest'
	@echo 'make analyze      clang-tidy, cppcheck and gcc -fanalyzer over src/ and cli/'
	@echo 'make coverage     which lines of src/ and cli/ the tests run'
	@echo 'make fuzz-coverage which lines of the file parsers the inputs of the fuzzers run'
	@echo 'make mutants      plant faults and see which of them the tests find'
	@echo 'make bench        measure speed on this machine, beside the peers it has'
	@echo 'make install      install below PREFIX ($(PREFIX)); DESTDIR is put in front'
	@echo 'make uninstall    remove what was installed'
	@echo 'make clean        remove $(BUILD)/'
	@echo
	@echo 'variables: BUILD PREFIX DESTDIR JOBS UNROLL_DATA CONFIGURE (options for CMake)'
	@echo '           BENCH (options for bench/run.py)'
