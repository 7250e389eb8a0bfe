# On a fresh machine with Python 3.11+, `make run` and `make test` do all the set-up.
PYTHON ?= python3
BIN    := .venv/bin
CDK    := npx --yes aws-cdk@2.1148.0 --app "$(BIN)/python app.py"
PIP     = $(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes

COMPILE = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header

SEED  ?= $(shell date +%Y%m%d)

# Without bytecode, test tools and each command run by a test take twice as long to start.
unexport PYTHONDONTWRITEBYTECODE

QUERY := SELECT status, count(*) AS orders, round(sum(amount), 2) AS amount FROM api_a GROUP BY status ORDER BY amount DESC

.DEFAULT_GOAL := help
.PHONY: help run unit test prove mutants audit sbom lint docs bench nyc-flights synth deploy destroy node lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(BIN)/option-a ## Load today's four partitions of mock data into ./lake and query them
	@$(BIN)/option-a run
	@echo
	@echo '$(QUERY)'
	@$(BIN)/option-a query '$(QUERY)'
	@echo
	@echo "Try next:  $(BIN)/option-a status      what is there, and what is missing"
	@echo "           $(BIN)/option-a query       which tables there are"
	@echo "           $(BIN)/option-a preview api-a   what the API sends"
	@echo "           $(BIN)/option-a --help"

unit: .venv/.dev ## Run the unit tests in half a minute: without slow ones, and with few random examples
	@$(BIN)/python -m pytest -m "not slow" --hypothesis-profile dev tests/unit

test: .venv/.dev ## Run every test
	@$(BIN)/python -m pytest -n auto --dist loadfile

prove: .venv/.prove ## Run every trial in full, for an hour or two; writes docs/reliability.md (SEED=7, BAR=11)
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --timeout 7200 -m bar --prove --seed $(SEED) --hypothesis-seed $(SEED) $(BAR:%=--bar %)

mutants: .venv/.prove ## Change the pipeline in 9,900 ways, one at a time: does a test fail? Takes a night; resumes where it stopped (ROOM="decode plan")
	-@PATH="$(CURDIR)/$(BIN):$$PATH" nice mutmut run $(CHILDREN:%=--max-children %) $(ROOM:%="option_a.ingest.%.*")
	@$(BIN)/python -m tests.prove.mutants

audit: .venv/.prove ## Check every pinned package for known vulnerabilities (needs the network)
	@status=0; for lock in requirements*.txt */requirements*.txt examples/*/requirements*.txt; do echo "$$lock"; \
		$(BIN)/pip-audit --strict --require-hashes --disable-pip --progress-spinner off -r "$$lock" || status=1; done; exit $$status

sbom: .venv/.prove ## Write SBOMs (CycloneDX) of the functions' asset and of the local run to ./sbom
	@$(BIN)/python -m tests.support.documents.sbom

lint: .venv/.dev ## Format, lint, and check types and imports
	@$(BIN)/ruff format app.py lambda option_a tests bench examples
	@$(BIN)/ruff check --fix app.py lambda option_a tests bench examples
	@$(BIN)/mypy
	@$(BIN)/lint-imports

docs: .venv/.dev ## Generate the schema of sources.toml, and the tables of docs/sources.md, from the types
	@$(BIN)/python -m option_a.schema

bench: .venv/.dev ## Compare with the bare loop, requests and dlt (needs nginx)
	@$(BIN)/python -m bench

nyc-flights: $(BIN)/option-a ## Load real data from a real API server: a month of New York's flights
	@$(MAKE) --no-print-directory -C examples/nyc_flights

synth: .venv/.aws ## Write the CloudFormation templates to cdk.out (ARGS="-c switch=value …")
	@CDK_OUTDIR=cdk.out $(BIN)/python app.py $(ARGS)

deploy: .venv/.aws | node ## Deploy to the AWS account of your credentials (ARGS="-c switch=value …" FLAGS="--require-approval never")
	@$(CDK) bootstrap $(ARGS)
	@$(CDK) deploy $(ARGS) $(FLAGS)

destroy: .venv/.aws | node ## Delete the stack from AWS, but keep the lake
	@$(CDK) destroy $(ARGS) $(FLAGS)
	@echo "What stays, unless it was deployed with -c removal=destroy: the bucket of the lake, and that of Athena's results."
	@echo "To empty a bucket, versions and all: $(BIN)/python -c \"import boto3; boto3.resource('s3').Bucket('NAME').object_versions.delete()\""
	@echo "Of CDK itself: the stack CDKToolkit, which every CDK app of the account shares."

node:
	@command -v npx > /dev/null \
		|| { echo "The CDK's command line needs Node.js 22 or newer, and there is no npx here: https://nodejs.org" >&2; exit 2; }

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Option A needs Python 3.11 or newer; $(PYTHON) is older. Name another: make run PYTHON=python3.12" >&2; exit 2; }
	@echo "Making .venv with $$($(PYTHON) --version) …"
	@$(PYTHON) -m venv .venv \
		|| { rm -rf .venv; echo "No venv module. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 2; }

$(BIN)/option-a: requirements-run.txt pyproject.toml | $(BIN)/python
	@echo "Installing what the main job needs (pinned and hashed) …"
	@$(PIP) -r requirements-run.txt
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.dev: requirements-dev.txt $(BIN)/option-a
	@echo "Installing what the tests need …"
	@$(PIP) -r requirements-dev.txt
	@touch $@

.venv/.aws: requirements.txt $(BIN)/option-a
	@echo "Installing what a deployment needs …"
	@$(PIP) -r requirements.txt
	@touch $@

.venv/.prove: requirements-prove.txt .venv/.dev
	@echo "Installing what proves and audits …"
	@$(PIP) -r requirements-prove.txt
	@touch $@

lock: .venv/.dev ## Pin the dependencies again from pyproject.toml (needs uv)
	$(COMPILE) --upgrade pyproject.toml requirements-build.in -o requirements-run.txt
	$(COMPILE) --upgrade --extra aws -c requirements-run.txt pyproject.toml requirements-build.in -o requirements.txt
	$(COMPILE) --upgrade --extra dev -c requirements.txt pyproject.toml -o requirements-dev.txt
	$(COMPILE) --upgrade -c requirements.txt requirements-lambda.in -o requirements-lambda.txt
	$(COMPILE) --upgrade --no-emit-package pip -c requirements-dev.txt requirements-prove.in -o requirements-prove.txt

clean: ## Delete the virtual environment and the caches, but keep the lake
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .packages cdk.out sbom mutants
