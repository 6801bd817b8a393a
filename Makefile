# The two commands that matter: `make up` runs the application, `make test` passes the tests. `make help` lists all.

PYTHON ?= python3
PORT ?= 8080
# PyPI's torch for Linux brings gigabytes of CUDA; this index has it without. Where it cannot be reached PyPI serves.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu

# Three environments: what serves, what exports a model (torch), and what tests (everything).
SERVE := .venv
EXPORT := .venv-export
DEV := .venv-dev

SERVE_REQUIREMENTS := $(wildcard template/*/requirements.txt) $(addsuffix /requirements.txt,frontend/index backend/clip local)
EXPORT_REQUIREMENTS := backend/clip/requirements-export.txt
DEV_REQUIREMENTS := $(addsuffix /requirements.txt,tests training benchmarks)

LOCKS := frontend/index/requirements.lock backend/clip/requirements.lock
LOCK = $(DEV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --custom-compile-command "make lock"

.PHONY: help up test lint format evaluate screenshots bench tune fuzz lock sbom audit clean

help: ## list the targets
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 22

ifdef MODEL
up: $(EXPORT)/installed
endif
up: $(SERVE)/installed ## run the application; PORT=8080, MODEL= and PRETRAINED= for another CLIP
ifdef MODEL
	@model=$$($(EXPORT)/bin/python -m local.model --model "$(MODEL)" --pretrained "$(PRETRAINED)" | tail -n 1) && [ -n "$$model" ] && \
	exec $(SERVE)/bin/python -m local --port $(PORT) --model "$$model"
else
	@exec $(SERVE)/bin/python -m local --port $(PORT)
endif

test: $(DEV)/installed ## run every test
	@tests/install-browser $(DEV)/bin/playwright
	$(DEV)/bin/python -m pytest $(ARGS)

lint: $(DEV)/installed ## check style and types
	$(DEV)/bin/ruff check .
	$(DEV)/bin/ruff format --check .
	$(DEV)/bin/mypy .

format: $(DEV)/installed ## rewrite the sources in the project's style
	$(DEV)/bin/ruff check --fix .
	$(DEV)/bin/ruff format .

evaluate: $(DEV)/installed ## measure a model: DATA=cifar100.npz PHOTOS=folder [MODEL=exported folder]
	$(DEV)/bin/python -m training.evaluate --model $(or $(MODEL),backend/clip/model) $(if $(DATA),--data "$(DATA)") $(if $(PHOTOS),--photos "$(PHOTOS)")

screenshots: $(DEV)/installed ## photograph the page into docs/screenshots
	@tests/install-browser $(DEV)/bin/playwright
	$(DEV)/bin/python -m tests.frontend.screenshots

bench: $(DEV)/installed ## measure speed and memory beside the baselines; ARGS=--quick
	$(DEV)/bin/python -m benchmarks $(ARGS)

tune: $(DEV)/installed ## try the settings of engine and server
	$(DEV)/bin/python -m benchmarks.settings $(ARGS)

fuzz: $(DEV)/installed ## throw mutated files at clip; MINUTES=10
	$(DEV)/bin/python -m tests.hardening.fuzz --minutes $(or $(MINUTES),10) --failures build/fuzz

lock: $(DEV)/installed ## pin what the images install, with hashes
	$(LOCK) template/python3/requirements.txt frontend/index/requirements.txt -o frontend/index/requirements.lock
	$(LOCK) template/python3-debian/requirements.txt backend/clip/requirements.txt --excludes backend/clip/requirements-excluded.txt -o backend/clip/requirements.lock

sbom: $(DEV)/installed ## write build/index.cdx.json and build/clip.cdx.json (CycloneDX)
	@mkdir -p build
	$(DEV)/bin/cyclonedx-py requirements --output-reproducible -o build/index.cdx.json frontend/index/requirements.lock
	$(DEV)/bin/cyclonedx-py requirements --output-reproducible -o build/clip.cdx.json backend/clip/requirements.lock

audit: $(DEV)/installed ## look for known vulnerabilities in what the images install (asks PyPI)
	$(DEV)/bin/pip-audit --strict --disable-pip --require-hashes $(addprefix -r ,$(LOCKS))

clean: ## remove the virtual environments
	rm -rf $(SERVE) $(EXPORT) $(DEV)

# An environment is complete when its marker is there; changed requirements are installed into it.
define create
	@[ -x $(1)/bin/pip ] || $(PYTHON) -m venv $(1) || { rm -rf $(1); \
	  echo "Python 3.11 or newer with its venv module is needed (Debian: apt install python3-venv)." >&2; exit 1; }
endef

define torch_index
$$(curl --head --fail --silent --output /dev/null --max-time 10 "$(TORCH_INDEX)/torch/" && echo "--extra-index-url $(TORCH_INDEX)")
endef

$(SERVE)/installed: $(SERVE_REQUIREMENTS)
	$(call create,$(SERVE))
	@echo "Installing what the functions need into $(SERVE) ..."
	@$(SERVE)/bin/pip install --quiet --disable-pip-version-check $(addprefix -r ,$^)
	@touch $@

$(EXPORT)/installed: $(EXPORT_REQUIREMENTS) backend/clip/requirements.txt
	$(call create,$(EXPORT))
	@echo "Installing torch and open_clip into $(EXPORT) ..."
	@$(EXPORT)/bin/pip install --disable-pip-version-check $(torch_index) -r $<
	@touch $@

$(DEV)/installed: $(DEV_REQUIREMENTS) $(EXPORT_REQUIREMENTS) $(SERVE_REQUIREMENTS)
	$(call create,$(DEV))
	@echo "Installing everything into $(DEV), torch included ..."
	@$(DEV)/bin/pip install --quiet --disable-pip-version-check $(torch_index) $(addprefix -r ,$^)
	@touch $@
