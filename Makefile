# `make help` lists what can be made. All that is needed is make and Python 3.11 or newer with its venv module;
# every target installs what it needs, pinned, into .venv.

PYTEST = .venv/bin/python -m pytest -n 2 --dist loadgroup --durations 10
COMPILE = uv pip compile pyproject.toml --group build --universal --fork-strategy fewest --python-version 3.11 \
	--generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links --quiet

# The first Python that is new enough and can make virtual environments; `make PYTHON=...` chooses another.
FIND_PYTHON = for python in "$(PYTHON)" python3 python3.13 python3.12 python3.11 python3.14 python; do \
	test -n "$$python" || continue; \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	"$$python" -c 'import ensurepip, venv' 2>/dev/null || { lacking="$$python"; continue; }; \
	found="$$python"; break; \
	done; \
	if test -z "$$found" && test -n "$$lacking"; then \
	echo "$$lacking cannot make virtual environments: install its venv module" \
	"(Debian and Ubuntu: apt install python3-venv)" >&2; exit 1; fi; \
	if test -z "$$found"; then \
	echo "Python 3.11 or newer is needed and none was found on PATH;" \
	"name one with: make PYTHON=/path/to/python3" >&2; exit 1; fi

SETUP = @$(FIND_PYTHON); "$$found" .dev/setup_venv.py

.PHONY: help demo test test-slow cycles bench-ethos bench-area bench-fpga bench-board bench-families lint format docs goldens lock clean

help:
	@echo "make demo       classify handwritten digits on the simulated engine"
	@echo "make test       check style and types, run the tests (all but the slow ones)"
	@echo "make test-slow  run the slow tests"
	@echo "make cycles     write the recorded cycles of the published networks again (tests/models/cycles.csv)"
	@echo "make bench-ethos  measure cycles beside Arm's Ethos-U55, into docs/performance.md"
	@echo "make bench-area   place and route the engine for ECP5 (hours), into docs/performance.md"
	@echo "make bench-fpga   place and route a whole board's design (hours), into docs/performance.md"
	@echo "make bench-board  count cycles per inference on a simulated board, into docs/performance.md"
	@echo "make bench-families  compare the families at equal MACs a cycle, into docs/performance.md"
	@echo "make lint       check style and types only"
	@echo "make format     bring the Python files into the style that lint asks for"
	@echo "make docs       write the tables in README.md and docs/ again that are made from the code"
	@echo "make goldens    write the reference answers of examples/digits again"
	@echo "make lock       resolve the pinned versions in requirements/ again (needs uv)"
	@echo "make clean      remove everything made here, .venv included"

demo:
	$(SETUP) requirements/runtime.lock
	@.venv/bin/python examples/digits/demo.py

test: lint
	$(PYTEST) -m "not slow"

test-slow:
	$(SETUP) requirements/test.lock
	$(PYTEST) -m slow

cycles:
	$(SETUP) requirements/test.lock
	.venv/bin/python -m tests.models.recorded_cycles

bench-ethos: cycles
	.venv/bin/python -m benchmarks.ethos

bench-area:
	$(SETUP) requirements/test.lock
	$(SETUP) requirements/fpga.lock
	.venv/bin/python -m benchmarks.area

bench-board:
	$(SETUP) requirements/test.lock
	.venv/bin/python -m benchmarks.board_cycles

bench-families:
	$(SETUP) requirements/test.lock
	$(SETUP) requirements/fpga.lock
	.venv/bin/python -m benchmarks.families

bench-fpga:
	$(SETUP) requirements/test.lock
	$(SETUP) requirements/fpga.lock
	.venv/bin/python -m benchmarks.fpga

lint:
	$(SETUP) requirements/test.lock
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/basedpyright

format:
	$(SETUP) requirements/test.lock
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

docs:
	$(SETUP) requirements/test.lock
	.venv/bin/python .dev/write_docs.py

goldens:
	$(SETUP) requirements/test.lock
	.venv/bin/python examples/digits/make_goldens.py

# The tests' pins come first: they are the stricter ones, and both sets must be able to share one environment.
lock:
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(COMPILE) --extra test --output-file requirements/test.lock
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(COMPILE) --constraint requirements/test.lock \
		--output-file requirements/runtime.lock
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(COMPILE) --extra fpga --constraint requirements/test.lock \
		--output-file requirements/fpga.lock

clean:
	rm -rf .venv .dev/setup_venv.lock build dist sim_build .pytest_cache .ruff_cache .hypothesis
	find . -name .git -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
